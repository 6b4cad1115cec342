/* Sluice itself, the same under TLS and with tokens, with several shards, with clients of Engine.IO and Socket.IO, and another
 * build to measure against, by its wire: PROTOCOL.md. Subscribers of its own wire use the json format, its default. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/settings.h"
#include "bench/peer.h"
#include "bench/peers/engineio.h"
#include "bench/server/certificate.h"
#include "bench/server/signer.h"
#include "util/err.h"

#define TOKEN_S 3600 /* that a token lives; no repeat takes so long */

static const char *
sluice_missing(const struct bench_settings *settings)
{
	return access(settings->sluice_path, X_OK) == 0 ? NULL : "no such program (--sluice)";
}

static const char *
against_missing(const struct bench_settings *settings)
{
	return access(settings->against_path, X_OK) == 0 ? NULL : "no such program (--against)";
}

static int
add_certificate(struct bench_server *server, char key_path[BENCH_FOLDER_MAX + 16],
	const char *argv[], unsigned *count)
{
	snprintf(server->ca_path, sizeof server->ca_path, "%s/certificate.pem", server->folder);
	snprintf(key_path, BENCH_FOLDER_MAX + 16, "%s/key.pem", server->folder);
	snprintf(server->name, sizeof server->name, "%s", server->ip);
	server->tls = true;
	argv[(*count)++] = "--tls-cert";
	argv[(*count)++] = server->ca_path;
	argv[(*count)++] = "--tls-key";
	argv[(*count)++] = key_path;
	return bench_certificate_write(server->ca_path, key_path, server->ip);
}

/* The one token of all clients that need none of their own: it may do everything. */
static int
add_tokens(struct bench_server *server, char key_path[BENCH_FOLDER_MAX + 16], const char *argv[],
	unsigned *count)
{
	int64_t now_s = bench_wall_clock_s();
	const struct bench_grant grant = { .subject = "bench", .issued_s = now_s,
		.expires_s = now_s + TOKEN_S, .channels = "*", .is_admin = true };
	snprintf(key_path, BENCH_FOLDER_MAX + 16, "%s/token.key", server->folder);
	int err = bench_signer_create(&server->signer, server->peer->algorithm);
	if (!err)
		err = bench_signer_write_key(server->signer, key_path);
	if (err)
		return err;
	server->authorization = bench_signer_make_field(server->signer, &grant);
	argv[(*count)++] = "--token-key";
	argv[(*count)++] = key_path;
	return server->authorization ? 0 : SL_ENOMEM;
}

/* Gateways before the first that limits what a client does refuse the option, and have no such limits. */
static bool
knows_limits(const char *path)
{
	char line[128] = "";
	bench_process_first_line(path, "--limits=off --version", line, sizeof line);
	return strncmp(line, "sluice ", 7) == 0;
}

static int
start(struct bench_server *server, const char *path, const struct bench_settings *settings)
{
	char log[BENCH_FOLDER_MAX + 16], key_path[BENCH_FOLDER_MAX + 16], listen[32], shards[16];
	char token_key_path[BENCH_FOLDER_MAX + 16];
	snprintf(log, sizeof log, "%s/stderr.log", server->folder);
	snprintf(listen, sizeof listen, "%s:0", server->ip);
	snprintf(shards, sizeof shards, "%u", server->peer->shards ? server->peer->shards : 1);
	const char *argv[32] = { path, server->peer->tls ? "--tls-listen" : "--listen", listen,
		"--shards", shards, "--max-connections", "20000", "--max-connections-per-address", "20000" };
	unsigned count = 9;
	int err = server->peer->tls ? add_certificate(server, key_path, argv, &count) : 0;
	if (!err && server->peer->algorithm)
		err = add_tokens(server, token_key_path, argv, &count);
	if (err)
		return err;
	/* Only the two namespaces reach the address of a network; those with tokens may come anyhow. */
	if (server->network && !server->peer->algorithm)
		argv[count++] = "--allow-anonymous";
	if (knows_limits(path)) {
		argv[count++] = "--limits";
		argv[count++] = "off";
	}
	if (server->peer->engine_io) {
		argv[count++] = "--max-sessions-per-client";
		argv[count++] = "0";
	}
	if (settings->compresses) {
		argv[count++] = "--deflate";
		argv[count++] = "--deflate-threshold";
		argv[count++] = "0";
	}
	if (settings->web_folder) {
		argv[count++] = "--web";
		argv[count++] = settings->web_folder;
	}
	err = bench_process_start(&server->process, argv, settings->server_core, log);
	return err ? err : bench_process_read_port(&server->process, &server->port);
}

static int
sluice_start(struct bench_server *server, const struct bench_settings *settings)
{
	return start(server, settings->sluice_path, settings);
}

static int
against_start(struct bench_server *server, const struct bench_settings *settings)
{
	return start(server, settings->against_path, settings);
}

static void
sluice_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	static const char *const location[BENCH_TRANSPORT_COUNT] = {
		[BENCH_WEBSOCKET] = "/ws?", [BENCH_SSE] = "/sse?", [BENCH_STREAM] = "/stream?",
		[BENCH_LONGPOLL] = "/poll?wait=25&", [BENCH_POLL] = "/poll?wait=0&",
	};
	sl_buffer_printf(out, "GET %s%schannels=%s%s%s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n", server->base,
		location[transport], channel, *cursor ? "&since=" : "", cursor, server->host,
		bench_server_authorization(server), transport == BENCH_WEBSOCKET ? BENCH_UPGRADE : "");
}

static int
sluice_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	const char *value;
	size_t len;
	if (!bench_answer_field(answer, "Sluice-Cursor", &value, &len) || len >= BENCH_CURSOR_MAX)
		return SL_EPROTO;
	*(char *)mempcpy(cursor, value, len) = '\0';
	return 1;
}

static void
sluice_request(struct sl_buffer *out, const struct bench_server *server, bool closing)
{
	sl_buffer_printf(out, "GET %s/healthz HTTP/1.1\r\nHost: %s\r\n%s%s\r\n", server->base,
		server->host, bench_server_authorization(server), closing ? "Connection: close\r\n" : "");
}

static void
sluice_publish(struct sl_buffer *out, const struct bench_server *server, const char *channel,
	const char *payload, size_t len)
{
	const char *event = server->peer->event;
	sl_buffer_printf(out, "POST %s/publish?channel=%s%s%s HTTP/1.1\r\nHost: %s\r\n%s"
		"Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", server->base, channel,
		event ? "&event=" : "", event ? event : "", server->host,
		bench_server_authorization(server), len);
	sl_buffer_append(out, payload, len);
}

/* One masked text frame (RFC 6455, section 5.2) a message; the mask is zero, so the
 * payload stands as it is. A payload and its object stay below 64 KiB. */
static unsigned
sluice_publish_burst(struct sl_buffer *out, const struct bench_server *server,
	const char *channel, const char *payloads, size_t len, unsigned count)
{
	char event[64] = "";
	if (server && server->peer->event)
		snprintf(event, sizeof event, "\"event\":\"%s\",", server->peer->event);
	for (unsigned i = 0; i < count; i++) {
		char object[256];
		size_t object_len = (size_t)snprintf(object, sizeof object,
			"{\"type\":\"publish\",\"channel\":\"%s\",\"ref\":%u,%s\"data\":\"", channel, i, event);
		size_t total = object_len + len + 2;
		/* Up to 125 bytes the length is one byte (RFC 6455 demands the shortest form). */
		const unsigned char head[] = { 0x81, (unsigned char)(0x80 | (total > 125 ? 126 : total)) };
		const unsigned char length[] = { (unsigned char)(total >> 8), (unsigned char)total };
		sl_buffer_append(out, head, sizeof head);
		if (total > 125)
			sl_buffer_append(out, length, sizeof length);
		sl_buffer_append(out, "\0\0\0\0", 4);
		sl_buffer_append(out, object, object_len);
		sl_buffer_append(out, payloads + i * len, len);
		sl_buffer_append(out, "\"}", 2);
	}
	return count;
}

static void
sluice_open_burst(struct sl_buffer *out, const struct bench_server *server)
{
	sluice_subscribe(out, server, BENCH_WEBSOCKET, "bench.publisher", "");
}

/* "sluice 0.1.0" */
static void
read_version(const char *path, char *out, size_t size)
{
	char line[128] = "";
	bench_process_first_line(path, "--version", line, sizeof line);
	const char *version = strrchr(line, ' ');
	snprintf(out, size, "%s", version ? version + 1 : line);
}

static void
sluice_version(const struct bench_settings *settings, char *out, size_t size)
{
	read_version(settings->sluice_path, out, size);
}

static void
against_version(const struct bench_settings *settings, char *out, size_t size)
{
	read_version(settings->against_path, out, size);
}

#define PUBLISHING \
	.request = sluice_request, \
	.stats_path = "/stats", \
	.metrics_path = "/metrics", \
	.publish = sluice_publish, \
	.publish_burst = sluice_publish_burst, \
	.open_burst = sluice_open_burst, \
	.burst_opened = "\"type\":\"open\"", \
	.burst_answer = "\"type\":\"ack\""

#define WIRE \
	.transports = BENCH_HAS_ALL, \
	.resumes = true, \
	.compresses = true, \
	.serves_page = true, \
	.subscribe = sluice_subscribe, \
	.take_cursor = sluice_take_cursor, \
	.opened = { \
		[BENCH_WEBSOCKET] = "\"type\":\"open\"", \
		[BENCH_SSE] = "\"type\":\"open\"", \
		[BENCH_STREAM] = "\"type\":\"open\"", \
		[BENCH_LONGPOLL] = "\r\n\r\n", \
		[BENCH_POLL] = "\r\n\r\n", \
	}, \
	PUBLISHING

const struct bench_peer bench_peer_sluice = {
	.name = "sluice",
	.missing = sluice_missing,
	.version = sluice_version,
	.start = sluice_start,
	WIRE,
};

const struct bench_peer bench_peer_sluice_tls = {
	.name = "sluice-tls",
	.tls = true,
	.missing = sluice_missing,
	.version = sluice_version,
	.start = sluice_start,
	WIRE,
};

#define WITH_TOKENS(name_, algorithm_) { \
	.name = name_, \
	.algorithm = algorithm_, \
	.missing = sluice_missing, \
	.version = sluice_version, \
	.start = sluice_start, \
	WIRE, \
}

const struct bench_peer bench_peer_sluice_hs256 = WITH_TOKENS("sluice-hs256", BENCH_HS256);
const struct bench_peer bench_peer_sluice_rs256 = WITH_TOKENS("sluice-rs256", BENCH_RS256);
const struct bench_peer bench_peer_sluice_es256 = WITH_TOKENS("sluice-es256", BENCH_ES256);
const struct bench_peer bench_peer_sluice_eddsa = WITH_TOKENS("sluice-eddsa", BENCH_EDDSA);

const struct bench_peer bench_peer_sluice_4 = {
	.name = "sluice-4",
	.by_name = true,
	.shards = 4,
	.missing = sluice_missing,
	.version = sluice_version,
	.start = sluice_start,
	WIRE,
};

/* The clients of others: each by the bytes of its own peer, or of the one on Node.js. */
#define CLIENTS(name_, shards_, path_) \
	.name = name_, \
	.by_name = true, \
	.shards = shards_, \
	.transports = BENCH_HAS(BENCH_WEBSOCKET) | BENCH_HAS(BENCH_LONGPOLL), \
	.engine_io = path_, \
	.missing = sluice_missing, \
	.version = sluice_version, \
	.start = sluice_start, \
	PUBLISHING

#define SOCKETIO(name_, shards_) { \
	CLIENTS(name_, shards_, "/socket.io/"), \
	.upgrades = true, \
	.event = "m", \
	.subscribe = bench_socketio_subscribe, \
	.take_cursor = bench_socketio_take_cursor, \
	.opened = { [BENCH_LONGPOLL] = "\r\n\r\n" }, \
	.converse = bench_socketio_converse, \
}

const struct bench_peer bench_peer_sluice_socketio = SOCKETIO("sluice-socketio", 1);
const struct bench_peer bench_peer_sluice_socketio_4 = SOCKETIO("sluice-socketio-4", 4);

const struct bench_peer bench_peer_sluice_engineio = {
	CLIENTS("sluice-engineio", 1, "/engine.io/"),
	.subscribe = bench_engineio_subscribe,
	.take_cursor = bench_engineio_take_cursor,
	.opened = { [BENCH_WEBSOCKET] = "0{\"sid\"", [BENCH_LONGPOLL] = "\r\n\r\n" },
};

const struct bench_peer bench_peer_against = {
	.name = "against",
	.missing = against_missing,
	.version = against_version,
	.start = against_start,
	WIRE,
};
