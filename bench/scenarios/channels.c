/* A channel for each subscriber: what a publish and its one delivery cost when a server has
 * thousands of channels, and what memory each of them takes. Messages go to the channels in
 * turn, so that no two that follow each other find anything of the other in a cache. */
#include "bench/load/generator.h"
#include "util/err.h"

#define CHANNELS 8000
#define QUICK_CHANNELS 500
#define RATE 2000.0 /* publishes a second, to all channels together */
#define PAYLOAD_BYTES 128
#define SECONDS 4.0
#define QUICK_SECONDS 0.5

static json_t *
channels_cases(const struct bench_settings *settings)
{
	unsigned channels = settings->connections ? settings->connections
		: settings->quick ? QUICK_CHANNELS : CHANNELS;
	return json_pack("[{s:i,s:f,s:i}]", "channels", (int)bench_generator_connections(channels),
		"rate", RATE, "payload", PAYLOAD_BYTES);
}

static void
set_figures(const struct bench_generator *generator, const struct bench_window *window,
	uint64_t kib_before, json_t *repeat)
{
	const struct bench_process *process = &generator->run->server->process;
	json_t *figures = json_object();
	double server_ns = (double)(window->after.server_ns - window->before.server_ns);
	double deliveries = (double)window->deliveries;
	if (server_ns > 0 && deliveries > 0)
		json_object_set_new(figures, "cpu_us_per_delivery", json_real(server_ns / 1e3 / deliveries));
	bench_usage_set_wakeups(figures, "delivery", bench_generator_wakeups(generator),
		&window->before, &window->after, deliveries);
	if (process->pid) {
		double kib = (double)bench_process_pss_kib(process) - (double)kib_before;
		json_object_set_new(figures, "process_kib",
			json_real(kib / generator->workers[0].plan.channels));
	}
	json_object_set_new(repeat, "figures", figures);
}

static int
channels_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	const struct bench_settings *settings = run->settings;
	const struct bench_process *process = &run->server->process;
	struct bench_audience audience = {
		.readers = (unsigned)json_integer_value(json_object_get(params, "channels")),
		.own_channels = true,
		.payload_len = (size_t)json_integer_value(json_object_get(params, "payload")),
	};
	struct bench_window window = {
		.rate = json_number_value(json_object_get(params, "rate")), .burst = 1, .polls_late = true,
		.seconds = settings->seconds > 0 ? settings->seconds
			: settings->quick ? QUICK_SECONDS : SECONDS,
	};
	struct bench_generator generator;
	uint64_t kib_before = process->pid ? bench_process_pss_kib(process) : 0;
	/* Each channel has had a message before any is measured. */
	window.warm_up_s = audience.readers / window.rate;
	int err = bench_generator_init(&generator, run, &audience);
	if (!err)
		err = bench_generator_open(&generator);
	if (!err)
		err = bench_generator_measure(&generator, &window);
	if (!err)
		set_figures(&generator, &window, kib_before, repeat);
	return bench_generator_conclude(&generator, &window, true, err, repeat);
}

const struct bench_scenario bench_scenario_channels = {
	.name = "channels",
	.title = "channels: one per subscriber, so each publish is one delivery",
	.busy_polling = true,
	.leaves_out = BENCH_HAS(BENCH_POLL),
	.why_left_out = "a short poll would find nothing most of the time",
	.cases = channels_cases,
	.measure = channels_measure,
};
