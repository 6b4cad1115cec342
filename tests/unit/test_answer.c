#include "live/answer.h"

#include "tests/unit/failing_alloc.h"
#include "tests/unit/labels.h"
#include "util/err.h"

static struct world_client client;

static void
open_world(void)
{
	world_open(&world, NULL);
	labels_open_one_shot(&client);
	labels_fit = SL_RUN_MAX;
	labels_shared = 0;
}

static void
close_world(void)
{
	sl_buffer_finish(&labels_answer);
	client_close(&client);
	world_close(&world);
}

static void
test_answer_comes_from_history_or_from_the_run(void)
{
	open_world();
	label_now(&client, "a", "x");
	publish_many("a", 2);
	world_settle(&world);
	CU_ASSERT_FALSE(labels_fetch(&client));
	expect_answer("x/a1 x/a2 ");
	CU_ASSERT_TRUE(labels_fetch(&client));
	publish_many("a", 1);
	expect_answer("x/a3 ");
	CU_ASSERT_EQUAL(labels_shared, 1);
	close_world();
}

static void
test_answer_holds_each_message_under_each_of_its_labels(void)
{
	open_world();
	label_now(&client, "a", "x");
	label_now(&client, "a", "y");
	CU_ASSERT_TRUE(labels_fetch(&client));
	publish_many("a", 2);
	expect_answer("x/a1 y/a1 y/a2 x/a2 ");
	CU_ASSERT_EQUAL(labels_shared, 0);
	close_world();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_answer_comes_from_history_or_from_the_run),
		UNIT_TEST(test_answer_holds_each_message_under_each_of_its_labels),
		{ NULL, NULL },
	};
	return unit_main("answer", tests);
}
