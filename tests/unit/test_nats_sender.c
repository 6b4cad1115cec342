/* The thread that sends, while the server stands still, goes and comes back. */
#include "bus/nats_publisher_state.h"

#include "tests/unit/nats_world.h"
#include "util/clock.h"

#define MANY 200
#define LONGEST_ADD_MS 500 /* a call that waited for the server would take 2 s and more */

static struct world_node node;
static struct world_shot shots[MANY];

static void
shoot_many(unsigned from, unsigned to)
{
	char text[16];
	for (unsigned i = from; i < to; i++) {
		snprintf(text, sizeof text, "text %u", i);
		uint64_t before_ms = sl_clock_monotonic_ms();
		world_shoot(&node, &shots[i], text, NULL);
		CU_ASSERT_TRUE(sl_clock_monotonic_ms() - before_ms < LONGEST_ADD_MS);
	}
}

/* All are there, once, in order. */
static void
expect_many(void)
{
	char text[16];
	for (unsigned i = 0; i < MANY; i++) {
		CU_ASSERT_EQUAL(world_await(&shots[i]), 0);
		CU_ASSERT_EQUAL(shots[i].id.seq, i + 1);
		snprintf(text, sizeof text, "text %u", i);
		world_expect_text(&node, i + 1, text);
	}
	CU_ASSERT_EQUAL(world_count(&node), MANY);
}

static void
test_nats_sender_keeps_order_while_the_server_stands_still(void)
{
	node = world_open_node();
	world_connect(&node);
	world_make_stream(&node);
	shoot_many(0, MANY / 2);
	nats_server_pause(&world_server);
	shoot_many(MANY / 2, MANY);
	while (sl_nats_publisher_get_silence_ms(node.publisher) < 1500) {} /* until it is sent again */
	nats_server_resume(&world_server);
	expect_many();
	world_drop_stream(&node);
	world_close_node(&node);
}

static void
test_nats_sender_sends_again_on_another_connection(void)
{
	node = world_open_node();
	world_connect(&node);
	world_make_stream(&node);
	nats_server_pause(&world_server);
	shoot_many(0, MANY);
	while (sl_nats_publisher_get_silence_ms(node.publisher) == 0) {}
	natsConnection *before = node.connection;
	jsCtx *js_before = node.js;
	sl_nats_publisher_use(node.publisher, NULL);
	CU_ASSERT_EQUAL(sl_nats_publisher_get_silence_ms(node.publisher), 0);
	nats_server_resume(&world_server);
	world_connect(&node);
	expect_many();
	jsCtx_Destroy(js_before);
	natsConnection_Destroy(before);
	world_drop_stream(&node);
	world_close_node(&node);
}

static void
test_nats_sender_a_connection_that_has_ended_takes_nothing(void)
{
	world_config.timeout_ms = 300;
	node = world_open_node();
	world_connect(&node);
	natsConnection_Close(node.connection);
	world_shoot(&node, &shots[0], "text", NULL);
	CU_ASSERT_EQUAL(world_await(&shots[0]), SL_EFULL);
	world_close_node(&node);
	world_config.timeout_ms = 20000;
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_sender_keeps_order_while_the_server_stands_still),
		UNIT_TEST(test_nats_sender_sends_again_on_another_connection),
		UNIT_TEST(test_nats_sender_a_connection_that_has_ended_takes_nothing),
		{ NULL, NULL },
	};
	return world_main("nats_sender", tests);
}
