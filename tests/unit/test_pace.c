#include "live/pace.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/owners.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

#define RATE 65536 /* bytes of history a second; twice as many at once */
#define MESSAGES 400
#define PAYLOAD 1000

static void
begin(void)
{
	static const char *const options[] = { "--heartbeat=4", NULL };
	static char text[PAYLOAD + 1];
	memset(text, 'x', PAYLOAD);
	world_open(&world, options);
	world_limit_rate(&world, SL_LIMIT_HISTORY_BYTES, RATE);
	for (int i = 0; i < MESSAGES; i++)
		world_publish(&world, "a", text);
}

static struct world_client
open_reader(const struct sl_transport *transport)
{
	static const struct world_request request = { .query = "channels=a&since=0", .over_tcp = true };
	struct world_client client;
	CU_ASSERT_TRUE_FATAL(client_open(&client, &world, transport, &request));
	world_settle(&world);
	CU_ASSERT_TRUE_FATAL(client_skip_head(&client));
	return client;
}

static bool
waits(const struct world_client *client)
{
	return client->subscriber->pace != NULL;
}

/* The numbers of the messages in what has arrived, which must rise by one from `*last`. A line that has
 * arrived in part stays. Returns the last object that is no message, or "". */
static const char *
follow(struct world_client *client, uint64_t *last)
{
	static char control[512];
	const char *end;
	control[0] = '\0';
	client_read(client);
	while (client->got.len && (end = memchr(client->got.bytes, '\n', client->got.len))) {
		unsigned epoch, seq;
		char line[64]; /* what has arrived has no NUL behind it */
		snprintf(line, sizeof line, "%.*s", (int)(end - client->got.bytes), client->got.bytes);
		if (sscanf(line, "{\"id\":\"%8x-%u\"", &epoch, &seq) == 2) {
			CU_ASSERT_EQUAL(seq, *last + 1);
			*last = seq;
		} else {
			snprintf(control, sizeof control, "%.*s", (int)(end - client->got.bytes),
				client->got.bytes);
		}
		sl_buffer_consume(&client->got, (size_t)(end + 1 - client->got.bytes));
	}
	return control;
}

static void
test_pace_gives_each_of_an_owner_everything_in_order_and_in_turn(void)
{
	enum { READERS = 4 };
	struct world_client readers[READERS];
	uint64_t last[READERS] = { 0 }, seconds = 0;
	begin();
	for (int i = 0; i < READERS; i++)
		readers[i] = open_reader(&sl_transport_stream);
	for (bool is_over = false; !is_over && seconds < 100; seconds++) {
		uint64_t least = UINT64_MAX, most = 0;
		world_pass(&world, 1000);
		is_over = true;
		for (int i = 0; i < READERS; i++) {
			follow(&readers[i], &last[i]);
			is_over &= readers[i].subscriber->state == SL_SUBSCRIBER_LIVE;
			least = last[i] < least ? last[i] : least;
			most = last[i] > most ? last[i] : most;
		}
		/* The first had a burst to itself; from then on nobody is ahead by more than that and a read. */
		CU_ASSERT_TRUE(most - least <= (2 * RATE + 2 * 65536) / PAYLOAD);
	}
	/* 4 x 400 KB, of which the burst and what is owed at the end are not waited for. */
	CU_ASSERT_TRUE(seconds >= (READERS * MESSAGES * PAYLOAD - 4 * RATE) / RATE);
	CU_ASSERT_TRUE(seconds < 100);
	CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_HISTORY_WAITS) > 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_HISTORY_BYTES),
		world_counter(&world, SL_COUNTER_HISTORY_WAITS));
	CU_ASSERT_PTR_NULL(world.shard.paces);
	publish_many("a", 1);
	world_settle(&world);
	for (int i = 0; i < READERS; i++) {
		follow(&readers[i], &last[i]);
		CU_ASSERT_EQUAL(last[i], MESSAGES + 1);
		client_close(&readers[i]);
	}
	world_close(&world);
}

/* The shard comes to rest (world_settle() sees to that), and reads no history meanwhile. */
static void
test_pace_costs_nothing_while_streams_wait_but_their_heartbeats(void)
{
	struct world_client reader, other;
	uint64_t last = 0;
	begin();
	reader = open_reader(&sl_transport_stream);
	other = open_reader(&sl_transport_stream);
	sl_owner_spend(reader.subscriber->owner, SL_LIMIT_HISTORY_BYTES, 20 * RATE,
		world.shard.loop.now_ms);
	world_settle(&world);
	CU_ASSERT_TRUE(waits(&reader) && waits(&other));
	CU_ASSERT_PTR_EQUAL(reader.subscriber->pace, other.subscriber->pace);
	follow(&reader, &last);
	uint64_t reads = world_counter(&world, SL_COUNTER_BEHIND_READS);
	uint64_t asked = world_counter(&world, SL_COUNTER_HISTORY_WAITS);
	world_pass(&world, 9000);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_BEHIND_READS), reads);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_HISTORY_WAITS), asked);
	CU_ASSERT_PTR_NOT_NULL(strstr(follow(&reader, &last), "\"type\":\"heartbeat\""));
	CU_ASSERT_TRUE(waits(&reader) && waits(&other));
	client_close(&reader);
	client_close(&other);
	world_close(&world);
}

static void
test_pace_sees_that_the_limit_was_raised(void)
{
	struct world_client reader;
	uint64_t last = 0;
	begin();
	reader = open_reader(&sl_transport_stream);
	sl_owner_spend(reader.subscriber->owner, SL_LIMIT_HISTORY_BYTES, 3000 * RATE,
		world.shard.loop.now_ms);
	world_pass(&world, 3000);
	CU_ASSERT_TRUE(waits(&reader));
	world_limit_rate(&world, SL_LIMIT_HISTORY_BYTES, 0);
	world_pass(&world, 1100);
	follow(&reader, &last);
	CU_ASSERT_EQUAL(last, MESSAGES);
	client_close(&reader);
	world_close(&world);
}

static void
test_pace_holds_no_other_owner_up(void)
{
	struct world_client reader, other;
	uint64_t last = 0;
	begin();
	reader = open_reader(&sl_transport_stream);
	CU_ASSERT_TRUE(waits(&reader));
	client_open_stream(&other, &world, "channels=a&since=0"); /* who has no owner */
	world_settle(&world);
	follow(&other, &last);
	CU_ASSERT_EQUAL(last, MESSAGES);
	client_close(&reader);
	client_close(&other);
	world_close(&world);
}

/* It waits until it has been told that, in vain: for 5 s, and without a turn of its own. */
static void
end_behind_what_it_published(struct world_client *reader)
{
	reader->subscriber->published = MESSAGES;
	sl_owner_spend(reader->subscriber->owner, SL_LIMIT_HISTORY_BYTES, 100 * RATE,
		world.shard.loop.now_ms);
	sl_subscriber_end_in_order(reader->subscriber, SL_END_TOKEN_EXPIRED, 0);
	world_pass(&world, 4900);
	CU_ASSERT_TRUE(waits(reader));
}

static void
test_pace_ends_with_whatever_ends_a_stream(void)
{
	for (int way = 0; way < 4; way++) {
		struct world_client reader;
		begin();
		reader = open_reader(&sl_transport_stream);
		CU_ASSERT_TRUE(waits(&reader));
		if (way == 0)
			client_close(&reader);
		else if (way == 1)
			sl_shard_drain(&world.shard);
		else if (way == 2)
			end_behind_what_it_published(&reader);
		else
			sl_link_abort(reader.link);
		world_pass(&world, way == 2 ? 5100 : 16);
		CU_ASSERT_PTR_NULL(world.shard.paces);
		if (way == 1 || way == 2) {
			uint64_t last = 0;
			CU_ASSERT_PTR_NOT_NULL(strstr(follow(&reader, &last),
				way == 1 ? "\"reason\":\"draining\"" : "\"reason\":\"token_expired\""));
		}
		if (way != 0)
			client_close(&reader);
		world_close(&world);
	}
}

/* One whose client takes nothing when its turn comes keeps the turn until it does. */
static void
test_pace_turn_of_one_with_output_is_kept(void)
{
	struct world_client reader;
	uint64_t last = 0;
	begin();
	reader = open_reader(&sl_transport_stream);
	CU_ASSERT_TRUE(waits(&reader));
	uint64_t reads = world_counter(&world, SL_COUNTER_BEHIND_READS);
	world.shard.loop.now_ms += 4000; /* the bucket pays */
	sl_link_send(reader.link, "\n", 1);
	sl_timer_wheel_run(&world.shard.loop.timers, world.shard.loop.now_ms);
	CU_ASSERT_TRUE(reader.subscriber->has_turn);
	CU_ASSERT_FALSE(waits(&reader));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_BEHIND_READS), reads);
	world_turn(&world);
	CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_BEHIND_READS) > reads);
	CU_ASSERT_FALSE(reader.subscriber->has_turn);
	world_pass(&world, 8000);
	follow(&reader, &last);
	CU_ASSERT_EQUAL(last, MESSAGES);
	client_close(&reader);
	world_close(&world);
}

/* What a one-shot request may read, the gate says; it is paid all the same. */
static void
test_pace_is_not_for_answers(void)
{
	static const struct world_request holding = { .query = "channels=b&since=EPOCH-400", .over_tcp = true };
	struct world_client poll, held, reader;
	uint64_t last = 0;
	begin();
	CU_ASSERT_TRUE_FATAL(client_open(&held, &world, &sl_transport_longpoll, &holding));
	poll = open_reader(&sl_transport_longpoll);
	CU_ASSERT_TRUE(poll.got.len > 250000);
	reader = open_reader(&sl_transport_stream);
	CU_ASSERT_TRUE(waits(&reader));
	follow(&reader, &last);
	CU_ASSERT_EQUAL(last, 0);
	sl_subscriber_fall_behind(held.subscriber, 0); /* its shard's mailbox has overrun */
	world_settle(&world);
	CU_ASSERT_EQUAL(held.subscriber->state, SL_SUBSCRIBER_LIVE);
	publish_many("b", 1);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&held));
	client_close(&held);
	client_close(&reader);
	client_close(&poll);
	world_close(&world);
}

static void
test_pace_without_memory_lets_everybody_read(void)
{
	struct world_client reader;
	uint64_t last = 0;
	begin();
	reader = open_reader(&sl_transport_stream);
	CU_ASSERT_TRUE(waits(&reader));
	struct sl_subscriber *s = reader.subscriber;
	sl_pace_leave(s);
	CU_ASSERT_PTR_NULL(world.shard.paces);
	for (unsigned n = 1; n <= 3; n++) {
		failing_alloc_set(n, true);
		bool may_read = sl_pace_may_read(s);
		failing_alloc_off();
		CU_ASSERT_EQUAL(may_read, failing_alloc_has_failed());
		CU_ASSERT_EQUAL(waits(&reader), !may_read);
		CU_ASSERT_EQUAL(world.shard.paces != NULL, !may_read);
		sl_pace_leave(s);
	}
	sl_subscriber_fall_behind(s, s->position);
	world_pass(&world, 10000);
	follow(&reader, &last);
	CU_ASSERT_EQUAL(last, MESSAGES);
	client_close(&reader);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_pace_gives_each_of_an_owner_everything_in_order_and_in_turn),
		UNIT_TEST(test_pace_costs_nothing_while_streams_wait_but_their_heartbeats),
		UNIT_TEST(test_pace_sees_that_the_limit_was_raised),
		UNIT_TEST(test_pace_holds_no_other_owner_up),
		UNIT_TEST(test_pace_ends_with_whatever_ends_a_stream),
		UNIT_TEST(test_pace_turn_of_one_with_output_is_kept),
		UNIT_TEST(test_pace_is_not_for_answers),
		UNIT_TEST(test_pace_without_memory_lets_everybody_read),
		{ NULL, NULL },
	};
	return unit_main("pace", tests);
}
