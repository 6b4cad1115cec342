#include "live/lease.h"

#include "auth/principal.h"
#include "live/fanout.h"
#include "live/verbs.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/story.h"
#include "util/err.h"

/* Lends what begins with "~l", and notes what it is asked. */
struct noting_lender {
	struct sl_lender lender;
	char notes[256];
	int join_err;
};

static struct noting_lender noting;
static struct world_client client;

static int
note(struct sl_lender *lender, const char *what, struct sl_span name)
{
	struct noting_lender *to = (struct noting_lender *)lender;
	size_t len = strlen(to->notes);
	snprintf(to->notes + len, sizeof to->notes - len, "%s:%.*s ", what, (int)name.len, name.bytes);
	return name.len > 1 && name.bytes[1] == 'l' ? 0 : SL_ENOLEASE;
}

static int
find(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name)
{
	return note(lender, "find", name);
}

static int
join(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name)
{
	int err = note(lender, "join", name);
	return err ? err : noting.join_err;
}

static void
leave(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name)
{
	note(lender, "leave", name);
}

static int
spend(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name, size_t bytes)
{
	return bytes == 3 ? note(lender, "spend3", name) : SL_ELEASESPENT;
}

static const struct sl_lender_ops ops = { find, join, leave, spend };

static void
begin(void)
{
	world_open(&world, NULL);
	noting = (struct noting_lender){ .lender = { &ops } };
	world.shard.lender = &noting.lender;
}

static void
end(void)
{
	client_close(&client);
	world_close(&world);
}

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
test_lease_of_an_ordinary_name_asks_nobody(void)
{
	struct sl_span names[] = { span("a"), span("b") };
	begin();
	CU_ASSERT_EQUAL(sl_lease_find_all(&world.shard, names, 2), 0);
	client_open_stream(&client, &world, "channels=a");
	publish_many("a", 2);
	world_settle(&world);
	end();
	CU_ASSERT_STRING_EQUAL(noting.notes, "");
}

static void
test_lease_is_asked_for_each_name_until_one_is_not_lent(void)
{
	struct sl_span names[] = { span("~l1"), span("a"), span("~x"), span("~l2") };
	begin();
	CU_ASSERT_EQUAL(sl_lease_find_all(&world.shard, names, 2), 0);
	CU_ASSERT_EQUAL(sl_lease_find_all(&world.shard, names, 4), SL_ENOLEASE);
	CU_ASSERT_STRING_EQUAL(noting.notes, "find:~l1 find:~l1 find:~x ");
	world.shard.lender = NULL;
	CU_ASSERT_EQUAL(sl_lease_find_all(&world.shard, names + 1, 1), 0);
	CU_ASSERT_EQUAL(sl_lease_find_all(&world.shard, names, 1), SL_ENOLEASE);
	CU_ASSERT_EQUAL(sl_lease_join(&world.shard, names[0]), SL_ENOLEASE);
	sl_lease_leave(&world.shard, names[0]);
	world_close(&world);
}

static void
test_lease_of_a_subscriber_ends_with_it(void)
{
	begin();
	client_open_stream(&client, &world, "channels=a,~l1,~l2");
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 3);
	sl_verbs_unsubscribe(client.subscriber, (struct sl_span[]){ span("~l1") }, 1);
	CU_ASSERT_STRING_EQUAL(noting.notes, "find:~l1 find:~l2 join:~l1 join:~l2 leave:~l1 ");
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_STRING_EQUAL(noting.notes + 46, "leave:~l2 ");
	world_close(&world);
}

static void
test_lease_that_is_refused_adds_none_of_the_channels(void)
{
	struct sl_refusal refusal;
	struct sl_span unknown[] = { span("b"), span("~x") }, full[] = { span("b"), span("~l1") };
	begin();
	client_open_stream(&client, &world, "channels=a");
	CU_ASSERT_EQUAL(sl_verbs_subscribe(client.subscriber, unknown, 2, &refusal), SL_ENOLEASE);
	CU_ASSERT_STRING_EQUAL(refusal.code, "no_check_channel");
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
	noting.join_err = SL_ELEASEFULL;
	CU_ASSERT_EQUAL(sl_verbs_subscribe(client.subscriber, full, 2, &refusal), SL_ELEASEFULL);
	CU_ASSERT_STRING_EQUAL(refusal.code, "check_full");
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 1);
	CU_ASSERT_STRING_EQUAL(sl_fanout_get_name(client.subscriber->subscriptions[0].channel), "a");
	client_take_story(&client, &world);
	publish_many("a", 1);
	expect(&client, "a1");
	CU_ASSERT_PTR_NULL(strstr(noting.notes, "leave"));
	end();
}

static void
test_lease_without_memory_for_the_subscription_is_given_back(void)
{
	begin();
	client_open_stream(&client, &world, "channels=a");
	failing_alloc_set(1, true);
	int err = sl_fanout_subscribe(client.subscriber, "~l1", 3);
	failing_alloc_off();
	CU_ASSERT_EQUAL(err, SL_ENOMEM);
	CU_ASSERT_STRING_EQUAL(noting.notes, "join:~l1 leave:~l1 ");
	end();
}

static int
publish(const char *channel, const char *bytes)
{
	struct sl_publication publication = { .class = SL_CLASS_HTTP,
		.publisher = &sl_principal_everybody };
	struct sl_publishing pending = { 0 };
	struct sl_refusal refusal;
	struct sl_cursor id;
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&publication.message, channel, strlen(channel), SL_TEXT,
		bytes, strlen(bytes)), 0);
	return sl_publication_publish(&world.shard, &publication, &pending, &id, &refusal);
}

static void
test_lease_is_spent_by_messages(void)
{
	begin();
	long live = failing_alloc_live();
	CU_ASSERT_EQUAL(publish("~l1", "abcd"), SL_ELEASESPENT);
	CU_ASSERT_EQUAL(failing_alloc_live(), live); /* the message is gone */
	CU_ASSERT_EQUAL(publish("~l1", "abc"), 0);
	CU_ASSERT_EQUAL(publish("~l1", "abcd"), SL_ELEASESPENT);
	CU_ASSERT_EQUAL(publish("~x", "abc"), SL_ENOLEASE);
	CU_ASSERT_EQUAL(publish("a", "abcd"), 0);
	CU_ASSERT_STRING_EQUAL(noting.notes, "spend3:~l1 spend3:~x ");
	CU_ASSERT_EQUAL(world_head(&world), 2);
	world.shard.lender = NULL;
	CU_ASSERT_EQUAL(publish("~l1", "abc"), SL_ENOLEASE);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_lease_of_an_ordinary_name_asks_nobody),
		UNIT_TEST(test_lease_is_asked_for_each_name_until_one_is_not_lent),
		UNIT_TEST(test_lease_of_a_subscriber_ends_with_it),
		UNIT_TEST(test_lease_that_is_refused_adds_none_of_the_channels),
		UNIT_TEST(test_lease_without_memory_for_the_subscription_is_given_back),
		UNIT_TEST(test_lease_is_spent_by_messages),
		{ NULL, NULL },
	};
	return unit_main("lease", tests);
}
