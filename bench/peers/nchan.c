/* nchan, the publish-subscribe module of nginx, as Debian packages it.
 * https://nchan.io: publisher and subscriber endpoints; a long-poll goes on from the
 * Last-Modified and Etag of the answer before. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/marker.h"
#include "bench/options.h"
#include "bench/peer.h"
#include "util/err.h"

static const char *
nchan_missing(const struct bench_options *options)
{
	if (access(options->nginx_path, X_OK) != 0)
		return "nginx is not installed";
	if (access(options->nchan_module, R_OK) != 0)
		return "libnginx-mod-nchan is not installed";
	return NULL;
}

/* Writes `line` with the @NAMES@ replaced. */
static void
fill_in(FILE *out, const char *line, const struct bench_server *server,
	const struct bench_options *options)
{
	while (*line) {
		const char *at = strchr(line, '@');
		if (!at) {
			fputs(line, out);
			return;
		}
		fwrite(line, 1, (size_t)(at - line), out);
		if (strncmp(at, "@FOLDER@", 8) == 0) {
			fputs(server->folder, out);
			line = at + 8;
		} else if (strncmp(at, "@MODULE@", 8) == 0) {
			fputs(options->nchan_module, out);
			line = at + 8;
		} else if (strncmp(at, "@PORT@", 6) == 0) {
			fprintf(out, "%u", server->port);
			line = at + 6;
		} else {
			fputc('@', out);
			line = at + 1;
		}
	}
}

static int
write_config(const struct bench_server *server, const struct bench_options *options,
	const char *path)
{
	char source[512], line[512];
	snprintf(source, sizeof source, "%s/nchan.conf.in", options->peers_folder);
	FILE *in = fopen(source, "re");
	if (!in)
		return SL_ENOENT;
	FILE *out = fopen(path, "we");
	while (out && fgets(line, sizeof line, in))
		if (line[strspn(line, " \t")] != '#')
			fill_in(out, line, server, options);
	fclose(in);
	return out && fclose(out) == 0 ? 0 : SL_EIO;
}

static int
nchan_start(struct bench_server *server, const struct bench_options *options)
{
	char config[BENCH_FOLDER_MAX + 16], log[BENCH_FOLDER_MAX + 16];
	int probe = bench_listen(&server->port);
	if (probe < 0)
		return SL_EIO;
	close(probe);
	snprintf(config, sizeof config, "%s/nginx.conf", server->folder);
	snprintf(log, sizeof log, "%s/stderr.log", server->folder);
	int err = write_config(server, options, config);
	if (err)
		return err;
	const char *argv[] = { options->nginx_path, "-p", server->folder, "-c", config,
		"-e", log, NULL };
	return bench_process_start(&server->process, argv, options->server_core, log);
}

static void
nchan_subscribe(struct sl_buffer *out, enum bench_transport transport, const char *channel,
	const char *cursor)
{
	static const char *const location[] = { "/ws?id=", "/sse?id=", "/poll?id=" };
	static const char *const fields[] = {
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		"Accept: text/event-stream\r\n",
		"",
	};
	sl_buffer_append_str(out, "GET ");
	sl_buffer_append_str(out, location[transport]);
	sl_buffer_append_str(out, channel);
	sl_buffer_append_str(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\n");
	sl_buffer_append_str(out, fields[transport]);
	sl_buffer_append_str(out, cursor);
	sl_buffer_append_str(out, "\r\n");
}

/* The cursor is the two request fields themselves. */
static void
nchan_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	const char *time, *tag;
	size_t time_len, tag_len;
	if (!bench_answer_field(answer, "Last-Modified", &time, &time_len)
		|| !bench_answer_field(answer, "Etag", &tag, &tag_len)
		|| time_len + tag_len + 44 > BENCH_CURSOR_MAX)
		return;
	char *at = stpcpy(cursor, "If-Modified-Since: ");
	at = mempcpy(at, time, time_len);
	at = stpcpy(at, "\r\nIf-None-Match: ");
	at = mempcpy(at, tag, tag_len);
	stpcpy(at, "\r\n");
}

static void
nchan_publish(struct sl_buffer *out, const char *channel, const char *payload)
{
	sl_buffer_append_str(out, "POST /pub?id=");
	sl_buffer_append_str(out, channel);
	sl_buffer_printf(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
		"Content-Length: %d\r\n\r\n", BENCH_PAYLOAD_BYTES);
	sl_buffer_append(out, payload, BENCH_PAYLOAD_BYTES);
}

const struct bench_peer bench_peer_nchan = {
	.name = "nchan",
	.missing = nchan_missing,
	.start = nchan_start,
	.subscribe = nchan_subscribe,
	.take_cursor = nchan_take_cursor,
	.opened = {
		[BENCH_WEBSOCKET] = "\r\n\r\n",
		[BENCH_SSE] = "\r\n\r\n",
	},
	.publish = nchan_publish,
};
