#include "http/head_echo.h"

#include <jansson.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/read_head.h"

/* The echo of a GET with these lines, as text and as JSON (a new reference). */
static struct sl_buffer out;

static json_t *
echo(const char *lines)
{
	static char text[65536];
	snprintf(text, sizeof text, "GET / HTTP/1.0\r\n%s\r\n", lines);
	CU_ASSERT_EQUAL_FATAL(read_head(text), 0);
	sl_buffer_finish(&out);
	sl_head_echo_append(&out, &head, "192.0.2.1", true);
	CU_ASSERT_EQUAL_FATAL(sl_buffer_status(&out), 0);
	json_t *root = json_loadb(out.bytes, out.len, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(root);
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
	json_t *root = echo("host: a.example\r\nVIA:  1.1 \"quoted\" \r\nVia: 1.0 second\r\n");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "method")), "GET");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "client")), "192.0.2.1");
	CU_ASSERT(json_is_true(json_object_get(root, "secure")));
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "version")), "HTTP/1.0");
	expect_line(root, 0, "host", "a.example");
	expect_line(root, 1, "VIA", "1.1 \"quoted\"");
	expect_line(root, 2, "Via", "1.0 second");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "headers")), 3);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "more")), 0);
	json_decref(root);
}

static void
test_head_echo_says_which_version_it_was(void)
{
	CU_ASSERT_EQUAL(read_head("BREW / HTTP/1.1\r\nHost: h\r\n\r\n"), 0);
	sl_buffer_finish(&out);
	sl_head_echo_append(&out, &head, "192.0.2.1", true);
	static const char text[] = "{\"client\":\"192.0.2.1\",\"secure\":true,\"method\":\"BREW\","
		"\"version\":\"HTTP/1.1\",\"headers\":[[\"Host\",\"h\"]],\"more\":0}\n";
	CU_ASSERT_EQUAL_FATAL(out.len, strlen(text));
	CU_ASSERT_EQUAL(memcmp(out.bytes, text, out.len), 0);
}

static void
test_head_echo_shows_no_secrets(void)
{
	static const char *const secrets[] = { "X-Forwarded-Access-Token", "X-Api-Key",
		"Sec-WebSocket-Key", "Idempotency-Key" };
	char lines[1024] = "";
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		sprintf(lines + strlen(lines), "%s: hunter2\r\n", secrets[i]);
	json_t *root = echo(lines);
	CU_ASSERT_PTR_NULL(memmem(out.bytes, out.len, "hunter2", 7));
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		expect_line(root, i, secrets[i], NULL);
	json_decref(root);
}

static void
test_head_echo_shows_stars_for_what_proves_who_asks(void)
{
	char text[512] = "authorization: ";
	memset(text + 15, 'x', 400);
	strcpy(text + 415, "\r\n");
	json_t *root = echo("Authorization: Bearer x.y\r\ncookie: a=b\r\nProxy-Authorization: z\r\n"
		"Sec-WebSocket-Protocol: sluice.v1, bearer.x.y\r\n");
	expect_line(root, 0, "Authorization", "**********");
	expect_line(root, 1, "cookie", "***");
	expect_line(root, 2, "Proxy-Authorization", "*");
	expect_line(root, 3, "Sec-WebSocket-Protocol", "sluice.v1, bearer.***");
	json_decref(root);
	root = echo(text);
	CU_ASSERT_EQUAL(json_string_length(json_array_get(get_line(root, 0), 1)), SL_HEAD_ECHO_VALUE);
	CU_ASSERT_PTR_NULL(memchr(out.bytes, 'x', out.len));
	json_decref(root);
}

static void
test_head_echo_counts_lines_beyond_its_limit(void)
{
	char lines[4096] = "";
	for (int i = 0; i < SL_HEAD_ECHO_LINES + 7; i++)
		strcat(lines, "Accept: */*\r\n");
	json_t *root = echo(lines);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "headers")), SL_HEAD_ECHO_LINES);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "more")), 7);
	json_decref(root);
}

static void
test_head_echo_cuts_long_values_between_characters(void)
{
	static const char *const characters[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	for (size_t i = 0; i < 3; i++) {
		size_t size = strlen(characters[i]);
		for (size_t before = 0; before <= size; before++) {
			char lines[SL_HEAD_ECHO_VALUE * 2] = "Via: ", *value = lines + strlen(lines);
			memset(value, 'v', SL_HEAD_ECHO_VALUE + 10);
			memcpy(value + SL_HEAD_ECHO_VALUE - before, characters[i], size);
			strcpy(value + SL_HEAD_ECHO_VALUE + 10, "\r\n");
			json_t *root = echo(lines);
			CU_ASSERT_EQUAL(json_string_length(json_array_get(get_line(root, 0), 1)),
				SL_HEAD_ECHO_VALUE - before % size);
			json_decref(root);
		}
	}
}

static void
test_head_echo_shows_null_for_what_is_no_text(void)
{
	json_t *root = echo("Via: \xff\xfe\r\nHost:\r\nVia: a\tb\r\n");
	expect_line(root, 0, "Via", NULL);
	expect_line(root, 1, "Host", "");
	expect_line(root, 2, "Via", "a\tb");
	json_decref(root);
}

static void
test_head_echo_without_memory_fails_its_buffer(void)
{
	CU_ASSERT_EQUAL(read_head("GET / HTTP/1.1\r\nHost: h\r\nAccept: text/html, text/plain\r\n\r\n"), 0);
	for_each_failing_allocation(failing) {
		struct sl_buffer buffer = SL_BUFFER_INIT;
		sl_head_echo_append(&buffer, &head, "unix", false);
		failing_expect(sl_buffer_status(&buffer));
		sl_buffer_finish(&buffer);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_head_echo_keeps_the_order_and_the_case_of_lines),
		UNIT_TEST(test_head_echo_says_which_version_it_was),
		UNIT_TEST(test_head_echo_shows_no_secrets),
		UNIT_TEST(test_head_echo_shows_stars_for_what_proves_who_asks),
		UNIT_TEST(test_head_echo_counts_lines_beyond_its_limit),
		UNIT_TEST(test_head_echo_cuts_long_values_between_characters),
		UNIT_TEST(test_head_echo_shows_null_for_what_is_no_text),
		UNIT_TEST(test_head_echo_without_memory_fails_its_buffer),
		{ NULL, NULL },
	};
	int status = unit_main("head_echo", tests);
	sl_buffer_finish(&out);
	forget_head();
	return status;
}
