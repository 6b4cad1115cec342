#include "bench/tls_cost.h"

#include <stdio.h>

#include "bench/pairs.h"
#include "bench/results/summary.h"
#include "bench/results/table.h"
#include "util/err.h"

#define IDLE_CONNECTIONS 10000
#define RATIO_WIDTH 23

#define STORM(handshake_, figure_) .scenario = "storm", .figure = figure_, .handshake = handshake_
#define RECORD(transport_) .scenario = "overhead", .figure = "down_tls", .transport = transport_
#define RELAYED(transport_) .scenario = "overhead", .figure = "relayed", .transport = transport_

const struct bench_budget bench_tls_budgets[] = {
	{ "tls-websocket-single", { "a delivery, websocket, one at a time",
		BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 1) } },
	{ "tls-websocket-burst", { "a delivery, websocket, bursts of 10",
		BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 10) } },
	{ "tls-sse-single", { "a delivery, sse, one at a time", BENCH_ROW_DELIVERY(BENCH_SSE, 1) } },
	{ "tls-sse-burst", { "a delivery, sse, bursts of 10", BENCH_ROW_DELIVERY(BENCH_SSE, 10) } },
	{ "tls-stream-single", { "a delivery, stream, one at a time",
		BENCH_ROW_DELIVERY(BENCH_STREAM, 1) } },
	{ "tls-stream-burst", { "a delivery, stream, bursts of 10",
		BENCH_ROW_DELIVERY(BENCH_STREAM, 10) } },
	{ "tls-longpoll-cycle", { "a poll cycle", BENCH_ROW_DELIVERY(BENCH_LONGPOLL, 1) } },
	{ "tls-publish", { "a publish, connection kept", .scenario = "publish",
		.figure = "cpu_us_per_publish" } },
	{ "tls-handshake-full", { "a new connection, full handshake", .scenario = "handshake",
		.figure = "cpu_us_per_connection", .handshake = "full" } },
	{ "tls-handshake-resumed", { "a new connection, resumed", .scenario = "handshake",
		.figure = "cpu_us_per_connection", .handshake = "resumed" } },
	{ "tls-websocket-opening", { "opening a websocket", BENCH_ROW_OPENING(BENCH_WEBSOCKET) } },
	{ "tls-sse-opening", { "opening an sse", BENCH_ROW_OPENING(BENCH_SSE) } },
	{ "tls-longpoll-opening", { "opening a longpoll that is held",
		BENCH_ROW_OPENING(BENCH_LONGPOLL) } },
	{ "tls-websocket-idle", { "an idle websocket", BENCH_ROW_IDLE(BENCH_WEBSOCKET) },
		.held = BENCH_HELD_MEDIAN },
	{ "tls-sse-idle", { "an idle sse", BENCH_ROW_IDLE(BENCH_SSE) }, .held = BENCH_HELD_MEDIAN },
	{ "tls-longpoll-idle", { "an idle longpoll", BENCH_ROW_IDLE(BENCH_LONGPOLL) },
		.held = BENCH_HELD_MEDIAN },
	{ "tls-storm-turn", { "longest turn, 2,000 reconnects/s",
		STORM("full", "longest_turn_us") }, .held = BENCH_HELD_HIGHEST },
	{ "tls-storm-p99", { "others' p99 meanwhile", STORM("full", "p99_us") } },
	{ "tls-storm-resumed-turn", { "longest turn, resumed",
		STORM("resumed", "longest_turn_us") }, .held = BENCH_HELD_HIGHEST },
	{ "tls-storm-resumed-p99", { "others' p99 meanwhile, resumed", STORM("resumed", "p99_us") } },
	{ "tls-websocket-record", { "record around a message, websocket", RECORD(BENCH_WEBSOCKET) },
		.held = BENCH_HELD_HIGHEST },
	{ "tls-sse-record", { "record around a message, sse", RECORD(BENCH_SSE) },
		.held = BENCH_HELD_HIGHEST },
	{ "tls-stream-record", { "record around a message, stream", RECORD(BENCH_STREAM) },
		.held = BENCH_HELD_HIGHEST },
	{ "tls-longpoll-record", { "record around a message, longpoll", RECORD(BENCH_LONGPOLL) },
		.held = BENCH_HELD_HIGHEST },
	{ "tls-websocket-relayed", { "requests of websocket relayed", RELAYED(BENCH_WEBSOCKET) },
		.held = BENCH_HELD_NONE },
	{ "tls-sse-relayed", { "requests of sse relayed", RELAYED(BENCH_SSE) }, .held = BENCH_HELD_NONE },
	{ "tls-stream-relayed", { "requests of stream relayed", RELAYED(BENCH_STREAM) },
		.held = BENCH_HELD_NONE },
	{ "tls-longpoll-relayed", { "requests of longpoll relayed", RELAYED(BENCH_LONGPOLL) },
		.held = BENCH_HELD_NONE },
	{ "tls-poll-relayed", { "requests of poll relayed", RELAYED(BENCH_POLL) },
		.held = BENCH_HELD_NONE },
	{ 0 },
};

#define BUDGETS (sizeof bench_tls_budgets / sizeof *bench_tls_budgets)

/* A row and what came of it. */
struct line {
	const struct bench_budget *budget;
	const json_t *tls, *clear; /* borrows */
	struct bench_spread ratio;
	double value, limit;       /* negative: not measured, none */
};

const char *
bench_tls_cost_verdict(double value, double limit)
{
	if (value < 0)
		return "not measured";
	if (limit < 0)
		return "";
	return value > limit ? "over" : "within";
}

static double
value_of(const struct line *line)
{
	const json_t *spread = json_object_get(json_object_get(line->tls, "summary"),
		line->budget->row.figure);
	if (line->budget->held == BENCH_HELD_RATIO)
		return line->ratio.count ? line->ratio.median : -1;
	if (!spread)
		return -1;
	return json_number_value(json_object_get(spread,
		line->budget->held == BENCH_HELD_MEDIAN ? "median" : "max"));
}

static struct line
line_of(const struct bench_report *report, const struct bench_budget *budget,
	const struct bench_settings *settings, double limit)
{
	const struct bench_row *row = &budget->row;
	struct line line = { .budget = budget,
		.limit = budget->held == BENCH_HELD_NONE ? 0 : limit > 0 ? limit : -1 };
	line.tls = bench_row_result(report, row, &bench_peer_sluice_tls, row->transport, settings);
	line.clear = bench_row_result(report, row, &bench_peer_sluice, row->transport, settings);
	line.ratio = bench_row_ratio(line.tls, line.clear, row->figure);
	line.value = value_of(&line);
	return line;
}

static void
write_limit(char out[BENCH_CELL_MAX], const struct line *line)
{
	const struct bench_row *row = &line->budget->row;
	const struct bench_figure *figure = bench_figure_find(row->scenario, row->figure);
	char number[BENCH_CELL_MAX];
	*out = '\0';
	if (line->limit < 0)
		return;
	if (line->budget->held == BENCH_HELD_RATIO) {
		snprintf(out, BENCH_CELL_MAX, "%.2fx", line->limit);
		return;
	}
	const char *suffix = bench_figure_suffix(figure->unit, line->limit);
	bench_figure_write(number, figure->unit, line->limit, line->limit);
	snprintf(out, BENCH_CELL_MAX, "%.40s%s%s", number, *suffix ? " " : "", suffix);
}

static void
print_line(FILE *out, const struct line *line, const struct bench_styles *styles)
{
	const struct bench_row *row = &line->budget->row;
	const char *verdict = bench_tls_cost_verdict(line->value, line->limit);
	bool is_over = line->limit >= 0 && line->value > line->limit;
	char cell[BENCH_CELL_MAX];
	bench_row_print_title(out, row->title);
	bench_row_write_median(cell, row->scenario, row->figure, line->tls);
	bench_row_print_cell(out, cell, 10);
	bench_row_write_median(cell, row->scenario, row->figure, line->clear);
	bench_row_print_cell(out, cell, 10);
	bench_row_write_ratio(cell, &line->ratio);
	bench_row_print_cell(out, cell, RATIO_WIDTH);
	write_limit(cell, line);
	bench_row_print_cell(out, cell, 10);
	fprintf(out, "%s%s%s%s\n", *verdict ? "  " : "", is_over ? styles->mark : "", verdict,
		is_over ? styles->end : "");
}

static json_t *
line_json(const struct line *line)
{
	static const char *const held[] = { [BENCH_HELD_RATIO] = "ratio", [BENCH_HELD_MEDIAN] = "median",
		[BENCH_HELD_HIGHEST] = "highest", [BENCH_HELD_NONE] = "highest" };
	const struct bench_row *row = &line->budget->row;
	const struct bench_spread *ratio = &line->ratio;
	const char *verdict = bench_tls_cost_verdict(line->value, line->limit);
	return json_pack("{s:s, s:s, s:s, s:O?, s:O?, s:s, s:O?, s:O?, s:{s:f, s:f, s:f, s:I}, s:s,"
		" s:o, s:o, s:s}", "name", line->budget->name, "title", row->title, "scenario", row->scenario,
		"transport", json_object_get(line->tls, "transport"),
		"case", json_object_get(line->tls, "case"), "figure", row->figure,
		"tls", json_object_get(json_object_get(line->tls, "summary"), row->figure),
		"clear", json_object_get(json_object_get(line->clear, "summary"), row->figure),
		"ratio", "median", ratio->median, "min", ratio->min, "max", ratio->max,
		"count", (json_int_t)ratio->count, "held", held[line->budget->held],
		"value", line->value < 0 ? json_null() : json_real(line->value),
		"limit", line->limit < 0 ? json_null() : json_real(line->limit), "verdict", verdict);
}

static void
print_head(FILE *out)
{
	fputc('\n', out);
	bench_row_print_title(out, "Gateway's CPU time, time or memory, for");
	bench_row_print_cell(out, "https", 10);
	bench_row_print_cell(out, "http", 10);
	bench_row_print_cell(out, "https / http", RATIO_WIDTH);
	bench_row_print_cell(out, "at most", 10);
	fputc('\n', out);
}

static int
tell(struct bench_report *report, const struct bench_settings *settings, const double *limits)
{
	const struct bench_styles styles = bench_styles_of(stdout);
	json_t *lines = json_array();
	print_head(stdout);
	for (const struct bench_budget *budget = bench_tls_budgets; budget->name; budget++) {
		struct line line = line_of(report, budget, settings, limits[budget - bench_tls_budgets]);
		if (!line.tls && !line.clear)
			continue;
		print_line(stdout, &line, &styles);
		json_array_append_new(lines, line_json(&line));
	}
	fputs("\nMedians of the repeats; ratios are of the two in the same repeat (lowest–highest). What "
		"\"at most\" holds\nis the ratio; of memory the median, of turns and records the highest, over "
		"https. Delivered messages\nare longer in the clear by as much as a record adds, so that the wire "
		"carries the same bytes.\n", stdout);
	bench_table_print_sentences(report, stdout);
	return json_object_set_new(report->root, "tls", json_pack("{s:o}", "lines", lines)) == 0
		? 0 : SL_ENOMEM;
}

int
bench_tls_cost_run(struct bench_report *report, const struct bench_options *options)
{
	double limits[BUDGETS];
	struct bench_options own = *options;
	struct bench_plan plan = { .in_pairs = true };
	int err = bench_budget_read(options, bench_tls_budgets, limits);
	bench_row_shorten(&own.settings, IDLE_CONNECTIONS);
	for (const struct bench_budget *budget = bench_tls_budgets; budget->name && !err; budget++)
		err = bench_pairs_plan(&plan, &budget->row, &bench_peer_sluice_tls, &bench_peer_sluice, &own,
			report);
	if (!err)
		err = bench_pairs_run(&plan, &own, report);
	if (!err)
		err = tell(report, &own.settings, limits);
	bench_plan_finish(&plan);
	return err;
}
