/* permessage-deflate of whole connections: what is agreed on, what is compressed, and how often. */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "core/owners.h"
#include "http/settings.h"
#include "tests/unit/deflate_parts.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/live_world.h"
#include "tests/unit/unit.h"
#include "tests/unit/ws_bytes.h"
#include "transports/registry.h"
#include "util/deflate.h"

#define OFFER(parameters) "Sec-WebSocket-Extensions: permessage-deflate" parameters "\r\n"
#define AGREED "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; " \
	"client_no_context_takeover"
#define TEXT_LEN 3000

static struct live_world world;
static char text[TEXT_LEN + 1];
static const char *const deflate_options[] = { "--deflate", NULL };

static void
start(const char *const *options)
{
	memset(text, 'x', TEXT_LEN);
	world_open(&world, options);
}

static void
open_client(struct world_client *client, const char *query, const char *fields)
{
	struct world_request request = { .query = query, .http_minor = 1, .fields = fields };
	CU_ASSERT_TRUE_FATAL(client_open(client, &world, &sl_transport_websocket, &request));
	world_settle(&world);
	client_read(client);
}

static bool
has(const struct world_client *client, const char *words)
{
	return client->got.len && memmem(client->got.bytes, client->got.len, words, strlen(words));
}

static bool
is_agreed(const struct world_client *client)
{
	return has(client, "Sec-WebSocket-Extensions");
}

/* ---- what a client gets ---- */

struct frame {
	unsigned first; /* byte */
	struct sl_buffer payload; /* inflated */
	size_t wire_len;
};

/* Takes the next frame out of what was got; false when there is none. */
static bool
take_frame(struct world_client *client, unsigned window_bits, struct frame *frame)
{
	const unsigned char *head = (const unsigned char *)client->got.bytes;
	struct sl_deflater *deflater;
	if (client->got.len < 2)
		return false;
	size_t len = head[1], at = 2;
	if (len == 126) {
		len = (size_t)head[2] << 8 | head[3];
		at = 4;
	}
	CU_ASSERT_TRUE_FATAL(head[1] < 127 && client->got.len >= at + len);
	*frame = (struct frame){ .first = head[0], .wire_len = at + len };
	const char *payload = client->got.bytes + at;
	if (head[0] & SL_WS_RSV1) {
		CU_ASSERT_EQUAL_FATAL(sl_deflater_create(&deflater), 0);
		CU_ASSERT_EQUAL(sl_deflater_inflate(deflater, payload, len, 1 << 20, &frame->payload), 0);
		CU_ASSERT_TRUE(deflate_fits_window(window_bits, payload, len, frame->payload.bytes,
			frame->payload.len));
		sl_deflater_destroy(deflater);
	} else {
		sl_buffer_append(&frame->payload, payload, len);
	}
	sl_buffer_consume(&client->got, at + len);
	return true;
}

/* The client gets a frame that begins so, with `words` in what it says. Returns its length on the wire. */
static size_t
expect_frame(struct world_client *client, unsigned window_bits, unsigned first, const char *words)
{
	struct frame frame;
	client_read(client);
	CU_ASSERT_TRUE_FATAL(take_frame(client, window_bits, &frame));
	CU_ASSERT_EQUAL(frame.first, first);
	CU_ASSERT_TRUE(memmem(frame.payload.bytes, frame.payload.len, words, strlen(words)) != NULL);
	sl_buffer_finish(&frame.payload);
	return frame.wire_len;
}

#define PLAIN (0x80u | SL_WS_OPCODE_TEXT)
#define COMPRESSED (PLAIN | SL_WS_RSV1)

static void
begin_frames(struct world_client *client)
{
	CU_ASSERT_TRUE_FATAL(client_skip_head(client));
	expect_frame(client, 15, PLAIN, "{\"type\":\"open\"");
}

/* ---- agreeing ---- */

static void
test_ws_compression_is_agreed_on_where_it_is_on_and_offered(void)
{
	struct world_client client;
	start(deflate_options);
	open_client(&client, "channels=a", OFFER("; client_max_window_bits"));
	CU_ASSERT_TRUE(has(&client, AGREED "\r\n"));
	client_close(&client);
	open_client(&client, "channels=a", OFFER("; server_max_window_bits=9"));
	CU_ASSERT_TRUE(has(&client, AGREED "; server_max_window_bits=9\r\n"));
	client_close(&client);
	open_client(&client, "channels=a", OFFER("; unknown"));
	CU_ASSERT_FALSE(is_agreed(&client));
	client_close(&client);
	open_client(&client, "channels=a", NULL);
	CU_ASSERT_FALSE(is_agreed(&client));
	client_close(&client);
	world_close(&world);
}

/* Off, it changes no byte: what is sent is what a client gets that offers nothing. */
static void
test_ws_compression_that_is_off_changes_no_byte(void)
{
	struct world_client offering, other;
	start(NULL);
	open_client(&offering, "channels=a", OFFER(""));
	open_client(&other, "channels=a", NULL);
	world_publish(&world, "a", text);
	world_settle(&world);
	client_read(&offering);
	client_read(&other);
	CU_ASSERT_EQUAL_FATAL(offering.got.len, other.got.len);
	CU_ASSERT_EQUAL(memcmp(offering.got.bytes, other.got.bytes, other.got.len), 0);
	CU_ASSERT_PTR_NULL(world.shard.framer.compression.deflater);
	struct sl_buffer said = SL_BUFFER_INIT;
	ws_put_frame(&said, WS_FIN | SL_WS_RSV1 | SL_WS_OPCODE_TEXT, "\0", 1);
	client_send(&offering, said.bytes, said.len);
	sl_buffer_finish(&said);
	world_settle(&world);
	client_read(&offering);
	CU_ASSERT_TRUE(memcmp(offering.got.bytes + offering.got.len - 4, "\x88\x02\x03\xea", 4) == 0);
	client_close(&offering);
	client_close(&other);
	world_close(&world);
}

/* ---- sending ---- */

#define CLIENTS 7

/* A message is compressed once for all that have the same window and format, whatever their number. */
static void
test_ws_compression_happens_once_for_all_clients_of_a_window(void)
{
	static const struct { const char *query, *fields; unsigned bits; } kinds[CLIENTS] = {
		{ "channels=a", OFFER(""), 15 }, { "channels=a", OFFER("; client_max_window_bits"), 15 },
		{ "channels=a", OFFER("; server_max_window_bits=15"), 15 },
		{ "channels=a", OFFER("; server_max_window_bits=8"), 8 },
		{ "channels=a", OFFER("; server_max_window_bits=8"), 8 },
		{ "channels=a", NULL, 0 },
		{ "channels=a&format=raw", OFFER(""), 15 },
	};
	struct world_client clients[CLIENTS];
	start(deflate_options);
	for (size_t i = 0; i < CLIENTS; i++) {
		open_client(&clients[i], kinds[i].query, kinds[i].fields);
		CU_ASSERT_TRUE_FATAL(client_skip_head(&clients[i]));
		if (i != CLIENTS - 1)
			expect_frame(&clients[i], 15, PLAIN, "{\"type\":\"open\"");
	}
	for (unsigned round = 1; round <= 3; round++) {
		world_publish(&world, "a", text);
		world_settle(&world);
		for (size_t i = 0; i < CLIENTS; i++) {
			size_t len = expect_frame(&clients[i], kinds[i].bits,
				kinds[i].bits ? COMPRESSED : PLAIN, text);
			CU_ASSERT_TRUE(kinds[i].bits ? len < 150 : len > TEXT_LEN);
		}
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_DEFLATE_MESSAGES), 3 * round);
	}
	CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_DEFLATE_BYTES_IN) > 9 * TEXT_LEN);
	CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_DEFLATE_BYTES_OUT) < 9 * 150);
	for (size_t i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	world_close(&world);
}

static void
test_ws_compression_holds_for_history_too(void)
{
	struct world_client client;
	start(deflate_options);
	world_publish(&world, "a", text);
	world_publish(&world, "a", "short");
	open_client(&client, "channels=a&since=0", OFFER(""));
	begin_frames(&client);
	expect_frame(&client, 15, COMPRESSED, text);
	expect_frame(&client, 15, PLAIN, "short");
	client_close(&client);
	world_close(&world);
}

static void
publish_json(struct world_client *client, const char *more, bool compresses)
{
	struct sl_buffer object = SL_BUFFER_INIT, said = SL_BUFFER_INIT;
	struct sl_span made;
	struct sl_deflater *deflater;
	sl_buffer_printf(&object, "{\"type\":\"publish\",\"channel\":\"a\",\"data\":\"%s\"%s}", text, more);
	if (compresses) {
		CU_ASSERT_EQUAL_FATAL(sl_deflater_create(&deflater), 0);
		CU_ASSERT_EQUAL_FATAL(sl_deflater_compress(deflater, 15, object.bytes, object.len, &made), 0);
		ws_put_frame(&said, WS_FIN | SL_WS_RSV1 | SL_WS_OPCODE_TEXT, made.bytes, made.len);
		sl_deflater_destroy(deflater);
	} else {
		ws_put_frame(&said, WS_FIN | SL_WS_OPCODE_TEXT, object.bytes, object.len);
	}
	client_send(client, said.bytes, said.len);
	sl_buffer_finish(&said);
	sl_buffer_finish(&object);
	world_settle(&world);
}

static void
test_ws_compression_leaves_out_messages_that_say_so_live_and_in_history(void)
{
	struct world_client client, later;
	start(deflate_options);
	open_client(&client, "channels=a", OFFER(""));
	begin_frames(&client);
	publish_json(&client, ",\"compress\":false", false);
	expect_frame(&client, 15, PLAIN, "\"type\":\"ack\"");
	expect_frame(&client, 15, PLAIN, text);
	publish_json(&client, ",\"compress\":true", false);
	expect_frame(&client, 15, PLAIN, "\"type\":\"ack\"");
	expect_frame(&client, 15, COMPRESSED, text);
	open_client(&later, "channels=a&since=0", OFFER(""));
	begin_frames(&later);
	expect_frame(&later, 15, PLAIN, text);
	expect_frame(&later, 15, COMPRESSED, text);
	client_close(&later);
	client_close(&client);
	world_close(&world);
}

/* What the gateway says itself is never compressed, however long. */
static void
test_ws_compression_leaves_control_objects_as_they_are(void)
{
	static const char *const options[] = { "--deflate", "--deflate-threshold=0", NULL };
	struct world_client client;
	struct sl_buffer said = SL_BUFFER_INIT;
	start(options);
	open_client(&client, "channels=a", OFFER(""));
	begin_frames(&client);
	sl_buffer_printf(&said, "{\"type\":\"ping\",\"data\":\"%s\"}", text);
	struct sl_buffer frame = SL_BUFFER_INIT;
	ws_put_frame(&frame, WS_FIN | SL_WS_OPCODE_TEXT, said.bytes, said.len);
	client_send(&client, frame.bytes, frame.len);
	world_settle(&world);
	expect_frame(&client, 15, PLAIN, text);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_DEFLATE_MESSAGES), 0);
	sl_buffer_finish(&said);
	sl_buffer_finish(&frame);
	client_close(&client);
	world_close(&world);
}

static void
test_ws_compression_ends_and_begins_with_a_reload(void)
{
	struct world_client client;
	start(deflate_options);
	struct sl_config off = *world.shard.config, on = off;
	off.deflate = false;
	open_client(&client, "channels=a", OFFER(""));
	begin_frames(&client);
	sl_shard_set_config(&world.shard, &off);
	world_publish(&world, "a", text);
	world_settle(&world);
	expect_frame(&client, 15, PLAIN, text);
	publish_json(&client, "", true); /* the client may go on to compress */
	expect_frame(&client, 15, PLAIN, "\"type\":\"ack\"");
	expect_frame(&client, 15, PLAIN, text);
	on.deflate_threshold = TEXT_LEN + 1;
	sl_shard_set_config(&world.shard, &on);
	world_publish(&world, "a", text);
	world_settle(&world);
	expect_frame(&client, 15, PLAIN, text);
	on.deflate_threshold = TEXT_LEN;
	sl_shard_set_config(&world.shard, &on);
	world_publish(&world, "a", text);
	world_settle(&world);
	expect_frame(&client, 15, COMPRESSED, text);
	sl_shard_set_config(&world.shard, &world.settings->config);
	client_close(&client);
	world_close(&world);
}

/* ---- receiving ---- */

static void
test_ws_compression_reads_what_a_client_compresses(void)
{
	struct world_client client;
	start(deflate_options);
	open_client(&client, "channels=a", OFFER(""));
	begin_frames(&client);
	publish_json(&client, "", true);
	expect_frame(&client, 15, PLAIN, "\"type\":\"ack\"");
	expect_frame(&client, 15, COMPRESSED, text);
	publish_json(&client, "", false);
	expect_frame(&client, 15, PLAIN, "\"type\":\"ack\"");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_INFLATE_MESSAGES), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_INFLATE_REFUSED), 0);
	client_close(&client);
	world_close(&world);
}

static void
test_ws_compression_closes_at_a_bomb_and_counts_it(void)
{
	struct world_client client;
	struct sl_buffer said = SL_BUFFER_INIT;
	size_t len, zeros;
	char *bomb = deflate_make_bomb(65536, &len, &zeros);
	start(deflate_options);
	open_client(&client, "channels=a&format=raw", OFFER(""));
	ws_put_frame(&said, WS_FIN | SL_WS_RSV1 | SL_WS_OPCODE_BINARY, bomb, len);
	for (size_t at = 0; at < said.len; at += 8192) {
		client_send(&client, said.bytes + at, said.len - at < 8192 ? said.len - at : 8192);
		world_settle(&world);
	}
	client_read(&client);
	CU_ASSERT_TRUE(client.got.len >= 4 &&
		memcmp(client.got.bytes + client.got.len - 4, "\x88\x02\x03\xf1", 4) == 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_INFLATE_MESSAGES), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_INFLATE_REFUSED), 1);
	CU_ASSERT_EQUAL(world_head(&world), 0);
	sl_buffer_finish(&said);
	free(bomb);
	client_close(&client);
	world_close(&world);
}

/* A few bytes that stand for many take as many steps as the many would. */
static void
test_ws_compression_makes_who_sends_much_wait_for_its_turn(void)
{
	static char object[60000];
	struct world_client client;
	struct sl_buffer said = SL_BUFFER_INIT;
	struct sl_deflater *deflater;
	struct sl_span made;
	int len = snprintf(object, sizeof object, "{\"type\":\"ping\",\"data\":\"");
	memset(object + len, 'x', sizeof object - (size_t)len);
	memcpy(object + sizeof object - 2, "\"}", 2);
	CU_ASSERT_EQUAL_FATAL(sl_deflater_create(&deflater), 0);
	CU_ASSERT_EQUAL_FATAL(sl_deflater_compress(deflater, 15, object, sizeof object, &made), 0);
	start(deflate_options);
	open_client(&client, "channels=a", OFFER(""));
	for (int i = 0; i < 8; i++)
		ws_put_frame(&said, WS_FIN | SL_WS_RSV1 | SL_WS_OPCODE_TEXT, made.bytes, made.len);
	client_send(&client, said.bytes, said.len);
	world_turn(&world);
	uint64_t first = world_counter(&world, SL_COUNTER_INFLATE_MESSAGES);
	CU_ASSERT_TRUE(first >= 1 && first <= 2);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_INFLATE_MESSAGES), 8);
	sl_deflater_destroy(deflater);
	sl_buffer_finish(&said);
	client_close(&client);
	world_close(&world);
}

/* History is compressed for one client alone. */
static void
test_ws_compression_of_history_costs_its_owner_more(void)
{
	static const struct { const char *fields; bool waits; } cases[] = { { NULL, false }, { OFFER(""), true } };
	for (size_t i = 0; i < 2; i++) {
		struct world_client client;
		struct world_request request = { .query = "channels=a&since=0", .http_minor = 1,
			.fields = cases[i].fields, .over_tcp = true };
		start(deflate_options);
		world_limit_rate(&world, SL_LIMIT_HISTORY_BYTES, 20 * TEXT_LEN); /* twice that at once */
		for (int n = 0; n < 20; n++)
			world_publish(&world, "a", text);
		CU_ASSERT_TRUE_FATAL(client_open(&client, &world, &sl_transport_websocket, &request));
		world_settle(&world);
		CU_ASSERT_EQUAL(sl_owner_get_wait(client.subscriber->owner, SL_LIMIT_HISTORY_BYTES,
			world.shard.loop.now_ms) > 0, cases[i].waits);
		client_close(&client);
		world_close(&world);
	}
}

/* ---- memory ---- */

/* Without memory a client is served without compression, a message goes out as it is, or the connection
 * ends: none of these leaves anything behind. */
static void
test_ws_compression_without_memory_is_done_without(void)
{
	static const char handshake[] = "GET /ws?channels=a&since=0 HTTP/1.1\r\nHost: localhost\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" OFFER("") "\r\n";
	static const struct world_request request = { .http_minor = 1 };
	unsigned compressed = 0, plain = 0;
	bool has_failed = true;
	for (unsigned n = 1; has_failed; n++) {
		struct world_client client;
		start(deflate_options);
		world_publish(&world, "a", text);
		client_connect(&client, &world, &request);
		client_send(&client, handshake, sizeof handshake - 1);
		failing_alloc_set(n / 2 + 1, n % 2);
		world_settle(&world);
		has_failed = failing_alloc_has_failed();
		failing_alloc_off();
		client_read(&client);
		plain += has(&client, text);
		compressed += world_counter(&world, SL_COUNTER_DEFLATE_MESSAGES) == 1;
		client_close(&client);
		world_settle(&world);
		CU_ASSERT_PTR_NULL(world.shard.links);
		CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
		world_close(&world);
	}
	CU_ASSERT_TRUE(plain > 0 && compressed > 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ws_compression_is_agreed_on_where_it_is_on_and_offered),
		UNIT_TEST(test_ws_compression_that_is_off_changes_no_byte),
		UNIT_TEST(test_ws_compression_happens_once_for_all_clients_of_a_window),
		UNIT_TEST(test_ws_compression_holds_for_history_too),
		UNIT_TEST(test_ws_compression_leaves_out_messages_that_say_so_live_and_in_history),
		UNIT_TEST(test_ws_compression_leaves_control_objects_as_they_are),
		UNIT_TEST(test_ws_compression_ends_and_begins_with_a_reload),
		UNIT_TEST(test_ws_compression_reads_what_a_client_compresses),
		UNIT_TEST(test_ws_compression_closes_at_a_bomb_and_counts_it),
		UNIT_TEST(test_ws_compression_makes_who_sends_much_wait_for_its_turn),
		UNIT_TEST(test_ws_compression_of_history_costs_its_owner_more),
		UNIT_TEST(test_ws_compression_without_memory_is_done_without),
		{ NULL, NULL },
	};
	return unit_main("ws_compression", tests);
}
