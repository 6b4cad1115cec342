#include "bench/results/summary.h"

#include <stdio.h>
#include <string.h>

#include "bench/results/figure.h"
#include "bench/results/report.h"
#include "bench/results/statistics.h"

static unsigned long long
count_in(const json_t *repeat, const char *key)
{
	return (unsigned long long)json_integer_value(json_object_get(repeat, key));
}

static void
doubt_repeat(struct bench_doubts *doubts, const json_t *repeat)
{
	const json_t *generator = json_object_get(repeat, "generator");
	const char *error = json_string_value(json_object_get(repeat, "error"));
	const char *skipped = json_string_value(json_object_get(repeat, "skipped"));
	if (json_is_true(json_object_get(generator, "saturated"))) {
		doubts->saturated++;
		doubts->reason = json_string_value(json_array_get(json_object_get(generator, "reasons"), 0));
	}
	if (error) {
		doubts->failed++;
		doubts->error = error;
	}
	doubts->skipped = skipped ? skipped : doubts->skipped;
	doubts->skipped_all &= skipped != NULL;
	doubts->lost += count_in(repeat, "lost");
	doubts->doubled += count_in(repeat, "doubled");
	doubts->reordered += count_in(repeat, "reordered");
}

struct bench_doubts
bench_summary_doubts(const json_t *result)
{
	const json_t *repeats = json_object_get(result, "repeats");
	struct bench_doubts doubts = { .repeats = json_array_size(repeats), .skipped_all = true };
	size_t i;
	json_t *repeat;
	json_array_foreach(repeats, i, repeat)
		doubt_repeat(&doubts, repeat);
	return doubts;
}

static json_t *
spread_json(const json_t *repeats, const char *figure)
{
	double values[BENCH_REPEATS_MAX];
	size_t count = 0, i;
	json_t *repeat;
	json_array_foreach(repeats, i, repeat) {
		const json_t *value = json_object_get(json_object_get(repeat, "figures"), figure);
		if (json_is_number(value) && count < BENCH_REPEATS_MAX)
			values[count++] = json_number_value(value);
	}
	struct bench_spread spread = bench_spread_of(values, count);
	return json_pack("{s:f, s:f, s:f, s:I}", "median", spread.median, "min", spread.min,
		"max", spread.max, "count", (json_int_t)spread.count);
}

/* The checker's figures are these counts: they are shown whatever they are. */
static bool
counts_are_figures(const json_t *result)
{
	const char *scenario = json_string_value(json_object_get(result, "scenario"));
	return scenario && strcmp(scenario, "switch") == 0;
}

static bool
refuse(json_t *result)
{
	char text[128];
	struct bench_doubts doubts = bench_summary_doubts(result);
	if ((!doubts.lost && !doubts.doubled && !doubts.reordered) || counts_are_figures(result))
		return false;
	int len = snprintf(text, sizeof text, "lost %llu", doubts.lost);
	if (doubts.doubled)
		len += snprintf(text + len, sizeof text - (size_t)len, ", doubled %llu", doubts.doubled);
	if (doubts.reordered)
		snprintf(text + len, sizeof text - (size_t)len, ", reordered %llu", doubts.reordered);
	json_object_set_new(result, "refused", json_string(text));
	return true;
}

void
bench_summary_set(json_t *result)
{
	const json_t *repeats = json_object_get(result, "repeats");
	json_t *summary = json_object_get(result, "summary"), *repeat, *value;
	const char *figure;
	size_t i;
	json_object_clear(summary);
	if (refuse(result))
		return;
	json_array_foreach(repeats, i, repeat)
		json_object_foreach(json_object_get(repeat, "figures"), figure, value)
			if (json_is_number(value) && !json_object_get(summary, figure))
				json_object_set_new(summary, figure, spread_json(repeats, figure));
}

bool
bench_summary_hides(const json_t *result)
{
	const json_t *summary = json_object_get(result, "summary");
	const char *scenario = json_string_value(json_object_get(result, "scenario"));
	static const char *const percentiles[] = { "p50_us", "p90_us", "p99_us", "p999_us" };
	for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++)
		if (bench_figure_find(scenario, percentiles[i]) && !json_object_get(summary, percentiles[i]))
			return json_object_size(summary) > 0;
	return false;
}
