#include "bench/load/break_even.h"

#include "tests/unit/unit.h"

static const double rates[] = { 1, 2, 4 };

static bool
is_near(double value, double wanted)
{
	return value > wanted - 1e-9 && value < wanted + 1e-9;
}

static void
test_break_even_interpolates_between_two_rates(void)
{
	const double rising[] = { 10, 20, 40 }, flat[] = { 25, 25, 25 };
	double rate = 0;
	CU_ASSERT(bench_break_even(rates, rising, flat, 3, &rate));
	CU_ASSERT(is_near(rate, 2.5));
	CU_ASSERT(bench_break_even(rates, flat, rising, 3, &rate));
	CU_ASSERT(is_near(rate, 2.5));
}

static void
test_break_even_takes_the_first_crossing(void)
{
	const double zigzag[] = { 0, 2, 0 }, flat[] = { 1, 1, 1 };
	double rate = 0;
	CU_ASSERT(bench_break_even(rates, zigzag, flat, 3, &rate));
	CU_ASSERT(is_near(rate, 1.5));
}

static void
test_break_even_may_lie_at_a_measured_rate(void)
{
	const double rising[] = { 10, 20, 30 }, flat[] = { 20, 20, 20 }, last[] = { 30, 30, 30 };
	double rate = 0;
	CU_ASSERT(bench_break_even(rates, rising, flat, 3, &rate));
	CU_ASSERT(is_near(rate, 2));
	CU_ASSERT(bench_break_even(rates, rising, last, 3, &rate));
	CU_ASSERT(is_near(rate, 4));
}

static void
test_break_even_is_not_found_where_curves_do_not_cross(void)
{
	const double low[] = { 1, 2, 3 }, high[] = { 2, 3, 4 };
	double rate;
	CU_ASSERT_FALSE(bench_break_even(rates, low, high, 3, &rate));
	CU_ASSERT_FALSE(bench_break_even(rates, low, high, 0, &rate));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_break_even_interpolates_between_two_rates),
		UNIT_TEST(test_break_even_takes_the_first_crossing),
		UNIT_TEST(test_break_even_may_lie_at_a_measured_rate),
		UNIT_TEST(test_break_even_is_not_found_where_curves_do_not_cross),
		{ NULL, NULL },
	};
	return unit_main("bench break-even", tests);
}
