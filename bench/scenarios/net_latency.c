/* Latency over a network, from the server to its clients: from when a message was due at the
 * server's end, where its publisher is, to when a client had read it. A publish of the client's own
 * takes about half a round trip more. Each client has a channel of its own, so that their messages
 * come one after another and at any moment of a poll. */
#include <stdlib.h>

#include "bench/scenarios/net_window.h"
#include "util/err.h"

#define TOGETHER 200.0 /* messages a second of all readers, whatever the rate of one */
#define SECONDS 5.1   /* ten samples beyond p99 */
#define FULL_SECONDS 15.0
#define QUICK_SECONDS 1.0

static json_t *
net_latency_cases(const struct bench_settings *settings)
{
	static const int rates[] = { 1, 10, 100 };
	json_t *cases = json_array();
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
		json_array_append_new(cases, json_pack("{s:i, s:i, s:i}", "rate", rates[i], "payload",
			BENCH_NET_PAYLOAD_BYTES, "interval_s", (int)(BENCH_POLL_INTERVAL_NS / 1000000000u)));
	return cases;
}

static double
seconds_of(const struct bench_settings *settings)
{
	return settings->full && settings->seconds == 0 ? FULL_SECONDS
		: bench_scenario_seconds(settings, SECONDS, QUICK_SECONDS);
}

static int
set_figures(const struct bench_generator *generator, const struct bench_window *window,
	json_t *repeat)
{
	struct bench_histogram *latency = calloc(1, sizeof *latency);
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	if (!latency)
		return SL_ENOMEM;
	bench_generator_add_latency(generator, latency);
	bench_histogram_set_percentile(latency, 50, figures, "latency_p50_us");
	bench_histogram_set_percentile(latency, 90, figures, "latency_p90_us");
	bench_histogram_set_percentile(latency, 99, figures, "latency_p99_us");
	json_object_set_new(figures, "latency_max_us", json_real((double)latency->max_ns / 1e3));
	json_object_set_new(figures, "samples", json_integer((json_int_t)latency->count));
	json_object_set_new(repeat, "histogram", bench_histogram_json(latency));
	json_object_set_new(repeat, "expected", json_integer((json_int_t)window->expected));
	json_object_set_new(repeat, "deliveries", json_integer((json_int_t)window->deliveries));
	free(latency);
	return 0;
}

static int
net_latency_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	double rate = json_number_value(json_object_get(params, "rate"));
	unsigned readers = (unsigned)(TOGETHER / rate + 0.5);
	struct bench_generator generator;
	struct bench_window window = { 0 };
	int err = bench_net_window_measure(&generator, run, readers, rate, seconds_of(run->settings),
		&window);
	if (!err)
		err = set_figures(&generator, &window, repeat);
	return bench_generator_conclude(&generator, NULL, true, err, repeat);
}

const struct bench_scenario bench_scenario_net_latency = {
	.name = "net-latency",
	.title = "net-latency: from published at the server to received, over a network",
	.needs_network = true,
	.side_by_side = true,
	.needs_resuming = true,
	.cases = net_latency_cases,
	.measure = net_latency_measure,
};
