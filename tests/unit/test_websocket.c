/* How a WebSocket ends: after a client's last words, right or wrong, it still gets what it
 * published before them. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bus/bus.h"
#include "live/control.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/live_world.h"
#include "tests/unit/unit.h"
#include "tests/unit/ws_bytes.h"
#include "transports/registry.h"

static struct live_world world;
static struct world_client client;
static char large[60001];

static void
open_websocket(const char *query, int send_buffer)
{
	struct world_request request = { .query = query, .http_minor = 1, .send_buffer = send_buffer,
		.over_tcp = send_buffer > 0 };
	CU_ASSERT_TRUE_FATAL(client_open(&client, &world, &sl_transport_websocket, &request));
	world_settle(&world);
	CU_ASSERT_TRUE_FATAL(client_skip_head(&client));
}

static void
stop(void)
{
	client_close(&client);
	world_close(&world);
}

/* ---- last words ---- */

static void
put_binary(struct sl_buffer *out)
{
	ws_put(out, true, SL_WS_OPCODE_BINARY, "binary");
}

static void
put_reserved(struct sl_buffer *out)
{
	ws_put_frame(out, 0xf0 | SL_WS_OPCODE_TEXT, "x", 1);
}

static void
put_bad_text(struct sl_buffer *out)
{
	ws_put(out, true, SL_WS_OPCODE_TEXT, "\xff");
}

static void
put_too_large(struct sl_buffer *out)
{
	static const uint8_t mask[4] = { 1, 2, 3, 4 };
	ws_put_header(out, WS_FIN | SL_WS_OPCODE_TEXT, 1 << 20, mask);
}

static void
put_close(struct sl_buffer *out)
{
	ws_put_frame(out, WS_FIN | SL_WS_OPCODE_CLOSE, "\x03\xe9", 2);
}

static const struct last_words {
	void (*put)(struct sl_buffer *out);
	const char *close; /* the gateway's close frame */
} json_endings[] = {
	{ put_binary, "\x88\x02\x03\xeb" },
	{ put_reserved, "\x88\x02\x03\xea" },
	{ put_bad_text, "\x88\x02\x03\xef" },
	{ put_too_large, "\x88\x02\x03\xf1" },
	{ put_close, "\x88\x02\x03\xe9" },
};

static void
put_publish(struct sl_buffer *out, const char *channel, int ref)
{
	char text[128];
	snprintf(text, sizeof text, "{\"type\":\"publish\",\"channel\":\"%s\",\"data\":%d,\"ref\":%d}",
		channel, ref, ref);
	ws_put(out, true, SL_WS_OPCODE_TEXT, text);
}

static void
say(struct sl_buffer *said)
{
	client_send(&client, said->bytes, said->len);
	sl_buffer_finish(said);
}

/* Where `bytes` stand in what was got, or a length beyond it. */
static size_t
find(const char *bytes, size_t len)
{
	const char *at = client.got.len ? memmem(client.got.bytes, client.got.len, bytes, len) : NULL;
	return at ? (size_t)(at - client.got.bytes) : SIZE_MAX;
}

static size_t
find_text(const char *text)
{
	return find(text, strlen(text));
}

static void
expect_close_last(const char *close)
{
	size_t len = 4;
	CU_ASSERT_TRUE_FATAL(client.got.len >= len);
	CU_ASSERT_EQUAL(memcmp(client.got.bytes + client.got.len - len, close, len), 0);
}

static void
test_websocket_delivers_what_was_published_before_the_end_in_one_read(void)
{
	for (size_t i = 0; i < sizeof json_endings / sizeof *json_endings; i++) {
		struct sl_buffer said = SL_BUFFER_INIT;
		world_open(&world, NULL);
		open_websocket("channels=a", 0);
		put_publish(&said, "a", 1);
		put_publish(&said, "elsewhere", 2);
		json_endings[i].put(&said);
		put_publish(&said, "a", 3); /* too late */
		say(&said);
		world_settle(&world);
		client_read(&client);
		CU_ASSERT_EQUAL(world_head(&world), 2);
		CU_ASSERT_TRUE(find_text("{\"type\":\"ack\",\"ref\":1,") < client.got.len);
		CU_ASSERT_TRUE(find_text("{\"type\":\"ack\",\"ref\":2,") < client.got.len);
		CU_ASSERT_TRUE(find_text("\"channel\":\"a\",") < client.got.len);
		CU_ASSERT_EQUAL(find_text("\"ref\":3"), SIZE_MAX);
		expect_close_last(json_endings[i].close);
		CU_ASSERT_TRUE(client.ended);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROTOCOL_ERRORS),
			json_endings[i].put != put_close);
		stop();
	}
}

static void
test_websocket_delivers_raw_messages_before_the_end_in_one_read(void)
{
	for (size_t i = 1; i < sizeof json_endings / sizeof *json_endings; i++) {
		struct sl_buffer said = SL_BUFFER_INIT;
		world_open(&world, NULL);
		open_websocket("channels=a&format=raw", 0);
		ws_put(&said, true, SL_WS_OPCODE_TEXT, "one");
		ws_put(&said, true, SL_WS_OPCODE_BINARY, "two");
		json_endings[i].put(&said);
		say(&said);
		world_settle(&world);
		client_read(&client);
		CU_ASSERT_EQUAL(find("\x81\x03one\x82\x03two\x88", 11), 0);
		expect_close_last(json_endings[i].close);
		stop();
	}
}

/* Its own message stands behind all that history has for it. */
static void
test_websocket_catches_up_to_its_own_message_before_the_end(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	world_open(&world, NULL);
	for (int i = 0; i < 300; i++)
		world_publish(&world, "a", "old");
	struct world_request request = { .query = "channels=a&since=0", .http_minor = 1 };
	CU_ASSERT_TRUE_FATAL(client_open(&client, &world, &sl_transport_websocket, &request));
	put_publish(&said, "a", 1);
	put_reserved(&said);
	say(&said);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_BEHIND);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_TRUE(find_text("-301\",\"channel\":\"a\"") < client.got.len);
	expect_close_last("\x88\x02\x03\xea");
	stop();
}

static void
test_websocket_that_was_probing_gets_its_message_before_the_end(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	world_open(&world, NULL);
	open_websocket("channels=a&probe=nonce-0001", 0);
	put_publish(&said, "a", 1);
	put_close(&said);
	say(&said);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_TRUE(find_text("\"channel\":\"a\",") < client.got.len);
	expect_close_last("\x88\x02\x03\xe9");
	stop();
}

static void
test_websocket_whose_client_takes_nothing_ends_all_the_same(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	world_open(&world, NULL);
	for (int i = 0; i < 10; i++)
		world_publish(&world, "a", large);
	open_websocket("channels=a&since=0", 4608);
	put_publish(&said, "a", 1);
	put_reserved(&said);
	say(&said);
	world_settle(&world);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_BEHIND);
	world_pass(&world, 5040);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_ENDING);
	world_pass(&world, 5040);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	stop();
}

static void
test_websocket_that_waits_for_its_end_is_ended_for_another_reason(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	world_open(&world, NULL);
	for (int i = 0; i < 10; i++)
		world_publish(&world, "a", large);
	open_websocket("channels=a&since=0", 4608);
	put_publish(&said, "a", 1);
	put_reserved(&said);
	say(&said);
	world_settle(&world);
	sl_subscriber_end(client.subscriber, SL_END_DRAINING);
	for (int i = 0; i < 1000 && !client.ended; i++) {
		client_read(&client);
		world_turn(&world);
	}
	CU_ASSERT_TRUE(find_text("{\"type\":\"bye\",\"reason\":\"draining\"") < client.got.len);
	expect_close_last("\x88\x02\x03\xf4");
	stop();
}

/* ---- its token ends ---- */

static struct held_backend *
open_held_websocket(const char *query)
{
	struct held_backend *held = held_create();
	world_open_over(&world, &held->base, NULL);
	open_websocket(query, 0);
	return held;
}

/* What it has published is acknowledged before the end; what it says from then on is not read. */
static void
test_websocket_whose_token_expired_gets_its_acks_and_says_no_more(void)
{
	struct sl_buffer said = SL_BUFFER_INIT, late = SL_BUFFER_INIT;
	struct held_backend *held = open_held_websocket("channels=a");
	put_publish(&said, "a", 1);
	say(&said);
	world_settle(&world);
	CU_ASSERT_EQUAL(held->count, 1);
	sl_subscriber_end_leave(&client.subscriber->holder, SL_LEAVE_EXPIRED);
	put_publish(&late, "a", 2);
	ws_put_header(&late, WS_FIN | SL_WS_OPCODE_TEXT, 1 << 20, (const uint8_t[4]){ 1, 2, 3, 4 });
	say(&late);
	for (int i = 0; i < 20; i++) { /* more than who has nothing to say may send */
		client_send(&client, large, sizeof large - 1);
		world_settle(&world);
	}
	CU_ASSERT_EQUAL(held->count, 1);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	held_answer(held, 0);
	world_settle(&world);
	client_read(&client);
	size_t ack = find_text("{\"type\":\"ack\",\"ref\":1,"), bye = find_text("\"token_expired\"");
	CU_ASSERT_TRUE(ack < bye && bye < client.got.len);
	CU_ASSERT_TRUE(find_text("\"channel\":\"a\",") < bye);
	CU_ASSERT_EQUAL(find_text("\"ref\":2"), SIZE_MAX);
	expect_close_last("\x88\x02\x0f\xa2"); /* 4002 */
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROTOCOL_ERRORS), 0);
	stop();
}

/* It has its ack, or another stream with another token asks again with the key. */
static void
test_websocket_whose_token_expired_does_not_wait_for_ever(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	struct held_backend *held = open_held_websocket("channels=a");
	put_publish(&said, "a", 1);
	say(&said);
	world_settle(&world);
	sl_subscriber_end_leave(&client.subscriber->holder, SL_LEAVE_EXPIRED);
	world_pass(&world, 5040);
	client_read(&client);
	CU_ASSERT_TRUE(find_text("\"token_expired\"") < client.got.len);
	expect_close_last("\x88\x02\x0f\xa2");
	held_answer(held, 0);
	world_settle(&world);
	CU_ASSERT_EQUAL(client_read(&client), 0);
	stop();
}

static void
test_websocket_that_is_revoked_ends_at_once(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	struct held_backend *held = open_held_websocket("channels=a");
	put_publish(&said, "a", 1);
	say(&said);
	world_settle(&world);
	sl_subscriber_end_leave(&client.subscriber->holder, SL_LEAVE_REVOKED);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_TRUE(find_text("\"token_revoked\"") < client.got.len);
	CU_ASSERT_EQUAL(find_text("\"ack\""), SIZE_MAX);
	expect_close_last("\x88\x02\x0f\xa4"); /* 4004 */
	held_answer(held, 0); /* its publish was taken all the same */
	world_settle(&world);
	CU_ASSERT_EQUAL(world_head(&world), 1);
	stop();
}

static void
test_websocket_in_raw_tells_by_its_close_code_that_its_token_ended(void)
{
	static const struct { enum sl_leave leave; const char *close; } cases[] = {
		{ SL_LEAVE_EXPIRED, "\x88\x02\x0f\xa2" }, { SL_LEAVE_REVOKED, "\x88\x02\x0f\xa4" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		world_open(&world, NULL);
		open_websocket("channels=a&format=raw", 0);
		sl_subscriber_end_leave(&client.subscriber->holder, cases[i].leave);
		world_settle(&world);
		client_read(&client);
		CU_ASSERT_EQUAL(client.got.len, 4);
		expect_close_last(cases[i].close);
		stop();
	}
}

/* ---- its client is over a limit ---- */

#define CLOSE_LIMITED "\x88\x0e\x03\xf0rate_limited" /* 1008 */

static void
test_websocket_over_a_limit_gets_its_acks_then_is_told_when_to_come_back(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	struct held_backend *held = open_held_websocket("channels=a");
	unsigned retry_ms = 0;
	put_publish(&said, "a", 1);
	say(&said);
	world_settle(&world);
	sl_subscriber_end_limited(client.subscriber, 5000);
	sl_subscriber_end_limited(client.subscriber, 9000); /* ends once */
	for (int i = 0; i < 20; i++) { /* it does not stop, and yet reads why */
		client_send(&client, large, sizeof large - 1);
		world_settle(&world);
	}
	CU_ASSERT_EQUAL(held->count, 1);
	held_answer(held, 0);
	world_settle(&world);
	client_read(&client);
	size_t ack = find_text("{\"type\":\"ack\",\"ref\":1,");
	size_t bye = find_text("{\"type\":\"bye\",\"reason\":\"rate_limited\",\"retry\":");
	CU_ASSERT_TRUE_FATAL(ack < bye && bye < client.got.len);
	CU_ASSERT_EQUAL(sscanf(client.got.bytes + bye, "%*[^:]:%*[^:]:%*[^:]:%u", &retry_ms), 1);
	CU_ASSERT_EQUAL(retry_ms, 5000);
	CU_ASSERT_EQUAL(find_text(CLOSE_LIMITED), client.got.len - strlen(CLOSE_LIMITED));
	stop();
}

static void
test_websocket_in_raw_tells_by_its_close_that_it_is_over_a_limit(void)
{
	world_open(&world, NULL);
	open_websocket("channels=a&format=raw", 0);
	sl_subscriber_end_limited(client.subscriber, 1);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_EQUAL(client.got.len, strlen(CLOSE_LIMITED));
	CU_ASSERT_EQUAL(find_text(CLOSE_LIMITED), 0);
	stop();
}

/* ---- a publish that raw has no other way to refuse ---- */

static void
test_websocket_in_raw_ends_at_the_first_message_that_is_refused(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	world_open(&world, NULL);
	open_websocket("channels=a&format=raw", 0);
	ws_put(&said, true, SL_WS_OPCODE_TEXT, "one");
	say(&said);
	world_turn(&world);
	sl_bus_drain(world.bus);
	ws_put(&said, true, SL_WS_OPCODE_TEXT, "two");
	ws_put(&said, true, SL_WS_OPCODE_TEXT, "three");
	say(&said);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_EQUAL(find("\x81\x03one\x88\x02\x03\xf5", 9), 0);
	CU_ASSERT_EQUAL(client.got.len, 9);
	stop();
}

/* ---- opening ---- */

#define HANDSHAKE "GET /ws?channels=a%s HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n" \
	"Connection: Upgrade\r\nUpgrade: websocket\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n"

/* In one piece, with what the client says behind its handshake. */
static void
send_handshake(const char *query, const char *fields, const struct sl_buffer *behind)
{
	static const struct world_request request = { .query = "" };
	struct sl_buffer text = SL_BUFFER_INIT;
	sl_buffer_printf(&text, HANDSHAKE, query, fields);
	sl_buffer_append(&text, behind->bytes, behind->len);
	client_connect(&client, &world, &request);
	client_send(&client, text.bytes, text.len);
	sl_buffer_finish(&text);
}

static void
test_websocket_serves_frames_that_came_with_its_handshake(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	world_open(&world, NULL);
	put_publish(&said, "a", 1);
	put_close(&said);
	send_handshake("", "", &said);
	sl_buffer_finish(&said);
	world_settle(&world);
	CU_ASSERT_TRUE_FATAL(client_skip_head(&client));
	CU_ASSERT_TRUE(find_text("{\"type\":\"ack\",\"ref\":1,") < client.got.len);
	CU_ASSERT_TRUE(find_text("\"channel\":\"a\",") < client.got.len);
	expect_close_last("\x88\x02\x03\xe9");
	stop();
}

static void
test_websocket_chooses_our_subprotocol_where_it_is_offered(void)
{
	static const struct { const char *fields; bool is_chosen; } cases[] = {
		{ "", false },
		{ "Sec-WebSocket-Protocol: sluice.v1\r\n", true },
		{ "Sec-WebSocket-Protocol: a, sluice.v1 ,b\r\n", true },
		{ "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b, sluice.v1\r\n", true },
		{ "Sec-WebSocket-Protocol: Sluice.v1\r\n", false },
		{ "Sec-WebSocket-Protocol: sluice.v10, sluice.v, xsluice.v1\r\n", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_buffer nothing = SL_BUFFER_INIT;
		world_open(&world, NULL);
		send_handshake("", cases[i].fields, &nothing);
		world_settle(&world);
		client_read(&client);
		CU_ASSERT_TRUE_FATAL(find_text("HTTP/1.1 101 ") == 0);
		CU_ASSERT_EQUAL(find_text("\r\nSec-WebSocket-Protocol: sluice.v1\r\n") != SIZE_MAX,
			cases[i].is_chosen);
		stop();
	}
}

static void
test_websocket_refuses_a_plain_get_with_what_would_be_right(void)
{
	static const char plain[] = "GET /ws?channels=a HTTP/1.1\r\nHost: localhost\r\n\r\n";
	static const struct world_request request = { .query = "" };
	world_open(&world, NULL);
	client_connect(&client, &world, &request);
	client_send(&client, plain, sizeof plain - 1);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_EQUAL(find_text("HTTP/1.1 426 "), 0);
	CU_ASSERT_NOT_EQUAL(find_text("\r\nUpgrade: websocket\r\n"), SIZE_MAX);
	CU_ASSERT_NOT_EQUAL(find_text("\r\nSec-WebSocket-Version: 13\r\n"), SIZE_MAX);
	CU_ASSERT_NOT_EQUAL(find_text("\"code\":\"upgrade_required\""), SIZE_MAX);
	CU_ASSERT_TRUE(client_is_served(&client, &world)); /* kept, for one that upgrades */
	stop();
}

static void
test_websocket_without_memory_refuses_or_closes(void)
{
	world_open(&world, NULL);
	world_publish(&world, "a", "x");
	for (unsigned n = 1; n < 60; n++) {
		struct sl_buffer said = SL_BUFFER_INIT;
		put_publish(&said, "a", 1);
		send_handshake("&since=0&probe=nonce-0001", "", &said);
		sl_buffer_finish(&said);
		failing_alloc_set(n / 2 + 1, n % 2);
		world_settle(&world);
		failing_alloc_off();
		client_close(&client);
		world_settle(&world);
		CU_ASSERT_PTR_NULL(world.shard.links);
		CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	}
	CU_ASSERT_FALSE(failing_alloc_has_failed()); /* so n was high enough */
	world_close(&world);
}

/* ---- what a client sends too much of ---- */

/* A sender that is cut off by a reset would not see why. */
static void
test_websocket_reads_the_rest_of_a_message_that_is_too_large(void)
{
	struct sl_buffer said = SL_BUFFER_INIT;
	size_t sent = 0;
	world_open(&world, NULL);
	open_websocket("channels=a", 0);
	put_too_large(&said);
	say(&said);
	while (sent < 1 << 20) {
		ssize_t taken = send(client.fd, large, sizeof large, MSG_NOSIGNAL);
		sent += taken > 0 ? (size_t)taken : 0;
		world_turn(&world);
	}
	client_read(&client);
	expect_close_last("\x88\x02\x03\xf1");
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_FALSE(client.reset);
	CU_ASSERT_TRUE(client_is_served(&client, &world)); /* it lingers */
	stop();
}

static void
test_websocket_that_pings_and_does_not_read_is_slow(void)
{
	static const char *const options[] = { "--outbox=10K", NULL };
	world_open(&world, options);
	open_websocket("channels=a", 4608);
	for (int i = 0; i < 5000 && client.link->state == SL_LINK_OPEN; i++) {
		struct sl_buffer said = SL_BUFFER_INIT;
		ws_put(&said, true, SL_WS_OPCODE_PING, "0123456789012345678901234567890123456789");
		send(client.fd, said.bytes, said.len, MSG_NOSIGNAL);
		sl_buffer_finish(&said);
		world_turn(&world);
	}
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_ENDING);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 1);
	stop();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_websocket_delivers_what_was_published_before_the_end_in_one_read),
		UNIT_TEST(test_websocket_delivers_raw_messages_before_the_end_in_one_read),
		UNIT_TEST(test_websocket_catches_up_to_its_own_message_before_the_end),
		UNIT_TEST(test_websocket_that_was_probing_gets_its_message_before_the_end),
		UNIT_TEST(test_websocket_whose_client_takes_nothing_ends_all_the_same),
		UNIT_TEST(test_websocket_that_waits_for_its_end_is_ended_for_another_reason),
		UNIT_TEST(test_websocket_whose_token_expired_gets_its_acks_and_says_no_more),
		UNIT_TEST(test_websocket_whose_token_expired_does_not_wait_for_ever),
		UNIT_TEST(test_websocket_that_is_revoked_ends_at_once),
		UNIT_TEST(test_websocket_in_raw_tells_by_its_close_code_that_its_token_ended),
		UNIT_TEST(test_websocket_over_a_limit_gets_its_acks_then_is_told_when_to_come_back),
		UNIT_TEST(test_websocket_in_raw_tells_by_its_close_that_it_is_over_a_limit),
		UNIT_TEST(test_websocket_in_raw_ends_at_the_first_message_that_is_refused),
		UNIT_TEST(test_websocket_serves_frames_that_came_with_its_handshake),
		UNIT_TEST(test_websocket_chooses_our_subprotocol_where_it_is_offered),
		UNIT_TEST(test_websocket_refuses_a_plain_get_with_what_would_be_right),
		UNIT_TEST(test_websocket_without_memory_refuses_or_closes),
		UNIT_TEST(test_websocket_reads_the_rest_of_a_message_that_is_too_large),
		UNIT_TEST(test_websocket_that_pings_and_does_not_read_is_slow),
		{ NULL, NULL },
	};
	memset(large, 'x', sizeof large - 1);
	return unit_main("websocket", tests);
}
