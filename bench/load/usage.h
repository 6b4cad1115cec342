/* What the server and the generator used, between two moments.
 * Owner: values. Thread: any. Errors: none. */
#ifndef SL_BENCH_USAGE_H
#define SL_BENCH_USAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/load/wait.h"
#include "bench/results/histogram.h"
#include "bench/server/server.h"

/* Beyond these the figures are the generator's. */
#define BENCH_SATURATED_SHARE 0.9
#define BENCH_SATURATED_LATE_NS 1000000u
/* A generator that polls takes a whole core; with less of it, others run there. */
#define BENCH_POLLING_SHARE 0.9

struct bench_usage {
	uint64_t now_ns;
	uint64_t server_ns;     /* CPU of the server */
	uint64_t server_sleeps; /* its voluntary context switches */
	/* Both are 0 where the server cannot be seen. */
};

struct bench_usage bench_usage_take(const struct bench_server *server);

/* Adds what was used between the two to `sum`, which begins with zeros. */
void bench_usage_add(struct bench_usage *sum, const struct bench_usage *before,
	const struct bench_usage *after);

/* Waits until the server is through with what it has got: it sleeps, and has used no CPU for a
 * millisecond. Gives up after some 200; waits for one where the server cannot be seen. */
void bench_usage_settle(const struct bench_server *server, struct bench_wait *wait);

/* CPU time of the calling thread. */
uint64_t bench_thread_cpu_ns(void);

/* The generator of a repeat. */
struct bench_generator_use {
	bool busy_polls;
	double busy_share; /* of the time the busiest thread had something to do */
	double cpu_share;  /* of its core a thread had: the least when polling, else the most */
	uint64_t wakeups;  /* of all threads */
};

/* Adds a thread; one that measured nothing is left out. `use` begins with busy_polls alone. */
void bench_generator_use_add(struct bench_generator_use *use, const struct bench_effort *effort);

/* Sets repeat["generator"] with what makes it doubtful, and how late it was at its own due
 * times; `late_matters` where the figures are times. `late` is NULL where nothing was due. */
void bench_usage_set_generator(json_t *repeat, const struct bench_generator_use *use,
	const struct bench_histogram *late, bool late_matters);

/* Sets what stands beside a CPU figure: wakeups_per_<unit>, how often a send of the server woke
 * the generator, and where the server is seen server_sleeps_per_<unit>, how often it slept
 * itself; both over `count` units. */
void bench_usage_set_wakeups(json_t *figures, const char *unit, uint64_t wakeups,
	const struct bench_usage *before, const struct bench_usage *after, double count);

#endif
