#include "util/crypto.h"

#include <string.h>

#include "tests/unit/unit.h"

static void
expect_sha1(const char *text, const char *hex)
{
	uint8_t digest[SL_SHA1_LEN];
	char got[2 * SL_SHA1_LEN + 1];
	sl_crypto_sha1(text, strlen(text), digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(got + 2 * i, 3, "%02x", digest[i]);
	CU_ASSERT_STRING_EQUAL(got, hex);
}

static void
test_crypto_sha1_matches_fips_180(void)
{
	expect_sha1("", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	expect_sha1("abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
	/* RFC 6455, section 1.3 */
	expect_sha1("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		"b37a4f2cc0624f1690f64606cf385945b2bec4ea");
}

static void
test_crypto_sha256_matches_fips_180(void)
{
	static const struct { const char *text, *hex; } cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t digest[SL_SHA256_LEN];
		char got[2 * SL_SHA256_LEN + 1];
		CU_ASSERT_EQUAL(sl_crypto_sha256(cases[i].text, strlen(cases[i].text), digest), 0);
		for (size_t j = 0; j < sizeof digest; j++)
			snprintf(got + 2 * j, 3, "%02x", digest[j]);
		CU_ASSERT_STRING_EQUAL(got, cases[i].hex);
	}
}

/* RFC 4231, test cases 1 and 2. */
static void
test_crypto_hmac_matches_rfc_4231(void)
{
	static const struct { const char *key, *text, *hex; } cases[] = {
		{ "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
			"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ "Jefe", "what do ya want for nothing?",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t mac[SL_SHA256_LEN];
		char got[2 * SL_SHA256_LEN + 1];
		CU_ASSERT_EQUAL(sl_crypto_hmac(cases[i].key, strlen(cases[i].key), cases[i].text,
			strlen(cases[i].text), mac), 0);
		for (size_t j = 0; j < sizeof mac; j++)
			snprintf(got + 2 * j, 3, "%02x", mac[j]);
		CU_ASSERT_STRING_EQUAL(got, cases[i].hex);
	}
}

static void
test_crypto_equal_is_every_byte(void)
{
	CU_ASSERT_TRUE(sl_crypto_are_equal("abc", "abd", 2));
	CU_ASSERT_FALSE(sl_crypto_are_equal("abc", "abd", 3));
	CU_ASSERT_FALSE(sl_crypto_are_equal("abc", "bbc", 3));
}

static void
test_crypto_random_fills_exactly_what_was_asked(void)
{
	uint8_t bytes[40] = { 0 }, again[32] = { 0 };
	CU_ASSERT_EQUAL(sl_crypto_random(bytes, 32), 0);
	CU_ASSERT_EQUAL(sl_crypto_random(again, 32), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(bytes, again, 32), 0);
	CU_ASSERT_EQUAL(memcmp(bytes + 32, "\0\0\0\0\0\0\0\0", 8), 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_crypto_sha1_matches_fips_180),
		UNIT_TEST(test_crypto_sha256_matches_fips_180),
		UNIT_TEST(test_crypto_hmac_matches_rfc_4231),
		UNIT_TEST(test_crypto_equal_is_every_byte),
		UNIT_TEST(test_crypto_random_fills_exactly_what_was_asked),
		{ NULL, NULL },
	};
	return unit_main("crypto", tests);
}
