#include "live/outage.h"

#include <stdlib.h>

#include "bus/backend.h"
#include "live/control.h"
#include "tests/unit/story.h"
#include "transports/registry.h"

#define AWAY "{\"type\":\"backend\",\"state\":\"away\"}"
#define BACK "{\"type\":\"backend\",\"state\":\"back\"}"
#define MANY 600

static struct world_client client, other;

static void
test_outage_is_told_once_and_neither_counts_nor_has_a_cursor(void)
{
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	world_publish(&world, "a", "x");
	sl_outage_set(&world.shard, true);
	sl_outage_set(&world.shard, true);
	expect(&client, "open@0 a1 " AWAY);
	sl_outage_set(&world.shard, false);
	world_settle(&world);
	world_publish(&world, "a", "x");
	expect(&client, BACK " a2");
	CU_ASSERT_EQUAL(client.subscriber->sent, 2);
	sl_control_send_heartbeat(client.subscriber); /* whose count the story compares */
	expect(&client, "heartbeat@2");
	client_close(&client);
	world_close(&world);
}

static void
test_outage_is_told_right_after_open_to_who_comes_meanwhile(void)
{
	world_open(&world, NULL);
	world_publish(&world, "a", "x");
	sl_outage_set(&world.shard, true);
	world_settle(&world);
	client_open_stream(&client, &world, "channels=a&since=EPOCH-0");
	expect(&client, "open@0 " AWAY " a1");
	sl_outage_set(&world.shard, false);
	expect(&client, BACK);
	client_open_stream(&other, &world, "channels=a&since=EPOCH-0");
	expect(&other, "open@0 a1");
	client_close(&client);
	client_close(&other);
	world_close(&world);
}

static void
test_outage_stays_out_of_the_silence_of_a_probe(void)
{
	world_open(&world, NULL);
	sl_outage_set(&world.shard, true);
	client_open_stream(&client, &world, "channels=a&probe=12345678");
	expect(&client, "open@0 " AWAY);
	sl_outage_set(&world.shard, false);
	world_pass(&world, 1000);
	expect(&client, "mark");
	world_pass(&world, 1500);
	expect(&client, BACK);
	client_close(&client);
	world_close(&world);
}

static void
test_outage_that_is_over_before_it_was_told_is_never_told(void)
{
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	expect(&client, "open@0");
	sl_outage_set(&world.shard, true);
	sl_outage_set(&world.shard, false);
	expect(&client, "");
	client_close(&client);
	world_close(&world);
}

static void
test_outage_is_an_event_without_id_on_sse_in_raw_too(void)
{
	struct world_request requests[] = { { .query = "channels=a" },
		{ .query = "channels=a&format=raw" } };
	world_open(&world, NULL);
	for (size_t i = 0; i < 2; i++) {
		client_open(&client, &world, &sl_transport_sse, &requests[i]);
		world_settle(&world);
		client_take_text(&client, &world);
		sl_outage_set(&world.shard, true);
		world_settle(&world);
		CU_ASSERT_STRING_EQUAL(client_take_text(&client, &world), "event: backend\ndata: " AWAY "\n\n");
		sl_outage_set(&world.shard, false);
		world_settle(&world);
		client_close(&client);
	}
	world_close(&world);
}

static void
test_outage_is_not_told_where_the_format_has_no_such_thing(void)
{
	const struct {
		const struct sl_transport *transport;
		const char *query;
	} others[] = {
		{ &sl_transport_stream, "channels=a&format=raw" }, { &sl_transport_longpoll, "channels=a&since=EPOCH-0" },
	};
	world_open(&world, NULL);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct world_request request = { .query = others[i].query, .keep_alive = true };
		client_open(&client, &world, others[i].transport, &request);
		world_settle(&world);
		client_take_text(&client, &world);
		sl_outage_set(&world.shard, true);
		world_settle(&world);
		CU_ASSERT_STRING_EQUAL(client_take_text(&client, &world), "");
		CU_ASSERT_TRUE(client_is_served(&client, &world));
		sl_outage_set(&world.shard, false);
		client_close(&client);
	}
	world_close(&world);
}

/* A client whose outbox is full is no slower for that: it hears of it when it has read. */
static void
test_outage_ends_nobody_whose_outbox_is_full(void)
{
	static const char *const options[] = { "--outbox=1K", "--max-message=1M", NULL };
	static char large[400000];
	memset(large, 'x', sizeof large);
	world_open(&world, options);
	client_open_stream(&client, &world, "channels=a");
	world_publish_bytes(&world, "a", SL_TEXT, large, sizeof large);
	world_turn(&world);
	CU_ASSERT_TRUE_FATAL(client.link->outbox.queued_bytes > 1024);
	sl_outage_set(&world.shard, true);
	world_turn(&world);
	CU_ASSERT_FALSE(client.subscriber->told_away);
	for (int i = 0; i < 100 && !client.subscriber->told_away; i++) {
		client_read(&client);
		world_turn(&world);
	}
	CU_ASSERT_TRUE(client.subscriber->told_away);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	client_close(&client);
	world_close(&world);
}

static unsigned
count_told(const struct world_client *clients)
{
	unsigned count = 0;
	for (int i = 0; i < MANY; i++)
		count += clients[i].subscriber->told_away;
	return count;
}

static void
test_outage_is_told_to_many_over_several_turns_whoever_leaves_meanwhile(void)
{
	struct world_client *clients = calloc(MANY, sizeof *clients);
	world_open(&world, NULL);
	for (int i = 0; i < MANY; i++)
		client_open_stream(&clients[i], &world, "channels=a");
	world_settle(&world);
	sl_outage_set(&world.shard, true);
	CU_ASSERT_TRUE(sl_outage_work(&world.shard));
	unsigned told = count_told(clients);
	CU_ASSERT(told > 0 && told <= 256);
	struct sl_link *next = world.shard.outage.at;
	for (int i = 0; i < MANY; i++) /* the one that is next leaves */
		if (clients[i].link == next)
			clients[i].subscriber->told_away = true; /* and counts as told */
	sl_link_close(next);
	CU_ASSERT_PTR_NOT_EQUAL(world.shard.outage.at, next);
	while (sl_outage_work(&world.shard))
		;
	CU_ASSERT_EQUAL(count_told(clients), MANY);
	CU_ASSERT_PTR_NULL(world.shard.outage.at);
	for (int i = 0; i < MANY; i++)
		client_close(&clients[i]);
	world_close(&world);
	free(clients);
}

static void
test_outage_is_what_the_bus_says(void)
{
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_bus_set_away(world.bus, true);
	expect(&client, "open@0 " AWAY);
	sl_bus_set_away(world.bus, false);
	expect(&client, BACK);
	client_close(&client);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_outage_is_told_once_and_neither_counts_nor_has_a_cursor),
		UNIT_TEST(test_outage_is_told_right_after_open_to_who_comes_meanwhile),
		UNIT_TEST(test_outage_stays_out_of_the_silence_of_a_probe),
		UNIT_TEST(test_outage_that_is_over_before_it_was_told_is_never_told),
		UNIT_TEST(test_outage_is_an_event_without_id_on_sse_in_raw_too),
		UNIT_TEST(test_outage_is_not_told_where_the_format_has_no_such_thing),
		UNIT_TEST(test_outage_ends_nobody_whose_outbox_is_full),
		UNIT_TEST(test_outage_is_told_to_many_over_several_turns_whoever_leaves_meanwhile),
		UNIT_TEST(test_outage_is_what_the_bus_says),
		{ NULL, NULL },
	};
	return unit_main("outage", tests);
}
