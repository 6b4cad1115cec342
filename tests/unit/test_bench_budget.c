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
	int err = bench_budget_parse(file, bench_budgets, limits);
	fclose(file);
	return err;
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
test_limits_of_the_other_table_are_passed_over(void)
{
	static double of_tls[64];
	char text[] = "sse-single 1.5\ntls-sse-single 1.75\n";
	FILE *file = fmemopen(text, sizeof text - 1, "r");
	CU_ASSERT_EQUAL(bench_budget_parse(file, bench_tls_budgets, of_tls), 0);
	fclose(file);
	for (const struct bench_budget *budget = bench_tls_budgets; budget->name; budget++)
		CU_ASSERT_EQUAL(of_tls[budget - bench_tls_budgets],
			strcmp(budget->name, "tls-sse-single") == 0 ? 1.75 : 0);
	CU_ASSERT_EQUAL(parse(text), 0);
}

static void
test_line_that_is_no_limit_is_refused(void)
{
	CU_ASSERT_EQUAL(parse("sse-single\n"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(parse("sse-single 0\n"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(parse("sse-single 1.5 x\n"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(parse("carrier-pigeon 1.5\n"), SL_ESYNTAX);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_limits_are_read_by_name),
		UNIT_TEST(test_limits_of_the_other_table_are_passed_over),
		UNIT_TEST(test_line_that_is_no_limit_is_refused),
		{ NULL, NULL },
	};
	return unit_main("bench budget", tests);
}
