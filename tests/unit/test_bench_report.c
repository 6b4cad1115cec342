#include "bench/results/report.h"

#include <stdlib.h>
#include <string.h>

#include "bench/results/figure.h"
#include "bench/results/html.h"
#include "bench/results/summary.h"
#include "bench/results/table.h"
#include "tests/unit/unit.h"

static struct bench_report report;

static void
begin(void)
{
	static char name[] = "/usr/bin/sluice-bench", option[] = "--quick";
	char *const argv[] = { name, option, NULL };
	CU_ASSERT_EQUAL_FATAL(bench_report_init(&report, 2, argv), 0);
}

/* Adds one repeat, written as JSON with ' for ". */
static void
add(const char *scenario, const char *server, const char *transport, const char *params,
	const char *repeat)
{
	char texts[2][1024];
	snprintf(texts[0], sizeof texts[0], "%s", params);
	snprintf(texts[1], sizeof texts[1], "%s", repeat);
	for (unsigned i = 0; i < 2; i++)
		for (char *at = texts[i]; (at = strchr(at, '\'')); )
			*at = '"';
	json_t *axes = json_loads(texts[0], 0, NULL), *measured = json_loads(texts[1], 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(axes);
	CU_ASSERT_PTR_NOT_NULL_FATAL(measured);
	const struct bench_result_key key = {
		.scenario = scenario, .server = server, .transport = transport, .params = axes,
	};
	CU_ASSERT_EQUAL(bench_report_add(&report, &key, measured), 0);
	json_decref(axes);
}

static json_t *
result(size_t index)
{
	return json_array_get(json_object_get(report.root, "results"), index);
}

static double
spread_of(size_t index, const char *figure, const char *what)
{
	const json_t *spread = json_object_get(json_object_get(result(index), "summary"), figure);
	return spread ? json_number_value(json_object_get(spread, what)) : -1;
}

/* What the table looks like; to be freed. */
static char *
table(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bench_table_print(&report, out);
	fclose(out);
	return text;
}

static bool
says(const char *list, const char *text)
{
	size_t i;
	json_t *sentence;
	json_array_foreach(json_object_get(report.root, list), i, sentence)
		if (strstr(json_string_value(sentence), text))
			return true;
	return false;
}

static void
test_repeats_of_one_case_are_one_result_with_median_and_range(void)
{
	begin();
	add("fanout", "sluice", "sse", "{'burst':1}", "{'figures':{'cpu_us_per_delivery':6.0}}");
	add("fanout", "sluice", "sse", "{'burst':10}", "{'figures':{'cpu_us_per_delivery':1.0}}");
	add("fanout", "sluice", "sse", "{'burst':1}", "{'figures':{'cpu_us_per_delivery':9.0}}");
	add("fanout", "sluice", "sse", "{'burst':1}", "{'figures':{'cpu_us_per_delivery':5.0}}");
	bench_report_summarise(&report);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(report.root, "results")), 2);
	CU_ASSERT_EQUAL(spread_of(0, "cpu_us_per_delivery", "median"), 6);
	CU_ASSERT_EQUAL(spread_of(0, "cpu_us_per_delivery", "min"), 5);
	CU_ASSERT_EQUAL(spread_of(0, "cpu_us_per_delivery", "max"), 9);
	CU_ASSERT_EQUAL(spread_of(0, "cpu_us_per_delivery", "count"), 3);
	CU_ASSERT_TRUE(bench_report_is_clean(&report));
	bench_report_finish(&report);
}

static void
test_lost_deliveries_refuse_the_figures_and_say_so(void)
{
	begin();
	add("fanout", "sluice", "sse", "{'burst':1}", "{'figures':{'cpu_us_per_delivery':6.0},'lost':0}");
	add("fanout", "sluice", "sse", "{'burst':1}", "{'figures':{'cpu_us_per_delivery':1.0},'lost':12}");
	bench_report_summarise(&report);
	char *text = table();
	double median;
	CU_ASSERT_FALSE(bench_result_median(result(0), "cpu_us_per_delivery", &median));
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(result(0), "refused")), "lost 12");
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "lost 12: no figures"));
	CU_ASSERT_PTR_NULL(strstr(text, "6.00"));
	CU_ASSERT_FALSE(bench_report_is_clean(&report));
	free(text);
	bench_report_finish(&report);
}

static void
test_doubled_and_reordered_messages_are_not_clean(void)
{
	begin();
	add("latency", "sluice", "poll", "{}", "{'figures':{'p50_us':6.0},'doubled':1}");
	bench_report_summarise(&report);
	CU_ASSERT_FALSE(bench_report_is_clean(&report));
	bench_report_finish(&report);
	begin();
	add("latency", "sluice", "poll", "{}", "{'figures':{'p50_us':6.0},'reordered':2}");
	bench_report_summarise(&report);
	CU_ASSERT_FALSE(bench_report_is_clean(&report));
	bench_report_finish(&report);
}

static void
test_what_the_switch_checker_counts_is_shown_whatever_it_is(void)
{
	begin();
	add("switch", "sluice", "all", "{}", "{'figures':{'hops':300,'lost':2},'lost':2}");
	bench_report_summarise(&report);
	CU_ASSERT_EQUAL(spread_of(0, "lost", "median"), 2);
	CU_ASSERT_FALSE(bench_report_is_clean(&report));
	bench_report_finish(&report);
}

static void
test_failed_repeat_is_named_and_the_others_count(void)
{
	begin();
	add("connect", "nchan", "sse", "{}", "{'error':'start: no such thing'}");
	add("connect", "nchan", "sse", "{}", "{'figures':{'connections_per_s':5000}}");
	bench_report_summarise(&report);
	CU_ASSERT_EQUAL(spread_of(0, "connections_per_s", "count"), 1);
	CU_ASSERT_TRUE(says("warnings", "failed in 1 of 2 repeats: start: no such thing"));
	CU_ASSERT_FALSE(bench_report_is_clean(&report));
	bench_report_finish(&report);
}

static void
test_saturated_generator_is_warned_of_once_and_its_rows_are_marked(void)
{
	static const char doubtful[] = "{'figures':{'p50_us':60,'p90_us':70,'p99_us':80,'p999_us':90},"
		"'generator':{'saturated':true,'reasons':['94 % of a core']}}";
	begin();
	add("latency", "sluice", "sse", "{}", doubtful);
	add("latency", "sluice", "websocket", "{}", doubtful);
	add("latency", "sluice", "poll", "{}",
		"{'figures':{'p50_us':60,'p90_us':70,'p99_us':80,'p999_us':90},'generator':{'saturated':false}}");
	bench_report_summarise(&report);
	char *text = table();
	CU_ASSERT_EQUAL(json_array_size(json_object_get(report.root, "warnings")), 1);
	CU_ASSERT_TRUE(says("warnings", "saturated in 2 of 3 measurements (sse, websocket; last: 94 % of a core)"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "sse !"));
	CU_ASSERT_PTR_NULL(strstr(text, "poll !"));
	CU_ASSERT_TRUE(bench_report_is_clean(&report));
	free(text);
	bench_report_finish(&report);
}

static void
test_absent_percentile_is_said_to_be_not_measured(void)
{
	begin();
	add("latency", "sluice", "sse", "{}", "{'figures':{'p50_us':60,'p90_us':70,'max_us':80}}");
	bench_report_summarise(&report);
	CU_ASSERT_TRUE(says("not_measured", "fewer than ten samples lie beyond"));
	bench_report_finish(&report);
}

/* In the table, or in JSON and the page. */
static bool
has_figure(const char *scenario, const char *start, bool in_table)
{
	for (const struct bench_figure *figure = bench_figures; figure->name; figure++)
		if (strcmp(figure->scenario, scenario) == 0 && strncmp(figure->name, start, strlen(start)) == 0
			&& figure->in_table == in_table)
			return true;
	return false;
}

static void
test_wakeups_are_shown_wherever_cpu_is(void)
{
	unsigned count = 0;
	for (const struct bench_figure *figure = bench_figures; figure->name; figure++) {
		/* A link's CPU is no server's. */
		if (!strstr(figure->name, "cpu") || strncmp(figure->name, "link_", 5) == 0)
			continue;
		count++;
		CU_ASSERT_TRUE(has_figure(figure->scenario, "wakeups_per_", true));
		CU_ASSERT_TRUE(has_figure(figure->scenario, "server_sleeps_per_", false));
	}
	CU_ASSERT_TRUE(count >= 7);
}

static void
test_ratio_is_shown_to_the_thousandth(void)
{
	char text[BENCH_CELL_MAX];
	bench_figure_write(text, BENCH_RATIO, 0.00451, 0.00451);
	CU_ASSERT_STRING_EQUAL(text, "0.005");
	bench_figure_write(text, BENCH_RATIO, 1.254, 1.254);
	CU_ASSERT_STRING_EQUAL(text, "1.25");
	bench_figure_write(text, BENCH_RATIO, 0, 0);
	CU_ASSERT_STRING_EQUAL(text, "0");
}

static void
test_table_is_no_wider_than_it_promises(void)
{
	begin();
	for (unsigned i = 0; i < 3; i++) {
		add("latency", "nchan", "websocket", "{'rate':200,'payload':128}",
			i ? "{'figures':{'p50_us':512345,'p90_us':612345,'p99_us':712345,'p999_us':812345,'max_us':912345}}"
			: "{'figures':{'p50_us':412345,'p90_us':312345,'p99_us':212345,'p999_us':112345,'max_us':12345}}");
		add("latency", "sluice", "websocket", "{'rate':200,'payload':128}",
			"{'figures':{'p50_us':51,'p90_us':61,'p99_us':71,'p999_us':81,'max_us':91}}");
	}
	bench_report_warn(&report, "%s", "a sentence of very many words that does not fit into one line of the "
		"terminal and has to be broken where its words end, so that nobody has to guess");
	bench_report_summarise(&report);
	char *text = table(), *rest = text;
	for (char *line; (line = strsep(&rest, "\n")); )
		CU_ASSERT(bench_text_width(line) <= BENCH_TABLE_WIDTH);
	free(text);
	bench_report_finish(&report);
}

static void
test_columns_stand_under_their_headings(void)
{
	begin();
	add("request", "sluice", "http", "{}", "{'figures':{'p50_us':95,'p99_us':1234,'cpu_us_per_request':9}}");
	bench_report_summarise(&report);
	char *text = table(), *rest = text, *heading = NULL, *row = NULL;
	for (char *line; (line = strsep(&rest, "\n")); ) {
		heading = strstr(line, "CPU each") ? line : heading;
		row = strncmp(line, "  http", 6) == 0 ? line : row;
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(heading);
	CU_ASSERT_PTR_NOT_NULL_FATAL(row);
	CU_ASSERT_EQUAL(bench_text_width(heading), bench_text_width(row));
	CU_ASSERT_PTR_NOT_NULL(strstr(row, "95.0 µs"));
	CU_ASSERT_PTR_NOT_NULL(strstr(row, "1.23 ms"));
	free(text);
	bench_report_finish(&report);
}

static void
test_case_is_told_in_words(void)
{
	char words[160];
	json_t *params = json_pack("{s:i, s:i, s:i, s:i, s:s}", "rate", 1, "payload", 32768, "subscribers", 500,
		"burst", 10, "request", "publish");
	bench_case_write(words, sizeof words, params);
	CU_ASSERT_STRING_EQUAL(words, "1 message/s, payload 32 KiB, 500 subscribers, bursts of 10, publish");
	json_decref(params);
}

static void
test_command_line_is_kept_without_its_folder(void)
{
	begin();
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(report.root, "command")),
		"sluice-bench --quick");
	bench_report_finish(&report);
}

static void
test_json_in_a_page_cannot_end_its_script_element(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	bench_html_append_json(&out, "[\"</script><!-- <b>\"]");
	CU_ASSERT_PTR_NULL(memchr(out.bytes, '<', out.len));
	json_t *back = json_loadb(out.bytes, out.len, 0, NULL);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(back, 0)), "</script><!-- <b>");
	json_decref(back);
	sl_buffer_finish(&out);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_repeats_of_one_case_are_one_result_with_median_and_range),
		UNIT_TEST(test_lost_deliveries_refuse_the_figures_and_say_so),
		UNIT_TEST(test_doubled_and_reordered_messages_are_not_clean),
		UNIT_TEST(test_what_the_switch_checker_counts_is_shown_whatever_it_is),
		UNIT_TEST(test_failed_repeat_is_named_and_the_others_count),
		UNIT_TEST(test_saturated_generator_is_warned_of_once_and_its_rows_are_marked),
		UNIT_TEST(test_absent_percentile_is_said_to_be_not_measured),
		UNIT_TEST(test_wakeups_are_shown_wherever_cpu_is),
		UNIT_TEST(test_ratio_is_shown_to_the_thousandth),
		UNIT_TEST(test_table_is_no_wider_than_it_promises),
		UNIT_TEST(test_columns_stand_under_their_headings),
		UNIT_TEST(test_case_is_told_in_words),
		UNIT_TEST(test_command_line_is_kept_without_its_folder),
		UNIT_TEST(test_json_in_a_page_cannot_end_its_script_element),
		{ NULL, NULL },
	};
	return unit_main("bench report", tests);
}
