/* Steps measured at the same time, on a target that nobody asks for anything. */
#include "bench/together.h"

#include <unistd.h>

#include "bench/server/server.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static int
measure_number(struct bench_run *run, const json_t *params, json_t *repeat)
{
	json_int_t number = json_integer_value(json_object_get(params, "number"));
	if (number < 0)
		_exit(3);
	if (number == 0)
		return SL_ECLOSED;
	json_object_set_new(repeat, "number", json_integer(number));
	json_object_set_new(repeat, "process", json_integer(getpid()));
	return 0;
}

static const struct bench_scenario scenario = { .name = "fake", .measure = measure_number };

struct measured {
	struct bench_step steps[4];
	json_t *repeats[4];
};

static void
measure(struct measured *measured, const int *numbers, size_t count)
{
	struct bench_settings settings = { .target = "http://127.0.0.1:1/" };
	CPU_ZERO(&settings.cores);
	sched_getaffinity(0, sizeof settings.cores, &settings.cores);
	while (!CPU_ISSET((size_t)settings.load_core, &settings.cores))
		settings.load_core++;
	for (size_t i = 0; i < count; i++)
		measured->steps[i] = (struct bench_step){ .scenario = &scenario, .peer = &bench_peer_sluice,
			.params = json_pack("{s:i}", "number", numbers[i]) };
	CU_ASSERT_EQUAL(bench_together_measure(measured->steps, count, &settings, 0, measured->repeats), 0);
}

static void
forget(struct measured *measured, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_decref(measured->steps[i].params);
		json_decref(measured->repeats[i]);
	}
}

static json_int_t
value_of(const struct measured *measured, size_t index, const char *name)
{
	return json_integer_value(json_object_get(measured->repeats[index], name));
}

static void
test_each_step_is_measured_by_a_process_of_its_own(void)
{
	static const int numbers[] = { 7, 8, 9 };
	struct measured measured;
	measure(&measured, numbers, 3);
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(value_of(&measured, i, "number"), numbers[i]);
		CU_ASSERT_NOT_EQUAL(value_of(&measured, i, "process"), getpid());
	}
	CU_ASSERT_NOT_EQUAL(value_of(&measured, 0, "process"), value_of(&measured, 1, "process"));
	forget(&measured, 3);
}

static void
test_failures_and_ends_are_told_in_the_repeat(void)
{
	static const int numbers[] = { -1, 0, 5 };
	struct measured measured;
	measure(&measured, numbers, 3);
	CU_ASSERT_PTR_NOT_NULL(json_object_get(measured.repeats[0], "error"));
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(measured.repeats[1], "error")),
		sl_strerror(SL_ECLOSED));
	CU_ASSERT_EQUAL(value_of(&measured, 2, "number"), 5);
	forget(&measured, 3);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_each_step_is_measured_by_a_process_of_its_own),
		UNIT_TEST(test_failures_and_ends_are_told_in_the_repeat),
		{ 0 },
	};
	return unit_main("bench together", tests);
}
