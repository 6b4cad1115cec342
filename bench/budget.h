/* The budgets: what a delivery may cost, as multiples of a bare send loop measured in the same
 * run, so that they hold on any machine.
 * Owner: the caller's structs. Thread: one.
 * Errors: SL_ENOENT (no file of budgets), SL_ESYNTAX, SL_ENOMEM. */
#ifndef SL_BENCH_BUDGET_H
#define SL_BENCH_BUDGET_H

#include <stdio.h>

#include "bench/options.h"
#include "bench/row.h"

struct bench_budget {
	const char *name; /* in the file of budgets */
	struct bench_row row;
	/* What the figure is a multiple of; NULL: the figure itself is held against the budget. */
	const struct bench_peer *floor;
	enum bench_transport floor_transport;
};

/* Ended by a NULL name. */
extern const struct bench_budget bench_budgets[];

/* Reads "name limit" lines; `#` begins a comment. limits[i] is that of bench_budgets[i], 0
 * for none. Errors: SL_ESYNTAX for a line that is neither, or a name nobody knows. */
int bench_budget_parse(FILE *file, double *limits);

/* Measures all, prints each beside its budget, marks those over it; the report holds the
 * figures. A budget exceeded is no error. */
int bench_budget_run(struct bench_report *report, const struct bench_options *options);

#endif
