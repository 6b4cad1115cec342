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
	/* Two pairs, one of three peers, one alone. */
	static const unsigned cases[] = { 1, 1, 2, 2, 3, 3, 3, 4 };
	static const size_t turned[] = { 1, 0, 3, 2, 6, 5, 4, 7 };
	const size_t count = sizeof cases / sizeof *cases;
	struct bench_step steps[sizeof cases / sizeof *cases] = { 0 };
	for (size_t i = 0; i < count; i++) {
		steps[i].scenario = bench_scenario_find("publish");
		steps[i].params = json_pack("{s:i}", "case", cases[i]);
	}
	const struct bench_plan pairs = { .steps = steps, .count = count, .in_pairs = true };
	const struct bench_plan row = { .steps = steps, .count = count };
	for (size_t i = 0; i < count; i++) {
		CU_ASSERT_EQUAL(bench_plan_step(&pairs, 0, i), i);
		CU_ASSERT_EQUAL(bench_plan_step(&pairs, 1, i), turned[i]);
		CU_ASSERT_EQUAL(bench_plan_step(&pairs, 2, i), i);
		CU_ASSERT_EQUAL(bench_plan_step(&row, 1, i), i);
	}
	for (size_t i = 0; i < count; i++)
		json_decref(steps[i].params);
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
