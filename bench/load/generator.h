/* The load of one repeat: workers on threads of their own, one a core, merged afterwards.
 * Owner: the caller's struct; finish closes everything. Thread: the caller's; threads begin
 * and end inside each call. Errors: those of load/worker.h, SL_EINVAL (the CA file). */
#ifndef SL_BENCH_GENERATOR_H
#define SL_BENCH_GENERATOR_H

#include <jansson.h>

#include "bench/load/usage.h"
#include "bench/load/worker.h"
#include "bench/scenario.h"

#define BENCH_POLL_INTERVAL_NS 1000000000u
#define BENCH_WORKERS_MAX 64

struct bench_generator {
	const struct bench_run *run;
	struct bench_tls *tls;        /* owns */
	struct bench_worker *workers; /* owns */
	unsigned count;
	uint32_t next_seq;            /* messages published so far */
};

/* Readers spread over the threads, the first of which publishes. */
struct bench_audience {
	unsigned readers;
	bool own_tokens;   /* each has one, where clients have tokens */
	bool own_channels; /* each has one, and messages go to them in turn; else they share one */
	size_t payload_len;
	bool bursts;
};

/* A measured stretch and what it cost. */
struct bench_window {
	double rate, seconds;
	double warm_up_s; /* 0: for a moment */
	uint32_t burst;
	/* Short polls begin one interval late, so that the last ones of them take what is
	 * published last; else the tail after the window would count as polls of the window. */
	bool polls_late;

	/* Filled in: */
	struct bench_schedule schedule;
	struct bench_usage before, after;
	struct bench_account carried;
	uint64_t carried_from_ns, carried_to_ns; /* of CLOCK_MONOTONIC: when that was counted */
	struct bench_network_count linked[BENCH_DIRECTIONS]; /* by the network's link, with them */
	uint64_t expected, deliveries;
};

/* `wanted` connections, or fewer where the limit on open files is lower. */
unsigned bench_generator_connections(unsigned wanted);

/* Threads of the generator: what the settings say, or one a core. */
unsigned bench_generator_threads(const struct bench_settings *settings);

/* The core of thread `index`: those that may be used from load_core on, round and round,
 * without the server's. */
int bench_generator_core(const struct bench_settings *settings, unsigned index);

/* Why the generator cannot poll its cores: a thread would take from the server, or from another
 * thread, the core that they share. NULL when it can. */
const char *bench_generator_must_sleep(const struct bench_settings *settings);

/* The name of channel `number`: on a target, which others may use, it is this run's own. */
void bench_generator_name_channel(const struct bench_run *run, const char *name, unsigned number,
	char channel[BENCH_CHANNEL_MAX]);

int bench_generator_init(struct bench_generator *generator, const struct bench_run *run,
	const struct bench_audience *audience);

/* The same for workers of any kind; a plan's server, tls and core are filled in here. */
int bench_generator_init_plans(struct bench_generator *generator, const struct bench_run *run,
	const struct bench_worker_plan *plans, unsigned count);
void bench_generator_finish(struct bench_generator *generator);

int bench_generator_open(struct bench_generator *generator);

/* One pass on every worker, passes[i] on worker i. */
int bench_generator_run(struct bench_generator *generator, const struct bench_pass *passes);

/* Serves without short polls until the server is quiet, on a network for two round trips at least:
 * then all acknowledgements have come. */
int bench_generator_rest(struct bench_generator *generator);

/* Warms up, rests, measures, rests. Only for generators of one audience. */
int bench_generator_measure(struct bench_generator *generator, struct bench_window *window);

struct bench_account bench_generator_account(const struct bench_generator *generator);

/* What the measured passes saw: due to received. */
void bench_generator_add_latency(const struct bench_generator *generator,
	struct bench_histogram *latency);

/* How often the measured passes' threads were woken. */
uint64_t bench_generator_wakeups(const struct bench_generator *generator);

/* Whether a generator that was so late spoils times: always, but that 5 % of a network's round trip
 * are no matter. */
bool bench_generator_late_matters(const struct bench_run *run, const struct bench_histogram *late);

/* The end of a repeat: sets lost, doubled, reordered and generator in `repeat`, with a window
 * expected, deliveries and the timeline as well, or says in repeat["error"] what `err` stopped;
 * then finishes. Where it is `timed`, a late generator spoils the figures, and a window has a
 * histogram. Returns `err`. */
int bench_generator_conclude(struct bench_generator *generator, const struct bench_window *window,
	bool timed, int err, json_t *repeat);

#endif
