/* Fan-out: one channel, many subscribers, messages one at a time and in bursts that the
 * publisher writes at once. The rates keep a server from being saturated; how fast it is shows
 * in how long each write takes to reach the last subscriber, and in its CPU time. */
#include "bench/load/generator.h"
#include "bench/load/tls.h"
#include "util/err.h"

#define SUBSCRIBERS 500
#define FULL_SUBSCRIBERS 2000
#define PAYLOAD_BYTES 128
#define SECONDS 0.6
#define QUICK_SECONDS 0.3
#define FULL_SECONDS 3.0

/* Writes a second for SUBSCRIBERS; with more there are fewer. What comes in two poll
 * intervals stays below 1,000 messages, the history that servers keep by default. */
static const struct {
	unsigned burst;
	double rate;
} loads[] = { { 1, 100 }, { 10, 30 }, { 100, 4 } };

static json_t *
fanout_cases(const struct bench_settings *settings)
{
	unsigned subscribers = settings->subscribers ? settings->subscribers
		: settings->full ? FULL_SUBSCRIBERS : SUBSCRIBERS;
	json_t *cases = json_array();
	for (size_t i = 0; i < sizeof loads / sizeof *loads; i++)
		json_array_append_new(cases, json_pack("{s:i,s:i,s:i}", "burst", (int)loads[i].burst,
			"subscribers", (int)subscribers, "payload", PAYLOAD_BYTES));
	return cases;
}

static double
rate_of(unsigned burst, unsigned subscribers)
{
	double rate = 1;
	for (size_t i = 0; i < sizeof loads / sizeof *loads; i++)
		if (loads[i].burst == burst)
			rate = loads[i].rate;
	return subscribers > SUBSCRIBERS ? rate * SUBSCRIBERS / subscribers : rate;
}

/* Seconds in which deliveries were under way: from each write's due time to its last
 * delivery, what overlaps counted once. */
static double
busy_seconds(const struct bench_generator *generator, const struct bench_schedule *schedule)
{
	uint64_t busy = 0, covered = 0;
	for (uint32_t turn = 0; turn < schedule->count; turn++) {
		uint64_t from = bench_schedule_due(schedule, turn), to = 0;
		for (unsigned i = 0; i < generator->count; i++)
			if (generator->workers[i].tally->last_ns[turn] > to)
				to = generator->workers[i].tally->last_ns[turn];
		if (from < covered)
			from = covered;
		if (to > from) {
			busy += to - from;
			covered = to;
		}
	}
	return (double)busy / 1e9;
}

static void
set_figures(const struct bench_generator *generator, const struct bench_window *window,
	json_t *repeat)
{
	json_t *figures = json_object();
	double busy_s = busy_seconds(generator, &window->schedule);
	double server_ns = (double)(window->after.server_ns - window->before.server_ns);
	double elapsed_ns = (double)(window->after.now_ns - window->before.now_ns);
	double deliveries = (double)window->deliveries;
	if (busy_s > 0)
		json_object_set_new(figures, "deliveries_per_s", json_real(deliveries / busy_s));
	if (server_ns > 0 && deliveries > 0) {
		json_object_set_new(figures, "deliveries_per_cpu_s", json_real(deliveries * 1e9 / server_ns));
		json_object_set_new(figures, "cpu_us_per_delivery", json_real(server_ns / 1e3 / deliveries));
		json_object_set_new(figures, "server_cpu_share", json_real(server_ns / elapsed_ns));
	}
	bench_usage_set_wakeups(figures, "delivery", bench_generator_wakeups(generator),
		&window->before, &window->after, deliveries);
	if (window->carried.messages)
		json_object_set_new(figures, "wire_per_delivery", json_real(
			(double)window->carried.down.wire / (double)window->carried.messages));
	json_object_set_new(repeat, "figures", figures);
}

/* A write under TLS is one record. Its messages are shorter by that, so that the wire carries as many
 * bytes as in the clear. */
static size_t
payload_of(const struct bench_server *server, size_t payload, unsigned burst)
{
	return server->peer->tls ? payload - BENCH_TLS_RECORD_BYTES / burst : payload;
}

static int
fanout_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	const struct bench_settings *settings = run->settings;
	unsigned burst = (unsigned)json_integer_value(json_object_get(params, "burst"));
	struct bench_audience audience = {
		.readers = (unsigned)json_integer_value(json_object_get(params, "subscribers")),
		.payload_len = payload_of(run->server,
			(size_t)json_integer_value(json_object_get(params, "payload")), burst),
		.bursts = burst > 1,
	};
	struct bench_window window = {
		.rate = rate_of(burst, audience.readers), .burst = burst, .polls_late = true,
		.seconds = settings->seconds > 0 ? settings->seconds
			: settings->quick ? QUICK_SECONDS : settings->full ? FULL_SECONDS : SECONDS,
	};
	struct bench_generator generator;
	int err = bench_generator_init(&generator, run, &audience);
	if (!err)
		err = bench_generator_open(&generator);
	if (!err)
		err = bench_generator_measure(&generator, &window);
	if (!err)
		set_figures(&generator, &window, repeat);
	return bench_generator_conclude(&generator, &window, false, err, repeat);
}

const struct bench_scenario bench_scenario_fanout = {
	.name = "fanout",
	.title = "fan-out: one channel, many subscribers",
	.in_default = true,
	.busy_polling = true,
	.cases = fanout_cases,
	.measure = fanout_measure,
};
