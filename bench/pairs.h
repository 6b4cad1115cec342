/* Rows measured on two servers by turns, next to each other in one run.
 * Owner: the caller's structs. Thread: one. Errors: SL_ENOMEM, SL_ENOENT (nothing can be measured). */
#ifndef SL_BENCH_PAIRS_H
#define SL_BENCH_PAIRS_H

#include "bench/options.h"
#include "bench/plan.h"
#include "bench/row.h"

/* Adds the row on `first` and on `second` to a plan in pairs, where the options want it and it can be
 * measured. */
int bench_pairs_plan(struct bench_plan *plan, const struct bench_row *row,
	const struct bench_peer *first, const struct bench_peer *second,
	const struct bench_options *options, struct bench_report *report);

/* Runs the plan and summarises the report; says so when the plan is empty. */
int bench_pairs_run(const struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report);

#endif
