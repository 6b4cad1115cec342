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

/* RFC 8032, section 7.1, test 1 */
static void
test_crypto_ed25519_matches_rfc_8032(void)
{
	static const uint8_t private_key[SL_ED25519_LEN] = { 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba,
		0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac,
		0x03, 0x1c, 0xae, 0x7f, 0x60 };
	static const uint8_t public_key[SL_ED25519_LEN] = { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5,
		0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a,
		0x68, 0xf7, 0x07, 0x51, 0x1a };
	uint8_t got[SL_ED25519_LEN];
	CU_ASSERT_EQUAL(sl_crypto_ed25519_public(private_key, got), 0);
	CU_ASSERT_EQUAL(memcmp(got, public_key, sizeof got), 0);
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
		UNIT_TEST(test_crypto_ed25519_matches_rfc_8032),
		{ NULL, NULL },
	};
	return unit_main("crypto", tests);
}
