#include "bus/bus.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/stub_bus.h"

#define MANY 64
#define PER_CHANNEL 20

static void
want_many(struct sl_bus *bus, struct sl_read_channel *channels)
{
	for (unsigned i = 0; i < MANY; i++) {
		char name[16];
		uint64_t since;
		size_t len = (size_t)snprintf(name, sizeof name, "c%u", i);
		channels[i] = (struct sl_read_channel){ 0 };
		CU_ASSERT_EQUAL_FATAL(sl_bus_want(bus, 0, name, len, 0, &channels[i].channel, &since), 0);
	}
}

static void
test_read_merges_64_channels_in_rising_order_over_many_reads(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_read_channel channels[MANY];
	struct sl_message *messages[7];
	struct sl_read read = { .channels = channels, .channel_count = MANY, .max_messages = 7,
		.max_bytes = SIZE_MAX, .messages = messages };
	want_many(bus, channels);
	for (uint64_t seq = 1; seq <= MANY * PER_CHANNEL; seq++) {
		char name[16];
		snprintf(name, sizeof name, "c%u", (unsigned)(seq * 37 % MANY));
		deliver(bus, name, seq * 2);
	}
	deliver(bus, "another", 5000);
	uint64_t next = 2;
	do {
		sl_bus_read(bus, &read);
		for (size_t i = 0; i < read.count; i++, next += 2) {
			CU_ASSERT_EQUAL_FATAL(messages[i]->seq, next);
			sl_message_unref(messages[i]);
		}
		CU_ASSERT_EQUAL(read.through, read.more ? next - 2 : 5000);
		for (unsigned i = 0; i < MANY; i++)
			channels[i].after = read.through;
	} while (read.more);
	CU_ASSERT_EQUAL(next, 2 * MANY * PER_CHANNEL + 2);
	sl_bus_destroy(bus);
}

static void
test_read_is_cut_short_by_bytes_but_the_first_message_always_fits(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_read_channel wanted = { .after = 0 };
	struct sl_message *messages[4];
	struct sl_read read = { .channels = &wanted, .channel_count = 1, .max_messages = 4,
		.max_bytes = 1, .messages = messages };
	uint64_t since;
	CU_ASSERT_EQUAL_FATAL(sl_bus_want(bus, 0, "a", 1, 0, &wanted.channel, &since), 0);
	for (uint64_t seq = 1; seq <= 3; seq++)
		deliver(bus, "a", seq);
	sl_bus_read(bus, &read);
	CU_ASSERT_EQUAL_FATAL(read.count, 1);
	CU_ASSERT_TRUE(read.more);
	CU_ASSERT_EQUAL(read.through, 1);
	read.max_bytes = 2 * messages[0]->object_len;
	sl_message_unref(messages[0]);
	wanted.after = 1;
	sl_bus_read(bus, &read);
	CU_ASSERT_EQUAL_FATAL(read.count, 2); /* exactly what is left: not cut short */
	CU_ASSERT_FALSE(read.more);
	CU_ASSERT_EQUAL(read.through, 3);
	sl_message_unref(messages[0]);
	sl_message_unref(messages[1]);
	sl_bus_destroy(bus);
}

static void
want(struct sl_bus *bus, struct sl_read_channel *wanted, const char *channel, uint64_t after)
{
	uint64_t since;
	*wanted = (struct sl_read_channel){ .after = after };
	CU_ASSERT_EQUAL_FATAL(
		sl_bus_want(bus, 0, channel, strlen(channel), 0, &wanted->channel, &since), 0);
}

static void
test_read_finds_the_gap_of_each_channel_by_itself(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 2;
	struct sl_bus *bus = create_bus(&config, NULL);
	struct sl_read_channel channels[3];
	struct sl_message *messages[8];
	struct sl_read read = { .channels = channels, .channel_count = 3, .max_messages = 8,
		.max_bytes = SIZE_MAX, .messages = messages };
	want(bus, &channels[0], "a", 1);
	want(bus, &channels[1], "b", 1);
	want(bus, &channels[2], "c", 1);
	for (uint64_t seq = 1; seq <= 5; seq++)
		deliver(bus, "a", seq); /* 1 to 3 go */
	deliver(bus, "b", 6);
	sl_bus_read(bus, &read);
	CU_ASSERT_EQUAL(channels[0].gap_resumed, 3);
	CU_ASSERT_EQUAL(channels[1].gap_resumed, 0);
	CU_ASSERT_EQUAL(channels[2].gap_resumed, 0);
	CU_ASSERT_EQUAL_FATAL(read.count, 3);
	CU_ASSERT_EQUAL(messages[0]->seq, 4);
	CU_ASSERT_EQUAL(messages[2]->seq, 6);
	CU_ASSERT_EQUAL(read.through, 6);
	for (size_t i = 0; i < read.count; i++)
		sl_message_unref(messages[i]);
	sl_bus_destroy(bus);
}

static void
test_read_tells_of_which_channel_each_message_is(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_read_channel channels[3];
	struct sl_message *messages[8];
	uint8_t sources[8];
	struct sl_read read = { .channels = channels, .channel_count = 3, .max_messages = 8,
		.max_bytes = SIZE_MAX, .messages = messages, .sources = sources };
	want(bus, &channels[0], "a", 0);
	want(bus, &channels[1], "b", 2);
	channels[2] = (struct sl_read_channel){ channels[0].channel, 3, 0 }; /* a again, from later on */
	deliver(bus, "a", 1);
	deliver(bus, "b", 2);
	deliver(bus, "b", 3);
	deliver(bus, "a", 4);
	sl_bus_read(bus, &read);
	CU_ASSERT_EQUAL_FATAL(read.count, 4);
	CU_ASSERT_TRUE(messages[0]->seq == 1 && sources[0] == 0);
	CU_ASSERT_TRUE(messages[1]->seq == 3 && sources[1] == 1);
	CU_ASSERT_TRUE(messages[2]->seq == 4 && messages[3]->seq == 4);
	CU_ASSERT_EQUAL(sources[2] + sources[3], 2);
	CU_ASSERT_FALSE(read.more);
	CU_ASSERT_EQUAL(read.through, 4);
	for (size_t i = 0; i < read.count; i++)
		sl_message_unref(messages[i]);
	sl_bus_destroy(bus);
}

static void
test_read_that_is_cut_between_two_of_one_message_is_not_through_with_it(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_read_channel channels[2];
	struct sl_message *messages[3];
	struct sl_read read = { .channels = channels, .channel_count = 2, .max_messages = 3,
		.max_bytes = SIZE_MAX, .messages = messages };
	want(bus, &channels[0], "a", 0);
	channels[1] = channels[0];
	deliver(bus, "a", 7);
	deliver(bus, "a", 8);
	for (size_t room = 1; room <= 3; room++) {
		static const uint64_t through[] = { 6, 7, 7 };
		read.max_messages = room;
		sl_bus_read(bus, &read);
		CU_ASSERT_EQUAL(read.count, room);
		CU_ASSERT_TRUE(read.more);
		CU_ASSERT_EQUAL(read.through, through[room - 1]);
		for (size_t i = 0; i < read.count; i++)
			sl_message_unref(messages[i]);
	}
	sl_bus_destroy(bus);
}

static void
test_read_with_room_for_none_finds_gaps_alone(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 1;
	struct sl_bus *bus = create_bus(&config, NULL);
	struct sl_read_channel wanted;
	struct sl_read read = { .channels = &wanted, .channel_count = 1, .max_bytes = SIZE_MAX };
	want(bus, &wanted, "a", 4);
	deliver_many(bus, "a", 5, 9);
	sl_bus_read(bus, &read);
	CU_ASSERT_EQUAL(wanted.gap_resumed, 8);
	CU_ASSERT_EQUAL(read.count, 0);
	CU_ASSERT_TRUE(read.more);
	CU_ASSERT_EQUAL(read.through, 0); /* nothing has been returned */
	sl_bus_destroy(bus);
}

static void
test_read_from_above_the_head_is_empty(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_read_channel wanted;
	struct sl_message *messages[1];
	struct sl_read read = { .channels = &wanted, .channel_count = 1, .max_messages = 1,
		.max_bytes = SIZE_MAX, .messages = messages };
	deliver(bus, "a", 5);
	want(bus, &wanted, "a", 70); /* of a node that is ahead */
	sl_bus_read(bus, &read);
	CU_ASSERT_EQUAL(read.count, 0);
	CU_ASSERT_EQUAL(wanted.gap_resumed, 0);
	CU_ASSERT_FALSE(read.more);
	CU_ASSERT_EQUAL(read.through, 5);
	sl_bus_destroy(bus);
}

static void
test_read_takes_a_reference_that_outlives_history(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 1;
	struct sl_bus *bus = create_bus(&config, NULL);
	struct sl_read_channel wanted;
	struct sl_message *messages[1];
	struct sl_read read = { .channels = &wanted, .channel_count = 1, .max_messages = 1,
		.max_bytes = SIZE_MAX, .messages = messages };
	deliver(bus, "a", 5);
	want(bus, &wanted, "a", 0);
	sl_bus_read(bus, &read);
	CU_ASSERT_EQUAL_FATAL(read.count, 1);
	deliver(bus, "a", 6);
	sl_bus_destroy(bus);
	CU_ASSERT_EQUAL(messages[0]->refs, 1);
	CU_ASSERT_EQUAL(messages[0]->seq, 5);
	sl_message_unref(messages[0]);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_read_merges_64_channels_in_rising_order_over_many_reads),
		UNIT_TEST(test_read_is_cut_short_by_bytes_but_the_first_message_always_fits),
		UNIT_TEST(test_read_finds_the_gap_of_each_channel_by_itself),
		UNIT_TEST(test_read_tells_of_which_channel_each_message_is),
		UNIT_TEST(test_read_that_is_cut_between_two_of_one_message_is_not_through_with_it),
		UNIT_TEST(test_read_with_room_for_none_finds_gaps_alone),
		UNIT_TEST(test_read_from_above_the_head_is_empty),
		UNIT_TEST(test_read_takes_a_reference_that_outlives_history),
		{ NULL, NULL },
	};
	return unit_main("bus_read", tests);
}
