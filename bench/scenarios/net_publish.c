/* Publishing over a network: from when a publish was due to its answer. A client on WebSocket
 * publishes over it; the others post over a connection that is kept. The schedule is open: a publish
 * that is due goes out on a connection without one under way, and there are enough of these. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load/generator.h"
#include "bench/load/http.h"
#include "bench/marker.h"
#include "util/err.h"

#define RATE 100.0
#define SECONDS 10.1 /* ten samples beyond p99 */
#define FULL_SECONDS 30.0
#define QUICK_SECONDS 1.0
#define SPARE 24     /* connections beyond those that two round trips need */
#define OPEN_WAIT_NS 20000000000u
#define LIMIT_NS 30000000000u /* after the last one was due */
#define TURN_NS 50000000u
#define EVENTS_A_TURN 64
#define INPUT_BYTES 65536
#define PAYLOAD_BYTES 128

struct publisher {
	struct bench_stream stream;
	struct bench_http http;
	uint8_t opening_matched, answer_matched;
	bool open, waiting, watched_for_write;
	uint64_t due_ns; /* of the publish under way; 0: it is not measured */
};

struct publishing {
	const struct bench_server *server;
	bool by_websocket;
	struct bench_token opening, answer;
	struct publisher *list; /* owns */
	unsigned count, next;   /* next: where a free one is looked for */
	uint32_t begun, answered;
	int epoll;
	struct sl_buffer request; /* owns */
	struct bench_wait wait;
	struct bench_effort effort;
	struct bench_histogram times, late;
	char input[INPUT_BYTES];
};

static json_t *
net_publish_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i, s:i}]", "rate", (int)RATE, "payload", PAYLOAD_BYTES);
}

static int
watch(struct publishing *publishing, struct publisher *publisher, bool is_new)
{
	bool wanted = bench_stream_wants_write(&publisher->stream);
	struct epoll_event event = { .events = EPOLLIN | (wanted ? EPOLLOUT : 0),
		.data.u64 = (uint64_t)(publisher - publishing->list) };
	if (!is_new && wanted == publisher->watched_for_write)
		return 0;
	publisher->watched_for_write = wanted;
	return epoll_ctl(publishing->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, publisher->stream.fd,
		&event) == 0 ? 0 : SL_EIO;
}

static int
send_request(struct publishing *publishing, struct publisher *publisher)
{
	int err = sl_buffer_status(&publishing->request);
	if (!err)
		err = bench_stream_send(&publisher->stream, publishing->request.bytes,
			publishing->request.len);
	publisher->waiting = true;
	return err ? err : watch(publishing, publisher, false);
}

static int
publish(struct publishing *publishing, struct publisher *publisher, uint64_t due_ns)
{
	const struct bench_peer *peer = publishing->server->peer;
	char payload[PAYLOAD_BYTES];
	publisher->due_ns = due_ns;
	sl_buffer_clear(&publishing->request);
	bench_payload_fill(publishing->begun, payload, sizeof payload);
	if (publishing->by_websocket)
		peer->publish_burst(&publishing->request, publishing->server, "net", payload, sizeof payload, 1);
	else
		peer->publish(&publishing->request, publishing->server, "net", payload, sizeof payload);
	return send_request(publishing, publisher);
}

/* A connection that is kept has carried something before: the WebSocket its handshake, the others
 * a publish. */
static int
open_publisher(struct publishing *publishing, struct publisher *publisher)
{
	int err = bench_stream_open(&publisher->stream, publishing->server, NULL);
	if (!err)
		err = watch(publishing, publisher, true);
	if (err || !publishing->by_websocket)
		return err ? err : publish(publishing, publisher, 0);
	sl_buffer_clear(&publishing->request);
	publishing->server->peer->open_burst(&publishing->request, publishing->server);
	return send_request(publishing, publisher);
}

static void
end_answer(struct publishing *publishing, struct publisher *publisher, uint64_t now)
{
	publisher->open = true;
	publisher->waiting = false;
	if (publisher->due_ns == 0)
		return;
	bench_histogram_record(&publishing->times, now - publisher->due_ns);
	publishing->answered++;
}

static int
take_answer(struct publishing *publishing, struct publisher *publisher, size_t len)
{
	struct bench_http *http = &publisher->http;
	uint64_t now = bench_now_ns();
	for (size_t at = 0, taken; at < len; at += taken) {
		int piece = bench_http_next(http, publishing->input + at, len - at, &taken);
		if (piece < 0)
			return piece;
		if (http->state != BENCH_HTTP_DONE)
			continue;
		if (http->status / 100 != 2)
			return SL_EBACKEND;
		bench_http_restart(http);
		end_answer(publishing, publisher, now);
	}
	return 0;
}

static void
take_frames(struct publishing *publishing, struct publisher *publisher, size_t len)
{
	const struct bench_token *token = publisher->open ? &publishing->answer : &publishing->opening;
	uint8_t *matched = publisher->open ? &publisher->answer_matched : &publisher->opening_matched;
	if (bench_token_count(token, matched, publishing->input, len) > 0)
		end_answer(publishing, publisher, bench_now_ns());
}

static int
read_publisher(struct publishing *publishing, struct publisher *publisher)
{
	int err = bench_stream_flush(&publisher->stream);
	int got = err ? err : bench_stream_recv(&publisher->stream, publishing->input, INPUT_BYTES);
	if (got > 0 && publishing->by_websocket)
		take_frames(publishing, publisher, (size_t)got);
	else if (got > 0)
		err = take_answer(publishing, publisher, (size_t)got);
	else if (got != SL_EAGAIN)
		err = got;
	return err ? err : watch(publishing, publisher, false);
}

static int
take_turn(struct publishing *publishing, uint64_t until)
{
	struct epoll_event events[EVENTS_A_TURN];
	uint64_t now = bench_now_ns(), left = until > now ? until - now : 0;
	int err = 0, count = bench_wait_events(&publishing->wait, publishing->epoll, events,
		EVENTS_A_TURN, left < TURN_NS ? left : TURN_NS);
	for (int i = 0; i < count && !err; i++)
		err = read_publisher(publishing, &publishing->list[events[i].data.u64]);
	return count < 0 ? SL_EIO : err;
}

static bool
all_open(const struct publishing *publishing)
{
	for (unsigned i = 0; i < publishing->count; i++)
		if (!publishing->list[i].open)
			return false;
	return true;
}

static int
open_all(struct publishing *publishing)
{
	uint64_t limit = bench_now_ns() + OPEN_WAIT_NS;
	int err = 0;
	for (unsigned i = 0; i < publishing->count && !err; i++)
		err = open_publisher(publishing, &publishing->list[i]);
	while (!err && !all_open(publishing))
		err = bench_now_ns() > limit ? SL_EAGAIN : take_turn(publishing, limit);
	return err;
}

/* One after another, so that each is idle for equally long. */
static struct publisher *
find_free(struct publishing *publishing)
{
	for (unsigned i = 0; i < publishing->count; i++) {
		unsigned index = (publishing->next + i) % publishing->count;
		if (publishing->list[index].waiting)
			continue;
		publishing->next = index + 1;
		return &publishing->list[index];
	}
	return NULL;
}

static int
publish_due(struct publishing *publishing, const struct bench_schedule *schedule)
{
	struct publisher *publisher;
	uint64_t due_ns, now = bench_now_ns();
	int err = 0;
	while (!err && publishing->begun < schedule->count
		&& (due_ns = bench_schedule_due(schedule, publishing->begun)) <= now
		&& (publisher = find_free(publishing))) {
		bench_histogram_record(&publishing->late, now - due_ns);
		err = publish(publishing, publisher, due_ns);
		publishing->begun++;
	}
	return err;
}

static int
measure(struct publishing *publishing, double seconds)
{
	const struct bench_schedule schedule = { .start_ns = bench_now_ns(), .rate = RATE, .burst = 1,
		.count = (uint32_t)(RATE * seconds) };
	uint64_t limit = bench_schedule_due(&schedule, schedule.count) + LIMIT_NS;
	struct bench_effort before = bench_effort_now(&publishing->wait);
	int err = 0;
	while (!err && publishing->answered < schedule.count) {
		uint64_t until = limit, now = bench_now_ns();
		err = now > limit ? SL_EAGAIN : publish_due(publishing, &schedule);
		if (publishing->begun < schedule.count)
			until = bench_schedule_due(&schedule, publishing->begun);
		/* What is due and finds no connection waits for an answer. */
		if (!err)
			err = take_turn(publishing, until > now ? until : now + TURN_NS);
	}
	bench_effort_add(&publishing->effort, &before, &publishing->wait);
	return err;
}

static int
prepare(struct publishing *publishing, const struct bench_run *run)
{
	const struct bench_network_kind *kind = &run->network->kind;
	const struct bench_peer *peer = run->server->peer;
	publishing->server = run->server;
	publishing->by_websocket = run->transport == BENCH_WEBSOCKET;
	publishing->count = SPARE + (unsigned)(2 * RATE * (kind->rtt_ms + kind->jitter_ms) / 1e3);
	publishing->list = calloc(publishing->count, sizeof *publishing->list);
	publishing->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!publishing->list || publishing->epoll < 0)
		return SL_ENOMEM;
	for (unsigned i = 0; i < publishing->count; i++)
		publishing->list[i].stream.fd = -1;
	bench_token_init(&publishing->opening, peer->burst_opened);
	bench_token_init(&publishing->answer, peer->burst_answer);
	return 0;
}

static void
finish(struct publishing *publishing)
{
	for (unsigned i = 0; publishing->list && i < publishing->count; i++) {
		bench_stream_close(&publishing->list[i].stream);
		bench_http_finish(&publishing->list[i].http);
	}
	if (publishing->epoll >= 0)
		close(publishing->epoll);
	sl_buffer_finish(&publishing->request);
	free(publishing->list);
	free(publishing);
}

static int
net_publish_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct publishing *publishing = calloc(1, sizeof *publishing);
	struct bench_generator_use use = { 0 };
	double seconds = run->settings->full && run->settings->seconds == 0 ? FULL_SECONDS
		: bench_scenario_seconds(run->settings, SECONDS, QUICK_SECONDS);
	if (!publishing)
		return SL_ENOMEM;
	int err = prepare(publishing, run);
	if (!err)
		err = open_all(publishing);
	if (!err)
		err = measure(publishing, seconds);
	if (!err) {
		json_t *figures = json_object();
		json_object_set_new(repeat, "figures", figures);
		bench_histogram_set_percentile(&publishing->times, 50, figures, "publish_p50_us");
		bench_histogram_set_percentile(&publishing->times, 90, figures, "publish_p90_us");
		bench_histogram_set_percentile(&publishing->times, 99, figures, "publish_p99_us");
		json_object_set_new(figures, "samples", json_integer((json_int_t)publishing->times.count));
		bench_generator_use_add(&use, &publishing->effort);
		bench_usage_set_generator(repeat, &use, &publishing->late,
			bench_generator_late_matters(run, &publishing->late));
	}
	finish(publishing);
	return err;
}

const struct bench_scenario bench_scenario_net_publish = {
	.name = "net-publish",
	.title = "net-publish: from a publish to its answer, over a network",
	.needs_network = true,
	.side_by_side = true,
	.is_light = true,
	.needs_publish = true,
	.cases = net_publish_cases,
	.measure = net_publish_measure,
};
