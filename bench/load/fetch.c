#include "bench/load/fetch.h"

#include <poll.h>

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
read_answer(struct bench_stream *stream, struct bench_http *http, struct sl_buffer *body)
{
	char input[4096];
	int err = 0;
	while (!err && http->state != BENCH_HTTP_DONE) {
		struct pollfd wait = { .fd = stream->fd, .events = POLLIN };
		if (bench_stream_wants_write(stream))
			wait.events |= POLLOUT;
		if (poll(&wait, 1, WAIT_MS) == 0)
			return SL_EAGAIN;
		err = bench_stream_flush(stream);
		int got = err ? err : bench_stream_recv(stream, input, sizeof input);
		if (got > 0)
			err = take_body(http, input, (size_t)got, body);
		else if (got != SL_EAGAIN)
			err = got;
	}
	return err;
}

int
bench_fetch_json(const struct bench_server *server, struct bench_tls *tls, const char *path,
	json_t **out)
{
	struct bench_stream stream;
	struct bench_http http = { 0 };
	struct sl_buffer text = SL_BUFFER_INIT;
	int err = bench_stream_open(&stream, server, tls);
	if (err)
		return err;
	sl_buffer_printf(&text, "GET %s%s HTTP/1.1\r\nHost: %s\r\n\r\n", server->base, path, server->host);
	err = sl_buffer_status(&text);
	if (!err)
		err = bench_stream_send(&stream, text.bytes, text.len);
	sl_buffer_clear(&text);
	if (!err)
		err = read_answer(&stream, &http, &text);
	*out = err || http.status != 200 ? NULL : json_loadb(text.bytes, text.len, 0, NULL);
	if (!err && !*out)
		err = SL_EPROTO;
	bench_stream_close(&stream);
	bench_http_finish(&http);
	sl_buffer_finish(&text);
	return err;
}
