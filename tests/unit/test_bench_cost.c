#include "bench/cost.h"

#include <string.h>

#include "tests/unit/unit.h"

static void
test_verdict_holds_the_value_against_the_limit(void)
{
	CU_ASSERT_STRING_EQUAL(bench_cost_verdict(1.59, 1.6), "within");
	CU_ASSERT_STRING_EQUAL(bench_cost_verdict(1.6, 1.6), "within");
	CU_ASSERT_STRING_EQUAL(bench_cost_verdict(1.61, 1.6), "over");
	CU_ASSERT_STRING_EQUAL(bench_cost_verdict(0, 0), "within");
	CU_ASSERT_STRING_EQUAL(bench_cost_verdict(1, 0), "over");
}

static void
test_what_was_not_measured_or_has_no_limit_is_not_judged(void)
{
	CU_ASSERT_STRING_EQUAL(bench_cost_verdict(-1, 1.6), "not measured");
	CU_ASSERT_STRING_EQUAL(bench_cost_verdict(-1, -1), "not measured");
	CU_ASSERT_STRING_EQUAL(bench_cost_verdict(20, -1), "");
}

static void
check_rows(const struct bench_budget *budgets, const char *prefix)
{
	static const struct bench_settings settings = { .quick = true };
	for (const struct bench_budget *budget = budgets; budget->name; budget++) {
		json_t *params = bench_row_case(&budget->row, &settings), *value;
		const char *key;
		unsigned found = 0, wanted = (budget->row.words[0] != NULL) + (budget->row.words[1] != NULL);
		CU_ASSERT_EQUAL(strncmp(budget->name, prefix, strlen(prefix)), 0);
		CU_ASSERT_PTR_NOT_NULL(bench_figure_find(budget->row.scenario, budget->row.figure));
		CU_ASSERT_PTR_NOT_NULL(params);
		for (unsigned i = 0; i < wanted; i++)
			json_object_foreach(params, key, value)
				found += json_is_string(value)
					&& strcmp(json_string_value(value), budget->row.words[i]) == 0;
		CU_ASSERT_EQUAL(found, wanted);
		json_decref(params);
	}
}

static void
test_every_row_names_a_figure_and_a_case_of_its_scenario(void)
{
	check_rows(bench_tls_budgets, "tls-");
	check_rows(bench_token_budgets, "tokens-");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_verdict_holds_the_value_against_the_limit),
		UNIT_TEST(test_what_was_not_measured_or_has_no_limit_is_not_judged),
		UNIT_TEST(test_every_row_names_a_figure_and_a_case_of_its_scenario),
		{ NULL, NULL },
	};
	return unit_main("bench cost", tests);
}
