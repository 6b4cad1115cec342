#include "bench/load/hopper.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "util/err.h"

#define STAY_MIN_NS 10000000u
#define STAY_SPREAD_NS 300000000u
#define ANSWER_WAIT_NS 5000000000u
#define HASTY 8 /* one of so many is cut whether or not it has been answered */
#define POLL_INTERVAL_NS 40000000u
#define RETRY_NS 20000000u
#define CUT_SPREAD 240 /* bytes: more than a message with its frame */
#define CUT_WAIT_NS 60000000u

void
bench_hopper_init(struct bench_hopper *hopper, const struct bench_hop_world *world, uint64_t tag)
{
	*hopper = (struct bench_hopper){ .world = world, .tag = tag, .cursor = "0",
		.stream.fd = -1, .random = (uint32_t)(2463534242u + tag * 2654435761u) };
	for (unsigned i = 0; i < BENCH_HOP_CHANNELS; i++)
		hopper->counters[i].next = i * BENCH_HOP_CHANNEL_STEP;
}

void
bench_hopper_finish(struct bench_hopper *hopper)
{
	bench_stream_close(&hopper->stream);
	bench_http_finish(&hopper->http);
	sl_buffer_finish(&hopper->answer);
}

static uint32_t
draw(struct bench_hopper *hopper, uint32_t below)
{
	uint32_t x = hopper->random; /* xorshift32, Marsaglia 2003 */
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	hopper->random = x;
	return x % below;
}

static bool
is_poll(const struct bench_hopper *hopper)
{
	return hopper->transport == BENCH_LONGPOLL || hopper->transport == BENCH_POLL;
}

static int
watch(struct bench_hopper *hopper, bool is_new)
{
	bool wanted = bench_stream_wants_write(&hopper->stream);
	struct epoll_event event = {
		.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.u64 = hopper->tag,
	};
	if (!is_new && wanted == hopper->watched_for_write)
		return 0;
	hopper->watched_for_write = wanted;
	return epoll_ctl(hopper->world->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
		hopper->stream.fd, &event) == 0 ? 0 : SL_EIO;
}

/* Ends the connection: mostly by a reset, at times as a client that says goodbye. What is
 * under way is thrown away, as a client would that was cut. */
static void
cut(struct bench_hopper *hopper)
{
	struct linger none = { 0 };
	if (hopper->stream.fd >= 0 && draw(hopper, 4) == 0)
		setsockopt(hopper->stream.fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	bench_stream_close(&hopper->stream);
	bench_http_restart(&hopper->http);
	sl_buffer_clear(&hopper->answer);
	hopper->scan = (struct bench_scan){ 0 };
	hopper->frames = (struct bench_frames){ 0 };
	hopper->on = hopper->waiting = hopper->answered = false;
	hopper->cut_left = 0;
}

static void
fail(struct bench_hopper *hopper, uint64_t now_ns)
{
	cut(hopper);
	hopper->failed++;
	hopper->leave_ns = now_ns + RETRY_NS;
}

static int
send_request(struct bench_hopper *hopper)
{
	const struct bench_hop_world *world = hopper->world;
	struct sl_buffer request = SL_BUFFER_INIT;
	world->server->peer->subscribe(&request, world->server, hopper->transport, world->channels,
		hopper->cursor);
	int err = sl_buffer_status(&request);
	if (!err)
		err = bench_stream_send(&hopper->stream, request.bytes, request.len);
	sl_buffer_finish(&request);
	hopper->waiting = true;
	return err ? err : watch(hopper, false);
}

static uint64_t
draw_stay(struct bench_hopper *hopper)
{
	return STAY_MIN_NS + draw(hopper, STAY_SPREAD_NS);
}

/* A stay begins with the first byte that comes, so that a slow way is not cut before it can
 * deliver anything. */
static void
hop(struct bench_hopper *hopper, uint64_t now_ns)
{
	hopper->transport = draw(hopper, BENCH_TRANSPORT_COUNT);
	hopper->leave_ns = now_ns + (draw(hopper, HASTY) == 0 ? draw_stay(hopper) : ANSWER_WAIT_NS);
	hopper->hops++;
	hopper->on = true;
	int err = bench_stream_open(&hopper->stream, hopper->world->server, hopper->world->tls);
	if (!err)
		err = watch(hopper, true);
	if (!err)
		err = send_request(hopper);
	if (err)
		fail(hopper, now_ns);
}

/* Half of the cuts come at once, whatever is under way; the others after some more bytes,
 * which mostly is in the middle of a message. */
static void
leave(struct bench_hopper *hopper, uint64_t now_ns)
{
	if (hopper->cut_left == 0 && draw(hopper, 2) == 0) {
		hopper->cut_left = 1 + draw(hopper, CUT_SPREAD);
		hopper->leave_ns = now_ns + CUT_WAIT_NS;
		return;
	}
	cut(hopper);
	hop(hopper, now_ns);
}

void
bench_hopper_tick(struct bench_hopper *hopper, uint64_t now_ns)
{
	if (!hopper->on && now_ns >= hopper->leave_ns)
		hop(hopper, now_ns);
	else if (hopper->on && now_ns >= hopper->leave_ns && !hopper->world->calm)
		leave(hopper, now_ns);
	else if (hopper->on && hopper->transport == BENCH_POLL && !hopper->waiting
		&& now_ns >= hopper->poll_ns && send_request(hopper) != 0)
		fail(hopper, now_ns);
}

static void
take_message(struct bench_hopper *hopper)
{
	uint32_t channel = hopper->scan.seq / BENCH_HOP_CHANNEL_STEP;
	uint64_t number = bench_cursor_number(hopper->scan.cursor);
	if (channel >= BENCH_HOP_CHANNELS)
		return;
	hopper->delivered += bench_counter_take(&hopper->counters[channel], hopper->scan.seq);
	hopper->out_of_order += number <= hopper->last_number;
	hopper->last_number = number;
}

static void
scan_bytes(struct bench_hopper *hopper, const char *bytes, size_t len)
{
	const char *end = bytes + len;
	enum bench_found found;
	while ((found = bench_scan_next(&hopper->scan, &bytes, end)) != BENCH_FOUND_NOTHING) {
		if (found == BENCH_FOUND_MESSAGE)
			take_message(hopper);
		/* A poll's cursor stands before its messages; it counts with the whole answer. */
		if (found == BENCH_FOUND_MESSAGE || !is_poll(hopper))
			strcpy(hopper->cursor, hopper->scan.cursor);
	}
}

/* A stay ends before a ping has to be answered. */
static void
scan_stream(struct bench_hopper *hopper, const char *bytes, size_t len)
{
	const char *at = bytes;
	while (hopper->transport == BENCH_WEBSOCKET
		&& bench_frames_next_ping(&hopper->frames, &at, bytes + len))
		;
	scan_bytes(hopper, bytes, len);
}

static int
end_answer(struct bench_hopper *hopper, uint64_t now_ns)
{
	struct bench_answer answer = bench_http_answer(&hopper->http);
	if (!is_poll(hopper) || answer.status != 200)
		return SL_ECLOSED;
	hopper->scan = (struct bench_scan){ 0 };
	scan_bytes(hopper, hopper->answer.bytes, hopper->answer.len);
	int err = hopper->world->server->peer->take_cursor(&answer, hopper->cursor);
	bench_http_restart(&hopper->http);
	sl_buffer_clear(&hopper->answer);
	hopper->waiting = false;
	hopper->poll_ns = now_ns + POLL_INTERVAL_NS;
	if (err < 0)
		return err;
	return hopper->transport == BENCH_LONGPOLL ? send_request(hopper) : 0;
}

static int
take_bytes(struct bench_hopper *hopper, const char *bytes, size_t len, uint64_t now_ns)
{
	int err = 0;
	for (size_t at = 0, taken; at < len && !err; at += taken) {
		int piece = bench_http_next(&hopper->http, bytes + at, len - at, &taken);
		if (piece < 0)
			return piece;
		if (hopper->http.status >= 400)
			return SL_EPROTO;
		if (piece == BENCH_PIECE_BODY && is_poll(hopper))
			sl_buffer_append(&hopper->answer, bytes + at, taken);
		else if (piece == BENCH_PIECE_BODY)
			scan_stream(hopper, bytes + at, taken);
		err = sl_buffer_status(&hopper->answer);
		if (!err && hopper->http.state == BENCH_HTTP_DONE)
			err = end_answer(hopper, now_ns);
	}
	return err;
}

/* On sse and stream an object is a chunk. */
static bool
is_inside_message(const struct bench_hopper *hopper)
{
	if (is_poll(hopper))
		return hopper->answer.len > 0;
	if (hopper->transport == BENCH_WEBSOCKET)
		return hopper->frames.in_payload || hopper->frames.head_len > 0;
	return hopper->http.state == BENCH_HTTP_CHUNK || hopper->http.state == BENCH_HTTP_CHUNK_END;
}

void
bench_hopper_read(struct bench_hopper *hopper, char *input, size_t size, uint64_t now_ns)
{
	int got, err = bench_stream_flush(&hopper->stream);
	do {
		if (hopper->cut_left && hopper->cut_left < size)
			size = hopper->cut_left;
		got = err ? err : bench_stream_recv(&hopper->stream, input, size);
		if (got <= 0)
			break;
		if (!hopper->answered && hopper->cut_left == 0)
			hopper->leave_ns = now_ns + draw_stay(hopper);
		hopper->answered = true;
		err = take_bytes(hopper, input, (size_t)got, now_ns);
		if (!err && hopper->cut_left && (hopper->cut_left -= (unsigned)got) == 0) {
			hopper->cut_inside += is_inside_message(hopper);
			cut(hopper);
			hop(hopper, now_ns);
			return;
		}
	} while (!err && bench_stream_reads_on(&hopper->stream));
	if (!err && got < 0 && got != SL_EAGAIN)
		err = got;
	if (!err)
		err = watch(hopper, false);
	if (err)
		fail(hopper, now_ns);
}
