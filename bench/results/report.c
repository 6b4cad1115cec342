#include "bench/results/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/results/figure.h"
#include "bench/results/summary.h"
#include "util/err.h"

#define SENTENCE_MAX 512

static json_t *
command_line(int argc, char *const *argv)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	for (int i = 0; i < argc; i++) {
		const char *name = i == 0 ? strrchr(argv[0], '/') : NULL;
		fprintf(out, "%s%s", i ? " " : "", name ? name + 1 : argv[i]);
	}
	json_t *line = fclose(out) == 0 ? json_string(text) : NULL;
	free(text);
	return line;
}

int
bench_report_init(struct bench_report *report, int argc, char *const *argv)
{
	char started[32];
	time_t now = time(NULL);
	struct tm parts;
	strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
	report->root = json_pack("{s:s, s:s, s:o?, s:{}, s:{}, s:{}, s:o?, s:[], s:[], s:[]}",
		"bench", "sluice-bench " SLUICE_VERSION, "started", started,
		"command", command_line(argc, argv), "machine", "versions", "settings",
		"figures", bench_figures_json(), "warnings", "not_measured", "results");
	return report->root ? 0 : SL_ENOMEM;
}

void
bench_report_finish(struct bench_report *report)
{
	json_decref(report->root);
	report->root = NULL;
}

static bool
is_named(const json_t *object, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text && strcmp(text, value) == 0;
}

json_t *
bench_report_find(const struct bench_report *report, const char *scenario, const char *server,
	const char *transport, const json_t *params)
{
	size_t i;
	json_t *result;
	json_array_foreach(json_object_get(report->root, "results"), i, result)
		if (is_named(result, "scenario", scenario) && is_named(result, "server", server)
			&& is_named(result, "transport", transport)
			&& json_equal(json_object_get(result, "case"), params))
			return result;
	return NULL;
}

int
bench_report_add(struct bench_report *report, const char *scenario, const char *server,
	const char *transport, const json_t *params, json_t *repeat)
{
	json_t *result = bench_report_find(report, scenario, server, transport, params);
	if (!result) {
		result = json_pack("{s:s, s:s, s:s, s:o, s:[], s:{}}", "scenario", scenario, "server", server,
			"transport", transport, "case", json_deep_copy(params), "repeats", "summary");
		if (json_array_append_new(json_object_get(report->root, "results"), result) != 0) {
			json_decref(repeat);
			return SL_ENOMEM;
		}
	}
	return json_array_append_new(json_object_get(result, "repeats"), repeat) == 0 ? 0 : SL_ENOMEM;
}

static void
add_sentence(json_t *list, const char *format, va_list arguments)
{
	char text[SENTENCE_MAX];
	size_t i;
	json_t *said;
	vsnprintf(text, sizeof text, format, arguments);
	json_array_foreach(list, i, said)
		if (strcmp(json_string_value(said), text) == 0)
			return;
	json_array_append_new(list, json_string(text));
}

void
bench_report_warn(struct bench_report *report, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	add_sentence(json_object_get(report->root, "warnings"), format, arguments);
	va_end(arguments);
}

void
bench_report_not_measured(struct bench_report *report, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	add_sentence(json_object_get(report->root, "not_measured"), format, arguments);
	va_end(arguments);
}

static void
warn_of(struct bench_report *report, const json_t *result)
{
	struct bench_doubts doubts = bench_summary_doubts(result);
	const char *scenario = json_string_value(json_object_get(result, "scenario"));
	const char *server = json_string_value(json_object_get(result, "server"));
	const char *transport = json_string_value(json_object_get(result, "transport"));
	if (doubts.saturated)
		bench_report_warn(report, "%s, %s on %s: the generator was saturated in %u of %zu repeats%s%s; "
			"the figure may be its own", scenario, transport, server, doubts.saturated, doubts.repeats,
			doubts.reason ? ": " : "", doubts.reason ? doubts.reason : "");
	if (doubts.failed)
		bench_report_warn(report, "%s, %s on %s: failed in %u of %zu repeats: %s", scenario, transport,
			server, doubts.failed, doubts.repeats, doubts.error);
	if (doubts.lost || doubts.doubled || doubts.reordered)
		bench_report_warn(report, "%s, %s on %s: lost %llu, doubled %llu, reordered %llu",
			scenario, transport, server, doubts.lost, doubts.doubled, doubts.reordered);
	if (doubts.skipped && doubts.skipped_all)
		bench_report_not_measured(report, "%s, %s on %s: %s", scenario, transport, server,
			doubts.skipped);
}

static void
name_hidden_percentiles(struct bench_report *report, const json_t *result)
{
	char hidden[SENTENCE_MAX];
	if (!bench_summary_hidden(result, hidden, sizeof hidden))
		return;
	bench_report_not_measured(report, "%s of %s, %s on %s: fewer than ten samples beyond", hidden,
		json_string_value(json_object_get(result, "scenario")),
		json_string_value(json_object_get(result, "transport")),
		json_string_value(json_object_get(result, "server")));
}

void
bench_report_summarise(struct bench_report *report)
{
	size_t i;
	json_t *result;
	json_array_foreach(json_object_get(report->root, "results"), i, result) {
		bench_summary_set(result);
		warn_of(report, result);
		name_hidden_percentiles(report, result);
	}
}

bool
bench_report_is_clean(const struct bench_report *report)
{
	size_t i;
	json_t *result;
	json_array_foreach(json_object_get(report->root, "results"), i, result) {
		struct bench_doubts doubts = bench_summary_doubts(result);
		if (doubts.failed || doubts.lost || doubts.doubled || doubts.reordered)
			return false;
	}
	return true;
}

bool
bench_result_median(const json_t *result, const char *figure, double *median)
{
	const json_t *spread = json_object_get(json_object_get(result, "summary"), figure);
	if (spread)
		*median = json_number_value(json_object_get(spread, "median"));
	return spread != NULL;
}

int
bench_report_write_json(const struct bench_report *report, const char *path)
{
	FILE *out = fopen(path, "we");
	if (!out)
		return SL_EIO;
	int written = json_dumpf(report->root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	fputc('\n', out);
	return fclose(out) == 0 && written == 0 ? 0 : SL_EIO;
}
