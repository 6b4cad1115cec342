/* What TLS costs: the same gateway over https and over http by turns in one run, and the ratios of
 * their figures beside the targets of budgets.txt.
 * Owner: the caller's structs. Thread: one. Errors: SL_ENOMEM, SL_ENOENT (nothing can be measured, no
 * file of budgets), SL_ESYNTAX (of budgets). */
#ifndef SL_BENCH_TLS_COST_H
#define SL_BENCH_TLS_COST_H

#include "bench/budget.h"
#include "bench/options.h"
#include "bench/results/report.h"

/* What a row is held by, "" for nothing: "within" or "over" its limit, or "not measured". `value` is
 * negative where it was not measured, `limit` where there is none. */
const char *bench_tls_cost_verdict(double value, double limit);

/* Measures all rows that the options choose, prints them; the report holds the figures and, as "tls",
 * the rows. A target that is missed is no error. */
int bench_tls_cost_run(struct bench_report *report, const struct bench_options *options);

#endif
