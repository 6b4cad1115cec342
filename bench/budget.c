#include "bench/budget.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/plan.h"
#include "bench/results/table.h"
#include "util/err.h"

#define IDLE_CONNECTIONS 2000 /* the budgets are of so many */

const struct bench_budget bench_budgets[] = {
	{ "websocket-single", { "a delivery, websocket, one at a time",
		BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 1) }, &bench_peer_floor, BENCH_WEBSOCKET },
	{ "websocket-burst", { "a delivery, websocket, bursts of 10",
		BENCH_ROW_DELIVERY(BENCH_WEBSOCKET, 10) }, &bench_peer_floor, BENCH_WEBSOCKET },
	{ "sse-single", { "a delivery, sse, one at a time",
		BENCH_ROW_DELIVERY(BENCH_SSE, 1) }, &bench_peer_floor, BENCH_SSE },
	{ "sse-burst", { "a delivery, sse, bursts of 10",
		BENCH_ROW_DELIVERY(BENCH_SSE, 10) }, &bench_peer_floor, BENCH_SSE },
	{ "longpoll-cycle", { "a poll cycle",
		BENCH_ROW_DELIVERY(BENCH_LONGPOLL, 1) }, &bench_peer_floor, BENCH_SSE },
	{ "websocket-opening", { "opening a websocket",
		BENCH_ROW_OPENING(BENCH_WEBSOCKET) }, &bench_peer_floor_open, BENCH_WEBSOCKET },
	{ "sse-opening", { "opening an sse",
		BENCH_ROW_OPENING(BENCH_SSE) }, &bench_peer_floor_open, BENCH_SSE },
	{ "longpoll-opening", { "opening a longpoll that is held",
		BENCH_ROW_OPENING(BENCH_LONGPOLL) }, &bench_peer_floor_open, BENCH_LONGPOLL },
	{ "websocket-idle", { "an idle websocket", BENCH_ROW_IDLE(BENCH_WEBSOCKET) },
		.held = BENCH_HELD_MEDIAN },
	{ "sse-idle", { "an idle sse", BENCH_ROW_IDLE(BENCH_SSE) }, .held = BENCH_HELD_MEDIAN },
	{ "longpoll-idle", { "an idle longpoll", BENCH_ROW_IDLE(BENCH_LONGPOLL) },
		.held = BENCH_HELD_MEDIAN },
	{ 0 },
};

static const struct bench_budget *
find(const struct bench_budget *budgets, const char *name)
{
	for (const struct bench_budget *budget = budgets; budget->name; budget++)
		if (strcmp(budget->name, name) == 0)
			return budget;
	return NULL;
}

int
bench_budget_parse(FILE *file, const struct bench_budget *budgets, double *limits)
{
	char line[256], name[64], rest[2];
	double limit;
	for (const struct bench_budget *budget = budgets; budget->name; budget++)
		limits[budget - budgets] = 0;
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "#\n")] = '\0';
		if (line[strspn(line, " \t")] == '\0')
			continue;
		if (sscanf(line, "%63s %lf %1s", name, &limit, rest) != 2 || !(limit > 0))
			return SL_ESYNTAX;
		const struct bench_budget *budget = find(budgets, name);
		if (budget)
			limits[budget - budgets] = limit;
		else if (!find(bench_budgets, name) && !find(bench_tls_budgets, name)
			&& !find(bench_token_budgets, name) && !find(bench_client_budgets, name))
			return SL_ESYNTAX;
	}
	return 0;
}

static void
print_verdict(FILE *out, double value, double limit)
{
	bool colours = isatty(fileno(out)) && !getenv("NO_COLOR");
	if (limit == 0)
		fputs("   no budget\n", out);
	else if (value > limit)
		fprintf(out, "   %sOVER by %.0f %%%s <<<<\n", colours ? "\033[1;31m" : "",
			100 * (value / limit - 1), colours ? "\033[0m" : "");
	else
		fprintf(out, "   within, %.0f %% of it\n", 100 * value / limit);
}

/* Beside CPU: how often a send woke the generator, of Sluice and of the floor. */
static void
write_wakeups(char out[BENCH_CELL_MAX], const struct bench_row *row, const json_t *result,
	const json_t *floor)
{
	char own[BENCH_CELL_MAX], base[BENCH_CELL_MAX], name[BENCH_CELL_MAX];
	const char *unit = strstr(row->figure, "_per_");
	snprintf(name, sizeof name, "wakeups%s", unit ? unit : "");
	bench_row_write_median(own, row->scenario, name, result);
	bench_row_write_median(base, row->scenario, name, floor);
	snprintf(out, BENCH_CELL_MAX, "%.20s, %.20s", own, base);
}

static void
print_row(FILE *out, const struct bench_report *report, const struct bench_budget *budget,
	const struct bench_settings *settings, double limit)
{
	const struct bench_row *row = &budget->row;
	const json_t *result = bench_row_result(report, row, &bench_peer_sluice, row->transport, settings);
	const json_t *floor = budget->floor ? bench_row_result(report, row, budget->floor,
		budget->floor_transport, settings) : NULL;
	char own[BENCH_CELL_MAX], base[BENCH_CELL_MAX], multiple[BENCH_CELL_MAX], allowed[32];
	char wakeups[BENCH_CELL_MAX] = "";
	struct bench_spread ratio = bench_row_ratio(result, floor, row->figure);
	double value = ratio.median;
	bench_row_write_median(own, row->scenario, row->figure, result);
	bench_row_write_median(base, row->scenario, row->figure, floor);
	bench_row_write_ratio(multiple, &ratio);
	if (floor)
		write_wakeups(wakeups, row, result, floor);
	if (budget->held == BENCH_HELD_MEDIAN && (!result || !bench_result_median(result, row->figure, &value)))
		value = 0;
	snprintf(allowed, sizeof allowed, budget->held == BENCH_HELD_RATIO ? "%.2fx" : "%.2f KiB", limit);
	bench_row_print_title(out, row->title);
	bench_row_print_cell(out, own, 10);
	bench_row_print_cell(out, base, 10);
	bench_row_print_cell(out, multiple, 20);
	bench_row_print_cell(out, wakeups, 14);
	bench_row_print_cell(out, limit > 0 ? allowed : "–", 10);
	if (value > 0)
		print_verdict(out, value, limit);
	else
		fputs("   not measured\n", out);
}

int
bench_budget_read(const struct bench_options *options, const struct bench_budget *budgets,
	double *limits)
{
	char path[PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/budgets.txt", options->data_folder);
	FILE *file = fopen(path, "re");
	int err = file ? bench_budget_parse(file, budgets, limits) : SL_ENOENT;
	if (file)
		fclose(file);
	if (err)
		fprintf(stderr, "sluice-bench: %s: %s\n", path, sl_strerror(err));
	return err;
}

static void
print_budgets(const struct bench_report *report, const struct bench_settings *settings,
	const double *limits)
{
	FILE *out = stdout;
	bench_row_print_title(out, "Server's CPU time, or memory, for");
	bench_row_print_cell(out, "Sluice", 10);
	bench_row_print_cell(out, "the floor", 10);
	bench_row_print_cell(out, "x the floor", 20);
	bench_row_print_cell(out, "wake-ups", 14);
	bench_row_print_cell(out, "budget", 10);
	fputc('\n', out);
	for (const struct bench_budget *budget = bench_budgets; budget->name; budget++)
		print_row(out, report, budget, settings, limits[budget - bench_budgets]);
	fputs("\nThe floor is one send() of ready-made bytes per subscriber. For opening it is accept4(), "
		"epoll_ctl(), recv()\nand one send(); a held poll has no send(). Figures are medians of the repeats "
		"(lowest–highest).\nWake-ups: how often a send woke the generator, per delivery or connection; first "
		"Sluice, then the floor.\n", out);
	bench_table_print_warnings(report, out);
}

static int
plan_budget(struct bench_plan *plan, const struct bench_budget *budget,
	const struct bench_settings *settings)
{
	int err = budget->floor
		? bench_row_plan(plan, &budget->row, budget->floor, budget->floor_transport, settings) : 0;
	return err ? err : bench_row_plan(plan, &budget->row, &bench_peer_sluice, budget->row.transport,
		settings);
}

int
bench_budget_run(struct bench_report *report, const struct bench_options *options)
{
	double limits[sizeof bench_budgets / sizeof *bench_budgets];
	struct bench_options own = *options;
	struct bench_plan plan = { 0 };
	int err = bench_budget_read(options, bench_budgets, limits);
	bench_row_shorten(&own.settings, IDLE_CONNECTIONS);
	for (const struct bench_budget *budget = bench_budgets; budget->name && !err; budget++)
		err = plan_budget(&plan, budget, &own.settings);
	if (!err)
		err = bench_plan_run(&plan, &own, report);
	bench_report_summarise(report);
	if (!err)
		print_budgets(report, &own.settings, limits);
	bench_plan_finish(&plan);
	return err;
}
