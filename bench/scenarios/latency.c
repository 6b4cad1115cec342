/* Latency: from when a message was due to when it was received. The schedule is open: nobody
 * who is late slows it, and whoever is late pays for it in the figures. */
#include "bench/load/generator.h"
#include "util/err.h"

/* Ten samples beyond p99.9. */
#define SECONDS 1.05
#define QUICK_SECONDS 0.6
#define FULL_SECONDS 5.0

static json_t *
latency_cases(const struct bench_settings *settings)
{
	if (!settings->full)
		return json_pack("[{s:i,s:i,s:i}]", "rate", 500, "payload", 128, "subscribers", 20);
	return json_pack("[{s:i,s:i,s:i},{s:i,s:i,s:i},{s:i,s:i,s:i}]",
		"rate", 500, "payload", 128, "subscribers", 20,
		"rate", 50, "payload", 128, "subscribers", 20,
		"rate", 100, "payload", 16384, "subscribers", 20);
}

static double
seconds_of(const struct bench_settings *settings)
{
	if (settings->seconds > 0)
		return settings->seconds;
	return settings->quick ? QUICK_SECONDS : settings->full ? FULL_SECONDS : SECONDS;
}

static int
latency_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct bench_audience audience = {
		.readers = (unsigned)json_integer_value(json_object_get(params, "subscribers")),
		.payload_len = (size_t)json_integer_value(json_object_get(params, "payload")),
	};
	struct bench_window window = {
		.rate = (double)json_integer_value(json_object_get(params, "rate")),
		.seconds = seconds_of(run->settings), .burst = 1,
	};
	struct bench_generator generator;
	int err = bench_generator_init(&generator, run, &audience);
	if (!err)
		err = bench_generator_open(&generator);
	if (!err)
		err = bench_generator_measure(&generator, &window);
	if (!err) {
		json_t *figures = json_object();
		bench_usage_set_wakeups(figures, "delivery", bench_generator_wakeups(&generator),
			&window.before, &window.after, (double)window.deliveries);
		json_object_set_new(repeat, "figures", figures);
	}
	return bench_generator_conclude(&generator, &window, true, err, repeat);
}

const struct bench_scenario bench_scenario_latency = {
	.name = "latency",
	.title = "latency: from due to received",
	.in_default = true,
	.busy_polling = true,
	.cases = latency_cases,
	.measure = latency_measure,
};
