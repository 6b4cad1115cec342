#include "bench/row.h"

#include <stdint.h>
#include <string.h>

#include "bench/results/summary.h"
#include "bench/results/table.h"
#include "util/err.h"

#define WINDOW_S 1.0
#define QUICK_WINDOW_S 0.3
#define TITLE_WIDTH 40

void
bench_row_shorten(struct bench_settings *settings, unsigned idle_connections)
{
	if (settings->seconds == 0)
		settings->seconds = settings->quick ? QUICK_WINDOW_S : WINDOW_S;
	if (settings->connections == 0)
		settings->connections = idle_connections;
	settings->quick = true; /* heartbeats are in no row */
}

static bool
has_word(const json_t *params, const char *word)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)params, key, value)
		if (json_is_string(value) && strcmp(json_string_value(value), word) == 0)
			return true;
	return false;
}

static bool
is_case_of(const struct bench_row *row, const json_t *params)
{
	return (row->burst == 0 || json_integer_value(json_object_get(params, "burst")) == row->burst)
		&& (!row->words[0] || has_word(params, row->words[0]))
		&& (!row->words[1] || has_word(params, row->words[1]));
}

json_t *
bench_row_case(const struct bench_row *row, const struct bench_settings *settings)
{
	const struct bench_scenario *scenario = bench_scenario_find(row->scenario);
	json_t *cases = scenario ? scenario->cases(settings) : NULL, *params, *found = NULL;
	size_t i;
	json_array_foreach(cases, i, params)
		if (!found && is_case_of(row, params))
			found = json_incref(params);
	json_decref(cases);
	return found;
}

static bool
is_planned(const struct bench_plan *plan, const struct bench_step *step)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct bench_step *other = &plan->steps[i];
		if (other->scenario == step->scenario && other->peer == step->peer
			&& (step->scenario->instead_of_transport || other->transport == step->transport)
			&& json_equal(other->params, step->params))
			return true;
	}
	return false;
}

int
bench_row_plan(struct bench_plan *plan, const struct bench_row *row, const struct bench_peer *peer,
	enum bench_transport transport, const struct bench_settings *settings)
{
	struct bench_step step = {
		.scenario = bench_scenario_find(row->scenario), .peer = peer, .transport = transport,
		.params = bench_row_case(row, settings),
	};
	int err = 0;
	if (!step.params)
		return 0;
	if (!is_planned(plan, &step))
		err = bench_plan_add(plan, &step);
	json_decref(step.params);
	return err;
}

const json_t *
bench_row_result(const struct bench_report *report, const struct bench_row *row,
	const struct bench_peer *peer, enum bench_transport transport,
	const struct bench_settings *settings)
{
	const struct bench_scenario *scenario = bench_scenario_find(row->scenario);
	json_t *params = bench_row_case(row, settings);
	const struct bench_result_key key = {
		.scenario = row->scenario, .server = peer->name, .params = params,
		.transport = bench_scenario_transport(scenario, transport),
	};
	const json_t *result = params ? bench_report_find(report, &key) : NULL;
	json_decref(params);
	return result;
}

static double
figure_of(const json_t *result, size_t repeat, const char *figure)
{
	if (json_object_get(result, "refused"))
		return 0;
	return json_number_value(json_object_get(json_object_get(
		json_array_get(json_object_get(result, "repeats"), repeat), "figures"), figure));
}

struct bench_spread
bench_row_ratio(const json_t *result, const json_t *base, const char *figure)
{
	double values[BENCH_REPEATS_MAX];
	size_t count = 0, repeats = json_array_size(json_object_get(result, "repeats"));
	/* Of the two measured in the same repeat, so that drift of the machine is in both. */
	for (size_t i = 0; i < repeats && i < BENCH_REPEATS_MAX; i++) {
		double value = figure_of(result, i, figure), under = figure_of(base, i, figure);
		if (value > 0 && under > 0)
			values[count++] = value / under;
	}
	return bench_spread_of(values, count);
}

void
bench_row_write_median(char out[BENCH_CELL_MAX], const char *scenario, const char *name,
	const json_t *result)
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

void
bench_row_write_ratio(char out[BENCH_CELL_MAX], const struct bench_spread *ratio)
{
	*out = '\0';
	if (ratio->count)
		snprintf(out, BENCH_CELL_MAX, "%.2fx (%.2f–%.2f)", ratio->median, ratio->min, ratio->max);
}

void
bench_row_print_cell(FILE *out, const char *text, unsigned width)
{
	size_t used = bench_text_width(text);
	fprintf(out, "%*s%s", (int)(used < width ? width - used : 0), "", text);
}

void
bench_row_print_title(FILE *out, const char *title)
{
	fprintf(out, "%-*s", TITLE_WIDTH, title);
}
