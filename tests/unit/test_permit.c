#include "live/permit.h"

#include "bus/message.h"
#include "live/fanout.h"
#include "live/refusal.h"
#include "tests/unit/somebody.h"
#include "tests/unit/story.h"
#include "util/err.h"

static struct sl_principal ann, nobody;

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
test_permit_of_everybody_is_for_everything(void)
{
	CU_ASSERT_TRUE(sl_permit_allows(&sl_principal_everybody, SL_ACT_SUBSCRIBE, span("any")));
	CU_ASSERT_TRUE(sl_permit_allows(&sl_principal_everybody, SL_ACT_PUBLISH, span("any")));
}

static void
test_permit_is_by_act_and_channel(void)
{
	CU_ASSERT_TRUE(sl_permit_allows(&ann, SL_ACT_SUBSCRIBE, span("chat.1")));
	CU_ASSERT_FALSE(sl_permit_allows(&ann, SL_ACT_SUBSCRIBE, span("chat")));
	CU_ASSERT_FALSE(sl_permit_allows(&ann, SL_ACT_SUBSCRIBE, span("news")));
	CU_ASSERT_TRUE(sl_permit_allows(&ann, SL_ACT_PUBLISH, span("news")));
	CU_ASSERT_FALSE(sl_permit_allows(&ann, SL_ACT_PUBLISH, span("chat.1")));
	CU_ASSERT_TRUE(sl_permit_allows(&ann, SL_ACT_PUBLISH, span("~lent")));
	CU_ASSERT_FALSE(sl_permit_allows(NULL, SL_ACT_PUBLISH, span("news")));
	CU_ASSERT_FALSE(sl_permit_allows(NULL, SL_ACT_SUBSCRIBE, span("~lent")));
}

static void
test_permit_refusal_names_the_channel_and_is_counted(void)
{
	struct sl_refusal refusal = { 0 };
	world_open(&world, NULL);
	CU_ASSERT_EQUAL(sl_permit_check(&world.shard, &ann, SL_ACT_PUBLISH, span("news"), &refusal), 0);
	CU_ASSERT_PTR_NULL(refusal.code);
	CU_ASSERT_EQUAL(sl_permit_check(&world.shard, &ann, SL_ACT_PUBLISH, span("chat.1"), &refusal),
		SL_EFORBIDDEN);
	CU_ASSERT_STRING_EQUAL(refusal.code, "forbidden");
	CU_ASSERT_STRING_EQUAL(refusal.message, "this token may not publish to chat.1");
	CU_ASSERT_TRUE(refusal.is_final);
	CU_ASSERT_EQUAL(sl_permit_check(&world.shard, &nobody, SL_ACT_SUBSCRIBE, span("news"), &refusal),
		SL_EFORBIDDEN);
	CU_ASSERT_STRING_EQUAL(refusal.message, "without a token a client may not subscribe to news; use a token");
	CU_ASSERT_STRING_EQUAL(refusal.code, "unauthorized");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_PUBLISH), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_SUBSCRIBE), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PRINCIPALS_MISSING), 1);
	world_close(&world);
}

static void
test_permit_of_several_names_the_first_that_is_forbidden(void)
{
	const struct sl_span channels[] = { span("chat.1"), span("x"), span("chat.2"), span("y") };
	struct sl_refusal refusal = { 0 };
	world_open(&world, NULL);
	CU_ASSERT_EQUAL(sl_permit_check_subscribe(&world.shard, &ann, channels, 1, &refusal), 0);
	CU_ASSERT_EQUAL(sl_permit_check_subscribe(&world.shard, &ann, channels, 4, &refusal),
		SL_EFORBIDDEN);
	CU_ASSERT_STRING_EQUAL(refusal.message, "this token may not subscribe to x");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_SUBSCRIBE), 1);
	world_close(&world);
}

static int
check_client_publish(const struct sl_principal *principal, const char *channel, struct sl_refusal *refusal)
{
	*refusal = (struct sl_refusal){ 0 };
	return sl_permit_check_client_publish(&world.shard, principal, span(channel), refusal);
}

static void
test_permit_of_a_foreign_client_needs_a_token_or_a_pattern(void)
{
	static const char *const options[] = { "--client-publish=chat.*", "--client-publish=x", NULL };
	struct sl_refusal refusal;
	world_open(&world, options);
	CU_ASSERT_EQUAL(check_client_publish(&sl_principal_everybody, "chat.1", &refusal), 0);
	CU_ASSERT_EQUAL(check_client_publish(&sl_principal_everybody, "x", &refusal), 0);
	CU_ASSERT_EQUAL(check_client_publish(&sl_principal_everybody, "~lent", &refusal), 0);
	CU_ASSERT_EQUAL(check_client_publish(&sl_principal_everybody, "news", &refusal), SL_EFORBIDDEN);
	CU_ASSERT_STRING_EQUAL(refusal.code, "forbidden");
	CU_ASSERT_STRING_EQUAL(refusal.message, "a client of another library may not publish to news; use a token, "
		"or --client-publish at the gateway");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_PUBLISH), 1);
	CU_ASSERT_EQUAL(check_client_publish(&ann, "news", &refusal), 0); /* her token says so */
	CU_ASSERT_EQUAL(check_client_publish(&ann, "chat.1", &refusal), SL_EFORBIDDEN);
	CU_ASSERT_STRING_EQUAL(refusal.message, "this token may not publish to chat.1");
	CU_ASSERT_EQUAL(check_client_publish(&nobody, "x", &refusal), SL_EFORBIDDEN);
	CU_ASSERT_STRING_EQUAL(refusal.code, "unauthorized");
	CU_ASSERT_EQUAL(check_client_publish(NULL, "x", &refusal), SL_EFORBIDDEN);
	world_close(&world);
}

static void
test_permit_without_a_token_needs_both_patterns(void)
{
	static const char *const options[] = { "--client-publish=chat.*", NULL };
	struct sl_principal anonymous;
	struct sl_refusal refusal;
	somebody_init(&anonymous, "", NULL, "*");
	world_open(&world, options);
	CU_ASSERT_EQUAL(check_client_publish(&anonymous, "chat.1", &refusal), 0);
	CU_ASSERT_EQUAL(check_client_publish(&anonymous, "news", &refusal), SL_EFORBIDDEN);
	world_close(&world);
	somebody_finish(&anonymous);
}

static void
test_permit_of_a_foreign_client_is_open_in_a_demo(void)
{
	static const char *const options[] = { "--demo", NULL };
	struct sl_refusal refusal;
	world_open(&world, options);
	CU_ASSERT_EQUAL(check_client_publish(&sl_principal_everybody, "news", &refusal), 0);
	CU_ASSERT_EQUAL(check_client_publish(&nobody, "news", &refusal), SL_EFORBIDDEN);
	world_close(&world);
}

/* The longest name that there is. */
static void
test_permit_refusal_has_room_for_any_channel(void)
{
	char name[1 + SL_CHANNEL_MAX + 1] = { 0 };
	struct sl_refusal refusal;
	memset(name, 'x', sizeof name - 1);
	world_open(&world, NULL);
	sl_permit_check(&world.shard, &nobody, SL_ACT_SUBSCRIBE, span(name), &refusal);
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal.message, name));
	CU_ASSERT_STRING_EQUAL(refusal.message + strlen(refusal.message) - 13, "; use a token");
	sl_permit_check(&world.shard, &ann, SL_ACT_SUBSCRIBE, span(name), &refusal);
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal.message, name));
	world_close(&world);
}

/* Whatever a protocol forgot to ask: nobody gets in below it. */
static void
test_permit_is_asked_for_by_fan_out_itself(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=chat.1");
	client_take_story(&client, &world);
	client_admit(&client, &ann);
	CU_ASSERT_EQUAL(sl_fanout_subscribe(client.subscriber, "chat.2", 6), 0);
	CU_ASSERT_EQUAL(sl_fanout_subscribe(client.subscriber, "news", 4), SL_EFORBIDDEN);
	client_admit(&client, NULL);
	CU_ASSERT_EQUAL(sl_fanout_subscribe(client.subscriber, "chat.3", 6), SL_EFORBIDDEN);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_SUBSCRIBE), 2);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 2);
	publish_many("news", 1);
	publish_many("chat.2", 1);
	expect(&client, "chat.22");
	client_close(&client);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_permit_of_everybody_is_for_everything),
		UNIT_TEST(test_permit_is_by_act_and_channel),
		UNIT_TEST(test_permit_refusal_names_the_channel_and_is_counted),
		UNIT_TEST(test_permit_of_several_names_the_first_that_is_forbidden),
		UNIT_TEST(test_permit_of_a_foreign_client_needs_a_token_or_a_pattern),
		UNIT_TEST(test_permit_without_a_token_needs_both_patterns),
		UNIT_TEST(test_permit_of_a_foreign_client_is_open_in_a_demo),
		UNIT_TEST(test_permit_refusal_has_room_for_any_channel),
		UNIT_TEST(test_permit_is_asked_for_by_fan_out_itself),
		{ NULL, NULL },
	};
	somebody_init(&ann, "ann", "chat.*", "news");
	somebody_init(&nobody, "", NULL, NULL);
	int status = unit_main("permit", tests);
	somebody_finish(&ann);
	somebody_finish(&nobody);
	return status;
}
