/* What a run measures, in which order, and doing it.
 * Owner: the caller's struct; finish frees. Thread: one. Errors: SL_ENOMEM. */
#ifndef SL_BENCH_PLAN_H
#define SL_BENCH_PLAN_H

#include <jansson.h>
#include <stddef.h>

#include "bench/options.h"
#include "bench/results/report.h"

struct bench_plan {
	struct bench_step *steps; /* owns: one repeat, in order */
	size_t count;
	bool in_pairs; /* of steps that differ in the peer alone who is first is last in the next repeat */
};

/* What the options ask for: by network, scenario, case, transport, server, so that those compared are
 * measured next to each other. What cannot be measured goes to the report's `not_measured`. */
int bench_plan_init(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report);
void bench_plan_finish(struct bench_plan *plan);

/* Adds a copy of the step. */
int bench_plan_add(struct bench_plan *plan, const struct bench_step *step);

/* Which step is the one at `place` (0..count) of this repeat. */
size_t bench_plan_step(const struct bench_plan *plan, unsigned repeat, size_t place);

/* Measures all steps, as often as the options say: all of one repeat before the next. */
int bench_plan_run(const struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report);

#endif
