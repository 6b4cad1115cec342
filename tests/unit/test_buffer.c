#include "util/buffer.h"

#include <string.h>

#include "tests/unit/unit.h"

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

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_buffer_appends_in_order),
		UNIT_TEST(test_buffer_escapes_json_strings),
		UNIT_TEST(test_buffer_consume_keeps_the_rest),
		{ NULL, NULL },
	};
	return unit_main("buffer", tests);
}
