#include "util/buffer.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static void
expect(const struct sl_buffer *buf, const char *text)
{
	CU_ASSERT_EQUAL_FATAL(buf->len, strlen(text));
	CU_ASSERT_EQUAL(memcmp(buf->bytes, text, buf->len), 0);
}

static void
test_buffer_appends_in_order(void)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	sl_buffer_append(&buf, "ab", 2);
	sl_buffer_append_char(&buf, 'c');
	sl_buffer_append_str(&buf, "de");
	sl_buffer_append_u64(&buf, 18446744073709551615u);
	sl_buffer_printf(&buf, "-%d", 7);
	expect(&buf, "abcde18446744073709551615-7");
	sl_buffer_finish(&buf);
}

static void
test_buffer_escapes_json_strings(void)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	sl_buffer_append_json_string(&buf, "a\"\\\n\r\t\001\x7f", 8);
	expect(&buf, "\"a\\\"\\\\\\n\\r\\t\\u0001\x7f\"");
	sl_buffer_finish(&buf);
}

static void
test_buffer_consume_keeps_the_rest(void)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	sl_buffer_append_str(&buf, "abcdef");
	sl_buffer_consume(&buf, 2);
	expect(&buf, "cdef");
	sl_buffer_consume(&buf, 9);
	expect(&buf, "");
	sl_buffer_finish(&buf);
}

static void
test_buffer_becomes_a_string_and_is_empty_then(void)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	sl_buffer_append_str(&buf, "abc");
	char *text = sl_buffer_take_string(&buf);
	CU_ASSERT_STRING_EQUAL(text, "abc");
	free(text);
	CU_ASSERT_PTR_NULL(buf.bytes);
	text = sl_buffer_take_string(&buf);
	CU_ASSERT_STRING_EQUAL(text, "");
	free(text);
	for_each_failing_allocation(failing) {
		sl_buffer_append(&buf, "0123456789012345678901234567890123456789012345678901234567890123", 64);
		text = sl_buffer_take_string(&buf);
		failing_expect(text ? 0 : SL_ENOMEM);
		CU_ASSERT_PTR_NULL(buf.bytes);
		CU_ASSERT_EQUAL(sl_buffer_status(&buf), 0);
		free(text);
	}
}

static void
test_buffer_without_memory_keeps_what_it_had_and_takes_nothing_more(void)
{
	for_each_failing_allocation(failing) {
		struct sl_buffer buf = SL_BUFFER_INIT;
		sl_buffer_append(&buf, "0123456789012345678901234567890123456789012345678901234567890123", 64);
		size_t before = buf.len;
		sl_buffer_append_json_string(&buf, "a\"\001", 3);
		sl_buffer_printf(&buf, "%0100d", 7);
		int status = sl_buffer_status(&buf);
		CU_ASSERT(before == 64 || before == 0);
		CU_ASSERT_EQUAL(buf.len, status == 0 ? 64 + 11 + 100 : buf.len);
		failing_expect(status);
		size_t len = buf.len;
		sl_buffer_append_char(&buf, 'x');
		CU_ASSERT_EQUAL(buf.len, status == 0 ? len + 1 : len); /* although there is memory again */
		sl_buffer_finish(&buf);
	}
}

static void
test_buffer_is_usable_again_once_it_is_cleared(void)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	failing_alloc_set(1, false);
	CU_ASSERT_EQUAL(sl_buffer_reserve(&buf, 1), SL_ENOMEM);
	CU_ASSERT_EQUAL(sl_buffer_reserve(&buf, 1), SL_ENOMEM);
	failing_alloc_off();
	sl_buffer_clear(&buf);
	sl_buffer_append_str(&buf, "ab");
	expect(&buf, "ab");
	CU_ASSERT_EQUAL(sl_buffer_reserve(&buf, SIZE_MAX), SL_ENOMEM); /* nor more than there can be */
	expect(&buf, "ab");
	sl_buffer_finish(&buf);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_buffer_appends_in_order),
		UNIT_TEST(test_buffer_escapes_json_strings),
		UNIT_TEST(test_buffer_consume_keeps_the_rest),
		UNIT_TEST(test_buffer_becomes_a_string_and_is_empty_then),
		UNIT_TEST(test_buffer_without_memory_keeps_what_it_had_and_takes_nothing_more),
		UNIT_TEST(test_buffer_is_usable_again_once_it_is_cleared),
		{ NULL, NULL },
	};
	return unit_main("buffer", tests);
}
