/* What clients of other libraries cost: the same clients on the gateway and on their own server, beside the
 * gateway's own clients, by turns in one run, and the ratios of their figures beside the targets of
 * budgets.txt.
 * Owner: the caller's structs. Thread: one. Errors: SL_ENOMEM, SL_ENOENT (nothing can be measured, no
 * file of budgets), SL_ESYNTAX (of budgets). */
#ifndef SL_BENCH_CLIENTS_H
#define SL_BENCH_CLIENTS_H

#include "bench/options.h"
#include "bench/results/report.h"

/* Measures all rows that the options choose, prints them; the report holds the figures and, as "clients",
 * the rows. A target that is missed is no error. */
int bench_clients_run(struct bench_report *report, const struct bench_options *options);

#endif
