#include "http/head_echo.h"

#include <jansson.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct sl_buffer out;
static struct sl_head_echo echo;

static void
begin(void)
{
	sl_buffer_init(&out);
	sl_head_echo_begin(&echo, &out, "GET", 1);
}

/* New reference. */
static json_t *
end(void)
{
	sl_head_echo_end(&echo);
	CU_ASSERT_EQUAL_FATAL(sl_buffer_status(&out), 0);
	json_t *root = json_loadb(out.bytes, out.len, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(root);
	sl_buffer_finish(&out);
	return root;
}

static json_t *
get_line(json_t *root, size_t i)
{
	return json_array_get(json_object_get(root, "headers"), i);
}

static void
expect_line(json_t *root, size_t i, const char *name, const char *value)
{
	json_t *line = get_line(root, i), *found = json_array_get(line, 1);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(line, 0)), name);
	if (value)
		CU_ASSERT_STRING_EQUAL(json_string_value(found), value)
	else
		CU_ASSERT(json_is_null(found));
}

static void
test_head_echo_keeps_the_order_and_the_case_of_lines(void)
{
	begin();
	sl_head_echo_add(&echo, "host", "a.example");
	sl_head_echo_add(&echo, "VIA", "1.1 \"quoted\"");
	sl_head_echo_add(&echo, "Via", "1.0 second");
	json_t *root = end();
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "method")), "GET");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "version")), "HTTP/1.1");
	expect_line(root, 0, "host", "a.example");
	expect_line(root, 1, "VIA", "1.1 \"quoted\"");
	expect_line(root, 2, "Via", "1.0 second");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "more")), 0);
	json_decref(root);
}

static void
test_head_echo_shows_no_secrets(void)
{
	static const char *const secrets[] = { "Authorization", "cookie", "Proxy-Authorization",
		"X-Forwarded-Access-Token", "X-Api-Key", "Sec-WebSocket-Key", "Idempotency-Key" };
	begin();
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		sl_head_echo_add(&echo, secrets[i], "hunter2");
	CU_ASSERT_PTR_NULL(memmem(out.bytes, out.len, "hunter2", 7));
	json_t *root = end();
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		expect_line(root, i, secrets[i], NULL);
	json_decref(root);
}

static void
test_head_echo_counts_lines_beyond_its_limit(void)
{
	begin();
	for (int i = 0; i < SL_HEAD_ECHO_LINES + 7; i++)
		sl_head_echo_add(&echo, "Accept", "*/*");
	json_t *root = end();
	CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "headers")), SL_HEAD_ECHO_LINES);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "more")), 7);
	json_decref(root);
}

static void
test_head_echo_cuts_long_values_between_characters(void)
{
	char value[SL_HEAD_ECHO_VALUE * 2];
	memset(value, 'v', sizeof value);
	memcpy(value + SL_HEAD_ECHO_VALUE - 1, "\xc3\xa9", 2);
	value[sizeof value - 1] = '\0';
	begin();
	sl_head_echo_add(&echo, "Via", value);
	json_t *root = end();
	CU_ASSERT_EQUAL(json_string_length(json_array_get(get_line(root, 0), 1)), SL_HEAD_ECHO_VALUE - 1);
	json_decref(root);
}

static void
test_head_echo_shows_null_for_what_is_no_text(void)
{
	begin();
	sl_head_echo_add(&echo, "Via", "\xff\xfe");
	sl_head_echo_add(&echo, "Host", NULL);
	sl_head_echo_add(&echo, "Via", "\x01");
	json_t *root = end();
	expect_line(root, 0, "Via", NULL);
	expect_line(root, 1, "Host", NULL);
	expect_line(root, 2, "Via", "\x01");
	json_decref(root);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_head_echo_keeps_the_order_and_the_case_of_lines),
		UNIT_TEST(test_head_echo_shows_no_secrets),
		UNIT_TEST(test_head_echo_counts_lines_beyond_its_limit),
		UNIT_TEST(test_head_echo_cuts_long_values_between_characters),
		UNIT_TEST(test_head_echo_shows_null_for_what_is_no_text),
		{ NULL, NULL },
	};
	return unit_main("head_echo", tests);
}
