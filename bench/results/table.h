/* A report as tables in a terminal, at most 100 columns wide.
 * Owner: the report is borrowed, summarised (report.h). Thread: one. Errors: none. */
#ifndef SL_BENCH_TABLE_H
#define SL_BENCH_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "bench/results/figure.h"
#include "bench/results/report.h"

#define BENCH_TABLE_WIDTH 100

/* Grouped by scenario, case and network, a row a transport (and server, when there are several): the
 * median of the repeats and their range. What needs a network comes last, as networks.h prints
 * it. Then the warnings and what was not measured.
 * Bold and dim only where `out` is a terminal and NO_COLOR is not set. */
void bench_table_print(const struct bench_report *report, FILE *out);

/* A median with its unit, and the range of the repeats where there are several: "1.24 ms",
 * "1.20–1.31". Without the figure: "–" and "". */
struct bench_cell {
	char value[BENCH_CELL_MAX], spread[BENCH_CELL_MAX];
};

struct bench_cell bench_cell_of(const json_t *result, const struct bench_figure *figure);

/* What is written before and after text of a kind; nothing where `out` is no terminal. */
struct bench_styles {
	const char *bold, *dim, *mark, *end;
};

struct bench_styles bench_styles_of(FILE *out);

/* The warnings alone; and with what was not measured. */
void bench_table_print_warnings(const struct bench_report *report, FILE *out);
void bench_table_print_sentences(const struct bench_report *report, FILE *out);

/* A case in words: "200 messages/s, payload 128 B, 10 subscribers". */
void bench_case_write(char *out, size_t size, const json_t *params);

/* Columns that UTF-8 text takes, each character one. */
size_t bench_text_width(const char *text);

/* Writes a paragraph, broken at spaces, later lines indented by `indent`. */
void bench_text_wrap(FILE *out, const char *text, unsigned indent);

#endif
