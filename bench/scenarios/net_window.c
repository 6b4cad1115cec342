#include "bench/scenarios/net_window.h"

#define WARM_UP_S 0.5
#define POLL_STEP 67 /* a prime */

int
bench_net_window_measure(struct bench_generator *generator, struct bench_run *run,
	unsigned readers, double rate, double seconds, struct bench_window *window)
{
	struct bench_worker_plan plan = {
		.transport = run->transport, .channels = readers, .readers = readers, .publishes = true,
		.beside = true, .payload_len = BENCH_NET_PAYLOAD_BYTES,
		.poll_interval_ns = BENCH_POLL_INTERVAL_NS, .poll_step = POLL_STEP,
	};
	window->rate = rate * readers;
	window->seconds = seconds;
	window->burst = 1;
	window->warm_up_s = WARM_UP_S;
	bench_generator_name_channel(run, "net", 0, plan.channel);
	int err = bench_generator_init_plans(generator, run, &plan, 1);
	if (!err)
		err = bench_generator_open(generator);
	return err ? err : bench_generator_measure(generator, window);
}
