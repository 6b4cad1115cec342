#include "http/reply.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static void
expect_body(const struct sl_reply *reply, const char *text)
{
	CU_ASSERT_EQUAL_FATAL(reply->body.len, strlen(text));
	CU_ASSERT_EQUAL(memcmp(reply->body.bytes, text, reply->body.len), 0);
}

static void
test_reply_error_is_an_object_with_code_and_message(void)
{
	struct sl_reply reply = { 0 };
	sl_reply_set_error(&reply, 400, "bad_channel", "\"a b\" is not a name");
	CU_ASSERT_EQUAL(reply.status, 400);
	CU_ASSERT_STRING_EQUAL(reply.content_type, "application/json");
	CU_ASSERT_EQUAL(reply.header_count, 0);
	expect_body(&reply, "{\"error\":{\"code\":\"bad_channel\",\"message\":"
		"\"\\\"a b\\\" is not a name\"}}\n");
	sl_reply_finish(&reply);
}

static void
test_reply_error_replaces_what_was_there(void)
{
	struct sl_reply reply = { 0 };
	sl_reply_set_json(&reply);
	sl_buffer_append_str(&reply.body, "{\"half\":");
	sl_reply_set_error(&reply, 404, "not_found", "x");
	expect_body(&reply, "{\"error\":{\"code\":\"not_found\",\"message\":\"x\"}}\n");
	sl_reply_finish(&reply);
}

static void
test_reply_to_too_many_says_when_to_come_back(void)
{
	struct sl_reply reply = { 0 };
	sl_reply_set_err(&reply, SL_EFULL);
	CU_ASSERT_EQUAL(reply.status, 429);
	CU_ASSERT_EQUAL_FATAL(reply.header_count, 1);
	CU_ASSERT_STRING_EQUAL(reply.headers[0].name, "Retry-After");
	CU_ASSERT_STRING_EQUAL(reply.headers[0].value, "2");
	sl_reply_finish(&reply);
}

static void
test_reply_never_has_a_status_that_means_a_hop_between(void)
{
	for (int err = -1; err >= -20; err--) {
		struct sl_reply reply = { 0 };
		sl_reply_set_err(&reply, err);
		CU_ASSERT_TRUE(reply.status >= 400 && reply.status < 600);
		CU_ASSERT_TRUE(reply.status != 408 && reply.status != 502 && reply.status != 503 &&
			reply.status != 504);
		CU_ASSERT_EQUAL(reply.header_count, reply.status == 429);
		CU_ASSERT_EQUAL(sl_buffer_status(&reply.body), 0);
		sl_reply_finish(&reply);
	}
}

static void
test_reply_json_is_200_without_a_body_yet(void)
{
	struct sl_reply reply = { 0 };
	sl_reply_set_json(&reply);
	CU_ASSERT_EQUAL(reply.status, 200);
	CU_ASSERT_STRING_EQUAL(reply.content_type, "application/json");
	CU_ASSERT_EQUAL(reply.body.len, 0);
	CU_ASSERT_PTR_NULL(reply.cache_control); /* stands for no-store */
	sl_reply_finish(&reply);
}

static void
test_reply_copies_header_values_and_drops_what_there_is_no_room_for(void)
{
	struct sl_reply reply = { 0 };
	char value[200];
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	sl_reply_add_header(&reply, "X-Long", value);
	memset(value, 'w', sizeof value - 1);
	CU_ASSERT_EQUAL(strlen(reply.headers[0].value), 127);
	CU_ASSERT_EQUAL(reply.headers[0].value[126], 'v');
	for (int i = 0; i < 2 * SL_REPLY_HEADERS_MAX; i++)
		sl_reply_add_header(&reply, "X", "x");
	CU_ASSERT_EQUAL(reply.header_count, SL_REPLY_HEADERS_MAX);
	sl_reply_finish(&reply);
}

static bool
response_has(const struct sl_reply *reply, bool keep_alive, const char *text)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_reply_append_response(reply, &out, "X-More: 1\r\n", keep_alive);
	CU_ASSERT_EQUAL_FATAL(sl_buffer_status(&out), 0);
	bool has = memmem(out.bytes, out.len, text, strlen(text)) != NULL;
	sl_buffer_finish(&out);
	return has;
}

static void
test_reply_as_a_response_has_all_its_headers(void)
{
	struct sl_reply reply = { .policy = "default-src 'self'" };
	sl_reply_set_json(&reply);
	sl_buffer_append_str(&reply.body, "{}");
	sl_reply_add_header(&reply, "ETag", "\"1\"");
	CU_ASSERT_TRUE(response_has(&reply, true, "HTTP/1.1 200 OK\r\nSluice: "));
	CU_ASSERT_TRUE(response_has(&reply, true, "\r\nCache-Control: no-store\r\n"));
	CU_ASSERT_TRUE(response_has(&reply, true, "\r\nContent-Security-Policy: default-src 'self'\r\n"));
	CU_ASSERT_TRUE(response_has(&reply, true, "\r\nContent-Length: 2\r\n"));
	CU_ASSERT_TRUE(response_has(&reply, true, "\r\nETag: \"1\"\r\nX-More: 1\r\n\r\n{}"));
	CU_ASSERT_FALSE(response_has(&reply, true, "Connection:"));
	CU_ASSERT_TRUE(response_has(&reply, false, "\r\nConnection: close\r\n"));
	sl_reply_finish(&reply);
}

static void
test_reply_to_head_has_the_length_of_the_body_it_leaves_out(void)
{
	struct sl_reply reply = { .is_for_head = true };
	sl_reply_set_json(&reply);
	sl_buffer_append_str(&reply.body, "{}");
	CU_ASSERT_TRUE(response_has(&reply, true, "\r\nContent-Length: 2\r\n"));
	CU_ASSERT_FALSE(response_has(&reply, true, "{}"));
	sl_reply_finish(&reply);
}

static void
test_reply_without_content_says_nothing_of_a_length(void)
{
	struct sl_reply reply = { .status = 304 };
	CU_ASSERT_TRUE(response_has(&reply, true, "HTTP/1.1 304 Not Modified\r\n"));
	CU_ASSERT_FALSE(response_has(&reply, true, "Content-"));
}

static void
test_reply_that_is_foreign_does_not_say_whose_it_is(void)
{
	struct sl_reply reply = { .status = 403, .content_type = "text/html", .is_foreign = true };
	CU_ASSERT_TRUE(response_has(&reply, false, "HTTP/1.1 403 Forbidden\r\nDate: "));
	CU_ASSERT_FALSE(response_has(&reply, false, "luice"));
}

static void
test_reply_that_closes_says_so_once(void)
{
	struct sl_reply reply = { .status = 204 };
	CU_ASSERT_FALSE(sl_reply_closes(&reply));
	sl_reply_add_header(&reply, "Connection", "Upgrade");
	CU_ASSERT_FALSE(sl_reply_closes(&reply));
	sl_reply_add_header(&reply, "Connection", "close");
	CU_ASSERT_TRUE(sl_reply_closes(&reply));
	CU_ASSERT_FALSE(response_has(&reply, false, "Connection: close\r\nConnection: Upgrade"));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_reply_error_is_an_object_with_code_and_message),
		UNIT_TEST(test_reply_error_replaces_what_was_there),
		UNIT_TEST(test_reply_to_too_many_says_when_to_come_back),
		UNIT_TEST(test_reply_never_has_a_status_that_means_a_hop_between),
		UNIT_TEST(test_reply_json_is_200_without_a_body_yet),
		UNIT_TEST(test_reply_copies_header_values_and_drops_what_there_is_no_room_for),
		UNIT_TEST(test_reply_as_a_response_has_all_its_headers),
		UNIT_TEST(test_reply_to_head_has_the_length_of_the_body_it_leaves_out),
		UNIT_TEST(test_reply_without_content_says_nothing_of_a_length),
		UNIT_TEST(test_reply_that_is_foreign_does_not_say_whose_it_is),
		UNIT_TEST(test_reply_that_closes_says_so_once),
		{ NULL, NULL },
	};
	return unit_main("reply", tests);
}
