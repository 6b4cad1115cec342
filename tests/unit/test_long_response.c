#include "transports/long_response.h"

#include <stdio.h>

#include "http/request.h"
#include "tests/unit/expect_text.h"
#include "tests/unit/fixed_time.h"
#include "tests/unit/unit.h"

static void
test_long_response_to_http_1_1_is_chunked_and_kept_from_caches_and_buffers(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_request request = { .http_minor = 1 };
	sl_long_response_append_head(&out, &request, "text/event-stream", "");
	expect_text(&out, "HTTP/1.1 200 OK\r\n"
		"Sluice: " SLUICE_VERSION "\r\n"
		"Date: " FIXED_DATE "\r\n"
		"Content-Type: text/event-stream\r\n"
		"Cache-Control: no-store, no-transform\r\n"
		"X-Accel-Buffering: no\r\n"
		"Connection: close\r\n"
		"Transfer-Encoding: chunked\r\n"
		"\r\n");
}

static void
test_long_response_to_http_1_0_is_delimited_by_the_close(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_request request = { .http_minor = 0 };
	sl_long_response_append_head(&out, &request, "application/x-ndjson",
		"Sluice-Gap: after= resumed=9f3a1c07-5\r\n");
	expect_text(&out, "HTTP/1.1 200 OK\r\n"
		"Sluice: " SLUICE_VERSION "\r\n"
		"Date: " FIXED_DATE "\r\n"
		"Content-Type: application/x-ndjson\r\n"
		"Cache-Control: no-store, no-transform\r\n"
		"X-Accel-Buffering: no\r\n"
		"Connection: close\r\n"
		"Sluice-Gap: after= resumed=9f3a1c07-5\r\n"
		"\r\n");
}

static void
expect_cors(bool credentials, const char *line)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_request request = { .http_minor = 0, .cors = { "https://app.example", credentials } };
	char text[1024];
	snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n"
		"Sluice: " SLUICE_VERSION "\r\n"
		"Date: " FIXED_DATE "\r\n"
		"Content-Type: t\r\n"
		"Cache-Control: no-store, no-transform\r\n"
		"X-Accel-Buffering: no\r\n"
		"Connection: close\r\n"
		"Access-Control-Allow-Origin: https://app.example\r\n"
		"%s"
		"Access-Control-Expose-Headers: Sluice, Sluice-Cursor, Sluice-Gap, Retry-After\r\n"
		"Vary: Origin\r\n"
		"\r\n", line);
	sl_long_response_append_head(&out, &request, "t", "");
	expect_text(&out, text);
}

static void
test_long_response_to_an_allowed_origin_can_be_read_by_it(void)
{
	expect_cors(false, "");
	expect_cors(true, "Access-Control-Allow-Credentials: true\r\n");
}

static void
test_long_response_chunk_sizes_are_hex_without_leading_zeros(void)
{
	static const size_t sizes[] = { 1, 9, 10, 15, 16, 255, 256, 4095, 65536, 0x12345678,
		SIZE_MAX };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct sl_buffer out = SL_BUFFER_INIT;
		char line[32];
		snprintf(line, sizeof line, "%zx\r\n", sizes[i]);
		sl_long_response_append_chunk_start(&out, sizes[i]);
		expect_text(&out, line);
	}
}

static void
test_long_response_ends_with_the_last_chunk(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_long_response_append_chunk_start(&out, 3);
	sl_buffer_append_str(&out, "abc");
	sl_long_response_append_chunk_end(&out);
	sl_long_response_append_last_chunk(&out);
	expect_text(&out, "3\r\nabc\r\n0\r\n\r\n");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_long_response_to_http_1_1_is_chunked_and_kept_from_caches_and_buffers),
		UNIT_TEST(test_long_response_to_http_1_0_is_delimited_by_the_close),
		UNIT_TEST(test_long_response_to_an_allowed_origin_can_be_read_by_it),
		UNIT_TEST(test_long_response_chunk_sizes_are_hex_without_leading_zeros),
		UNIT_TEST(test_long_response_ends_with_the_last_chunk),
		{ NULL, NULL },
	};
	return unit_main("long_response", tests);
}
