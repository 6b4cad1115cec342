/* Which networks a list names, and what runs on them. */
#include "bench/options.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static struct bench_options options;

/* The names of what the list adds, with a space behind each; "!" for a list that is refused. */
static const char *
names_of(const char *list)
{
	static char names[512];
	const char *why = NULL;
	options = (struct bench_options){ 0 };
	*names = '\0';
	if (bench_options_add_networks(&options, list, &why) != 0)
		return why && *why ? "!" : "refused without a reason";
	for (unsigned i = 0; i < options.network_count; i++)
		strcat(strcat(names, options.networks[i].name), " ");
	return names;
}

static void
test_list_names_networks_of_the_table_and_of_ones_own(void)
{
	CU_ASSERT_STRING_EQUAL(names_of("4g"), "4g ");
	CU_ASSERT_STRING_EQUAL(names_of("lan,bad"), "lan bad ");
	CU_ASSERT_STRING_EQUAL(names_of("rtt=40,loss=0.5"), "rtt=40,loss=0.5 ");
	CU_ASSERT_STRING_EQUAL(names_of("4g,rtt=40,loss=0.5,lan"), "4g rtt=40,loss=0.5 lan ");
	CU_ASSERT_STRING_EQUAL(names_of("rtt=1,rtt=2,loss=1"), "rtt=1 rtt=2,loss=1 ");
	CU_ASSERT_EQUAL(options.networks[1].rtt_ms, 2);
	CU_ASSERT_EQUAL(options.networks[1].loss, 0.01);
}

static void
test_all_is_the_table(void)
{
	CU_ASSERT_STRING_EQUAL(names_of("all"), "lan wifi 4g atlantic satellite bad ");
	CU_ASSERT_STRING_EQUAL(names_of("rtt=1,all"), "rtt=1 lan wifi 4g atlantic satellite bad ");
}

static void
test_list_is_refused_with_a_reason(void)
{
	CU_ASSERT_STRING_EQUAL(names_of("5g"), "!");
	CU_ASSERT_STRING_EQUAL(names_of(""), "!");
	CU_ASSERT_STRING_EQUAL(names_of("4g,"), "!");
	CU_ASSERT_STRING_EQUAL(names_of("loss=1"), "!");
	CU_ASSERT_STRING_EQUAL(names_of("rtt=x"), "!");
	CU_ASSERT_STRING_EQUAL(names_of("all,all,all"), "!");
	char list[300] = "rtt=1";
	memset(list + 5, '0', sizeof list - 6);
	CU_ASSERT_STRING_EQUAL(names_of(list), "!");
}

static void
test_networks_run_what_needs_them_unless_scenarios_are_named(void)
{
	names_of("4g");
	CU_ASSERT_TRUE(bench_options_want(&options, &bench_scenario_net_bytes));
	CU_ASSERT_FALSE(bench_options_want(&options, &bench_scenario_overhead));
	options.scenarios = "overhead";
	CU_ASSERT_FALSE(bench_options_want(&options, &bench_scenario_net_bytes));
	CU_ASSERT_TRUE(bench_options_want(&options, &bench_scenario_overhead));
	options = (struct bench_options){ .settings.full = true };
	CU_ASSERT_FALSE(bench_options_want(&options, &bench_scenario_net_bytes));
	CU_ASSERT_TRUE(bench_options_want(&options, &bench_scenario_overhead));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_list_names_networks_of_the_table_and_of_ones_own),
		UNIT_TEST(test_all_is_the_table),
		UNIT_TEST(test_list_is_refused_with_a_reason),
		UNIT_TEST(test_networks_run_what_needs_them_unless_scenarios_are_named),
		{ 0 },
	};
	return unit_main("bench options", tests);
}
