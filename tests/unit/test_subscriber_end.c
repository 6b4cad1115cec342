#include "live/subscriber.h"

#include "live/delivery.h"
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "live/control.h"
#include "live/protocol.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static char large[50001];

static void
test_subscriber_that_waits_for_nothing_ends_in_order_at_once(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_subscriber_end_in_order(client.subscriber, SL_END_CLIENT, 0);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_ENDING);
	CU_ASSERT_TRUE(sl_subscriber_is_ending(client.subscriber));
	publish_many("a", 1);
	expect(&client, "open@0");
	CU_ASSERT_TRUE(client.ended);
	client_close(&client);
	world_close(&world);
}

static void
test_subscriber_ends_in_order_behind_what_it_published(void)
{
	static const char publish[] = "{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1}";
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_protocol_handle(client.subscriber, publish, sizeof publish - 1);
	sl_subscriber_end_in_order(client.subscriber, SL_END_PROTOCOL, 0);
	sl_subscriber_end_in_order(client.subscriber, SL_END_CLIENT, 0); /* ends once */
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	expect(&client, "open@0 {\"type\":\"ack\",\"ref\":1,\"id\":\"EPOCH-1\"} a1");
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROTOCOL_ERRORS), 1);
	client_close(&client);
	world_close(&world);
}

/* What a log acknowledges before the bus has read it back. */
static struct sl_message *
begin_acknowledged(struct world_client *client, struct held_backend *held, const char *query)
{
	static const char publish[] = "{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1}";
	world_open_over(&world, &held->base, NULL);
	client_open_stream(client, &world, query);
	sl_protocol_handle(client->subscriber, publish, sizeof publish - 1);
	sl_subscriber_end_in_order(client->subscriber, SL_END_CLIENT, 0);
	expect(client, "open@0");
	struct sl_message *message = held_acknowledge(held);
	expect(client, "{\"type\":\"ack\",\"ref\":1,\"id\":\"EPOCH-1\"}");
	world_pass(&world, 1000);
	CU_ASSERT_EQUAL(client->link->state, SL_LINK_OPEN);
	return message;
}

static void
test_subscriber_ends_in_order_behind_a_message_that_comes_after_its_ack(void)
{
	/* Subscribed to it, or not: then the shard's position alone says that it has passed. */
	static const char *const queries[] = { "channels=a", "channels=b" }, *const stories[] = { "a1", "" };
	for (size_t i = 0; i < 2; i++) {
		struct world_client client;
		struct held_backend *held = held_create();
		struct sl_message *message = begin_acknowledged(&client, held, queries[i]);
		sl_bus_append(world.bus, message, 0, -1);
		sl_message_unref(message);
		world_pass(&world, 32);
		expect(&client, stories[i]);
		CU_ASSERT_TRUE(client.ended);
		client_close(&client);
		world_close(&world);
	}
}

static void
test_subscriber_waits_five_seconds_for_a_message_that_was_acknowledged(void)
{
	struct world_client client;
	struct held_backend *held = held_create();
	struct sl_message *message = begin_acknowledged(&client, held, "channels=a");
	world_pass(&world, 3900);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	world_pass(&world, 200);
	expect(&client, "");
	CU_ASSERT_TRUE(client.ended);
	sl_message_unref(message);
	client_close(&client);
	world_close(&world);
}

/* ---- the leave by which it is there ends ---- */

static void
test_subscriber_whose_token_expires_ends_behind_the_acks_of_what_it_published(void)
{
	static const char publish[] = "{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1}";
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_protocol_handle(client.subscriber, publish, sizeof publish - 1);
	sl_subscriber_end_leave(&client.subscriber->holder, SL_LEAVE_EXPIRED);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_OPEN);
	expect(&client, "open@0 {\"type\":\"ack\",\"ref\":1,\"id\":\"EPOCH-1\"} a1 bye:token_expired");
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_PTR_NULL(client.subscriber->holder.principal);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_EXPIRED), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_REVOKED), 0);
	client_close(&client);
	world_close(&world);
}

/* What is queued for it is sent, and its bye tells what that was; the rest is in history. */
static void
test_subscriber_whose_token_expires_while_it_is_behind_is_told_its_count(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a&since=0", .send_buffer = 4608 };
	world_open(&world, NULL);
	for (int i = 0; i < 200; i++)
		world_publish_bytes(&world, "a", SL_TEXT, large, 2000);
	client_open(&client, &world, &sl_transport_stream, &request);
	world_settle(&world);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_BEHIND);
	unsigned sent = (unsigned)client.subscriber->sent;
	CU_ASSERT_TRUE(sent > 0 && sent < 200);
	sl_subscriber_end_leave(&client.subscriber->holder, SL_LEAVE_EXPIRED);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_ENDING);
	read_to_the_end(&client);
	CU_ASSERT_TRUE(client_skip_head(&client));
	const char *text = client_take_text(&client, &world);
	CU_ASSERT_EQUAL(check_cursors(text), sent);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"reason\":\"token_expired\""));
	client_close(&client);
	world_close(&world);
}

static void
test_subscriber_that_is_revoked_gets_the_object_in_progress_and_bye(void)
{
	static const char ping[] = "{\"type\":\"ping\",\"data\":1}";
	struct world_request request = { .query = "channels=a", .send_buffer = 4608 };
	struct world_client client;
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_stream, &request);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	for (int i = 0; i < 5; i++) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 50000);
		world_turn(&world);
	}
	sl_protocol_handle(client.subscriber, ping, sizeof ping - 1); /* whose count will not be true */
	CU_ASSERT_EQUAL(client.subscriber->sent, 5);
	sl_subscriber_end_leave(&client.subscriber->holder, SL_LEAVE_REVOKED);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_ENDING);
	CU_ASSERT_TRUE(client.link->outbox.queued_bytes < 51000); /* what was not begun is gone */
	CU_ASSERT_PTR_NULL(client.subscriber->holder.principal);
	read_to_the_end(&client);
	const char *text = client_take_text(&client, &world);
	CU_ASSERT_TRUE(check_cursors(text) < 5);
	CU_ASSERT_PTR_NULL(strstr(text, "pong"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"reason\":\"token_revoked\""));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_REVOKED), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_EXPIRED), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	client_close(&client);
	world_close(&world);
}

/* Revoked means now, also for one that waits for acks of what it published. */
static void
test_subscriber_that_ends_in_order_is_revoked_at_once(void)
{
	static const char publish[] = "{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1}";
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_protocol_handle(client.subscriber, publish, sizeof publish - 1);
	sl_subscriber_end_leave(&client.subscriber->holder, SL_LEAVE_EXPIRED);
	sl_subscriber_end_leave(&client.subscriber->holder, SL_LEAVE_REVOKED);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_ENDING);
	sl_subscriber_end_leave(&client.subscriber->holder, SL_LEAVE_EXPIRED); /* ends once */
	expect(&client, "open@0 {\"type\":\"ack\",\"ref\":1,\"id\":\"EPOCH-1\"} bye:token_revoked");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_REVOKED), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_EXPIRED), 0);
	client_close(&client);
	world_close(&world);
}

static void
test_subscriber_lets_go_of_its_principal_when_it_leaves(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	CU_ASSERT_PTR_EQUAL(client.subscriber->holder.principal, &sl_principal_everybody);
	sl_subscriber_leave(client.subscriber);
	CU_ASSERT_PTR_NULL(client.subscriber->holder.principal);
	sl_subscriber_leave(client.subscriber);
	client_close(&client);
	world_close(&world);
}

static void
test_subscriber_without_memory_to_be_ended_is_closed(void)
{
	static const enum sl_leave leaves[] = { SL_LEAVE_EXPIRED, SL_LEAVE_REVOKED };
	for (unsigned i = 0; i < 2; i++) {
		bool has_failed = true;
		for (unsigned n = 1; has_failed; n++) {
			struct world_client client;
			world_open(&world, NULL);
			client_open_stream(&client, &world, "channels=a");
			failing_alloc_set(n, n % 2);
			sl_subscriber_end_leave(&client.subscriber->holder, leaves[i]);
			failing_alloc_off();
			has_failed = failing_alloc_has_failed();
			CU_ASSERT_EQUAL(client.link->state, has_failed ? SL_LINK_CLOSED : SL_LINK_ENDING);
			CU_ASSERT_PTR_NULL(client.subscriber->holder.principal);
			client_close(&client);
			world_close(&world);
		}
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_subscriber_that_waits_for_nothing_ends_in_order_at_once),
		UNIT_TEST(test_subscriber_ends_in_order_behind_what_it_published),
		UNIT_TEST(test_subscriber_ends_in_order_behind_a_message_that_comes_after_its_ack),
		UNIT_TEST(test_subscriber_waits_five_seconds_for_a_message_that_was_acknowledged),
		UNIT_TEST(test_subscriber_whose_token_expires_ends_behind_the_acks_of_what_it_published),
		UNIT_TEST(test_subscriber_whose_token_expires_while_it_is_behind_is_told_its_count),
		UNIT_TEST(test_subscriber_that_is_revoked_gets_the_object_in_progress_and_bye),
		UNIT_TEST(test_subscriber_that_ends_in_order_is_revoked_at_once),
		UNIT_TEST(test_subscriber_lets_go_of_its_principal_when_it_leaves),
		UNIT_TEST(test_subscriber_without_memory_to_be_ended_is_closed),
		{ NULL, NULL },
	};
	memset(large, 'x', sizeof large - 1);
	return unit_main("subscriber_end", tests);
}
