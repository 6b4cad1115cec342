#include "http/visit.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/routes.h"
#include "http/settings.h"
#include "live/framing.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/http_client.h"
#include "tests/unit/visit_family.h"
#include "transports/registry.h"

/* Clients are on the world's shard, which is 0 of two. */
static struct live_world world;
static struct sl_shard other;
static struct sl_front other_front;
static struct sl_shard *both[2] = { &world.shard, &other };
static struct world_client client;

static void
begin(void)
{
	static const struct sl_route *const lists[] = { family_routes, sl_transport_routes, sl_http_routes, NULL };
	memset(family_sessions, 0, sizeof family_sessions);
	world_open(&world, NULL);
	world.shard.count = 2;
	world.http.routes = (struct sl_routes){ lists };
	world.http.shards = both;
	world.http.shard_count = 2;
	CU_ASSERT_EQUAL_FATAL(sl_shard_init(&other, 1, 2, world.bus, &world.settings->config), 0);
	CU_ASSERT_EQUAL_FATAL(sl_front_init(&other_front, &world.http, &other, world.settings), 0);
}

/* A turn of the other shard, as far as visits take one. */
static void
turn_other(void)
{
	sl_mailbox_run_tasks(&other.mailbox);
	sl_shard_work(&other);
	sl_loop_end_turn(&other.loop);
}

/* As the app stops: all links first, then what is on its way. */
static void
end(void)
{
	sl_shard_close_links(&world.shard);
	for (int i = 0; i < 3; i++) {
		sl_mailbox_run_tasks(&other.mailbox);
		sl_mailbox_run_tasks(&world.shard.mailbox);
	}
	sl_shard_close_links(&other);
	sl_front_finish(&other_front);
	sl_shard_finish(&other);
	world_close(&world);
}

/* ---- one shard ---- */

static void
test_visit_on_one_shard_is_answered_within_the_request(void)
{
	static const char request[] = "POST /family/?sid=0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
	begin();
	http_connect(&client, &world);
	const char *answer = http_ask(&client, &world, request);
	CU_ASSERT(http_is(answer, 200));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Content-Length: 3\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\n\r\nabc"));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSION_REQUESTS_FORWARDED), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUESTS_2XX), 1);
	/* the bytes were those that the socket was read into */
	CU_ASSERT(family_sessions[0].body_bytes > world.shard.read_buffer &&
		family_sessions[0].body_bytes < world.shard.read_buffer + SL_READ_BUFFER);
	client_close(&client);
	end();
}

static void
test_visit_is_held_and_the_next_request_waits(void)
{
	begin();
	http_connect(&client, &world);
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, GET("/family/?sid=0") GET("/healthz")), "");
	world_pass(&world, 200000); /* no deadline of the connection's */
	CU_ASSERT_PTR_NOT_NULL_FATAL(family_sessions[0].held);
	CU_ASSERT_EQUAL(family_sessions[0].held->kind, FAMILY_GET);
	CU_ASSERT(sl_span_equals(family_sessions[0].held->id, "0"));
	family_answer(0, "news");
	const char *answer = http_take(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\n\r\nnewsHTTP/1.1 200 OK"));
	CU_ASSERT_EQUAL(http_count(answer, "HTTP/1.1 200"), 2);
	CU_ASSERT_EQUAL(family_sessions[0].left, 0);
	client_close(&client);
	end();
}

static void
test_visit_of_a_client_that_leaves_is_left(void)
{
	begin();
	for (int half = 0; half <= 1; half++) {
		http_connect(&client, &world);
		http_ask(&client, &world, GET("/family/?sid=0"));
		if (half)
			shutdown(client.fd, SHUT_WR);
		else
			client_close(&client);
		world_settle(&world);
		CU_ASSERT_EQUAL(family_sessions[0].left, (unsigned)half + 1);
		CU_ASSERT_PTR_NULL(family_sessions[0].held);
		client_close(&client);
	}
	CU_ASSERT_EQUAL(http_links(&world), 0);
	end();
}

static void
test_visit_shares_a_wire_on_one_shard(void)
{
	begin();
	http_connect(&client, &world);
	http_ask(&client, &world, GET("/family/?sid=0"));
	struct sl_wire *wire = sl_wire_create(&world.shard.framer, "shared", 6);
	struct sl_visit *visit = family_sessions[0].held;
	family_fill(visit, "own+", 4);
	sl_visit_answer_wire(visit, wire);
	CU_ASSERT_EQUAL(wire->refs, 2); /* ours and the outbox's */
	sl_wire_unref(wire);
	const char *answer = http_take(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Content-Length: 10\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\n\r\nown+shared"));
	client_close(&client);
	end();
}

/* ---- two shards ---- */

static void
test_visit_crosses_and_comes_home(void)
{
	static const char request[] = "POST /family/?sid=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
	begin();
	http_connect(&client, &world);
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, request), "");
	CU_ASSERT_EQUAL(family_sessions[1].arrived, 0);
	turn_other();
	CU_ASSERT_EQUAL(family_sessions[1].arrived, 1);
	CU_ASSERT(family_sessions[1].body_bytes < world.shard.read_buffer ||
		family_sessions[1].body_bytes > world.shard.read_buffer + SL_READ_BUFFER);
	const char *answer = http_take(&client, &world);
	CU_ASSERT(http_is(answer, 200));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\n\r\nabc"));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSION_REQUESTS_FORWARDED), 1);
	client_close(&client);
	end();
}

static void
test_visit_copies_a_wire_where_it_crosses(void)
{
	begin();
	http_connect(&client, &world);
	http_ask(&client, &world, GET("/family/?sid=1"));
	turn_other();
	struct sl_wire *wire = sl_wire_create(&other.framer, "shared", 6);
	family_fill(family_sessions[1].held, "own+", 4);
	sl_visit_answer_wire(family_sessions[1].held, wire);
	CU_ASSERT_EQUAL(wire->refs, 1);
	sl_wire_unref(wire);
	CU_ASSERT_PTR_NOT_NULL(strstr(http_take(&client, &world), "\r\n\r\nown+shared"));
	client_close(&client);
	end();
}

/* When the client leaves: before the visit has arrived, while it is held, when its answer is on its way. */
static void
test_visit_that_crosses_is_left_once_or_answered(void)
{
	for (int when = 0; when <= 2; when++) {
		begin();
		family_sessions[1].brings = true;
		http_connect(&client, &world);
		http_ask(&client, &world, GET("/family/?sid=1"));
		if (when > 0)
			turn_other();
		if (when == 2)
			family_answer(1, "too late");
		client_close(&client);
		world_dispatch(&world); /* before its mailbox is looked at */
		world_settle(&world);
		turn_other();
		world_settle(&world);
		CU_ASSERT_EQUAL(family_sessions[1].arrived, 1);
		CU_ASSERT_EQUAL(family_sessions[1].left, when == 2 ? 0 : 1);
		CU_ASSERT_EQUAL(family_sessions[1].dropped, when == 2 ? 1 : 0);
		CU_ASSERT_EQUAL(http_links(&world), 0);
		end();
	}
}

static void
test_visit_without_a_client_is_only_dropped(void)
{
	for (unsigned owner = 0; owner <= 1; owner++) {
		begin();
		family_sessions[owner].brings = true;
		const struct sl_visit_call call = { .ops = &family_ops, .owner = owner, .kind = FAMILY_POST,
			.body = { "x", 1 } };
		CU_ASSERT_EQUAL(sl_visit_send(&world.shard, &call), 0);
		turn_other();
		world_settle(&world);
		CU_ASSERT_EQUAL(family_sessions[owner].arrived, 1);
		CU_ASSERT_EQUAL(family_sessions[owner].dropped, 1);
		end();
	}
}

/* As any other request that is answered soon. */
static void
test_visit_that_is_brief_is_answered_to_a_client_that_has_said_its_last(void)
{
	static const char request[] = "POST /family/?sid=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
	begin();
	http_connect(&client, &world);
	client_send(&client, request, strlen(request));
	shutdown(client.fd, SHUT_WR);
	CU_ASSERT_STRING_EQUAL(http_take(&client, &world), "");
	turn_other();
	CU_ASSERT(http_is(http_take(&client, &world), 200));
	CU_ASSERT(client.ended);
	CU_ASSERT_EQUAL(family_sessions[1].left, 0);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	client_close(&client);
	end();
}

/* ---- going on ---- */

static void
test_visit_may_go_on_as_a_stream_that_reads(void)
{
	for (unsigned owner = 0; owner <= 1; owner++) {
		begin();
		http_connect(&client, &world);
		http_ask(&client, &world, owner ? GET("/family/?sid=1&up=1") "early" : GET("/family/?sid=0&up=1") "early");
		turn_other();
		client_send(&client, "late", 4); /* stays in the socket meanwhile */
		world_settle(&world);
		CU_ASSERT_EQUAL(family_sessions[0].received, 0);
		family_answer(owner, "");
		CU_ASSERT_STRING_EQUAL(http_take(&client, &world), "GO");
		CU_ASSERT_EQUAL(family_sessions[owner].goes_on, 1);
		CU_ASSERT_EQUAL(family_sessions[0].received, 9);
		client_send(&client, "x", 1);
		world_settle(&world);
		CU_ASSERT_EQUAL(family_sessions[0].received, 10);
		client_close(&client);
		end();
	}
}

/* ---- ends ---- */

static void
test_visit_outlasts_the_begin_of_a_drain_and_closes_then(void)
{
	begin();
	http_connect(&client, &world);
	http_ask(&client, &world, GET("/family/?sid=1"));
	turn_other();
	sl_shard_drain(&world.shard);
	CU_ASSERT_STRING_EQUAL(http_take(&client, &world), "");
	family_answer(1, "1");
	const char *answer = http_take(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Connection: close\r\n"));
	CU_ASSERT(client.ended);
	client_close(&client);
	end();
}

static void
test_visit_leaves_nothing_behind_when_the_gateway_stops(void)
{
	for (int when = 0; when <= 2; when++) {
		long live = failing_alloc_live();
		begin();
		http_connect(&client, &world);
		http_ask(&client, &world, GET("/family/?sid=1"));
		if (when > 0)
			turn_other();
		if (when == 2)
			family_answer(1, "on its way");
		end();
		CU_ASSERT_EQUAL(family_sessions[1].left, when == 2 ? 0 : 1);
		client_close(&client);
		CU_ASSERT_EQUAL(failing_alloc_live(), live);
	}
}

static void
test_visit_without_memory_is_an_error_in_the_family_s_words(void)
{
	static const char request[] = "POST /family/?sid=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
	unsigned refused = 0;
	for (unsigned nth = 1; nth <= 6; nth++) {
		begin();
		http_connect(&client, &world);
		client_send(&client, request, strlen(request));
		failing_alloc_set(nth, false);
		world_dispatch(&world);
		failing_alloc_off();
		turn_other();
		const char *answer = http_take(&client, &world);
		CU_ASSERT(!answer[0] || http_is(answer, 200) || strstr(answer, "{\"code\":3,\"message\":\"") != NULL);
		refused += strstr(answer, "{\"code\":3") != NULL;
		client_close(&client);
		end();
	}
	CU_ASSERT(refused >= 2); /* for the visit, and for its copy of the body */
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_visit_on_one_shard_is_answered_within_the_request),
		UNIT_TEST(test_visit_is_held_and_the_next_request_waits),
		UNIT_TEST(test_visit_of_a_client_that_leaves_is_left),
		UNIT_TEST(test_visit_shares_a_wire_on_one_shard),
		UNIT_TEST(test_visit_crosses_and_comes_home),
		UNIT_TEST(test_visit_copies_a_wire_where_it_crosses),
		UNIT_TEST(test_visit_that_crosses_is_left_once_or_answered),
		UNIT_TEST(test_visit_without_a_client_is_only_dropped),
		UNIT_TEST(test_visit_that_is_brief_is_answered_to_a_client_that_has_said_its_last),
		UNIT_TEST(test_visit_may_go_on_as_a_stream_that_reads),
		UNIT_TEST(test_visit_outlasts_the_begin_of_a_drain_and_closes_then),
		UNIT_TEST(test_visit_leaves_nothing_behind_when_the_gateway_stops),
		UNIT_TEST(test_visit_without_memory_is_an_error_in_the_family_s_words),
		{ NULL, NULL },
	};
	return unit_main("visit", tests);
}
