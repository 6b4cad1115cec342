/* The budgets: what a delivery may cost, as multiples of a bare send loop measured in the same
 * run, so that they hold on any machine.
 * Owner: the caller's structs. Thread: one.
 * Errors: SL_ENOENT (no file of budgets), SL_ESYNTAX, SL_ENOMEM. */
#ifndef SL_BENCH_BUDGET_H
#define SL_BENCH_BUDGET_H

#include <stdio.h>

#include "bench/options.h"
#include "bench/row.h"

/* What is held against the budget. */
enum bench_held {
	BENCH_HELD_RATIO,   /* to the floor, or to the clear: the median of the repeats' */
	BENCH_HELD_MEDIAN,  /* the figure itself */
	BENCH_HELD_HIGHEST, /* of the repeats */
	BENCH_HELD_NONE,    /* the figure must be 0; there is no line in the file */
};

struct bench_budget {
	const char *name; /* in the file of budgets */
	struct bench_row row;
	const struct bench_peer *floor; /* what the figure is a multiple of; NULL: of nothing */
	enum bench_transport floor_transport;
	enum bench_held held;
	const struct bench_peer *peer;   /* of --clients: whose figure it is */
	const struct bench_peer *beside; /* and the other server of such clients; NULL: none */
};

/* Each ended by a NULL name: those of the command budget, of --tls and --tokens (cost.c), and of --clients. */
extern const struct bench_budget bench_budgets[], bench_tls_budgets[], bench_token_budgets[],
	bench_client_budgets[];

/* Reads "name limit" lines; `#` begins a comment. limits[i] is that of budgets[i], 0 for none.
 * Errors: SL_ESYNTAX for a line that is neither, or a name that is in none of the tables. */
int bench_budget_parse(FILE *file, const struct bench_budget *budgets, double *limits);

/* The same of the file of budgets; says what is wrong with it. */
int bench_budget_read(const struct bench_options *options, const struct bench_budget *budgets,
	double *limits);

/* Measures all, prints each beside its budget, marks those over it; the report holds the
 * figures. A budget exceeded is no error. */
int bench_budget_run(struct bench_report *report, const struct bench_options *options);

#endif
