/* Connecting: how many subscriptions a second can be opened, what one costs the server, and
 * how long a client waits for its first message when there is one to be had. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/load/generator.h"
#include "util/err.h"

#define CONNECTIONS 1000
#define FULL_CONNECTIONS 4000
#define QUICK_CONNECTIONS 300
#define FIRST_RATE 500.0
#define FIRST_COUNT 1050 /* ten samples beyond p99 */
#define QUICK_FIRST_COUNT 200
#define PAYLOAD_BYTES 128

static json_t *
connect_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i}]", "connections", settings->quick ? QUICK_CONNECTIONS
		: settings->full ? FULL_CONNECTIONS : CONNECTIONS);
}

static uint64_t
wakeups_while_opening(const struct bench_generator *generator)
{
	uint64_t wakeups = 0;
	for (unsigned i = 0; i < generator->count; i++)
		wakeups += generator->workers[i].opening.wakeups;
	return wakeups;
}

/* As fast as they are taken, some dozens under way at a time. */
static int
measure_capacity(struct bench_run *run, unsigned connections, json_t *figures, json_t *repeat)
{
	struct bench_audience audience = { .readers = connections, .payload_len = PAYLOAD_BYTES };
	struct bench_generator generator;
	int err = bench_generator_init(&generator, run, &audience);
	if (!err) {
		struct bench_usage before = bench_usage_take(run->server);
		err = bench_generator_open(&generator);
		struct bench_usage after = bench_usage_take(run->server);
		double seconds = (double)(after.now_ns - before.now_ns) / 1e9;
		json_object_set_new(figures, "connections_per_s", json_real(connections / seconds));
		if (run->server->process.pid)
			json_object_set_new(figures, "cpu_us_per_connection", json_real(
				(double)(after.server_ns - before.server_ns) / 1e3 / connections));
		bench_usage_set_wakeups(figures, "connection", wakeups_while_opening(&generator), &before,
			&after, connections);
	}
	if (err)
		return bench_generator_conclude(&generator, NULL, false, err, repeat);
	bench_generator_finish(&generator); /* what it heard is told by the first messages */
	return 0;
}

static int
publish_one(struct bench_run *run, const char *channel)
{
	struct bench_worker_plan plan = {
		.transport = run->transport, .publishes = true, .payload_len = PAYLOAD_BYTES,
	};
	struct bench_pass pass = {
		.schedule = { .start_ns = bench_now_ns(), .rate = 1000, .burst = 1, .count = 1 },
	};
	struct bench_generator publisher;
	snprintf(plan.channel, sizeof plan.channel, "%s", channel);
	int err = bench_generator_init_plans(&publisher, run, &plan, 1);
	if (!err)
		err = bench_generator_open(&publisher);
	if (!err)
		err = bench_generator_run(&publisher, &pass);
	bench_generator_finish(&publisher);
	return err;
}

static void
set_first_figures(const struct bench_worker *worker, const struct bench_schedule *schedule,
	json_t *figures)
{
	struct bench_histogram *first = calloc(1, sizeof *first);
	unsigned flights = UINT_MAX;
	if (!first)
		return;
	for (unsigned i = 0; i < worker->plan.readers; i++) {
		const struct bench_reader *reader = &worker->readers[i];
		bench_histogram_record(first, reader->first_ns - bench_schedule_due(schedule, i));
		/* What comes in two pieces may be answered in two. */
		if (reader->first_flights < flights)
			flights = reader->first_flights;
	}
	if (bench_histogram_shows(first, 50))
		json_object_set_new(figures, "first_message_p50_us",
			json_real((double)bench_histogram_percentile(first, 50) / 1e3));
	if (bench_histogram_shows(first, 99))
		json_object_set_new(figures, "first_message_p99_us",
			json_real((double)bench_histogram_percentile(first, 99) / 1e3));
	/* One to connect, the others as they were seen. */
	json_object_set_new(figures, "round_trips", json_integer(1 + flights));
	free(first);
}

/* Each client asks for all that history holds: one message. */
static int
measure_first_message(struct bench_run *run, json_t *figures, json_t *repeat)
{
	unsigned count = run->settings->quick ? QUICK_FIRST_COUNT : FIRST_COUNT;
	struct bench_worker_plan plan = {
		.transport = run->transport, .readers = count, .payload_len = PAYLOAD_BYTES,
		.cursor = "0", .poll_interval_ns = BENCH_POLL_INTERVAL_NS,
	};
	struct bench_schedule schedule = { .rate = FIRST_RATE, .count = count, .burst = 1 };
	struct bench_generator generator;
	bench_generator_name_channel(run, "first", 0, plan.channel);
	int err = publish_one(run, plan.channel);
	if (err)
		return err;
	err = bench_generator_init_plans(&generator, run, &plan, 1);
	if (!err) {
		schedule.start_ns = bench_now_ns() + 1000000;
		err = bench_worker_open_by(&generator.workers[0], &schedule);
	}
	if (!err) {
		generator.workers[0].published = 1;
		set_first_figures(&generator.workers[0], &schedule, figures);
	}
	return bench_generator_conclude(&generator, NULL, true, err, repeat);
}

static int
connect_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	unsigned connections = (unsigned)json_integer_value(json_object_get(params, "connections"));
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	int err = measure_capacity(run, connections, figures, repeat);
	if (!err && run->server->peer->resumes)
		err = measure_first_message(run, figures, repeat);
	return err;
}

const struct bench_scenario bench_scenario_connect = {
	.name = "connect",
	.title = "connect: from connect() to the first message",
	.busy_polling = true,
	.cases = connect_cases,
	.measure = connect_measure,
};
