#include "bench/budget.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static double limits[16];

static int
parse(const char *text)
{
	char copy[512];
	snprintf(copy, sizeof copy, "%s", text);
	FILE *file = fmemopen(copy, strlen(copy), "r");
	int err = bench_budget_parse(file, limits);
	fclose(file);
	return err;
}

/* A result whose repeats have these figures, and refused or not. */
static json_t *
result_with(double first, double second, bool refused)
{
	return json_pack("{s:[{s:{s:f}}, {s:{s:f}}], s:s*}", "repeats", "figures", "us", first, "figures", "us",
		second, "refused", refused ? "lost 1" : NULL);
}

static void
test_limits_are_read_by_name(void)
{
	CU_ASSERT_EQUAL(parse("# a comment\n\nsse-single 1.5 # why\n\twebsocket-single\t1.25\n"), 0);
	for (const struct bench_budget *budget = bench_budgets; budget->name; budget++) {
		double limit = limits[budget - bench_budgets];
		if (strcmp(budget->name, "sse-single") == 0)
			CU_ASSERT_EQUAL(limit, 1.5)
		else if (strcmp(budget->name, "websocket-single") == 0)
			CU_ASSERT_EQUAL(limit, 1.25)
		else
			CU_ASSERT_EQUAL(limit, 0)
	}
}

static void
test_line_that_is_no_limit_is_refused(void)
{
	CU_ASSERT_EQUAL(parse("sse-single\n"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(parse("sse-single 0\n"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(parse("sse-single 1.5 x\n"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(parse("carrier-pigeon 1.5\n"), SL_ESYNTAX);
}

static void
test_ratio_is_of_the_same_repeat(void)
{
	json_t *result = result_with(6, 12, false), *floor = result_with(5, 10, false);
	struct bench_spread ratio = bench_budget_ratio(result, floor, "us");
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
	CU_ASSERT_EQUAL(bench_budget_ratio(result, refused, "us").count, 0);
	CU_ASSERT_EQUAL(bench_budget_ratio(refused, result, "us").count, 0);
	CU_ASSERT_EQUAL(bench_budget_ratio(result, NULL, "us").count, 0);
	CU_ASSERT_EQUAL(bench_budget_ratio(result, result, "other").count, 0);
	json_decref(result);
	json_decref(refused);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_limits_are_read_by_name),
		UNIT_TEST(test_line_that_is_no_limit_is_refused),
		UNIT_TEST(test_ratio_is_of_the_same_repeat),
		UNIT_TEST(test_there_is_no_ratio_to_lost_work_or_to_nothing),
		{ NULL, NULL },
	};
	return unit_main("bench budget", tests);
}
