/* Samples in Prometheus' text format. */
#include "bench/load/fetch.h"

#include "tests/unit/unit.h"

static const char text[] =
	"# HELP turns_total Turns.\n"
	"# TYPE turns_total counter\n"
	"turns_total 12\n"
	"hands_total{result=\"full\"} 3\n"
	"hands_total{result=\"resumed\"} 0.25\n"
	"turns_longest 1e-3\n";

static void
test_metric_is_found_by_its_name_and_labels(void)
{
	double value = 0;
	CU_ASSERT(bench_metric_find(text, "turns_total", &value));
	CU_ASSERT_EQUAL(value, 12);
	CU_ASSERT(bench_metric_find(text, "hands_total{result=\"resumed\"}", &value));
	CU_ASSERT_EQUAL(value, 0.25);
	CU_ASSERT(bench_metric_find(text, "turns_longest", &value));
	CU_ASSERT_EQUAL(value, 1e-3);
}

static void
test_metric_of_a_longer_name_or_of_other_labels_is_another(void)
{
	double value = 7;
	CU_ASSERT(!bench_metric_find(text, "turns", &value));
	CU_ASSERT(!bench_metric_find(text, "hands_total", &value));
	CU_ASSERT(!bench_metric_find(text, "hands_total{result=\"failed\"}", &value));
	CU_ASSERT(!bench_metric_find("", "turns_total", &value));
	CU_ASSERT_EQUAL(value, 7);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_metric_is_found_by_its_name_and_labels),
		UNIT_TEST(test_metric_of_a_longer_name_or_of_other_labels_is_another),
		{ NULL, NULL },
	};
	return unit_main("bench fetch", tests);
}
