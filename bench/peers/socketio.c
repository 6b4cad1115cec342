/* Socket.IO: bench/peers/node/socketio.js says how it is set up.
 * Engine.IO protocol 4 (https://github.com/socketio/engine.io-protocol) below Socket.IO
 * protocol 5 (https://github.com/socketio/socket.io-protocol): packet 0 opens the session, 40
 * connects to the namespace, 42 is an event, 2 and 3 are ping and pong; a polling answer holds
 * several packets with a record separator between them. Over a WebSocket the pings, one every
 * 25 s, stay unanswered; the server gives up 20 s later, after any measurement has ended. */
#include <stdio.h>
#include <string.h>

#include "bench/marker.h"
#include "bench/peers/node.h"
#include "util/err.h"

#define PATH "/socket.io/?EIO=4&transport="
#define RECORD_SEPARATOR 0x1e

/* The cursor of a poll is one of these, then the session. */
enum step { STEP_CONNECT = 'c', STEP_RECEIVE = 'r', STEP_PONG = 'p' };

static const char *
socketio_missing(const struct bench_settings *settings)
{
	return bench_node_missing(settings, "socket.io");
}

static void
socketio_version(const struct bench_settings *settings, char *out, size_t size)
{
	bench_node_version(settings, "socket.io", out, size);
}

static int
socketio_start(struct bench_server *server, const struct bench_settings *settings)
{
	return bench_node_start(server, settings, "socketio.js");
}

static void
append_post(struct sl_buffer *out, const struct bench_server *server, const char *session,
	const char *packet)
{
	sl_buffer_printf(out, "POST " PATH "polling&sid=%s HTTP/1.1\r\nHost: %s\r\n"
		"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s", session,
		server->host, strlen(packet), packet);
}

static void
append_poll(struct sl_buffer *out, const struct bench_server *server, const char *channel,
	const char *cursor)
{
	char packet[128];
	switch (*cursor) {
	case STEP_CONNECT:
		snprintf(packet, sizeof packet, "40{\"channel\":\"%s\"}", channel);
		append_post(out, server, cursor + 1, packet);
		break;
	case STEP_PONG:
		append_post(out, server, cursor + 1, "3");
		break;
	case STEP_RECEIVE:
		sl_buffer_printf(out, "GET " PATH "polling&sid=%s HTTP/1.1\r\nHost: %s\r\n\r\n",
			cursor + 1, server->host);
		break;
	default:
		sl_buffer_printf(out, "GET " PATH "polling HTTP/1.1\r\nHost: %s\r\n\r\n", server->host);
	}
}

static void
socketio_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	if (transport == BENCH_WEBSOCKET)
		sl_buffer_printf(out, "GET " PATH "websocket HTTP/1.1\r\nHost: %s\r\n" BENCH_UPGRADE
			"\r\n", server->host);
	else
		append_poll(out, server, channel, cursor);
}

/* The session out of `0{"sid":"lv_VI97HAXpY6yYWAAAC",...}`. */
static int
take_session(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	static const char before[] = "0{\"sid\":\"";
	const size_t before_len = sizeof before - 1;
	if (answer->body_len < before_len || memcmp(answer->body, before, before_len) != 0)
		return SL_EPROTO;
	const char *session = answer->body + before_len;
	const char *end = memchr(session, '"', answer->body_len - before_len);
	if (!end || end - session > BENCH_CURSOR_MAX - 2)
		return SL_EPROTO;
	cursor[0] = STEP_CONNECT;
	*(char *)mempcpy(cursor + 1, session, (size_t)(end - session)) = '\0';
	return 0;
}

/* Messages are packets that begin with 42; the last packet may be cut (BENCH_BODY_KEPT). */
static int
take_packets(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	const char *packet = answer->body, *end = packet + answer->body_len;
	while (packet < end) {
		const char *stop = memchr(packet, RECORD_SEPARATOR, (size_t)(end - packet));
		size_t len = (size_t)((stop ? stop : end) - packet);
		if (len == 1 && *packet == '2')
			cursor[0] = STEP_PONG;
		else if (*packet != '4' || (len > 1 && packet[1] != '0' && packet[1] != '2'))
			return SL_EPROTO;
		packet += len + 1;
	}
	return 1;
}

static int
socketio_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	if (answer->status != 200)
		return SL_EPROTO;
	switch (*cursor) {
	case '\0':
		return take_session(answer, cursor);
	case STEP_RECEIVE:
		return take_packets(answer, cursor);
	default: ;
		int open = *cursor == STEP_PONG;
		cursor[0] = STEP_RECEIVE;
		return open;
	}
}

/* Of `*step`: how much of the text that is waited for has come, and this. */
#define CONNECTING 0x100u

static int
socketio_converse(struct sl_buffer *out, enum bench_transport transport, const char *channel,
	unsigned *step, const char *bytes, size_t len)
{
	struct bench_token token;
	uint8_t matched = (uint8_t)*step;
	bench_token_init(&token, *step & CONNECTING ? "40{\"sid\"" : "0{\"sid\"");
	unsigned found = bench_token_count(&token, &matched, bytes, len);
	if (found && *step & CONNECTING)
		return 1;
	if (found) {
		char packet[128];
		int packet_len = snprintf(packet, sizeof packet, "40{\"channel\":\"%s\"}", channel);
		const unsigned char head[] = { 0x81, (unsigned char)(0x80 | packet_len), 0, 0, 0, 0 };
		sl_buffer_append(out, head, sizeof head);
		sl_buffer_append(out, packet, (size_t)packet_len);
		*step = CONNECTING;
	} else {
		*step = (*step & CONNECTING) | matched;
	}
	return 0;
}

const struct bench_peer bench_peer_socketio = {
	.name = "socket.io",
	.transports = BENCH_HAS(BENCH_WEBSOCKET) | BENCH_HAS(BENCH_LONGPOLL),
	.missing = socketio_missing,
	.version = socketio_version,
	.start = socketio_start,
	.subscribe = socketio_subscribe,
	.take_cursor = socketio_take_cursor,
	.opened = { [BENCH_LONGPOLL] = "\r\n\r\n" },
	.converse = socketio_converse,
	.request = bench_node_request,
	.publish = bench_node_publish,
};
