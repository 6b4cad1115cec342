/* A world for tests of Socket.IO: one shard, with a memory for recovery; clients on WebSockets.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_SIO_WORLD_H
#define SL_TESTS_SIO_WORLD_H

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "auth/secret.h"
#include "bus/bus.h"
#include "clients/engine_io/eio_websocket.h"
#include "clients/socket_io/sio_memory.h"
#include "core/owners.h"
#include "core/socket.h"
#include "http/connection.h"
#include "http/settings.h"
#include "live/fanout.h"
#include "live/subscriber.h"
#include "tests/unit/http_client.h"
#include "transports/ws_frame.h"

static struct live_world world;
static struct sl_secret *sio_secret;

/* `options` are those of world_open(), or NULL. */
static inline void
sio_begin(const char *const *options)
{
	char error[128];
	world_open(&world, options);
	CU_ASSERT_EQUAL_FATAL(sl_secret_create(&sio_secret, NULL, error, sizeof error), 0);
	CU_ASSERT_EQUAL_FATAL(sl_sio_memory_create(&world.http.sio_memory, sio_secret), 0);
}

static inline void
sio_end(void)
{
	struct sl_sio_memory *memory = world.http.sio_memory;
	world_close(&world);
	sl_sio_memory_destroy(memory);
	sl_secret_destroy(sio_secret);
}

static inline void
sio_forget_tag(char *frames)
{
	char tag[1 + SL_SIO_TAG_LEN + 1], *found;
	snprintf(tag, sizeof tag, ".%.*s", SL_SIO_TAG_LEN, sl_sio_memory_get_tag(world.http.sio_memory));
	while ((found = strstr(frames, tag)))
		memmove(found, found + 1 + SL_SIO_TAG_LEN, strlen(found + 1 + SL_SIO_TAG_LEN) + 1);
}

/* The frames that have come, in short: `text`, <binary>, (close code). The bus's epoch is written EPOCH; the
 * tag of stars is left out. */
static inline const char *
sio_take(struct world_client *client)
{
	static char frames[1 << 16];
	char *at = frames, epoch[16], *found;
	world_settle(&world);
	client_read(client);
	for (size_t from = 0; from < client->got.len;) {
		const uint8_t *bytes = (const uint8_t *)client->got.bytes + from;
		size_t head = 2, len = bytes[1];
		if (len == 126) {
			len = (size_t)bytes[2] << 8 | bytes[3];
			head = 4;
		}
		CU_ASSERT_FATAL(len < 8000 && from + head + len <= client->got.len);
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
	snprintf(epoch, sizeof epoch, "%08x-", (unsigned)sl_bus_head(world.bus).epoch);
	while ((found = strstr(frames, epoch)))
		memcpy(found, "EPOCH---", 8);
	sio_forget_tag(frames);
	return frames;
}

/* Masked with zeros, and without an allocation of its own. */
static inline void
sio_say_bytes(struct world_client *client, unsigned opcode, const char *bytes, size_t len)
{
	static char frame[SL_WS_FRAME_HEADER_MAX + 4 + 8192];
	uint8_t head[SL_WS_FRAME_HEADER_MAX];
	size_t at = sl_ws_frame_encode_header(head, opcode, len);
	CU_ASSERT_FATAL(len <= 8192);
	head[1] |= 0x80;
	memcpy(frame, head, at);
	memset(frame + at, 0, 4);
	memcpy(frame + at + 4, bytes, len);
	client_send(client, frame, at + 4 + len);
}

static inline void
sio_say(struct world_client *client, const char *text)
{
	sio_say_bytes(client, SL_WS_OPCODE_TEXT, text, strlen(text));
}

/* Says a text, and takes the frames that come. */
static inline const char *
sio_talk(struct world_client *client, const char *text)
{
	sio_say_bytes(client, SL_WS_OPCODE_TEXT, text, strlen(text));
	return sio_take(client);
}

static inline const char *
sio_attach(struct world_client *client, const char *bytes, size_t len)
{
	sio_say_bytes(client, SL_WS_OPCODE_BINARY, bytes, len);
	return sio_take(client);
}

/* A socket without a namespace. `query` ends in '&' if there is any; `fields` are further ones of the head. */
static inline void
sio_open_with(struct world_client *client, const char *query, const char *fields)
{
	char request[2048];
	http_connect(client, &world);
	snprintf(request, sizeof request, "GET /socket.io/?%sEIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Version: 13\r\n%s\r\n", query, fields);
	client_send(client, request, strlen(request));
	world_settle(&world);
	CU_ASSERT_TRUE_FATAL(client_skip_head(client));
	CU_ASSERT_EQUAL_FATAL(strncmp(sio_take(client), "`0{\"sid\":\"", 10), 0);
}

static inline void
sio_open(struct world_client *client, const char *query)
{
	sio_open_with(client, query, "");
}

/* ---- limits ---- */

/* Owners may join so many channels a second; 0: any. */
static inline void
sio_limit(unsigned rate)
{
	sl_owners_set_limits(world.http.owners, &(struct sl_limits){ .max_connections = 100,
		.rates = { [SL_LIMIT_SUBSCRIBES] = rate } });
}

/* The client is one of an address, the same for all: worlds have Unix sockets, which have no limits. */
static inline void
sio_own(struct world_client *client)
{
	const struct sl_address address = { .bytes = { [15] = 1 }, .family = AF_INET6 };
	CU_ASSERT_PTR_NULL_FATAL(client->link->owner);
	client->link->owner = sl_owners_get_address(world.http.owners, &address);
	client->subscriber->owner = sl_owner_ref(client->link->owner);
}

/* It may join no channel for a while. */
static inline void
sio_spend(struct world_client *client)
{
	sl_owner_spend(client->subscriber->owner, SL_LIMIT_SUBSCRIBES, 100, world.shard.loop.now_ms);
}

static inline struct sl_eio_socket *
sio_socket(struct world_client *client)
{
	return ((struct sl_eio_websocket *)sl_connection_get_extra(client->connection))->socket;
}

#define SIO_IS(got, expected) do { \
	const char *is = (got); \
	if (strcmp(is, (expected)) != 0) \
		fprintf(stderr, "%s:%d: got %s\n", __FILE__, __LINE__, is); \
	CU_ASSERT_STRING_EQUAL(is, (expected)); \
} while (0)

/* The value of a member of the first JSON object in the frames that has it. */
static inline const char *
sio_member(const char *frames, const char *name, char *out, size_t size)
{
	char start[64];
	snprintf(start, sizeof start, "\"%s\":\"", name);
	const char *found = strstr(frames, start);
	*out = '\0';
	if (found)
		snprintf(out, size, "%.*s", (int)strcspn(found + strlen(start), "\""), found + strlen(start));
	return out;
}

/* Joins a namespace, with recovery where the socket wants it: notes what it is known by. `packet` is the CONNECT. */
struct sio_joined {
	char sid[64], pid[4096];
};

static inline struct sio_joined
sio_join(struct world_client *client, const char *packet)
{
	struct sio_joined joined;
	const char *frames = sio_talk(client, packet);
	sio_member(frames, "sid", joined.sid, sizeof joined.sid);
	sio_member(frames, "pid", joined.pid, sizeof joined.pid);
	CU_ASSERT_EQUAL(strlen(joined.sid), SL_SIO_ID_LEN);
	return joined;
}

/* Publishes an event with JSON as its one argument. */
static inline void
sio_publish(const char *channel, const char *event, const char *json)
{
	const struct sl_payload payload = { .type = SL_JSON, .bytes = json, .len = strlen(json), .depth_max = 16,
		.event = { event, strlen(event) } };
	struct sl_message *message;
	struct sl_publish pending = { .on_done = NULL };
	struct sl_cursor id;
	CU_ASSERT_EQUAL_FATAL(sl_message_create_from(&message, (struct sl_span){ channel, strlen(channel) }, &payload), 0);
	CU_ASSERT_EQUAL_FATAL(sl_bus_publish(world.bus, 0, message, NULL, 0, &pending, &id), 0);
}

#endif
