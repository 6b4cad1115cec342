#include "bench/results/statistics.h"

#include "tests/unit/unit.h"

static void
test_spread_of_odd_count_takes_the_middle(void)
{
	double values[] = { 9, 1, 4 };
	struct bench_spread spread = bench_spread_of(values, 3);
	CU_ASSERT_EQUAL(spread.count, 3);
	CU_ASSERT_DOUBLE_EQUAL(spread.median, 4, 0);
	CU_ASSERT_DOUBLE_EQUAL(spread.min, 1, 0);
	CU_ASSERT_DOUBLE_EQUAL(spread.max, 9, 0);
}

static void
test_spread_of_even_count_takes_the_mean_of_the_middle_two(void)
{
	double values[] = { 8, 1, 2, 100 };
	CU_ASSERT_DOUBLE_EQUAL(bench_spread_of(values, 4).median, 5, 0);
}

static void
test_spread_of_nothing_has_no_count(void)
{
	CU_ASSERT_EQUAL(bench_spread_of(NULL, 0).count, 0);
}

static void
test_percentile_is_a_value_that_occurred(void)
{
	double values[100];
	for (int i = 0; i < 100; i++)
		values[i] = 100 - i;
	CU_ASSERT_DOUBLE_EQUAL(bench_percentile(values, 100, 50), 50, 0);
	CU_ASSERT_DOUBLE_EQUAL(bench_percentile(values, 100, 99), 99, 0);
	CU_ASSERT_DOUBLE_EQUAL(bench_percentile(values, 100, 99.5), 100, 0);
	CU_ASSERT_DOUBLE_EQUAL(bench_percentile(values, 100, 100), 100, 0);
	CU_ASSERT_DOUBLE_EQUAL(bench_percentile(values, 100, 0), 1, 0);
}

static void
test_percentile_of_few_values_is_the_largest(void)
{
	double values[] = { 3, 7 };
	CU_ASSERT_DOUBLE_EQUAL(bench_percentile(values, 2, 99), 7, 0);
	CU_ASSERT_DOUBLE_EQUAL(bench_percentile(values, 1, 50), 3, 0);
	CU_ASSERT_DOUBLE_EQUAL(bench_percentile(values, 0, 50), 0, 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_spread_of_odd_count_takes_the_middle),
		UNIT_TEST(test_spread_of_even_count_takes_the_mean_of_the_middle_two),
		UNIT_TEST(test_spread_of_nothing_has_no_count),
		UNIT_TEST(test_percentile_is_a_value_that_occurred),
		UNIT_TEST(test_percentile_of_few_values_is_the_largest),
		{ NULL, NULL },
	};
	return unit_main("bench statistics", tests);
}
