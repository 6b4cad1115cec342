/* One subscriber: opens, reads, counts; a poll asks again. */
#include <string.h>

#include "bench/load/worker.h"
#include "util/err.h"

static bool
is_poll(const struct bench_worker *worker)
{
	return worker->plan.transport == BENCH_LONGPOLL || worker->plan.transport == BENCH_POLL;
}

static uint64_t
tag_of(const struct bench_worker *worker, const struct bench_reader *reader)
{
	return (uint64_t)(reader - worker->readers);
}

static void
set_open(struct bench_worker *worker, struct bench_reader *reader)
{
	if (!reader->open)
		worker->open_count++;
	reader->open = true;
}

void
bench_reader_close(struct bench_worker *worker, struct bench_reader *reader)
{
	bench_account_add_stream(&worker->past, &reader->stream);
	bench_stream_close(&reader->stream);
	reader->stream.wire_in = reader->stream.wire_out = 0;
	reader->stream.clear_in = reader->stream.clear_out = 0;
}

static int
connect_reader(struct bench_worker *worker, struct bench_reader *reader)
{
	bench_http_restart(&reader->http);
	struct bench_tls_link *link = reader->link;
	reader->link = NULL;
	int err = link ? bench_stream_open_link(&reader->stream, worker->plan.server, link)
		: bench_stream_open(&reader->stream, worker->plan.server, worker->plan.tls);
	return err ? err : bench_worker_watch(worker, &reader->stream, true,
		&reader->watched_for_write, tag_of(worker, reader));
}

static void
subscribe(struct sl_buffer *request, const struct bench_worker_plan *plan,
	const struct bench_reader *reader, const char *channel)
{
	struct bench_server own;
	const struct bench_server *server = plan->server;
	if (reader->authorization) {
		own = *server;
		own.authorization = reader->authorization;
		server = &own;
	}
	server->peer->subscribe(request, server, plan->transport, channel, reader->cursor);
}

static int
send_request(struct bench_worker *worker, struct bench_reader *reader)
{
	const struct bench_worker_plan *plan = &worker->plan;
	struct sl_buffer *request = &worker->scratch;
	char channel[BENCH_CHANNEL_MAX];
	int err = reader->stream.fd < 0 ? connect_reader(worker, reader) : 0;
	if (err)
		return err;
	sl_buffer_clear(request);
	bench_worker_name_channel(worker, bench_worker_channel_of(worker, reader), channel);
	subscribe(request, plan, reader, channel);
	err = sl_buffer_status(request);
	if (!err)
		err = bench_stream_send(&reader->stream, request->bytes, request->len);
	reader->heads_out += request->len;
	reader->waiting = true;
	return err ? err : bench_worker_watch(worker, &reader->stream, false,
		&reader->watched_for_write, tag_of(worker, reader));
}

int
bench_reader_open(struct bench_worker *worker, struct bench_reader *reader)
{
	int err = send_request(worker, reader);
	if (!err && !bench_worker_sees_opening(worker))
		set_open(worker, reader);
	return err;
}

int
bench_reader_reopen(struct bench_worker *worker, struct bench_reader *reader)
{
	bench_reader_close(worker, reader);
	worker->open_count -= reader->open;
	reader->open = reader->waiting = reader->watched_for_write = false;
	reader->matched = 0;
	reader->step = 0;
	reader->frames = (struct bench_frames){ 0 };
	return bench_reader_open(worker, reader);
}

int
bench_reader_poll(struct bench_worker *worker, struct bench_reader *reader)
{
	if (reader->waiting) {
		reader->owed = true;
		return 0;
	}
	return send_request(worker, reader);
}

static void
take_messages(struct bench_worker *worker, struct bench_reader *reader, const char *bytes,
	size_t len)
{
	const char *end = bytes + len;
	const struct bench_pass *pass = &worker->pass;
	unsigned channel = bench_worker_channel_of(worker, reader);
	uint64_t now = 0;
	uint32_t seq;
	while (bench_marker_next(&reader->counter.marker, &bytes, end, &seq)) {
		if (!bench_counter_take(&reader->counter, seq))
			continue;
		if (now == 0)
			now = bench_now_ns();
		worker->delivered++;
		if (reader->first_ns == 0) {
			reader->first_ns = now;
			reader->first_flights = reader->stream.flights;
		}
		uint32_t number = bench_schedule_message_of(seq, channel, worker->plan.channels);
		if (!pass->measured || number < pass->schedule.first)
			continue;
		uint32_t turn = (number - pass->schedule.first) / pass->schedule.burst;
		uint64_t due = bench_schedule_due(&pass->schedule, turn);
		uint64_t step = (now - pass->schedule.start_ns) / BENCH_TIMELINE_STEP_NS;
		bench_histogram_record(&worker->tally->latency, now > due ? now - due : 0);
		if (step < BENCH_TIMELINE_STEPS)
			worker->tally->timeline[step]++;
		if (turn < worker->tally->writes)
			worker->tally->last_ns[turn] = now;
	}
	if (now)
		worker->last_delivery_ns = now;
}

static int
answer_pings(struct bench_worker *worker, struct bench_reader *reader, const char *bytes,
	size_t len)
{
	const char *end = bytes + len;
	char pong[BENCH_PONG_MAX];
	int err = 0;
	while (!err && bench_frames_next_ping(&reader->frames, &bytes, end))
		err = bench_stream_send(&reader->stream, pong, bench_frames_write_pong(&reader->frames, pong));
	return err;
}

static int
note_opening(struct bench_worker *worker, struct bench_reader *reader, const char *bytes,
	size_t len)
{
	const struct bench_worker_plan *plan = &worker->plan;
	const struct bench_peer *peer = plan->server->peer;
	char channel[BENCH_CHANNEL_MAX];
	if (!peer->converse) {
		if (bench_token_count(&worker->reader_opening, &reader->matched, bytes, len) > 0)
			set_open(worker, reader);
		return 0;
	}
	sl_buffer_clear(&worker->scratch);
	bench_worker_name_channel(worker, bench_worker_channel_of(worker, reader), channel);
	int is_open = peer->converse(&worker->scratch, plan->transport, channel, &reader->step, bytes,
		len);
	if (is_open < 0)
		return is_open;
	if (is_open)
		set_open(worker, reader);
	return bench_stream_send(&reader->stream, worker->scratch.bytes, worker->scratch.len);
}

static int
take_body(struct bench_worker *worker, struct bench_reader *reader, const char *bytes, size_t len)
{
	int err = 0;
	take_messages(worker, reader, bytes, len);
	if (worker->plan.transport == BENCH_WEBSOCKET)
		err = answer_pings(worker, reader, bytes, len);
	if (!err && !reader->open && !is_poll(worker))
		err = note_opening(worker, reader, bytes, len);
	return err;
}

/* A poll's answer is whole. */
static int
end_answer(struct bench_worker *worker, struct bench_reader *reader)
{
	struct bench_answer answer = bench_http_answer(&reader->http);
	if (!is_poll(worker))
		return SL_ECLOSED;
	if (answer.status / 100 != 2 && answer.status != 304)
		return SL_EPROTO;
	int is_open = worker->plan.server->peer->take_cursor(&answer, reader->cursor);
	if (is_open < 0)
		return is_open;
	bool begins_again = worker->plan.transport == BENCH_LONGPOLL || !is_open || reader->owed;
	if (bench_http_closes(&reader->http))
		bench_reader_close(worker, reader);
	bench_http_restart(&reader->http);
	reader->waiting = reader->owed = false;
	if (is_open)
		set_open(worker, reader);
	return begins_again ? send_request(worker, reader) : 0;
}

static int
take_bytes(struct bench_worker *worker, struct bench_reader *reader, const char *bytes, size_t len)
{
	int err = 0;
	for (size_t at = 0, taken; at < len && !err; at += taken) {
		int piece = bench_http_next(&reader->http, bytes + at, len - at, &taken);
		if (piece < 0)
			return piece;
		if (piece == BENCH_PIECE_HEAD)
			reader->heads_in += taken;
		if (piece == BENCH_PIECE_HEAD && !reader->open && !is_poll(worker))
			err = note_opening(worker, reader, bytes + at, taken);
		if (piece == BENCH_PIECE_BODY)
			err = take_body(worker, reader, bytes + at, taken);
		if (!err && reader->http.status >= 400)
			err = SL_EPROTO;
		if (!err && reader->http.state == BENCH_HTTP_DONE)
			err = end_answer(worker, reader);
	}
	return err;
}

/* Between two short polls a server may close a kept connection; the next poll opens one. */
static int
note_closed(struct bench_worker *worker, struct bench_reader *reader, int err)
{
	if (err != SL_ECLOSED || !is_poll(worker) || !reader->open)
		return err;
	bool was_waiting = reader->waiting;
	bench_reader_close(worker, reader);
	reader->waiting = false;
	return was_waiting ? send_request(worker, reader) : 0;
}

int
bench_reader_read(struct bench_worker *worker, struct bench_reader *reader)
{
	int got, err = bench_stream_flush(&reader->stream);
	do {
		got = err ? err : bench_stream_recv(&reader->stream, worker->input, BENCH_INPUT_BYTES);
		if (got > 0)
			err = take_bytes(worker, reader, worker->input, (size_t)got);
	} while (!err && got > 0 && bench_stream_reads_on(&reader->stream));
	if (!err && got < 0 && got != SL_EAGAIN)
		err = got;
	if (err)
		err = note_closed(worker, reader, err);
	return err || reader->stream.fd < 0 ? err : bench_worker_watch(worker, &reader->stream, false,
		&reader->watched_for_write, tag_of(worker, reader));
}
