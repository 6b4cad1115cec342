/* All that a run has found out, as the JSON that is written, shown and drawn.
 * Owner: the struct is the caller's; finish frees. Thread: one.
 * Errors: SL_ENOMEM, SL_EIO (errno says why).
 *
 * A result is one case of one scenario on one server, transport and network with its repeats; its
 * summary is the median of the repeats with their minimum and maximum. Where deliveries were
 * lost there is no summary but "refused": figures of less work cannot be compared. */
#ifndef SL_BENCH_REPORT_H
#define SL_BENCH_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "bench/network/network.h"

/* Repeats that a report can hold. */
#define BENCH_REPEATS_MAX 64

struct bench_report {
	json_t *root; /* owns; bench, started, command, machine, ..., results */
};

/* Who measured: `command` is the command line. */
int bench_report_init(struct bench_report *report, int argc, char *const *argv);
void bench_report_finish(struct bench_report *report);

/* What tells one result from another; all borrowed. */
struct bench_result_key {
	const char *scenario, *server, *transport;
	const struct bench_network_kind *network; /* NULL: none was emulated */
	const json_t *params;                     /* the case */
};

/* Adds one repeat (takes it, also on failure) to its result, which is made by the first. */
int bench_report_add(struct bench_report *report, const struct bench_result_key *key,
	json_t *repeat);

/* Sentences for the reader; one said twice is kept once. */
void bench_report_warn(struct bench_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void bench_report_not_measured(struct bench_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Once all repeats are in: makes the summaries, warns of what makes figures doubtful. */
void bench_report_summarise(struct bench_report *report);

/* Nothing was lost, doubled or reordered, and nothing failed. */
bool bench_report_is_clean(const struct bench_report *report);

/* Borrowed: the result of exactly this case, NULL when there is none. */
json_t *bench_report_find(const struct bench_report *report, const struct bench_result_key *key);

/* The median of a figure in a summary; false when it is absent. */
bool bench_result_median(const json_t *result, const char *figure, double *median);

int bench_report_write_json(const struct bench_report *report, const char *path);

#endif
