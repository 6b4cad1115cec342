#include "util/base64url.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static void
expect(const char *bytes, size_t len, const char *text)
{
	struct sl_buffer there = SL_BUFFER_INIT, back = SL_BUFFER_INIT;
	sl_base64url_append(&there, bytes, len);
	CU_ASSERT_EQUAL_FATAL(there.len, strlen(text));
	CU_ASSERT(len == 0 || memcmp(there.bytes, text, there.len) == 0);
	CU_ASSERT_EQUAL(sl_base64url_decode(&back, (struct sl_span){ text, strlen(text) }), 0);
	CU_ASSERT_EQUAL_FATAL(back.len, len);
	CU_ASSERT(len == 0 || memcmp(back.bytes, bytes, len) == 0);
	sl_buffer_finish(&there);
	sl_buffer_finish(&back);
}

static void
test_base64url_there_and_back(void)
{
	expect("", 0, "");
	expect("f", 1, "Zg");
	expect("fo", 2, "Zm8");
	expect("foo", 3, "Zm9v");
	expect("foob", 4, "Zm9vYg");
	expect("\xfb\xff\xbf", 3, "-_-_");
	expect("\x03\xec\xff\xe0\xc1", 5, "A-z_4ME"); /* RFC 7515, appendix C */
	expect("\0\0\0\0", 4, "AAAAAA");
}

/* What another decoder may take, and by which a token would have two texts. */
static void
test_base64url_has_one_text_for_each_run_of_bytes(void)
{
	static const char *const wrong[] = { "Zg==", "Zg=", "Zm8=", "Z", "Zm9vY", "Zh", "Zm9", "Zm9v Yg", "Zm9v\n",
		"+/+/", "Zm9v.", "Zm\xc3\xa9", "====", "=", NULL };
	for (size_t i = 0; wrong[i]; i++) {
		struct sl_buffer out = SL_BUFFER_INIT;
		sl_buffer_append_str(&out, "kept");
		CU_ASSERT_EQUAL(sl_base64url_decode(&out, (struct sl_span){ wrong[i], strlen(wrong[i]) }), SL_EINVAL);
		CU_ASSERT_EQUAL(out.len, 4);
		sl_buffer_finish(&out);
	}
	struct sl_buffer out = SL_BUFFER_INIT;
	CU_ASSERT_EQUAL(sl_base64url_decode(&out, (struct sl_span){ "Zm\0v", 4 }), SL_EINVAL);
	sl_buffer_finish(&out);
}

static void
test_base64url_without_memory(void)
{
	for_each_failing_allocation(failing) {
		struct sl_buffer out = SL_BUFFER_INIT, back = SL_BUFFER_INIT;
		sl_base64url_append(&out, "foobar", 6);
		int err = out.failed ? SL_ENOMEM : sl_base64url_decode(&back, (struct sl_span){ out.bytes, out.len });
		failing_expect(err);
		sl_buffer_finish(&out);
		sl_buffer_finish(&back);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_base64url_there_and_back),
		UNIT_TEST(test_base64url_has_one_text_for_each_run_of_bytes),
		UNIT_TEST(test_base64url_without_memory),
		{ NULL, NULL },
	};
	return unit_main("base64url", tests);
}
