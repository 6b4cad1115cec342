/* The results of the scenarios that need a network, as tables in a terminal: a block a network with a
 * row a transport, then which transport is fastest where.
 * Owner: the report is borrowed, summarised (report.h). Thread: one. Errors: none. */
#ifndef SL_BENCH_NETWORKS_H
#define SL_BENCH_NETWORKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench/results/report.h"

/* The network of a result; "" for none. Borrowed. */
const char *bench_network_name_of(const json_t *result);

/* Whether the result is one of those that are printed here. */
bool bench_networks_shows(const json_t *result);

/* Nothing when there are none. */
void bench_networks_print(const struct bench_report *report, FILE *out);

/* A network in words: "40 ms, 10 ms jitter, 0.5 % loss, 20/5 Mbit/s". */
void bench_network_write(char *out, size_t size, const struct bench_network_kind *kind);

#endif
