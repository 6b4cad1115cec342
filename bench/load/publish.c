/* Publishing: a connection that stays, answers counted, nothing waited for. */
#include <string.h>

#include "bench/load/worker.h"
#include "bench/network/network.h"
#include "util/err.h"

static int
watch(struct bench_worker *worker, bool is_new)
{
	return bench_worker_watch(worker, &worker->publisher.stream, is_new,
		&worker->publisher.watched_for_write, BENCH_PUBLISHER_TAG);
}

static bool
opens_first(const struct bench_worker *worker)
{
	return worker->plan.bursts && worker->plan.server->peer->open_burst;
}

static int
open_link(struct bench_worker *worker)
{
	const struct bench_worker_plan *plan = &worker->plan;
	const struct bench_peer *peer = plan->server->peer;
	struct bench_publisher_link *publisher = &worker->publisher;
	int err;
	if (opens_first(worker)) {
		if (peer->burst_answer)
			bench_token_init(&worker->publisher_answer, peer->burst_answer);
		bench_token_init(&worker->publisher_opening, peer->burst_opened);
		err = bench_stream_open_publishing(&publisher->stream, plan->server, plan->tls);
	} else {
		err = bench_stream_open(&publisher->stream, plan->server, plan->tls);
	}
	if (!err)
		err = watch(worker, true);
	bench_http_restart(&publisher->http);
	publisher->open = !opens_first(worker);
	if (!err && opens_first(worker)) {
		sl_buffer_clear(&worker->scratch);
		peer->open_burst(&worker->scratch, plan->server);
		err = bench_stream_send(&publisher->stream, worker->scratch.bytes, worker->scratch.len);
	}
	return err ? err : watch(worker, false);
}

int
bench_publisher_link_open(struct bench_worker *worker)
{
	const struct bench_network *network = worker->plan.server->network;
	if (!worker->plan.beside || !network)
		return open_link(worker);
	int err = bench_network_enter_server(network);
	if (!err)
		err = open_link(worker);
	int back = bench_network_enter_client(network);
	return err ? err : back;
}

static int
count_http_answers(struct bench_publisher_link *publisher, const char *bytes, size_t len)
{
	for (size_t at = 0, taken; at < len; at += taken) {
		int piece = bench_http_next(&publisher->http, bytes + at, len - at, &taken);
		if (piece < 0)
			return piece;
		if (publisher->http.state != BENCH_HTTP_DONE)
			continue;
		publisher->refused += publisher->http.status / 100 != 2;
		publisher->outstanding -= publisher->outstanding > 0;
		bench_http_restart(&publisher->http);
	}
	return 0;
}

static void
count_texts(struct bench_worker *worker, const char *bytes, size_t len)
{
	struct bench_publisher_link *publisher = &worker->publisher;
	if (!publisher->open)
		publisher->open = bench_token_count(&worker->publisher_opening,
			&publisher->opening_matched, bytes, len) > 0;
	if (!worker->plan.server->peer->burst_answer)
		return;
	unsigned answers = bench_token_count(&worker->publisher_answer, &publisher->answer_matched,
		bytes, len);
	publisher->outstanding -= answers < publisher->outstanding ? answers : publisher->outstanding;
}

static int
take_bytes(struct bench_worker *worker, size_t len)
{
	if (!opens_first(worker))
		return count_http_answers(&worker->publisher, worker->input, len);
	count_texts(worker, worker->input, len);
	return 0;
}

int
bench_publisher_link_read(struct bench_worker *worker)
{
	struct bench_publisher_link *publisher = &worker->publisher;
	int got, err = bench_stream_flush(&publisher->stream);
	do {
		got = err ? err : bench_stream_recv(&publisher->stream, worker->input, BENCH_INPUT_BYTES);
		if (got > 0)
			err = take_bytes(worker, (size_t)got);
	} while (!err && got > 0 && bench_stream_reads_on(&publisher->stream));
	if (!err && got < 0 && got != SL_EAGAIN)
		err = got;
	/* Proxies end kept connections after some hundred requests. */
	if (err == SL_ECLOSED && !opens_first(worker) && publisher->outstanding == 0) {
		bench_stream_close(&publisher->stream);
		return bench_publisher_link_open(worker);
	}
	return err ? err : watch(worker, false);
}

/* Appends messages `first`.. that go to one channel. Returns how many answers they will get. */
static unsigned
append(struct bench_worker *worker, uint32_t first, uint32_t count)
{
	const struct bench_worker_plan *plan = &worker->plan;
	const struct bench_peer *peer = plan->server->peer;
	char channel[BENCH_CHANNEL_MAX];
	bench_worker_name_channel(worker, first % plan->channels, channel);
	for (uint32_t i = 0; i < count; i++)
		bench_payload_fill(first / plan->channels + i, worker->payloads + i * plan->payload_len,
			plan->payload_len);
	if (plan->bursts && peer->publish_burst)
		return peer->publish_burst(&worker->scratch, plan->server, channel, worker->payloads,
			plan->payload_len, count);
	for (uint32_t i = 0; i < count; i++)
		peer->publish(&worker->scratch, plan->server, channel,
			worker->payloads + i * plan->payload_len, plan->payload_len);
	return count;
}

int
bench_publisher_link_send(struct bench_worker *worker, uint32_t first, uint32_t count)
{
	struct bench_publisher_link *publisher = &worker->publisher;
	struct sl_buffer *out = &worker->scratch;
	if (count > BENCH_BURST_MAX || first + count > BENCH_SEQ_MAX)
		return SL_ETOOBIG;
	sl_buffer_clear(out);
	uint32_t together = worker->plan.channels == 1 ? count : 1;
	for (uint32_t i = 0; i < count; i += together)
		publisher->outstanding += append(worker, first + i, together);
	int err = sl_buffer_status(out);
	if (!err)
		err = bench_stream_send(&publisher->stream, out->bytes, out->len);
	return err ? err : watch(worker, false);
}
