#include "bench/row.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static const struct bench_settings settings;

static const struct bench_row burst_row = {
	.title = "bursts", .scenario = "fanout", .transport = BENCH_SSE, .figure = "us", .burst = 10,
};
static const struct bench_row publish_row = {
	.title = "publish", .scenario = "publish", .figure = "us",
};

/* A result whose repeats have these figures, and refused or not. */
static json_t *
result_with(double first, double second, bool refused)
{
	return json_pack("{s:[{s:{s:f}}, {s:{s:f}}], s:s*}", "repeats", "figures", "us", first,
		"figures", "us", second, "refused", refused ? "lost 1" : NULL);
}

static void
test_ratio_is_of_the_same_repeat(void)
{
	json_t *result = result_with(6, 12, false), *floor = result_with(5, 10, false);
	struct bench_spread ratio = bench_row_ratio(result, floor, "us");
	CU_ASSERT_EQUAL(ratio.count, 2);
	CU_ASSERT_DOUBLE_EQUAL(ratio.min, 1.2, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(ratio.max, 1.2, 1e-9);
	json_decref(result);
	json_decref(floor);
}

static void
test_there_is_no_ratio_to_lost_work_or_to_nothing(void)
{
	json_t *result = result_with(6, 12, false), *refused = result_with(5, 10, true);
	CU_ASSERT_EQUAL(bench_row_ratio(result, refused, "us").count, 0);
	CU_ASSERT_EQUAL(bench_row_ratio(refused, result, "us").count, 0);
	CU_ASSERT_EQUAL(bench_row_ratio(result, NULL, "us").count, 0);
	CU_ASSERT_EQUAL(bench_row_ratio(result, result, "other").count, 0);
	json_decref(result);
	json_decref(refused);
}

static void
test_case_is_the_first_that_has_what_the_row_names(void)
{
	static const struct bench_row any = { .scenario = "fanout" }, none = { .scenario = "no such" };
	json_t *params = bench_row_case(&burst_row, &settings);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(params, "burst")), 10);
	json_decref(params);
	params = bench_row_case(&any, &settings);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(params, "burst")), 1);
	json_decref(params);
	params = bench_row_case(&publish_row, &settings);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(params, "payload")), 128);
	json_decref(params);
	CU_ASSERT_PTR_NULL(bench_row_case(&none, &settings));
}

static void
test_same_step_is_planned_once(void)
{
	struct bench_plan plan = { 0 };
	/* Another figure of the same measurement. */
	struct bench_row other = publish_row;
	other.figure = "p50_us";
	CU_ASSERT_EQUAL(bench_row_plan(&plan, &publish_row, &bench_peer_sluice, 0, &settings), 0);
	CU_ASSERT_EQUAL(bench_row_plan(&plan, &other, &bench_peer_sluice, BENCH_SSE, &settings), 0);
	CU_ASSERT_EQUAL(plan.count, 1);
	CU_ASSERT_EQUAL(bench_row_plan(&plan, &burst_row, &bench_peer_sluice, BENCH_SSE, &settings), 0);
	CU_ASSERT_EQUAL(bench_row_plan(&plan, &burst_row, &bench_peer_sluice, BENCH_STREAM, &settings), 0);
	CU_ASSERT_EQUAL(bench_row_plan(&plan, &burst_row, &bench_peer_floor, BENCH_SSE, &settings), 0);
	CU_ASSERT_EQUAL(bench_row_plan(&plan, &burst_row, &bench_peer_floor, BENCH_SSE, &settings), 0);
	CU_ASSERT_EQUAL(plan.count, 4);
	bench_plan_finish(&plan);
}

static void
test_result_is_found_by_the_servers_name_and_the_scenarios_axis(void)
{
	struct bench_report report;
	char name[] = "sluice-bench", *argv[] = { name };
	json_t *params = bench_row_case(&publish_row, &settings);
	CU_ASSERT_EQUAL_FATAL(bench_report_init(&report, 1, argv), 0);
	const struct bench_result_key key = {
		.scenario = "publish", .server = "sluice", .transport = "http", .params = params,
	};
	bench_report_add(&report, &key, json_pack("{s:{}}", "figures"));
	CU_ASSERT_PTR_NOT_NULL(bench_row_result(&report, &publish_row, &bench_peer_sluice, 0,
		&settings));
	CU_ASSERT_PTR_NULL(bench_row_result(&report, &publish_row, &bench_peer_floor, 0, &settings));
	CU_ASSERT_PTR_NULL(bench_row_result(&report, &burst_row, &bench_peer_sluice, BENCH_SSE,
		&settings));
	json_decref(params);
	bench_report_finish(&report);
}

static void
test_median_and_ratio_are_written_with_what_they_are_of(void)
{
	char cell[BENCH_CELL_MAX];
	json_t *result = json_pack("{s:{s:{s:f}}}", "summary", "cpu_us_per_delivery", "median", 4.7);
	struct bench_spread ratio = { 1.06, 0.97, 1.094, 3 }, none = { 0 };
	bench_row_write_median(cell, "fanout", "cpu_us_per_delivery", result);
	CU_ASSERT_STRING_EQUAL(cell, "4.70 µs");
	bench_row_write_median(cell, "fanout", "deliveries_per_s", result);
	CU_ASSERT_STRING_EQUAL(cell, "–");
	bench_row_write_median(cell, "fanout", "cpu_us_per_delivery", NULL);
	CU_ASSERT_STRING_EQUAL(cell, "–");
	bench_row_write_ratio(cell, &ratio);
	CU_ASSERT_STRING_EQUAL(cell, "1.06x (0.97–1.09)");
	bench_row_write_ratio(cell, &none);
	CU_ASSERT_STRING_EQUAL(cell, "");
	json_decref(result);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ratio_is_of_the_same_repeat),
		UNIT_TEST(test_there_is_no_ratio_to_lost_work_or_to_nothing),
		UNIT_TEST(test_case_is_the_first_that_has_what_the_row_names),
		UNIT_TEST(test_same_step_is_planned_once),
		UNIT_TEST(test_result_is_found_by_the_servers_name_and_the_scenarios_axis),
		UNIT_TEST(test_median_and_ratio_are_written_with_what_they_are_of),
		{ NULL, NULL },
	};
	return unit_main("bench row", tests);
}
