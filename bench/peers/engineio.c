#include "bench/peers/engineio.h"

#include <stdio.h>
#include <string.h>

#include "bench/marker.h"
#include "util/err.h"

#define RECORD_SEPARATOR 0x1e
#define PACKET_MAX 128

/* The cursor of a poll is one of these, then the session. */
enum step { STEP_CONNECT = 'c', STEP_RECEIVE = 'r', STEP_PONG = 'p' };

/* The ways in which one server or the other reads the channel: the client is the same. */
static void
write_connect(char packet[PACKET_MAX], const char *channel)
{
	snprintf(packet, PACKET_MAX, "40{\"channel\":\"%s\",\"channels\":\"%s\"}", channel, channel);
}

/* `query` is what the client's own part of each request's query is. */
static void
append_line(struct sl_buffer *out, const struct bench_server *server, const char *method,
	const char *transport, const char *query, const char *session)
{
	sl_buffer_printf(out, "%s %s%s?%sEIO=4&transport=%s%s%s HTTP/1.1\r\nHost: %s\r\n", method,
		server->base, server->peer->engine_io, query, transport, *session ? "&sid=" : "", session,
		server->host);
}

/* With several shards the next request comes on a new connection, which another shard may have. */
static void
append_post(struct sl_buffer *out, const struct bench_server *server, const char *query,
	const char *session, const char *packet)
{
	append_line(out, server, "POST", "polling", query, session);
	sl_buffer_printf(out, "%sContent-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s",
		server->peer->shards > 1 && *packet == '4' ? "Connection: close\r\n" : "", strlen(packet),
		packet);
}

static void
append_poll(struct sl_buffer *out, const struct bench_server *server, const char *query,
	const char *channel, const char *cursor)
{
	char packet[PACKET_MAX];
	if (*cursor == STEP_CONNECT) {
		write_connect(packet, channel);
		append_post(out, server, query, cursor + 1, packet);
	} else if (*cursor == STEP_PONG) {
		append_post(out, server, query, cursor + 1, "3");
	} else {
		append_line(out, server, "GET", "polling", query, *cursor ? cursor + 1 : "");
		sl_buffer_append(out, "\r\n", 2);
	}
}

static void
append_websocket(struct sl_buffer *out, const struct bench_server *server, const char *query,
	const char *session)
{
	append_line(out, server, "GET", "websocket", query, session);
	sl_buffer_printf(out, BENCH_UPGRADE "\r\n");
}

void
bench_engineio_append_upgrade(struct sl_buffer *out, const struct bench_server *server,
	const char *cursor)
{
	append_websocket(out, server, "", *cursor ? cursor + 1 : "");
}

void
bench_engineio_append_frame(struct sl_buffer *out, const char *packet)
{
	size_t len = strlen(packet);
	const unsigned char head[] = { 0x81, (unsigned char)(0x80 | len), 0, 0, 0, 0 };
	sl_buffer_append(out, head, sizeof head);
	sl_buffer_append(out, packet, len);
}

void
bench_socketio_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	if (transport == BENCH_WEBSOCKET)
		append_websocket(out, server, "", "");
	else
		append_poll(out, server, "", channel, cursor);
}

void
bench_engineio_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	char query[PACKET_MAX];
	snprintf(query, sizeof query, "channels=%s&", channel);
	if (transport == BENCH_WEBSOCKET)
		append_websocket(out, server, query, "");
	else
		append_poll(out, server, query, channel, cursor);
}

/* The session out of `0{"sid":"lv_VI97HAXpY6yYWAAAC",...}`. */
static int
take_session(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX], enum step next)
{
	static const char before[] = "0{\"sid\":\"";
	const size_t before_len = sizeof before - 1;
	if (answer->body_len < before_len || memcmp(answer->body, before, before_len) != 0)
		return SL_EPROTO;
	const char *session = answer->body + before_len;
	const char *end = memchr(session, '"', answer->body_len - before_len);
	if (!end || end - session > BENCH_CURSOR_MAX - 2)
		return SL_EPROTO;
	cursor[0] = (char)next;
	*(char *)mempcpy(cursor + 1, session, (size_t)(end - session)) = '\0';
	return 0;
}

/* Of Socket.IO the session's own CONNECT and events; bare, any message. */
static bool
is_message(const char *packet, size_t len, bool is_bare)
{
	return *packet == '4' && (is_bare || len < 2 || packet[1] == '0' || packet[1] == '2');
}

/* The last packet may be cut (BENCH_BODY_KEPT). */
static int
take_packets(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX], bool is_bare)
{
	const char *packet = answer->body, *end = packet + answer->body_len;
	while (packet < end) {
		const char *stop = memchr(packet, RECORD_SEPARATOR, (size_t)(end - packet));
		size_t len = (size_t)((stop ? stop : end) - packet);
		if (len == 1 && *packet == '2')
			cursor[0] = STEP_PONG;
		else if (!is_message(packet, len, is_bare))
			return SL_EPROTO;
		packet += len + 1;
	}
	return 1;
}

/* What follows a packet that was posted. */
static int
take_posted(char cursor[BENCH_CURSOR_MAX])
{
	int open = *cursor == STEP_PONG;
	cursor[0] = STEP_RECEIVE;
	return open;
}

int
bench_socketio_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	if (answer->status != 200)
		return SL_EPROTO;
	switch (*cursor) {
	case '\0':
		return take_session(answer, cursor, STEP_CONNECT);
	case STEP_RECEIVE:
		return take_packets(answer, cursor, false);
	default:
		return take_posted(cursor);
	}
}

int
bench_engineio_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	if (answer->status != 200)
		return SL_EPROTO;
	if (*cursor == STEP_RECEIVE)
		return take_packets(answer, cursor, true);
	if (*cursor)
		return take_posted(cursor);
	int err = take_session(answer, cursor, STEP_RECEIVE);
	return err ? err : 1;
}

/* Of `*step`: how much of the text that is waited for has come, and this. */
#define CONNECTING 0x100u

int
bench_socketio_converse(struct sl_buffer *out, enum bench_transport transport, const char *channel,
	unsigned *step, const char *bytes, size_t len)
{
	struct bench_token token;
	uint8_t matched = (uint8_t)*step;
	bench_token_init(&token, *step & CONNECTING ? "40{\"sid\"" : "0{\"sid\"");
	unsigned found = bench_token_count(&token, &matched, bytes, len);
	if (found && *step & CONNECTING)
		return 1;
	if (found) {
		char packet[PACKET_MAX];
		write_connect(packet, channel);
		bench_engineio_append_frame(out, packet);
		*step = CONNECTING;
	} else {
		*step = (*step & CONNECTING) | matched;
	}
	return 0;
}
