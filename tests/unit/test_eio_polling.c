#include "clients/engine_io/eio_polling.h"

#include "tests/unit/eio_world.h"

static struct world_client client;
static char id[SL_SESSION_ID_LEN + 1];

static void
begin(void)
{
	eio_begin((const char *const[]){ "--engineio-max-payload=2000", NULL });
	http_connect(&client, &world);
}

static void
end(void)
{
	client_close(&client);
	eio_end();
}

static void
expect(const char *answer, unsigned status, const char *body)
{
	CU_ASSERT(http_is(answer, status));
	EIO_IS(eio_body(answer), body);
}

static void
test_a_handshake_tells_what_its_client_must_know(void)
{
	char body[256];
	begin();
	const char *answer = eio_ask(&client, "GET", "EIO=4&transport=polling&t=abc", "", "");
	CU_ASSERT(http_is(answer, 200));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\nContent-Type: text/plain; charset=UTF-8\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\nCache-Control: no-store\r\n"));
	CU_ASSERT_EQUAL_FATAL(sscanf(eio_body(answer), "0{\"sid\":\"%20[A-Za-z0-9_-]\"", id), 1);
	snprintf(body, sizeof body, "0{\"sid\":\"%s\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
		"\"pingTimeout\":20000,\"maxPayload\":2000}", id);
	EIO_IS(eio_body(answer), body);
	end();
}

static void
test_errors_are_those_of_the_reference(void)
{
	static const struct { const char *method, *query, *body; } cases[] = {
		{ "GET", "EIO=4", "{\"code\":0,\"message\":\"Transport unknown\"}" },
		{ "GET", "EIO=4&transport=abc", "{\"code\":0,\"message\":\"Transport unknown\"}" },
		{ "GET", "transport=polling", "{\"code\":5,\"message\":\"Unsupported protocol version\"}" },
		{ "GET", "EIO=abc&transport=polling", "{\"code\":5,\"message\":\"Unsupported protocol version\"}" },
		{ "POST", "EIO=4&transport=polling", "{\"code\":2,\"message\":\"Bad handshake method\"}" },
		{ "PUT", "EIO=4&transport=polling", "{\"code\":2,\"message\":\"Bad handshake method\"}" },
		{ "GET", "EIO=4&transport=websocket", "{\"code\":3,\"message\":\"Bad request\"}" },
		{ "GET", "EIO=4&transport=polling&sid=abc", "{\"code\":1,\"message\":\"Session ID unknown\"}" },
		{ "GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA",
			"{\"code\":1,\"message\":\"Session ID unknown\"}" },
		{ "GET", "EIO=4&transport=polling&sid=AQAAAAAAAAAAAAAAAAAA", /* of the other shard */
			"{\"code\":1,\"message\":\"Session ID unknown\"}" },
		{ "GET", "EIO=4&transport=websocket&sid=abc", "{\"code\":1,\"message\":\"Session ID unknown\"}" },
	};
	begin();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *answer = eio_ask(&client, cases[i].method, cases[i].query, "", "");
		expect(answer, 400, cases[i].body);
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\nContent-Type: application/json\r\n"));
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSION_REQUESTS_UNKNOWN) +
		other.metrics.counters[SL_COUNTER_SESSION_REQUESTS_UNKNOWN], 4);
	end();
}

static void
test_what_a_post_brings_a_get_takes(void)
{
	begin();
	eio_open(&client, "", id);
	const char *answer = eio_post(&client, id, "4hello\x1e" "bAQIDBA==\x1e" "4\xc3\xa9");
	expect(answer, 200, "ok");
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\nContent-Type: text/html\r\n"));
	answer = eio_get(&client, id);
	expect(answer, 200, "4hello\x1e" "bAQIDBA==\x1e" "4\xc3\xa9");
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\nContent-Type: text/plain; charset=UTF-8\r\n"));
	end();
}

static void
test_a_post_with_what_is_no_packet_ends_the_session(void)
{
	static const char *const wrong[] = { "abc", "", "4a\x1e", "4a\x1e" "bA", "4\xff", "4a\x1e" "9" };
	begin();
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		eio_open(&client, "", id);
		expect(eio_post(&client, id, wrong[i]), 400, "{\"code\":3,\"message\":\"Bad request\"}");
		expect(eio_get(&client, id), 400, "{\"code\":1,\"message\":\"Session ID unknown\"}");
	}
	end();
}

static void
test_a_body_has_its_limits_and_its_type(void)
{
	char large[2002], query[128];
	memset(large, '4', sizeof large - 1);
	large[2001] = '\0';
	begin();
	eio_open(&client, "", id);
	CU_ASSERT(http_is(eio_post(&client, id, large), 413));
	large[2000] = '\0';
	expect(eio_post(&client, id, large), 200, "ok");
	snprintf(query, sizeof query, "EIO=4&transport=polling&sid=%s", id);
	expect(eio_ask(&client, "POST", query, "Content-Type: application/octet-stream\r\n", "4a"), 400,
		"{\"code\":3,\"message\":\"Bad request\"}");
	expect(eio_get(&client, id), 400, "{\"code\":1,\"message\":\"Session ID unknown\"}");
	end();
}

static void
test_other_methods_and_a_websocket_without_an_upgrade_take_nothing(void)
{
	char query[128];
	begin();
	eio_open(&client, "", id);
	eio_post(&client, id, "4kept");
	snprintf(query, sizeof query, "EIO=4&transport=polling&sid=%s", id);
	expect(eio_ask(&client, "DELETE", query, "", ""), 400, "{\"code\":3,\"message\":\"Bad request\"}");
	snprintf(query, sizeof query, "EIO=4&transport=websocket&sid=%s", id);
	expect(eio_ask(&client, "GET", query, "", ""), 400, "{\"code\":3,\"message\":\"Bad request\"}");
	expect(eio_get(&client, id), 200, "4kept");
	end();
}

static void
test_a_session_of_another_shard_is_the_same_to_its_client(void)
{
	begin();
	eio_open_other(sl_eio_raw_family.user, NULL, id);
	expect(eio_post(&client, id, "4one\x1e" "4two"), 200, "ok");
	expect(eio_get(&client, id), 200, "4one\x1e" "4two");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSION_REQUESTS_FORWARDED), 2);
	EIO_IS(eio_get(&client, id), ""); /* held */
	client_close(&client);
	eio_settle();
	CU_ASSERT_PTR_NULL(eio_find(&other, id)); /* its client has left */
	end();
}

static void
test_the_path_may_lack_its_slash(void)
{
	begin();
	const char *answer = http_ask(&client, &world, GET("/engine.io?EIO=4&transport=polling"));
	CU_ASSERT(http_is(answer, 200));
	CU_ASSERT_EQUAL(strncmp(eio_body(answer), "0{\"sid\":", 8), 0);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_a_handshake_tells_what_its_client_must_know),
		UNIT_TEST(test_errors_are_those_of_the_reference),
		UNIT_TEST(test_what_a_post_brings_a_get_takes),
		UNIT_TEST(test_a_post_with_what_is_no_packet_ends_the_session),
		UNIT_TEST(test_a_body_has_its_limits_and_its_type),
		UNIT_TEST(test_other_methods_and_a_websocket_without_an_upgrade_take_nothing),
		UNIT_TEST(test_a_session_of_another_shard_is_the_same_to_its_client),
		UNIT_TEST(test_the_path_may_lack_its_slash),
		{ NULL, NULL },
	};
	return unit_main("eio_polling", tests);
}
