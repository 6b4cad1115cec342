#include "transports/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "tests/unit/failing_alloc.h"
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

/* The answer is its last, and says nothing of what its token might still have read. */
static void
test_longpoll_held_whose_token_ends_is_answered_with_nothing_and_closed(void)
{
	static const enum sl_leave leaves[] = { SL_LEAVE_EXPIRED, SL_LEAVE_REVOKED };
	for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
		struct world_client client;
		open_poll(&client, "channels=a&since=EPOCH-0");
		world_settle(&world);
		sl_subscriber_end_leave(&client.subscriber->holder, leaves[i]);
		CU_ASSERT_PTR_NULL(client.subscriber->holder.principal);
		world_publish(&world, "a", "too late");
		expect_answer(&client, empty_body);
		CU_ASSERT_TRUE(client.ended);
		CU_ASSERT_EQUAL(world_counter(&world, leaves[i] == SL_LEAVE_EXPIRED ?
			SL_COUNTER_STREAMS_EXPIRED : SL_COUNTER_STREAMS_REVOKED), 1);
		client_close(&client);
		world_close(&world);
	}
}

/* A principal belongs to one request. */
static void
test_longpoll_holds_no_principal_between_two_polls(void)
{
	struct world_client client;
	open_poll(&client, "channels=a&since=EPOCH-0&wait=3");
	CU_ASSERT_PTR_EQUAL(client.subscriber->holder.principal, &sl_principal_everybody);
	world_publish(&world, "a", "x");
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	CU_ASSERT_PTR_NULL(client.subscriber->holder.principal);
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

static void
test_longpoll_echoes_its_n_where_the_answer_is_its_own(void)
{
	struct world_client client;
	open_poll(&client, "channels=a&n=nonce-1");
	expect_answer(&client, "{\"cursor\":\"EPOCH-0\",\"messages\":[],\"gaps\":[]," LIMITS
		",\"n\":\"nonce-1\"}");
	client_close(&client);
	world_close(&world);
	/* of the greatest length, and one more: which is none */
	open_poll(&client, "channels=a&n="
		"0123456789012345678901234567890123456789012345678901234567890123");
	expect_answer(&client, "{\"cursor\":\"EPOCH-0\",\"messages\":[],\"gaps\":[]," LIMITS
		",\"n\":\"0123456789012345678901234567890123456789012345678901234567890123\"}");
	client_close(&client);
	world_close(&world);
	open_poll(&client, "channels=a&n="
		"01234567890123456789012345678901234567890123456789012345678901234");
	expect_answer(&client, empty_body);
	client_close(&client);
	world_close(&world);
}

/* Framed once for all; a head of its own for who is not kept, or asks from a page. */
static void
test_longpoll_shares_its_answers_but_not_what_is_one_clients_own(void)
{
	static const struct world_request requests[] = {
		{ .query = "channels=a&since=EPOCH-0&n=1", .http_minor = 1, .keep_alive = true },
		{ .query = "channels=a&since=EPOCH-0&n=2", .http_minor = 1 },
		{ .query = "channels=a&since=EPOCH-0&n=3", .http_minor = 1, .keep_alive = true,
			.origin = WORLD_ORIGIN },
	};
	struct world_client clients[3];
	world_open(&world, NULL);
	for (int i = 0; i < 3; i++)
		client_open(&clients[i], &world, &sl_transport_longpoll, &requests[i]);
	world_settle(&world);
	publish_many("a", 1);
	world_settle(&world);
	for (int i = 0; i < 3; i++) {
		const char *text = client_take_text(&clients[i], &world);
		CU_ASSERT_EQUAL(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nSluice-Cursor: EPOCH-1\r\n"));
		CU_ASSERT_EQUAL(strstr(text, "\r\nConnection: close\r\n") != NULL, i == 1);
		CU_ASSERT_EQUAL(strstr(text, "\r\nAccess-Control-Allow-Origin: " WORLD_ORIGIN "\r\n") !=
			NULL, i == 2);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\n\r\n{\"cursor\":\"EPOCH-1\",\"messages\":["
			"{\"id\":\"EPOCH-1\",\"channel\":\"a\",\"time\":TIME,\"data\":\"x\"}],\"gaps\":[]}"));
		client_close(&clients[i]);
	}
	world_close(&world);
}

static void
test_longpoll_raw_is_a_payload_or_nothing_and_tells_a_gap_in_its_head(void)
{
	static const char *const options[] = { "--history-messages=2", NULL };
	struct world_request request = { .query = "channels=a&since=EPOCH-0&wait=0&format=raw",
		.http_minor = 1, .keep_alive = true };
	struct world_client client;
	world_open(&world, options);
	client_open(&client, &world, &sl_transport_poll, &request);
	world_settle(&world);
	const char *text = client_take_text(&client, &world);
	CU_ASSERT_EQUAL(strncmp(text, "HTTP/1.1 204 No Content\r\n", 25), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nSluice-Cursor: EPOCH-0\r\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "Content-"));
	CU_ASSERT_STRING_EQUAL(text + strlen(text) - 4, "\r\n\r\n");
	client_close(&client);
	publish_many("a", 3);
	client_open(&client, &world, &sl_transport_poll, &request);
	world_settle(&world);
	text = client_take_text(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nSluice-Cursor: EPOCH-2\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nSluice-Gap: after=EPOCH-0 resumed=EPOCH-1\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nContent-Length: 1\r\n"));
	CU_ASSERT_STRING_EQUAL(text + strlen(text) - 5, "\r\n\r\nx");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_GAPS_TOLD), 1);
	client_close(&client);
	world_close(&world);
}

static void
test_longpoll_tells_the_head_of_the_bus_to_head_and_joins_nothing(void)
{
	static const char head[] = "HEAD /poll?channels=a&since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct world_request request = { .query = "" };
	struct world_client client;
	world_open(&world, NULL);
	publish_many("a", 2);
	client_connect(&client, &world, &request);
	client_send(&client, head, sizeof head - 1);
	world_settle(&world);
	const char *text = client_take_text(&client, &world);
	CU_ASSERT_EQUAL(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nSluice-Cursor: EPOCH-2\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\nContent-Type: application/json\r\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "Content-Length"));
	CU_ASSERT_STRING_EQUAL(text + strlen(text) - 4, "\r\n\r\n");
	CU_ASSERT_PTR_NULL(world.shard.fanout.channels);
	CU_ASSERT_TRUE(client_is_served(&client, &world)); /* kept, for the next */
	client_close(&client);
	world_close(&world);
}

static bool
is_whole(const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n"), *len = strstr(answer, "\r\nContent-Length: ");
	return body && len && strtoul(len + 18, NULL, 10) == strlen(body + 4);
}

/* Whatever fails as it asks or as it is answered, the client gets a whole answer or sees that
 * there is none. */
static void
check_without_memory(const struct world_request *request, const char *text, unsigned n,
	bool asks)
{
	struct world_client client;
	client_connect(&client, &world, request);
	client_send(&client, text, strlen(text));
	failing_alloc_set(asks ? n : 0, n % 2);
	world_settle(&world);
	failing_alloc_off();
	publish_many("held", 1);
	failing_alloc_set(asks ? 0 : n, n % 2);
	world_settle(&world);
	failing_alloc_off();
	client_read(&client);
	sl_buffer_append_char(&client.got, '\0');
	CU_ASSERT_TRUE(*client.got.bytes ? is_whole(client.got.bytes) : client.ended || client.reset);
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_PTR_NULL(world.shard.links);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
}

static void
test_longpoll_without_memory_answers_whole_or_not_at_all(void)
{
	static const char *const texts[] = {
		"GET /poll?channels=a,b&since=0&n=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET /poll?channels=a&since=0&format=raw HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET /poll?channels=held,c&since=%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET /poll?channels=held,c&since=%s HTTP/1.1\r\nHost: localhost\r\n"
			"Origin: " WORLD_ORIGIN "\r\n\r\n",
	};
	struct world_request request = { .query = "" };
	world_open(&world, NULL);
	publish_many("a", 3);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		for (unsigned n = 1; n < 30; n++) {
			char text[256], cursor[SL_CURSOR_MAX];
			sl_cursor_format(sl_bus_head(world.bus), cursor);
			const char *at = strstr(texts[i], "%s");
			snprintf(text, sizeof text, "%.*s%s%s", at ? (int)(at - texts[i]) : 0, texts[i],
				at ? cursor : "", at ? at + 2 : texts[i]);
			check_without_memory(&request, text, n, true);
			check_without_memory(&request, text, n, false);
		}
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
		UNIT_TEST(test_longpoll_held_whose_token_ends_is_answered_with_nothing_and_closed),
		UNIT_TEST(test_longpoll_holds_no_principal_between_two_polls),
		UNIT_TEST(test_longpoll_answer_that_is_not_taken_is_cut_and_not_shortened),
		UNIT_TEST(test_longpoll_held_notices_that_its_client_left),
		UNIT_TEST(test_longpoll_echoes_its_n_where_the_answer_is_its_own),
		UNIT_TEST(test_longpoll_shares_its_answers_but_not_what_is_one_clients_own),
		UNIT_TEST(test_longpoll_raw_is_a_payload_or_nothing_and_tells_a_gap_in_its_head),
		UNIT_TEST(test_longpoll_tells_the_head_of_the_bus_to_head_and_joins_nothing),
		UNIT_TEST(test_longpoll_without_memory_answers_whole_or_not_at_all),
		{ NULL, NULL },
	};
	memset(large, 'x', sizeof large - 1);
	return unit_main("longpoll", tests);
}
