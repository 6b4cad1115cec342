/* What TLS costs, or tokens: the same gateway with and without by turns in one run, and the ratios of
 * their figures beside the targets of budgets.txt.
 * Owner: the caller's structs. Thread: one. Errors: SL_ENOMEM, SL_ENOENT (nothing can be measured, no
 * file of budgets), SL_ESYNTAX (of budgets). */
#ifndef SL_BENCH_COST_H
#define SL_BENCH_COST_H

#include "bench/budget.h"
#include "bench/options.h"
#include "bench/results/report.h"

/* What a row is held by, "" for nothing: "within" or "over" its limit, or "not measured". `value` is
 * negative where it was not measured, `limit` where there is none. */
const char *bench_cost_verdict(double value, double limit);

/* Measures all rows that the options choose, prints them; the report holds the figures and, as "tls" or
 * "tokens", the rows. A target that is missed is no error. */
int bench_cost_run_tls(struct bench_report *report, const struct bench_options *options);
int bench_cost_run_tokens(struct bench_report *report, const struct bench_options *options);

#endif
