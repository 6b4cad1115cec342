/* ws, the WebSocket library of Node.js: bench/peers/node/ws.js says how it is set up. */
#include "bench/peers/node.h"

static const char *
ws_missing(const struct bench_settings *settings)
{
	return bench_node_missing(settings, "ws");
}

static void
ws_version(const struct bench_settings *settings, char *out, size_t size)
{
	bench_node_version(settings, "ws", out, size);
}

static int
ws_start(struct bench_server *server, const struct bench_settings *settings)
{
	return bench_node_start(server, settings, "ws.js");
}

static void
ws_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	sl_buffer_printf(out, "GET /?channel=%s HTTP/1.1\r\nHost: %s\r\n" BENCH_UPGRADE "\r\n",
		channel, server->host);
}

const struct bench_peer bench_peer_ws = {
	.name = "ws",
	.transports = BENCH_HAS(BENCH_WEBSOCKET),
	.missing = ws_missing,
	.version = ws_version,
	.start = ws_start,
	.subscribe = ws_subscribe,
	.opened = { [BENCH_WEBSOCKET] = "\r\n\r\n" },
	.request = bench_node_request,
	.publish = bench_node_publish,
};
