#include "bench/against.h"

#include "bench/plan.h"
#include "tests/unit/unit.h"

static void
test_verdict_is_what_all_repeats_say(void)
{
	static const struct bench_spread less = { 0.9, 0.8, 0.99, 5 }, more = { 1.1, 1.01, 1.2, 5 };
	static const struct bench_spread both = { 1.01, 0.99, 1.2, 5 }, touching = { 0.9, 0.8, 1, 5 };
	CU_ASSERT_STRING_EQUAL(bench_against_verdict(&less), "less");
	CU_ASSERT_STRING_EQUAL(bench_against_verdict(&more), "more");
	CU_ASSERT_PTR_NULL(bench_against_verdict(&both));
	CU_ASSERT_PTR_NULL(bench_against_verdict(&touching));
}

static void
test_one_repeat_is_no_verdict(void)
{
	static const struct bench_spread once = { 0.5, 0.5, 0.5, 1 }, never = { 0 };
	CU_ASSERT_PTR_NULL(bench_against_verdict(&once));
	CU_ASSERT_PTR_NULL(bench_against_verdict(&never));
}

static void
test_pairs_take_turns_in_who_is_first(void)
{
	const struct bench_plan pairs = { .count = 4, .in_pairs = true }, row = { .count = 4 };
	static const size_t turned[] = { 1, 0, 3, 2 };
	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(bench_plan_step(&pairs, 0, i), i);
		CU_ASSERT_EQUAL(bench_plan_step(&pairs, 1, i), turned[i]);
		CU_ASSERT_EQUAL(bench_plan_step(&pairs, 2, i), i);
		CU_ASSERT_EQUAL(bench_plan_step(&row, 1, i), i);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_verdict_is_what_all_repeats_say),
		UNIT_TEST(test_one_repeat_is_no_verdict),
		UNIT_TEST(test_pairs_take_turns_in_who_is_first),
		{ NULL, NULL },
	};
	return unit_main("bench against", tests);
}
