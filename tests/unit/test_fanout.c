#include "live/fanout.h"

#include <stdio.h>
#include <string.h>

#include "bus/bus.h"
#include "live/protocol.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

/* The story of all of a channel from `first` to `last`, behind `head`. */
static const char *
all_of(const char *head, const char *channel, unsigned first, unsigned last)
{
	static char story[1 << 16];
	size_t len = (size_t)snprintf(story, sizeof story, "%s", head);
	for (unsigned seq = first; seq <= last; seq++)
		len += (size_t)snprintf(story + len, sizeof story - len, "%s%s%u", len ? " " : "",
			channel, seq);
	return story;
}

static void
publish_many(const char *channel, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		world_publish(&world, channel, "x");
}

static void
say(struct world_client *client, const char *object)
{
	sl_protocol_handle(client->subscriber, object, strlen(object));
}

/* ---- live ---- */

static void
test_fanout_delivers_to_the_live_in_the_order_of_publishing(void)
{
	struct world_client both, one;
	world_open(&world, NULL);
	client_open_stream(&both, &world, "channels=a,b");
	client_open_stream(&one, &world, "channels=b");
	world_publish(&world, "a", "x");
	world_publish(&world, "b", "x");
	world_publish(&world, "c", "x");
	world_publish(&world, "a", "x");
	expect(&both, "open@0 a1 b2 a4");
	expect(&one, "open@0 b2");
	world_publish(&world, "b", "x");
	expect(&both, "b5");
	expect(&one, "b5");
	client_close(&both);
	client_close(&one);
	world_close(&world);
}

static void
test_fanout_cuts_runs_where_the_channel_changes_and_never_regroups(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a,b");
	publish_many("a", 3);
	publish_many("b", 2);
	publish_many("a", 1);
	expect(&client, "open@0 a1 a2 a3 b4 b5 a6");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RUNS), 3);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RUN_MESSAGES), 6);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_MESSAGES_OUT), 6);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_PAYLOAD_BYTES_OUT), 6);
	client_close(&client);
	world_close(&world);
}

static void
test_fanout_frames_once_for_all_who_read_the_same_format(void)
{
	struct world_client clients[5];
	world_open(&world, NULL);
	for (int i = 0; i < 5; i++)
		client_open_stream(&clients[i], &world, "channels=a");
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	publish_many("a", 10);
	sl_fanout_drain(&world.shard);
	uint32_t queued = clients[0].link->outbox.queued_bytes;
	CU_ASSERT_TRUE(queued > 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, queued);
	for (int i = 1; i < 5; i++)
		CU_ASSERT_PTR_EQUAL(clients[i].link->outbox.first.wire,
			clients[0].link->outbox.first.wire);
	for (int i = 0; i < 5; i++) {
		expect(&clients[i], all_of("open@0", "a", 1, 10));
		client_close(&clients[i]);
	}
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	world_close(&world);
}

static void
test_fanout_delivers_more_than_one_run_holds(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	publish_many("a", 1300);
	expect(&client, all_of("open@0", "a", 1, 1300));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RUNS), 3);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_BEHIND_READS), 0);
	client_close(&client);
	world_close(&world);
}

/* A run that lies partly below the position of one who came meanwhile. */
static void
test_fanout_cuts_a_run_that_straddles_a_position(void)
{
	struct world_client before, between;
	struct world_request request = { .query = "channels=a" };
	world_open(&world, NULL);
	client_open_stream(&before, &world, "channels=a");
	publish_many("a", 5); /* in the mailbox, not drained */
	client_open(&between, &world, &sl_transport_stream, &request);
	publish_many("a", 2);
	expect(&before, all_of("open@0", "a", 1, 7));
	CU_ASSERT_TRUE(client_skip_head(&between));
	expect(&between, "open@5 a6 a7");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RUNS), 1);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_MESSAGES_OUT), 9);
	client_close(&before);
	client_close(&between);
	world_close(&world);
}

static void
test_fanout_skips_a_run_that_lies_below_a_position(void)
{
	struct world_client before, after;
	struct world_request request = { .query = "channels=a" };
	world_open(&world, NULL);
	client_open_stream(&before, &world, "channels=a,b");
	publish_many("a", 5);
	publish_many("b", 1);
	client_open(&after, &world, &sl_transport_stream, &request);
	expect(&before, "open@0 a1 a2 a3 a4 a5 b6");
	CU_ASSERT_TRUE(client_skip_head(&after));
	expect(&after, "open@6");
	publish_many("a", 1);
	expect(&after, "a7");
	client_close(&before);
	client_close(&after);
	world_close(&world);
}

static void
test_fanout_delivers_nothing_twice_to_one_who_resumes_into_a_full_mailbox(void)
{
	struct world_client before, resumed;
	struct world_request request = { .query = "channels=a&since=EPOCH-2" };
	world_open(&world, NULL);
	client_open_stream(&before, &world, "channels=a");
	publish_many("a", 5);
	client_open(&resumed, &world, &sl_transport_stream, &request); /* reads 3 to 5 at once */
	publish_many("a", 2);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&resumed));
	expect(&resumed, all_of("open@2", "a", 3, 7));
	expect(&before, all_of("open@0", "a", 1, 7));
	client_close(&before);
	client_close(&resumed);
	world_close(&world);
}

static void
test_fanout_answers_held_polls_beside_streams_each_once(void)
{
	struct world_client polls[6], streams[3];
	struct world_request request = { .query = "channels=a&since=EPOCH-0" };
	world_open(&world, NULL);
	for (int i = 0; i < 6; i++) {
		client_open(&polls[i], &world, &sl_transport_longpoll, &request);
		if (i % 2 == 0)
			client_open_stream(&streams[i / 2], &world, "channels=a");
	}
	publish_many("a", 2);
	world_settle(&world);
	for (int i = 0; i < 3; i++) {
		expect(&streams[i], "open@0 a1 a2");
		client_close(&streams[i]);
	}
	for (int i = 0; i < 6; i++) {
		CU_ASSERT_TRUE(client_skip_head(&polls[i]));
		CU_ASSERT_STRING_EQUAL(client_take_text(&polls[i], &world),
			"{\"cursor\":\"EPOCH-2\",\"messages\":["
			"{\"id\":\"EPOCH-1\",\"channel\":\"a\",\"time\":TIME,\"data\":\"x\"},"
			"{\"id\":\"EPOCH-2\",\"channel\":\"a\",\"time\":TIME,\"data\":\"x\"}],\"gaps\":[]}");
		client_close(&polls[i]);
	}
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_LONGPOLL, SL_CLASS_MESSAGES_OUT), 12);
	world_close(&world);
}

/* ---- behind ---- */

static void
test_fanout_resumes_above_the_cursor(void)
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
test_fanout_has_no_seam_between_history_and_mailbox(void)
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
test_fanout_delivers_what_came_between_interest_and_replay_once(void)
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
test_fanout_recovers_an_overrun_from_history_without_a_gap(void)
{
	static const char *const options[] = { "--mailbox=64", NULL };
	struct world_client one, both;
	struct sl_bus_stats stats;
	world_open(&world, options);
	client_open_stream(&one, &world, "channels=a");
	client_open_stream(&both, &world, "channels=a,b");
	publish_many("a", 5);
	expect(&one, all_of("open@0", "a", 1, 5));
	publish_many("a", 300);
	publish_many("b", 1);
	expect(&one, all_of("", "a", 6, 305));
	const char *wanted = all_of("open@0", "a", 1, 305);
	char whole[8192];
	snprintf(whole, sizeof whole, "%s b306", wanted);
	expect(&both, whole);
	sl_bus_get_stats(world.bus, &stats);
	CU_ASSERT_EQUAL(stats.mailbox_overruns, 1);
	publish_many("a", 1);
	expect(&one, "a307");
	expect(&both, "a307");
	client_close(&one);
	client_close(&both);
	world_close(&world);
}

static void
test_fanout_tells_what_an_overrun_lost_for_good(void)
{
	static const char *const options[] = { "--mailbox=64", "--history-messages=10", NULL };
	struct world_client client;
	world_open(&world, options);
	client_open_stream(&client, &world, "channels=a");
	publish_many("a", 200);
	char before[1024];
	snprintf(before, sizeof before, "%s gap:a:64-190", all_of("open@0", "a", 1, 64));
	expect(&client, all_of(before, "a", 191, 200));
	publish_many("a", 1);
	expect(&client, "a201");
	client_close(&client);
	world_close(&world);
}

/* ---- gaps ---- */

static void
test_fanout_tells_a_gap_once_though_history_is_read_in_pieces(void)
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
test_fanout_tells_a_gap_once_though_it_ends_above_the_position(void)
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
test_fanout_tells_the_gap_of_the_channel_that_has_one(void)
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
test_fanout_loses_more_while_a_slow_reader_is_behind_and_tells_it(void)
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
test_fanout_tells_a_cursor_of_another_epoch_a_gap_for_each_channel(void)
{
	struct world_client client;
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
test_fanout_tells_a_cursor_above_the_log_a_gap_and_goes_on_at_the_head(void)
{
	struct world_client client;
	world_open(&world, NULL);
	publish_many("a", 3);
	client_open_stream(&client, &world, "channels=a&since=EPOCH-99");
	expect(&client, "open@3 gap:a:99-3");
	publish_many("a", 2);
	expect(&client, "a4 a5");
	client_close(&client);
	world_close(&world);
}

/* ---- channels coming and going in mid-session ---- */

static void
test_fanout_subscribing_in_mid_session_takes_effect_at_the_position(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	publish_many("b", 1);
	publish_many("a", 1);
	publish_many("b", 1);
	expect(&client, "open@0 a2"); /* and b3 is below the position already */
	publish_many("b", 2);         /* above it: not drained yet */
	say(&client, "{\"type\":\"subscribe\",\"channels\":[\"b\"],\"ref\":1}");
	publish_many("a", 1);
	publish_many("b", 1);
	expect(&client, "{\"type\":\"subscribed\",\"ref\":1,\"channels\":[\"a\",\"b\"],"
		"\"cursor\":\"EPOCH-3\"} b4 b5 a6 b7");
	publish_many("b", 1);
	expect(&client, "b8");
	client_close(&client);
	world_close(&world);
}

static void
test_fanout_subscribing_to_what_it_has_changes_nothing(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	publish_many("a", 1);
	say(&client, "{\"type\":\"subscribe\",\"channels\":[\"a\"],\"ref\":1}");
	expect(&client, "open@0 {\"type\":\"subscribed\",\"ref\":1,\"channels\":[\"a\"],"
		"\"cursor\":\"EPOCH-0\"} a1");
	publish_many("a", 1);
	expect(&client, "a2");
	client_close(&client);
	world_close(&world);
}

static void
test_fanout_unsubscribing_ends_delivery_and_the_cursor_goes_on(void)
{
	struct world_client client, other;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a,b,c");
	client_open_stream(&other, &world, "channels=a");
	say(&client, "{\"type\":\"unsubscribe\",\"channels\":[\"a\",\"nobody\"],\"ref\":\"r\"}");
	publish_many("a", 1);
	publish_many("c", 1);
	expect(&client, "open@0 {\"type\":\"unsubscribed\",\"ref\":\"r\",\"channels\":[\"c\",\"b\"],"
		"\"cursor\":\"EPOCH-0\"} c2");
	expect(&other, "open@0 a1");
	say(&client, "{\"type\":\"unsubscribe\",\"channels\":[\"b\",\"c\"]}");
	publish_many("c", 1);
	expect(&client, "{\"type\":\"unsubscribed\",\"ref\":null,\"channels\":[],"
		"\"cursor\":\"EPOCH-2\"}");
	publish_many("a", 1);
	world_settle(&world);
	CU_ASSERT_EQUAL(sl_subscriber_get_cursor(client.subscriber).seq, 4);
	client_close(&client);
	client_close(&other);
	world_close(&world);
}

static void
test_fanout_many_subscribers_come_and_go_and_each_gets_its_own(void)
{
	enum { CLIENTS = 24, CHANNELS = 7 };
	struct world_client clients[CLIENTS];
	uint32_t dice = 7;
	world_open(&world, NULL);
	for (int i = 0; i < CLIENTS; i++)
		client_open_stream(&clients[i], &world, "channels=c0");
	for (unsigned round = 0; round < 1500; round++) {
		dice = dice * 1664525 + 1013904223;
		struct sl_connection *connection = clients[(dice >> 8) % CLIENTS].connection;
		char name[] = { 'c', (char)('0' + (dice >> 16) % CHANNELS), '\0' };
		int found = sl_fanout_find(connection, name, 2);
		size_t index;
		if (found >= 0)
			sl_fanout_unsubscribe(connection, (size_t)found);
		else
			CU_ASSERT_EQUAL(sl_fanout_subscribe(connection, name, 2, &index), 0);
	}
	for (int i = 0; i < CLIENTS; i++)
		client_take_story(&clients[i], &world);
	for (unsigned channel = 0; channel < CHANNELS; channel++) {
		char name[] = { 'c', (char)('0' + channel), '\0' }, wanted[32];
		uint64_t seq = world_publish(&world, name, "x");
		snprintf(wanted, sizeof wanted, "%s%llu", name, (unsigned long long)seq);
		for (int i = 0; i < CLIENTS; i++)
			expect(&clients[i],
				sl_fanout_find(clients[i].connection, name, 2) >= 0 ? wanted : "");
	}
	for (int i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	world_close(&world);
}

static void
test_fanout_keeps_interest_for_a_while_and_sweeps_idle_channels(void)
{
	struct world_client client, other;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	client_open_stream(&other, &world, "channels=b");
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	world_pass(&world, 9000);
	CU_ASSERT_PTR_NOT_NULL(world.shard.fanout.idle);
	world_pass(&world, 3000);
	CU_ASSERT_PTR_NULL(world.shard.fanout.idle);
	publish_many("a", 1);
	CU_ASSERT_TRUE(sl_mailbox_is_empty(&world.shard.mailbox));
	publish_many("b", 1);
	CU_ASSERT_FALSE(sl_mailbox_is_empty(&world.shard.mailbox));
	expect(&other, "open@0 b2");
	client_close(&other);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_fanout_delivers_to_the_live_in_the_order_of_publishing),
		UNIT_TEST(test_fanout_cuts_runs_where_the_channel_changes_and_never_regroups),
		UNIT_TEST(test_fanout_frames_once_for_all_who_read_the_same_format),
		UNIT_TEST(test_fanout_delivers_more_than_one_run_holds),
		UNIT_TEST(test_fanout_cuts_a_run_that_straddles_a_position),
		UNIT_TEST(test_fanout_skips_a_run_that_lies_below_a_position),
		UNIT_TEST(test_fanout_delivers_nothing_twice_to_one_who_resumes_into_a_full_mailbox),
		UNIT_TEST(test_fanout_answers_held_polls_beside_streams_each_once),
		UNIT_TEST(test_fanout_resumes_above_the_cursor),
		UNIT_TEST(test_fanout_has_no_seam_between_history_and_mailbox),
		UNIT_TEST(test_fanout_delivers_what_came_between_interest_and_replay_once),
		UNIT_TEST(test_fanout_recovers_an_overrun_from_history_without_a_gap),
		UNIT_TEST(test_fanout_tells_what_an_overrun_lost_for_good),
		UNIT_TEST(test_fanout_tells_a_gap_once_though_history_is_read_in_pieces),
		UNIT_TEST(test_fanout_tells_a_gap_once_though_it_ends_above_the_position),
		UNIT_TEST(test_fanout_tells_the_gap_of_the_channel_that_has_one),
		UNIT_TEST(test_fanout_loses_more_while_a_slow_reader_is_behind_and_tells_it),
		UNIT_TEST(test_fanout_tells_a_cursor_of_another_epoch_a_gap_for_each_channel),
		UNIT_TEST(test_fanout_tells_a_cursor_above_the_log_a_gap_and_goes_on_at_the_head),
		UNIT_TEST(test_fanout_subscribing_in_mid_session_takes_effect_at_the_position),
		UNIT_TEST(test_fanout_subscribing_to_what_it_has_changes_nothing),
		UNIT_TEST(test_fanout_unsubscribing_ends_delivery_and_the_cursor_goes_on),
		UNIT_TEST(test_fanout_many_subscribers_come_and_go_and_each_gets_its_own),
		UNIT_TEST(test_fanout_keeps_interest_for_a_while_and_sweeps_idle_channels),
		{ NULL, NULL },
	};
	return unit_main("fanout", tests);
}
