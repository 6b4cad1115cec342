/* What the server and the generator used, between two moments.
 * Owner: values. Thread: any. Errors: none. */
#ifndef SL_BENCH_USAGE_H
#define SL_BENCH_USAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/results/histogram.h"
#include "bench/server/server.h"

/* Above these the figures are the generator's. */
#define BENCH_SATURATED_SHARE 0.9
#define BENCH_SATURATED_LATE_NS 1000000u

struct bench_usage {
	uint64_t now_ns, server_ns; /* server_ns is 0 where it cannot be seen */
};

struct bench_usage bench_usage_take(const struct bench_server *server);

/* CPU time of the calling thread. */
uint64_t bench_thread_cpu_ns(void);

/* Sets repeat["generator"]: `share` of a core that the busiest thread used, and how late it
 * was at its own due times; `late_matters` where the figures are times. */
void bench_usage_set_generator(json_t *repeat, double share, const struct bench_histogram *late,
	bool late_matters);

#endif
