#include "transports/registry.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "live/control.h"
#include "live/protocol.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"

static char large[300001];

static const char *const small_outbox[] = { "--outbox=1K", "--max-message=1M", NULL };

#define LIMITS "\"limits\":{\"message\":65536,\"channels\":64}"

static const char empty_body[] =
	"{\"cursor\":\"EPOCH-0\",\"messages\":[],\"gaps\":[]," LIMITS "}";

static uint64_t
count_open(enum sl_class class_)
{
	return world_class_counter(&world, class_, SL_CLASS_OPENED) -
		world_class_counter(&world, class_, SL_CLASS_CLOSED);
}

static void
check_large_answer(const struct world_request *request, bool held)
{
	struct world_client client;
	world_open(&world, small_outbox);
	if (!held)
		world_publish(&world, "a", large);
	client_open(&client, &world, &sl_transport_longpoll, request);
	world_settle(&world);
	if (held)
		world_publish(&world, "a", large);
	for (int i = 0; i < 100; i++) {
		world_turn(&world);
		client_read(&client);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_LONGPOLL, SL_CLASS_MESSAGES_OUT), 1);
	CU_ASSERT_TRUE(client_skip_head(&client));
	CU_ASSERT_TRUE(client.got.len >= sizeof large - 1);
	client_close(&client);
	world_close(&world);
}

static void
open_poll(struct world_client *client, const char *query)
{
	struct world_request request = { .query = query, .http_minor = 1, .keep_alive = true };
	world_open(&world, NULL);
	client_open(client, &world, &sl_transport_longpoll, &request);
}

static void
expect_answer(struct world_client *client, const char *body)
{
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(client));
	CU_ASSERT_STRING_EQUAL(client_take_text(client, &world), body);
}

static void
test_longpoll_answers_a_poll_with_one_message_however_large(void)
{
	static const struct world_request requests[] = {
		{ .query = "channels=a&since=EPOCH-0", .http_minor = 1, .keep_alive = true },
		{ .query = "channels=a&since=EPOCH-0", .http_minor = 1 },
		{ .query = "channels=a&since=EPOCH-0", .http_minor = 1, .keep_alive = true,
			.origin = "https://app.example" },
		{ .query = "channels=a&since=EPOCH-0&format=raw", .http_minor = 1,
			.keep_alive = true },
	};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		check_large_answer(&requests[i], false);
		check_large_answer(&requests[i], true);
	}
}

static void
test_longpoll_poll_is_held_until_its_time_runs_out(void)
{
	struct world_client client;
	open_poll(&client, "channels=a&since=EPOCH-0&wait=3");
	world_pass(&world, 2900);
	CU_ASSERT_EQUAL(client_read(&client), 0);
	world_pass(&world, 140);
	expect_answer(&client, empty_body);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_PARKED);
	client_close(&client);
	world_close(&world);
}

static void
test_longpoll_parked_serves_the_next_request_whatever_it_is(void)
{
	static const char next[] = "GET /poll?channels=a&since=0&wait=0 HTTP/1.1\r\n"
		"Host: localhost\r\n\r\n";
	static const char other[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct world_client client;
	open_poll(&client, "channels=a");
	expect_answer(&client, empty_body); /* without since: "now", at once */
	world_publish(&world, "a", "x");
	client_send(&client, next, sizeof next - 1);
	expect_answer(&client, "{\"cursor\":\"EPOCH-1\",\"messages\":["
		"{\"id\":\"EPOCH-1\",\"channel\":\"a\",\"time\":TIME,\"data\":\"x\"}],\"gaps\":[]," LIMITS "}");
	CU_ASSERT_EQUAL(count_open(SL_CLASS_LONGPOLL), 0);
	CU_ASSERT_EQUAL(count_open(SL_CLASS_POLL), 1);
	client_send(&client, other, sizeof other - 1);
	for (int i = 0; i < 10; i++)
		world_settle(&world);
	CU_ASSERT_EQUAL(count_open(SL_CLASS_POLL), 0);
	CU_ASSERT_TRUE(client_read(&client) > 0);
	CU_ASSERT_EQUAL(strncmp(client.got.bytes, "HTTP/1.1 200", 12), 0);
	client_close(&client);
	world_close(&world);
}

static void
test_longpoll_parked_without_a_next_request_closes(void)
{
	struct world_client client;
	open_poll(&client, "channels=a");
	world_pass(&world, 64000);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	world_pass(&world, 2000);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	client_close(&client);
	world_close(&world);
}

static void
test_longpoll_drained_while_held_is_answered_and_closed(void)
{
	struct world_client client;
	open_poll(&client, "channels=a&since=EPOCH-0");
	world_settle(&world);
	sl_subscriber_end(client.subscriber, SL_END_DRAINING);
	expect_answer(&client, empty_body);
	CU_ASSERT_TRUE(client.ended);
	client_close(&client);
	world_close(&world);
}

/* All outboxes together hold too much: whatever part of an answer was sent, the client sees
 * that it broke off, and asks again. */
static void
test_longpoll_answer_that_is_not_taken_is_cut_and_not_shortened(void)
{
	static const char *const options[] = { "--max-message=1M", NULL };
	static const char *const origins[] = { NULL, "https://app.example" };
	for (int i = 0; i < 4; i++) {
		struct world_client client;
		struct world_request request = { .query = "channels=a&since=EPOCH-0", .http_minor = 1,
			.keep_alive = true, .origin = origins[i / 2], .over_tcp = true, .send_buffer = 4608 };
		world_open(&world, options);
		if (i % 2)
			world_publish(&world, "a", large);
		client_open(&client, &world, &sl_transport_longpoll, &request);
		world_settle(&world);
		if (i % 2 == 0)
			world_publish(&world, "a", large);
		world_settle(&world);
		CU_ASSERT_TRUE_FATAL(client.link->outbox.queued_bytes > 100000);
		sl_subscriber_end(client.subscriber, SL_END_SLOW_CONSUMER);
		world_settle(&world);
		CU_ASSERT_FALSE(client_is_served(&client, &world));
		CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
		while (client_read(&client) > 0)
			sl_buffer_clear(&client.got);
		CU_ASSERT_TRUE(client.reset);
		client_close(&client);
		world_close(&world);
	}
}

static void
test_longpoll_held_notices_that_its_client_left(void)
{
	struct world_client client;
	open_poll(&client, "channels=a&since=EPOCH-0");
	client_send(&client, "GET ", 4); /* a next request may wait */
	world_settle(&world);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_longpoll_answers_a_poll_with_one_message_however_large),
		UNIT_TEST(test_longpoll_poll_is_held_until_its_time_runs_out),
		UNIT_TEST(test_longpoll_parked_serves_the_next_request_whatever_it_is),
		UNIT_TEST(test_longpoll_parked_without_a_next_request_closes),
		UNIT_TEST(test_longpoll_drained_while_held_is_answered_and_closed),
		UNIT_TEST(test_longpoll_answer_that_is_not_taken_is_cut_and_not_shortened),
		UNIT_TEST(test_longpoll_held_notices_that_its_client_left),
		{ NULL, NULL },
	};
	memset(large, 'x', sizeof large - 1);
	return unit_main("longpoll", tests);
}
