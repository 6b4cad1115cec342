/* Bytes over a network: what the link carried for each delivered message, IP and TCP headers
 * included, both ways. Packets that carried nothing new are counted apart. */
#include "bench/scenarios/net_window.h"
#include "util/err.h"

#define READERS 20
#define RATE 10
#define SECONDS 3.0 /* a multiple of the interval of short polls */
#define FULL_SECONDS 10.0
#define QUICK_SECONDS 1.0

static json_t *
net_bytes_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i, s:i}]", "rate", RATE, "payload", BENCH_NET_PAYLOAD_BYTES);
}

/* A whole number of seconds. */
static double
seconds_of(const struct bench_settings *settings)
{
	if (settings->seconds > 0)
		return (unsigned)(settings->seconds + 0.999);
	return settings->full ? FULL_SECONDS : settings->quick ? QUICK_SECONDS : SECONDS;
}

static void
set_figures(const struct bench_window *window, json_t *repeat)
{
	const struct bench_network_count *down = &window->linked[BENCH_DOWN];
	const struct bench_network_count *up = &window->linked[BENCH_UP];
	double messages = (double)window->deliveries;
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	json_object_set_new(repeat, "expected", json_integer((json_int_t)window->expected));
	json_object_set_new(repeat, "deliveries", json_integer((json_int_t)window->deliveries));
	if (window->deliveries == 0)
		return;
	json_object_set_new(figures, "link_bytes_down_per_message",
		json_real((double)(down->bytes - down->retransmitted_bytes) / messages));
	json_object_set_new(figures, "link_bytes_up_per_message",
		json_real((double)(up->bytes - up->retransmitted_bytes) / messages));
	json_object_set_new(figures, "link_retransmitted_bytes_per_message",
		json_real((double)(down->retransmitted_bytes + up->retransmitted_bytes) / messages));
	json_object_set_new(figures, "packets_per_message",
		json_real((double)(down->packets + up->packets) / messages));
	/* The same by the clients' sockets, by kind. */
	bench_account_set_figures(&window->carried, window->seconds * READERS, figures);
}

static int
net_bytes_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	double rate = json_number_value(json_object_get(params, "rate"));
	struct bench_generator generator;
	struct bench_window window = { .polls_late = true };
	int err = bench_net_window_measure(&generator, run, READERS, rate, seconds_of(run->settings),
		&window);
	if (!err)
		set_figures(&window, repeat);
	return bench_generator_conclude(&generator, NULL, false, err, repeat);
}

const struct bench_scenario bench_scenario_net_bytes = {
	.name = "net-bytes",
	.title = "net-bytes: bytes on the link for each delivered message",
	.needs_network = true,
	.side_by_side = true,
	.is_light = true,
	.needs_resuming = true,
	.cases = net_bytes_cases,
	.measure = net_bytes_measure,
};
