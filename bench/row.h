/* One line of a table of verdicts: a figure of one case of a scenario, measured on two servers in
 * the same run, and their ratio.
 * Owner: static tables; what is borrowed from a report lives as long as it. Thread: one.
 * Errors: SL_ENOMEM. */
#ifndef SL_BENCH_ROW_H
#define SL_BENCH_ROW_H

#include <jansson.h>
#include <stdio.h>

#include "bench/plan.h"
#include "bench/results/figure.h"
#include "bench/results/report.h"
#include "bench/results/statistics.h"

struct bench_row {
	const char *title;
	const char *scenario;
	enum bench_transport transport; /* where the scenario has that axis */
	const char *figure;

	unsigned burst; /* which case of the scenario, where it has bursts; 0: its first */
	const char *words[2];  /* which, where texts tell cases apart: it has all of these; NULL: any */
};

/* The middle of a row that more than one table has. */
#define BENCH_ROW_DELIVERY(transport_, burst_) .scenario = "fanout", \
	.figure = "cpu_us_per_delivery", .transport = transport_, .burst = burst_
#define BENCH_ROW_OPENING(transport_) .scenario = "opening", \
	.figure = "cpu_us_per_connection", .transport = transport_
#define BENCH_ROW_IDLE(transport_) .scenario = "idle", .figure = "process_kib", \
	.transport = transport_

/* Windows as short as a table of many rows wants them, and connections of idle, where the command
 * line does not say. */
void bench_row_shorten(struct bench_settings *settings, unsigned idle_connections);

/* Returns new: the parameters of the row's case, NULL when the scenario has none. */
json_t *bench_row_case(const struct bench_row *row, const struct bench_settings *settings);

/* Adds the row on `peer`, unless the same is planned already. A case that the scenario does not
 * have is left out; it has no result. */
int bench_row_plan(struct bench_plan *plan, const struct bench_row *row,
	const struct bench_peer *peer, enum bench_transport transport,
	const struct bench_settings *settings);

/* Borrowed: what became of it; NULL when it was not measured. */
const json_t *bench_row_result(const struct bench_report *report, const struct bench_row *row,
	const struct bench_peer *peer, enum bench_transport transport,
	const struct bench_settings *settings);

/* Figure over base, of the repeats that have both; count 0 when none has. */
struct bench_spread bench_row_ratio(const json_t *result, const json_t *base, const char *figure);

/* The median with its unit: "4.70 µs"; "–" where there is none. */
void bench_row_write_median(char out[BENCH_CELL_MAX], const char *scenario, const char *figure,
	const json_t *result);

/* "1.06x (0.97–1.09)"; "" for none. */
void bench_row_write_ratio(char out[BENCH_CELL_MAX], const struct bench_spread *ratio);

/* Prints `text` at the right of a column of `width`, or the title at the left of its own. */
void bench_row_print_cell(FILE *out, const char *text, unsigned width);
void bench_row_print_title(FILE *out, const char *title);

#endif
