#include "http/reply.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
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
	struct sl_reply reply = { .head.status = 0 };
	sl_reply_set_error(&reply, 400, "bad_channel", "\"a b\" is not a name");
	CU_ASSERT_EQUAL(reply.head.status, 400);
	CU_ASSERT_STRING_EQUAL(reply.head.content_type, "application/json");
	CU_ASSERT_EQUAL(reply.head.field_count, 0);
	expect_body(&reply, "{\"error\":{\"code\":\"bad_channel\",\"message\":"
		"\"\\\"a b\\\" is not a name\"}}\n");
	sl_reply_finish(&reply);
}

static void
test_reply_error_replaces_what_was_there(void)
{
	struct sl_reply reply = { .head.status = 0 };
	sl_reply_set_json(&reply);
	sl_buffer_append_str(&reply.body, "{\"half\":");
	sl_reply_set_error(&reply, 404, "not_found", "x");
	expect_body(&reply, "{\"error\":{\"code\":\"not_found\",\"message\":\"x\"}}\n");
	sl_reply_finish(&reply);
}

static void
test_reply_to_too_many_says_when_to_come_back(void)
{
	struct sl_reply reply = { .head.status = 0 };
	sl_reply_set_err(&reply, SL_EFULL);
	CU_ASSERT_EQUAL(reply.head.status, 429);
	CU_ASSERT_EQUAL_FATAL(reply.head.field_count, 1);
	CU_ASSERT_STRING_EQUAL(reply.head.fields[0].name, "Retry-After");
	CU_ASSERT(sl_span_equals(reply.head.fields[0].value, "2"));
	sl_reply_finish(&reply);
}

static void
test_reply_to_too_many_may_say_another_time(void)
{
	struct sl_reply reply = { .head.status = 0 };
	sl_reply_set_error(&reply, 429, "limit", "x");
	sl_reply_set_retry_after(&reply, 3600);
	CU_ASSERT_EQUAL_FATAL(reply.head.field_count, 1);
	CU_ASSERT(sl_span_equals(reply.head.fields[0].value, "3600"));
	CU_ASSERT_EQUAL(reply.head.fields[0].value.bytes[4], '\0');
	sl_reply_finish(&reply);
}

static void
test_reply_never_has_a_status_that_means_a_hop_between(void)
{
	for (int err = -1; err >= -20; err--) {
		struct sl_reply reply = { .head.status = 0 };
		sl_reply_set_err(&reply, err);
		unsigned status = reply.head.status;
		CU_ASSERT_TRUE(status >= 400 && status < 600);
		CU_ASSERT_TRUE(status != 408 && status != 502 && status != 503 && status != 504);
		CU_ASSERT_EQUAL(reply.head.field_count, status == 429);
		CU_ASSERT_EQUAL(sl_buffer_status(&reply.body), 0);
		sl_reply_finish(&reply);
	}
}

static void
test_reply_json_is_200_without_a_body_yet(void)
{
	struct sl_reply reply = { .head.status = 0 };
	sl_reply_set_json(&reply);
	CU_ASSERT_EQUAL(reply.head.status, 200);
	CU_ASSERT_STRING_EQUAL(reply.head.content_type, "application/json");
	CU_ASSERT_EQUAL(reply.body.len, 0);
	CU_ASSERT_PTR_NULL(reply.head.cache_control); /* stands for no-store */
	sl_reply_finish(&reply);
}

static void
test_reply_borrows_values_that_outlive_it(void)
{
	struct sl_reply reply = { .head.status = 0 };
	static const char value[] = "fixed";
	sl_response_add_text(&reply.head, "X", value);
	CU_ASSERT_PTR_EQUAL(reply.head.fields[0].value.bytes, value);
}

static bool
response_has(struct sl_reply *reply, bool for_head, const char *text)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_reply_append_response(reply, &out, for_head);
	CU_ASSERT_EQUAL_FATAL(sl_buffer_status(&out), 0);
	bool has = memmem(out.bytes, out.len, text, strlen(text)) != NULL;
	sl_buffer_finish(&out);
	return has;
}

static void
test_reply_as_a_response_has_all_its_headers(void)
{
	struct sl_reply reply = { .head.status = 0 };
	sl_reply_set_json(&reply);
	sl_buffer_append_str(&reply.body, "{}");
	sl_response_add_text(&reply.head, "ETag", "\"1\"");
	sl_response_add_text(&reply.head, "X-More", "1");
	CU_ASSERT_TRUE(response_has(&reply, false, "HTTP/1.1 200 OK\r\nSluice: "));
	CU_ASSERT_TRUE(response_has(&reply, false, "\r\nCache-Control: no-store\r\n"));
	CU_ASSERT_TRUE(response_has(&reply, false, "\r\nContent-Length: 2\r\n"));
	CU_ASSERT_TRUE(response_has(&reply, false, "\r\nETag: \"1\"\r\nX-More: 1\r\n\r\n{}"));
	CU_ASSERT_FALSE(response_has(&reply, false, "Connection:"));
	reply.head.closes = true;
	CU_ASSERT_TRUE(response_has(&reply, false, "\r\nConnection: close\r\n"));
	sl_reply_finish(&reply);
}

static void
test_reply_to_head_has_the_length_of_the_body_it_leaves_out(void)
{
	struct sl_reply reply = { .head.status = 0 };
	sl_reply_set_json(&reply);
	sl_buffer_append_str(&reply.body, "{}");
	CU_ASSERT_TRUE(response_has(&reply, true, "\r\nContent-Length: 2\r\n"));
	CU_ASSERT_FALSE(response_has(&reply, true, "{}"));
	sl_reply_finish(&reply);
}

static void
test_reply_without_content_leaves_a_body_out(void)
{
	struct sl_reply reply = { .head.status = 304 };
	sl_buffer_append_str(&reply.body, "{}");
	CU_ASSERT_TRUE(response_has(&reply, false, "HTTP/1.1 304 Not Modified\r\n"));
	CU_ASSERT_FALSE(response_has(&reply, false, "Content-"));
	CU_ASSERT_FALSE(response_has(&reply, false, "{}"));
	sl_reply_finish(&reply);
}

static void
test_reply_that_could_not_be_built_fails_the_response(void)
{
	for_each_failing_allocation(failing) {
		struct sl_reply reply = { .head.status = 0 };
		struct sl_buffer out = SL_BUFFER_INIT;
		sl_reply_set_error(&reply, 400, "bad_thing", "a sentence that is long enough to need more "
			"memory than a buffer has at first, so that there is a second try to fail");
		sl_reply_append_response(&reply, &out, false);
		failing_expect(sl_buffer_status(&out));
		sl_buffer_finish(&out);
		sl_reply_finish(&reply);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_reply_error_is_an_object_with_code_and_message),
		UNIT_TEST(test_reply_error_replaces_what_was_there),
		UNIT_TEST(test_reply_to_too_many_says_when_to_come_back),
		UNIT_TEST(test_reply_to_too_many_may_say_another_time),
		UNIT_TEST(test_reply_never_has_a_status_that_means_a_hop_between),
		UNIT_TEST(test_reply_json_is_200_without_a_body_yet),
		UNIT_TEST(test_reply_borrows_values_that_outlive_it),
		UNIT_TEST(test_reply_as_a_response_has_all_its_headers),
		UNIT_TEST(test_reply_to_head_has_the_length_of_the_body_it_leaves_out),
		UNIT_TEST(test_reply_without_content_leaves_a_body_out),
		UNIT_TEST(test_reply_that_could_not_be_built_fails_the_response),
		{ NULL, NULL },
	};
	return unit_main("reply", tests);
}
