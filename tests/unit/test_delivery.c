/* From one log to the next. What is delivered from a mailbox is in test_fanout.c. */
#include "live/delivery.h"

#include <stdlib.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "live/protocol.h"
#include "live/subscriber.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/story.h"
#include "transports/registry.h"

#define MANY 600

static struct world_client client, other;

/* ---- a log that changes at the worst moment ---- */

static unsigned reads_to_reset; /* 0: none; 1: the next one finds another log, with five messages of "a" */

void __real_sl_bus_read(struct sl_bus *bus, struct sl_read *read);
void __wrap_sl_bus_read(struct sl_bus *bus, struct sl_read *read);

void
__wrap_sl_bus_read(struct sl_bus *bus, struct sl_read *read)
{
	if (reads_to_reset && --reads_to_reset == 0) {
		sl_bus_reset(bus, 0xa);
		publish_many("a", 5);
	}
	__real_sl_bus_read(bus, read);
}

/* The same cursor before the log changes. */
static const char *
name_before(const char *query)
{
	static char text[128];
	const char *at = strstr(query, "EPOCH");
	snprintf(text, sizeof text, "%.*s%08x%s", (int)(at - query), query, sl_bus_head(world.bus).epoch,
		at + 5);
	return text;
}

/* ---- who is there ---- */

static void
test_delivery_ends_who_is_there_after_what_the_log_before_had_for_them(void)
{
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	client_open_stream(&other, &world, "channels=b");
	world_publish(&world, "a", "x");
	expect(&client, "open@0 a1");
	expect(&other, "open@0");
	char before[16];
	snprintf(before, sizeof before, "%08x", sl_bus_head(world.bus).epoch);
	world_publish(&world, "a", "x");
	sl_bus_reset(world.bus, 0xa);
	world_publish(&world, "a", "x");
	world_publish(&world, "b", "x");
	world_settle(&world);
	const char *seen = client_take_text(&client, &world);
	char wanted[32];
	snprintf(wanted, sizeof wanted, "{\"id\":\"%s-2\"", before);
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, wanted));
	CU_ASSERT_PTR_NULL(strstr(seen, "EPOCH-"));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\"reason\":\"epoch\""));
	expect(&other, "bye:epoch");
	CU_ASSERT_TRUE(client.ended);
	client_close(&client);
	client_close(&other);
	world_close(&world);
}

static void
test_delivery_begins_anew_for_who_comes_after(void)
{
	world_open(&world, NULL);
	publish_many("a", 5);
	client_open_stream(&other, &world, "channels=a");
	expect(&other, "open@5");
	sl_bus_reset(world.bus, 0xa);
	publish_many("a", 2);
	/* Before the shard has had a turn. */
	client_open_stream(&client, &world, "channels=a&since=EPOCH-1");
	expect(&client, "open@1 a2");
	expect(&other, "bye:epoch");
	publish_many("a", 2);
	expect(&client, "a3 a4");
	client_close(&client);
	client_open_stream(&client, &world, "channels=a&since=00000009-7");
	expect(&client, "open@0 gap:a:?-0 a1 a2 a3 a4");
	client_close(&client);
	client_close(&other);
	world_close(&world);
}

static void
test_delivery_ends_who_is_behind_without_a_message_of_the_new_log(void)
{
	world_open(&world, NULL);
	publish_many("a", 200); /* more than one read has */
	client_open_stream(&client, &world, "channels=a&since=EPOCH-0");
	sl_bus_reset(world.bus, 0xa);
	publish_many("a", 300);
	world_settle(&world);
	const char *seen = client_take_text(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\"reason\":\"epoch\""));
	CU_ASSERT_PTR_NULL(strstr(seen, "\"EPOCH-"));
	client_close(&client);
	world_close(&world);
}

static void
test_delivery_answers_who_is_held_with_the_cursor_that_it_has(void)
{
	struct world_request request = { .query = "channels=a&since=EPOCH-3", .keep_alive = true };
	char wanted[64];
	world_open(&world, NULL);
	publish_many("a", 3);
	client_open(&client, &world, &sl_transport_longpoll, &request);
	world_settle(&world);
	CU_ASSERT_STRING_EQUAL(client_take_text(&client, &world), "");
	snprintf(wanted, sizeof wanted, "{\"cursor\":\"%08x-3\",\"messages\":[]",
		sl_bus_head(world.bus).epoch);
	sl_bus_reset(world.bus, 0xa);
	publish_many("a", 9);
	world_settle(&world);
	CU_ASSERT_PTR_NOT_NULL(strstr(client_take_text(&client, &world), wanted));
	client_close(&client);
	world_close(&world);
}

static void
test_delivery_ends_some_in_each_turn(void)
{
	static struct world_client clients[MANY];
	unsigned turns = 0, left = 0;
	world_open(&world, NULL);
	for (unsigned i = 0; i < MANY; i++)
		client_open_stream(&clients[i], &world, i % 2 ? "channels=a" : "channels=b");
	for (unsigned i = 0; i < MANY; i++)
		expect(&clients[i], "open@0");
	sl_bus_reset(world.bus, 0xa);
	do {
		unsigned before = left;
		left = 0;
		publish_many("a", 1); /* which none of them gets */
		world_turn(&world);
		for (unsigned i = 0; i < MANY; i++)
			left += client_is_served(&clients[i], &world) &&
				clients[i].link->state == SL_LINK_OPEN;
		CU_ASSERT(turns == 0 || before - left <= 256);
		turns++;
	} while (left && turns < 20);
	CU_ASSERT_EQUAL(left, 0);
	CU_ASSERT(turns >= MANY / 256);
	for (unsigned i = 0; i < MANY; i++) {
		expect(&clients[i], "bye:epoch");
		client_close(&clients[i]);
	}
	world_close(&world);
}

/* ---- publishes on their way ---- */

static void
test_delivery_waits_for_the_answers_to_what_was_published(void)
{
	struct held_backend *held = held_create();
	static const char publish[] = "{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1}";
	world_open_over(&world, &held->base, NULL);
	client_open_stream(&client, &world, "channels=a");
	expect(&client, "open@0");
	sl_protocol_handle(client.subscriber, publish, sizeof publish - 1);
	sl_bus_reset(world.bus, 0xa);
	expect(&client, "");
	held_answer(held, SL_EUNKNOWN);
	world_settle(&world);
	const char *seen = client_take_text(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\"code\":\"unknown_outcome\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\"reason\":\"epoch\""));
	client_close(&client);
	world_close(&world);
}

/* Its number is of a log that is over, or of the next one: no message comes with it. */
static void
test_delivery_waits_for_no_message_that_was_acknowledged(void)
{
	struct held_backend *held = held_create();
	static const char publish[] = "{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1}";
	world_open_over(&world, &held->base, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_protocol_handle(client.subscriber, publish, sizeof publish - 1);
	struct sl_message *message = held_acknowledge(held);
	expect(&client, "open@0 {\"type\":\"ack\",\"ref\":1,\"id\":\"EPOCH-1\"}");
	sl_bus_reset(world.bus, 0xa);
	expect(&client, "bye:epoch");
	sl_message_unref(message);
	client_close(&client);
	world_close(&world);
}

/* ---- a log that changes while somebody looks ---- */

static void
test_delivery_joins_once_more_where_the_log_changes_meanwhile(void)
{
	world_open(&world, NULL);
	publish_many("a", 5);
	client_open_stream(&other, &world, "channels=b");
	expect(&other, "open@5");
	reads_to_reset = 1;
	/* A cursor of the log that is about to begin, from a gateway that is there already. */
	client_open_stream(&client, &world, "channels=a&since=0000000a-3");
	CU_ASSERT_EQUAL(reads_to_reset, 0);
	publish_many("a", 2);
	expect(&client, "open@3 a4 a5 a6 a7"); /* no gap: it is where it was */
	expect(&other, "bye:epoch");
	client_close(&client);
	client_close(&other);
	world_close(&world);
}

static void
test_delivery_reads_nothing_of_a_log_that_is_not_the_subscribers(void)
{
	world_open(&world, NULL);
	publish_many("a", 5);
	reads_to_reset = 1;
	client_open_stream(&client, &world, name_before("channels=a&since=EPOCH-1"));
	CU_ASSERT_EQUAL(reads_to_reset, 0);
	world_settle(&world);
	const char *seen = client_take_text(&client, &world);
	CU_ASSERT_PTR_NULL(strstr(seen, "EPOCH"));
	CU_ASSERT_PTR_NULL(strstr(seen, "{\"id\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\"reason\":\"epoch\",\"retry\""));
	client_close(&client);
	world_close(&world);
}

static void
test_delivery_answers_a_poll_whose_log_changes_meanwhile(void)
{
	char query[64], wanted[64];
	world_open(&world, NULL);
	publish_many("a", 5);
	snprintf(query, sizeof query, "%s", name_before("channels=a&since=EPOCH-1&wait=20"));
	snprintf(wanted, sizeof wanted, "{\"cursor\":\"%08x-1\",\"messages\":[]",
		sl_bus_head(world.bus).epoch);
	struct world_request request = { .query = query, .keep_alive = true };
	reads_to_reset = 1;
	client_open(&client, &world, &sl_transport_longpoll, &request);
	world_settle(&world);
	CU_ASSERT_PTR_NOT_NULL(strstr(client_take_text(&client, &world), wanted));
	client_close(&client);
	world_close(&world);
}

static void
test_delivery_tells_where_the_new_log_is_to_who_asks_for_now(void)
{
	struct world_request request = { .query = "channels=a", .keep_alive = true };
	world_open(&world, NULL);
	publish_many("a", 5);
	sl_bus_reset(world.bus, 0xa);
	publish_many("b", 2);
	client_open(&client, &world, &sl_transport_longpoll, &request);
	world_settle(&world);
	CU_ASSERT_PTR_NOT_NULL(strstr(client_take_text(&client, &world), "\"cursor\":\"EPOCH-2\""));
	client_close(&client);
	world_close(&world);
}

/* ---- what never comes ---- */

static void
test_delivery_tells_of_what_is_lost(void)
{
	world_open(&world, NULL);
	publish_many("a", 2);
	client_open_stream(&client, &world, "channels=a");
	client_open_stream(&other, &world, "channels=b&since=EPOCH-2");
	expect(&client, "open@2");
	expect(&other, "open@2");
	publish_many("a", 1);
	sl_bus_lock(world.bus);
	sl_bus_lose(world.bus, 9);
	sl_bus_unlock(world.bus, -1);
	publish_many("a", 1);
	expect(&client, "a3 gap:a:3-9 a10");
	expect(&other, "gap:b:3-9");
	client_close(&client);
	client_close(&other);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_delivery_ends_who_is_there_after_what_the_log_before_had_for_them),
		UNIT_TEST(test_delivery_begins_anew_for_who_comes_after),
		UNIT_TEST(test_delivery_ends_who_is_behind_without_a_message_of_the_new_log),
		UNIT_TEST(test_delivery_answers_who_is_held_with_the_cursor_that_it_has),
		UNIT_TEST(test_delivery_ends_some_in_each_turn),
		UNIT_TEST(test_delivery_waits_for_the_answers_to_what_was_published),
		UNIT_TEST(test_delivery_waits_for_no_message_that_was_acknowledged),
		UNIT_TEST(test_delivery_joins_once_more_where_the_log_changes_meanwhile),
		UNIT_TEST(test_delivery_reads_nothing_of_a_log_that_is_not_the_subscribers),
		UNIT_TEST(test_delivery_answers_a_poll_whose_log_changes_meanwhile),
		UNIT_TEST(test_delivery_tells_where_the_new_log_is_to_who_asks_for_now),
		UNIT_TEST(test_delivery_tells_of_what_is_lost),
		{ NULL, NULL },
	};
	return unit_main("delivery", tests);
}
