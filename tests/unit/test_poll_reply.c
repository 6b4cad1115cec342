#include "transports/poll_reply.h"

#include "config/config.h"
#include "http/response.h"
#include "live/subscriber.h"
#include "tests/unit/expect_text.h"
#include "tests/unit/fixed_time.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"

static const struct sl_cursor cursor = { MESSAGE_EPOCH, 4182 };

static void
test_poll_reply_head_tells_the_cursor_and_keeps_out_of_caches(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_response response = { .status = 0 };
	char text[SL_CURSOR_MAX];
	sl_poll_reply_fill_response(&response, cursor, text);
	response.length = 123;
	sl_response_append_head(&response, &out);
	expect_text(&out, "HTTP/1.1 200 OK\r\n"
		"Sluice: " SLUICE_VERSION "\r\n"
		"Date: " FIXED_DATE "\r\n"
		"Cache-Control: no-store, no-transform\r\n"
		"Content-Type: application/json\r\n"
		"Content-Length: 123\r\n"
		"Sluice-Cursor: 9f3a1c07-4182\r\n"
		"\r\n");
}

static void
test_poll_reply_body_of_nothing(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_poll_body body = { .cursor = cursor };
	sl_poll_reply_append_body(&out, &body);
	expect_text(&out, "{\"cursor\":\"9f3a1c07-4182\",\"messages\":[],\"gaps\":[]}");
}

static void
test_poll_reply_body_holds_objects_and_gaps(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_message *messages[] = { make_message(4181, "a", "x"),
		make_message_of(4182, "b", SL_JSON, "[1]", 3) };
	struct sl_gap gaps[] = {
		{ "a", { MESSAGE_EPOCH, 7 }, { MESSAGE_EPOCH, 9 } },
		{ "b", { 0 }, { MESSAGE_EPOCH, 0 } },
	};
	struct sl_poll_body body = { .cursor = cursor, .messages = messages, .count = 2,
		.gaps = gaps, .gap_count = 2 };
	sl_poll_reply_append_body(&out, &body);
	expect_text(&out, "{\"cursor\":\"9f3a1c07-4182\",\"messages\":["
		"{\"id\":\"9f3a1c07-4181\",\"channel\":\"a\",\"time\":1790000000000000,\"data\":\"x\"},"
		"{\"id\":\"9f3a1c07-4182\",\"channel\":\"b\",\"time\":1790000000000000,\"data\":[1]}"
		"],\"gaps\":["
		"{\"type\":\"gap\",\"channel\":\"a\",\"after\":\"9f3a1c07-7\",\"resumed\":\"9f3a1c07-9\"},"
		"{\"type\":\"gap\",\"channel\":\"b\",\"after\":null,\"resumed\":\"9f3a1c07-0\"}"
		"]}");
	drop_messages(messages, 2);
}

static void
test_poll_reply_body_of_one_client_tells_limits_and_its_n(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_config config = { .max_message_bytes = 1000, .max_channels = 5 };
	struct sl_poll_body body = { .cursor = cursor, .config = &config, .n = { "a-1", 3 } };
	sl_poll_reply_append_body(&out, &body);
	expect_text(&out, "{\"cursor\":\"9f3a1c07-4182\",\"messages\":[],\"gaps\":[],"
		"\"limits\":{\"message\":1000,\"channels\":5},\"n\":\"a-1\"}");
}

/* With the longest of everything that stands around the messages. */
static size_t
body_len(struct sl_message *const *messages, size_t count)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_config config = { .max_message_bytes = INT64_MAX, .max_channels = 64 };
	struct sl_poll_body body = { .cursor = { MESSAGE_EPOCH, INT64_MAX }, .messages = messages,
		.count = count, .config = &config,
		.n = { "0123456789012345678901234567890123456789012345678901234567890123", 64 } };
	sl_poll_reply_append_body(&out, &body);
	CU_ASSERT_EQUAL(sl_buffer_status(&out), 0);
	size_t len = out.len;
	sl_buffer_finish(&out);
	return len;
}

static void
test_poll_reply_takes_as_many_messages_as_the_limit_allows(void)
{
	static char text[1 << 16];
	struct sl_message *messages[300];
	for (size_t len = 500; len < sizeof text; len = len * 3 + 1) {
		memset(text, 'x', sizeof text);
		text[len] = '\0';
		for (size_t i = 0; i < 300; i++)
			messages[i] = make_message(i + 1, "a", text);
		size_t fit = sl_poll_reply_fit(messages, 300);
		CU_ASSERT_TRUE(fit > 0 && fit <= 300);
		CU_ASSERT_TRUE(body_len(messages, fit) <= SL_POLL_REPLY_MAX);
		if (fit < 300)
			CU_ASSERT_TRUE(body_len(messages, fit + 1) + 256 > SL_POLL_REPLY_MAX);
		drop_messages(messages, 300);
	}
}

static void
test_poll_reply_always_takes_one_message(void)
{
	static char text[SL_POLL_REPLY_MAX + 1000];
	memset(text, 'x', sizeof text - 1);
	struct sl_message *messages[] = { make_message(1, "a", text), make_message(2, "a", "y") };
	CU_ASSERT_EQUAL(sl_poll_reply_fit(messages, 2), 1);
	CU_ASSERT_EQUAL(sl_poll_reply_fit(messages + 1, 1), 1);
	CU_ASSERT_EQUAL(sl_poll_reply_fit(messages, 0), 0);
	drop_messages(messages, 2);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_poll_reply_head_tells_the_cursor_and_keeps_out_of_caches),
		UNIT_TEST(test_poll_reply_body_of_nothing),
		UNIT_TEST(test_poll_reply_body_holds_objects_and_gaps),
		UNIT_TEST(test_poll_reply_body_of_one_client_tells_limits_and_its_n),
		UNIT_TEST(test_poll_reply_takes_as_many_messages_as_the_limit_allows),
		UNIT_TEST(test_poll_reply_always_takes_one_message),
		{ NULL, NULL },
	};
	return unit_main("poll_reply", tests);
}
