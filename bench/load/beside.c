#include "bench/load/beside.h"

#include <poll.h>

#include "bench/marker.h"
#include "bench/network/network.h"
#include "util/err.h"

#define ANSWER_WAIT_MS 5000

int
bench_beside_open(struct bench_beside *beside, const struct bench_server *server)
{
	*beside = (struct bench_beside){ .server = server, .stream.fd = -1 };
	int err = bench_network_enter_server(server->network);
	if (!err)
		err = bench_stream_open(&beside->stream, server, NULL);
	int back = bench_network_enter_client(server->network);
	return err ? err : back;
}

void
bench_beside_close(struct bench_beside *beside)
{
	if (!beside->server)
		return;
	bench_stream_close(&beside->stream);
	bench_http_finish(&beside->http);
	sl_buffer_finish(&beside->request);
}

static int
take_bytes(struct bench_http *http, const char *bytes, size_t len)
{
	for (size_t at = 0, taken; at < len; at += taken) {
		int piece = http->state == BENCH_HTTP_DONE ? SL_EPROTO
			: bench_http_next(http, bytes + at, len - at, &taken);
		if (piece < 0)
			return piece;
	}
	return 0;
}

static int
await_answer(struct bench_beside *beside)
{
	char input[2048];
	int err = 0;
	while (!err && beside->http.state != BENCH_HTTP_DONE) {
		struct pollfd wait = { .fd = beside->stream.fd, .events = POLLIN };
		if (bench_stream_wants_write(&beside->stream))
			wait.events |= POLLOUT;
		if (poll(&wait, 1, ANSWER_WAIT_MS) == 0)
			return SL_EAGAIN;
		err = bench_stream_flush(&beside->stream);
		int got = err ? err : bench_stream_recv(&beside->stream, input, sizeof input);
		if (got > 0)
			err = take_bytes(&beside->http, input, (size_t)got);
		else if (got != SL_EAGAIN)
			err = got;
	}
	return err ? err : beside->http.status / 100 == 2 ? 0 : SL_EBACKEND;
}

int
bench_beside_publish(struct bench_beside *beside, const char *channel, uint32_t seq, size_t len)
{
	char payload[BENCH_BESIDE_PAYLOAD_MAX];
	sl_buffer_clear(&beside->request);
	bench_http_restart(&beside->http);
	bench_payload_fill(seq, payload, len);
	beside->server->peer->publish(&beside->request, beside->server, channel, payload, len);
	int err = sl_buffer_status(&beside->request);
	if (!err)
		err = bench_stream_send(&beside->stream, beside->request.bytes, beside->request.len);
	return err ? err : await_answer(beside);
}
