#include "bench/against.h"

#include <stdint.h>
#include <stdio.h>

#include "bench/pairs.h"
#include "bench/results/table.h"
#include "bench/row.h"
#include "util/err.h"

/* So many that what a server sets up once, which differs by chance, is little beside them. */
#define IDLE_CONNECTIONS 8000

static const struct bench_row rows[] = {
	{ "a delivery, websocket, one at a time", BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 1) },
	{ "a delivery, websocket, bursts of 10", BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 10) },
	{ "a delivery, sse, one at a time", BENCH_ROW_DELIVERY(BENCH_SSE, 1) },
	{ "a delivery, sse, bursts of 10", BENCH_ROW_DELIVERY(BENCH_SSE, 10) },
	{ "a delivery, stream, one at a time", BENCH_ROW_DELIVERY(BENCH_STREAM, 1) },
	{ "a delivery, stream, bursts of 10", BENCH_ROW_DELIVERY(BENCH_STREAM, 10) },
	{ "a poll cycle", BENCH_ROW_DELIVERY(BENCH_LONGPOLL, 1) },
	{ "opening a websocket", BENCH_ROW_OPENING(BENCH_WEBSOCKET) },
	{ "opening an sse", BENCH_ROW_OPENING(BENCH_SSE) },
	{ "opening a longpoll that is held", BENCH_ROW_OPENING(BENCH_LONGPOLL) },
	{ "a publish, connection kept", .scenario = "publish", .figure = "cpu_us_per_publish" },
	{ "a page load", .scenario = "page", .figure = "cpu_us_per_page" },
	{ "a page load, how long it takes", .scenario = "page", .figure = "p50_us" },
	{ "an idle websocket", BENCH_ROW_IDLE(BENCH_WEBSOCKET) },
	{ "an idle sse", BENCH_ROW_IDLE(BENCH_SSE) },
	{ "an idle longpoll", BENCH_ROW_IDLE(BENCH_LONGPOLL) },
	{ 0 },
};

const char *
bench_against_verdict(const struct bench_spread *ratio)
{
	if (ratio->count < 2)
		return NULL;
	return ratio->max < 1 ? "less" : ratio->min > 1 ? "more" : NULL;
}

static json_t *
ratio_json(const struct bench_row *row, const json_t *new, const json_t *old,
	const struct bench_spread *ratio)
{
	return json_pack("{s:s, s:s, s:O?, s:O?, s:s, s:O?, s:O?, s:{s:f, s:f, s:f, s:I}, s:s*}",
		"title", row->title, "scenario", row->scenario,
		"transport", json_object_get(new, "transport"), "case", json_object_get(new, "case"),
		"figure", row->figure,
		"new", json_object_get(json_object_get(json_object_get(new, "summary"), row->figure), "median"),
		"old", json_object_get(json_object_get(json_object_get(old, "summary"), row->figure), "median"),
		"ratio", "median", ratio->median, "min", ratio->min, "max", ratio->max,
		"count", (json_int_t)ratio->count, "verdict", bench_against_verdict(ratio));
}

static void
print_row(FILE *out, const struct bench_row *row, const json_t *new, const json_t *old,
	const struct bench_spread *ratio)
{
	char cell[BENCH_CELL_MAX];
	const char *verdict = bench_against_verdict(ratio);
	bench_row_print_title(out, row->title);
	bench_row_write_median(cell, row->scenario, row->figure, new);
	bench_row_print_cell(out, cell, 10);
	bench_row_write_median(cell, row->scenario, row->figure, old);
	bench_row_print_cell(out, cell, 10);
	bench_row_write_ratio(cell, ratio);
	bench_row_print_cell(out, cell, 20);
	fprintf(out, "%s%s\n", verdict || !ratio->count ? "   " : "",
		!ratio->count ? "not measured" : verdict ? verdict : "");
}

static void
print_head(FILE *out)
{
	fputc('\n', out);
	bench_row_print_title(out, "Gateway's CPU time, time or memory, for");
	bench_row_print_cell(out, "new", 10);
	bench_row_print_cell(out, "old", 10);
	bench_row_print_cell(out, "new / old", 20);
	fputc('\n', out);
}

static void
print_foot(FILE *out, const struct bench_options *options)
{
	fprintf(out, "\nNew: %s\nOld: %s\nMedians of the repeats; ratios are of the two in the same "
		"repeat (lowest–highest).\n", options->settings.sluice_path, options->settings.against_path);
	if (options->repeats > 1)
		fprintf(out, "\"less\" and \"more\" mean that all repeats agree. By chance that happens to "
			"one line in %.0f.\n", (double)(UINT64_C(1) << (options->repeats - 1)));
}

static int
tell(struct bench_report *report, const struct bench_options *options)
{
	const struct bench_settings *settings = &options->settings;
	json_t *ratios = json_array();
	print_head(stdout);
	for (const struct bench_row *row = rows; row->title; row++) {
		const json_t *new = bench_row_result(report, row, &bench_peer_sluice, row->transport, settings);
		const json_t *old = bench_row_result(report, row, &bench_peer_against, row->transport,
			settings);
		struct bench_spread ratio = bench_row_ratio(new, old, row->figure);
		if (!new && !old)
			continue;
		print_row(stdout, row, new, old, &ratio);
		json_array_append_new(ratios, ratio_json(row, new, old, &ratio));
	}
	print_foot(stdout, options);
	bench_table_print_sentences(report, stdout);
	return json_object_set_new(report->root, "against", json_pack("{s:s, s:s, s:o}",
		"new", settings->sluice_path, "old", settings->against_path, "ratios", ratios)) == 0
		? 0 : SL_ENOMEM;
}

int
bench_against_run(struct bench_report *report, const struct bench_options *options)
{
	struct bench_options own = *options;
	struct bench_plan plan = { .in_pairs = true };
	int err = 0;
	bench_row_shorten(&own.settings, IDLE_CONNECTIONS);
	for (const struct bench_row *row = rows; row->title && !err; row++)
		err = bench_pairs_plan(&plan, row, &bench_peer_sluice, &bench_peer_against, &own, report);
	if (!err)
		err = bench_pairs_run(&plan, &own, report);
	if (!err)
		err = tell(report, &own);
	bench_plan_finish(&plan);
	return err;
}
