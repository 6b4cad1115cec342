#include "live/connection.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "live/control.h"
#include "live/protocol.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static char large[300001];

static uint64_t
count_open(enum sl_class class_)
{
	return world_class_counter(&world, class_, SL_CLASS_OPENED) -
		world_class_counter(&world, class_, SL_CLASS_CLOSED);
}

/* ---- states ---- */

static void
test_connection_from_now_is_live_at_once_at_the_head(void)
{
	struct world_client client;
	world_open(&world, NULL);
	world_publish(&world, "a", "x");
	client_open_stream(&client, &world, "channels=a&heartbeat=30");
	CU_ASSERT_EQUAL(client.connection->state, SL_LIVE);
	CU_ASSERT_EQUAL(client.connection->heartbeat_s, 30);
	CU_ASSERT_STRING_EQUAL(client_take_text(&client, &world), "{\"type\":\"open\","
		"\"cursor\":\"EPOCH-1\",\"transport\":\"stream\",\"heartbeat\":30,\"sent\":0,"
		"\"limits\":{\"message\":65536,\"channels\":64}}\n");
	world_publish(&world, "elsewhere", "x");
	world_settle(&world);
	CU_ASSERT_EQUAL(sl_connection_get_cursor(client.connection).seq, 2);
	client_close(&client);
	world_close(&world);
}

static void
test_connection_that_resumes_is_behind_until_it_has_caught_up(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a&since=0" };
	world_open(&world, NULL);
	for (int i = 0; i < 100; i++)
		world_publish(&world, "a", "x");
	client_open(&client, &world, &sl_transport_stream, &request);
	CU_ASSERT_EQUAL(client.connection->state, SL_BEHIND);
	CU_ASSERT_EQUAL(sl_connection_get_cursor(client.connection).seq, 64);
	world_settle(&world);
	CU_ASSERT_EQUAL(client.connection->state, SL_LIVE);
	CU_ASSERT_EQUAL(sl_connection_get_cursor(client.connection).seq, 100);
	client_close(&client);
	world_close(&world);
}

static void
test_connection_head_and_first_object_go_out_in_one_write(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a", .http_minor = 1 };
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_stream, &request);
	CU_ASSERT_EQUAL(client_read(&client), 0);
	world_turn(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SENDS), 1);
	CU_ASSERT_TRUE(client_skip_head(&client));
	CU_ASSERT_TRUE(client.got.len > 0);
	client_close(&client);
	world_close(&world);
}

static void
test_connection_is_freed_at_the_end_of_the_turn_and_counted_once(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a,b");
	struct sl_connection *connection = client.connection;
	sl_connection_add_work(connection);
	sl_connection_close(connection);
	sl_connection_close(connection);
	sl_connection_add_work(connection);
	CU_ASSERT_EQUAL(connection->state, SL_CLOSED);
	CU_ASSERT_PTR_NULL(world.shard.work);
	CU_ASSERT_EQUAL(connection->subscription_count, 0);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_OPENED), 1);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_CLOSED), 1);
	client_close(&client);
	world_close(&world);
}

/* As a child does that another thread has forked and that has not begun its program yet. */
static void
test_connection_closed_is_not_watched_though_another_process_has_its_descriptor(void)
{
	struct world_client client;
	struct epoll_event event;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	int duplicate = dup(client.connection->socket->fd);
	sl_connection_close(client.connection);
	world_settle(&world);
	client_close(&client);
	CU_ASSERT_EQUAL(epoll_wait(world.shard.loop.epoll_fd, &event, 1, 0), 0);
	close(duplicate);
	world_close(&world);
}

static void
test_connection_closes_when_its_peer_has(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(count_open(SL_CLASS_STREAM), 0);
	world_close(&world);
}

static void
test_connection_takes_some_garbage_but_not_for_ever(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	client_send(&client, large, 60000);
	for (int i = 0; i < 30; i++)
		world_turn(&world);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_WIRE_BYTES_IN), 60000);
	client_send(&client, large, 6000);
	for (int i = 0; i < 30; i++)
		world_turn(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	client_close(&client);
	world_close(&world);
}

/* ---- ends ---- */

static void
test_connection_ended_says_bye_then_shuts_and_lingers_for_the_peer(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	world_publish(&world, "a", "x");
	sl_fanout_drain(&world.shard);
	sl_connection_end(client.connection, SL_END_DRAINING);
	sl_connection_end(client.connection, SL_END_SLOW_CONSUMER); /* ends once */
	world_publish(&world, "a", "x");
	expect(&client, "open@0 a1 bye:draining");
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_EQUAL(client.connection->state, SL_LINGERING);
	client_send(&client, "late", 4);
	world_settle(&world);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	world_close(&world);
}

static void
test_connection_does_not_linger_longer_than_2_s(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_connection_end(client.connection, SL_END_DRAINING);
	world_pass(&world, 1900);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	world_pass(&world, 140);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	client_close(&client);
	world_close(&world);
}

static void
test_connection_ends_chunked_streams_with_the_last_chunk(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a", .http_minor = 1 };
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_stream, &request);
	sl_connection_end(client.connection, SL_END_CLIENT); /* no bye: the client left first */
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	const char *text = client_take_text(&client, &world);
	CU_ASSERT_PTR_NULL(strstr(text, "bye"));
	CU_ASSERT_STRING_EQUAL(text + strlen(text) - 7, "\r\n0\r\n\r\n");
	client_close(&client);
	world_close(&world);
}

static unsigned
publish_until_slow(unsigned max)
{
	unsigned published = 0;
	while (world_counter(&world, SL_COUNTER_SLOW_CONSUMERS) == 0 && published < max) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 50000);
		world_turn(&world);
		published++;
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 1);
	return published;
}

/* Reads and turns until the gateway has nothing more to say. */
static void
read_to_the_end(struct world_client *client)
{
	for (int i = 0; i < 10000 && !client->ended; i++) {
		client_read(client);
		world_turn(&world);
	}
	CU_ASSERT_TRUE(client->ended);
}

static void
test_connection_slow_consumer_gets_the_object_in_progress_and_bye(void)
{
	static const char *const options[] = { "--outbox=100K", NULL };
	struct world_client slow, other;
	struct world_request request = { .query = "channels=a", .send_buffer = 4608 };
	world_open(&world, options);
	client_open_stream(&other, &world, "channels=a");
	client_open(&slow, &world, &sl_transport_stream, &request);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&slow));
	while (world_counter(&world, SL_COUNTER_SLOW_CONSUMERS) == 0 && world_head(&world) < 1000) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 50000);
		world_turn(&world);
		client_read(&other);
	}
	CU_ASSERT_EQUAL(slow.connection->state, SL_ENDING);
	CU_ASSERT_TRUE(slow.connection->outbox.queued_bytes < 51000); /* what was not begun is gone */
	read_to_the_end(&slow);
	const char *story = client_take_story(&slow, &world); /* whole lines, or it aborts */
	CU_ASSERT_EQUAL(strncmp(story, "open@0 a1 ", 10), 0);
	CU_ASSERT_STRING_EQUAL(story + strlen(story) - strlen(" bye:slow_consumer"),
		" bye:slow_consumer");
	CU_ASSERT_TRUE(client_is_served(&other, &world));
	client_close(&slow);
	client_close(&other);
	world_close(&world);
}

/* All that is published is for this client, from 1 on, until it unsubscribes. Every cursor
 * that it hears is of a message that it has. Returns how many messages it got. */
static unsigned long long
check_cursors(const char *text)
{
	unsigned long long seq, last = 0, counted = 0;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		const char *sent = strstr(line, "\"sent\":"), *end = strchr(line, '\n');
		const char *cursor = strstr(line, "\"cursor\":\"EPOCH-");
		if (sscanf(line, "{\"id\":\"EPOCH-%llu\"", &seq) == 1) {
			CU_ASSERT_EQUAL(seq, last + 1);
			last = seq;
		} else if (cursor && cursor < end &&
				sscanf(cursor, "\"cursor\":\"EPOCH-%llu\"", &seq) == 1) {
			CU_ASSERT_TRUE(seq <= last);
		}
		if (sent && sent < end && sscanf(sent, "\"sent\":%llu", &counted) == 1)
			CU_ASSERT_EQUAL(counted, last);
	}
	return last;
}

static void
fall_behind(struct world_client *slow, const char *channel)
{
	while (slow->connection->outbox.queued_bytes < 20000) {
		world_publish_bytes(&world, channel, SL_TEXT, large, 5000);
		world_turn(&world);
	}
}

/* By messages, or while it is behind, when they are not queued for it, by pongs. */
static void
overflow(struct world_client *slow)
{
	char ping[5100];
	int len = snprintf(ping, sizeof ping, "{\"type\":\"ping\",\"data\":\"%.5000s\"}", large);
	for (int i = 0; i < 100 && slow->connection->state < SL_ENDING; i++) {
		if (slow->connection->state == SL_BEHIND)
			sl_protocol_handle(slow->connection, ping, (size_t)len);
		world_publish_bytes(&world, "b", SL_TEXT, large, 5000);
		world_turn(&world);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 1);
}

static void
test_connection_slow_consumer_hears_no_cursor_or_count_of_what_it_will_not_get(void)
{
	static const char *const said[] = {
		"{\"type\":\"unsubscribe\",\"channels\":[\"a\"]}",
		"{\"type\":\"subscribe\",\"channels\":[\"c\"]}",
		"{\"type\":\"ping\",\"data\":1}",
		NULL, /* a heartbeat */
	};
	static const char publish[] =
		"{\"type\":\"publish\",\"channel\":\"elsewhere\",\"data\":1,\"ref\":7}";
	static const char *const options[] = { "--outbox=100K", NULL };
	struct world_request request = { .query = "channels=a,b", .send_buffer = 4608 };
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		struct world_client slow;
		world_open(&world, options);
		client_open(&slow, &world, &sl_transport_stream, &request);
		world_settle(&world);
		CU_ASSERT_TRUE(client_skip_head(&slow));
		fall_behind(&slow, "a");
		if (said[i])
			sl_protocol_handle(slow.connection, said[i], strlen(said[i]));
		else
			sl_control_send_heartbeat(slow.connection);
		world_publish_bytes(&world, "b", SL_TEXT, large, 5000);
		world_turn(&world);
		sl_protocol_handle(slow.connection, publish, sizeof publish - 1);
		overflow(&slow);
		read_to_the_end(&slow);
		const char *text = client_take_text(&slow, &world);
		CU_ASSERT_TRUE(check_cursors(text) < 20);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"type\":\"ack\",\"ref\":7,")); /* its outcome is known */
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"reason\":\"slow_consumer\""));
		client_close(&slow);
		world_close(&world);
	}
}

/* What was queued before the first message that is dropped is true, and stays. */
static void
test_connection_slow_consumer_hears_the_cursors_of_what_it_has(void)
{
	static const char ping[] = "{\"type\":\"ping\",\"data\":1}";
	static const char *const options[] = { "--outbox=100K", NULL };
	struct world_request request = { .query = "channels=a", .send_buffer = 4608 };
	struct world_client slow;
	world_open(&world, options);
	client_open(&slow, &world, &sl_transport_stream, &request);
	world_publish_bytes(&world, "a", SL_TEXT, large, 50000);
	world_settle(&world);
	CU_ASSERT_TRUE(slow.connection->outbox.queued_bytes > 0); /* it is begun */
	sl_control_send_heartbeat(slow.connection);
	sl_protocol_handle(slow.connection, ping, sizeof ping - 1);
	publish_until_slow(1000);
	read_to_the_end(&slow);
	CU_ASSERT_TRUE(client_skip_head(&slow));
	const char *text = client_take_text(&slow, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"type\":\"heartbeat\",\"cursor\":\"EPOCH-1\",\"sent\":1}"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"type\":\"pong\",\"data\":1,\"sent\":1}"));
	CU_ASSERT_EQUAL(check_cursors(text), 1);
	client_close(&slow);
	world_close(&world);
}

/* In one turn there may be more than an outbox holds, for a client that takes it all. */
static void
test_connection_that_takes_a_burst_is_not_slow(void)
{
	static const char *const options[] = { "--outbox=10K", NULL };
	struct world_client client;
	world_open(&world, options);
	client_open_stream(&client, &world, "channels=a,b");
	for (int i = 0; i < 20; i++)
		world_publish_bytes(&world, i % 2 ? "a" : "b", SL_TEXT, large, 4000);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	const char *story = client_take_story(&client, &world);
	CU_ASSERT_STRING_EQUAL(story + strlen(story) - strlen(" b19 a20"), " b19 a20");
	client_close(&client);
	world_close(&world);
}

static void
test_connection_that_will_not_take_its_last_bytes_is_reset_after_5_s(void)
{
	static const char *const options[] = { "--outbox=100K", NULL };
	struct world_client client;
	struct world_request request = { .query = "channels=a", .over_tcp = true,
		.send_buffer = 4608 };
	world_open(&world, options);
	client_open(&client, &world, &sl_transport_stream, &request);
	publish_until_slow(5000);
	world_pass(&world, 4900);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	world_pass(&world, 140);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	while (client_read(&client) > 0)
		sl_buffer_clear(&client.got);
	CU_ASSERT_TRUE(client.reset);
	client_close(&client);
	world_close(&world);
}

static void
test_connection_that_reads_slowly_but_reads_loses_nothing(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a", .send_buffer = 4608 };
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_stream, &request);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	for (int i = 0; i < 40; i++)
		world_publish_bytes(&world, "a", SL_TEXT, large, 5000);
	for (int i = 0; i < 1000; i++) {
		client_read(&client);
		world_turn(&world);
	}
	const char *story = client_take_story(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(story, "open@0 a1 a2 a3 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(story, " a39 a40"));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	client_close(&client);
	world_close(&world);
}

/* ---- one object always fits ---- */

static const char *const small_outbox[] = { "--outbox=1K", "--max-message=1M", NULL };

static void
test_connection_takes_one_object_however_large(void)
{
	struct world_client client;
	world_open(&world, small_outbox);
	client_open_stream(&client, &world, "channels=a");
	world_publish(&world, "a", large);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	for (int i = 0; i < 100; i++) {
		client_read(&client);
		world_turn(&world);
	}
	expect(&client, "open@0 a1");
	/* The same with something small still waiting before it. */
	world_publish(&world, "a", large);
	sl_control_send_heartbeat(client.connection);
	for (int i = 0; i < 100; i++) {
		world_turn(&world);
		client_read(&client);
	}
	expect(&client, "heartbeat@1 a2");
	client_close(&client);
	world_close(&world);
}

static void
test_connection_replays_more_than_its_outbox_holds(void)
{
	struct world_client one, many;
	world_open(&world, small_outbox);
	world_publish(&world, "a", large);
	for (int i = 0; i < 100; i++)
		world_publish_bytes(&world, "b", SL_TEXT, large, 100);
	client_open_stream(&one, &world, "channels=a&since=0");
	client_open_stream(&many, &world, "channels=b&since=0");
	for (int i = 0; i < 100; i++) {
		client_read(&one);
		client_read(&many);
		world_turn(&world);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	expect(&one, "open@0 a1");
	const char *story = client_take_story(&many, &world);
	CU_ASSERT_EQUAL(strncmp(story, "open@0 b2 b3 ", 13), 0);
	CU_ASSERT_STRING_EQUAL(story + strlen(story) - 5, " b101");
	client_close(&one);
	client_close(&many);
	world_close(&world);
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
test_connection_answers_a_poll_with_one_message_however_large(void)
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

/* ---- polls ---- */

#define LIMITS "\"limits\":{\"message\":65536,\"channels\":64}"

static const char empty_body[] =
	"{\"cursor\":\"EPOCH-0\",\"messages\":[],\"gaps\":[]," LIMITS "}";

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
test_connection_poll_is_held_until_its_time_runs_out(void)
{
	struct world_client client;
	open_poll(&client, "channels=a&since=EPOCH-0&wait=3");
	world_pass(&world, 2900);
	CU_ASSERT_EQUAL(client_read(&client), 0);
	world_pass(&world, 140);
	expect_answer(&client, empty_body);
	CU_ASSERT_EQUAL(client.connection->state, SL_PARKED);
	client_close(&client);
	world_close(&world);
}

static void
test_connection_parked_serves_the_next_poll_and_gives_other_requests_back(void)
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
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_GIVEN_BACK), 1);
	CU_ASSERT_EQUAL(count_open(SL_CLASS_POLL), 0);
	CU_ASSERT_TRUE(client_read(&client) > 0);
	CU_ASSERT_EQUAL(strncmp(client.got.bytes, "HTTP/1.1 200", 12), 0);
	client_close(&client);
	world_close(&world);
}

static void
test_connection_parked_without_a_next_request_closes(void)
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
test_connection_drained_while_held_is_answered_and_closed(void)
{
	struct world_client client;
	open_poll(&client, "channels=a&since=EPOCH-0");
	world_settle(&world);
	sl_connection_end(client.connection, SL_END_DRAINING);
	expect_answer(&client, empty_body);
	CU_ASSERT_TRUE(client.ended);
	client_close(&client);
	world_close(&world);
}

/* All outboxes together hold too much: whatever part of an answer was sent, the client sees
 * that it broke off, and asks again. */
static void
test_connection_answer_that_is_not_taken_is_cut_and_not_shortened(void)
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
		CU_ASSERT_TRUE_FATAL(client.connection->outbox.queued_bytes > 100000);
		sl_connection_end(client.connection, SL_END_SLOW_CONSUMER);
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
test_connection_held_notices_that_its_client_left(void)
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
		UNIT_TEST(test_connection_from_now_is_live_at_once_at_the_head),
		UNIT_TEST(test_connection_that_resumes_is_behind_until_it_has_caught_up),
		UNIT_TEST(test_connection_head_and_first_object_go_out_in_one_write),
		UNIT_TEST(test_connection_is_freed_at_the_end_of_the_turn_and_counted_once),
		UNIT_TEST(test_connection_closed_is_not_watched_though_another_process_has_its_descriptor),
		UNIT_TEST(test_connection_closes_when_its_peer_has),
		UNIT_TEST(test_connection_takes_some_garbage_but_not_for_ever),
		UNIT_TEST(test_connection_ended_says_bye_then_shuts_and_lingers_for_the_peer),
		UNIT_TEST(test_connection_does_not_linger_longer_than_2_s),
		UNIT_TEST(test_connection_ends_chunked_streams_with_the_last_chunk),
		UNIT_TEST(test_connection_slow_consumer_gets_the_object_in_progress_and_bye),
		UNIT_TEST(test_connection_slow_consumer_hears_no_cursor_or_count_of_what_it_will_not_get),
		UNIT_TEST(test_connection_slow_consumer_hears_the_cursors_of_what_it_has),
		UNIT_TEST(test_connection_that_takes_a_burst_is_not_slow),
		UNIT_TEST(test_connection_that_will_not_take_its_last_bytes_is_reset_after_5_s),
		UNIT_TEST(test_connection_that_reads_slowly_but_reads_loses_nothing),
		UNIT_TEST(test_connection_takes_one_object_however_large),
		UNIT_TEST(test_connection_replays_more_than_its_outbox_holds),
		UNIT_TEST(test_connection_answers_a_poll_with_one_message_however_large),
		UNIT_TEST(test_connection_poll_is_held_until_its_time_runs_out),
		UNIT_TEST(test_connection_parked_serves_the_next_poll_and_gives_other_requests_back),
		UNIT_TEST(test_connection_parked_without_a_next_request_closes),
		UNIT_TEST(test_connection_drained_while_held_is_answered_and_closed),
		UNIT_TEST(test_connection_answer_that_is_not_taken_is_cut_and_not_shortened),
		UNIT_TEST(test_connection_held_notices_that_its_client_left),
		{ NULL, NULL },
	};
	memset(large, 'x', sizeof large - 1);
	return unit_main("connection", tests);
}
