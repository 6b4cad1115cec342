/* Of the scenario `cluster`: its goals, and how many gateways and NATS servers many clients would need, computed from
 * what was measured (doc/cluster.md has the formulae in words).
 * Owner: the caller's structs. Thread: any. Errors: none; what was not measured is not computed. */
#ifndef SL_BENCH_RESULTS_CLUSTER_H
#define SL_BENCH_RESULTS_CLUSTER_H

#include <stdbool.h>
#include <stdio.h>

#include "bench/results/report.h"

/* What things cost, CPU in microseconds. */
struct bench_cluster_costs {
	double publish_us;      /* a gateway's, for a publish through it */
	double tailed_us;       /* a gateway's, for a message that it reads */
	double delivery_us;     /* a gateway's, for a message that a client gets */
	double log_publish_us;  /* all NATS servers of a bus together, a publish that one gateway reads */
	double log_tail_us;     /* and for each further gateway that reads it */
	double log_per_s;       /* publishes that a log takes */
	double client_kib;      /* memory of a client in its gateway, the kernel's with it */
};

/* What is assumed of clients and of hosts. */
struct bench_cluster_load {
	double publishes_per_client_s, receivers; /* each message reaches so many clients */
	double cores, memory_gib;                 /* of a host */
	double history_gib;                       /* that each gateway holds */
	double share;                             /* of anything that is used up: what is left is for the day when hosts fail */
	unsigned servers;                         /* of a bus: as many as were measured */
};

extern const struct bench_cluster_load bench_cluster_load;

struct bench_cluster_size {
	double clients, publishes_per_s; /* in all */
	unsigned buses, gateways, servers; /* in all; 0 buses: there is no answer below the limit on buses */
	const char *first; /* what gives way first, a phrase */
	/* Of one bus: shares of what there is, 0..1. */
	double log_rate, log_cpu, tail_thread, gateway_cpu, gateway_memory;
};

void bench_cluster_compute(const struct bench_cluster_costs *costs, const struct bench_cluster_load *load,
	double clients, struct bench_cluster_size *out);

/* Adds root["cluster"] to a report that has the scenario's results, once it is summarised. */
void bench_cluster_set(struct bench_report *report);

/* Prints that. */
void bench_cluster_print(const struct bench_report *report, FILE *out);

#endif
