/* The repeats of one result as one figure with its spread, and what makes it doubtful.
 * Owner: results are borrowed JSON (report.h). Thread: any. Errors: none. */
#ifndef SL_BENCH_SUMMARY_H
#define SL_BENCH_SUMMARY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct bench_doubts {
	size_t repeats;
	unsigned saturated, failed;              /* repeats */
	unsigned long long lost, doubled, reordered; /* messages, of all repeats */
	bool skipped_all;
	const char *reason, *error, *skipped;    /* borrowed from the result; NULL for none */
};

struct bench_doubts bench_summary_doubts(const json_t *result);

/* Sets result["summary"]: {figure: {median, min, max, count}} over the repeats that have the
 * figure. Where messages were lost, doubled or reordered the summary is empty and
 * result["refused"] says so, except where counting those is the scenario's own figure. */
void bench_summary_set(json_t *result);

/* Whether a percentile is absent for which the repeats were too short. */
bool bench_summary_hides(const json_t *result);

#endif
