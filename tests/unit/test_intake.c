/* Whatever a client says beyond the steps of a turn waits, is handled in order, and leaves nothing behind. */
#include "live/intake.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/incoming.h"
#include "live/link.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/http_client.h"
#include "tests/unit/https_client.h"
#include "tests/unit/ws_bytes.h"
#include "transports/registry.h"

#define STEPS SL_STEPS_OF_LINK
#define POST "POST /publish?channel=b HTTP/1.1\r\nHost: localhost\r\n" \
	"Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nx"

static struct live_world world;
static struct world_client client;

static void
begin_with(const char *const *options)
{
	world_open(&world, options);
}

static void
end(void)
{
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	CU_ASSERT_EQUAL(world.shard.metrics.gauges[SL_GAUGE_LINKS_WAITING], 0);
	CU_ASSERT_TRUE(world.shard.metrics.gauges[SL_GAUGE_TURN_STEPS] <= STEPS);
	world_close(&world);
}

static void
open_websocket(const char *query, bool over_tcp)
{
	struct world_request request = { .query = query, .http_minor = 1, .over_tcp = over_tcp };
	CU_ASSERT_TRUE_FATAL(client_open(&client, &world, &sl_transport_websocket, &request));
	world_settle(&world);
	CU_ASSERT_TRUE_FATAL(client_skip_head(&client));
	sl_buffer_clear(&client.got);
}

static uint64_t
published(void)
{
	return world_counter(&world, SL_COUNTER_PUBLISHES);
}

/* `count` messages of raw format, numbered from `first` on. */
static void
put_numbers(struct sl_buffer *out, unsigned first, unsigned count)
{
	char text[16];
	for (unsigned i = first; i < first + count; i++) {
		snprintf(text, sizeof text, "%u", i);
		ws_put(out, true, SL_WS_OPCODE_TEXT, text);
	}
}

static void
send_numbers(unsigned first, unsigned count)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	put_numbers(&bytes, first, count);
	client_send(&client, bytes.bytes, bytes.len);
	sl_buffer_finish(&bytes);
}

/* True when the frames that came are those numbers, and nothing else. */
static bool
got_numbers(unsigned first, unsigned count)
{
	size_t at = 0;
	client_read(&client);
	for (unsigned i = first; i < first + count; i++) {
		char text[16];
		size_t len = (size_t)snprintf(text, sizeof text, "%u", i);
		if (client.got.len < at + 2 + len || memcmp(client.got.bytes + at + 2, text, len) != 0)
			return false;
		at += 2 + len;
	}
	return at == client.got.len;
}

/* Turns until nobody waits; the most messages that one of them published. */
static uint64_t
count_most_of_a_turn(void)
{
	uint64_t most = 0;
	for (int i = 0; i < 10000; i++) {
		uint64_t before = published();
		world_turn(&world);
		if (published() - before > most)
			most = published() - before;
		if (sl_rota_is_empty(&world.shard.shares.line) && published() == before)
			break;
	}
	return most;
}

/* ---- frames ---- */

static void
test_intake_takes_sixteen_frames_a_turn_and_all_of_them_in_order(void)
{
	begin_with(NULL);
	open_websocket("channels=a&format=raw", false);
	send_numbers(1, 1000);
	world_turn(&world);
	CU_ASSERT_EQUAL(published(), STEPS);
	CU_ASSERT_TRUE(client.link->kept != NULL);
	CU_ASSERT_TRUE(world.shard.framer.pinned_bytes >= client.link->kept->len);
	CU_ASSERT_EQUAL(world.shard.metrics.gauges[SL_GAUGE_LINKS_WAITING], 1);
	CU_ASSERT_EQUAL(count_most_of_a_turn(), STEPS);
	CU_ASSERT_EQUAL(published(), 1000);
	world_settle(&world);
	CU_ASSERT_TRUE(got_numbers(1, 1000));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STEPS_DEFERRED), 1000 / STEPS);
	CU_ASSERT_TRUE(client.link->watch.events & EPOLLIN);
	end();
}

/* The first read takes what there is; after it, what is kept must not be much. */
static void
test_intake_of_a_link_that_waits_reads_little_until_a_turn_suffices(void)
{
	begin_with(NULL);
	open_websocket("channels=b&format=raw", false);
	for (int i = 0; i < 50; i++) {
		send_numbers(1, 4 * STEPS);
		world_turn(&world);
		if (i > 20)
			CU_ASSERT_TRUE(!client.link->kept || client.link->kept->len <= SL_STEP_BYTES);
	}
	CU_ASSERT_TRUE(client.link->reads_little);
	world_settle(&world);
	CU_ASSERT_EQUAL(published(), 50 * 4 * STEPS);
	CU_ASSERT_FALSE(client.link->reads_little);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	end();
}

static void
test_intake_with_few_frames_costs_nothing_but_their_read(void)
{
	begin_with(NULL);
	open_websocket("channels=b&format=raw", false);
	for (int i = 0; i < 10; i++) {
		send_numbers(1, STEPS);
		unsigned allocations = failing_alloc_count();
		world_turn(&world);
		CU_ASSERT_TRUE(failing_alloc_count() - allocations <= STEPS * 4); /* the messages */
		CU_ASSERT_TRUE(sl_rota_is_empty(&world.shard.shares.line));
		CU_ASSERT_EQUAL(client.link->watch.events, EPOLLIN | EPOLLRDHUP);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STEPS_DEFERRED), 0);
	end();
}

/* Its answers go out together then, and at the latest with its last turn. */
static void
test_intake_of_one_that_waits_alone_is_answered_in_few_writes(void)
{
	for (int others = 0; others < 2; others++) {
		struct world_client other;
		struct world_request request = { .query = "channels=c&format=raw", .http_minor = 1 };
		begin_with(NULL);
		open_websocket("channels=a&format=raw", false);
		CU_ASSERT_TRUE_FATAL(client_open(&other, &world, &sl_transport_websocket, &request));
		world_settle(&world);
		uint64_t before = world_counter(&world, SL_COUNTER_SENDS);
		struct sl_buffer bytes = SL_BUFFER_INIT;
		put_numbers(&bytes, 1, 1000);
		client_send(&client, bytes.bytes, bytes.len);
		if (others)
			client_send(&other, bytes.bytes, bytes.len);
		sl_buffer_finish(&bytes);
		world_settle(&world);
		uint64_t sends = world_counter(&world, SL_COUNTER_SENDS) - before;
		CU_ASSERT_TRUE(others ? sends >= 2000 / STEPS : sends <= 1000 / STEPS / 2);
		CU_ASSERT_TRUE(got_numbers(1, 1000));
		client_close(&other);
		end();
	}
}

/* RFC 6455, section 5.4: each of them is a frame, and so is a ping among them. */
static void
test_intake_counts_fragments_and_pings(void)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	unsigned turns = 0;
	begin_with(NULL);
	open_websocket("channels=a&format=raw", false);
	ws_put(&bytes, false, SL_WS_OPCODE_TEXT, "1");
	for (int i = 0; i < 200; i++) {
		ws_put(&bytes, false, SL_WS_OPCODE_CONTINUATION, "0");
		ws_put(&bytes, true, SL_WS_OPCODE_PING, "");
	}
	ws_put(&bytes, true, SL_WS_OPCODE_CONTINUATION, "1");
	client_send(&client, bytes.bytes, bytes.len);
	for (; published() == 0 && turns < 1000; turns++)
		world_turn(&world);
	CU_ASSERT_EQUAL(turns, (402 + STEPS - 1) / STEPS);
	sl_buffer_finish(&bytes);
	end();
}

static void
test_intake_keeps_what_came_behind_the_handshake(void)
{
	char request[400];
	struct sl_buffer bytes = SL_BUFFER_INIT;
	begin_with(NULL);
	http_connect(&client, &world);
	snprintf(request, sizeof request, "GET /ws?channels=b&format=raw HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	sl_buffer_append_str(&bytes, request);
	put_numbers(&bytes, 1, 100);
	client_send(&client, bytes.bytes, bytes.len);
	world_turn(&world);
	CU_ASSERT_TRUE(published() <= STEPS);
	CU_ASSERT_EQUAL(count_most_of_a_turn(), STEPS);
	CU_ASSERT_EQUAL(published(), 100);
	sl_buffer_finish(&bytes);
	end();
}

/* ---- requests ---- */

static void
test_intake_takes_sixteen_pipelined_requests_a_turn(void)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	uint64_t most = 0;
	begin_with(NULL);
	http_connect(&client, &world);
	for (int i = 0; i < 150; i++)
		sl_buffer_append_str(&bytes, POST);
	client_send(&client, bytes.bytes, bytes.len);
	for (int i = 0; i < 100 && published() < 150; i++) {
		uint64_t before = published();
		world_turn(&world);
		most = published() - before > most ? published() - before : most;
	}
	CU_ASSERT_TRUE(most > 1 && most <= STEPS); /* fewer, where the turn's time was up */
	CU_ASSERT_EQUAL(published(), 150);
	CU_ASSERT_EQUAL(http_count(http_take(&client, &world), "HTTP/1.1 200 OK"), 150);
	/* And goes on as before. */
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/healthz")), 200));
	sl_buffer_finish(&bytes);
	end();
}

/* A held request behind many: that its client has shut its side is still seen. */
static void
test_intake_is_watched_again_for_a_held_request(void)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	for (int before = 3 * STEPS - 2; before < 3 * STEPS + 2; before++) {
		begin_with(NULL);
		http_connect(&client, &world);
		sl_buffer_clear(&bytes);
		for (int i = 0; i < before; i++)
			sl_buffer_append_str(&bytes, POST);
		sl_buffer_append_str(&bytes, GET("/poll?channels=a&since=0"));
		client_send(&client, bytes.bytes, bytes.len);
		world_turn(&world);
		CU_ASSERT_EQUAL(shutdown(client.fd, SHUT_WR), 0);
		for (int i = 0; i < 3; i++)
			world_settle(&world);
		CU_ASSERT_EQUAL(published(), (uint64_t)before);
		CU_ASSERT_EQUAL(http_links(&world), 0);
		end();
	}
	sl_buffer_finish(&bytes);
}

/* Its bytes were read with the handshake, where an address had no steps left. */
static void
test_intake_of_bytes_that_no_step_was_left_for_waits(void)
{
	char request[] = POST;
	begin_with(NULL);
	http_connect(&client, &world);
	struct sl_connection *c = client.connection;
	for (int i = 0; i < STEPS; i++)
		sl_share_take_served(&c->link.steps);
	sl_connection_read_requests(c);
	sl_incoming_take(c, request, strlen(request));
	CU_ASSERT_EQUAL(published(), 0);
	CU_ASSERT_TRUE(sl_share_is_waiting(&c->link.steps));
	world_turn(&world);
	world_turn(&world);
	CU_ASSERT_EQUAL(published(), 1);
	CU_ASSERT_TRUE(http_is(http_take(&client, &world), 200));
	end();
}

/* ---- records ---- */

/* 750 of them fit into what the gateway reads at a time. */
static void
test_intake_takes_sixteen_records_a_turn(void)
{
	static struct https_client tls;
	const char request[] = GET("/healthz");
	unsigned turns = 0;
	https_world_open(&world, NULL);
	https_connect(&tls, &world, TLS13, 0);
	CU_ASSERT_TRUE_FATAL(https_shake(&tls, &world));
	world_settle(&world);
	for (int i = 0; i < 5; i++)
		for (size_t at = 0; at < sizeof request - 1; at++)
			tls_client_write(&tls.tls, request + at, 1);
	https_flush(&tls);
	for (; world_counter(&world, SL_COUNTER_REQUESTS_2XX) < 5 && turns < 1000; turns++)
		world_turn(&world);
	CU_ASSERT_TRUE(turns >= 5 * (sizeof request - 1) / STEPS);
	CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_STEPS_DEFERRED) > 0);
	CU_ASSERT_EQUAL(http_count(https_take(&tls, &world), "HTTP/1.1 200 OK"), 5);
	https_close(&tls);
	memset(&client, 0, sizeof client);
	client.fd = -1;
	end();
}

/* ---- garbage ---- */

static void
test_intake_throws_away_no_more_than_a_turn_allows(void)
{
	static char garbage[60000];
	struct world_request request = { .query = "channels=a" };
	begin_with(NULL);
	CU_ASSERT_TRUE_FATAL(client_open(&client, &world, &sl_transport_stream, &request));
	world_settle(&world);
	memset(garbage, 'x', sizeof garbage);
	client_send(&client, garbage, sizeof garbage);
	world_settle(&world);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(client.link->garbage_bytes, sizeof garbage);
	end();
}

/* ---- ends ---- */

static void
begin_to_wait(bool over_tcp)
{
	begin_with(NULL);
	open_websocket("channels=b&format=raw", over_tcp);
	send_numbers(1, 1000);
	world_turn(&world);
	for (int i = 0; over_tcp && !client.link->kept && i < 1000; i++)
		world_turn(&world);
	CU_ASSERT_TRUE_FATAL(client.link->kept != NULL);
}

static void
expect_no_more(uint64_t count)
{
	world_settle(&world);
	CU_ASSERT_EQUAL(published(), count);
	end();
}

static void
test_intake_of_a_link_that_ends_handles_nothing_more(void)
{
	begin_to_wait(false);
	uint64_t before = published();
	sl_subscriber_end(client.subscriber, SL_END_DRAINING);
	CU_ASSERT_PTR_NULL(client.link->kept);
	expect_no_more(before);
}

static void
test_intake_of_a_link_that_closes_is_freed(void)
{
	begin_to_wait(false);
	uint64_t before = published();
	sl_link_close(client.link);
	expect_no_more(before);
}

/* What was said before the last words counts, what follows them does not. */
static void
test_intake_ends_in_order_where_its_client_does(void)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	begin_with(NULL);
	open_websocket("channels=a&format=raw", false);
	put_numbers(&bytes, 1, 100);
	ws_put_frame(&bytes, WS_FIN | SL_WS_OPCODE_CLOSE, "\x03\xe8", 2);
	put_numbers(&bytes, 1, 100);
	client_send(&client, bytes.bytes, bytes.len);
	world_settle(&world);
	CU_ASSERT_EQUAL(published(), 100);
	client_read(&client);
	CU_ASSERT_TRUE(client.got.len > 4);
	CU_ASSERT_EQUAL(memcmp(client.got.bytes + client.got.len - 4, "\x88\x02\x03\xe8", 4), 0);
	sl_buffer_consume(&client.got, 0);
	sl_buffer_finish(&bytes);
	end();
}

/* An end in order, with bytes kept: they are not handled. */
static void
test_intake_of_a_link_that_concludes_is_thrown_away(void)
{
	begin_to_wait(false);
	uint64_t before = published();
	sl_subscriber_end_in_order(client.subscriber, SL_END_TOKEN_EXPIRED, 0);
	expect_no_more(before);
}

static void
test_intake_handles_all_that_a_client_said_before_it_shut_its_side(void)
{
	begin_to_wait(true);
	shutdown(client.fd, SHUT_WR);
	unsigned rdhups = 0;
	for (int i = 0; i < 5; i++) { /* the event comes once, and is not asked for again */
		struct epoll_event events[8];
		int count = epoll_wait(world.shard.loop.epoll_fd, events, 8, i ? 0 : 100);
		rdhups += count > 0;
		world_dispatch(&world);
	}
	CU_ASSERT_EQUAL(rdhups, 1);
	world_settle(&world);
	CU_ASSERT_EQUAL(published(), 1000);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	end();
}

static void
test_intake_does_not_wait_for_a_client_that_is_gone(void)
{
	struct linger abort = { .l_onoff = 1 };
	begin_to_wait(true);
	uint64_t before = published();
	setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
	client_close(&client);
	world_turn(&world);
	CU_ASSERT_TRUE(published() <= before + STEPS);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	world_settle(&world);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	world_close(&world);
}

static void
test_intake_kept_counts_where_all_outboxes_hold_too_much(void)
{
	static const char *const options[] = { "--outbox-total=64K", "--outbox=4K", NULL };
	static struct world_client more;
	struct world_request request = { .query = "channels=b&format=raw", .http_minor = 1 };
	begin_with(options);
	CU_ASSERT_TRUE_FATAL(client_open(&more, &world, &sl_transport_websocket, &request));
	open_websocket("channels=b&format=raw", false);
	struct sl_buffer bytes = SL_BUFFER_INIT;
	put_numbers(&bytes, 1000, 5000);
	client_send(&client, bytes.bytes, 50000);
	client_send(&more, bytes.bytes, 40000);
	sl_buffer_finish(&bytes);
	world_turn(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_OUTBOX_PINNED_EVICTIONS), 1);
	CU_ASSERT_NOT_EQUAL(client.link->state, SL_LINK_OPEN); /* the fullest */
	CU_ASSERT_EQUAL(more.link->state, SL_LINK_OPEN);
	world_settle(&world);
	CU_ASSERT_TRUE(published() > 1000);
	client_close(&more);
	end();
}

static void
test_intake_that_waits_is_not_taken_for_a_late_request(void)
{
	begin_with(NULL);
	http_connect(&client, &world);
	world_settle(&world);
	struct sl_link *link = &client.connection->link;
	client_send(&client, "GET", 3);
	world_settle(&world);
	sl_share_wait(&link->steps);
	link->ops->on_timer(link);
	CU_ASSERT_EQUAL(link->state, SL_LINK_OPEN);
	sl_share_cancel_wait(&link->steps);
	link->ops->on_timer(link);
	CU_ASSERT_EQUAL(link->state, SL_LINK_CLOSED);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUEST_TIMEOUTS), 1);
	end();
}

static void
test_intake_without_memory_closes_the_link(void)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	begin_with(NULL);
	open_websocket("channels=b&format=raw", false);
	for (int i = 0; i < 100; i++) /* which take none */
		ws_put(&bytes, true, SL_WS_OPCODE_PONG, "");
	client_send(&client, bytes.bytes, bytes.len);
	failing_alloc_set(1, true);
	world_turn(&world);
	CU_ASSERT_EQUAL(failing_alloc_count(), 1);
	failing_alloc_off();
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	sl_buffer_finish(&bytes);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_intake_takes_sixteen_frames_a_turn_and_all_of_them_in_order),
		UNIT_TEST(test_intake_of_a_link_that_waits_reads_little_until_a_turn_suffices),
		UNIT_TEST(test_intake_with_few_frames_costs_nothing_but_their_read),
		UNIT_TEST(test_intake_of_one_that_waits_alone_is_answered_in_few_writes),
		UNIT_TEST(test_intake_counts_fragments_and_pings),
		UNIT_TEST(test_intake_keeps_what_came_behind_the_handshake),
		UNIT_TEST(test_intake_takes_sixteen_pipelined_requests_a_turn),
		UNIT_TEST(test_intake_is_watched_again_for_a_held_request),
		UNIT_TEST(test_intake_of_bytes_that_no_step_was_left_for_waits),
		UNIT_TEST(test_intake_takes_sixteen_records_a_turn),
		UNIT_TEST(test_intake_throws_away_no_more_than_a_turn_allows),
		UNIT_TEST(test_intake_of_a_link_that_ends_handles_nothing_more),
		UNIT_TEST(test_intake_of_a_link_that_closes_is_freed),
		UNIT_TEST(test_intake_ends_in_order_where_its_client_does),
		UNIT_TEST(test_intake_of_a_link_that_concludes_is_thrown_away),
		UNIT_TEST(test_intake_handles_all_that_a_client_said_before_it_shut_its_side),
		UNIT_TEST(test_intake_does_not_wait_for_a_client_that_is_gone),
		UNIT_TEST(test_intake_kept_counts_where_all_outboxes_hold_too_much),
		UNIT_TEST(test_intake_that_waits_is_not_taken_for_a_late_request),
		UNIT_TEST(test_intake_without_memory_closes_the_link),
		{ NULL, NULL },
	};
	return unit_main("intake", tests);
}
