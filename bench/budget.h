/* The budgets: what a delivery may cost, as multiples of a bare send loop measured in the same
 * run, so that they hold on any machine.
 * Owner: the caller's structs. Thread: one.
 * Errors: SL_ENOENT (no file of budgets), SL_ESYNTAX, SL_ENOMEM. */
#ifndef SL_BENCH_BUDGET_H
#define SL_BENCH_BUDGET_H

#include <stdio.h>

#include "bench/options.h"
#include "bench/results/report.h"
#include "bench/results/statistics.h"

struct bench_budget {
	const char *name;     /* in the file of budgets */
	const char *title;
	const char *scenario;
	unsigned burst;       /* which case of it; 0: its first */
	enum bench_transport transport;
	const char *figure;
	/* Where the floor is taken from; BENCH_TRANSPORT_COUNT: the figure itself is held
	 * against the budget. */
	enum bench_transport floor;
};

/* Ended by a NULL name. */
extern const struct bench_budget bench_budgets[];

/* Reads "name limit" lines; `#` begins a comment. limits[i] is that of bench_budgets[i], 0
 * for none. Errors: SL_ESYNTAX for a line that is neither, or a name nobody knows. */
int bench_budget_parse(FILE *file, double *limits);

/* Figure over floor, of the repeats that have both; count 0 when none has. */
struct bench_spread bench_budget_ratio(const json_t *result, const json_t *floor,
	const char *figure);

/* Measures all, prints each beside its budget, marks those over it; the report holds the
 * figures. A budget exceeded is no error. */
int bench_budget_run(struct bench_report *report, const struct bench_options *options);

#endif
