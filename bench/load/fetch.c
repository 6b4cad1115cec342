#include "bench/load/fetch.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bench/load/http.h"
#include "bench/load/stream.h"
#include "util/err.h"

#define WAIT_MS 3000

static int
take_body(struct bench_http *http, const char *bytes, size_t len, struct sl_buffer *body)
{
	for (size_t at = 0, taken; at < len && http->state != BENCH_HTTP_DONE; at += taken) {
		int piece = bench_http_next(http, bytes + at, len - at, &taken);
		if (piece < 0)
			return piece;
		if (piece == BENCH_PIECE_BODY)
			sl_buffer_append(body, bytes + at, taken);
	}
	return sl_buffer_status(body);
}

static int
wait_for_more(struct bench_stream *stream)
{
	struct pollfd wait = { .fd = stream->fd, .events = POLLIN };
	if (bench_stream_wants_write(stream))
		wait.events |= POLLOUT;
	return poll(&wait, 1, WAIT_MS) == 0 ? SL_EAGAIN : bench_stream_flush(stream);
}

static int
read_answer(struct bench_stream *stream, struct bench_http *http, struct sl_buffer *body)
{
	char input[4096];
	int err = 0;
	while (!err && http->state != BENCH_HTTP_DONE) {
		/* Under TLS more may have come than was read: a socket is waited for only when it has nothing. */
		int got = bench_stream_recv(stream, input, sizeof input);
		if (got > 0)
			err = take_body(http, input, (size_t)got, body);
		else
			err = got == SL_EAGAIN ? wait_for_more(stream) : got;
	}
	return err;
}

/* Appends the body of the answer to `out`. A `body` of the request makes it a POST. */
static int
fetch(const struct bench_server *server, struct bench_tls *tls, const char *path, const char *body,
	struct sl_buffer *out)
{
	struct bench_stream stream;
	struct bench_http http = { 0 };
	struct sl_buffer request = SL_BUFFER_INIT;
	int err = bench_stream_open(&stream, server, tls);
	if (err)
		return err;
	sl_buffer_printf(&request, "%s %s%s HTTP/1.1\r\nHost: %s\r\n%s", body ? "POST" : "GET",
		server->base, path, server->host, bench_server_authorization(server));
	if (body)
		sl_buffer_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			strlen(body));
	sl_buffer_printf(&request, "\r\n%s", body ? body : "");
	err = sl_buffer_status(&request);
	if (!err)
		err = bench_stream_send(&stream, request.bytes, request.len);
	if (!err)
		err = read_answer(&stream, &http, out);
	if (!err && http.status != 200)
		err = SL_EPROTO;
	bench_stream_close(&stream);
	bench_http_finish(&http);
	sl_buffer_finish(&request);
	return err;
}

int
bench_fetch_json(const struct bench_server *server, struct bench_tls *tls, const char *path,
	json_t **out)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	int err = fetch(server, tls, path, NULL, &text);
	*out = err ? NULL : json_loadb(text.bytes, text.len, 0, NULL);
	if (!err && !*out)
		err = SL_EPROTO;
	sl_buffer_finish(&text);
	return err;
}

int
bench_fetch_text(const struct bench_server *server, struct bench_tls *tls, const char *path,
	struct sl_buffer *out)
{
	int err = fetch(server, tls, path, NULL, out);
	sl_buffer_append(out, "", 1);
	return err ? err : sl_buffer_status(out);
}

int
bench_fetch_post(const struct bench_server *server, struct bench_tls *tls, const char *path,
	const char *body)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	int err = fetch(server, tls, path, body, &text);
	sl_buffer_finish(&text);
	return err;
}

bool
bench_metric_find(const char *text, const char *name, double *value)
{
	size_t len = strlen(name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return sscanf(line + len, "%lf", value) == 1;
	}
	return false;
}
