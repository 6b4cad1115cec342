#include "bus/bus.h"
#include "live/delivery.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/labels.h"
#include "util/err.h"

static struct world_client client;

static void
open_worlds(const char *const *options)
{
	world_open(&world, options);
	labels_open(&client);
}

static void
close_worlds(void)
{
	client_close(&client);
	world_close(&world);
}

static void
test_subscription_begins_at_the_head_and_frames_under_its_label(void)
{
	open_worlds(NULL);
	publish_many("a", 3);
	CU_ASSERT_EQUAL(label_now(&client, "a", "x"), 0);
	CU_ASSERT_EQUAL(label_now(&client, "b", NULL), 0);
	publish_many("a", 1);
	publish_many("b", 1);
	expect_frames(&client, "x/a4 /b5 ");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_BEHIND_READS), 0);
	close_worlds();
}

static void
test_subscription_is_a_channel_and_a_label(void)
{
	open_worlds(NULL);
	label_now(&client, "a", "x");
	publish_many("a", 1);
	label_now(&client, "a", "y"); /* after a1 */
	label_now(&client, "a", "y"); /* has it already */
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 2);
	publish_many("a", 2);
	expect_frames(&client, "x/a1 x/a2 x/a3 y/a2 y/a3 ");
	sl_verbs_unsubscribe_as(client.subscriber, (struct sl_span[]){ { "a", 1 } }, 1, span_of("x"));
	publish_many("a", 1);
	expect_frames(&client, "y/a4 ");
	close_worlds();
}

static void
test_subscription_with_a_cursor_replays_and_nothing_else_comes_twice(void)
{
	bool lost;
	open_worlds(NULL);
	label_now(&client, "a", "x");
	publish_many("a", 2);
	publish_many("b", 2);
	expect_frames(&client, "x/a1 x/a2 ");
	CU_ASSERT_EQUAL(label_since(&client, "b", "x", 0, &lost), 0);
	CU_ASSERT_FALSE(lost);
	expect_frames(&client, "x/b3 x/b4 ");
	publish_many("a", 1);
	publish_many("b", 1);
	expect_frames(&client, "x/a5 x/b6 ");
	close_worlds();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_subscription_begins_at_the_head_and_frames_under_its_label),
		UNIT_TEST(test_subscription_is_a_channel_and_a_label),
		UNIT_TEST(test_subscription_with_a_cursor_replays_and_nothing_else_comes_twice),
		{ NULL, NULL },
	};
	return unit_main("subscriptions", tests);
}
