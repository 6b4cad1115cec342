/* Renewal: a crowd of streams whose tokens end in the same second, while messages are published. Either
 * every client renews its token before, on a second link beside the first, at a random moment; or nobody
 * does, the gateway ends all, and they come back with new tokens; or all are of one subject, which is
 * disconnected. Whatever happens no message may be lost or come twice, and the figures are of the
 * gateway's turns: the longest of them is what a crowd makes everybody else wait.
 * A token counts for a leeway of 30 s beyond its end, and clients renew 30 to 60 s before that: here both are
 * compressed. Tokens are issued that have ended already, so that the leeway's end comes within seconds. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/load/crowd.h"
#include "bench/load/fetch.h"
#include "bench/load/generator.h"
#include "util/err.h"

#define STREAMS 5000
#define QUICK_STREAMS 200
#define STREAMS_MAX 9900    /* two links of each below the gateway's --max-connections */
#define RATE 4.0            /* messages a second, to each of them */
#define PAYLOAD_BYTES 128
#define RENEWALS_PER_S 1000.0
#define BASELINE_S 2.0
#define QUICK_BASELINE_S 1.0
#define LEEWAY_S 30         /* PROTOCOL.md: between clocks */
#define RETRY_MAX_MS 2000   /* that a bye may tell */
#define OPENING_S 0.0008    /* a stream, at most */
#define LEAD_S 1.0          /* between the last renewal and the end of the tokens */
#define AFTER_S 1.5         /* that nothing may happen in, behind that end */
#define RETURN_S 20.0       /* that all have, to be back or gone */
#define TOKEN_S 3600
#define SUBJECT "crowd"

enum part { RENEWED, EXPIRED, DISCONNECTED, PARTS };

static const char *const parts[PARTS] = { "renewed", "expired", "disconnected" };

/* Of the gateway's own counters. */
struct told {
	double longest_turn_s, verified, cached, expired, revoked;
};

struct rush {
	struct bench_run *run;
	enum part part;
	struct bench_crowd crowd;
	struct bench_generator publishers;
	struct bench_pass pass;
	pthread_t thread;
	bool is_publishing;          /* the thread is to be joined */
	int publishing;              /* what came of it */
	uint64_t end_ns;             /* of CLOCK_MONOTONIC: when the first tokens end */
	uint64_t start_ns, done_ns;  /* of what is measured */
	double window_s;
	struct told quiet, during, after; /* the last is of the second in which nothing may happen */
	struct bench_usage used[3];  /* before the baseline, between both, behind what is measured */
	struct bench_effort effort;
};

static double
window_s_of(unsigned streams)
{
	double window_s = streams / RENEWALS_PER_S;
	return window_s > 1 ? window_s : 1;
}

static json_t *
renewal_cases(const struct bench_settings *settings)
{
	unsigned wanted = settings->connections ? settings->connections
		: settings->quick ? QUICK_STREAMS : STREAMS;
	int streams = (int)bench_generator_connections(2 * (wanted < STREAMS_MAX ? wanted : STREAMS_MAX)) / 2;
	json_t *cases = json_array();
	for (enum part part = RENEWED; part < PARTS; part++) {
		json_t *params = json_pack("{s:s,s:i,s:f}", "end", parts[part], "streams", streams,
			"rate", RATE);
		if (part == RENEWED)
			json_object_set_new(params, "window_s", json_real(window_s_of((unsigned)streams)));
		json_array_append_new(cases, params);
	}
	return cases;
}

/* ---- tokens ---- */

static int
make_tokens(struct rush *rush, unsigned which, int64_t issued_s, int64_t expires_s)
{
	struct bench_crowd *crowd = &rush->crowd;
	for (unsigned i = 0; i < crowd->count; i++) {
		char subject[32];
		const struct bench_grant grant = { .subject = subject, .issued_s = issued_s,
			.expires_s = expires_s, .channels = crowd->channel };
		snprintf(subject, sizeof subject, rush->part == DISCONNECTED ? SUBJECT : SUBJECT "-%u", i);
		crowd->clients[i].authorization[which]
			= bench_signer_make_field(crowd->server->signer, &grant);
		if (!crowd->clients[i].authorization[which])
			return SL_ENOMEM;
	}
	return 0;
}

static double
wall_clock_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Long enough to sign as many tokens again, to open all, for the baseline and the window. */
static int
sign_all(struct rush *rush, double baseline_s)
{
	double start_s = wall_clock_s();
	int err = make_tokens(rush, 1, (int64_t)start_s, (int64_t)start_s + TOKEN_S);
	double now_s = wall_clock_s();
	int64_t end_s = (int64_t)(now_s + 1.5 * (now_s - start_s) + rush->crowd.count * OPENING_S + baseline_s
		+ LEAD_S + (rush->part == RENEWED ? rush->window_s : 0)) + 1;
	if (rush->part == DISCONNECTED)
		end_s = (int64_t)now_s + TOKEN_S;
	if (!err)
		err = make_tokens(rush, 0, (int64_t)now_s - 2 * LEEWAY_S, end_s - LEEWAY_S);
	rush->end_ns = bench_now_ns() + (uint64_t)(((double)end_s - wall_clock_s()) * 1e9);
	return err;
}

/* ---- publishing ---- */

static void *
publish(void *argument)
{
	struct rush *rush = argument;
	rush->publishing = bench_generator_run(&rush->publishers, &rush->pass);
	return NULL;
}

static int
start_publishing(struct rush *rush, double seconds)
{
	rush->pass = (struct bench_pass){ .measured = true, .schedule = {
		.start_ns = bench_now_ns() + 50000000, .rate = RATE, .burst = 1,
		.count = (uint32_t)(seconds * RATE) + 1 } };
	if (pthread_create(&rush->thread, NULL, publish, rush) != 0)
		return SL_EIO;
	rush->is_publishing = true;
	return 0;
}

static int
join(struct rush *rush)
{
	if (!rush->is_publishing)
		return 0;
	pthread_join(rush->thread, NULL);
	rush->is_publishing = false;
	return rush->publishing;
}

/* The moment at or behind `at_ns` that lies midway between two messages, so that a measured stretch has
 * whole ones. */
static uint64_t
midway(const struct rush *rush, uint64_t at_ns)
{
	const uint64_t step_ns = (uint64_t)(1e9 / RATE);
	uint64_t first_ns = rush->pass.schedule.start_ns + step_ns / 2;
	uint64_t steps = at_ns > first_ns ? (at_ns - first_ns + step_ns - 1) / step_ns : 0;
	return first_ns + steps * step_ns;
}

static double
messages_between(const struct bench_usage *before, const struct bench_usage *after)
{
	return (double)(uint64_t)((double)(after->now_ns - before->now_ns) * RATE / 1e9 + 0.5);
}

/* ---- what the gateway says ---- */

static int
ask_gateway(const struct rush *rush, struct told *told)
{
	static const char *const names[] = { "sluice_turn_longest_seconds",
		"sluice_principals_total{result=\"verified\"}", "sluice_principals_total{result=\"cached\"}",
		"sluice_streams_expired_total", "sluice_streams_revoked_total" };
	double *const values[] = { &told->longest_turn_s, &told->verified, &told->cached, &told->expired,
		&told->revoked };
	const struct bench_server *server = rush->run->server;
	struct sl_buffer text = SL_BUFFER_INIT;
	int err = bench_fetch_text(server, rush->publishers.tls, server->peer->metrics_path, &text);
	for (size_t i = 0; i < sizeof names / sizeof *names && !err; i++)
		err = bench_metric_find(text.bytes, names[i], values[i]) ? 0 : SL_EPROTO;
	sl_buffer_finish(&text);
	return err;
}

/* ---- the three parts ---- */

static bool
have_renewed(const struct bench_crowd *crowd, const void *argument)
{
	return crowd->renewed == crowd->count;
}

static bool
have_returned(const struct bench_crowd *crowd, const void *argument)
{
	return crowd->returned == crowd->count && crowd->open_count == crowd->count;
}

static bool
have_gone(const struct bench_crowd *crowd, const void *argument)
{
	return crowd->ends.count == crowd->count;
}

static bool
have_all(const struct bench_crowd *crowd, const void *argument)
{
	return crowd->delivered >= (uint64_t)crowd->count * *(const uint32_t *)argument;
}

static int
renew(struct rush *rush)
{
	struct bench_crowd *crowd = &rush->crowd;
	uint32_t random = 2463534242u;
	for (unsigned i = 0; i < crowd->count; i++) {
		random ^= random << 13; /* xorshift32, Marsaglia 2003 */
		random ^= random >> 17;
		random ^= random << 5;
		crowd->due_ns[i] = rush->start_ns + (uint64_t)(random / 4294967296.0 * rush->window_s * 1e9);
	}
	int err = bench_crowd_serve(crowd, have_renewed, NULL, rush->end_ns);
	rush->done_ns = bench_now_ns();
	return err;
}

static int
expire(struct rush *rush)
{
	struct bench_crowd *crowd = &rush->crowd;
	crowd->expects = (struct bench_end){ "token_expired", RETRY_MAX_MS };
	crowd->comes_back = true;
	int err = bench_crowd_serve(crowd, have_returned, NULL,
		rush->end_ns + (uint64_t)(RETURN_S * 1e9));
	rush->done_ns = bench_now_ns();
	return err;
}

static int
disconnect(struct rush *rush)
{
	struct bench_crowd *crowd = &rush->crowd;
	crowd->expects = (struct bench_end){ "token_revoked", RETRY_MAX_MS };
	int err = bench_fetch_post(rush->run->server, rush->publishers.tls, "/admin/disconnect",
		"{\"subject\":\"" SUBJECT "\"}");
	if (err)
		snprintf(crowd->why, sizeof crowd->why, "POST /admin/disconnect failed");
	else
		err = bench_crowd_serve(crowd, have_gone, NULL, rush->start_ns + (uint64_t)(RETURN_S * 1e9));
	rush->done_ns = crowd->ends.last_ns;
	return err;
}

/* ---- one repeat ---- */

static int
open_all(struct rush *rush)
{
	struct bench_worker_plan plan = { .transport = BENCH_WEBSOCKET, .publishes = true,
		.payload_len = PAYLOAD_BYTES };
	strcpy(plan.channel, rush->crowd.channel);
	int err = bench_generator_init_plans(&rush->publishers, rush->run, &plan, 1);
	rush->crowd.tls = rush->publishers.tls;
	if (!err)
		err = bench_generator_open(&rush->publishers);
	return err ? err : bench_crowd_open(&rush->crowd);
}

/* What the same messages cost when nothing else happens. */
static int
measure_baseline(struct rush *rush, double baseline_s)
{
	struct told before;
	uint64_t from_ns = midway(rush, bench_now_ns() + (uint64_t)(0.5e9 / RATE)), to_ns;
	to_ns = from_ns + (uint64_t)(baseline_s * 1e9);
	if (rush->part == RENEWED)
		to_ns = rush->end_ns - (uint64_t)((LEAD_S + rush->window_s) * 1e9);
	else if (rush->part == EXPIRED)
		to_ns = rush->end_ns - (uint64_t)(LEAD_S / 2 * 1e9);
	/* All is taken anew: it took too long to open so many. */
	if (to_ns < from_ns + (uint64_t)(baseline_s / 2 * 1e9) || to_ns > rush->end_ns)
		return SL_EAGAIN;
	to_ns = midway(rush, to_ns);
	int err = bench_crowd_serve(&rush->crowd, NULL, NULL, from_ns);
	if (!err)
		err = ask_gateway(rush, &before);
	rush->used[0] = bench_usage_take(rush->run->server);
	if (!err)
		err = bench_crowd_serve(&rush->crowd, NULL, NULL, to_ns);
	rush->used[1] = bench_usage_take(rush->run->server);
	return err ? err : ask_gateway(rush, &rush->quiet);
}

static int
measure_part(struct rush *rush)
{
	static int (*const measure[PARTS])(struct rush *rush) = { renew, expire, disconnect };
	rush->start_ns = bench_now_ns();
	int err = measure[rush->part](rush);
	if (!err)
		err = bench_crowd_serve(&rush->crowd, NULL, NULL, midway(rush, bench_now_ns()));
	rush->used[2] = bench_usage_take(rush->run->server);
	if (!err)
		err = ask_gateway(rush, &rush->during);
	/* The first tokens end now; nobody lives by them. */
	if (!err && rush->part == RENEWED)
		err = bench_crowd_serve(&rush->crowd, NULL, NULL,
			rush->end_ns + (uint64_t)(AFTER_S * 1e9));
	return err ? err : ask_gateway(rush, &rush->after);
}

/* Until the last message is with everybody, or counts as lost. */
static int
wait_for_all(struct rush *rush)
{
	uint32_t published = rush->pass.schedule.count;
	struct bench_crowd *crowd = &rush->crowd;
	int err = 0;
	uint64_t before;
	do {
		before = crowd->delivered;
		err = bench_crowd_serve(crowd, have_all, &published, bench_now_ns() + 3000000000u);
	} while (err == SL_EAGAIN && crowd->delivered > before);
	return err == SL_EAGAIN ? 0 : err;
}

static int
measure(struct rush *rush, double baseline_s)
{
	struct bench_crowd *crowd = &rush->crowd;
	int err = sign_all(rush, baseline_s);
	if (!err)
		err = open_all(rush);
	double left_s = ((double)rush->end_ns - (double)bench_now_ns()) / 1e9;
	double behind_s = rush->part == RENEWED ? AFTER_S : 2 * RETRY_MAX_MS / 1e3;
	if (!err)
		err = start_publishing(rush, rush->part == DISCONNECTED ? baseline_s + behind_s
			: left_s + behind_s);
	if (!err)
		err = measure_baseline(rush, baseline_s);
	struct bench_effort before = bench_effort_now(&crowd->wait);
	if (!err)
		err = measure_part(rush);
	bench_effort_add(&rush->effort, &before, &crowd->wait);
	/* Nobody listens any more to what would be published behind a failure. */
	int published = join(rush);
	if (!err)
		err = published;
	return err || rush->part == DISCONNECTED ? err : wait_for_all(rush);
}

/* ---- what came of it ---- */

static double
cpu_us_each(const struct rush *rush)
{
	const struct bench_usage *used = rush->used;
	double quiet_ns = (double)(used[1].server_ns - used[0].server_ns)
		/ messages_between(&used[0], &used[1]);
	double spent_ns = (double)(used[2].server_ns - used[1].server_ns);
	return (spent_ns - quiet_ns * messages_between(&used[1], &used[2])) / 1e3 / rush->crowd.count;
}

/* Publishes, and what asks for this, carry a token that was seen before. */
static void
set_told(const struct rush *rush, json_t *figures)
{
	const struct told *quiet = &rush->quiet, *during = &rush->during, *after = &rush->after;
	double longest_s = during->longest_turn_s > after->longest_turn_s ? during->longest_turn_s
		: after->longest_turn_s;
	json_object_set_new(figures, "longest_turn_us", json_real(longest_s * 1e6));
	json_object_set_new(figures, "quiet_turn_us", json_real(quiet->longest_turn_s * 1e6));
	json_object_set_new(figures, "verified", json_real(during->verified - quiet->verified));
	json_object_set_new(figures, "cached", json_real(during->cached - quiet->cached));
	json_object_set_new(figures, "expired", json_real(after->expired - quiet->expired));
	json_object_set_new(figures, "revoked", json_real(after->revoked - quiet->revoked));
}

static void
set_figures(const struct rush *rush, uint64_t lost, json_t *repeat)
{
	const struct bench_crowd *crowd = &rush->crowd;
	const struct bench_crowd_ends *ends = &crowd->ends;
	uint64_t from_ns = rush->part == EXPIRED ? rush->end_ns : rush->start_ns;
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	set_told(rush, figures);
	/* Who is away is sent what it missed in fewer writes: that would be taken off too much. */
	if (rush->part == RENEWED) {
		json_object_set_new(figures, "cpu_us_each", json_real(cpu_us_each(rush)));
		bench_usage_set_wakeups(figures, "renewal", rush->effort.wakeups, &rush->used[1],
			&rush->used[2], crowd->count);
	}
	if (rush->part != RENEWED) {
		json_object_set_new(figures, "gone_us", json_real(
			((double)ends->last_ns - (double)from_ns) / 1e3));
		json_object_set_new(figures, "retry_min_ms", json_integer(ends->retry_min_ms));
		json_object_set_new(figures, "retry_max_ms", json_integer(ends->retry_max_ms));
	}
	if (rush->part == EXPIRED)
		json_object_set_new(figures, "back_us", json_real((double)(rush->done_ns - from_ns) / 1e3));
	json_object_set_new(figures, "streams", json_integer(rush->part == RENEWED ? crowd->renewed
		: rush->part == EXPIRED ? crowd->returned : ends->count));
	json_object_set_new(figures, "messages", json_integer(rush->pass.schedule.count));
	json_object_set_new(figures, "overlap", json_real((double)crowd->overlap / crowd->count));
	json_object_set_new(figures, "lost", json_integer((json_int_t)lost));
	json_object_set_new(figures, "doubled", json_integer((json_int_t)crowd->doubled));
}

static void
report(const struct rush *rush, json_t *repeat)
{
	const struct bench_crowd *crowd = &rush->crowd;
	uint32_t published = rush->pass.schedule.count;
	uint64_t lost = bench_crowd_lost(crowd, published, rush->part != DISCONNECTED), reordered = 0;
	struct bench_generator_use use = { 0 };
	for (unsigned i = 0; i < crowd->count; i++)
		reordered += crowd->clients[i].counter.reordered;
	set_figures(rush, lost, repeat);
	json_object_set_new(repeat, "expected", json_integer(rush->part == DISCONNECTED
		? (json_int_t)(crowd->delivered + lost) : (json_int_t)crowd->count * published));
	json_object_set_new(repeat, "deliveries", json_integer((json_int_t)crowd->delivered));
	json_object_set_new(repeat, "lost", json_integer((json_int_t)lost));
	json_object_set_new(repeat, "doubled", json_integer((json_int_t)crowd->doubled));
	json_object_set_new(repeat, "reordered", json_integer((json_int_t)reordered));
	bench_generator_use_add(&use, &rush->effort);
	bench_usage_set_generator(repeat, &use, &rush->publishers.workers[0].tally->late, false);
}

static int
renewal_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	const char *end = json_string_value(json_object_get(params, "end"));
	unsigned streams = (unsigned)json_integer_value(json_object_get(params, "streams"));
	struct rush rush = { .run = run, .window_s = window_s_of(streams) };
	while (strcmp(parts[rush.part], end) != 0)
		rush.part++;
	/* Two threads share the core: one that polls would take it from the other. */
	run->busy_polling = false;
	int err = bench_crowd_init(&rush.crowd, run->server, NULL, run->transport, streams);
	bench_generator_name_channel(run, "renewal", 0, rush.crowd.channel);
	if (!err)
		err = measure(&rush, run->settings->quick ? QUICK_BASELINE_S : BASELINE_S);
	if (!err)
		report(&rush, repeat);
	else
		json_object_set_new(repeat, "error", json_sprintf("%s (%u of %u open, %u renewed, %u ended, "
			"%u came back) %s", sl_strerror(err), rush.crowd.open_count, streams, rush.crowd.renewed,
			rush.crowd.ends.count, rush.crowd.returned, rush.crowd.why));
	bench_crowd_finish(&rush.crowd);
	bench_generator_finish(&rush.publishers);
	return err;
}

const struct bench_scenario bench_scenario_renewal = {
	.name = "renewal",
	.title = "renewal: thousands of streams whose tokens expire in the same second",
	.by_name = true,
	.needs_tokens = true,
	.leaves_out = BENCH_HAS(BENCH_STREAM) | BENCH_HAS(BENCH_LONGPOLL) | BENCH_HAS(BENCH_POLL),
	.why_left_out = "it is measured with websocket and sse",
	.needs_publish = true,
	.needs_resuming = true,
	.why_no_target = "a target does not know the bench's key",
	.cases = renewal_cases,
	.measure = renewal_measure,
};
