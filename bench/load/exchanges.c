#include "bench/load/exchanges.h"

#include <stdlib.h>
#include <unistd.h>

#include "bench/load/tls.h"
#include "bench/scenario.h"
#include "util/err.h"

#define ANSWER_WAIT_NS 3000000000u
#define INPUT_BYTES 65536

int
bench_exchanges_init(struct bench_exchanges *exchanges, const struct bench_run *run, unsigned count)
{
	*exchanges = (struct bench_exchanges){
		.server = run->server, .list = calloc(count, sizeof *exchanges->list), .count = count,
		.wait.busy_polls = run->busy_polling, .epoll = epoll_create1(EPOLL_CLOEXEC),
		.input = malloc(INPUT_BYTES),
	};
	for (unsigned i = 0; exchanges->list && i < count; i++)
		exchanges->list[i].stream.fd = -1;
	if (!exchanges->list || !exchanges->input)
		return SL_ENOMEM;
	return exchanges->epoll >= 0 ? bench_tls_create(&exchanges->tls, run->settings, run->server)
		: SL_EIO;
}

void
bench_exchanges_close(struct bench_exchanges *exchanges)
{
	for (unsigned i = 0; i < exchanges->count; i++) {
		bench_stream_close(&exchanges->list[i].stream);
		exchanges->list[i].waiting = false;
	}
}

void
bench_exchanges_finish(struct bench_exchanges *exchanges)
{
	for (unsigned i = 0; exchanges->list && i < exchanges->count; i++) {
		bench_stream_close(&exchanges->list[i].stream);
		bench_http_finish(&exchanges->list[i].http);
	}
	if (exchanges->epoll >= 0)
		close(exchanges->epoll);
	bench_tls_destroy(exchanges->tls);
	free(exchanges->list);
	free(exchanges->input);
}

static int
watch(struct bench_exchanges *exchanges, unsigned index, int operation)
{
	struct bench_stream *stream = &exchanges->list[index].stream;
	struct epoll_event event = {
		.events = EPOLLIN | (bench_stream_wants_write(stream) ? EPOLLOUT : 0), .data.u32 = index,
	};
	return epoll_ctl(exchanges->epoll, operation, stream->fd, &event) == 0 ? 0 : SL_EIO;
}

int
bench_exchanges_ask(struct bench_exchanges *exchanges, unsigned index, const char *request,
	size_t len)
{
	struct bench_exchange *exchange = &exchanges->list[index];
	bool is_new = exchange->stream.fd < 0;
	int err = is_new ? bench_stream_open(&exchange->stream, exchanges->server, exchanges->tls)
		: 0;
	bench_http_restart(&exchange->http);
	exchange->body_len = 0;
	exchange->waiting = true;
	if (!err)
		err = bench_stream_send(&exchange->stream, request, len);
	if (!err && (is_new || bench_stream_wants_write(&exchange->stream)))
		err = watch(exchanges, index, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD);
	return err;
}

static int
take_bytes(struct bench_exchange *exchange, const char *bytes, size_t len)
{
	for (size_t at = 0, taken; at < len; at += taken) {
		int piece = exchange->waiting
			? bench_http_next(&exchange->http, bytes + at, len - at, &taken) : SL_EPROTO;
		if (piece < 0)
			return piece;
		exchange->body_len += piece == BENCH_PIECE_BODY ? taken : 0;
	}
	return 0;
}

/* A server may close a connection on which nothing is under way. */
static int
read_more(struct bench_exchanges *exchanges, unsigned index)
{
	struct bench_exchange *exchange = &exchanges->list[index];
	if (bench_stream_wants_write(&exchange->stream)) {
		int err = bench_stream_flush(&exchange->stream);
		if (!err)
			err = watch(exchanges, index, EPOLL_CTL_MOD);
		if (err)
			return err;
	}
	int got, err = 0;
	do {
		got = bench_stream_recv(&exchange->stream, exchanges->input, INPUT_BYTES);
		if (got > 0)
			err = take_bytes(exchange, exchanges->input, (size_t)got);
	} while (!err && got > 0 && bench_stream_reads_on(&exchange->stream));
	if (got == SL_ECLOSED && !exchange->waiting) {
		bench_stream_close(&exchange->stream);
		return 0;
	}
	return err || got >= 0 || got == SL_EAGAIN ? err : got;
}

int
bench_exchanges_await(struct bench_exchanges *exchanges, unsigned *index)
{
	for (;;) {
		struct epoll_event event;
		int count = bench_wait_events(&exchanges->wait, exchanges->epoll, &event, 1, ANSWER_WAIT_NS);
		if (count <= 0)
			return count == 0 ? SL_EAGAIN : SL_EIO;
		*index = event.data.u32;
		struct bench_exchange *exchange = &exchanges->list[*index];
		int err = read_more(exchanges, *index);
		if (err)
			return err;
		if (!exchange->waiting || exchange->http.state != BENCH_HTTP_DONE)
			continue;
		exchange->waiting = false;
		if (bench_http_closes(&exchange->http))
			bench_stream_close(&exchange->stream);
		return 0;
	}
}
