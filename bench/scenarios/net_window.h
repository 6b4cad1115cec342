/* A window over a network: readers of channels of their own, each with messages at the same rate,
 * which are due one after another, from a publisher beside the server.
 * Owner: values. Thread: one. Errors: those of load/generator.h. */
#ifndef SL_BENCH_NET_WINDOW_H
#define SL_BENCH_NET_WINDOW_H

#include "bench/load/generator.h"

#define BENCH_NET_PAYLOAD_BYTES 128

/* Opens `readers` and measures `seconds` with `rate` messages a second for each of them. Fills
 * `window`; the generator is to be concluded whatever becomes of it. */
int bench_net_window_measure(struct bench_generator *generator, struct bench_run *run,
	unsigned readers, double rate, double seconds, struct bench_window *window);

#endif
