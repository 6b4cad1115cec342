/* The upgrade of Engine.IO: sessions on polling, each with a poll that is held, go on over a WebSocket as the
 * client of Socket.IO does it: it probes the WebSocket, waits for the poll to be answered, says so, and speaks
 * there. Upgrades begin by a schedule, whatever becomes of those before; one that is late counts from when it
 * was due. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load/generator.h"
#include "bench/load/http.h"
#include "bench/load/schedule.h"
#include "bench/load/stream.h"
#include "bench/load/wait.h"
#include "bench/marker.h"
#include "bench/peers/engineio.h"
#include "util/err.h"

#define RATE 200.0
#define SESSIONS 100 /* at a time: each has two connections */
#define ROUNDS 11    /* so that ten upgrades lie beyond the 99th percentile */
#define FULL_ROUNDS 50
#define QUICK_SHARE 0.1
#define WAIT_NS 5000000000u
#define HOLD_NS 20000000u /* until the server is known to hold what was asked */
#define EVENTS_A_TURN 64
#define INPUT_BYTES 16384
#define LEAD_NS 2000000u

#define PROBE "2probe"
#define UPGRADED "5"
#define FIRST_WORDS "40/upgraded," /* connects to a namespace, or is told that there is none: an answer */

enum side { POLL, WEBSOCKET };

/* One session. */
struct client {
	struct bench_stream streams[2];
	struct bench_http https[2];
	char cursor[BENCH_CURSOR_MAX];
	uint8_t matched_probe, matched_answer;
	bool is_open, is_asking, is_probed, is_released, is_over;
	uint64_t due_ns;
};

/* What all rounds share. */
struct upgrades {
	struct bench_run *run;
	struct client *clients; /* owns */
	unsigned sessions, over, opened;
	int epoll;              /* owns */
	struct bench_wait wait;
	struct sl_buffer out;
	struct bench_token probe, answer;
	struct bench_histogram *times, *released; /* owns */
	struct bench_usage used;
	struct bench_effort effort;
	char channel[BENCH_CHANNEL_MAX];
	char input[INPUT_BYTES];
};

static json_t *
upgrade_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i,s:i}]", "pace", (int)RATE, "sessions", SESSIONS);
}

static int
send_out(struct upgrades *upgrades, struct client *client, enum side side)
{
	struct bench_stream *stream = &client->streams[side];
	bool is_new = stream->fd < 0;
	uint64_t tag = (uint64_t)(client - upgrades->clients) * 2 + side;
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = tag };
	int err = sl_buffer_status(&upgrades->out);
	if (!err && is_new) {
		bench_http_restart(&client->https[side]);
		err = bench_stream_open(stream, upgrades->run->server, NULL);
		if (!err && epoll_ctl(upgrades->epoll, EPOLL_CTL_ADD, stream->fd, &event) != 0)
			err = SL_EIO;
	}
	/* What is said here is short; a socket that does not take it is a failure. */
	if (!err)
		err = bench_stream_send(stream, upgrades->out.bytes, upgrades->out.len);
	sl_buffer_clear(&upgrades->out);
	return err ? err : bench_stream_wants_write(stream) ? SL_EAGAIN : 0;
}

/* The next request of a session on polling. */
static int
ask(struct upgrades *upgrades, struct client *client)
{
	const struct bench_server *server = upgrades->run->server;
	server->peer->subscribe(&upgrades->out, server, BENCH_LONGPOLL, upgrades->channel, client->cursor);
	client->is_asking = true;
	return send_out(upgrades, client, POLL);
}

static int
say(struct upgrades *upgrades, struct client *client, const char *packet)
{
	bench_engineio_append_frame(&upgrades->out, packet);
	return send_out(upgrades, client, WEBSOCKET);
}

/* The probe was answered and no poll is held: the WebSocket is the session's from here on. */
static int
go_on(struct upgrades *upgrades, struct client *client)
{
	if (!client->is_probed || !client->is_released)
		return 0;
	bench_engineio_append_frame(&upgrades->out, UPGRADED);
	return say(upgrades, client, FIRST_WORDS);
}

static int
take_poll_answer(struct upgrades *upgrades, struct client *client)
{
	struct bench_http *http = &client->https[POLL];
	struct bench_answer answer = bench_http_answer(http);
	client->is_asking = false;
	if (client->is_open) {
		/* A packet that means nothing, and the poll ends with it. */
		if (answer.status != 200 || answer.body_len != 1 || *answer.body != '6' || client->due_ns == 0)
			return SL_EPROTO;
		bench_histogram_record(upgrades->released, bench_now_ns() - client->due_ns);
		client->is_released = true;
		return go_on(upgrades, client);
	}
	int is_open = upgrades->run->server->peer->take_cursor(&answer, client->cursor);
	if (is_open < 0)
		return is_open;
	if (bench_http_closes(http))
		bench_stream_close(&client->streams[POLL]);
	bench_http_restart(http);
	client->is_open = is_open;
	upgrades->opened += is_open;
	return ask(upgrades, client);
}

static int
take_words(struct upgrades *upgrades, struct client *client, const char *bytes, size_t len)
{
	if (!client->is_probed) {
		client->is_probed = bench_token_count(&upgrades->probe, &client->matched_probe, bytes, len);
		return client->is_probed ? go_on(upgrades, client) : 0;
	}
	if (!client->is_over && bench_token_count(&upgrades->answer, &client->matched_answer, bytes, len)) {
		bench_histogram_record(upgrades->times, bench_now_ns() - client->due_ns);
		client->is_over = true;
		upgrades->over++;
	}
	return 0;
}

static int
take_head(struct upgrades *upgrades, struct client *client)
{
	const struct bench_http *http = &client->https[WEBSOCKET];
	if (http->status == 0)
		return 0;
	return http->status == 101 ? say(upgrades, client, PROBE) : SL_EPROTO;
}

static int
take_bytes(struct upgrades *upgrades, struct client *client, enum side side, size_t len)
{
	struct bench_http *http = &client->https[side];
	int err = 0;
	for (size_t at = 0, taken; at < len && !err; at += taken) {
		bool had_head = http->status;
		if (http->state == BENCH_HTTP_DONE)
			return SL_EPROTO;
		int piece = bench_http_next(http, upgrades->input + at, len - at, &taken);
		if (piece < 0)
			return piece;
		if (side == WEBSOCKET && piece == BENCH_PIECE_HEAD && !had_head)
			err = take_head(upgrades, client);
		else if (side == WEBSOCKET && piece == BENCH_PIECE_BODY)
			err = take_words(upgrades, client, upgrades->input + at, taken);
		else if (side == POLL && http->state == BENCH_HTTP_DONE)
			err = take_poll_answer(upgrades, client);
	}
	return err;
}

/* A server may close the polling connection once it is used no more. */
static int
read_side(struct upgrades *upgrades, struct client *client, enum side side)
{
	struct bench_stream *stream = &client->streams[side];
	if (stream->fd < 0)
		return 0;
	int got = bench_stream_recv(stream, upgrades->input, INPUT_BYTES);
	if (got > 0)
		return take_bytes(upgrades, client, side, (size_t)got);
	if (got == SL_ECLOSED && side == POLL && !client->is_asking) {
		bench_stream_close(stream);
		return 0;
	}
	return got == SL_EAGAIN ? 0 : got;
}

static int
turn(struct upgrades *upgrades, uint64_t ns)
{
	struct epoll_event events[EVENTS_A_TURN];
	int err = 0, count = bench_wait_events(&upgrades->wait, upgrades->epoll, events, EVENTS_A_TURN, ns);
	for (int i = 0; i < count && !err; i++)
		err = read_side(upgrades, &upgrades->clients[events[i].data.u64 / 2],
			(enum side)(events[i].data.u64 % 2));
	return count < 0 ? SL_EIO : err;
}

/* Sessions one after another, each until its poll is held. */
static int
open_sessions(struct upgrades *upgrades)
{
	int err = 0;
	for (unsigned i = 0; i < upgrades->sessions && !err; i++) {
		uint64_t limit = bench_now_ns() + WAIT_NS;
		upgrades->clients[i] = (struct client){ .streams = { { .fd = -1 }, { .fd = -1 } } };
		err = ask(upgrades, &upgrades->clients[i]);
		while (!err && upgrades->opened <= i)
			err = bench_now_ns() > limit ? SL_EAGAIN : turn(upgrades, WAIT_NS);
	}
	uint64_t held = bench_now_ns() + HOLD_NS;
	for (uint64_t now = 0; !err && now < held; now = bench_now_ns())
		err = turn(upgrades, HOLD_NS);
	return err;
}

static int
upgrade_sessions(struct upgrades *upgrades)
{
	const struct bench_server *server = upgrades->run->server;
	struct bench_schedule schedule = { .start_ns = bench_now_ns() + LEAD_NS, .rate = RATE, .burst = 1,
		.count = upgrades->sessions };
	uint64_t limit = bench_schedule_due(&schedule, schedule.count) + WAIT_NS;
	unsigned next = 0;
	int err = 0;
	while (!err && upgrades->over < upgrades->sessions) {
		uint64_t now = bench_now_ns(), due = bench_schedule_due(&schedule, next);
		if (now > limit)
			return SL_EAGAIN;
		if (next == upgrades->sessions || due > now) {
			err = turn(upgrades, next < upgrades->sessions ? due - now : WAIT_NS);
			continue;
		}
		struct client *client = &upgrades->clients[next++];
		client->due_ns = due;
		bench_engineio_append_upgrade(&upgrades->out, server, client->cursor);
		err = send_out(upgrades, client, WEBSOCKET);
	}
	return err;
}

static void
close_sessions(struct upgrades *upgrades)
{
	for (unsigned i = 0; i < upgrades->sessions; i++)
		for (enum side side = POLL; side <= WEBSOCKET; side++) {
			bench_stream_close(&upgrades->clients[i].streams[side]);
			bench_http_finish(&upgrades->clients[i].https[side]);
			upgrades->clients[i].https[side] = (struct bench_http){ 0 };
		}
}

static int
do_round(struct upgrades *upgrades)
{
	const struct bench_server *server = upgrades->run->server;
	upgrades->over = upgrades->opened = 0;
	int err = open_sessions(upgrades);
	struct bench_usage before = bench_usage_take(server);
	struct bench_effort own = bench_effort_now(&upgrades->wait);
	if (!err)
		err = upgrade_sessions(upgrades);
	bench_effort_add(&upgrades->effort, &own, &upgrades->wait);
	bench_usage_settle(server, &upgrades->wait);
	struct bench_usage after = bench_usage_take(server);
	bench_usage_add(&upgrades->used, &before, &after);
	close_sessions(upgrades);
	return err;
}

/* The first round is for what the server sets up once. */
static int
measure(struct upgrades *upgrades, unsigned rounds)
{
	int err = do_round(upgrades);
	*upgrades->times = *upgrades->released = (struct bench_histogram){ 0 };
	upgrades->used = (struct bench_usage){ 0 };
	upgrades->effort = (struct bench_effort){ 0 };
	for (unsigned i = 0; i < rounds && !err; i++)
		err = do_round(upgrades);
	return err;
}

static void
set_figures(const struct upgrades *upgrades, json_t *repeat)
{
	static const struct bench_usage nothing;
	json_t *figures = json_object();
	double upgraded = (double)upgrades->times->count;
	bench_histogram_set_figures(upgrades->times, figures);
	bench_histogram_set_percentile(upgrades->released, 50, figures, "released_p50_us");
	bench_histogram_set_percentile(upgrades->released, 99, figures, "released_p99_us");
	json_object_set_new(figures, "cpu_us_per_upgrade",
		json_real((double)upgrades->used.server_ns / 1e3 / upgraded));
	bench_usage_set_wakeups(figures, "upgrade", upgrades->effort.wakeups, &nothing, &upgrades->used,
		upgraded);
	json_object_set_new(repeat, "figures", figures);
	json_object_set_new(repeat, "histogram", bench_histogram_json(upgrades->times));
	struct bench_generator_use use = { .busy_polls = upgrades->wait.busy_polls };
	bench_generator_use_add(&use, &upgrades->effort);
	bench_usage_set_generator(repeat, &use, NULL, false);
}

/* They are counted; a window of one second stands for ROUNDS of them. */
static unsigned
rounds_of(const struct bench_settings *settings)
{
	double share = bench_scenario_seconds(settings, 1, QUICK_SHARE);
	return 1 + (unsigned)(share * ((settings->full ? FULL_ROUNDS : ROUNDS) - 1));
}

static int
upgrade_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct upgrades *upgrades = calloc(1, sizeof *upgrades);
	if (!upgrades)
		return SL_ENOMEM;
	upgrades->run = run;
	upgrades->sessions = (unsigned)json_integer_value(json_object_get(params, "sessions"));
	upgrades->wait.busy_polls = run->busy_polling;
	upgrades->epoll = epoll_create1(EPOLL_CLOEXEC);
	upgrades->clients = calloc(upgrades->sessions, sizeof *upgrades->clients);
	upgrades->times = calloc(1, sizeof *upgrades->times);
	upgrades->released = calloc(1, sizeof *upgrades->released);
	bench_token_init(&upgrades->probe, "3probe");
	bench_token_init(&upgrades->answer, "/upgraded,");
	bench_generator_name_channel(run, "bench", 0, upgrades->channel);
	int err = !upgrades->clients || !upgrades->times || !upgrades->released ? SL_ENOMEM
		: upgrades->epoll < 0 ? SL_EIO : 0;
	if (!err)
		err = measure(upgrades, rounds_of(run->settings));
	if (!err)
		set_figures(upgrades, repeat);
	if (upgrades->epoll >= 0)
		close(upgrades->epoll);
	sl_buffer_finish(&upgrades->out);
	free(upgrades->clients);
	free(upgrades->times);
	free(upgrades->released);
	free(upgrades);
	return err;
}

const struct bench_scenario bench_scenario_upgrade = {
	.name = "upgrade",
	.title = "upgrade: a session changes from a held poll to a WebSocket",
	.by_name = true,
	.busy_polling = true,
	.instead_of_transport = "longpoll+websocket",
	.needs = BENCH_HAS(BENCH_LONGPOLL) | BENCH_HAS(BENCH_WEBSOCKET),
	.needs_upgrade = true,
	.why_no_target = "a target may have no clients of Socket.IO",
	.cases = upgrade_cases,
	.measure = upgrade_measure,
};
