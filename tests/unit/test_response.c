#include "http/response.h"

#include <string.h>

#include "tests/unit/expect_text.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/fixed_time.h"
#include "tests/unit/unit.h"

#define MARK "Sluice: " SLUICE_VERSION "\r\n"
#define DATE "Date: " FIXED_DATE "\r\n"
#define USUAL MARK DATE "Cache-Control: no-store\r\n"

static void
expect_head(const struct sl_response *response, const char *text)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_response_append_head(response, &out);
	expect_text(&out, text);
}

static bool
head_has(const struct sl_response *response, const char *text)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_response_append_head(response, &out);
	bool has = memmem(out.bytes, out.len, text, strlen(text)) != NULL;
	sl_buffer_finish(&out);
	return has;
}

static void
test_response_has_its_fields_in_one_order(void)
{
	struct sl_response response = {
		.status = 200, .length = 12, .content_type = "text/plain", .cache_control = "no-cache",
		.cors = { "http://page", true }, .closes = true,
	};
	sl_response_add_text(&response, "ETag", "\"1\"");
	sl_response_add(&response, "X-Part", (struct sl_span){ "abcdef", 3 });
	expect_head(&response, "HTTP/1.1 200 OK\r\n" MARK DATE
		"Cache-Control: no-cache\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
		"Connection: close\r\nAccess-Control-Allow-Origin: http://page\r\n"
		"Access-Control-Allow-Credentials: true\r\n"
		"Access-Control-Expose-Headers: Sluice, Sluice-Cursor, Sluice-Gap, Retry-After\r\n"
		"Vary: Origin\r\nETag: \"1\"\r\nX-Part: abc\r\n\r\n");
}

static void
test_response_is_not_to_be_stored_unless_it_says_otherwise(void)
{
	struct sl_response response = { .status = 404 };
	expect_head(&response, "HTTP/1.1 404 Not Found\r\n" USUAL "Content-Length: 0\r\n\r\n");
}

static void
test_response_ends_by_length_by_chunks_or_with_the_connection(void)
{
	struct sl_response response = { .status = 200, .body = SL_RESPONSE_CHUNKED };
	expect_head(&response, "HTTP/1.1 200 OK\r\n" USUAL "Transfer-Encoding: chunked\r\n\r\n");
	response.body = SL_RESPONSE_UNTIL_CLOSE;
	expect_head(&response, "HTTP/1.1 200 OK\r\n" USUAL "\r\n");
	response.body = SL_RESPONSE_LENGTH;
	response.length = UINT64_MAX;
	CU_ASSERT_TRUE(head_has(&response, "\r\nContent-Length: 18446744073709551615\r\n"));
}

static void
test_response_without_content_says_nothing_of_a_length(void)
{
	static const unsigned statuses[] = { 204, 304 };
	for (size_t i = 0; i < 2; i++)
		for (int body = SL_RESPONSE_LENGTH; body <= SL_RESPONSE_UNTIL_CLOSE; body++) {
			struct sl_response response = { .status = statuses[i], .length = 5,
				.body = (enum sl_response_body)body };
			CU_ASSERT_FALSE(sl_response_has_body(&response));
			CU_ASSERT_FALSE(head_has(&response, "Content-Length"));
			CU_ASSERT_FALSE(head_has(&response, "Transfer-Encoding"));
			CU_ASSERT_TRUE(head_has(&response, USUAL "\r\n"));
		}
}

static void
test_response_to_an_upgrade_is_neither_dated_nor_cached(void)
{
	struct sl_response response = { .status = 101 };
	sl_response_add_text(&response, "Upgrade", "websocket");
	sl_response_add_text(&response, "Connection", "Upgrade");
	expect_head(&response, "HTTP/1.1 101 Switching Protocols\r\n" MARK
		"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
}

static void
test_response_that_is_foreign_does_not_say_whose_it_is(void)
{
	struct sl_response response = { .status = 403, .content_type = "text/html", .is_foreign = true };
	CU_ASSERT_TRUE(head_has(&response, "HTTP/1.1 403 Forbidden\r\nDate: "));
	CU_ASSERT_FALSE(head_has(&response, "luice"));
}

static void
test_response_says_each_status_in_words(void)
{
	static const struct {
		unsigned status;
		const char *line;
	} cases[] = {
		{ 101, "101 Switching Protocols" }, { 200, "200 OK" }, { 204, "204 No Content" },
		{ 304, "304 Not Modified" }, { 400, "400 Bad Request" }, { 403, "403 Forbidden" },
		{ 404, "404 Not Found" }, { 405, "405 Method Not Allowed" }, { 413, "413 Content Too Large" },
		{ 415, "415 Unsupported Media Type" }, { 426, "426 Upgrade Required" },
		{ 429, "429 Too Many Requests" }, { 431, "431 Request Header Fields Too Large" },
		{ 500, "500 Internal Server Error" },
		{ 503, "503 Service Unavailable" }, { 505, "505 HTTP Version Not Supported" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_response response = { .status = cases[i].status };
		char line[64];
		snprintf(line, sizeof line, "HTTP/1.1 %s\r\n", cases[i].line);
		CU_ASSERT_TRUE(head_has(&response, line));
	}
}

static void
count(void *arg, const char *name, const char *value)
{
	CU_ASSERT(name[0] && value[0]);
	++*(unsigned *)arg;
}

static void
test_response_to_no_page_tells_it_nothing(void)
{
	const struct sl_cors none = { NULL, true }, page = { "http://page", false };
	unsigned fields = 0;
	sl_cors_each(&none, count, &fields);
	CU_ASSERT_EQUAL(fields, 0);
	sl_cors_each(&page, count, &fields);
	CU_ASSERT_EQUAL(fields, 3);
	struct sl_response response = { .status = 200, .cors = page };
	CU_ASSERT_FALSE(head_has(&response, "Credentials"));
	response.cors = none;
	CU_ASSERT_FALSE(head_has(&response, "Vary") || head_has(&response, "Access-Control"));
}

static void
test_response_has_room_for_a_number_of_fields(void)
{
	struct sl_response response = { .status = 200 };
	for (int i = 0; i < SL_RESPONSE_FIELDS_MAX; i++)
		sl_response_add_text(&response, "X", "y");
	CU_ASSERT_EQUAL(response.field_count, SL_RESPONSE_FIELDS_MAX);
}

static void
test_response_goes_behind_what_the_buffer_holds_in_one_allocation(void)
{
	struct sl_response response = { .status = 200, .cors = { "http://page", true } };
	struct sl_buffer out = SL_BUFFER_INIT;
	failing_alloc_set(0, false);
	sl_response_append_head(&response, &out);
	CU_ASSERT_EQUAL(failing_alloc_count(), 1);
	failing_alloc_off();
	size_t len = out.len;
	sl_response_append_head(&response, &out);
	CU_ASSERT_EQUAL(out.len, 2 * len);
	CU_ASSERT_EQUAL(memcmp(out.bytes, out.bytes + len, len), 0);
	sl_buffer_finish(&out);
}

static void
test_response_without_memory_fails_its_buffer(void)
{
	static char value[2000];
	memset(value, 'v', sizeof value - 1);
	for_each_failing_allocation(failing) {
		struct sl_response response = { .status = 200 };
		struct sl_buffer out = SL_BUFFER_INIT;
		sl_response_add_text(&response, "X-Long", value);
		sl_response_append_head(&response, &out);
		failing_expect(sl_buffer_status(&out));
		sl_buffer_finish(&out);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_response_has_its_fields_in_one_order),
		UNIT_TEST(test_response_is_not_to_be_stored_unless_it_says_otherwise),
		UNIT_TEST(test_response_ends_by_length_by_chunks_or_with_the_connection),
		UNIT_TEST(test_response_without_content_says_nothing_of_a_length),
		UNIT_TEST(test_response_to_an_upgrade_is_neither_dated_nor_cached),
		UNIT_TEST(test_response_that_is_foreign_does_not_say_whose_it_is),
		UNIT_TEST(test_response_says_each_status_in_words),
		UNIT_TEST(test_response_to_no_page_tells_it_nothing),
		UNIT_TEST(test_response_has_room_for_a_number_of_fields),
		UNIT_TEST(test_response_goes_behind_what_the_buffer_holds_in_one_allocation),
		UNIT_TEST(test_response_without_memory_fails_its_buffer),
		{ NULL, NULL },
	};
	return unit_main("response", tests);
}
