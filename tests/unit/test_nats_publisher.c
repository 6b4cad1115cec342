/* What a publish comes to, with a real server behind it. */
#include "bus/nats_publisher.h"

#include "tests/unit/nats_world.h"

#define MANY 300

static struct world_node node;
static struct world_shot shots[MANY], other_shot;

static void
open_with_stream(void)
{
	node = world_open_node();
	world_connect(&node);
	world_make_stream(&node);
}

static void
close_with_stream(void)
{
	world_drop_stream(&node);
	world_close_node(&node);
}

static void
test_nats_publisher_answers_with_the_log_s_numbers_in_order(void)
{
	char text[16];
	open_with_stream();
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "text %u", i);
		world_shoot(&node, &shots[i], text, NULL);
		CU_ASSERT_EQUAL_FATAL(shots[i].result, SL_PENDING);
	}
	for (unsigned i = 0; i < MANY; i++) {
		CU_ASSERT_EQUAL(world_await(&shots[i]), 0);
		CU_ASSERT_EQUAL(shots[i].id.seq, i + 1);
		CU_ASSERT_EQUAL(shots[i].id.epoch, 7);
	}
	world_expect_text(&node, 1, "text 0");
	world_expect_text(&node, MANY, text);
	CU_ASSERT_EQUAL(world_count(&node), MANY);
	CU_ASSERT_EQUAL(sl_nats_publisher_get_silence_ms(node.publisher), 0);
	close_with_stream();
}

static void
test_nats_publisher_a_key_makes_one_message_here_and_on_another_node(void)
{
	struct world_node other = world_open_node();
	open_with_stream();
	world_connect(&other);
	world_shoot(&node, &shots[0], "first", "k1");
	world_shoot(&node, &shots[1], "second", "k1"); /* in flight, or done */
	world_shoot(&other, &other_shot, "third", "k1");
	CU_ASSERT_EQUAL(world_await(&shots[0]), 0);
	CU_ASSERT_EQUAL(world_await(&shots[1]), 0);
	CU_ASSERT_EQUAL(world_await(&other_shot), 0);
	CU_ASSERT_EQUAL(shots[0].id.seq, 1);
	CU_ASSERT_EQUAL(shots[1].id.seq, 1);
	CU_ASSERT_EQUAL(other_shot.id.seq, 1);
	world_shoot(&node, &shots[2], "fourth", "k1");
	CU_ASSERT_EQUAL(world_await(&shots[2]), 0);
	CU_ASSERT_EQUAL(shots[2].id.seq, 1);
	world_shoot(&node, &shots[3], "fifth", "k2");
	CU_ASSERT_EQUAL(world_await(&shots[3]), 0);
	CU_ASSERT_EQUAL(shots[3].id.seq, 2);
	CU_ASSERT_EQUAL(world_count(&node), 2);
	world_close_node(&other);
	close_with_stream();
}

static void
test_nats_publisher_without_a_connection_is_not_stored_and_says_so(void)
{
	world_config.timeout_ms = 100;
	node = world_open_node();
	world_shoot(&node, &shots[0], "text", NULL);
	CU_ASSERT_EQUAL(world_await(&shots[0]), SL_EFULL);
	world_shoot(&node, &shots[0], "text", "key");
	CU_ASSERT_EQUAL(world_await(&shots[0]), SL_EFULL);
	world_close_node(&node);
	world_config.timeout_ms = 20000;
}

static void
test_nats_publisher_a_full_queue_refuses_at_once(void)
{
	struct sl_backend_stats stats = { 0 };
	world_config.pending_max = 2;
	node = world_open_node();
	world_shoot(&node, &shots[0], "text", NULL);
	world_shoot(&node, &shots[1], "text", "key");
	world_shoot(&node, &shots[2], "text", "key"); /* it would wait for the other one */
	CU_ASSERT_EQUAL(shots[2].result, SL_EFULL);
	sl_nats_publisher_get_stats(node.publisher, &stats);
	CU_ASSERT_EQUAL(stats.pending_full, 1);
	world_close_node(&node);
	CU_ASSERT_EQUAL(world_await(&shots[0]), SL_EDRAINING);
	CU_ASSERT_EQUAL(world_await(&shots[1]), SL_EDRAINING);
	world_config.pending_max = 1000;
}

static void
test_nats_publisher_bytes_are_limited(void)
{
	struct sl_message *message;
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "a.b", 3, SL_TEXT, "text", 4), 0);
	world_config.bytes_max = 2 * sl_message_bytes(message) - 1;
	sl_message_unref(message);
	node = world_open_node();
	world_shoot(&node, &shots[0], "text", NULL);
	world_shoot(&node, &shots[1], "text", NULL);
	CU_ASSERT_EQUAL(shots[0].result, SL_PENDING);
	CU_ASSERT_EQUAL(shots[1].result, SL_EFULL);
	world_close_node(&node);
	world_config.bytes_max = 1 << 24;
}

static void
test_nats_publisher_room_is_given_back(void)
{
	world_config.pending_max = 2;
	open_with_stream();
	for (unsigned i = 0; i < 20; i++) {
		world_shoot(&node, &shots[0], "text", "a key");
		world_shoot(&node, &shots[1], "text", i % 2 ? "a key" : NULL);
		CU_ASSERT_EQUAL(world_await(&shots[0]), 0);
		CU_ASSERT_EQUAL(world_await(&shots[1]), 0);
	}
	close_with_stream();
	world_config.pending_max = 1000;
}

static void
test_nats_publisher_without_a_stream_it_is_certainly_not_stored(void)
{
	world_config.timeout_ms = 400;
	node = world_open_node();
	world_connect(&node);
	world_shoot(&node, &shots[0], "text", NULL);
	CU_ASSERT_EQUAL(world_await(&shots[0]), SL_EFULL);
	world_close_node(&node);
	world_config.timeout_ms = 20000;
}

static void
test_nats_publisher_what_waits_is_stored_in_order_once_there_is_a_stream(void)
{
	char text[16];
	struct sl_backend_stats stats = { 0 };
	node = world_open_node();
	world_connect(&node);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(text, sizeof text, "text %u", i);
		world_shoot(&node, &shots[i], text, i % 3 ? NULL : text);
	}
	do
		sl_nats_publisher_get_stats(node.publisher, &stats);
	while (stats.retries < 2);
	world_make_stream(&node);
	for (unsigned i = 0; i < 50; i++) {
		CU_ASSERT_EQUAL(world_await(&shots[i]), 0);
		snprintf(text, sizeof text, "text %u", i);
		CU_ASSERT_EQUAL(shots[i].id.seq, i + 1);
		world_expect_text(&node, i + 1, text);
	}
	CU_ASSERT_EQUAL(world_count(&node), 50);
	close_with_stream();
}

static void
test_nats_publisher_what_the_log_refuses_for_good_ends_at_once(void)
{
	static char long_text[200001];
	open_with_stream();
	memset(long_text, 'a', sizeof long_text - 1);
	world_shoot(&node, &shots[0], long_text, NULL);
	CU_ASSERT_EQUAL(world_await(&shots[0]), SL_ETOOBIG); /* the stream takes 100,000 bytes */
	world_shoot(&node, &shots[1], "text", NULL);
	CU_ASSERT_EQUAL(world_await(&shots[1]), 0);
	close_with_stream();
}

static void
test_nats_publisher_a_message_seen_in_the_tail_is_stored(void)
{
	natsSubscription *subscription;
	natsMsg *message;
	const char *id;
	node = world_open_node();
	world_connect(&node);
	/* Somebody who listens and is no log: nobody answers. */
	CU_ASSERT_EQUAL_FATAL(natsConnection_SubscribeSync(&subscription, node.connection, "sluice.main.>"),
		NATS_OK);
	world_shoot(&node, &shots[0], "text", NULL);
	CU_ASSERT_EQUAL_FATAL(natsSubscription_NextMsg(&message, subscription, 1000 * WORLD_WAIT_S), NATS_OK);
	CU_ASSERT_EQUAL_FATAL(natsMsgHeader_Get(message, "Nats-Msg-Id", &id), NATS_OK);
	sl_nats_publisher_saw(node.publisher, "p/00000000/1", (struct sl_cursor){ 7, 11 }, 3);
	sl_nats_publisher_saw(node.publisher, id, (struct sl_cursor){ 7, 12 }, 4);
	CU_ASSERT_EQUAL(world_await(&shots[0]), 0);
	CU_ASSERT_EQUAL(shots[0].id.seq, 12);
	CU_ASSERT_EQUAL(shots[0].publish.receivers, 4);
	natsMsg_Destroy(message);
	natsSubscription_Destroy(subscription);
	world_close_node(&node);
}

static void
test_nats_publisher_sent_and_not_answered_nobody_knows(void)
{
	natsSubscription *subscription;
	world_config.timeout_ms = 300;
	node = world_open_node();
	world_connect(&node);
	CU_ASSERT_EQUAL_FATAL(natsConnection_SubscribeSync(&subscription, node.connection, "sluice.main.>"),
		NATS_OK);
	world_shoot(&node, &shots[0], "text", "key");
	CU_ASSERT_EQUAL(world_await(&shots[0]), SL_EUNKNOWN);
	natsSubscription_Destroy(subscription);
	world_close_node(&node);
	world_config.timeout_ms = 20000;
}

/* A number that the log had given before is no number of ours. */
static void
test_nats_publisher_does_not_believe_another_log(void)
{
	world_config.timeout_ms = 20000;
	open_with_stream();
	sl_bus_lock(node.bus);
	sl_bus_lose(node.bus, 10); /* what the tail has read so far: another stream, long ago */
	sl_bus_unlock(node.bus, -1);
	world_shoot(&node, &shots[0], "text", NULL);
	world_shoot(&node, &shots[1], "text", "key");
	while (world_count(&node) < 2) {}
	sl_bus_reset(node.bus, 8);
	sl_nats_publisher_reset(node.publisher);
	CU_ASSERT_EQUAL(world_await(&shots[0]), SL_EUNKNOWN);
	CU_ASSERT_EQUAL(world_await(&shots[1]), SL_EUNKNOWN);
	world_shoot(&node, &shots[0], "text", NULL);
	CU_ASSERT_EQUAL(world_await(&shots[0]), 0);
	CU_ASSERT_EQUAL(shots[0].id.epoch, 8);
	CU_ASSERT_EQUAL(shots[0].id.seq, 3);
	close_with_stream();
}

static _Atomic bool is_same_log;

static bool
say_if_it_is(void *arg)
{
	(void)arg;
	return is_same_log;
}

/* A log that was rolled back gives numbers again; that a key's retry is a duplicate proves nothing. */
static void
test_nats_publisher_believes_an_old_number_only_of_a_log_that_is_known(void)
{
	world_config.is_same_log = say_if_it_is;
	is_same_log = false;
	open_with_stream();
	sl_bus_lock(node.bus);
	sl_bus_lose(node.bus, 10);
	sl_bus_unlock(node.bus, -1);
	world_shoot(&node, &shots[0], "text", "key");
	struct sl_backend_stats stats = { 0 };
	while (stats.retries < 2)
		sl_nats_publisher_get_stats(node.publisher, &stats);
	CU_ASSERT_FALSE(shots[0].is_done);
	world_shoot(&node, &shots[1], "other", NULL); /* is not believed either, and waits for nobody */
	while (world_count(&node) < 2) {}
	is_same_log = true; /* it was this one's all the time: another node had published the key */
	CU_ASSERT_EQUAL(world_await(&shots[0]), 0);
	CU_ASSERT_EQUAL(shots[0].id.seq, 1);
	world_config.is_same_log = NULL;
	close_with_stream();
}

static void
test_nats_publisher_keys_of_the_log_before_are_forgotten(void)
{
	open_with_stream();
	world_shoot(&node, &shots[0], "text", "key");
	CU_ASSERT_EQUAL(world_await(&shots[0]), 0);
	world_drop_stream(&node);
	world_make_stream(&node);
	world_shoot(&node, &shots[1], "other", NULL);
	CU_ASSERT_EQUAL(world_await(&shots[1]), 0);
	sl_bus_reset(node.bus, 8);
	sl_nats_publisher_reset(node.publisher);
	world_shoot(&node, &shots[0], "text", "key");
	CU_ASSERT_EQUAL(world_await(&shots[0]), 0);
	CU_ASSERT_EQUAL(shots[0].id.epoch, 8);
	CU_ASSERT_EQUAL(shots[0].id.seq, 2);
	close_with_stream();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_publisher_answers_with_the_log_s_numbers_in_order),
		UNIT_TEST(test_nats_publisher_a_key_makes_one_message_here_and_on_another_node),
		UNIT_TEST(test_nats_publisher_without_a_connection_is_not_stored_and_says_so),
		UNIT_TEST(test_nats_publisher_a_full_queue_refuses_at_once),
		UNIT_TEST(test_nats_publisher_bytes_are_limited),
		UNIT_TEST(test_nats_publisher_room_is_given_back),
		UNIT_TEST(test_nats_publisher_without_a_stream_it_is_certainly_not_stored),
		UNIT_TEST(test_nats_publisher_what_waits_is_stored_in_order_once_there_is_a_stream),
		UNIT_TEST(test_nats_publisher_what_the_log_refuses_for_good_ends_at_once),
		UNIT_TEST(test_nats_publisher_a_message_seen_in_the_tail_is_stored),
		UNIT_TEST(test_nats_publisher_sent_and_not_answered_nobody_knows),
		UNIT_TEST(test_nats_publisher_does_not_believe_another_log),
		UNIT_TEST(test_nats_publisher_believes_an_old_number_only_of_a_log_that_is_known),
		UNIT_TEST(test_nats_publisher_keys_of_the_log_before_are_forgotten),
		{ NULL, NULL },
	};
	return world_main("nats_publisher", tests);
}
