/* The samples of a comparison as a Markdown table and as JSON.
 * Owner: the struct is the caller's; finish frees the samples. Thread: one.
 * Errors: SL_ENOMEM, SL_EIO. */
#ifndef SL_BENCH_REPORT_H
#define SL_BENCH_REPORT_H

#include <stdio.h>

#include "bench/options.h"
#include "bench/row.h"

/* Repeats that a report can hold. */
#define BENCH_REPEATS_MAX 64

struct bench_report {
	const struct bench_options *options;
	unsigned row_count, peer_count;
	struct bench_sample *samples; /* owns: by row, then peer, then repeat */
};

int bench_report_init(struct bench_report *report, const struct bench_options *options);
void bench_report_finish(struct bench_report *report);

struct bench_sample *bench_report_sample(const struct bench_report *report, unsigned row,
	unsigned peer, unsigned repeat);

/* One line a row that was measured, then what the marks mean. */
void bench_report_print(const struct bench_report *report, FILE *out);

/* Every sample with all its figures. */
int bench_report_write_json(const struct bench_report *report, const char *path);

#endif
