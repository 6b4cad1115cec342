#include "clients/engine_io/eio_reply.h"

#include "http/gate.h"
#include "http/reply.h"
#include "tests/unit/unit.h"

static void
expect(struct sl_reply *reply, unsigned status, const char *type, const char *body)
{
	CU_ASSERT_EQUAL(reply->head.status, status);
	CU_ASSERT_STRING_EQUAL(reply->head.content_type, type);
	CU_ASSERT_EQUAL(sl_buffer_status(&reply->body), 0);
	CU_ASSERT_EQUAL(reply->body.len, strlen(body));
	CU_ASSERT(reply->body.len == strlen(body) &&
		(!*body || memcmp(reply->body.bytes, body, reply->body.len) == 0));
	sl_reply_finish(reply);
}

static void
test_errors_are_those_of_the_reference_to_the_byte(void)
{
	static const char *const bodies[SL_EIO_ERRORS] = {
		"{\"code\":0,\"message\":\"Transport unknown\"}",
		"{\"code\":1,\"message\":\"Session ID unknown\"}",
		"{\"code\":2,\"message\":\"Bad handshake method\"}",
		"{\"code\":3,\"message\":\"Bad request\"}",
		"{\"code\":4,\"message\":\"Forbidden\"}",
		"{\"code\":5,\"message\":\"Unsupported protocol version\"}",
	};
	for (int error = 0; error < SL_EIO_ERRORS; error++) {
		struct sl_reply reply = { .head.status = 0 };
		sl_eio_reply_set_error(&reply, (enum sl_eio_error)error);
		expect(&reply, error == SL_EIO_FORBIDDEN ? 403 : 400, "application/json", bodies[error]);
	}
}

static void
test_the_gates_refusals_are_told_in_the_protocols_words(void)
{
	static const struct { unsigned status, told; const char *body; } cases[] = {
		{ 401, 403, "{\"code\":4,\"message\":\"no \\\"token\\\"\"}" },
		{ 403, 403, "{\"code\":4,\"message\":\"no \\\"token\\\"\"}" },
		{ 400, 400, "{\"code\":3,\"message\":\"no \\\"token\\\"\"}" },
		{ 405, 400, "{\"code\":3,\"message\":\"no \\\"token\\\"\"}" },
		{ 413, 413, "{\"code\":3,\"message\":\"no \\\"token\\\"\"}" },
		{ 429, 429, "{\"code\":3,\"message\":\"no \\\"token\\\"\"}" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_gate_refusal refusal = { .status = cases[i].status, .message = "no \"token\"" };
		struct sl_reply reply = { .head.status = 0 };
		CU_ASSERT_TRUE(sl_eio_reply_refuse(&reply, NULL, &refusal));
		expect(&reply, cases[i].told, "application/json", cases[i].body);
	}
}

static void
test_a_payload_is_text_and_a_post_is_ok(void)
{
	struct sl_reply reply = { .head.status = 0 };
	sl_eio_reply_set_payload(&reply);
	expect(&reply, 200, "text/plain; charset=UTF-8", "");
	reply = (struct sl_reply){ .head.status = 0 };
	sl_eio_reply_set_ok(&reply);
	expect(&reply, 200, "text/html", "ok");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_errors_are_those_of_the_reference_to_the_byte),
		UNIT_TEST(test_the_gates_refusals_are_told_in_the_protocols_words),
		UNIT_TEST(test_a_payload_is_text_and_a_post_is_ok),
		{ NULL, NULL },
	};
	return unit_main("eio_reply", tests);
}
