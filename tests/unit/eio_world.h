/* A world for tests of Engine.IO: two shards with one bus. Clients come to the first; sessions are on it too, or
 * are opened on the other by the test.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_EIO_WORLD_H
#define SL_TESTS_EIO_WORLD_H

#include "clients/engine_io/eio_carrier.h"
#include "clients/engine_io/eio_raw.h"
#include "clients/engine_io/eio_session.h"
#include "http/request.h"
#include "http/settings.h"
#include "live/session_table.h"
#include "tests/unit/http_client.h"
#include "tests/unit/ws_bytes.h"

static struct live_world world;
static struct sl_shard other;
static struct sl_front other_front;
static struct sl_shard *eio_shards[2] = { &world.shard, &other };

static inline void
eio_begin_over(struct sl_backend *backend, const char *const *options)
{
	if (backend)
		world_open_over(&world, backend, options);
	else
		world_open(&world, options);
	world.shard.count = 2;
	world.http.shards = eio_shards;
	world.http.shard_count = 2;
	CU_ASSERT_EQUAL_FATAL(sl_shard_init(&other, 1, 2, world.bus, &world.settings->config), 0);
	CU_ASSERT_EQUAL_FATAL(sl_front_init(&other_front, &world.http, &other, world.settings), 0);
	other.loop.now_ms = world.shard.loop.now_ms;
}

static inline void
eio_begin(const char *const *options)
{
	eio_begin_over(NULL, options);
}

static inline void
eio_turn_other(void)
{
	other.loop.now_ms = world.shard.loop.now_ms;
	sl_timer_wheel_run(&other.loop.timers, other.loop.now_ms);
	sl_mailbox_run_tasks(&other.mailbox);
	sl_shard_work(&other);
	sl_loop_end_turn(&other.loop);
}

/* Both shards have nothing to do any more. */
static inline void
eio_settle(void)
{
	for (int i = 0; i < 4; i++) {
		eio_turn_other();
		world_settle(&world);
	}
}

static inline void
eio_pass(uint64_t ms)
{
	for (uint64_t step; ms > 0; ms -= step) {
		step = ms < 16 ? ms : 16;
		world.shard.loop.now_ms += step;
		eio_settle();
	}
}

/* As the app stops: all links and sessions first, then what is on its way. */
static inline void
eio_end(void)
{
	sl_shard_close_links(&world.shard);
	sl_shard_close_links(&other);
	for (int i = 0; i < 4; i++) {
		sl_mailbox_run_tasks(&other.mailbox);
		sl_mailbox_run_tasks(&world.shard.mailbox);
	}
	sl_loop_end_turn(&other.loop);
	sl_front_finish(&other_front);
	sl_shard_finish(&other);
	world_close(&world);
}

/* ---- requests ---- */

static inline const char *
eio_take(struct world_client *client)
{
	eio_settle();
	return http_take(client, &world);
}

static inline const char *
eio_ask(struct world_client *client, const char *method, const char *query, const char *fields, const char *body)
{
	char request[4096];
	snprintf(request, sizeof request, "%s /engine.io/?%s HTTP/1.1\r\nHost: localhost\r\n%s"
		"Content-Length: %zu\r\n\r\n%s", method, query, fields, strlen(body), body);
	client_send(client, request, strlen(request));
	return eio_take(client);
}

/* What follows the head of one answer; "" where there is none. */
static inline const char *
eio_body(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");
	return end ? end + 4 : "";
}

static inline const char *
eio_get(struct world_client *client, const char *id)
{
	char query[128];
	snprintf(query, sizeof query, "EIO=4&transport=polling&sid=%s", id);
	return eio_ask(client, "GET", query, "", "");
}

static inline const char *
eio_post(struct world_client *client, const char *id, const char *payload)
{
	char query[128];
	snprintf(query, sizeof query, "EIO=4&transport=polling&sid=%s", id);
	return eio_ask(client, "POST", query, "Content-Type: text/plain;charset=UTF-8\r\n", payload);
}

/* A handshake: the session's id. */
static inline void
eio_open(struct world_client *client, const char *query, char id[SL_SESSION_ID_LEN + 1])
{
	char all[256];
	snprintf(all, sizeof all, "%s%sEIO=4&transport=polling", query, *query ? "&" : "");
	const char *body = eio_body(eio_ask(client, "GET", all, "", ""));
	CU_ASSERT_EQUAL_FATAL(sscanf(body, "0{\"sid\":\"%20[A-Za-z0-9_-]\"", id), 1);
}

static inline struct sl_eio_session *
eio_find(struct sl_shard *shard, const char *id)
{
	return (struct sl_eio_session *)sl_session_find(shard, (struct sl_span){ id, SL_SESSION_ID_LEN });
}

/* A session of the other shard's, with up to one channel. */
static inline struct sl_eio_session *
eio_open_other(const struct sl_eio_user *user, const char *channel, char id[SL_SESSION_ID_LEN + 1])
{
	struct sl_request request = { .principal = &sl_principal_everybody };
	struct sl_eio_session *session;
	if (channel)
		request.params.join.channels[request.params.join.channel_count++] =
			(struct sl_span){ channel, strlen(channel) };
	CU_ASSERT_EQUAL_FATAL(sl_eio_session_open(&session, user, &other, &request, NULL), 0);
	memcpy(id, session->session.id, SL_SESSION_ID_LEN);
	id[SL_SESSION_ID_LEN] = '\0';
	return session;
}

/* ---- WebSockets ---- */

#define EIO_UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

/* The frames that have come, in short: `text`, <binary>, (close code). */
static inline const char *
eio_take_frames(struct world_client *client)
{
	static char frames[1 << 16];
	char *at = frames;
	eio_settle();
	client_read(client);
	for (size_t from = 0; from < client->got.len;) {
		const uint8_t *bytes = (const uint8_t *)client->got.bytes + from;
		size_t head = 2, len = bytes[1];
		if (len == 126) {
			len = (size_t)bytes[2] << 8 | bytes[3];
			head = 4;
		}
		CU_ASSERT_FATAL(len < 4000 && from + head + len <= client->got.len);
		unsigned opcode = bytes[0] & 15;
		if (opcode == SL_WS_OPCODE_CLOSE)
			at += sprintf(at, "(%d)", len < 2 ? 1005 : bytes[head] << 8 | bytes[head + 1]);
		else
			at += sprintf(at, opcode == SL_WS_OPCODE_BINARY ? "<%.*s>" : "`%.*s`", (int)len,
				(const char *)bytes + head);
		from += head + len;
	}
	*at = '\0';
	sl_buffer_clear(&client->got);
	return frames;
}

/* Asks for a WebSocket; the frames that come with the 101, or the answer. */
static inline const char *
eio_upgrade(struct world_client *client, const char *query)
{
	char request[1024];
	snprintf(request, sizeof request, "GET /engine.io/?%s HTTP/1.1\r\nHost: localhost\r\n" EIO_UPGRADE "\r\n",
		query);
	client_send(client, request, strlen(request));
	eio_settle();
	client_read(client);
	if (client->got.len < 12 || memcmp(client->got.bytes, "HTTP/1.1 101", 12) != 0)
		return http_take(client, &world);
	CU_ASSERT_TRUE(client_skip_head(client));
	return eio_take_frames(client);
}

static inline void
eio_say(struct world_client *client, unsigned opcode, const char *text)
{
	struct sl_buffer frame = SL_BUFFER_INIT;
	ws_put(&frame, true, opcode, text);
	client_send(client, frame.bytes, frame.len);
	sl_buffer_finish(&frame);
}

/* Says a text, and takes the frames that come. */
static inline const char *
eio_talk(struct world_client *client, const char *text)
{
	eio_say(client, SL_WS_OPCODE_TEXT, text);
	return eio_take_frames(client);
}

#define EIO_IS(got, expected) do { \
	const char *is = (got); \
	if (strcmp(is, (expected)) != 0) \
		fprintf(stderr, "%s:%d: got %s\n", __FILE__, __LINE__, is); \
	CU_ASSERT_STRING_EQUAL(is, (expected)); \
} while (0)

#endif
