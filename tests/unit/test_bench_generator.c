/* Which cores the generator takes, when it may poll them, and what makes it doubtful. */
#include "bench/load/generator.h"

#include <string.h>

#include "tests/unit/unit.h"

#define SECOND 1000000000u

/* A run that may use the cores named, one a letter: "abd" is 0, 1 and 3. */
static struct bench_settings
settings_of(const char *cores, int server_core, int load_core)
{
	struct bench_settings settings = { .server_core = server_core, .load_core = load_core };
	for (; *cores; cores++)
		CPU_SET((size_t)(*cores - 'a'), &settings.cores);
	return settings;
}

static void
test_generator_takes_the_cores_that_the_server_does_not(void)
{
	struct bench_settings settings = settings_of("bcef", 2, 4);
	static const int wanted[] = { 4, 5, 1, 4 };
	CU_ASSERT_EQUAL(bench_generator_threads(&settings), 3);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(bench_generator_core(&settings, i), wanted[i]);
	settings = settings_of("a", 0, 0);
	CU_ASSERT_EQUAL(bench_generator_threads(&settings), 1);
	CU_ASSERT_EQUAL(bench_generator_core(&settings, 1), 0);
}

static void
test_generator_polls_where_each_has_a_core(void)
{
	struct bench_settings settings = settings_of("ab", 0, 1);
	CU_ASSERT_PTR_NULL(bench_generator_must_sleep(&settings));
	settings = settings_of("abcd", 0, 1);
	settings.threads = 3;
	CU_ASSERT_PTR_NULL(bench_generator_must_sleep(&settings));
}

static void
test_generator_sleeps_where_polling_takes_a_core_from_others(void)
{
	struct bench_settings settings = settings_of("a", 0, 0);
	CU_ASSERT_PTR_NOT_NULL(bench_generator_must_sleep(&settings));
	settings = settings_of("ab", 1, 1);
	CU_ASSERT_PTR_NOT_NULL(bench_generator_must_sleep(&settings));
	settings = settings_of("ab", 0, 1);
	settings.threads = 2;
	CU_ASSERT_PTR_NOT_NULL(bench_generator_must_sleep(&settings));
}

static void
test_generator_polls_for_a_target_whose_process_is_told(void)
{
	struct bench_settings settings = settings_of("ab", 0, 1);
	settings.target = "http://127.0.0.1:1/";
	CU_ASSERT_EQUAL(bench_generator_threads(&settings), 2);
	CU_ASSERT_PTR_NOT_NULL(bench_generator_must_sleep(&settings));
	settings.target_pid = 1;
	CU_ASSERT_EQUAL(bench_generator_threads(&settings), 1);
	CU_ASSERT_PTR_NULL(bench_generator_must_sleep(&settings));
}

/* Of one thread that had `busy` of a second to do something and `cpu` of it its core. */
static json_t *
generator_of(bool busy_polls, double busy, double cpu, uint64_t late_ns, bool late_matters)
{
	struct bench_histogram *late = calloc(1, sizeof *late);
	struct bench_generator_use use = { .busy_polls = busy_polls };
	struct bench_effort effort = { .elapsed_ns = SECOND, .cpu_ns = (uint64_t)(cpu * SECOND),
		.idle_ns = (uint64_t)((1 - busy) * SECOND), .wakeups = 7 };
	json_t *repeat = json_object();
	CU_ASSERT_PTR_NOT_NULL_FATAL(late);
	bench_histogram_record(late, late_ns);
	bench_generator_use_add(&use, &effort);
	bench_usage_set_generator(repeat, &use, late, late_matters);
	json_t *generator = json_incref(json_object_get(repeat, "generator"));
	json_decref(repeat);
	free(late);
	return generator;
}

/* Returns whether it is saturated, for a reason that has `word` in it. */
static bool
is_saturated(json_t *generator, const char *word)
{
	const char *reason = json_string_value(json_array_get(json_object_get(generator, "reasons"), 0));
	bool saturated = json_is_true(json_object_get(generator, "saturated"));
	CU_ASSERT_EQUAL(saturated, reason != NULL);
	bool named = reason && strstr(reason, word);
	json_decref(generator);
	return saturated && named;
}

static void
test_generator_that_polls_is_not_saturated_by_that(void)
{
	CU_ASSERT_FALSE(is_saturated(generator_of(true, 0.3, 1.0, 0, true), ""));
	CU_ASSERT_FALSE(is_saturated(generator_of(false, 0.3, 0.35, 0, true), ""));
}

static void
test_generator_that_always_has_something_to_do_is_saturated(void)
{
	CU_ASSERT_TRUE(is_saturated(generator_of(true, 0.94, 1.0, 0, false), "busy for 94 %"));
	CU_ASSERT_TRUE(is_saturated(generator_of(false, 0.94, 0.93, 0, false), "busy for 94 %"));
}

static void
test_generator_that_polls_without_its_core_is_saturated(void)
{
	CU_ASSERT_TRUE(is_saturated(generator_of(true, 0.3, 0.62, 0, false), "62 % of its core"));
	CU_ASSERT_FALSE(is_saturated(generator_of(false, 0.3, 0.62, 0, false), ""));
}

static void
test_generator_that_is_late_is_saturated_where_times_are_measured(void)
{
	CU_ASSERT_TRUE(is_saturated(generator_of(true, 0.3, 1.0, 5000000, true), "late by"));
	CU_ASSERT_FALSE(is_saturated(generator_of(true, 0.3, 1.0, 5000000, false), ""));
}

static void
test_generator_of_several_threads_is_judged_by_the_worst(void)
{
	static const struct bench_effort efforts[] = {
		{ .elapsed_ns = SECOND, .cpu_ns = SECOND, .idle_ns = SECOND / 4, .wakeups = 2 },
		{ .elapsed_ns = SECOND, .cpu_ns = SECOND / 2, .idle_ns = SECOND / 2, .wakeups = 3 },
		{ .elapsed_ns = 0 }, /* it measured nothing */
	};
	for (unsigned polls = 0; polls < 2; polls++) {
		struct bench_generator_use use = { .busy_polls = polls };
		for (unsigned i = 0; i < 3; i++)
			bench_generator_use_add(&use, &efforts[i]);
		CU_ASSERT_DOUBLE_EQUAL(use.busy_share, 0.75, 1e-9);
		CU_ASSERT_DOUBLE_EQUAL(use.cpu_share, polls ? 0.5 : 1.0, 1e-9);
		CU_ASSERT_EQUAL(use.wakeups, 5);
	}
}

static void
test_wakeups_stand_beside_a_cpu_figure(void)
{
	static const struct bench_usage before = { .server_ns = 1, .server_sleeps = 10 };
	static const struct bench_usage after = { .server_ns = 9, .server_sleeps = 30 }, unseen = { 0 };
	json_t *figures = json_object();
	bench_usage_set_wakeups(figures, "delivery", 50, &before, &after, 100);
	CU_ASSERT_EQUAL(json_number_value(json_object_get(figures, "wakeups_per_delivery")), 0.5);
	CU_ASSERT_EQUAL(json_number_value(json_object_get(figures, "server_sleeps_per_delivery")), 0.2);
	json_object_clear(figures);
	bench_usage_set_wakeups(figures, "request", 50, &unseen, &unseen, 100);
	CU_ASSERT_EQUAL(json_number_value(json_object_get(figures, "wakeups_per_request")), 0.5);
	CU_ASSERT_EQUAL(json_object_size(figures), 1);
	json_object_clear(figures);
	bench_usage_set_wakeups(figures, "request", 50, &before, &after, 0);
	CU_ASSERT_EQUAL(json_object_size(figures), 0);
	json_decref(figures);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_generator_takes_the_cores_that_the_server_does_not),
		UNIT_TEST(test_generator_polls_where_each_has_a_core),
		UNIT_TEST(test_generator_sleeps_where_polling_takes_a_core_from_others),
		UNIT_TEST(test_generator_polls_for_a_target_whose_process_is_told),
		UNIT_TEST(test_generator_that_polls_is_not_saturated_by_that),
		UNIT_TEST(test_generator_that_always_has_something_to_do_is_saturated),
		UNIT_TEST(test_generator_that_polls_without_its_core_is_saturated),
		UNIT_TEST(test_generator_that_is_late_is_saturated_where_times_are_measured),
		UNIT_TEST(test_generator_of_several_threads_is_judged_by_the_worst),
		UNIT_TEST(test_wakeups_stand_beside_a_cpu_figure),
		{ NULL, NULL },
	};
	return unit_main("bench generator", tests);
}
