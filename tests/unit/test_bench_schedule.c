#include "bench/load/schedule.h"

#include "tests/unit/unit.h"

static const struct bench_schedule singles = {
	.start_ns = 1000, .rate = 250, .first = 40, .count = 100, .burst = 1,
};
static const struct bench_schedule bursts = {
	.start_ns = 5000, .rate = 4, .first = 7, .count = 3, .burst = 10,
};

static void
test_schedule_spaces_writes_evenly_from_the_start(void)
{
	CU_ASSERT_EQUAL(bench_schedule_due(&singles, 0), 1000);
	CU_ASSERT_EQUAL(bench_schedule_due(&singles, 1), 4001000);
	CU_ASSERT_EQUAL(bench_schedule_due(&singles, 100), 400001000);
}

static void
test_schedule_tells_when_a_message_was_due_by_its_number(void)
{
	CU_ASSERT_EQUAL(bench_schedule_due_of(&singles, 40), 1000);
	CU_ASSERT_EQUAL(bench_schedule_due_of(&singles, 42), 8001000);
}

static void
test_schedule_has_all_of_a_burst_due_at_once(void)
{
	CU_ASSERT_EQUAL(bench_schedule_messages(&bursts), 30);
	CU_ASSERT_EQUAL(bench_schedule_due_of(&bursts, 7), 5000);
	CU_ASSERT_EQUAL(bench_schedule_due_of(&bursts, 16), 5000);
	CU_ASSERT_EQUAL(bench_schedule_due_of(&bursts, 17), 250005000);
}

static void
test_schedule_deals_messages_to_channels_in_turn(void)
{
	static const uint32_t owed[][3] = { { 0, 0, 0 }, { 1, 0, 0 }, { 1, 1, 0 }, { 1, 1, 1 }, { 2, 1, 1 } };
	for (uint32_t end = 0; end < 5; end++)
		for (uint32_t channel = 0; channel < 3; channel++)
			CU_ASSERT_EQUAL(bench_schedule_dealt(end, channel, 3), owed[end][channel]);
	CU_ASSERT_EQUAL(bench_schedule_dealt(7, 0, 1), 7);
	/* Number 0, 1, 2 of channel 1 are the messages 1, 4, 7. */
	for (uint32_t seq = 0; seq < 3; seq++)
		CU_ASSERT_EQUAL(bench_schedule_message_of(seq, 1, 3), 3 * seq + 1);
	CU_ASSERT_EQUAL(bench_schedule_message_of(5, 0, 1), 5);
}

static void
test_schedule_does_not_drift(void)
{
	struct bench_schedule thirds = { .rate = 3, .count = 3000000, .burst = 1 };
	CU_ASSERT_EQUAL(bench_schedule_due(&thirds, 3000000), 1000000000000000u);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_schedule_spaces_writes_evenly_from_the_start),
		UNIT_TEST(test_schedule_tells_when_a_message_was_due_by_its_number),
		UNIT_TEST(test_schedule_has_all_of_a_burst_due_at_once),
		UNIT_TEST(test_schedule_deals_messages_to_channels_in_turn),
		UNIT_TEST(test_schedule_does_not_drift),
		{ NULL, NULL },
	};
	return unit_main("bench schedule", tests);
}
