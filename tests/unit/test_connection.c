#include "http/connection.h"

#include "bus/backend.h"
#include "core/owners.h"
#include "tests/backend/slow.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/http_client.h"

#define HELD GET("/poll?channels=a&since=0&wait=55")
#define PUBLISH "POST /publish?channel=a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n" \
	"Content-Length: 1\r\n\r\nx"

#define PUBLISH_PART "POST /publish?channel=a HTTP/1.1\r\nHost: localhost\r\n" \
	"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhe"
#define SWALLOWED_PART "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhe"

static struct live_world world;
static struct world_client client;
static struct held_backend *held;

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
begin_held(void)
{
	held = held_create();
	world_open_over(&world, &held->base, NULL);
	http_connect(&client, &world);
}

static void
test_connection_answers_a_publish_when_it_is_stored_and_then_what_came_behind(void)
{
	static const char together[] = PUBLISH GET("/poll?channels=a&since=0&wait=0") PUBLISH;
	begin_held();
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, together), "");
	CU_ASSERT_EQUAL(client.connection->phase, SL_PHASE_WAITING);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, sizeof together - sizeof PUBLISH);
	world_pass(&world, 70000); /* it is the backend's time, not the client's */
	CU_ASSERT_EQUAL(http_links(&world), 1);
	held_answer(held, 0);
	const char *answers = http_take(&client, &world);
	CU_ASSERT_EQUAL(http_count(answers, "HTTP/1.1 200 "), 2);
	CU_ASSERT_EQUAL(http_count(answers, "\"data\":\"x\""), 1);
	CU_ASSERT_EQUAL_FATAL(held->count, 1);
	held_answer(held, SL_EBACKEND);
	CU_ASSERT_TRUE(http_is(http_take(&client, &world), 500));
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/healthz")), 200));
	end();
}

/* As where it waited for a log in vain, or in a queue that was full. The connection is kept. */
static void
test_connection_answers_a_publish_with_what_its_backend_says_late(void)
{
	static const struct { int err; unsigned status; const char *words[2]; } cases[] = {
		{ SL_EFULL, 429, { "\r\nRetry-After: 2\r\n", "\"code\":\"limit\"" } },
		{ SL_EUNKNOWN, 500, { "\"code\":\"unknown_outcome\"", "may be stored or not" } },
		{ SL_EBACKEND, 500, { "\"code\":\"backend\"", "could not store" } },
	};
	begin_held();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, PUBLISH), "");
		held_answer(held, cases[i].err);
		const char *answer = http_take(&client, &world);
		CU_ASSERT_TRUE(http_is(answer, cases[i].status));
		for (size_t k = 0; k < 2; k++)
			CU_ASSERT_PTR_NOT_NULL(strstr(answer, cases[i].words[k]));
		CU_ASSERT_EQUAL(strstr(answer, "Retry-After") != NULL, cases[i].status == 429);
	}
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/healthz")), 200));
	end();
}

static void
test_connection_that_has_shut_its_side_still_gets_its_answer(void)
{
	static const char *const requests[] = { PUBLISH, GET("/healthz"), GET("/poll?channels=a&wait=0"),
		GET("/nothing") GET("/stats"), PUBLISH_PART "llo" };
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		begin_held();
		client_send(&client, requests[i], strlen(requests[i]));
		shutdown(client.fd, SHUT_WR);
		http_take(&client, &world); /* whatever is not held by the backend */
		if (held->count) {
			held_answer(held, 0);
			http_take(&client, &world);
		}
		CU_ASSERT_TRUE(client.ended);
		uint64_t counted = world_counter(&world, SL_COUNTER_REQUESTS_2XX) +
			world_counter(&world, SL_COUNTER_REQUESTS_4XX);
		CU_ASSERT_EQUAL(counted, http_count(requests[i], " HTTP/1.1\r\n"));
		CU_ASSERT_EQUAL(http_links(&world), 0);
		end();
	}
	begin(); /* who waits for messages can only be taken for gone */
	client_send(&client, HELD, sizeof HELD - 1);
	shutdown(client.fd, SHUT_WR);
	CU_ASSERT_STRING_EQUAL(http_take(&client, &world), "");
	CU_ASSERT_EQUAL(http_links(&world), 0);
	end();
}

/* In the phases of a connection, and what a client that leaves then has begun. */
static const struct {
	const char *request;
	enum sl_phase phase;
	const char *in_answer; /* when it is drained */
	const char *rest;      /* of the request, sent while it is drained; NULL: there is none */
} phases[] = {
	{ "", SL_PHASE_READING, "", NULL },
	{ "GET /", SL_PHASE_READING, "", NULL },
	{ GET("/nothing"), SL_PHASE_READING, "", NULL },
	{ PUBLISH_PART, SL_PHASE_BODY, "HTTP/1.1 429 ", "llo" },
	{ SWALLOWED_PART, SL_PHASE_SWALLOWING, "HTTP/1.1 404 ", "llo" },
	{ PUBLISH, SL_PHASE_WAITING, "HTTP/1.1 200 ", NULL },
	{ PUBLISH HELD, SL_PHASE_WAITING, "HTTP/1.1 200 ", NULL },
	{ HELD, SL_PHASE_SERVING, "\"messages\":[]", NULL },
	{ HELD HELD, SL_PHASE_SERVING, "\"messages\":[]", NULL },
	{ GET("/sse?channels=a"), SL_PHASE_SERVING, "\"reason\":\"draining\"", NULL },
	{ GET("/stream?channels=a"), SL_PHASE_SERVING, "\"reason\":\"draining\"", NULL },
};
#define PHASES (sizeof phases / sizeof *phases)

static void
test_connection_drains_in_every_phase(void)
{
	for (size_t i = 0; i < PHASES; i++) {
		begin_held();
		http_ask(&client, &world, phases[i].request);
		CU_ASSERT_EQUAL(client.connection->phase, phases[i].phase);
		sl_shard_drain(&world.shard);
		if (held->count)
			held_answer(held, 0);
		const char *answer = http_ask(&client, &world, phases[i].rest ? phases[i].rest : "");
		bool is_told = strstr(answer, phases[i].in_answer) != NULL;
		CU_ASSERT_TRUE(is_told);
		CU_ASSERT_TRUE(http_count(answer, "HTTP/1.1 ") <= 1);
		CU_ASSERT_EQUAL(http_count(answer, "HTTP/1.1 "), http_count(answer, "Connection: close\r\n"));
		CU_ASSERT_TRUE(client.ended);
		if (!is_told)
			printf("%s\n%s\n", phases[i].request, answer);
		end();
	}
}

static void
test_connection_a_client_may_leave_in_every_phase(void)
{
	for (size_t i = 0; i < PHASES; i++) {
		begin_held();
		http_ask(&client, &world, phases[i].request);
		client_close(&client);
		world_settle(&world);
		CU_ASSERT_EQUAL(http_links(&world), 0);
		CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
		uint64_t answered = world_counter(&world, SL_COUNTER_REQUESTS_2XX);
		if (held->count)
			held_answer(held, 0); /* to nobody */
		world_settle(&world);
		CU_ASSERT_EQUAL(held->count, 0);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUESTS_2XX), answered);
		world_close(&world);
	}
}

/* Room for how many more there is. */
static unsigned
count_room(void)
{
	unsigned room = 0;
	while (sl_owners_connect(world.http.owners, NULL) == SL_OWNER_OK)
		room++;
	for (unsigned i = 0; i <= room; i++)
		sl_owners_disconnect(world.http.owners, NULL);
	return room;
}

static void
test_connection_is_counted_out_once_however_it_ends(void)
{
	static const char *const options[] = { "--max-connections=5", NULL };
	world_open(&world, options);
	CU_ASSERT_EQUAL(count_room(), 5);
	for (int way = 0; way < 6; way++) {
		http_connect(&client, &world);
		CU_ASSERT_EQUAL(count_room(), 4);
		http_ask(&client, &world, way % 2 ? HELD : "GET / HT");
		if (way < 2) {
			sl_link_end(client.link); /* what would end it later, is closed before */
			sl_link_close(client.link);
			sl_link_abort(client.link);
			sl_link_close(client.link);
		} else if (way < 4) {
			sl_link_abort(client.link);
		}
		client_close(&client);
		world_settle(&world);
		CU_ASSERT_EQUAL(count_room(), 5);
	}
	http_connect(&client, &world);
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, ": x\r\n\r\n"), 400));
	CU_ASSERT_EQUAL(count_room(), 4); /* it lingers */
	world_pass(&world, 10100);
	CU_ASSERT_EQUAL(count_room(), 5);
	client_close(&client);
	world_close(&world);
}

static void
test_connection_that_is_served_has_its_transports_time(void)
{
	begin();
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, GET("/poll?channels=a&since=0&wait=2")), "");
	world_pass(&world, 1900);
	CU_ASSERT_STRING_EQUAL(http_take(&client, &world), "");
	world_pass(&world, 200);
	CU_ASSERT_TRUE(http_is(http_take(&client, &world), 200));
	http_ask(&client, &world, GET("/stream?channels=a"));
	world_pass(&world, SL_IDLE_MS + 1000);
	CU_ASSERT_TRUE(http_count(http_take(&client, &world), "\"heartbeat\"") >= 4);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	end();
}

static void
test_connection_of_a_descriptor_that_is_none_is_none(void)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	begin();
	CU_ASSERT_PTR_NULL(sl_connection_create(&world.front, &(struct sl_arrival){ -1, &peer, false, false }));
	CU_ASSERT_EQUAL(http_links(&world), 1); /* the client's */
	end();
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
		UNIT_TEST(test_connection_answers_a_publish_when_it_is_stored_and_then_what_came_behind),
		UNIT_TEST(test_connection_answers_a_publish_with_what_its_backend_says_late),
		UNIT_TEST(test_connection_that_has_shut_its_side_still_gets_its_answer),
		UNIT_TEST(test_connection_drains_in_every_phase),
		UNIT_TEST(test_connection_a_client_may_leave_in_every_phase),
		UNIT_TEST(test_connection_is_counted_out_once_however_it_ends),
		UNIT_TEST(test_connection_that_is_served_has_its_transports_time),
		UNIT_TEST(test_connection_of_a_descriptor_that_is_none_is_none),
		UNIT_TEST(test_connection_that_is_full_refuses_work_and_tells_of_health),
		UNIT_TEST(test_connection_rests_while_its_answer_is_not_taken),
		{ NULL, NULL },
	};
	return unit_main("connection", tests);
}
