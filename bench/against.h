/* Two gateways against each other: the one that is measured and an older one, say, by turns in one
 * run, and how much of the old one's CPU time, time and memory the new one takes.
 * Owner: the caller's structs. Thread: one. Errors: SL_ENOENT (no gateway), SL_ENOMEM. */
#ifndef SL_BENCH_AGAINST_H
#define SL_BENCH_AGAINST_H

#include <stdbool.h>

#include "bench/options.h"
#include "bench/results/report.h"
#include "bench/results/statistics.h"

/* What all repeats say alike: "less", "more", or NULL where they do not, or are fewer than two. */
const char *bench_against_verdict(const struct bench_spread *ratio);

/* Measures settings->sluice_path against settings->against_path and prints the ratios; the report
 * holds the figures of both, and the ratios as "against". */
int bench_against_run(struct bench_report *report, const struct bench_options *options);

#endif
