#include "http/exchange.h"

#include "http/request.h"
#include "http/route.h"
#include "tests/unit/http_client.h"

static void
expect_head(const char *bytes, bool closes, const char *expected)
{
	const struct sl_route route = { .path = "" };
	struct sl_head_refusal refusal;
	struct sl_head head;
	struct sl_buffer out = SL_BUFFER_INIT;
	CU_ASSERT_TRUE_FATAL(sl_head_parse(&head, bytes, strlen(bytes), &refusal));
	struct sl_request request = { .head = &head, .route = &route };
	sl_exchange_append_head(&out, &request, closes);
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_STRING_EQUAL(out.bytes, expected);
	sl_buffer_finish(&out);
}

static void
test_exchange_head_has_method_path_and_host_and_nothing_else(void)
{
	expect_head("GET /a/b?secret=1 HTTP/1.1\r\nHost: h.example:8080\r\nCookie: a=b\r\n"
		"Authorization: Bearer x\r\naccept: text/plain\r\nX-Accept: y\r\n\r\n", false,
		"GET /a/b HTTP/1.1\r\nHost: h.example:8080\r\n\r\n");
	expect_head("HEAD / HTTP/1.0\r\n\r\n", true,
		"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	expect_head("POST /probe/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", false,
		"POST /probe/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
}

static void
test_exchange_head_takes_the_targets_authority(void)
{
	expect_head("GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\nIf-None-Match: \"1\"\r\n\r\n",
		false, "GET /x HTTP/1.1\r\nHost: b.example\r\n\r\n");
}

static void
test_exchange_keeps_its_own_copies(void)
{
	struct live_world world;
	struct world_client client;
	char bytes[] = "GET /probe/seen?nonce=12345678 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct sl_head_refusal refusal;
	struct sl_head head;
	world_open(&world, NULL);
	http_connect(&client, &world);
	CU_ASSERT_TRUE_FATAL(sl_head_parse(&head, bytes, strlen(bytes), &refusal));
	const struct sl_route route = { .path = "" };
	struct sl_request request = { .head = &head, .route = &route, .path = bytes + 5, .path_len = 10,
		.params.nonce = { bytes + 22, 8 }, .body = { bytes, 3 } };
	client.connection->keep_alive = true;
	struct sl_exchange *exchange = sl_exchange_create(client.connection, &request);
	CU_ASSERT_PTR_NOT_NULL_FATAL(exchange);
	memset(bytes, '!', sizeof bytes);
	CU_ASSERT_STRING_EQUAL(exchange->path, "probe/seen");
	CU_ASSERT_TRUE(sl_span_equals(exchange->params.nonce, "12345678"));
	CU_ASSERT_EQUAL(exchange->body.len, 3);
	CU_ASSERT_EQUAL(memcmp(exchange->body.bytes, "GET", 3), 0);
	CU_ASSERT_FALSE(exchange->closes);
	sl_exchange_destroy(exchange);
	client_close(&client);
	world_settle(&world);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_exchange_head_has_method_path_and_host_and_nothing_else),
		UNIT_TEST(test_exchange_head_takes_the_targets_authority),
		UNIT_TEST(test_exchange_keeps_its_own_copies),
		{ NULL, NULL },
	};
	return unit_main("exchange", tests);
}
