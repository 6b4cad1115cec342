#include "bench/load/follower.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "util/err.h"

#define RETRY_NS 100000000u

void
bench_follower_init(struct bench_follower *follower, const struct bench_follower_world *world,
	uint64_t tag, const char *channel)
{
	*follower = (struct bench_follower){ .world = world, .tag = tag, .stream.fd = -1 };
	snprintf(follower->channel, sizeof follower->channel, "%s", channel);
}

void
bench_follower_finish(struct bench_follower *follower)
{
	if (!follower->world)
		return;
	bench_stream_close(&follower->stream);
	bench_http_finish(&follower->http);
	sl_buffer_finish(&follower->answer);
}

static bool
is_poll(const struct bench_follower *follower)
{
	enum bench_transport transport = follower->world->transport;
	return transport == BENCH_LONGPOLL || transport == BENCH_POLL;
}

static int
watch(struct bench_follower *follower, bool is_new)
{
	bool wanted = bench_stream_wants_write(&follower->stream);
	struct epoll_event event = {
		.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.u64 = follower->tag,
	};
	if (!is_new && wanted == follower->watched_for_write)
		return 0;
	follower->watched_for_write = wanted;
	return epoll_ctl(follower->world->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
		follower->stream.fd, &event) == 0 ? 0 : SL_EIO;
}

/* What is under way is thrown away: it comes again behind the cursor. */
static void
disconnect(struct bench_follower *follower)
{
	bench_stream_close(&follower->stream);
	bench_http_restart(&follower->http);
	sl_buffer_clear(&follower->answer);
	follower->scan = (struct bench_scan){ 0 };
	follower->frames = (struct bench_frames){ 0 };
	follower->waiting = false;
}

void
bench_follower_close(struct bench_follower *follower)
{
	disconnect(follower);
	follower->on = false;
}

static void
fail(struct bench_follower *follower)
{
	disconnect(follower);
	follower->reopened++;
	follower->retry_ns = bench_now_ns() + RETRY_NS;
}

static int
connect_now(struct bench_follower *follower)
{
	int err = bench_stream_open(&follower->stream, follower->world->server, NULL);
	return err ? err : watch(follower, true);
}

static int
send_request(struct bench_follower *follower)
{
	const struct bench_follower_world *world = follower->world;
	struct sl_buffer request = SL_BUFFER_INIT;
	int err = follower->stream.fd < 0 ? connect_now(follower) : 0;
	world->server->peer->subscribe(&request, world->server, world->transport, follower->channel,
		follower->cursor);
	if (!err)
		err = sl_buffer_status(&request);
	if (!err)
		err = bench_stream_send(&follower->stream, request.bytes, request.len);
	sl_buffer_finish(&request);
	follower->waiting = true;
	return err ? err : watch(follower, false);
}

void
bench_follower_open(struct bench_follower *follower)
{
	follower->on = true;
	follower->retry_ns = follower->opened_ns = follower->first_ns = 0;
	follower->connect_ns = bench_now_ns();
	follower->poll_ns = follower->connect_ns + follower->world->poll_interval_ns;
	if (send_request(follower) != 0)
		fail(follower);
}

uint64_t
bench_follower_due(const struct bench_follower *follower)
{
	if (!follower->on)
		return UINT64_MAX;
	if (follower->stream.fd < 0 && follower->retry_ns)
		return follower->retry_ns;
	return follower->world->transport == BENCH_POLL && !follower->waiting ? follower->poll_ns
		: UINT64_MAX;
}

void
bench_follower_tick(struct bench_follower *follower, uint64_t now_ns)
{
	uint64_t interval_ns = follower->world->poll_interval_ns;
	if (bench_follower_due(follower) > now_ns)
		return;
	follower->retry_ns = 0;
	/* Polls that came due while one was out are one. */
	while (follower->poll_ns <= now_ns)
		follower->poll_ns += interval_ns;
	if (send_request(follower) != 0)
		fail(follower);
}

static void
take_message(struct bench_follower *follower, uint64_t now_ns)
{
	if (!bench_counter_take(&follower->counter, follower->scan.seq))
		return;
	follower->last_ns = now_ns;
	if (follower->first_ns == 0)
		follower->first_ns = now_ns;
}

/* Whatever carries a cursor says that the subscription stands. */
static void
scan_bytes(struct bench_follower *follower, const char *bytes, size_t len, uint64_t now_ns)
{
	const char *end = bytes + len;
	enum bench_found found;
	while ((found = bench_scan_next(&follower->scan, &bytes, end)) != BENCH_FOUND_NOTHING) {
		if (found == BENCH_FOUND_MESSAGE)
			take_message(follower, now_ns);
		/* A poll's cursor stands before its messages; it counts with the whole answer. */
		if (!is_poll(follower))
			strcpy(follower->cursor, follower->scan.cursor);
		if (follower->opened_ns == 0)
			follower->opened_ns = now_ns;
	}
}

static int
answer_pings(struct bench_follower *follower, const char *bytes, size_t len)
{
	const char *end = bytes + len;
	char pong[BENCH_PONG_MAX];
	int err = 0;
	while (!err && bench_frames_next_ping(&follower->frames, &bytes, end))
		err = bench_stream_send(&follower->stream, pong,
			bench_frames_write_pong(&follower->frames, pong));
	return err;
}

static int
end_answer(struct bench_follower *follower, uint64_t now_ns)
{
	struct bench_answer answer = bench_http_answer(&follower->http);
	if (!is_poll(follower) || answer.status != 200)
		return SL_ECLOSED;
	follower->scan = (struct bench_scan){ 0 };
	scan_bytes(follower, follower->answer.bytes, follower->answer.len, now_ns);
	int err = follower->world->server->peer->take_cursor(&answer, follower->cursor);
	bool closes = bench_http_closes(&follower->http);
	bench_http_restart(&follower->http);
	sl_buffer_clear(&follower->answer);
	follower->waiting = false;
	if (err < 0 || follower->opened_ns == 0)
		return err < 0 ? err : SL_EPROTO;
	if (closes)
		bench_stream_close(&follower->stream);
	return follower->world->transport == BENCH_LONGPOLL ? send_request(follower) : 0;
}

static int
take_bytes(struct bench_follower *follower, const char *bytes, size_t len, uint64_t now_ns)
{
	int err = 0;
	for (size_t at = 0, taken; at < len && !err; at += taken) {
		int piece = bench_http_next(&follower->http, bytes + at, len - at, &taken);
		if (piece < 0)
			return piece;
		if (follower->http.status >= 400)
			return SL_EPROTO;
		if (piece == BENCH_PIECE_BODY && is_poll(follower)) {
			sl_buffer_append(&follower->answer, bytes + at, taken);
			err = sl_buffer_status(&follower->answer);
		} else if (piece == BENCH_PIECE_BODY) {
			scan_bytes(follower, bytes + at, taken, now_ns);
			if (follower->world->transport == BENCH_WEBSOCKET)
				err = answer_pings(follower, bytes + at, taken);
		}
		if (!err && follower->http.state == BENCH_HTTP_DONE)
			err = end_answer(follower, now_ns);
	}
	return err;
}

void
bench_follower_read(struct bench_follower *follower, char *input, size_t size)
{
	if (follower->stream.fd < 0)
		return;
	int got, err = bench_stream_flush(&follower->stream);
	do {
		got = err ? err : bench_stream_recv(&follower->stream, input, size);
		if (got > 0)
			err = take_bytes(follower, input, (size_t)got, bench_now_ns());
	} while (!err && got > 0 && bench_stream_reads_on(&follower->stream));
	if (!err && got < 0 && got != SL_EAGAIN)
		err = got;
	/* Between two short polls a server may close a kept connection; the next poll opens one. */
	if (err == SL_ECLOSED && follower->world->transport == BENCH_POLL && !follower->waiting)
		disconnect(follower);
	else if (err)
		fail(follower);
	else if (follower->stream.fd >= 0 && watch(follower, false) != 0)
		fail(follower);
}
