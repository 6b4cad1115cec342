#include "bench/budget.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/plan.h"
#include "bench/results/figure.h"
#include "bench/results/summary.h"
#include "bench/results/table.h"
#include "util/err.h"

#define NO_FLOOR BENCH_TRANSPORT_COUNT
#define WINDOW_S 1.0
#define IDLE_CONNECTIONS 2000
#define TITLE_WIDTH 34

const struct bench_budget bench_budgets[] = {
	{ "websocket-single", "a delivery, websocket, one at a time", "fanout", 1, BENCH_WEBSOCKET,
		"cpu_us_per_delivery", BENCH_WEBSOCKET },
	{ "websocket-burst", "a delivery, websocket, bursts of 10", "fanout", 10, BENCH_WEBSOCKET,
		"cpu_us_per_delivery", BENCH_WEBSOCKET },
	{ "sse-single", "a delivery, sse, one at a time", "fanout", 1, BENCH_SSE,
		"cpu_us_per_delivery", BENCH_SSE },
	{ "sse-burst", "a delivery, sse, bursts of 10", "fanout", 10, BENCH_SSE,
		"cpu_us_per_delivery", BENCH_SSE },
	{ "longpoll-cycle", "a poll cycle", "fanout", 1, BENCH_LONGPOLL,
		"cpu_us_per_delivery", BENCH_SSE },
	{ "websocket-idle", "an idle websocket", "idle", 0, BENCH_WEBSOCKET, "process_kib", NO_FLOOR },
	{ "sse-idle", "an idle sse", "idle", 0, BENCH_SSE, "process_kib", NO_FLOOR },
	{ "longpoll-idle", "an idle longpoll", "idle", 0, BENCH_LONGPOLL, "process_kib", NO_FLOOR },
	{ 0 },
};

int
bench_budget_parse(FILE *file, double *limits)
{
	char line[256], name[64], rest[2];
	double limit;
	for (const struct bench_budget *budget = bench_budgets; budget->name; budget++)
		limits[budget - bench_budgets] = 0;
	while (fgets(line, sizeof line, file)) {
		const struct bench_budget *budget = bench_budgets;
		line[strcspn(line, "#\n")] = '\0';
		if (line[strspn(line, " \t")] == '\0')
			continue;
		if (sscanf(line, "%63s %lf %1s", name, &limit, rest) != 2 || !(limit > 0))
			return SL_ESYNTAX;
		while (budget->name && strcmp(budget->name, name) != 0)
			budget++;
		if (!budget->name)
			return SL_ESYNTAX;
		limits[budget - bench_budgets] = limit;
	}
	return 0;
}

static const json_t *
figure_of(const json_t *result, size_t repeat, const char *figure)
{
	if (json_object_get(result, "refused"))
		return NULL;
	return json_object_get(json_object_get(
		json_array_get(json_object_get(result, "repeats"), repeat), "figures"), figure);
}

struct bench_spread
bench_budget_ratio(const json_t *result, const json_t *floor, const char *figure)
{
	double values[BENCH_REPEATS_MAX];
	size_t count = 0, repeats = json_array_size(json_object_get(result, "repeats"));
	/* Of the two measured in the same repeat, so that drift of the machine is in both. */
	for (size_t i = 0; i < repeats && i < BENCH_REPEATS_MAX; i++) {
		double value = json_number_value(figure_of(result, i, figure));
		double base = json_number_value(figure_of(floor, i, figure));
		if (value > 0 && base > 0)
			values[count++] = value / base;
	}
	return bench_spread_of(values, count);
}

/* Returns new: the case that the budget is about, NULL when the scenario has none. */
static json_t *
case_of(const struct bench_budget *budget, const struct bench_settings *settings)
{
	const struct bench_scenario *scenario = bench_scenario_find(budget->scenario);
	json_t *cases = scenario ? scenario->cases(settings) : NULL, *params, *found = NULL;
	size_t i;
	json_array_foreach(cases, i, params)
		if (!found && (budget->burst == 0
			|| json_integer_value(json_object_get(params, "burst")) == budget->burst))
			found = json_incref(params);
	json_decref(cases);
	return found;
}

static bool
is_planned(const struct bench_plan *plan, const struct bench_peer *peer,
	enum bench_transport transport, const json_t *params)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].peer == peer && plan->steps[i].transport == transport
			&& json_equal(plan->steps[i].params, params))
			return true;
	return false;
}

static int
plan_budget(struct bench_plan *plan, const struct bench_budget *budget,
	const struct bench_settings *settings)
{
	const struct bench_scenario *scenario = bench_scenario_find(budget->scenario);
	json_t *params = case_of(budget, settings);
	int err = 0;
	if (!params) /* shown as not measured */
		return 0;
	if (budget->floor != NO_FLOOR
		&& !is_planned(plan, &bench_peer_floor, budget->floor, params))
		err = bench_plan_add(plan, scenario, &bench_peer_floor, budget->floor, params);
	if (!err)
		err = bench_plan_add(plan, scenario, &bench_peer_sluice, budget->transport, params);
	json_decref(params);
	return err;
}

static const json_t *
result_of(const struct bench_report *report, const struct bench_budget *budget,
	const struct bench_settings *settings, bool floor)
{
	json_t *params = case_of(budget, settings);
	const json_t *result = bench_report_find(report, budget->scenario, floor ? "floor" : "sluice",
		bench_transport_names[floor ? budget->floor : budget->transport], params);
	json_decref(params);
	return result;
}

static void
write_median(char out[BENCH_CELL_MAX], const char *scenario, const char *name, const json_t *result)
{
	const struct bench_figure *figure = bench_figure_find(scenario, name);
	char number[BENCH_CELL_MAX];
	double median;
	snprintf(out, BENCH_CELL_MAX, "–");
	if (!result || !figure || !bench_result_median(result, name, &median))
		return;
	const char *suffix = bench_figure_suffix(figure->unit, median);
	bench_figure_write(number, figure->unit, median, median);
	snprintf(out, BENCH_CELL_MAX, "%.40s%s%s", number, *suffix ? " " : "", suffix);
}

static void
print_cell(FILE *out, const char *text, unsigned width)
{
	size_t used = bench_text_width(text);
	fprintf(out, "%*s%s", (int)(used < width ? width - used : 0), "", text);
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

static void
write_wakeups(char out[BENCH_CELL_MAX], const struct bench_budget *budget, const json_t *result,
	const json_t *floor)
{
	char own[BENCH_CELL_MAX], base[BENCH_CELL_MAX];
	write_median(own, budget->scenario, "wakeups_per_delivery", result);
	write_median(base, budget->scenario, "wakeups_per_delivery", floor);
	snprintf(out, BENCH_CELL_MAX, "%.20s, %.20s", own, base);
}

static void
print_row(FILE *out, const struct bench_report *report, const struct bench_budget *budget,
	const struct bench_settings *settings, double limit)
{
	const json_t *result = result_of(report, budget, settings, false);
	const json_t *floor = budget->floor == NO_FLOOR ? NULL : result_of(report, budget, settings, true);
	char own[BENCH_CELL_MAX], base[BENCH_CELL_MAX], multiple[BENCH_CELL_MAX] = "", allowed[32];
	char wakeups[BENCH_CELL_MAX] = "";
	struct bench_spread ratio = bench_budget_ratio(result, floor, budget->figure);
	double value = ratio.median;
	write_median(own, budget->scenario, budget->figure, result);
	write_median(base, budget->scenario, budget->figure, floor);
	if (floor)
		write_wakeups(wakeups, budget, result, floor);
	if (ratio.count)
		snprintf(multiple, sizeof multiple, "%.2fx (%.2f–%.2f)", ratio.median, ratio.min, ratio.max);
	if (!floor && (!result || !bench_result_median(result, budget->figure, &value)))
		value = 0;
	snprintf(allowed, sizeof allowed, floor ? "%.2fx" : "%.2f KiB", limit);
	fprintf(out, "%-*s", TITLE_WIDTH + 4, budget->title);
	print_cell(out, own, 10);
	print_cell(out, base, 10);
	print_cell(out, multiple, 20);
	print_cell(out, wakeups, 14);
	print_cell(out, limit > 0 ? allowed : "–", 10);
	if (value > 0)
		print_verdict(out, value, limit);
	else
		fputs("   not measured\n", out);
}

static int
read_limits(const struct bench_options *options, double *limits)
{
	char path[PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/budgets.txt", options->data_folder);
	FILE *file = fopen(path, "re");
	int err = file ? bench_budget_parse(file, limits) : SL_ENOENT;
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
	fprintf(out, "%-*s", TITLE_WIDTH + 4, "Server's CPU time, or memory, for");
	print_cell(out, "Sluice", 10);
	print_cell(out, "the floor", 10);
	print_cell(out, "x the floor", 20);
	print_cell(out, "wake-ups", 14);
	print_cell(out, "budget", 10);
	fputc('\n', out);
	for (const struct bench_budget *budget = bench_budgets; budget->name; budget++)
		print_row(out, report, budget, settings, limits[budget - bench_budgets]);
	fputs("\nThe floor is one send() of ready-made bytes a subscriber. Medians of the repeats (lowest–highest).\n"
		"Wake-ups: how often a send woke the generator, a delivery; Sluice, the floor.\n", out);
	bench_table_print_warnings(report, out);
}

int
bench_budget_run(struct bench_report *report, const struct bench_options *options)
{
	double limits[sizeof bench_budgets / sizeof *bench_budgets];
	struct bench_options own = *options;
	struct bench_plan plan = { 0 };
	int err = read_limits(options, limits);
	own.settings.quick = true; /* heartbeats are not held to a budget */
	if (own.settings.seconds == 0)
		own.settings.seconds = WINDOW_S;
	if (own.settings.connections == 0)
		own.settings.connections = IDLE_CONNECTIONS;
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
