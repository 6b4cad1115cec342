#include "transports/long_response.h"

#include <stdio.h>

#include "http/request.h"
#include "http/response.h"
#include "tests/unit/expect_text.h"
#include "tests/unit/fixed_time.h"
#include "tests/unit/unit.h"

static void
expect_head(enum sl_http_version version, const char *length)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_head head = { .version = version };
	struct sl_request request = { .head = &head };
	struct sl_response response = { .closes = false };
	char text[512];
	sl_long_response_fill(&response, &request, "text/event-stream");
	sl_response_append_head(&response, &out);
	snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n"
		"Sluice: " SLUICE_VERSION "\r\n"
		"Date: " FIXED_DATE "\r\n"
		"Cache-Control: no-store, no-transform\r\n"
		"Content-Type: text/event-stream\r\n"
		"%s"
		"Connection: close\r\n"
		"X-Accel-Buffering: no\r\n"
		"\r\n", length);
	expect_text(&out, text);
}

static void
test_long_response_is_chunked_or_delimited_by_the_close_and_kept_from_caches_and_buffers(void)
{
	expect_head(SL_HTTP_1_1, "Transfer-Encoding: chunked\r\n");
	expect_head(SL_HTTP_1_0, "");
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
	sl_long_response_frame_end(&(struct sl_encoder){ .variant = SL_LONG_RESPONSE_CHUNKED },
		SL_END_DRAINING, 0, &out);
	sl_long_response_frame_end(&(struct sl_encoder){ .variant = 0 }, SL_END_DRAINING, 0, &out);
	expect_text(&out, "3\r\nabc\r\n0\r\n\r\n");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_long_response_is_chunked_or_delimited_by_the_close_and_kept_from_caches_and_buffers),
		UNIT_TEST(test_long_response_chunk_sizes_are_hex_without_leading_zeros),
		UNIT_TEST(test_long_response_ends_with_the_last_chunk),
		{ NULL, NULL },
	};
	return unit_main("long_response", tests);
}
