#include "bench/cost.h"

#include <stdio.h>

#include "bench/pairs.h"
#include "bench/results/summary.h"
#include "bench/results/table.h"
#include "util/err.h"

#define TLS_IDLE_CONNECTIONS 10000
#define TOKENS_IDLE_CONNECTIONS 5000 /* and streams of renewal */
#define RATIO_WIDTH 23

#define STORM(handshake_, figure_) .scenario = "storm", .figure = figure_, .words = { handshake_ }
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
		.figure = "cpu_us_per_connection", .words = { "full" } } },
	{ "tls-handshake-resumed", { "a new connection, resumed", .scenario = "handshake",
		.figure = "cpu_us_per_connection", .words = { "resumed" } } },
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

#define REQUEST(request_, token_) .scenario = "token", .figure = "cpu_us_per_request", \
	.words = { request_, token_ }
#define RENEWAL(transport_, end_, figure_) .scenario = "renewal", .figure = figure_, \
	.transport = transport_, .words = { end_ }
#define TURN(transport_, end_) RENEWAL(transport_, end_, "longest_turn_us")

/* Those of figures that only a gateway with tokens has are held by themselves. */
const struct bench_budget bench_token_budgets[] = {
	{ "tokens-longpoll-cycle", { "a poll cycle", BENCH_ROW_DELIVERY(BENCH_LONGPOLL, 1) } },
	{ "tokens-poll-seen", { "a poll, token seen before", REQUEST("poll", "seen") } },
	{ "tokens-poll-new", { "a poll, each with a new token", REQUEST("poll", "new") } },
	{ "tokens-publish-seen", { "a publish, token seen before", REQUEST("publish", "seen") } },
	{ "tokens-publish-new", { "a publish, each with a new token", REQUEST("publish", "new") } },
	{ "tokens-websocket-single", { "a delivery, websocket, one at a time",
		BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 1) } },
	{ "tokens-sse-single", { "a delivery, sse, one at a time", BENCH_ROW_DELIVERY(BENCH_SSE, 1) } },
	{ "tokens-websocket-opening", { "opening a websocket, token seen before",
		BENCH_ROW_OPENING(BENCH_WEBSOCKET) } },
	{ "tokens-sse-opening", { "opening an sse, token seen before", BENCH_ROW_OPENING(BENCH_SSE) } },
	{ "tokens-websocket-idle", { "an idle websocket, each its own token",
		BENCH_ROW_IDLE(BENCH_WEBSOCKET) }, .held = BENCH_HELD_MEDIAN },
	{ "tokens-sse-idle", { "an idle sse, each its own token", BENCH_ROW_IDLE(BENCH_SSE) },
		.held = BENCH_HELD_MEDIAN },
	{ "tokens-websocket-renewed-turn", { "longest turn, all renew, websocket",
		TURN(BENCH_WEBSOCKET, "renewed") }, .held = BENCH_HELD_HIGHEST },
	{ "tokens-sse-renewed-turn", { "longest turn, all renew, sse",
		TURN(BENCH_SSE, "renewed") }, .held = BENCH_HELD_HIGHEST },
	{ "tokens-websocket-expired-turn", { "longest turn, all expire, websocket",
		TURN(BENCH_WEBSOCKET, "expired") }, .held = BENCH_HELD_HIGHEST },
	{ "tokens-sse-expired-turn", { "longest turn, all expire, sse",
		TURN(BENCH_SSE, "expired") }, .held = BENCH_HELD_HIGHEST },
	{ "tokens-websocket-disconnected-turn", { "longest turn, disconnect, websocket",
		TURN(BENCH_WEBSOCKET, "disconnected") }, .held = BENCH_HELD_HIGHEST },
	{ "tokens-sse-disconnected-turn", { "longest turn, disconnect, sse",
		TURN(BENCH_SSE, "disconnected") }, .held = BENCH_HELD_HIGHEST },
	{ "tokens-websocket-renewal", { "a renewal, websocket",
		RENEWAL(BENCH_WEBSOCKET, "renewed", "cpu_us_each") }, .held = BENCH_HELD_MEDIAN },
	{ "tokens-sse-renewal", { "a renewal, sse",
		RENEWAL(BENCH_SSE, "renewed", "cpu_us_each") }, .held = BENCH_HELD_MEDIAN },
	{ "tokens-websocket-back", { "until all who expired are back, websocket",
		RENEWAL(BENCH_WEBSOCKET, "expired", "back_us") }, .held = BENCH_HELD_MEDIAN },
	{ "tokens-sse-back", { "until all who expired are back, sse",
		RENEWAL(BENCH_SSE, "expired", "back_us") }, .held = BENCH_HELD_MEDIAN },
	{ "tokens-websocket-gone", { "until all of a subject are gone, websocket",
		RENEWAL(BENCH_WEBSOCKET, "disconnected", "gone_us") }, .held = BENCH_HELD_MEDIAN },
	{ "tokens-sse-gone", { "until all of a subject are gone, sse",
		RENEWAL(BENCH_SSE, "disconnected", "gone_us") }, .held = BENCH_HELD_MEDIAN },
	{ 0 },
};

#define BUDGETS_MAX 64

_Static_assert(sizeof bench_tls_budgets / sizeof *bench_tls_budgets <= BUDGETS_MAX
	&& sizeof bench_token_budgets / sizeof *bench_token_budgets <= BUDGETS_MAX, "room for limits");

/* One of the two tables. */
struct cost {
	const char *name;                  /* in the report */
	const struct bench_budget *budgets;
	unsigned idle_connections;
	const char *with, *without, *ratio; /* headings */
	const char *with_name, *without_name; /* in the report's rows */
	const char *words;                 /* about the table */
};

static const struct cost tls_cost = {
	.name = "tls",
	.budgets = bench_tls_budgets,
	.idle_connections = TLS_IDLE_CONNECTIONS,
	.with = "https", .without = "http", .ratio = "https / http",
	.with_name = "tls", .without_name = "clear",
	.words = "\nFigures are medians of the repeats; a ratio compares the two figures of one repeat "
		"(lowest–highest).\n\"At most\" limits the ratio; for memory it limits the median over https, for turns "
		"and records the\nhighest value over https. Delivered messages are longer without TLS by the length of "
		"a record, so both\ncarry the same bytes on the wire.\n",
};

static const struct cost token_cost = {
	.name = "tokens",
	.budgets = bench_token_budgets,
	.idle_connections = TOKENS_IDLE_CONNECTIONS,
	.with = "token", .without = "none", .ratio = "token / none",
	.with_name = "with", .without_name = "without",
	.words = "\nFigures are medians of the repeats; a ratio compares the two figures of one repeat "
		"(lowest–highest).\n\"At most\" limits the ratio; for memory it limits the median with tokens, for turns "
		"the highest value.\nThe time of the crowd is compressed: its clients renew within seconds, and its "
		"tokens expire as soon as\nall streams are open.\n",
};

/* A row and what came of it. */
struct line {
	const struct bench_budget *budget;
	const char *algorithm;         /* of the tokens; NULL: there are none */
	const json_t *with, *without;  /* borrows */
	struct bench_spread ratio;
	double value, limit;           /* negative: not measured, none */
};

const char *
bench_cost_verdict(double value, double limit)
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
	const json_t *spread = json_object_get(json_object_get(line->with, "summary"),
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
	const struct bench_peer *peer, const struct bench_settings *settings, double limit)
{
	const struct bench_row *row = &budget->row;
	struct line line = { .budget = budget,
		.algorithm = peer->algorithm ? bench_algorithm_names[peer->algorithm] : NULL,
		.limit = budget->held == BENCH_HELD_NONE ? 0 : limit > 0 ? limit : -1 };
	line.with = bench_row_result(report, row, peer, row->transport, settings);
	line.without = bench_row_result(report, row, &bench_peer_sluice, row->transport, settings);
	line.ratio = bench_row_ratio(line.with, line.without, row->figure);
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
	const char *verdict = bench_cost_verdict(line->value, line->limit);
	bool is_over = line->limit >= 0 && line->value > line->limit;
	char cell[BENCH_CELL_MAX];
	bench_row_print_title(out, row->title);
	bench_row_write_median(cell, row->scenario, row->figure, line->with);
	bench_row_print_cell(out, cell, 10);
	bench_row_write_median(cell, row->scenario, row->figure, line->without);
	bench_row_print_cell(out, cell, 10);
	bench_row_write_ratio(cell, &line->ratio);
	bench_row_print_cell(out, cell, RATIO_WIDTH);
	write_limit(cell, line);
	bench_row_print_cell(out, cell, 10);
	fprintf(out, "%s%s%s%s\n", *verdict ? "  " : "", is_over ? styles->mark : "", verdict,
		is_over ? styles->end : "");
}

static json_t *
line_json(const struct line *line, const struct cost *cost)
{
	static const char *const held[] = { [BENCH_HELD_RATIO] = "ratio", [BENCH_HELD_MEDIAN] = "median",
		[BENCH_HELD_HIGHEST] = "highest", [BENCH_HELD_NONE] = "highest" };
	const struct bench_row *row = &line->budget->row;
	const struct bench_spread *ratio = &line->ratio;
	return json_pack("{s:s, s:s, s:s*, s:s, s:O?, s:O?, s:s, s:O?, s:O?, s:{s:f, s:f, s:f, s:I}, s:s,"
		" s:o, s:o, s:s}", "name", line->budget->name, "title", row->title, "algorithm",
		line->algorithm, "scenario", row->scenario,
		"transport", json_object_get(line->with, "transport"),
		"case", json_object_get(line->with, "case"), "figure", row->figure, cost->with_name,
		json_object_get(json_object_get(line->with, "summary"), row->figure), cost->without_name,
		json_object_get(json_object_get(line->without, "summary"), row->figure),
		"ratio", "median", ratio->median, "min", ratio->min, "max", ratio->max,
		"count", (json_int_t)ratio->count, "held", held[line->budget->held],
		"value", line->value < 0 ? json_null() : json_real(line->value),
		"limit", line->limit < 0 ? json_null() : json_real(line->limit),
		"verdict", bench_cost_verdict(line->value, line->limit));
}

static void
print_head(FILE *out, const struct cost *cost, const struct bench_peer *peer)
{
	char title[64];
	snprintf(title, sizeof title, "%s%sateway's CPU time, time or memory, for",
		peer->algorithm ? bench_algorithm_names[peer->algorithm] : "", peer->algorithm ? ": g" : "G");
	fputc('\n', out);
	bench_row_print_title(out, title);
	bench_row_print_cell(out, cost->with, 10);
	bench_row_print_cell(out, cost->without, 10);
	bench_row_print_cell(out, cost->ratio, RATIO_WIDTH);
	bench_row_print_cell(out, "at most", 10);
	fputc('\n', out);
}

static void
tell_peer(const struct bench_report *report, const struct cost *cost,
	const struct bench_peer *peer, const struct bench_settings *settings, const double *limits,
	json_t *lines)
{
	const struct bench_styles styles = bench_styles_of(stdout);
	print_head(stdout, cost, peer);
	for (const struct bench_budget *budget = cost->budgets; budget->name; budget++) {
		struct line line = line_of(report, budget, peer, settings, limits[budget - cost->budgets]);
		if (!line.with && !line.without)
			continue;
		print_line(stdout, &line, &styles);
		json_array_append_new(lines, line_json(&line, cost));
	}
}

/* Those with and the one without are measured next to each other. */
static int
plan_row(struct bench_plan *plan, const struct bench_row *row,
	const struct bench_peer *const *peers, const struct bench_options *options,
	struct bench_report *report)
{
	int err = 0;
	for (const struct bench_peer *const *peer = peers; *peer && !err; peer++)
		err = bench_pairs_plan(plan, row, *peer, &bench_peer_sluice, options, report);
	return err;
}

/* `peers` ends with NULL. */
static int
run(struct bench_report *report, const struct bench_options *options, const struct cost *cost,
	const struct bench_peer *const *peers)
{
	double limits[BUDGETS_MAX];
	struct bench_options own = *options;
	struct bench_plan plan = { .in_pairs = true };
	int err = bench_budget_read(options, cost->budgets, limits);
	bench_row_shorten(&own.settings, cost->idle_connections);
	for (const struct bench_budget *budget = cost->budgets; budget->name && !err; budget++)
		err = plan_row(&plan, &budget->row, peers, &own, report);
	if (!err)
		err = bench_pairs_run(&plan, &own, report);
	json_t *lines = json_array();
	for (const struct bench_peer *const *peer = peers; *peer && !err; peer++)
		tell_peer(report, cost, *peer, &own.settings, limits, lines);
	if (!err) {
		fputs(cost->words, stdout);
		bench_table_print_sentences(report, stdout);
		err = json_object_set_new(report->root, cost->name, json_pack("{s:O}", "lines", lines))
			== 0 ? 0 : SL_ENOMEM;
	}
	json_decref(lines);
	bench_plan_finish(&plan);
	return err;
}

int
bench_cost_run_tls(struct bench_report *report, const struct bench_options *options)
{
	static const struct bench_peer *const peers[] = { &bench_peer_sluice_tls, NULL };
	return run(report, options, &tls_cost, peers);
}

int
bench_cost_run_tokens(struct bench_report *report, const struct bench_options *options)
{
	const struct bench_peer *peers[BENCH_ALGORITHM_COUNT] = { NULL };
	unsigned count = 0;
	for (enum bench_algorithm at = BENCH_HS256; at < BENCH_ALGORITHM_COUNT; at++)
		if (bench_list_has(options->tokens, "all")
			|| bench_list_has(options->tokens, bench_algorithm_names[at]))
			peers[count++] = bench_peers_by_algorithm[at];
	return run(report, options, &token_cost, peers);
}
