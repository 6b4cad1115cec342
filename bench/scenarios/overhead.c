/* Overhead: bytes on the wire for each delivered message, both ways and by kind, once a
 * subscription stands. Where a server counts bytes itself, its figures stand beside ours. */
#include "bench/load/fetch.h"
#include "bench/load/generator.h"
#include "util/err.h"

#define SUBSCRIBERS 8
#define SECONDS 1.0 /* a multiple of the interval of short polls */
#define FULL_SECONDS 2.0
#define SLOW_SECONDS 4.0 /* of at most one message a second */

static json_t *
overhead_cases(const struct bench_settings *settings)
{
	static const struct {
		unsigned payload, rate;
	} all[] = {
		/* First those of the default. */
		{ 128, 5 }, { 1024, 50 },
		{ 16, 1 }, { 16, 50 }, { 128, 1 }, { 128, 50 }, { 1024, 5 }, { 8192, 5 }, { 32768, 5 },
	};
	size_t count = settings->full ? sizeof all / sizeof *all : 2;
	json_t *cases = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(cases, json_pack("{s:i,s:i,s:i}", "payload", (int)all[i].payload,
			"rate", (int)all[i].rate, "subscribers", SUBSCRIBERS));
	return cases;
}

/* Bytes that crossed the sockets of the subscribers' transport: ours, and the server's. */
struct counted {
	struct bench_account ours;
	json_int_t down, up, relayed;
	bool known;
};

static int
count_bytes(const struct bench_generator *generator, struct counted *counted)
{
	const struct bench_run *run = generator->run;
	json_t *stats;
	counted->ours = bench_generator_account(generator);
	counted->known = run->server->peer->stats_path && !run->server->is_target;
	if (!counted->known)
		return 0;
	int err = bench_fetch_json(run->server, generator->tls, run->server->peer->stats_path, &stats);
	if (err)
		return err;
	const json_t *mine = json_object_get(json_object_get(stats, "transports"),
		bench_transport_names[run->transport]);
	counted->down = json_integer_value(json_object_get(mine, "wire_bytes_out"));
	counted->up = json_integer_value(json_object_get(mine, "wire_bytes_in"));
	counted->relayed = json_integer_value(json_object_get(json_object_get(stats, "limits"),
		"relayed_requests"));
	json_decref(stats);
	return 0;
}

/* Over the warm-up and the window: stats_down and wire_down must be the same number. */
static void
set_both_counts(json_t *figures, const struct counted *before, const struct counted *after)
{
	struct bench_account ours = bench_account_between(&before->ours, &after->ours);
	json_object_set_new(figures, "wire_down", json_integer((json_int_t)ours.down.wire));
	json_object_set_new(figures, "wire_up", json_integer((json_int_t)ours.up.wire));
	if (!before->known)
		return;
	json_object_set_new(figures, "stats_down", json_integer(after->down - before->down));
	json_object_set_new(figures, "stats_up", json_integer(after->up - before->up));
	/* Without the one that asked for the counts. */
	json_object_set_new(figures, "relayed", json_integer(after->relayed - before->relayed - 1));
}

static int
measure_both(struct bench_generator *generator, struct bench_window *window, unsigned readers,
	json_t *repeat)
{
	struct counted before, after;
	int err = bench_generator_open(generator);
	if (!err)
		err = bench_generator_rest(generator);
	if (!err)
		err = count_bytes(generator, &before);
	if (!err)
		err = bench_generator_measure(generator, window);
	if (!err)
		err = count_bytes(generator, &after);
	if (err)
		return err;
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	/* A second of one subscriber. */
	bench_account_set_figures(&window->carried,
		window->schedule.count / window->rate * readers, figures);
	set_both_counts(figures, &before, &after);
	/* By these a capture is cut to the window. */
	json_object_set_new(repeat, "counted", json_pack("{s:I,s:I}",
		"from_ns", (json_int_t)window->carried_from_ns, "to_ns", (json_int_t)window->carried_to_ns));
	return 0;
}

/* A whole number of seconds. */
static double
seconds_of(const struct bench_settings *settings, double rate)
{
	if (settings->seconds > 0)
		return (unsigned)(settings->seconds + 0.999);
	return rate <= 1 ? SLOW_SECONDS : settings->full ? FULL_SECONDS : SECONDS;
}

static int
overhead_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct bench_audience audience = {
		.readers = (unsigned)json_integer_value(json_object_get(params, "subscribers")),
		.payload_len = (size_t)json_integer_value(json_object_get(params, "payload")),
	};
	struct bench_window window = {
		.rate = (double)json_integer_value(json_object_get(params, "rate")),
		.burst = 1, .polls_late = true,
	};
	window.seconds = seconds_of(run->settings, window.rate);
	struct bench_generator generator;
	int err = bench_generator_init(&generator, run, &audience);
	if (!err)
		err = measure_both(&generator, &window, audience.readers, repeat);
	return bench_generator_conclude(&generator, &window, false, err, repeat);
}

const struct bench_scenario bench_scenario_overhead = {
	.name = "overhead",
	.title = "overhead: bytes on the wire for each delivered message",
	.in_default = true,
	.cases = overhead_cases,
	.measure = overhead_measure,
};
