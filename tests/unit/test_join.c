#include "live/join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "live/fanout.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/labels.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct world_client client;
static struct sl_gap gaps[SL_CHANNELS_MAX];
static size_t gap_count;

static void
sweep(void)
{
	world.shard.loop.now_ms += 10001;
	sl_fanout_sweep(&world.shard);
}

/* A subscriber without channels. */
static void
start(const char *const *options)
{
	world_open(&world, options);
	client_open_stream(&client, &world, "channels=z");
	sl_fanout_unsubscribe_all(client.subscriber);
	sweep();
}

static void
stop(void)
{
	client_close(&client);
	world_close(&world);
}

/* Of the channels "a" and "b". */
static struct sl_join
make_join(enum sl_since since_kind, uint32_t epoch, uint64_t seq)
{
	return (struct sl_join){
		.channels = { { "a", 1 }, { "b", 1 } },
		.channel_count = 2,
		.since_kind = since_kind,
		.since = { epoch, seq },
		.heartbeat_s = -1,
		.reason = SL_REASON_NONE,
	};
}

static int
join(struct sl_join what)
{
	return sl_join_channels(client.subscriber, &what, gaps, &gap_count);
}

static uint32_t
get_epoch(void)
{
	return sl_bus_head(world.bus).epoch;
}

static void
test_join_tells_a_cursor_of_another_epoch_a_gap_for_each_channel(void)
{
	world_open(&world, NULL);
	publish_many("a", 2);
	client_open_stream(&client, &world, "channels=a,b&since=00000001-77");
	expect(&client, "open@0 gap:a:?-0 gap:b:?-0 a1 a2");
	publish_many("b", 1);
	expect(&client, "b3");
	client_close(&client);
	world_close(&world);
}

static void
test_join_tells_a_cursor_above_the_log_a_gap_and_goes_on_at_the_head(void)
{
	world_open(&world, NULL);
	publish_many("a", 3);
	client_open_stream(&client, &world, "channels=a&since=EPOCH-99");
	expect(&client, "open@3 gap:a:99-3");
	publish_many("a", 2);
	expect(&client, "a4 a5");
	client_close(&client);
	world_close(&world);
}

static void
test_join_from_now_is_at_the_head(void)
{
	start(NULL);
	publish_many("a", 3);
	CU_ASSERT_EQUAL(join(make_join(SL_SINCE_NOW, 0, 0)), 0);
	CU_ASSERT_EQUAL(client.subscriber->position, 3);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 2);
	CU_ASSERT_EQUAL(gap_count, 0);
	stop();
}

static void
test_join_at_a_cursor_is_at_its_number(void)
{
	start(NULL);
	publish_many("a", 3);
	CU_ASSERT_EQUAL(join(make_join(SL_SINCE_CURSOR, get_epoch(), 2)), 0);
	CU_ASSERT_EQUAL(client.subscriber->position, 2);
	CU_ASSERT_EQUAL(gap_count, 0);
	stop();
}

static void
test_join_for_all_begins_at_zero_and_counts_nothing_as_lost(void)
{
	static const char *const options[] = { "--history-messages=2", NULL };
	start(options);
	publish_many("a", 5);
	CU_ASSERT_EQUAL(join(make_join(SL_SINCE_ALL, 0, 0)), 0);
	CU_ASSERT_EQUAL(client.subscriber->position, 0);
	CU_ASSERT_EQUAL(gap_count, 0);
	CU_ASSERT_EQUAL(client.subscriber->subscriptions[0].after, 3);
	stop();
}

static void
test_join_with_what_is_no_cursor_has_a_gap_after_nothing(void)
{
	static const char *const options[] = { "--history-messages=2", NULL };
	start(options);
	publish_many("a", 5);
	CU_ASSERT_EQUAL(join(make_join(SL_SINCE_FOREIGN, 0, 0)), 0);
	CU_ASSERT_EQUAL(client.subscriber->position, 0);
	CU_ASSERT_EQUAL_FATAL(gap_count, 2);
	CU_ASSERT_STRING_EQUAL(gaps[0].channel, "a");
	CU_ASSERT_EQUAL(gaps[0].after.epoch, 0);
	CU_ASSERT_EQUAL(gaps[0].resumed.seq, 3);
	CU_ASSERT_STRING_EQUAL(gaps[1].channel, "b");
	CU_ASSERT_EQUAL(gaps[1].resumed.seq, 0);
	CU_ASSERT_EQUAL(gaps[1].resumed.epoch, get_epoch());
	stop();
}

static void
test_join_takes_the_heartbeat_and_the_reason(void)
{
	struct sl_join what = make_join(SL_SINCE_NOW, 0, 0);
	start(NULL);
	CU_ASSERT_EQUAL(join(what), 0);
	CU_ASSERT_EQUAL(client.subscriber->beat_interval_ms, 15000);
	what.heartbeat_s = 40;
	what.reason = SL_REASON_DIED;
	CU_ASSERT_EQUAL(join(what), 0);
	CU_ASSERT_EQUAL(client.subscriber->beat_interval_ms, 40000);
	CU_ASSERT_EQUAL(world.shard.metrics.clients[SL_CLASS_STREAM][SL_REASON_DIED], 1);
	stop();
}

static void
test_join_without_memory_or_room_fails(void)
{
	static const char *const options[] = { "--max-channels-total=1", NULL };
	start(NULL);
	for_each_failing_allocation(failing) {
		failing_expect(join(make_join(SL_SINCE_ALL, 0, 0)));
		sl_fanout_unsubscribe_all(client.subscriber);
		sweep();
	}
	stop();
	start(options);
	CU_ASSERT_EQUAL(join(make_join(SL_SINCE_NOW, 0, 0)), SL_EFULL);
	stop();
}

/* ---- from one subscriber to another ---- */

/* Describes what `client` has, copied, and ends it. */
static unsigned
take_away(struct sl_joined *joined, struct sl_cursor *position)
{
	struct sl_subscriber *s = client.subscriber;
	unsigned count = s->subscription_count;
	*position = sl_subscriber_get_cursor(s);
	for (unsigned i = 0; i < count; i++) {
		joined[i] = sl_join_describe(s, i);
		joined[i].channel.bytes = strdup(joined[i].channel.bytes);
		if (joined[i].label.bytes)
			joined[i].label.bytes = strndup(joined[i].label.bytes, joined[i].label.len);
	}
	return count;
}

static void
free_joined(struct sl_joined *joined, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		free((char *)(uintptr_t)joined[i].channel.bytes);
		free((char *)(uintptr_t)joined[i].label.bytes);
	}
}

static void
test_join_again_goes_on_where_another_one_was(void)
{
	struct world_client second;
	struct sl_joined joined[SL_CHANNELS_MAX];
	struct sl_cursor position;
	bool lost;
	world_open(&world, NULL);
	labels_open(&client);
	labels_open(&second);
	label_now(&client, "a", "x");
	label_now(&client, "c", NULL);
	publish_many("a", 2);
	publish_many("b", 2);
	expect_frames(&client, "x/a1 x/a2 ");
	label_since(&client, "b", "y", 2, &lost); /* and so it is behind */
	label_now(&client, "a", "z");
	unsigned count = take_away(joined, &position);
	CU_ASSERT_EQUAL(count, 4);
	sl_fanout_unsubscribe_all(client.subscriber);
	publish_many("c", 1);
	CU_ASSERT_EQUAL(sl_join_again(second.subscriber, joined, count, position), 0);
	expect_frames(&second, "y/b3 y/b4 /c5 ");
	publish_many("a", 1);
	publish_many("b", 1);
	expect_frames(&second, "x/a6 z/a6 y/b7 ");
	expect_frames(&client, "");
	free_joined(joined, count);
	client_close(&client);
	client_close(&second);
	world_close(&world);
}

/* One that a GET will come for: nobody reads for it now. */
static void
test_join_again_of_one_that_is_parked_begins_nothing(void)
{
	struct sl_joined joined = { { "a", 1 }, { "x", 1 }, 2 };
	world_open(&world, NULL);
	publish_many("a", 4);
	labels_open_one_shot(&client);
	struct sl_cursor position = { client.subscriber->epoch, 1 };
	CU_ASSERT_EQUAL(sl_join_again(client.subscriber, &joined, 1, position), 0);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_PARKED);
	expect_answer("");
	labels_fetch(&client);
	expect_answer("x/a3 x/a4 ");
	client_close(&client);
	world_close(&world);
}

static void
test_join_again_of_a_log_that_is_over_fails_and_so_does_it_without_memory(void)
{
	struct sl_joined joined[] = { { { "a", 1 }, { "x", 1 }, 2 }, { { "b", 1 }, { "x", 1 }, 0 } };
	world_open(&world, NULL);
	labels_open_one_shot(&client);
	struct sl_cursor position = { client.subscriber->epoch, 0 };
	sweep();
	for_each_failing_allocation(failing) {
		int err = sl_join_again(client.subscriber, joined, 2, position);
		failing_expect(err);
		CU_ASSERT_EQUAL(client.subscriber->subscription_count, err == 0 ? 2 : 0);
		sl_fanout_unsubscribe_all(client.subscriber);
		sweep();
	}
	sl_bus_reset(world.bus, 0xa);
	CU_ASSERT_EQUAL(sl_join_again(client.subscriber, joined, 2, position), SL_ENOENT);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 0);
	client_close(&client);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_join_tells_a_cursor_of_another_epoch_a_gap_for_each_channel),
		UNIT_TEST(test_join_tells_a_cursor_above_the_log_a_gap_and_goes_on_at_the_head),
		UNIT_TEST(test_join_from_now_is_at_the_head),
		UNIT_TEST(test_join_at_a_cursor_is_at_its_number),
		UNIT_TEST(test_join_for_all_begins_at_zero_and_counts_nothing_as_lost),
		UNIT_TEST(test_join_with_what_is_no_cursor_has_a_gap_after_nothing),
		UNIT_TEST(test_join_takes_the_heartbeat_and_the_reason),
		UNIT_TEST(test_join_without_memory_or_room_fails),
		UNIT_TEST(test_join_again_goes_on_where_another_one_was),
		UNIT_TEST(test_join_again_of_one_that_is_parked_begins_nothing),
		UNIT_TEST(test_join_again_of_a_log_that_is_over_fails_and_so_does_it_without_memory),
		{ NULL, NULL },
	};
	return unit_main("join", tests);
}
