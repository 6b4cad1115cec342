#include "live/heartbeat.h"

#include <string.h>

#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static char large[20000];

/* ---- probing ---- */

static void
test_heartbeat_probe_marks_after_150_ms_in_a_write_of_its_own_and_is_silent_for_2_s(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a&probe=nonce-0001&heartbeat=4");
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_PROBING);
	expect(&client, "open@0");
	world_publish(&world, "a", "x");
	uint64_t sends = world_counter(&world, SL_COUNTER_SENDS);
	world_pass(&world, 149);
	expect(&client, "");
	world_pass(&world, 20);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SENDS), sends + 1);
	expect(&client, "mark");
	world_pass(&world, 1990);
	expect(&client, "");
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_PROBING);
	world_pass(&world, 30);
	expect(&client, "a1");
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
	world_pass(&world, 4040);
	expect(&client, "heartbeat@1");
	client_close(&client);
	world_close(&world);
}

/* ---- heartbeats ---- */

static void
test_heartbeat_comes_when_nothing_was_written_for_one_interval(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a&heartbeat=4");
	expect(&client, "open@0");
	world_pass(&world, 3900);
	expect(&client, "");
	world_pass(&world, 140);
	expect(&client, "heartbeat@0");
	world_pass(&world, 2000);
	world_publish(&world, "a", "x");
	expect(&client, "a1");
	world_pass(&world, 3900);
	expect(&client, "");
	world_publish(&world, "elsewhere", "x"); /* not its channel: its position all the same */
	world_pass(&world, 140);
	expect(&client, "heartbeat@2");
	world_pass(&world, 3 * 4020);
	expect(&client, "heartbeat@2 heartbeat@2 heartbeat@2");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_HEARTBEATS), 5);
	client_close(&client);
	world_close(&world);
}

static void
test_heartbeat_comes_to_who_verifies_though_it_is_busy(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a&heartbeat=4&verify=1");
	expect(&client, "open@0");
	for (int i = 1; i <= 8; i++) {
		world_publish(&world, "a", "x");
		world_pass(&world, 1010);
	}
	expect(&client, "a1 a2 a3 a4 heartbeat@4 a5 a6 a7 a8 heartbeat@8");
	world_pass(&world, 4040);
	expect(&client, "heartbeat@8");
	client_close(&client);
	world_close(&world);
}

static void
test_heartbeat_does_not_fill_an_outbox_that_nobody_reads(void)
{
	static const char *const options[] = { "--outbox=10K", NULL };
	struct world_client client;
	struct world_request request = { .query = "channels=a&heartbeat=4&verify=1",
		.send_buffer = 4608 };
	world_open(&world, options);
	client_open(&client, &world, &sl_transport_stream, &request);
	world_settle(&world);
	for (int i = 0; i < 3; i++)
		world_publish_bytes(&world, "a", SL_TEXT, large, 4000);
	for (int i = 0; i < 1000; i++)
		world_pass(&world, 4040);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	CU_ASSERT_TRUE(client.link->outbox.queued_bytes < 11000);
	client_close(&client);
	world_close(&world);
}

/* The numbers of the heartbeats of a story, and the messages up to each: at most that many
 * that a wire holds above a thousand. */
static void
check_verified_story(const char *story, unsigned messages, unsigned heartbeats)
{
	unsigned long long cursor, last = 0, beats = 0;
	char word[64];
	int len;
	for (; sscanf(story, " %63s%n", word, &len) == 1; story += len) {
		unsigned long long number;
		if (sscanf(word, "a%llu", &number) == 1)
			last = number;
		if (sscanf(word, "heartbeat@%llu", &cursor) != 1)
			continue;
		beats++;
		CU_ASSERT_EQUAL(cursor, last); /* everything up to it has come, and it is no lower */
	}
	CU_ASSERT_EQUAL(last, messages);
	CU_ASSERT_EQUAL(beats, heartbeats);
}

/* Live, one at a time, in runs, and in more than one run's worth in a turn. */
static void
test_heartbeat_comes_each_thousand_messages_to_who_verifies(void)
{
	static const char *const options[] = { "--outbox=8M", NULL };
	static const unsigned bursts[] = { 1, 999, 1000, 3000 };
	struct world_client client;
	for (size_t i = 0; i < sizeof bursts / sizeof *bursts; i++) {
		world_open(&world, options);
		client_open_stream(&client, &world, "channels=a&verify=1");
		for (unsigned published = 0; published < 3000; published += bursts[i]) {
			publish_many("a",
				bursts[i] < 3000 - published ? bursts[i] : 3000 - published);
			world_settle(&world);
			client_read(&client);
		}
		check_verified_story(client_take_story(&client, &world), 3000, 3);
		client_close(&client);
		world_close(&world);
	}
}

static void
test_heartbeat_comes_while_who_verifies_catches_up(void)
{
	static const char *const options[] = { "--history-messages=5000", NULL };
	struct world_client client;
	world_open(&world, options);
	publish_many("a", 3000);
	client_open_stream(&client, &world, "channels=a&since=0&verify=1");
	publish_many("a", 1000);
	world_settle(&world);
	check_verified_story(client_take_story(&client, &world), 4000, 4);
	client_close(&client);
	world_close(&world);
}

static void
test_heartbeat_comes_no_oftener_to_who_does_not_verify(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a&verify=0");
	publish_many("a", 2500);
	world_settle(&world);
	client_read(&client);
	check_verified_story(client_take_story(&client, &world), 2500, 0);
	client_close(&client);
	world_close(&world);
}

/* It is no reason to be slow: not even behind an object larger than the outbox. */
static void
test_heartbeat_never_makes_a_slow_consumer(void)
{
	static const char *const options[] = { "--outbox=1K", "--history-messages=5000", NULL };
	struct world_client client;
	struct world_request request = { .query = "channels=a&since=0&verify=1",
		.send_buffer = 4608 };
	world_open(&world, options);
	for (unsigned i = 0; i < 1005; i++)
		world_publish_bytes(&world, "a", SL_TEXT, large, i < 998 ? 1 : 20000);
	client_open(&client, &world, &sl_transport_stream, &request);
	for (int i = 0; i < 2000; i++) {
		client_read(&client);
		world_turn(&world);
	}
	CU_ASSERT_TRUE(client_skip_head(&client));
	check_verified_story(client_take_story(&client, &world), 1005, 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	client_close(&client);
	world_close(&world);
}

/* expect() checks each count itself. */
static void
test_heartbeat_counts_gaps_too(void)
{
	static const char *const options[] = { "--history-messages=2", NULL };
	struct world_client client;
	world_open(&world, options);
	publish_many("a", 5);
	client_open_stream(&client, &world, "channels=a&since=EPOCH-1&heartbeat=4");
	expect(&client, "open@1 gap:a:1-3 a4 a5");
	world_pass(&world, 4040);
	CU_ASSERT_EQUAL(client.subscriber->sent, 3);
	expect(&client, "heartbeat@5");
	client_close(&client);
	world_close(&world);
}

static unsigned pings;

static void
note_ping(struct sl_subscriber *subscriber)
{
	pings++;
	sl_link_send(subscriber->link, "ping\n", 5);
}

/* A stream whose client can be made to answer. */
static void
open_pinging(struct world_client *client, bool over_tcp)
{
	static const struct sl_subscriber_ops pinging = { .ping = note_ping };
	struct world_request request = { .query = "channels=a&heartbeat=4", .over_tcp = over_tcp };
	pings = 0;
	world_open(&world, NULL);
	client_open(client, &world, &sl_transport_stream, &request);
	client->subscriber->ops = &pinging;
}

static void
test_heartbeat_pings_after_one_silent_interval_and_drops_after_two_and_a_half(void)
{
	struct world_client client;
	open_pinging(&client, true);
	world_pass(&world, 3900);
	CU_ASSERT_EQUAL(pings, 0);
	world_pass(&world, 140);
	CU_ASSERT_EQUAL(pings, 1);
	world_pass(&world, 5900);
	CU_ASSERT_EQUAL(pings, 1); /* once a silence */
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	world_pass(&world, 140);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SILENT_DROPPED), 1);
	client_read(&client);
	CU_ASSERT_TRUE(client.reset);
	client_close(&client);
	world_close(&world);
}

static void
test_heartbeat_keeps_who_answers_pings(void)
{
	struct world_client client;
	open_pinging(&client, false);
	for (unsigned round = 1; round <= 5; round++) {
		world_pass(&world, 4040);
		CU_ASSERT_EQUAL(pings, round);
		client_send(&client, "pong", 4);
		world_settle(&world);
	}
	world_pass(&world, 3900);
	CU_ASSERT_EQUAL(pings, 5);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	client_close(&client);
	world_close(&world);
}

static void
test_heartbeat_comes_though_its_client_talks(void)
{
	struct world_client client;
	open_pinging(&client, false);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	for (int i = 0; i < 9; i++) {
		client_send(&client, "x", 1);
		world_pass(&world, 1000);
	}
	CU_ASSERT_EQUAL(pings, 0);
	expect(&client, "open@0 heartbeat@0 heartbeat@0");
	client_close(&client);
	world_close(&world);
}

/* ---- other beats ---- */

static struct sl_encoder own;

/* A stream whose encoder wants beats of another kind, each 300 ms, with 200 ms for an answer to each. */
static void
open_with_beats(struct world_client *client, enum sl_beats beats)
{
	world_open(&world, NULL);
	client_open_stream(client, &world, "channels=a&heartbeat=4");
	expect(client, "open@0");
	own = *client->subscriber->encoder;
	own.beats = beats;
	client->subscriber->encoder = &own;
	client->subscriber->beat_interval_ms = 300;
	client->subscriber->beat_timeout_ms = 200;
	client->subscriber->last_beat_ms = world.shard.loop.now_ms;
	sl_heartbeat_begin(client->subscriber);
}

static void
test_heartbeat_always_comes_on_a_busy_link_too(void)
{
	struct world_client client;
	open_with_beats(&client, SL_BEATS_ALWAYS);
	for (unsigned ms = 0; ms < 3200; ms += 16) {
		world_publish(&world, "a", "x");
		world_pass(&world, 16);
		client.link->last_read_ms = world.shard.loop.now_ms;
		client_read(&client);
	}
	/* The lateness of the wheel does not add up. */
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_HEARTBEATS), 10);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	client_close(&client);
	world_close(&world);
}

static void
test_heartbeat_always_goes_out_whatever_the_outbox_holds(void)
{
	struct world_client client;
	static const char *const options[] = { "--outbox=64K", NULL };
	struct world_request request = { .query = "channels=a", .send_buffer = 4608 };
	world_open(&world, options);
	client_open(&client, &world, &sl_transport_stream, &request);
	own = *client.subscriber->encoder;
	own.beats = SL_BEATS_ALWAYS;
	client.subscriber->encoder = &own;
	client.subscriber->beat_interval_ms = 300;
	client.subscriber->beat_timeout_ms = 0; /* nobody has to answer */
	client.subscriber->last_beat_ms = world.shard.loop.now_ms;
	sl_heartbeat_begin(client.subscriber);
	while (client.link->outbox.queued_bytes < 40000) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 4000);
		world_turn(&world);
	}
	world_pass(&world, 1000);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_HEARTBEATS), 3);
	client_close(&client);
	world_close(&world);
}

static void
test_heartbeat_without_its_answer_ends_the_subscriber_in_order(void)
{
	struct world_client client;
	open_with_beats(&client, SL_BEATS_ALWAYS);
	world_pass(&world, 320);
	client.link->last_read_ms = world.shard.loop.now_ms;
	expect(&client, "heartbeat@0");
	world_pass(&world, 320); /* the second one, which is not answered */
	expect(&client, "heartbeat@0");
	world_pass(&world, 100);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	world_pass(&world, 112);
	CU_ASSERT_NOT_EQUAL(client.link->state, SL_LINK_OPEN);
	client_read(&client);
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_FALSE(client.reset);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SILENT_DROPPED), 1);
	client_close(&client);
	world_close(&world);
}

static void
test_heartbeat_waits_for_its_answer_where_that_may_take_longer_than_an_interval(void)
{
	struct world_client client;
	open_with_beats(&client, SL_BEATS_ALWAYS);
	client.subscriber->beat_timeout_ms = 1000;
	world_pass(&world, 1200);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_HEARTBEATS), 1);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	client.link->last_read_ms = world.shard.loop.now_ms;
	world_pass(&world, 130);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_HEARTBEATS), 2);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	world_pass(&world, 980);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	world_pass(&world, 60);
	CU_ASSERT_NOT_EQUAL(client.link->state, SL_LINK_OPEN);
	client_close(&client);
	world_close(&world);
}

static void
test_heartbeat_never_comes_where_the_protocol_has_its_own(void)
{
	struct world_client client;
	open_with_beats(&client, SL_BEATS_NEVER);
	world_pass(&world, 60000);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_HEARTBEATS), 0);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	client_close(&client);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_heartbeat_probe_marks_after_150_ms_in_a_write_of_its_own_and_is_silent_for_2_s),
		UNIT_TEST(test_heartbeat_comes_when_nothing_was_written_for_one_interval),
		UNIT_TEST(test_heartbeat_comes_to_who_verifies_though_it_is_busy),
		UNIT_TEST(test_heartbeat_does_not_fill_an_outbox_that_nobody_reads),
		UNIT_TEST(test_heartbeat_comes_each_thousand_messages_to_who_verifies),
		UNIT_TEST(test_heartbeat_comes_while_who_verifies_catches_up),
		UNIT_TEST(test_heartbeat_comes_no_oftener_to_who_does_not_verify),
		UNIT_TEST(test_heartbeat_never_makes_a_slow_consumer),
		UNIT_TEST(test_heartbeat_counts_gaps_too),
		UNIT_TEST(test_heartbeat_pings_after_one_silent_interval_and_drops_after_two_and_a_half),
		UNIT_TEST(test_heartbeat_keeps_who_answers_pings),
		UNIT_TEST(test_heartbeat_comes_though_its_client_talks),
		UNIT_TEST(test_heartbeat_always_comes_on_a_busy_link_too),
		UNIT_TEST(test_heartbeat_always_goes_out_whatever_the_outbox_holds),
		UNIT_TEST(test_heartbeat_without_its_answer_ends_the_subscriber_in_order),
		UNIT_TEST(test_heartbeat_waits_for_its_answer_where_that_may_take_longer_than_an_interval),
		UNIT_TEST(test_heartbeat_never_comes_where_the_protocol_has_its_own),
		{ NULL, NULL },
	};
	memset(large, 'x', sizeof large);
	return unit_main("heartbeat", tests);
}
