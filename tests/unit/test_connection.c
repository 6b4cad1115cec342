#include "http/connection.h"

#include "bus/backend.h"
#include "tests/backend/slow.h"
#include "tests/unit/http_client.h"

#define HELD GET("/poll?channels=a&since=0&wait=55")
#define PUBLISH "POST /publish?channel=a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n" \
	"Content-Length: 1\r\n\r\nx"

static struct live_world world;
static struct world_client client;

static void
begin(void)
{
	world_open(&world, NULL);
	http_connect(&client, &world);
}

static void
end(void)
{
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	world_close(&world);
}

static void
test_connection_serves_requests_of_every_kind_one_after_the_other(void)
{
	begin();
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/healthz")), 200));
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, PUBLISH), 200));
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/nothing")), 404));
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world,
			GET("/poll?channels=a&since=0&wait=0")), 200));
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world,
			"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"), 204));
	}
	end();
}

static void
test_connection_that_says_nothing_is_closed_in_time(void)
{
	begin();
	world_pass(&world, SL_IDLE_MS - 100);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_pass(&world, 200);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUEST_TIMEOUTS), 0);
	end();
	begin();
	http_ask(&client, &world, GET("/poll?channels=a&wait=0"));
	world_pass(&world, SL_PARKED_MS - 100);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_pass(&world, 200);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	end();
}

static void
test_connection_ends_after_its_answer_where_it_may_not_be_kept(void)
{
	static const char *const requests[] = {
		"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		"GET /poll?channels=a&wait=0 HTTP/1.0\r\n\r\n",
		"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: x\r\nConnection: close\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		begin();
		const char *answer = http_ask(&client, &world, requests[i]);
		CU_ASSERT_EQUAL(http_count(answer, "Connection: close\r\n"), 1);
		CU_ASSERT_TRUE(client.ended);
		end();
	}
}

static void
test_connection_lets_go_of_everything_when_its_client_leaves(void)
{
	static const char *const requests[] = {
		"", "GET /", HELD, HELD HELD, GET("/sse?channels=a"), GET("/stream?channels=a&probe=12345678"),
		"POST /publish?channel=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx",
	};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		begin();
		http_ask(&client, &world, requests[i]);
		CU_ASSERT_EQUAL(http_links(&world), 1);
		end(); /* says that nothing is left */
	}
}

static void
test_connection_a_client_that_leaves_before_its_publish_is_stored_gets_no_answer(void)
{
	struct sl_backend *backend;
	struct sl_slow_config slow = { .seed = 1, .ack_max_us = 1000, .store_max_us = 1000 };
	CU_ASSERT_EQUAL_FATAL(sl_slow_create(&backend, &slow), 0);
	world_open_over(&world, backend, NULL);
	http_connect(&client, &world);
	client_send(&client, PUBLISH HELD, sizeof PUBLISH HELD - 1);
	while (!client.connection->posting)
		world_turn(&world);
	CU_ASSERT_EQUAL(client.connection->phase, SL_PHASE_WAITING);
	sl_link_abort(client.link);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	client_close(&client);
	world_close(&world); /* has its on_done called */
}

static void
test_connection_drains_in_every_phase(void)
{
	static const struct { const char *request, *in_answer; } cases[] = {
		{ "", "" },
		{ "GET /", "" },
		{ HELD, "\"messages\":[]" },
		{ GET("/stream?channels=a"), "\"reason\":\"draining\"" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin();
		http_ask(&client, &world, cases[i].request);
		sl_shard_drain(&world.shard);
		CU_ASSERT_PTR_NOT_NULL(strstr(http_take(&client, &world), cases[i].in_answer));
		CU_ASSERT_TRUE(client.ended);
		end();
	}
}

static void
test_connection_that_is_full_refuses_work_and_tells_of_health(void)
{
	begin();
	client.connection->is_full = true;
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/healthz")), 200));
	const char *answer = http_ask(&client, &world, PUBLISH);
	CU_ASSERT_TRUE(http_is(answer, 429));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Retry-After: "));
	CU_ASSERT_TRUE(client.ended);
	end();
	begin();
	client.connection->is_full = true;
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/sse?channels=a")), 200)); /* with bye */
	CU_ASSERT_TRUE(client.ended);
	end();
}

static void
test_connection_rests_while_its_answer_is_not_taken(void)
{
	static char requests[60000];
	begin();
	for (size_t len = 0; len + 64 < sizeof requests; len = strlen(requests))
		strcat(requests + len, GET("/transports"));
	unsigned asked = http_count(requests, "GET");
	unsigned answered = 0;
	client_send(&client, requests, strlen(requests));
	for (int i = 0; i < 200 && answered < asked; i++)
		answered += http_count(http_take(&client, &world), "HTTP/1.1 200");
	CU_ASSERT_EQUAL(answered, asked);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_connection_serves_requests_of_every_kind_one_after_the_other),
		UNIT_TEST(test_connection_that_says_nothing_is_closed_in_time),
		UNIT_TEST(test_connection_ends_after_its_answer_where_it_may_not_be_kept),
		UNIT_TEST(test_connection_lets_go_of_everything_when_its_client_leaves),
		UNIT_TEST(test_connection_a_client_that_leaves_before_its_publish_is_stored_gets_no_answer),
		UNIT_TEST(test_connection_drains_in_every_phase),
		UNIT_TEST(test_connection_that_is_full_refuses_work_and_tells_of_health),
		UNIT_TEST(test_connection_rests_while_its_answer_is_not_taken),
		{ NULL, NULL },
	};
	return unit_main("connection", tests);
}
