#include "bench/clients.h"

#include <stdio.h>
#include <string.h>

#include "bench/budget.h"
#include "bench/cost.h"
#include "bench/pairs.h"
#include "bench/results/summary.h"
#include "bench/results/table.h"
#include "util/err.h"

#define IDLE_CONNECTIONS 5000
#define LIMITS_MAX 32
#define NUMBER_WIDTH 9
#define RATIO_WIDTH 19

#define UPGRADE(figure_) .scenario = "upgrade", .figure = figure_

/* The figure is the peer's; the floor is the gateway's own client. */
const struct bench_budget bench_client_budgets[] = {
	{ "clients-websocket-single", { "websocket, one message at a time",
		BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 1) }, &bench_peer_sluice,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio },
	{ "clients-websocket-burst", { "websocket, bursts of 10",
		BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 10) }, &bench_peer_sluice,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio },
	{ "clients-websocket-bare", { "websocket, bare Engine.IO",
		BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 1) }, &bench_peer_sluice,
		.peer = &bench_peer_sluice_engineio },
	{ "clients-polling-cycle", { "a polling cycle",
		BENCH_ROW_DELIVERY(BENCH_LONGPOLL, 1) }, &bench_peer_sluice,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio },
	{ "clients-polling-bare", { "a polling cycle, bare Engine.IO",
		BENCH_ROW_DELIVERY(BENCH_LONGPOLL, 1) }, &bench_peer_sluice,
		.peer = &bench_peer_sluice_engineio },
	{ "clients-polling-burst", { "polling, bursts of 10",
		BENCH_ROW_DELIVERY(BENCH_LONGPOLL, 10) }, &bench_peer_sluice,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio },
	{ "clients-polling-shards", { "a polling cycle, 4 shards",
		BENCH_ROW_DELIVERY(BENCH_LONGPOLL, 1) }, &bench_peer_sluice_4,
		.peer = &bench_peer_sluice_socketio_4 },
	{ "clients-websocket-opening", { "opening a websocket",
		BENCH_ROW_OPENING(BENCH_WEBSOCKET) }, &bench_peer_sluice,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio },
	{ "clients-websocket-idle", { "an idle websocket",
		BENCH_ROW_IDLE(BENCH_WEBSOCKET) }, &bench_peer_sluice,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio, .held = BENCH_HELD_MEDIAN },
	{ "clients-polling-idle", { "an idle session, poll held",
		BENCH_ROW_IDLE(BENCH_LONGPOLL) }, &bench_peer_sluice,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio, .held = BENCH_HELD_MEDIAN },
	{ "clients-upgrade-p50", { "an upgrade, poll held, p50", UPGRADE("p50_us") }, NULL,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio, .held = BENCH_HELD_MEDIAN },
	{ "clients-upgrade-p99", { "an upgrade, poll held, p99", UPGRADE("p99_us") }, NULL,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio, .held = BENCH_HELD_MEDIAN },
	{ "clients-upgrade-shards-p50", { "an upgrade, 4 shards, p50", UPGRADE("p50_us") }, NULL,
		.peer = &bench_peer_sluice_socketio_4, .held = BENCH_HELD_MEDIAN },
	{ "clients-upgrade-shards-p99", { "an upgrade, 4 shards, p99", UPGRADE("p99_us") }, NULL,
		.peer = &bench_peer_sluice_socketio_4, .held = BENCH_HELD_MEDIAN },
	{ "clients-upgrade-cpu", { "CPU of an upgrade", UPGRADE("cpu_us_per_upgrade") }, NULL,
		.peer = &bench_peer_sluice_socketio, .beside = &bench_peer_socketio, .held = BENCH_HELD_MEDIAN },
	{ 0 },
};

_Static_assert(sizeof bench_client_budgets / sizeof *bench_client_budgets <= LIMITS_MAX,
	"room for limits");

/* A row and what came of it. */
struct line {
	const struct bench_budget *budget;
	const json_t *ours, *native, *beside; /* borrow: results; NULL: not measured */
	struct bench_spread ratio, times;     /* to native; of the other server to ours */
	double value, limit;                  /* negative: not measured, none */
};

static const json_t *
result_of(const struct bench_report *report, const struct bench_row *row,
	const struct bench_peer *peer, const struct bench_settings *settings)
{
	return peer ? bench_row_result(report, row, peer, row->transport, settings) : NULL;
}

static struct line
line_of(const struct bench_report *report, const struct bench_budget *budget,
	const struct bench_settings *settings, double limit)
{
	const struct bench_row *row = &budget->row;
	struct line line = { .budget = budget, .value = -1, .limit = limit > 0 ? limit : -1,
		.ours = result_of(report, row, budget->peer, settings),
		.native = result_of(report, row, budget->floor, settings),
		.beside = result_of(report, row, budget->beside, settings) };
	line.ratio = bench_row_ratio(line.ours, line.native, row->figure);
	line.times = bench_row_ratio(line.beside, line.ours, row->figure);
	if (budget->held == BENCH_HELD_RATIO)
		line.value = line.ratio.count ? line.ratio.median : -1;
	else if (line.ours && !bench_result_median(line.ours, row->figure, &line.value))
		line.value = -1;
	return line;
}

static void
write_limit(char out[BENCH_CELL_MAX], const struct line *line)
{
	const struct bench_row *row = &line->budget->row;
	enum bench_unit unit = bench_figure_find(row->scenario, row->figure)->unit;
	char number[BENCH_CELL_MAX];
	*out = '\0';
	if (line->limit < 0)
		return;
	if (line->budget->held == BENCH_HELD_RATIO) {
		snprintf(out, BENCH_CELL_MAX, "%.2fx", line->limit);
		return;
	}
	bench_figure_write(number, unit, line->limit, line->limit);
	snprintf(out, BENCH_CELL_MAX, "%.40s %s", number, bench_figure_suffix(unit, line->limit));
}

static void
print_head(FILE *out)
{
	fputc('\n', out);
	bench_row_print_title(out, "Server's CPU time, time or memory");
	bench_row_print_cell(out, "native", NUMBER_WIDTH);
	bench_row_print_cell(out, "clients", NUMBER_WIDTH);
	bench_row_print_cell(out, "clients / native", RATIO_WIDTH);
	bench_row_print_cell(out, "at most", NUMBER_WIDTH);
	fprintf(out, "  %-7s", "");
	bench_row_print_cell(out, "Node", NUMBER_WIDTH);
	bench_row_print_cell(out, "Node / clients", RATIO_WIDTH + 4);
	fputc('\n', out);
}

static void
print_line(FILE *out, const struct line *line, const struct bench_styles *styles)
{
	const struct bench_row *row = &line->budget->row;
	bool is_over = line->limit >= 0 && line->value > line->limit;
	char cell[BENCH_CELL_MAX];
	bench_row_print_title(out, row->title);
	bench_row_write_median(cell, row->scenario, row->figure, line->native);
	bench_row_print_cell(out, cell, NUMBER_WIDTH);
	bench_row_write_median(cell, row->scenario, row->figure, line->ours);
	bench_row_print_cell(out, cell, NUMBER_WIDTH);
	bench_row_write_ratio(cell, &line->ratio);
	bench_row_print_cell(out, cell, RATIO_WIDTH);
	write_limit(cell, line);
	bench_row_print_cell(out, cell, NUMBER_WIDTH);
	fprintf(out, "  %s%-7s%s", is_over ? styles->mark : "", line->limit < 0 ? ""
		: line->value < 0 ? "?" : bench_cost_verdict(line->value, line->limit),
		is_over ? styles->end : "");
	bench_row_write_median(cell, row->scenario, row->figure, line->beside);
	bench_row_print_cell(out, cell, NUMBER_WIDTH);
	bench_row_write_ratio(cell, &line->times);
	bench_row_print_cell(out, cell, RATIO_WIDTH + 4);
	fputc('\n', out);
}

static json_t *
spread_json(const struct bench_spread *spread)
{
	return json_pack("{s:f, s:f, s:f, s:I}", "median", spread->median, "min", spread->min, "max",
		spread->max, "count", (json_int_t)spread->count);
}

static json_t *
line_json(const struct line *line)
{
	const struct bench_row *row = &line->budget->row;
	const char *figure = row->figure;
	return json_pack("{s:s, s:s, s:s, s:O?, s:O?, s:s, s:s, s:O?, s:O?, s:O?, s:o, s:o, s:s, s:s, s:o,"
		" s:o}", "name", line->budget->name, "title", row->title, "scenario", row->scenario,
		"transport", json_object_get(line->ours, "transport"),
		"case", json_object_get(line->ours, "case"), "figure", figure,
		"server", line->budget->peer->name,
		"clients", json_object_get(json_object_get(line->ours, "summary"), figure),
		"native", json_object_get(json_object_get(line->native, "summary"), figure),
		"node", json_object_get(json_object_get(line->beside, "summary"), figure),
		"ratio", spread_json(&line->ratio), "node_ratio", spread_json(&line->times),
		"held", line->budget->held == BENCH_HELD_RATIO ? "ratio" : "median",
		"verdict", bench_cost_verdict(line->limit < 0 ? 0 : line->value, line->limit),
		"value", line->value < 0 ? json_null() : json_real(line->value),
		"limit", line->limit < 0 ? json_null() : json_real(line->limit));
}

/* Those of a row are measured next to each other. */
static int
plan_row(struct bench_plan *plan, const struct bench_budget *budget,
	const struct bench_options *options, struct bench_report *report)
{
	const struct bench_row *row = &budget->row;
	const struct bench_peer *native = budget->floor ? budget->floor : budget->peer;
	int err = bench_pairs_plan(plan, row, budget->peer, native, options, report);
	return err || !budget->beside ? err
		: bench_pairs_plan(plan, row, budget->beside, budget->beside, options, report);
}

static int
tell(struct bench_report *report, const struct bench_settings *settings, const double *limits)
{
	const struct bench_styles styles = bench_styles_of(stdout);
	json_t *lines = json_array();
	print_head(stdout);
	for (const struct bench_budget *budget = bench_client_budgets; budget->name; budget++) {
		struct line line = line_of(report, budget, settings, limits[budget - bench_client_budgets]);
		if (!line.ours && !line.native)
			continue;
		print_line(stdout, &line, &styles);
		json_array_append_new(lines, line_json(&line));
	}
	fputs("\nNative: the gateway's json. Clients: Socket.IO on the gateway, or Engine.IO if the row names it. "
		"Node: Socket.IO's own\nserver with the same clients. Figures are medians of the repeats; a ratio "
		"compares the two figures of one repeat\n(lowest–highest). \"At most\" limits the ratio to native; for "
		"memory and upgrades it limits the median on the gateway.\n", stdout);
	bench_table_print_sentences(report, stdout);
	return json_object_set_new(report->root, "clients", json_pack("{s:o}", "lines", lines)) == 0
		? 0 : SL_ENOMEM;
}

int
bench_clients_run(struct bench_report *report, const struct bench_options *options)
{
	double limits[LIMITS_MAX];
	struct bench_options own = *options;
	struct bench_plan plan = { .in_pairs = true };
	bench_row_shorten(&own.settings, IDLE_CONNECTIONS);
	int err = bench_budget_read(options, bench_client_budgets, limits);
	for (const struct bench_budget *budget = bench_client_budgets; budget->name && !err; budget++)
		err = plan_row(&plan, budget, &own, report);
	if (!err)
		err = bench_pairs_run(&plan, &own, report);
	if (!err)
		err = tell(report, &own.settings, limits);
	bench_plan_finish(&plan);
	return err;
}
