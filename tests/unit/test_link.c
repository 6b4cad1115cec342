#include "live/link.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "live/control.h"
#include "live/protocol.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static char large[300001];

static const char *const small_outbox[] = { "--outbox=1K", "--max-message=1M", NULL };

static uint64_t
count_open(enum sl_class class_)
{
	return world_class_counter(&world, class_, SL_CLASS_OPENED) -
		world_class_counter(&world, class_, SL_CLASS_CLOSED);
}

static unsigned
publish_until_slow(unsigned max)
{
	unsigned published = 0;
	while (world_counter(&world, SL_COUNTER_SLOW_CONSUMERS) == 0 && published < max) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 50000);
		world_turn(&world);
		published++;
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 1);
	return published;
}

static void
test_link_is_freed_at_the_end_of_the_turn_and_counted_once(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a,b");
	struct sl_link *link = client.link;
	sl_link_add_work(link);
	sl_link_close(link);
	sl_link_close(link);
	sl_link_add_work(link);
	CU_ASSERT_EQUAL(link->state, SL_LINK_CLOSED);
	CU_ASSERT_TRUE(STAILQ_EMPTY(&world.shard.work));
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 0);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_OPENED), 1);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_CLOSED), 1);
	client_close(&client);
	world_close(&world);
}

/* As a child does that another thread has forked and that has not begun its program yet. */
static void
test_link_closed_is_not_watched_though_another_process_has_its_descriptor(void)
{
	struct world_client client;
	struct epoll_event event;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	int duplicate = dup(client.link->socket.fd);
	sl_link_close(client.link);
	world_settle(&world);
	client_close(&client);
	CU_ASSERT_EQUAL(epoll_wait(world.shard.loop.epoll_fd, &event, 1, 0), 0);
	close(duplicate);
	world_close(&world);
}

static void
test_link_closes_when_its_peer_has(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(count_open(SL_CLASS_STREAM), 0);
	world_close(&world);
}

static void
test_link_takes_some_garbage_but_not_for_ever(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	uint64_t before = world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_WIRE_BYTES_IN);
	client_send(&client, large, 60000);
	for (int i = 0; i < 30; i++)
		world_turn(&world);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_WIRE_BYTES_IN),
		before + 60000);
	client_send(&client, large, 6000);
	for (int i = 0; i < 30; i++)
		world_turn(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	client_close(&client);
	world_close(&world);
}

static void
test_link_does_not_linger_longer_than_2_s(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_subscriber_end(client.subscriber, SL_END_DRAINING);
	world_pass(&world, 1900);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	world_pass(&world, 140);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	client_close(&client);
	world_close(&world);
}

static void
test_link_head_and_first_object_go_out_in_one_write(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a", .http_minor = 1 };
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_stream, &request);
	CU_ASSERT_EQUAL(client_read(&client), 0);
	world_turn(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SENDS), 1);
	CU_ASSERT_TRUE(client_skip_head(&client));
	CU_ASSERT_TRUE(client.got.len > 0);
	client_close(&client);
	world_close(&world);
}

/* In one turn there may be more than an outbox holds, for a client that takes it all. */
static void
test_link_that_takes_a_burst_is_not_slow(void)
{
	static const char *const options[] = { "--outbox=10K", NULL };
	struct world_client client;
	world_open(&world, options);
	client_open_stream(&client, &world, "channels=a,b");
	for (int i = 0; i < 20; i++)
		world_publish_bytes(&world, i % 2 ? "a" : "b", SL_TEXT, large, 4000);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	const char *story = client_take_story(&client, &world);
	CU_ASSERT_STRING_EQUAL(story + strlen(story) - strlen(" b19 a20"), " b19 a20");
	client_close(&client);
	world_close(&world);
}

static void
test_link_that_will_not_take_its_last_bytes_is_reset_after_5_s(void)
{
	static const char *const options[] = { "--outbox=100K", NULL };
	struct world_client client;
	struct world_request request = { .query = "channels=a", .over_tcp = true,
		.send_buffer = 4608 };
	world_open(&world, options);
	client_open(&client, &world, &sl_transport_stream, &request);
	publish_until_slow(5000);
	world_pass(&world, 4900);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	world_pass(&world, 140);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	while (client_read(&client) > 0)
		sl_buffer_clear(&client.got);
	CU_ASSERT_TRUE(client.reset);
	client_close(&client);
	world_close(&world);
}

static void
test_link_takes_one_object_however_large(void)
{
	struct world_client client;
	world_open(&world, small_outbox);
	client_open_stream(&client, &world, "channels=a");
	world_publish(&world, "a", large);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	for (int i = 0; i < 100; i++) {
		client_read(&client);
		world_turn(&world);
	}
	expect(&client, "open@0 a1");
	/* The same with something small still waiting before it. */
	world_publish(&world, "a", large);
	sl_control_send_heartbeat(client.subscriber);
	for (int i = 0; i < 100; i++) {
		world_turn(&world);
		client_read(&client);
	}
	expect(&client, "heartbeat@1 a2");
	client_close(&client);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_link_is_freed_at_the_end_of_the_turn_and_counted_once),
		UNIT_TEST(test_link_closed_is_not_watched_though_another_process_has_its_descriptor),
		UNIT_TEST(test_link_closes_when_its_peer_has),
		UNIT_TEST(test_link_takes_some_garbage_but_not_for_ever),
		UNIT_TEST(test_link_does_not_linger_longer_than_2_s),
		UNIT_TEST(test_link_head_and_first_object_go_out_in_one_write),
		UNIT_TEST(test_link_that_takes_a_burst_is_not_slow),
		UNIT_TEST(test_link_that_will_not_take_its_last_bytes_is_reset_after_5_s),
		UNIT_TEST(test_link_takes_one_object_however_large),
		{ NULL, NULL },
	};
	memset(large, 'x', sizeof large - 1);
	return unit_main("link", tests);
}
