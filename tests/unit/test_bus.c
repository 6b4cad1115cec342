#include "bus/bus.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/stub_bus.h"

/* ---- limits and gaps ---- */

static void
test_bus_keeps_the_newest_messages_of_a_channel_and_tells_of_the_rest(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 3;
	struct sl_bus *bus = create_bus(&config, NULL);
	for (uint64_t seq = 10; seq <= 50; seq += 10)
		deliver(bus, "a", seq);
	struct look look = look_at(bus, "a", 19);
	CU_ASSERT_EQUAL(look.count, 3);
	CU_ASSERT_EQUAL(look.first, 30);
	CU_ASSERT_EQUAL(look.gap_resumed, 20);
	CU_ASSERT_EQUAL(look.through, 50);
	look = look_at(bus, "a", 20);
	CU_ASSERT_EQUAL(look.count, 3);
	CU_ASSERT_EQUAL(look.gap_resumed, 0);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_count, 2);
	CU_ASSERT_EQUAL(stats_of(bus).history_messages_now, 3);
	sl_bus_destroy(bus);
}

static void
test_bus_keeps_at_most_so_many_bytes_of_a_channel(void)
{
	struct sl_bus_config config = default_config;
	config.history_bytes = 2 * size_of_message("a") + 1;
	struct sl_bus *bus = create_bus(&config, NULL);
	for (uint64_t seq = 1; seq <= 5; seq++)
		deliver(bus, "a", seq);
	struct look look = look_at(bus, "a", 0);
	CU_ASSERT_EQUAL(look.count, 2);
	CU_ASSERT_EQUAL(look.gap_resumed, 3);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_bytes, 3);
	sl_bus_destroy(bus);
}

static void
test_bus_evicts_of_the_channel_that_holds_most_when_all_are_too_large(void)
{
	struct sl_bus_config config = default_config;
	config.history_total_bytes = 4 * size_of_message("a");
	struct sl_bus *bus = create_bus(&config, NULL);
	deliver(bus, "a", 1);
	deliver(bus, "b", 2);
	deliver(bus, "a", 3);
	deliver(bus, "c", 4);
	deliver(bus, "c", 5); /* a and c hold the same, a longer */
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 1);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).gap_resumed, 1);
	deliver(bus, "d", 6); /* only c holds two */
	CU_ASSERT_EQUAL(look_at(bus, "c", 3).count, 1);
	CU_ASSERT_EQUAL(look_at(bus, "c", 3).gap_resumed, 4);
	deliver(bus, "d", 7);
	CU_ASSERT_EQUAL(look_at(bus, "d", 5).count, 1);
	CU_ASSERT_EQUAL(look_at(bus, "d", 5).gap_resumed, 6);
	CU_ASSERT_EQUAL(look_at(bus, "b", 1).count, 1); /* quiet all the time, and kept */
	CU_ASSERT_EQUAL(stats_of(bus).evicted_total, 3);
	CU_ASSERT_EQUAL(stats_of(bus).history_bytes_now, config.history_total_bytes);
	sl_bus_destroy(bus);
}

static void
test_bus_sweep_drops_what_is_too_old_and_forgets_empty_channels(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	for (uint64_t seq = 1; seq <= 900; seq++) /* more than one hold of the lock */
		deliver(bus, "a", seq);
	deliver(bus, "b", 901);
	set_monotonic_ms += default_config.history_age_ms + 1;
	deliver(bus, "a", 902);
	sl_bus_sweep(bus);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_age, 901);
	CU_ASSERT_EQUAL(stats_of(bus).channels_forgotten, 1);
	CU_ASSERT_EQUAL(stats_of(bus).channels_now, 1);
	struct look look = look_at(bus, "a", 0);
	CU_ASSERT_EQUAL(look.count, 1);
	CU_ASSERT_EQUAL(look.gap_resumed, 900);
	sl_bus_destroy(bus);
}

static void
test_bus_limits_that_are_lowered_hold_at_once_and_for_what_is_there(void)
{
	struct sl_bus_config config = default_config;
	struct sl_bus *bus = create_bus(&config, NULL);
	size_t size = size_of_message("a");
	deliver_many(bus, "a", 1, 900); /* more than one hold of the lock */
	deliver_many(bus, "b", 901, 910);
	config.history_messages = 5;
	sl_bus_set_limits(bus, &config, 0);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).first, 896);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).gap_resumed, 895);
	CU_ASSERT_EQUAL(look_at(bus, "b", 0).first, 906);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_count, 900);
	config.history_bytes = 3 * size;
	sl_bus_set_limits(bus, &config, 0);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).first, 898);
	CU_ASSERT_EQUAL(look_at(bus, "b", 0).first, 908);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_bytes, 4);
	config.history_total_bytes = 4 * size;
	sl_bus_set_limits(bus, &config, 0);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 2);
	CU_ASSERT_EQUAL(look_at(bus, "b", 0).count, 2);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_total, 2);
	config.history_age_ms = 10;
	set_monotonic_ms += 11;
	deliver(bus, "b", 911);
	sl_bus_set_limits(bus, &config, 0);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 0);
	CU_ASSERT_EQUAL(look_at(bus, "b", 0).first, 911);
	sl_bus_destroy(bus);
}

static void
test_bus_limits_that_are_raised_let_more_be_kept(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 2;
	struct sl_bus *bus = create_bus(&config, NULL);
	deliver_many(bus, "a", 1, 5);
	config.history_messages = 4;
	sl_bus_set_limits(bus, &config, 0);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 2);
	deliver_many(bus, "a", 6, 9);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).first, 6);
	sl_bus_destroy(bus);
}

static void
test_bus_fewer_channels_are_remembered_but_for_those_that_are_wanted(void)
{
	struct sl_bus_config config = default_config;
	struct sl_bus *bus = create_bus(&config, NULL);
	struct sl_channel *wanted[2], *refused;
	uint64_t since;
	deliver_many(bus, "wanted", 1, 3);
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "wanted", 6, 0, &wanted[0], &since), 0);
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "empty", 5, 0, &wanted[1], &since), 0);
	deliver_many(bus, "old", 4, 400);
	deliver_many(bus, "new", 401, 403);
	config.channels_max = 3;
	sl_bus_set_limits(bus, &config, 0);
	CU_ASSERT_EQUAL(stats_of(bus).channels_now, 3);
	CU_ASSERT_EQUAL(look_at(bus, "wanted", 0).count, 3);
	CU_ASSERT_EQUAL(look_at(bus, "new", 0).count, 3);
	config.channels_max = 1;
	sl_bus_set_limits(bus, &config, 0);
	CU_ASSERT_EQUAL(stats_of(bus).channels_now, 2);
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "new", 3, 0, &refused, &since), SL_EFULL);
	sl_bus_destroy(bus);
}

static void
test_bus_append_drops_so_many_at_most_and_the_sweep_the_rest(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 3000;
	struct sl_bus *bus = create_bus(&config, NULL);
	struct sl_message *message;
	static char large[1 << 20];
	deliver_many(bus, "a", 1, 2000);
	memset(large, '1', sizeof large);
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "a", 1, SL_TEXT, large, 1040000), 0);
	sl_bus_lock(bus);
	sl_message_stamp(message, (struct sl_cursor){ 7, 2001 }, set_wall_us);
	sl_bus_deliver(bus, message);
	sl_bus_unlock(bus, -1);
	sl_message_unref(message);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_bytes, 1024);
	sl_bus_sweep(bus);
	CU_ASSERT_TRUE(stats_of(bus).history_bytes_now <= config.history_bytes);
	CU_ASSERT_TRUE(look_at(bus, "a", 0).count > 1);
	sl_bus_destroy(bus);
}

static void
test_bus_evicts_of_the_fullest_whether_it_is_wanted_or_not(void)
{
	struct sl_bus_config config = default_config;
	config.history_total_bytes = 3 * size_of_message("a");
	struct sl_bus *bus = create_bus(&config, NULL);
	struct sl_channel *a, *b;
	uint64_t since;
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "a", 1, 0, &a, &since), 0);
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "b", 1, 0, &b, &since), 0);
	deliver(bus, "a", 1);
	deliver(bus, "a", 2);
	deliver(bus, "x", 3);
	deliver(bus, "x", 4); /* a holds two as well, and did first */
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).gap_resumed, 1);
	deliver(bus, "b", 5);
	CU_ASSERT_EQUAL(look_at(bus, "x", 0).gap_resumed, 3);
	deliver(bus, "y", 6); /* all hold one: a does the longest time, and its record stays */
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).gap_resumed, 2);
	CU_ASSERT_EQUAL(look_at(bus, "x", 3).count, 1);
	CU_ASSERT_EQUAL(look_at(bus, "b", 3).count, 1);
	sl_bus_unwant(bus, 0, a);
	sl_bus_unwant(bus, 0, b);
	sl_bus_destroy(bus);
}

static void
test_bus_sweep_comes_round_to_every_channel(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	char names[900][16]; /* more than one hold of the lock visits */
	struct sl_channel *channel;
	uint64_t since;
	for (unsigned i = 0; i < 900; i++) {
		snprintf(names[i], sizeof names[i], "c%u", i);
		CU_ASSERT_EQUAL(sl_bus_want(bus, 0, names[i], strlen(names[i]), 0, &channel, &since), 0);
	}
	deliver(bus, "old", 1); /* the last in the table, and the first to go */
	set_monotonic_ms += default_config.history_age_ms + 1;
	for (unsigned i = 0; i < 900; i++)
		deliver(bus, names[i], i + 2);
	sl_bus_sweep(bus);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_age, 1);
	CU_ASSERT_EQUAL(stats_of(bus).channels_now, 900);
	deliver(bus, "old", 902);
	set_monotonic_ms += default_config.history_age_ms + 1;
	sl_bus_sweep(bus); /* starts over */
	CU_ASSERT_EQUAL(stats_of(bus).evicted_age, 902);
	sl_bus_destroy(bus);
}

static void
test_bus_age_counts_from_arrival_however_the_wall_clock_steps(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	deliver(bus, "a", 1);
	set_wall_us += 2 * SET_CLOCK_DAY_US;
	sl_bus_sweep(bus);
	deliver(bus, "a", 2); /* stamped two days ahead */
	set_wall_us -= 3 * SET_CLOCK_DAY_US;
	deliver(bus, "a", 3);
	set_monotonic_ms += default_config.history_age_ms;
	sl_bus_sweep(bus);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 3);
	set_monotonic_ms += 1;
	sl_bus_sweep(bus);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 0);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).gap_resumed, 3);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_age, 3);
	set_wall_us = SET_CLOCK_START_US;
	sl_bus_destroy(bus);
}

static void
test_bus_keeps_everything_while_the_machine_is_younger_than_the_age(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	uint64_t before_ms = set_monotonic_ms;
	set_monotonic_ms = 5;
	deliver(bus, "a", 1);
	set_monotonic_ms = default_config.history_age_ms - 1;
	sl_bus_sweep(bus);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 1);
	set_monotonic_ms = before_ms;
	sl_bus_destroy(bus);
}

static void
test_bus_floor_rises_with_forgotten_channels_and_tells_cursors_below(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 0;
	struct sl_bus *bus = create_bus(&config, NULL);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).gap_resumed, 0); /* nothing was ever lost */
	deliver(bus, "a", 5);
	deliver(bus, "b", 9);
	CU_ASSERT_EQUAL(stats_of(bus).channels_now, 0);
	CU_ASSERT_EQUAL(look_at(bus, "a", 4).gap_resumed, 9);
	CU_ASSERT_EQUAL(look_at(bus, "c", 8).gap_resumed, 9);
	CU_ASSERT_EQUAL(look_at(bus, "c", 9).gap_resumed, 0);
	sl_bus_destroy(bus);
}

static void
test_bus_keeps_the_record_of_a_wanted_channel_without_raising_the_floor(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 0;
	struct sl_bus *bus = create_bus(&config, NULL);
	struct sl_channel *a;
	uint64_t since;
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "a", 1, 0, &a, &since), 0);
	deliver(bus, "a", 5);
	CU_ASSERT_EQUAL(look_at(bus, "a", 4).gap_resumed, 5);
	CU_ASSERT_EQUAL(look_at(bus, "b", 4).gap_resumed, 0);
	sl_bus_unwant(bus, 0, a);
	CU_ASSERT_EQUAL(look_at(bus, "b", 4).gap_resumed, 5);
	sl_bus_destroy(bus);
}

static void
test_bus_at_channels_max_forgets_what_nobody_wants_and_refuses_otherwise(void)
{
	struct sl_bus_config config = default_config;
	config.channels_max = 2;
	struct sl_bus *bus = create_bus(&config, NULL);
	struct sl_channel *a, *b, *c;
	uint64_t since;
	deliver(bus, "x", 1);
	deliver(bus, "y", 2);
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "a", 1, 0, &a, &since), 0); /* x goes */
	CU_ASSERT_EQUAL(stats_of(bus).channels_now, 2);
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "b", 1, 0, &b, &since), 0); /* y goes */
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "c", 1, 0, &c, &since), SL_EFULL);
	deliver(bus, "c", 3); /* has no place: the floor tells of it */
	sl_bus_unwant(bus, 0, b);
	CU_ASSERT_EQUAL(look_at(bus, "c", 2).gap_resumed, 3);
	CU_ASSERT_EQUAL(sl_bus_head(bus).seq, 3);
	sl_bus_unwant(bus, 0, a);
	sl_bus_destroy(bus);
}

/* ---- cursors ---- */

static void
test_bus_knows_a_wrong_cursor_from_one_this_node_has_not_reached(void)
{
	struct stub *stub;
	struct sl_bus *bus = create_bus(&default_config, &stub);
	CU_ASSERT_EQUAL(sl_bus_head(bus).epoch, 7);
	deliver(bus, "a", 10);
	CU_ASSERT_FALSE(sl_bus_is_above_log(bus, 10));
	CU_ASSERT_TRUE(sl_bus_is_above_log(bus, 11));
	stub->last_seq = 15;
	CU_ASSERT_FALSE(sl_bus_is_above_log(bus, 15));
	CU_ASSERT_TRUE(sl_bus_is_above_log(bus, 16));
	sl_bus_destroy(bus);
}

/* ---- without memory ---- */

/* What history has no memory for reaches the mailboxes all the same, and is a gap for readers. */
static void
test_bus_without_memory_delivers_and_tells_readers_of_the_gap(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		struct sl_bus *bus = create_bus(&default_config, NULL);
		struct sl_mailbox mailbox;
		struct sl_message *messages[10];
		struct sl_channel *wanted;
		uint64_t since;
		CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailbox, 16), 0);
		sl_bus_attach(bus, 0, &mailbox, NULL);
		CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "a", 1, 0, &wanted, &since), 0);
		for (uint64_t i = 0; i < 10; i++) /* "b" is nobody's, and has no record yet */
			sl_message_create(&messages[i], i % 2 ? "a" : "b", 1, SL_TEXT, "x", 1);
		failing_again(&failing);
		for (uint64_t i = 0; i < 10; i++) {
			sl_bus_append(bus, messages[i], 0, 0);
			sl_message_unref(messages[i]);
		}
		failing_alloc_off();
		CU_ASSERT_EQUAL(sl_bus_head(bus).seq, 10);
		CU_ASSERT_EQUAL(drain(&mailbox), 10);
		for (const char *channel = "a"; channel; channel = *channel == 'a' ? "b" : NULL) {
			struct look look = look_at(bus, channel, 0);
			uint64_t above = 0; /* the gap: those that must be there */
			for (uint64_t seq = *channel == 'a' ? 2 : 1; seq <= 10; seq += 2)
				above += seq > look.gap_resumed;
			CU_ASSERT_EQUAL(look.count, above);
			CU_ASSERT(failing_alloc_has_failed() || look.count == 5);
		}
		sl_bus_unwant(bus, 0, wanted);
		sl_bus_destroy(bus);
		sl_mailbox_finish(&mailbox);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_bus_keeps_the_newest_messages_of_a_channel_and_tells_of_the_rest),
		UNIT_TEST(test_bus_keeps_at_most_so_many_bytes_of_a_channel),
		UNIT_TEST(test_bus_evicts_of_the_channel_that_holds_most_when_all_are_too_large),
		UNIT_TEST(test_bus_sweep_drops_what_is_too_old_and_forgets_empty_channels),
		UNIT_TEST(test_bus_limits_that_are_lowered_hold_at_once_and_for_what_is_there),
		UNIT_TEST(test_bus_limits_that_are_raised_let_more_be_kept),
		UNIT_TEST(test_bus_fewer_channels_are_remembered_but_for_those_that_are_wanted),
		UNIT_TEST(test_bus_append_drops_so_many_at_most_and_the_sweep_the_rest),
		UNIT_TEST(test_bus_evicts_of_the_fullest_whether_it_is_wanted_or_not),
		UNIT_TEST(test_bus_sweep_comes_round_to_every_channel),
		UNIT_TEST(test_bus_age_counts_from_arrival_however_the_wall_clock_steps),
		UNIT_TEST(test_bus_keeps_everything_while_the_machine_is_younger_than_the_age),
		UNIT_TEST(test_bus_floor_rises_with_forgotten_channels_and_tells_cursors_below),
		UNIT_TEST(test_bus_keeps_the_record_of_a_wanted_channel_without_raising_the_floor),
		UNIT_TEST(test_bus_at_channels_max_forgets_what_nobody_wants_and_refuses_otherwise),
		UNIT_TEST(test_bus_knows_a_wrong_cursor_from_one_this_node_has_not_reached),
		UNIT_TEST(test_bus_without_memory_delivers_and_tells_readers_of_the_gap),
		{ NULL, NULL },
	};
	return unit_main("bus", tests);
}
