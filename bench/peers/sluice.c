/* Sluice itself, by its wire: PROTOCOL.md. Subscribers use the json format, its default. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/marker.h"
#include "bench/options.h"
#include "bench/peer.h"
#include "util/err.h"

#define START_WAIT_MS 5000

static const char *
sluice_missing(const struct bench_options *options)
{
	return access(options->sluice_path, X_OK) == 0 ? NULL : "no such program (--sluice)";
}

/* Reads lines until the one that names the address. */
static int
read_port(int output, uint16_t *port)
{
	static const char before[] = "listening http://127.0.0.1:";
	char text[4096];
	size_t len = 0;
	while (len < sizeof text - 1) {
		struct pollfd wait = { .fd = output, .events = POLLIN };
		if (poll(&wait, 1, START_WAIT_MS) <= 0)
			return SL_EIO;
		ssize_t got = read(output, text + len, sizeof text - 1 - len);
		if (got <= 0)
			return SL_ECLOSED;
		len += (size_t)got;
		text[len] = '\0';
		char *found = strstr(text, before);
		if (found && strchr(found, '\n')) {
			*port = (uint16_t)strtoul(found + sizeof before - 1, NULL, 10);
			return *port ? 0 : SL_EPROTO;
		}
	}
	return SL_EPROTO;
}

static int
sluice_start(struct bench_server *server, const struct bench_options *options)
{
	char log[BENCH_FOLDER_MAX + 16];
	snprintf(log, sizeof log, "%s/stderr.log", server->folder);
	const char *argv[] = { options->sluice_path, "--listen", "127.0.0.1:0", "--shards", "1",
		"--max-connections", "20000", "--max-connections-per-address", "20000", NULL };
	int err = bench_process_start(&server->process, argv, options->server_core, log);
	return err ? err : read_port(server->process.output, &server->port);
}

static void
sluice_subscribe(struct sl_buffer *out, enum bench_transport transport, const char *channel,
	const char *cursor)
{
	static const char *const location[] = {
		"/ws?channels=", "/sse?channels=", "/poll?wait=25&channels=",
	};
	static const char *const fields[] = {
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		"Accept: text/event-stream\r\n",
		"",
	};
	sl_buffer_append_str(out, "GET ");
	sl_buffer_append_str(out, location[transport]);
	sl_buffer_append_str(out, channel);
	if (*cursor) {
		sl_buffer_append_str(out, "&since=");
		sl_buffer_append_str(out, cursor);
	}
	sl_buffer_append_str(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\n");
	sl_buffer_append_str(out, fields[transport]);
	sl_buffer_append_str(out, "\r\n");
}

static void
sluice_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	const char *value;
	size_t len;
	if (bench_answer_field(answer, "Sluice-Cursor", &value, &len) && len < BENCH_CURSOR_MAX)
		*(char *)mempcpy(cursor, value, len) = '\0';
}

static void
sluice_publish(struct sl_buffer *out, const char *channel, const char *payload)
{
	sl_buffer_append_str(out, "POST /publish?channel=");
	sl_buffer_append_str(out, channel);
	sl_buffer_printf(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
		"Content-Length: %d\r\n\r\n", BENCH_PAYLOAD_BYTES);
	sl_buffer_append(out, payload, BENCH_PAYLOAD_BYTES);
}

/* One masked text frame (RFC 6455, section 5.2) a message; the mask is zero, so the
 * payload stands as it is. */
static unsigned
sluice_publish_burst(struct sl_buffer *out, const char *channel, const char *payloads,
	unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char object[256];
		int len = snprintf(object, sizeof object,
			"{\"type\":\"publish\",\"channel\":\"%s\",\"ref\":%u,\"data\":\"%.*s\"}", channel, i,
			BENCH_PAYLOAD_BYTES, payloads + i * BENCH_PAYLOAD_BYTES);
		const unsigned char head[] = { 0x81, 0x80 | 126, (unsigned char)(len >> 8),
			(unsigned char)len, 0, 0, 0, 0 };
		/* Up to 125 bytes the length is one byte (RFC 6455 demands the shortest form). */
		const unsigned char short_head[] = { 0x81, (unsigned char)(0x80 | len), 0, 0, 0, 0 };
		if (len > 125)
			sl_buffer_append(out, head, sizeof head);
		else
			sl_buffer_append(out, short_head, sizeof short_head);
		sl_buffer_append(out, object, (size_t)len);
	}
	return count;
}

const struct bench_peer bench_peer_sluice = {
	.name = "sluice",
	.missing = sluice_missing,
	.start = sluice_start,
	.subscribe = sluice_subscribe,
	.take_cursor = sluice_take_cursor,
	.opened = {
		[BENCH_WEBSOCKET] = "\"type\":\"open\"",
		[BENCH_SSE] = "\"type\":\"open\"",
		[BENCH_LONGPOLL] = "\r\n\r\n",
	},
	.publish = sluice_publish,
	.publish_burst = sluice_publish_burst,
	.burst_request = "GET /ws?channels=bench.publisher HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	.burst_opened = "\"type\":\"open\"",
	.burst_answer = "\"type\":\"ack\"",
};
