#include "live/shard.h"

#include "auth/principals.h"
#include "bus/bus.h"
#include "bus/memory.h"
#include "config/config.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/somebody.h"
#include "tests/unit/story.h"
#include "transports/registry.h"
#include "util/err.h"

static void
test_shard_serves_at_most_256_links_before_it_asks_for_events_again(void)
{
	static struct world_client clients[300];
	unsigned got = 0;
	world_open(&world, NULL);
	for (unsigned i = 0; i < 300; i++) {
		client_open_stream(&clients[i], &world, "channels=a");
		client_take_story(&clients[i], &world);
	}
	publish_many("a", 1);
	CU_ASSERT_TRUE(sl_shard_work(&world.shard)); /* there is more */
	for (unsigned i = 0; i < 300; i++)
		got += client_read(&clients[i]) > 0;
	CU_ASSERT_EQUAL(got, 256);
	CU_ASSERT_FALSE(sl_shard_work(&world.shard));
	for (unsigned i = 0; i < 300; i++)
		got += client_read(&clients[i]) > 0;
	CU_ASSERT_EQUAL(got, 300);
	for (unsigned i = 0; i < 300; i++)
		client_close(&clients[i]);
	world_close(&world);
}

/* How many of the crowd have got something now; `last` is one that has not. */
static unsigned
count_served(struct world_client *crowd, unsigned count, struct world_client **last)
{
	unsigned served = 0;
	for (unsigned i = 0; i < count; i++) {
		if (client_read(&crowd[i]) > 0)
			served++;
		else
			*last = &crowd[i];
	}
	return served;
}

static void
test_shard_serves_what_comes_later_beside_what_many_links_left(void)
{
	static struct world_client crowd[600], other;
	struct world_client *last = NULL;
	world_open(&world, NULL);
	for (unsigned i = 0; i < 600; i++) {
		client_open_stream(&crowd[i], &world, "channels=a");
		client_take_story(&crowd[i], &world);
	}
	client_open_stream(&other, &world, "channels=b");
	client_take_story(&other, &world);
	publish_many("a", 1);
	CU_ASSERT_TRUE(sl_shard_work(&world.shard));
	CU_ASSERT_EQUAL(count_served(crowd, 600, &last), 256);
	sl_link_close(last->link); /* out of the list of those that are late */
	publish_many("b", 1);
	CU_ASSERT_TRUE(sl_shard_work(&world.shard));
	CU_ASSERT_TRUE(client_read(&other) > 0);
	CU_ASSERT_EQUAL(count_served(crowd, 600, &last), 256);
	CU_ASSERT_FALSE(sl_shard_work(&world.shard));
	CU_ASSERT_EQUAL(count_served(crowd, 600, &last), 87);
	for (unsigned i = 0; i < 600; i++)
		client_close(&crowd[i]);
	client_close(&other);
	world_close(&world);
}

static void
test_shard_ends_the_fullest_when_all_outboxes_hold_too_much(void)
{
	static const char *const options[] = { "--outbox-total=1M", "--outbox=900K", NULL };
	static char large[60000];
	struct world_client full, other;
	struct world_request request = { .query = "channels=a", .send_buffer = 4608 };
	struct world_request less = { .query = "channels=b", .send_buffer = 4608 };
	memset(large, 'x', sizeof large);
	world_open(&world, options);
	client_open(&full, &world, &sl_transport_stream, &request);
	client_open(&other, &world, &sl_transport_stream, &less);
	world_settle(&world);
	world_publish_bytes(&world, "b", SL_TEXT, large, sizeof large);
	for (int i = 0; i < 30 && full.link->state == SL_LINK_OPEN; i++) {
		world_publish_bytes(&world, "a", SL_TEXT, large, sizeof large);
		if (i > 5)
			world_publish_bytes(&world, "b", SL_TEXT, large, 30000);
		world_settle(&world);
	}
	CU_ASSERT_EQUAL(full.link->state, SL_LINK_ENDING);
	CU_ASSERT_EQUAL(other.link->state, SL_LINK_OPEN);
	CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS) >= 1);
	client_close(&full);
	client_close(&other);
	world_close(&world);
}

/* Before its links' work of the same turn, so that the bye goes out at once; and a crowd not all in
 * one turn. */
static void
test_shard_ends_a_crowd_whose_token_expired_a_few_a_turn(void)
{
	static struct world_client clients[3 * SL_ENDS_A_TURN];
	static struct sl_principal ann;
	const unsigned count = sizeof clients / sizeof *clients;
	world_open(&world, NULL);
	somebody_init(&ann, "ann", "*", NULL);
	somebody_be_known(&ann, world.shard.principals, SL_NEVER_S);
	for (unsigned i = 0; i < count; i++) {
		client_open_stream(&clients[i], &world, "channels=a");
		client_take_story(&clients[i], &world);
		client_admit(&clients[i], &ann);
	}
	CU_ASSERT_EQUAL(ann.holder_count, count);
	client_close(&clients[0]);
	world_settle(&world);
	CU_ASSERT_EQUAL(ann.holder_count, count - 1);
	sl_principal_send_away(&ann, SL_LEAVE_EXPIRED);
	for (unsigned turn = 1; turn <= 3; turn++) {
		unsigned ended = 0;
		CU_ASSERT_EQUAL(sl_shard_work(&world.shard), turn < 3);
		for (unsigned i = 1; i < count; i++) {
			client_read(&clients[i]);
			ended += clients[i].got.len > 0;
		}
		CU_ASSERT_EQUAL(ended, turn < 3 ? turn * SL_ENDS_A_TURN : count - 1);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_EXPIRED), count - 1);
	CU_ASSERT_EQUAL(ann.refs, 1);
	for (unsigned i = 1; i < count; i++) {
		expect(&clients[i], "bye:token_expired");
		client_close(&clients[i]);
	}
	world_close(&world);
	somebody_finish(&ann);
}

/* It is let in, since it was asked who it is, and then ended. */
static void
test_shard_ends_a_stream_that_was_opened_too_late(void)
{
	static struct sl_principal ann;
	struct world_client client;
	world_open(&world, NULL);
	somebody_init(&ann, "ann", "*", NULL);
	somebody_be_known(&ann, world.shard.principals, 1000);
	client_open_stream(&client, &world, "channels=a");
	client_admit(&client, &ann);
	expect(&client, "open@0 bye:token_expired");
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_EQUAL(ann.refs, 1);
	client_close(&client);
	world_close(&world);
	somebody_finish(&ann);
}

static void
test_shard_that_drains_ends_all_and_takes_no_publishes(void)
{
	struct world_client one, two;
	struct sl_message *message;
	struct sl_cursor id;
	struct sl_publish pending = { 0 };
	world_open(&world, NULL);
	client_open_stream(&one, &world, "channels=a");
	client_open_stream(&two, &world, "channels=b");
	sl_shard_drain(&world.shard);
	CU_ASSERT_TRUE(world.shard.draining);
	expect(&one, "open@0 bye:draining");
	expect(&two, "open@0 bye:draining");
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "a", 1, SL_TEXT, "x", 1), 0);
	CU_ASSERT_EQUAL(sl_bus_publish(world.bus, 0, message, NULL, 0, &pending, &id), SL_EDRAINING);
	client_close(&one);
	client_close(&two);
	world_settle(&world);
	CU_ASSERT_PTR_NULL(world.shard.links);
	world_close(&world);
}

static void
test_shard_without_memory_is_none(void)
{
	struct sl_config config = { .mailbox_messages = 16 };
	struct sl_backend *backend;
	struct sl_bus *bus;
	CU_ASSERT_EQUAL_FATAL(sl_memory_create(&backend, &(struct sl_config){ .idempotency_keys = 10 }), 0);
	struct sl_bus_config bus_config = { 10, 1000, 1000, 10000, 10 };
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&bus, &bus_config, backend), 0);
	unsigned index = 0; /* the bus takes each once */
	for_each_failing_allocation(failing) {
		static struct sl_shard shard;
		memset(&shard, 0, sizeof shard);
		int err = sl_shard_init(&shard, index++, 64, bus, &config);
		failing_expect(err);
		if (err == 0)
			sl_shard_finish(&shard);
	}
	sl_bus_destroy(bus);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_shard_serves_at_most_256_links_before_it_asks_for_events_again),
		UNIT_TEST(test_shard_serves_what_comes_later_beside_what_many_links_left),
		UNIT_TEST(test_shard_ends_the_fullest_when_all_outboxes_hold_too_much),
		UNIT_TEST(test_shard_ends_a_crowd_whose_token_expired_a_few_a_turn),
		UNIT_TEST(test_shard_ends_a_stream_that_was_opened_too_late),
		UNIT_TEST(test_shard_that_drains_ends_all_and_takes_no_publishes),
		UNIT_TEST(test_shard_without_memory_is_none),
		{ NULL, NULL },
	};
	return unit_main("shard", tests);
}
