/* nchan, the publish-subscribe module of nginx, as Debian packages it.
 * https://nchan.io: publisher and subscriber endpoints; a long-poll goes on from the
 * Last-Modified and Etag of the answer before; a chunked stream must be asked for (TE). */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/peers/template.h"
#include "bench/settings.h"
#include "util/err.h"

static const char *
nchan_missing(const struct bench_settings *settings)
{
	if (access(settings->nginx_path, X_OK) != 0)
		return "nginx is not installed (scripts/setup peers)";
	if (access(settings->nchan_module, R_OK) != 0)
		return "libnginx-mod-nchan is not installed (scripts/setup peers)";
	return NULL;
}

/* nginx's own; the module does not tell its version before it serves. */
static void
nchan_version(const struct bench_settings *settings, char *out, size_t size)
{
	bench_process_first_line(settings->nginx_path, "-v", out, size);
}

static int
write_config(const struct bench_server *server, const struct bench_settings *settings,
	const char *to)
{
	char from[PATH_MAX], port[8];
	snprintf(from, sizeof from, "%s/nchan.conf.in", settings->peers_folder);
	snprintf(port, sizeof port, "%u", server->port);
	const struct bench_setting values[] = {
		{ "FOLDER", server->folder }, { "MODULE", settings->nchan_module }, { "PORT", port },
		{ NULL, NULL },
	};
	return bench_template_write(from, to, values);
}

static int
nchan_start(struct bench_server *server, const struct bench_settings *settings)
{
	char config[BENCH_FOLDER_MAX + 16], log[BENCH_FOLDER_MAX + 16];
	int probe = bench_listen(&server->port);
	if (probe < 0)
		return SL_EIO;
	close(probe);
	snprintf(config, sizeof config, "%s/nginx.conf", server->folder);
	snprintf(log, sizeof log, "%s/stderr.log", server->folder);
	int err = write_config(server, settings, config);
	if (err)
		return err;
	const char *argv[] = { settings->nginx_path, "-p", server->folder, "-c", config,
		"-e", log, NULL };
	return bench_process_start(&server->process, argv, settings->server_core, log);
}

static void
nchan_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	static const char *const location[BENCH_TRANSPORT_COUNT] = {
		[BENCH_WEBSOCKET] = "/ws?id=", [BENCH_SSE] = "/sse?id=", [BENCH_STREAM] = "/stream?id=",
		[BENCH_LONGPOLL] = "/poll?id=",
	};
	static const char *const fields[BENCH_TRANSPORT_COUNT] = {
		[BENCH_WEBSOCKET] = BENCH_UPGRADE, [BENCH_SSE] = "Accept: text/event-stream\r\n",
		[BENCH_STREAM] = "TE: chunked\r\n", [BENCH_LONGPOLL] = "",
	};
	sl_buffer_printf(out, "GET %s%s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n", location[transport], channel,
		server->host, fields[transport], cursor);
}

/* The cursor is the two request fields themselves. */
static int
nchan_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	const char *time, *tag;
	size_t time_len, tag_len;
	if (!bench_answer_field(answer, "Last-Modified", &time, &time_len)
		|| !bench_answer_field(answer, "Etag", &tag, &tag_len)
		|| time_len + tag_len + 44 > BENCH_CURSOR_MAX)
		return SL_EPROTO;
	char *at = stpcpy(cursor, "If-Modified-Since: ");
	at = mempcpy(at, time, time_len);
	at = stpcpy(at, "\r\nIf-None-Match: ");
	at = mempcpy(at, tag, tag_len);
	stpcpy(at, "\r\n");
	return 1;
}

static void
nchan_request(struct sl_buffer *out, const struct bench_server *server, bool closing)
{
	sl_buffer_printf(out, "GET /ok HTTP/1.1\r\nHost: %s\r\n%s\r\n", server->host,
		closing ? "Connection: close\r\n" : "");
}

static void
nchan_publish(struct sl_buffer *out, const struct bench_server *server, const char *channel,
	const char *payload, size_t len)
{
	sl_buffer_printf(out, "POST /pub?id=%s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\n"
		"Content-Length: %zu\r\n\r\n", channel, server->host, len);
	sl_buffer_append(out, payload, len);
}

const struct bench_peer bench_peer_nchan = {
	.name = "nchan",
	.transports = BENCH_HAS(BENCH_WEBSOCKET) | BENCH_HAS(BENCH_SSE) | BENCH_HAS(BENCH_STREAM)
		| BENCH_HAS(BENCH_LONGPOLL),
	.left_out = {
		[BENCH_POLL] = "its interval-poll answers one message per request, too few at one per second",
	},
	.missing = nchan_missing,
	.version = nchan_version,
	.start = nchan_start,
	.subscribe = nchan_subscribe,
	.take_cursor = nchan_take_cursor,
	.opened = {
		[BENCH_WEBSOCKET] = "\r\n\r\n",
		[BENCH_SSE] = "\r\n\r\n",
	},
	.request = nchan_request,
	.publish = nchan_publish,
};
