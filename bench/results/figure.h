/* What the figures of the scenarios are called and how they are shown.
 * Owner: static table. Thread: any. Errors: none. */
#ifndef SL_BENCH_FIGURE_H
#define SL_BENCH_FIGURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum bench_unit {
	BENCH_COUNT, BENCH_MICROSECONDS, BENCH_BYTES, BENCH_KIBIBYTES, BENCH_PER_SECOND,
	BENCH_BYTES_PER_SECOND, BENCH_SHARE, BENCH_RATIO,
};

struct bench_figure {
	const char *scenario;
	const char *name;    /* in the JSON */
	const char *heading; /* of a column, short */
	const char *meaning; /* a phrase for the report */
	enum bench_unit unit;
	bool in_table;       /* else only in JSON and HTML */
};

/* In the order of the columns; ended by a NULL name. */
extern const struct bench_figure bench_figures[];

/* NULL when unknown. */
const struct bench_figure *bench_figure_find(const char *scenario, const char *name);

#define BENCH_CELL_MAX 64

/* A value to three digits, a ratio to three decimals, in the unit that suits `scale`, without the unit: "1.24" of 1,240 µs
 * beside a scale of 2,000 µs. */
void bench_figure_write(char out[BENCH_CELL_MAX], enum bench_unit unit, double value, double scale);

/* The unit that suits `scale`: "µs", "ms", "KiB", "/s"; "" for a count. */
const char *bench_figure_suffix(enum bench_unit unit, double scale);

/* Returns new: the table as JSON, {scenario: [{name, heading, meaning, unit}, ...]}. */
json_t *bench_figures_json(void);

#endif
