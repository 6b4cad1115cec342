#include "util/metrics.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "http/metrics_rows.h"
#include "http/metrics_text.h"
#include "tests/unit/report.h"
#include "tests/unit/unit.h"

static void
test_metrics_sum_adds_shards(void)
{
	struct sl_metrics a = { 0 }, b = { 0 };
	struct sl_metrics_sum sum = { 0 };
	sl_metrics_add(&a, SL_COUNTER_RUNS, 3);
	sl_metrics_add(&b, SL_COUNTER_RUNS, 4);
	sl_metrics_add(&b, SL_COUNTER_RUNS, 1);
	sl_metrics_add_class(&a, SL_CLASS_SSE, SL_CLASS_OPENED, 5);
	sl_metrics_add_class(&b, SL_CLASS_SSE, SL_CLASS_CLOSED, 2);
	sl_metrics_add(&a, SL_COUNTER_SESSIONS_OPENED, 9);
	sl_metrics_add(&b, SL_COUNTER_SESSIONS_CLOSED, 4);
	sl_metrics_sum_add(&sum, &a);
	sl_metrics_sum_add(&sum, &b);
	CU_ASSERT_EQUAL(sum.counters[SL_COUNTER_RUNS], 8);
	CU_ASSERT_EQUAL(sl_metrics_sum_connections(&sum, SL_CLASS_SSE), 3);
	CU_ASSERT_EQUAL(sl_metrics_sum_connections(&sum, SL_CLASS_POLL), 0);
	CU_ASSERT_EQUAL(sl_metrics_sum_sessions(&sum), 5);
	CU_ASSERT_EQUAL(sum.counters[SL_COUNTER_SENDS], 0);
}

static void *
count_many(void *metrics)
{
	for (int i = 0; i < 100000; i++) {
		sl_metrics_add_class(metrics, SL_CLASS_POLL, SL_CLASS_OPENED, 1);
		sl_metrics_add_class(metrics, SL_CLASS_POLL, SL_CLASS_CLOSED, 1);
	}
	return NULL;
}

static void
test_metrics_gauges_are_summed_but_the_longest_turn_is_the_longest(void)
{
	static struct sl_metrics one, other;
	struct sl_metrics_sum sum = { 0 };
	sl_metrics_raise_gauge(&one, SL_GAUGE_TLS_HANDSHAKES_WAITING, 5);
	sl_metrics_raise_gauge(&one, SL_GAUGE_TLS_HANDSHAKES_WAITING, -2);
	sl_metrics_raise_gauge(&other, SL_GAUGE_TLS_HANDSHAKES_WAITING, 4);
	sl_metrics_note_turn(&one, 70);
	sl_metrics_note_turn(&one, 30);
	sl_metrics_note_turn(&other, 50);
	sl_metrics_sum_add(&sum, &one);
	sl_metrics_sum_add(&sum, &other);
	CU_ASSERT_EQUAL(sum.gauges[SL_GAUGE_TLS_HANDSHAKES_WAITING], 7);
	CU_ASSERT_EQUAL(sum.gauges[SL_GAUGE_TURN_LONGEST_US], 70);
	sl_metrics_forget_turns(&one);
	sum = (struct sl_metrics_sum){ 0 };
	sl_metrics_note_turn(&one, 20);
	sl_metrics_sum_add(&sum, &one);
	CU_ASSERT_EQUAL(sum.gauges[SL_GAUGE_TURN_LONGEST_US], 20);
}

static void
test_metrics_another_thread_reads_while_the_shard_counts(void)
{
	struct sl_metrics metrics = { 0 };
	pthread_t thread;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, count_many, &metrics), 0);
	uint64_t last = 0;
	for (int i = 0; i < 1000; i++) {
		struct sl_metrics_sum sum = { 0 };
		sl_metrics_sum_add(&sum, &metrics);
		CU_ASSERT(sum.classes[SL_CLASS_POLL][SL_CLASS_OPENED] >= last);
		last = sum.classes[SL_CLASS_POLL][SL_CLASS_OPENED];
	}
	pthread_join(thread, NULL);
	struct sl_metrics_sum sum = { 0 };
	sl_metrics_sum_add(&sum, &metrics);
	CU_ASSERT_EQUAL(sum.classes[SL_CLASS_POLL][SL_CLASS_CLOSED], 100000);
}

static void
test_metrics_reasons_have_names_and_unknown_ones_are_other(void)
{
	for (int i = 0; i < SL_REASON_COUNT; i++) {
		const char *name = sl_reason_name((enum sl_reason)i);
		CU_ASSERT_EQUAL(sl_reason_parse((struct sl_span){ name, strlen(name) }), (enum sl_reason)i);
	}
	CU_ASSERT_EQUAL(sl_reason_parse((struct sl_span){ "fir", 3 }), SL_REASON_OTHER);
	CU_ASSERT_EQUAL(sl_reason_parse((struct sl_span){ "", 0 }), SL_REASON_OTHER);
}

static void
test_metrics_verdicts_are_counted_by_transport_and_state(void)
{
	struct sl_metrics metrics = { 0 };
	struct sl_metrics_sum sum = { 0 };
	struct sl_metrics_report report;
	struct sl_buffer text = SL_BUFFER_INIT;
	sl_metrics_add_verdict(&metrics, SL_CLASS_POLL, SL_VERDICT_DEAD);
	sl_metrics_add_verdict(&metrics, SL_CLASS_POLL, SL_VERDICT_DEAD);
	sl_metrics_sum_add(&sum, &metrics);
	CU_ASSERT_EQUAL(sum.verdicts[SL_CLASS_POLL][SL_VERDICT_DEAD], 2);
	CU_ASSERT_EQUAL(sum.verdicts[SL_CLASS_POLL][SL_VERDICT_WORKS], 0);
	CU_ASSERT_EQUAL(sum.verdicts[SL_CLASS_SSE][SL_VERDICT_DEAD], 0);
	report_fill(&report);
	report.sum = sum;
	sl_metrics_text_append(&text, &report, SL_METRICS_PROMETHEUS);
	sl_buffer_append_char(&text, '\0');
	CU_ASSERT_PTR_NOT_NULL(strstr(text.bytes,
		"\nsluice_check_verdicts_total{transport=\"poll\",state=\"dead\"} 2\n"));
	sl_buffer_finish(&text);
}

static void
test_metrics_files_of_reports_are_those_added_and_not_removed(void)
{
	struct sl_metrics_sum sum = { 0 };
	CU_ASSERT_EQUAL(sl_metrics_sum_report_files(&sum), 0);
	sum.counters[SL_COUNTER_CHECK_REPORT_FILES_ADDED] = 5;
	sum.counters[SL_COUNTER_CHECK_REPORT_FILES_REMOVED] = 3;
	CU_ASSERT_EQUAL(sl_metrics_sum_report_files(&sum), 2);
	sum.counters[SL_COUNTER_CHECK_REPORT_FILES_REMOVED] = 6;
	CU_ASSERT_EQUAL(sl_metrics_sum_report_files(&sum), 0);
}

static void
test_metrics_clients_are_counted_by_transport_and_reason(void)
{
	struct sl_metrics metrics = { 0 };
	struct sl_metrics_sum sum = { 0 };
	sl_metrics_add_client(&metrics, SL_CLASS_SSE, SL_REASON_REFUSED);
	sl_metrics_add_client(&metrics, SL_CLASS_SSE, SL_REASON_REFUSED);
	sl_metrics_add_client(&metrics, SL_CLASS_POLL, SL_REASON_NONE);
	sl_metrics_sum_add(&sum, &metrics);
	CU_ASSERT_EQUAL(sum.clients[SL_CLASS_SSE][SL_REASON_REFUSED], 2);
	for (int i = 0; i < SL_REASON_COUNT; i++)
		CU_ASSERT_EQUAL(sum.clients[SL_CLASS_POLL][i], 0);
}

static void
test_metrics_channels_of_the_check_page_live_until_they_expire(void)
{
	struct sl_metrics_sum sum = { 0 };
	sum.counters[SL_COUNTER_CHECK_ISSUED] = 5;
	sum.counters[SL_COUNTER_CHECK_EXPIRED] = 3;
	CU_ASSERT_EQUAL(sl_metrics_sum_checks(&sum), 2);
	sum.counters[SL_COUNTER_CHECK_EXPIRED] = 6; /* was read later */
	CU_ASSERT_EQUAL(sl_metrics_sum_checks(&sum), 0);
}

static void
test_metrics_status_has_its_counter(void)
{
	CU_ASSERT_EQUAL(sl_counter_of_status(101), SL_COUNTER_REQUESTS_1XX);
	CU_ASSERT_EQUAL(sl_counter_of_status(200), SL_COUNTER_REQUESTS_2XX);
	CU_ASSERT_EQUAL(sl_counter_of_status(304), SL_COUNTER_REQUESTS_3XX);
	CU_ASSERT_EQUAL(sl_counter_of_status(429), SL_COUNTER_REQUESTS_4XX);
	CU_ASSERT_EQUAL(sl_counter_of_status(599), SL_COUNTER_REQUESTS_5XX);
}

/* Ends the program, since the other tests read the rows. */
static void
require(bool is_there, const char *table, int place)
{
	if (is_there)
		return;
	fprintf(stderr, "gateway/util/metrics.c: %s has nothing for the enumerator %d of "
		"gateway/util/metrics.h (counted from 0); add a row\n", table, place);
	exit(1);
}

static void
test_metrics_every_counter_has_a_row(void)
{
	for (int i = 0; i < SL_COUNTER_COUNT; i++)
		require(sl_counter_rows[i].key && sl_counter_rows[i].name && sl_counter_rows[i].help,
			"sl_counter_rows", i);
	for (int i = 0; i < SL_CLASS_COUNTER_COUNT; i++)
		require(sl_class_counter_rows[i].key && sl_class_counter_rows[i].name,
			"sl_class_counter_rows", i);
	for (int i = 0; i < SL_CLASS_COUNT; i++)
		require(sl_class_name((enum sl_class)i) != NULL, "the names of sl_class_name()", i);
}

/* The text of the report of distinct values, terminated. */
static const char *
render(struct sl_buffer *out, enum sl_metrics_format format)
{
	struct sl_metrics_report report;
	report_fill(&report);
	sl_metrics_text_append(out, &report, format);
	sl_buffer_append_char(out, '\0');
	CU_ASSERT_EQUAL_FATAL(sl_buffer_status(out), 0);
	return out->bytes;
}

static void
test_metrics_text_names_counters_after_prometheus_rules(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	const char *text = render(&out, SL_METRICS_PROMETHEUS);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "# TYPE sluice_messages_total counter\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "# TYPE sluice_connections gauge\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nsluice_uptime_seconds 12.034\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nsluice_bus_head_sequence{epoch=\"9f3a1c07\"} 4182\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "# EOF"));
	CU_ASSERT_PTR_NULL(strstr(text, "# UNIT"));
	sl_buffer_finish(&out);
}

static void
test_metrics_text_open_has_units_and_an_end(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	const char *text = render(&out, SL_METRICS_OPENMETRICS);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "# TYPE sluice_messages counter\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "# UNIT sluice_wire_bytes bytes\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "# UNIT sluice_uptime_seconds seconds\n"));
	CU_ASSERT_STRING_EQUAL(text + out.len - 1 - strlen("# EOF\n"), "# EOF\n");
	sl_buffer_finish(&out);
}

static void
expect_bus_numbers(const char *text, const struct sl_metrics_report *report)
{
	char line[200];
	uint64_t count = 0;
	for (const struct sl_bus_row *row = sl_backend_rows; row->row.name; row++) {
		const char *end = row->row.type == SL_METRIC_COUNTER ? "_total" : "";
		unsigned long long value = sl_bus_row_get(&report->bus, row);
		if (sl_bus_row_is_time(row))
			snprintf(line, sizeof line, "\nsluice_%s%s %llu.%03llu\n", row->row.name, end,
				value / 1000, value % 1000);
		else
			snprintf(line, sizeof line, "\nsluice_%s%s %llu\n", row->row.name, end, value);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nsluice_backend_connected 1\n"));
	for (unsigned i = 0; i <= SL_LATENCY_BUCKETS; i++)
		count += report->bus.latency.counts[i];
	snprintf(line, sizeof line, "_bucket{le=\"+Inf\"} %llu\nsluice_publish_seconds_sum 0.%06llu\n"
		"sluice_publish_seconds_count %llu\n", (unsigned long long)count,
		(unsigned long long)report->bus.latency.sum_us, (unsigned long long)count);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
	snprintf(line, sizeof line, "# TYPE sluice_publish_seconds histogram\n"
		"sluice_publish_seconds_bucket{le=\"0.0001\"} %llu\n"
		"sluice_publish_seconds_bucket{le=\"0.00025\"} %llu\n",
		(unsigned long long)report->bus.latency.counts[0],
		(unsigned long long)(report->bus.latency.counts[0] + report->bus.latency.counts[1]));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
}

/* Every number of the report stands behind its own name, each name once. */
static void
test_metrics_text_shows_every_number(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	const char *text = render(&out, SL_METRICS_PROMETHEUS);
	struct sl_metrics_report report;
	report_fill(&report);
	char line[200];
	for (int i = 0; i < SL_COUNTER_COUNT; i++) {
		const struct sl_metric_row *row = &sl_counter_rows[i];
		snprintf(line, sizeof line, "\nsluice_%s_total%s%s%s %llu\n", row->name, row->labels ? "{" : "",
			row->labels ? row->labels : "", row->labels ? "}" : "",
			(unsigned long long)report.sum.counters[i]);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
	}
	for (int c = 0; c < SL_CLASS_COUNT; c++) {
		snprintf(line, sizeof line, "\nsluice_wire_bytes_total{transport=\"%s\",direction=\"out\"} %llu\n",
			sl_class_name((enum sl_class)c),
			(unsigned long long)report.sum.classes[c][SL_CLASS_WIRE_BYTES_OUT]);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
	}
	for (int c = 0; c < SL_CLASS_NATIVE_COUNT; c++)
		for (int i = 0; i < SL_REASON_COUNT; i++) {
			snprintf(line, sizeof line, "\nsluice_clients_total{transport=\"%s\",reason=\"%s\"} %llu\n",
				sl_class_name((enum sl_class)c), sl_reason_name((enum sl_reason)i),
				(unsigned long long)report.sum.clients[c][i]);
			CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
		}
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nsluice_bus_evicted_total{limit=\"age\"} "));
	expect_bus_numbers(text, &report);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nsluice_token_keys 31\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nsluice_token_reload_failed 1\n"));
	snprintf(line, sizeof line, "\nsluice_tls_handshakes_waiting %llu\n",
		(unsigned long long)report.sum.gauges[SL_GAUGE_TLS_HANDSHAKES_WAITING]);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
	snprintf(line, sizeof line, "\nsluice_turn_longest_seconds 0.%06llu\n",
		(unsigned long long)report.sum.gauges[SL_GAUGE_TURN_LONGEST_US]);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
	sl_buffer_finish(&out);
}

static void
test_metrics_json_has_the_shape_of_stats(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_metrics_report report;
	report_fill(&report);
	sl_metrics_text_append_json(&out, &report);
	json_t *root = json_loadb(out.bytes, out.len, JSON_REJECT_DUPLICATES, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(root);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "cursor")), "9f3a1c07-4182");
	CU_ASSERT_EQUAL(json_number_value(json_object_get(root, "uptime_s")), 12.034);
	json_t *transports = json_object_get(root, "transports");
	CU_ASSERT_EQUAL(json_object_size(transports), SL_CLASS_COUNT);
	json_t *sse = json_object_get(transports, "sse");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(sse, "connections")),
		(json_int_t)sl_metrics_sum_connections(&report.sum, SL_CLASS_SSE));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(sse, "wire_bytes_in")),
		(json_int_t)report.sum.classes[SL_CLASS_SSE][SL_CLASS_WIRE_BYTES_IN]);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(sse, "clients"), "died")),
		(json_int_t)report.sum.clients[SL_CLASS_SSE][SL_REASON_DIED]);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(root, "bus"), "evicted_age")),
		(json_int_t)report.bus.evicted_age);
	json_t *backend = json_object_get(root, "backend");
	CU_ASSERT_TRUE(json_is_true(json_object_get(backend, "connected")));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(backend, "away_ms")),
		(json_int_t)report.bus.backend.away_ms);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(backend, "pending_full")),
		(json_int_t)report.bus.backend.pending_full);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "turn_longest_us")),
		(json_int_t)report.sum.gauges[SL_GAUGE_TURN_LONGEST_US]);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(root, "tls"),
		"handshakes_waiting")), (json_int_t)report.sum.gauges[SL_GAUGE_TLS_HANDSHAKES_WAITING]);
	json_t *tokens = json_object_get(root, "tokens");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(tokens, "keys")), (json_int_t)report.token_keys);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(tokens, "reload_failed")), 1);
	json_t *limits = json_object_get(root, "limits");
	CU_ASSERT_EQUAL(json_object_size(limits), SL_COUNTER_COUNT);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(limits, "sends")),
		(json_int_t)report.sum.counters[SL_COUNTER_SENDS]);
	json_decref(root);
	sl_buffer_finish(&out);
}

static void
test_metrics_accept_chooses_the_format(void)
{
	CU_ASSERT_EQUAL(sl_metrics_text_negotiate(NULL), SL_METRICS_PROMETHEUS);
	CU_ASSERT_EQUAL(sl_metrics_text_negotiate("*/*"), SL_METRICS_PROMETHEUS);
	CU_ASSERT_EQUAL(sl_metrics_text_negotiate("text/plain;version=0.0.4;q=0.5"), SL_METRICS_PROMETHEUS);
	CU_ASSERT_EQUAL(sl_metrics_text_negotiate("application/OpenMetrics-text;version=1.0.0,*/*;q=0.1"),
		SL_METRICS_OPENMETRICS);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_metrics_every_counter_has_a_row),
		UNIT_TEST(test_metrics_sum_adds_shards),
		UNIT_TEST(test_metrics_gauges_are_summed_but_the_longest_turn_is_the_longest),
		UNIT_TEST(test_metrics_another_thread_reads_while_the_shard_counts),
		UNIT_TEST(test_metrics_reasons_have_names_and_unknown_ones_are_other),
		UNIT_TEST(test_metrics_verdicts_are_counted_by_transport_and_state),
		UNIT_TEST(test_metrics_files_of_reports_are_those_added_and_not_removed),
		UNIT_TEST(test_metrics_clients_are_counted_by_transport_and_reason),
		UNIT_TEST(test_metrics_channels_of_the_check_page_live_until_they_expire),
		UNIT_TEST(test_metrics_status_has_its_counter),
		UNIT_TEST(test_metrics_text_names_counters_after_prometheus_rules),
		UNIT_TEST(test_metrics_text_open_has_units_and_an_end),
		UNIT_TEST(test_metrics_text_shows_every_number),
		UNIT_TEST(test_metrics_json_has_the_shape_of_stats),
		UNIT_TEST(test_metrics_accept_chooses_the_format),
		{ NULL, NULL },
	};
	return unit_main("metrics", tests);
}
