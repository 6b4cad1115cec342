#include "live/delivery.h"
#include "live/fanout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"
#include "util/err.h"

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
	sl_delivery_drain(&world.shard);
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
		struct sl_subscriber *subscriber = clients[(dice >> 8) % CLIENTS].subscriber;
		char name[] = { 'c', (char)('0' + (dice >> 16) % CHANNELS), '\0' };
		int found = sl_fanout_find(subscriber, name, 2);
		if (found >= 0)
			sl_fanout_unsubscribe(subscriber, (size_t)found);
		else
			CU_ASSERT_EQUAL(sl_fanout_subscribe(subscriber, name, 2), 0);
	}
	for (int i = 0; i < CLIENTS; i++)
		client_take_story(&clients[i], &world);
	for (unsigned channel = 0; channel < CHANNELS; channel++) {
		char name[] = { 'c', (char)('0' + channel), '\0' }, wanted[32];
		uint64_t seq = world_publish(&world, name, "x");
		snprintf(wanted, sizeof wanted, "%s%llu", name, (unsigned long long)seq);
		for (int i = 0; i < CLIENTS; i++)
			expect(&clients[i],
				sl_fanout_find(clients[i].subscriber, name, 2) >= 0 ? wanted : "");
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
	sl_fanout_sweep(&world.shard);
	CU_ASSERT_FALSE(TAILQ_EMPTY(&world.shard.fanout.idle));
	world_pass(&world, 3000);
	sl_fanout_sweep(&world.shard);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&world.shard.fanout.idle));
	publish_many("a", 1);
	CU_ASSERT_TRUE(sl_mailbox_is_empty(&world.shard.mailbox));
	publish_many("b", 1);
	CU_ASSERT_FALSE(sl_mailbox_is_empty(&world.shard.mailbox));
	expect(&other, "open@0 b2");
	client_close(&other);
	world_close(&world);
}

static void
test_fanout_drops_idle_channels_where_the_bus_has_no_room_for_one_that_comes(void)
{
	static const char *const options[] = { "--max-channels-total=2", NULL };
	/* Of two records one may be held by interest that nobody has. */
	struct world_client clients[3], late;
	world_open(&world, options);
	for (int i = 0; i < 3; i++) { /* each leaves its interest behind */
		static const char *const queries[] = { "channels=a", "channels=b", "channels=c" };
		client_open_stream(&clients[i], &world, queries[i]);
		CU_ASSERT_TRUE(client_is_served(&clients[i], &world));
		if (i < 2)
			client_close(&clients[i]);
		world_settle(&world);
	}
	client_open_stream(&late, &world, "channels=d");
	CU_ASSERT_TRUE(client_is_served(&late, &world));
	publish_many("c", 1);
	expect(&clients[2], "open@0 c1");
	client_close(&late);
	client_close(&clients[2]);
	world_close(&world);
}

/* What a publish of now counts. */
static uint32_t
count_receivers(const char *channel)
{
	struct sl_message *message;
	struct sl_cursor id;
	struct sl_publish publish = { 0 };
	if (sl_message_create(&message, channel, strlen(channel), SL_TEXT, "x", 1) != 0)
		abort();
	CU_ASSERT_EQUAL(sl_bus_publish(world.bus, 0, message, NULL, 0, &publish, &id), 0);
	return publish.receivers;
}

static void
test_fanout_counts_the_receivers_of_a_channel_as_they_come_and_go(void)
{
	struct world_client both, one, held;
	struct world_request request = { .query = "channels=a&since=EPOCH-0" };
	world_open(&world, NULL);
	CU_ASSERT_EQUAL(count_receivers("b"), 0);
	client_open_stream(&both, &world, "channels=a,b");
	client_open_stream(&one, &world, "channels=b");
	client_open(&held, &world, &sl_transport_longpoll, &request);
	CU_ASSERT_EQUAL(count_receivers("a"), 2);
	CU_ASSERT_EQUAL(count_receivers("b"), 2);
	sl_fanout_unsubscribe(both.subscriber, 1);
	CU_ASSERT_EQUAL(count_receivers("b"), 1);
	world_settle(&world); /* the poll is answered */
	CU_ASSERT_EQUAL(count_receivers("a"), 1);
	client_close(&both);
	client_close(&one);
	world_settle(&world);
	CU_ASSERT_EQUAL(count_receivers("a"), 0);
	CU_ASSERT_EQUAL(count_receivers("b"), 0);
	client_close(&held);
	world_close(&world);
}

static void
test_fanout_gives_each_format_a_framing_of_its_own(void)
{
	static const struct world_request chunked = { .query = "channels=a", .http_minor = 1 };
	static const struct world_request raw = { .query = "channels=a&format=raw" };
	struct world_client clients[6];
	world_open(&world, NULL);
	for (int i = 0; i < 6; i += 3) {
		client_open_stream(&clients[i], &world, "channels=a");
		client_open(&clients[i + 1], &world, &sl_transport_stream, &chunked);
		client_open(&clients[i + 2], &world, &sl_transport_stream, &raw);
	}
	world_settle(&world);
	publish_many("a", 1);
	sl_delivery_drain(&world.shard);
	for (int i = 0; i < 3; i++) {
		const struct sl_wire *wire = clients[i].link->outbox.first.wire;
		CU_ASSERT_PTR_NOT_NULL(wire);
		CU_ASSERT_PTR_EQUAL(clients[i + 3].link->outbox.first.wire, wire);
		CU_ASSERT_PTR_NOT_EQUAL(clients[(i + 1) % 3].link->outbox.first.wire, wire);
	}
	for (int i = 0; i < 6; i++)
		client_close(&clients[i]);
	world_close(&world);
}

/* Idle channels, whose arrays and records count as well. */
static void
sweep(void)
{
	world.shard.loop.now_ms += 10001;
	sl_fanout_sweep(&world.shard);
}

static void
test_fanout_without_memory_subscribes_to_nothing(void)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_fanout_unsubscribe_all(client.subscriber);
	sweep();
	for_each_failing_allocation(failing) {
		int err = 0;
		for (size_t i = 0; i < 5 && err == 0; i++)
			err = sl_fanout_subscribe(client.subscriber, names[i], 1);
		failing_expect(err);
		CU_ASSERT_EQUAL(err == 0, client.subscriber->subscription_count == 5);
		sl_fanout_unsubscribe_all(client.subscriber);
		sweep();
	}
	client_close(&client);
	world_close(&world);
}

static void
test_fanout_without_memory_closes_whom_it_cannot_deliver_to(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	publish_many("a", 3);
	failing_alloc_set(1, true);
	sl_delivery_drain(&world.shard);
	failing_alloc_off();
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_CLOSED);
	CU_ASSERT_EQUAL(world.shard.fanout.position, 3);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	client_close(&client);
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
		UNIT_TEST(test_fanout_recovers_an_overrun_from_history_without_a_gap),
		UNIT_TEST(test_fanout_tells_what_an_overrun_lost_for_good),
		UNIT_TEST(test_fanout_many_subscribers_come_and_go_and_each_gets_its_own),
		UNIT_TEST(test_fanout_keeps_interest_for_a_while_and_sweeps_idle_channels),
		UNIT_TEST(test_fanout_drops_idle_channels_where_the_bus_has_no_room_for_one_that_comes),
		UNIT_TEST(test_fanout_counts_the_receivers_of_a_channel_as_they_come_and_go),
		UNIT_TEST(test_fanout_gives_each_format_a_framing_of_its_own),
		UNIT_TEST(test_fanout_without_memory_subscribes_to_nothing),
		UNIT_TEST(test_fanout_without_memory_closes_whom_it_cannot_deliver_to),
		{ NULL, NULL },
	};
	return unit_main("fanout", tests);
}
