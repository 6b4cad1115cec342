#include "util/base64.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static void
expect(const void *bytes, size_t len, const char *text)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	sl_base64_append(&buf, bytes, len);
	CU_ASSERT_EQUAL(sl_base64_encoded_len(len), strlen(text));
	CU_ASSERT_EQUAL_FATAL(buf.len, strlen(text));
	if (buf.len)
		CU_ASSERT_EQUAL(memcmp(buf.bytes, text, buf.len), 0);
	sl_buffer_finish(&buf);
}

static void
test_base64_matches_the_vectors_of_rfc_4648(void)
{
	expect("", 0, "");
	expect("f", 1, "Zg==");
	expect("fo", 2, "Zm8=");
	expect("foo", 3, "Zm9v");
	expect("foob", 4, "Zm9vYg==");
	expect("fooba", 5, "Zm9vYmE=");
	expect("foobar", 6, "Zm9vYmFy");
}

static void
test_base64_uses_the_whole_alphabet(void)
{
	expect("\xfb\xff\xbf\x00\x10\x83", 6, "+/+/ABCD");
	expect("\xff\xff\xff", 3, "////");
	expect("\0\0\0\0", 4, "AAAAAA==");
}

static void
test_base64_appends_behind_what_is_there(void)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	sl_buffer_append_str(&buf, "a:");
	sl_base64_append(&buf, "foo", 3);
	CU_ASSERT_EQUAL_FATAL(buf.len, 6);
	CU_ASSERT_EQUAL(memcmp(buf.bytes, "a:Zm9v", 6), 0);
	sl_buffer_finish(&buf);
}

static void
expect_decoded(const char *text, const void *bytes, size_t len)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_buffer_append_char(&out, ':');
	CU_ASSERT_EQUAL(sl_base64_decode(&out, (struct sl_span){ text, strlen(text) }), 0);
	CU_ASSERT_EQUAL_FATAL(out.len, len + 1);
	CU_ASSERT_EQUAL(memcmp(out.bytes + 1, bytes, len), 0);
	sl_buffer_finish(&out);
}

static void
test_base64_decodes_with_padding_and_without(void)
{
	expect_decoded("", "", 0);
	expect_decoded("Zg==", "f", 1);
	expect_decoded("Zg", "f", 1);
	expect_decoded("Zm8=", "fo", 2);
	expect_decoded("Zm8", "fo", 2);
	expect_decoded("Zm9v", "foo", 3);
	expect_decoded("Zm9vYmFy", "foobar", 6);
	expect_decoded("+/+/ABCD", "\xfb\xff\xbf\x00\x10\x83", 6);
	expect_decoded("Zh==", "f", 1); /* bits that stand for nothing */
}

static void
test_base64_decodes_nothing_of_what_is_no_base64(void)
{
	static const char *const bad[] = { "A", "=", "==", "A=", "A==", "A===", "Zg=", "Zm9v=", "Zm9v==", "Zg==Zg==", "Zm9-",
		"Zm9_", "Zm 9", "Zm9vZ", "Zm9v\n", "\xc3\xa4==" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sl_buffer out = SL_BUFFER_INIT;
		sl_buffer_append_char(&out, ':');
		CU_ASSERT_EQUAL(sl_base64_decode(&out, (struct sl_span){ bad[i], strlen(bad[i]) }), SL_EINVAL);
		CU_ASSERT_EQUAL(out.len, 1);
		sl_buffer_finish(&out);
	}
}

static void
test_base64_key_is_exactly_sixteen_bytes(void)
{
	static const char *const good[] = {
		"dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==", "+/+/+/+/+/+/+/+/+/+/+/==",
	};
	static const char *const bad[] = {
		"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQE=",
		"dGhlIHNhbXBsZSBub25jZQEC", "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub2-jZQ==",
		"dGhlIHNhbXBsZSBub2_jZQ==", "dGhlIHNhbXBsZSBub25jZQ==AAAA", " GhlIHNhbXBsZSBub25jZQ==",
		"Zm9vYmFyZm9vYmFyZm9v",
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CU_ASSERT_TRUE(sl_base64_is_key16(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_FALSE(sl_base64_is_key16(bad[i], strlen(bad[i])));
}

static void
test_base64_decodes_what_it_encodes(void)
{
	char bytes[256];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 37);
	for (size_t len = 0; len <= sizeof bytes; len++) {
		struct sl_buffer text = SL_BUFFER_INIT, back = SL_BUFFER_INIT;
		sl_base64_append(&text, bytes, len);
		CU_ASSERT_EQUAL(sl_base64_decode(&back, (struct sl_span){ text.bytes, text.len }), 0);
		CU_ASSERT_EQUAL_FATAL(back.len, len);
		CU_ASSERT_TRUE(len == 0 || memcmp(back.bytes, bytes, len) == 0);
		sl_buffer_finish(&text);
		sl_buffer_finish(&back);
	}
}

static void
test_base64_appends_whole_or_not_at_all(void)
{
	for_each_failing_allocation(failing) {
		struct sl_buffer out = SL_BUFFER_INIT;
		sl_base64_append(&out, "foobar", 6);
		int status = sl_buffer_status(&out);
		failing_expect(status);
		CU_ASSERT_EQUAL(out.len, status == 0 ? 8 : 0);
		sl_buffer_finish(&out);
	}
	for_each_failing_allocation(failing) {
		struct sl_buffer out = SL_BUFFER_INIT;
		int err = sl_base64_decode(&out, (struct sl_span){ "Zm9vYmFy", 8 });
		failing_expect(err);
		CU_ASSERT_EQUAL(out.len, err == 0 ? 6 : 0);
		sl_buffer_finish(&out);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_base64_matches_the_vectors_of_rfc_4648),
		UNIT_TEST(test_base64_uses_the_whole_alphabet),
		UNIT_TEST(test_base64_appends_behind_what_is_there),
		UNIT_TEST(test_base64_decodes_with_padding_and_without),
		UNIT_TEST(test_base64_decodes_nothing_of_what_is_no_base64),
		UNIT_TEST(test_base64_key_is_exactly_sixteen_bytes),
		UNIT_TEST(test_base64_decodes_what_it_encodes),
		UNIT_TEST(test_base64_appends_whole_or_not_at_all),
		{ NULL, NULL },
	};
	return unit_main("base64", tests);
}
