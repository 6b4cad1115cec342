#include "live/catch_up.h"

#include <stdio.h>

#include "bus/bus.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static void
test_catch_up_resumes_above_the_cursor(void)
{
	struct world_client some, all, none, now;
	world_open(&world, NULL);
	publish_many("a", 3);
	publish_many("b", 1);
	publish_many("a", 1);
	client_open_stream(&some, &world, "channels=a&since=EPOCH-2");
	client_open_stream(&all, &world, "channels=a,b&since=0");
	client_open_stream(&none, &world, "channels=a&since=EPOCH-5");
	client_open_stream(&now, &world, "channels=a");
	expect(&some, "open@2 a3 a5");
	expect(&all, "open@0 a1 a2 a3 b4 a5");
	expect(&none, "open@5");
	expect(&now, "open@5");
	publish_many("a", 1);
	expect(&some, "a6");
	expect(&all, "a6");
	expect(&none, "a6");
	expect(&now, "a6");
	client_close(&some);
	client_close(&all);
	client_close(&none);
	client_close(&now);
	world_close(&world);
}

/* Sixty-four are read at a time; what is published meanwhile is in the mailbox too. */
static void
test_catch_up_has_no_seam_between_history_and_mailbox(void)
{
	for (unsigned turns = 0; turns < 6; turns++) {
		struct world_client client;
		struct world_request request = { .query = "channels=a&since=0" };
		world_open(&world, NULL);
		publish_many("a", 200);
		client_open(&client, &world, &sl_transport_stream, &request);
		for (unsigned i = 0; i < turns; i++) {
			publish_many("a", 1);
			world_turn(&world);
		}
		publish_many("a", 10);
		world_settle(&world);
		CU_ASSERT_TRUE(client_skip_head(&client));
		expect(&client, all_of("open@0", "a", 1, 210 + turns));
		CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
		publish_many("a", 1);
		expect(&client, all_of("", "a", 211 + turns, 211 + turns));
		client_close(&client);
		world_close(&world);
	}
}

static void
test_catch_up_delivers_what_came_between_interest_and_replay_once(void)
{
	struct world_client client;
	world_open(&world, NULL);
	publish_many("a", 2);
	/* A probe has its interest and position, but replays only 2 s later. */
	client_open_stream(&client, &world, "channels=a&since=EPOCH-1&probe=nonce-0001");
	publish_many("a", 2);
	world_pass(&world, 1000);
	publish_many("a", 1);
	expect(&client, "open@1 mark");
	world_pass(&world, 2000);
	expect(&client, "a2 a3 a4 a5");
	publish_many("a", 1);
	expect(&client, "a6");
	client_close(&client);
	world_close(&world);
}

static void
test_catch_up_tells_a_gap_once_though_history_is_read_in_pieces(void)
{
	static const char *const options[] = { "--history-messages=100", NULL };
	struct world_client client;
	world_open(&world, options);
	publish_many("a", 200);
	client_open_stream(&client, &world, "channels=a&since=EPOCH-7");
	expect(&client, all_of("open@7 gap:a:7-100", "a", 101, 200));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_GAPS_TOLD), 1);
	client_close(&client);
	world_close(&world);
}

/* The position stays below the gap for as long as the other channel has messages there. */
static void
test_catch_up_tells_a_gap_once_though_it_ends_above_the_position(void)
{
	static const char *const options[] = { "--history-messages=200", NULL };
	struct world_client client;
	char before[4096];
	world_open(&world, options);
	publish_many("b", 100);
	publish_many("a", 300);
	client_open_stream(&client, &world, "channels=a,b&since=EPOCH-0");
	snprintf(before, sizeof before, "%s", all_of("open@0 gap:a:0-200", "b", 1, 100));
	expect(&client, all_of(before, "a", 201, 400));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_GAPS_TOLD), 1);
	client_close(&client);
	world_close(&world);
}

static void
test_catch_up_tells_the_gap_of_the_channel_that_has_one(void)
{
	static const char *const options[] = { "--history-messages=5", NULL };
	struct world_client client, all;
	world_open(&world, options);
	publish_many("b", 1);
	publish_many("a", 10);
	client_open_stream(&client, &world, "channels=a,b&since=EPOCH-0");
	client_open_stream(&all, &world, "channels=a,b&since=0");
	expect(&client, "open@0 gap:a:0-6 b1 a7 a8 a9 a10 a11");
	expect(&all, "open@0 b1 a7 a8 a9 a10 a11"); /* asked for what there is: no gap */
	client_close(&client);
	client_close(&all);
	world_close(&world);
}

static void
test_catch_up_loses_more_while_a_slow_reader_is_behind_and_tells_it(void)
{
	static const char *const options[] = { "--history-messages=70", NULL };
	struct world_client client;
	struct world_request request = { .query = "channels=a&since=EPOCH-0" };
	world_open(&world, options);
	publish_many("a", 70);
	client_open(&client, &world, &sl_transport_stream, &request); /* reads 1 to 64 */
	publish_many("a", 70);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	const char *wanted = all_of("open@0", "a", 1, 64);
	char whole[8192];
	int len = snprintf(whole, sizeof whole, "%s gap:a:64-70 ", wanted);
	snprintf(whole + len, sizeof whole - (size_t)len, "%s", all_of("", "a", 71, 140));
	expect(&client, whole);
	client_close(&client);
	world_close(&world);
}

static void
test_catch_up_reads_at_most_what_an_outbox_may_hold(void)
{
	static const char *const options[] = { "--outbox=1K", NULL };
	static const struct world_request request = { .query = "channels=a&since=0" };
	static char text[201];
	struct world_client client;
	memset(text, 'x', sizeof text - 1);
	world_open(&world, options);
	for (int i = 0; i < 100; i++)
		world_publish(&world, "a", text);
	client_open(&client, &world, &sl_transport_stream, &request);
	CU_ASSERT_TRUE(client.link->outbox.queued_bytes < 2000);
	CU_ASSERT_TRUE(client.subscriber->position >= 3);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	expect(&client, all_of("open@0", "a", 1, 100));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	client_close(&client);
	world_close(&world);
}

static void
test_catch_up_marks_the_losses_it_finds_as_told(void)
{
	static const char *const options[] = { "--history-messages=5", NULL };
	uint64_t resumed[2];
	struct world_client client;
	world_open(&world, options);
	client_open_stream(&client, &world, "channels=a,b");
	publish_many("a", 8);
	client.subscriber->position = 1;
	sl_catch_up_find_losses(client.subscriber, resumed);
	CU_ASSERT_EQUAL(resumed[0], 3);
	CU_ASSERT_EQUAL(resumed[1], 0);
	CU_ASSERT_EQUAL(client.subscriber->subscriptions[0].after, 3);
	CU_ASSERT_EQUAL(client.subscriber->subscriptions[1].after, 0);
	client_close(&client);
	world_close(&world);
}

static void
test_catch_up_of_nothing_is_live_at_the_head(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a&since=0");
	sl_fanout_unsubscribe(client.subscriber, 0);
	sl_subscriber_fall_behind(client.subscriber, 0);
	publish_many("a", 3);
	world_settle(&world);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
	CU_ASSERT_EQUAL(sl_subscriber_get_cursor(client.subscriber).seq, 3);
	expect(&client, "open@0");
	client_close(&client);
	world_close(&world);
}

static void
test_catch_up_without_memory_closes_the_link(void)
{
	struct world_client client;
	world_open(&world, NULL);
	publish_many("a", 5);
	for (unsigned n = 1; n <= 3; n++) {
		client_open_stream(&client, &world, "channels=a");
		sl_subscriber_fall_behind(client.subscriber, 0);
		failing_alloc_set(n, true);
		world_turn(&world);
		failing_alloc_off();
		if (failing_alloc_has_failed())
			CU_ASSERT_FALSE(client_is_served(&client, &world));
		CU_ASSERT_TRUE(n > 1 || failing_alloc_has_failed());
		client_close(&client);
		world_settle(&world);
	}
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_catch_up_resumes_above_the_cursor),
		UNIT_TEST(test_catch_up_has_no_seam_between_history_and_mailbox),
		UNIT_TEST(test_catch_up_delivers_what_came_between_interest_and_replay_once),
		UNIT_TEST(test_catch_up_tells_a_gap_once_though_history_is_read_in_pieces),
		UNIT_TEST(test_catch_up_tells_a_gap_once_though_it_ends_above_the_position),
		UNIT_TEST(test_catch_up_tells_the_gap_of_the_channel_that_has_one),
		UNIT_TEST(test_catch_up_loses_more_while_a_slow_reader_is_behind_and_tells_it),
		UNIT_TEST(test_catch_up_reads_at_most_what_an_outbox_may_hold),
		UNIT_TEST(test_catch_up_marks_the_losses_it_finds_as_told),
		UNIT_TEST(test_catch_up_of_nothing_is_live_at_the_head),
		UNIT_TEST(test_catch_up_without_memory_closes_the_link),
		{ NULL, NULL },
	};
	return unit_main("catch_up", tests);
}
