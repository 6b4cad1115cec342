/* Socket.IO on Node.js: bench/peers/node/socketio.js says how it is set up. */
#include "bench/peers/engineio.h"
#include "bench/peers/node.h"

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

const struct bench_peer bench_peer_socketio = {
	.name = "socket.io",
	.transports = BENCH_HAS(BENCH_WEBSOCKET) | BENCH_HAS(BENCH_LONGPOLL),
	.engine_io = "/socket.io/",
	.upgrades = true,
	.missing = socketio_missing,
	.version = socketio_version,
	.start = socketio_start,
	.subscribe = bench_socketio_subscribe,
	.take_cursor = bench_socketio_take_cursor,
	.opened = { [BENCH_LONGPOLL] = "\r\n\r\n" },
	.converse = bench_socketio_converse,
	.request = bench_node_request,
	.publish = bench_node_publish,
};
