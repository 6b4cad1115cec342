#include "bench/results/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/results/figure.h"
#include "bench/results/networks.h"
#include "bench/results/summary.h"
#include "bench/results/table.h"
#include "util/err.h"

#define SENTENCE_MAX 512
#define LINK_LATE_SHARE 0.05 /* of the round trip: beyond it, and beyond LINK_LATE_US, it matters */
#define LINK_LATE_US 200.0

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

static bool
is_of_network(const json_t *result, const struct bench_network_kind *network)
{
	const json_t *of = json_object_get(result, "network");
	return network ? is_named(of, "name", network->name) : !of;
}

json_t *
bench_report_find(const struct bench_report *report, const struct bench_result_key *key)
{
	size_t i;
	json_t *result;
	json_array_foreach(json_object_get(report->root, "results"), i, result)
		if (is_named(result, "scenario", key->scenario) && is_named(result, "server", key->server)
			&& is_named(result, "transport", key->transport) && is_of_network(result, key->network)
			&& json_equal(json_object_get(result, "case"), key->params))
			return result;
	return NULL;
}

static json_t *
network_json(const struct bench_network_kind *kind)
{
	return !kind ? NULL : json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:i, s:I}", "name", kind->name,
		"rtt_ms", kind->rtt_ms, "jitter_ms", kind->jitter_ms, "loss", kind->loss,
		"down_mbit", kind->down_mbit, "up_mbit", kind->up_mbit, "queue_bytes", (int)kind->queue_bytes,
		"seed", (json_int_t)kind->seed);
}

int
bench_report_add(struct bench_report *report, const struct bench_result_key *key, json_t *repeat)
{
	json_t *result = bench_report_find(report, key);
	if (!result) {
		result = json_pack("{s:s, s:s, s:s, s:o*, s:o, s:[], s:{}}", "scenario", key->scenario,
			"server", key->server, "transport", key->transport, "network", network_json(key->network),
			"case", json_deep_copy(key->params), "repeats", "summary");
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
	const char *network = bench_network_name_of(result);
	char params[160];
	bench_case_write(params, sizeof params, json_object_get(result, "case"));
	if (*network) {
		size_t len = strlen(params);
		snprintf(params + len, sizeof params - len, "%son %s", len ? ", " : "", network);
	}
	if (doubts.failed)
		bench_report_warn(report, "%s, %s on %s (%s): failed in %u of %zu repeats: %s", scenario,
			transport, server, params, doubts.failed, doubts.repeats, doubts.error);
	if (doubts.lost || doubts.doubled || doubts.reordered)
		bench_report_warn(report, "%s, %s on %s (%s): lost %llu, doubled %llu, reordered %llu", scenario,
			transport, server, params, doubts.lost, doubts.doubled, doubts.reordered);
	if (doubts.skipped && doubts.skipped_all)
		bench_report_not_measured(report, "%s, %s on %s: %s", scenario, transport, server,
			doubts.skipped);
}

/* Appends `name` to the comma-separated `list` unless it is in it. */
static void
add_name(char *list, size_t size, const char *name)
{
	size_t len = strlen(list), name_len = strlen(name);
	for (const char *at = list; (at = strstr(at, name)); at++)
		if ((at == list || at[-1] == ' ') && (at[name_len] == ',' || at[name_len] == '\0'))
			return;
	snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
}

/* One sentence for a scenario, however many of its results are meant: those are marked. */
static void
warn_of_saturation(struct bench_report *report, const char *scenario)
{
	char transports[128] = "";
	const char *reason = NULL;
	unsigned saturated = 0, repeats = 0;
	size_t i;
	json_t *result;
	json_array_foreach(json_object_get(report->root, "results"), i, result) {
		struct bench_doubts doubts = bench_summary_doubts(result);
		if (!is_named(result, "scenario", scenario))
			continue;
		repeats += (unsigned)doubts.repeats;
		if (!doubts.saturated)
			continue;
		saturated += doubts.saturated;
		reason = doubts.reason ? doubts.reason : reason;
		json_object_set_new(result, "doubtful", json_integer(doubts.saturated));
		add_name(transports, sizeof transports, json_string_value(json_object_get(result, "transport")));
	}
	if (saturated)
		bench_report_warn(report, "%s: the generator was saturated in %u of %u measurements (%s%s%s); "
			"figures marked ! may show its limit, not the server's", scenario, saturated, repeats, transports,
			reason ? "; last: " : "", reason ? reason : "");
}

/* How late the link of a result was, where it is slower than what was asked for; else 0. */
static double
late_us_of(const json_t *result)
{
	const json_t *network = json_object_get(result, "network");
	double rtt_us = 1e3 * json_number_value(json_object_get(network, "rtt_ms")), late_us = 0;
	if (network)
		bench_result_median(result, "link_late_p99_us", &late_us);
	return late_us > LINK_LATE_US && late_us > LINK_LATE_SHARE * rtt_us ? late_us : 0;
}

/* One sentence for a network. */
static void
warn_of_late_links(struct bench_report *report, const char *network)
{
	char scenarios[128] = "";
	double worst_us = 0;
	unsigned late = 0, count = 0;
	size_t i;
	json_t *result;
	json_array_foreach(json_object_get(report->root, "results"), i, result) {
		if (strcmp(bench_network_name_of(result), network) != 0)
			continue;
		double late_us = late_us_of(result);
		count++;
		if (late_us == 0)
			continue;
		late++;
		worst_us = late_us > worst_us ? late_us : worst_us;
		add_name(scenarios, sizeof scenarios, json_string_value(json_object_get(result, "scenario")));
	}
	if (late)
		bench_report_warn(report, "%s: in %u of %u results the link itself delivered 1 %% of the packets "
			"up to %.1f ms late (%s): the machine was too busy", network, late, count,
			worst_us / 1e3, scenarios);
}

static void
name_hidden_percentiles(struct bench_report *report, const char *scenario)
{
	char names[SENTENCE_MAX] = "";
	size_t i;
	json_t *result;
	json_array_foreach(json_object_get(report->root, "results"), i, result)
		if (is_named(result, "scenario", scenario) && bench_summary_hides(result))
			add_name(names, sizeof names, json_string_value(json_object_get(result, "transport")));
	if (*names)
		bench_report_not_measured(report, "%s: high percentiles are shown as – (%s), because fewer than ten samples "
			"lie beyond them", scenario, names);
}

void
bench_report_summarise(struct bench_report *report)
{
	size_t i;
	json_t *result;
	json_array_foreach(json_object_get(report->root, "results"), i, result) {
		bench_summary_set(result);
		warn_of(report, result);
	}
	json_array_foreach(json_object_get(report->root, "results"), i, result) {
		const char *scenario = json_string_value(json_object_get(result, "scenario"));
		warn_of_saturation(report, scenario);
		name_hidden_percentiles(report, scenario);
		if (json_object_get(result, "network"))
			warn_of_late_links(report, bench_network_name_of(result));
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
