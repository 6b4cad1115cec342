#include "live/verbs.h"

#include "bus/message.h"
#include "live/fanout.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/somebody.h"
#include "tests/unit/story.h"
#include "util/err.h"

static struct world_client client;
static int answers;
static uint64_t last_seq;
static char last_ref[SL_REF_MAX + 1], last_code[32];

static void
note(struct sl_subscriber *subscriber, struct sl_span ref, const struct sl_refusal *refusal,
	struct sl_cursor id)
{
	CU_ASSERT_PTR_EQUAL(subscriber, client.subscriber);
	snprintf(last_ref, sizeof last_ref, "%.*s", (int)ref.len, ref.bytes ? ref.bytes : "");
	answers++;
	snprintf(last_code, sizeof last_code, "%s", refusal ? refusal->code : "");
	last_seq = id.seq;
}

static void
begin(const char *const *options, const char *query)
{
	world_open(&world, options);
	client_open_stream(&client, &world, query);
	client_take_story(&client, &world);
	answers = 0;
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

static int
subscribe(const char *const *names, unsigned count, struct sl_refusal *refusal)
{
	struct sl_span channels[SL_CHANNELS_MAX + 1];
	for (unsigned i = 0; i < count; i++)
		channels[i] = span(names[i]);
	return sl_verbs_subscribe(client.subscriber, channels, count, refusal);
}

static void
test_verbs_subscribe_takes_effect_at_the_position(void)
{
	static const char *const names[] = { "b", "c", "b" };
	struct sl_refusal refusal;
	begin(NULL, "channels=a");
	publish_many("a", 2);
	publish_many("b", 1); /* before the position */
	world_settle(&world);
	CU_ASSERT_EQUAL(subscribe(names, 3, &refusal), 0);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 3);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_BEHIND);
	publish_many("b", 1);
	publish_many("a", 1);
	expect(&client, "a1 a2 b4 a5");
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
	end();
}

static void
test_verbs_unsubscribe_leaves_what_it_does_not_know_alone(void)
{
	struct sl_span channels[] = { { "a", 1 }, { "nowhere", 7 } };
	begin(NULL, "channels=a,b");
	sl_verbs_unsubscribe(client.subscriber, channels, 2);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 1);
	publish_many("a", 1);
	publish_many("b", 1);
	expect(&client, "b2");
	end();
}

static void
test_verbs_subscribe_keeps_the_limit_of_channels(void)
{
	static const char *const options[] = { "--max-channels=3", NULL };
	static const char *const more[] = { "c", "d" }, *const known[] = { "a", "c" };
	struct sl_refusal refusal = { 0 };
	begin(options, "channels=a,b");
	CU_ASSERT_TRUE(subscribe(more, 2, &refusal) < 0);
	CU_ASSERT_STRING_EQUAL(refusal.code, sl_verbs_too_many_channels.code);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 2);
	CU_ASSERT_EQUAL(subscribe(known, 2, &refusal), 0); /* only one of them is new */
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 3);
	end();
}

static struct sl_publication
make(const char *channel)
{
	struct sl_publication publication = { 0 };
	CU_ASSERT_EQUAL_FATAL(
		sl_message_create(&publication.message, channel, strlen(channel), SL_TEXT, "x", 1), 0);
	return publication;
}

static void
test_verbs_publish_is_answered_once_with_its_ref(void)
{
	struct sl_publication publication;
	begin(NULL, "channels=a");
	publication = make("a");
	sl_verbs_publish(client.subscriber, &publication, span("\"r1\""), note);
	CU_ASSERT_EQUAL(answers, 1);
	CU_ASSERT_STRING_EQUAL(last_code, "");
	CU_ASSERT_EQUAL(last_seq, 1);
	CU_ASSERT_STRING_EQUAL(last_ref, "\"r1\"");
	CU_ASSERT_EQUAL(client.subscriber->published, 1);
	CU_ASSERT_TRUE(LIST_EMPTY(&client.subscriber->pending));
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_MESSAGES_IN), 1);
	expect(&client, "a1");
	end();
}

/* All or none; and what is forbidden is told before what is not lent. */
static void
test_verbs_subscribe_to_a_forbidden_channel_adds_none(void)
{
	static const char *const names[] = { "~none", "chat.1", "secret" }, *const own[] = { "chat.1" };
	struct sl_refusal refusal = { 0 };
	struct sl_principal ann;
	somebody_init(&ann, "ann", "chat.*", NULL);
	begin(NULL, "channels=a");
	client_admit(&client, &ann);
	CU_ASSERT_EQUAL(subscribe(names, 3, &refusal), SL_EFORBIDDEN);
	CU_ASSERT_STRING_EQUAL(refusal.code, "forbidden");
	CU_ASSERT_STRING_EQUAL(refusal.message, "this token may not subscribe to secret");
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 1);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
	CU_ASSERT_EQUAL(subscribe(names, 2, &refusal), SL_ENOLEASE);
	CU_ASSERT_EQUAL(subscribe(own, 1, &refusal), 0);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 2);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_SUBSCRIBE), 1);
	end();
	somebody_finish(&ann);
}

static void
test_verbs_publish_to_a_forbidden_channel_is_refused(void)
{
	struct sl_principal ann;
	somebody_init(&ann, "ann", "*", "chat.*");
	begin(NULL, "channels=a");
	client_admit(&client, &ann);
	struct sl_publication allowed = make("chat.1"), forbidden = make("a");
	sl_verbs_publish(client.subscriber, &allowed, span("1"), note);
	CU_ASSERT_STRING_EQUAL(last_code, "");
	sl_verbs_publish(client.subscriber, &forbidden, span("2"), note);
	CU_ASSERT_EQUAL(answers, 2);
	CU_ASSERT_STRING_EQUAL(last_code, "forbidden");
	CU_ASSERT_STRING_EQUAL(last_ref, "2");
	CU_ASSERT_TRUE(LIST_EMPTY(&client.subscriber->pending));
	CU_ASSERT_EQUAL(world_head(&world), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_PUBLISH), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISH_ERRORS), 1);
	expect(&client, "");
	end();
	somebody_finish(&ann);
}

/* ---- what its owner pays ---- */

static void
begin_limited(enum sl_limit limit, uint64_t rate)
{
	begin(NULL, "channels=a");
	world_limit_rate(&world, limit, rate);
	client.subscriber->owner = sl_owners_get_subject(world.http.owners, "ann");
}

static void
test_verbs_subscribe_pays_for_the_channels_it_adds(void)
{
	static const char *const names[] = { "b", "c", "d", "a" }, *const known[] = { "a" };
	struct sl_span gone[] = { { "b", 1 }, { "c", 1 }, { "d", 1 } };
	struct sl_refusal refusal = { 0 };
	unsigned count = 0;
	begin_limited(SL_LIMIT_SUBSCRIBES, 3);
	while (subscribe(names, 4, &refusal) == 0) {
		count++;
		sl_verbs_unsubscribe(client.subscriber, gone, 3);
	}
	CU_ASSERT_EQUAL(count, 4); /* a burst of 12 */
	CU_ASSERT_EQUAL(subscribe(names, 4, &refusal), SL_ELIMITED);
	CU_ASSERT_STRING_EQUAL(refusal.code, "rate_limited");
	CU_ASSERT_EQUAL(refusal.retry_ms, 1000);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_SUBSCRIBES), 2);
	CU_ASSERT_EQUAL(subscribe(known, 1, &refusal), 0);
	publish_many("a", 1);
	expect(&client, "a1");
	world_pass(&world, 1008);
	CU_ASSERT_EQUAL(subscribe(names, 4, &refusal), 0);
	end();
}

static void
test_verbs_what_is_no_publish_takes_requests_and_ends_whoever_has_none_left(void)
{
	static const char *const known[] = { "a" };
	struct sl_span nothing = { "nothing", 7 };
	for (int way = 0; way < 3; way++) {
		struct sl_refusal refusal;
		begin_limited(SL_LIMIT_REQUESTS, 2);
		unsigned count = 0;
		while (!sl_subscriber_is_ending(client.subscriber) && count++ < 100) {
			if (way == 0) {
				sl_verbs_unsubscribe(client.subscriber, &nothing, 1);
			} else if (way == 1) {
				CU_ASSERT_EQUAL(subscribe(known, 1, &refusal), count <= 8 ? 0 : SL_ELIMITED);
			} else {
				CU_ASSERT_EQUAL(sl_verbs_ask(client.subscriber, 1), count <= 8);
			}
		}
		CU_ASSERT_EQUAL(count, 9);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_REQUESTS), 1);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_LIMITED), 1);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMIT_CLOSES), 1);
		expect(&client, "bye:rate_limited");
		end();
	}
}

static void
test_verbs_nothing_asked_costs_nothing(void)
{
	begin_limited(SL_LIMIT_REQUESTS, 1);
	CU_ASSERT_TRUE(sl_verbs_ask(client.subscriber, 1000));
	for (int i = 0; i < 100; i++)
		CU_ASSERT_TRUE(sl_verbs_ask(client.subscriber, 0));
	CU_ASSERT_FALSE(sl_verbs_ask(client.subscriber, 1));
	end();
}

/* Whoever answers our pings keeps its stream, whatever others of its owner ask for. */
static void
test_verbs_a_beat_a_second_costs_nothing(void)
{
	begin_limited(SL_LIMIT_REQUESTS, 1);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_TRUE(sl_verbs_ask(client.subscriber, 1));
	sl_owner_spend(client.subscriber->owner, SL_LIMIT_REQUESTS, 1000, world.shard.loop.now_ms);
	for (int i = 0; i < 10; i++) {
		world_pass(&world, 1008);
		CU_ASSERT_TRUE(sl_verbs_beat(client.subscriber));
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_REQUESTS), 0);
	CU_ASSERT_FALSE(sl_verbs_beat(client.subscriber));
	CU_ASSERT_FALSE(sl_verbs_beat(client.subscriber)); /* it ends already */
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_REQUESTS), 1);
	end();
}

/* It pays for its publishes: see test_publication.c. */
static void
test_verbs_publish_is_at_the_cost_of_the_subscribers_owner(void)
{
	struct sl_publication publication;
	begin_limited(SL_LIMIT_PUBLISHES, 1);
	for (int i = 0; i < 3; i++) {
		publication = make("b");
		sl_verbs_publish(client.subscriber, &publication, span("1"), note);
		CU_ASSERT_STRING_EQUAL(last_code, i < 2 ? "" : "rate_limited");
	}
	CU_ASSERT_EQUAL(world_head(&world), 2);
	CU_ASSERT_TRUE(LIST_EMPTY(&client.subscriber->pending));
	end();
}

static void
test_verbs_without_memory_answer_or_refuse(void)
{
	static const char *const names[] = { "b", "c" };
	struct sl_span gone[] = { { "b", 1 }, { "c", 1 } };
	begin(NULL, "channels=a");
	for (int i = 0; i < 3; i++) { /* what is kept for later is there */
		struct sl_refusal refusal;
		subscribe(names, 2, &refusal);
		sl_verbs_unsubscribe(client.subscriber, gone, 2);
	}
	for (unsigned n = 1; n < 20; n++) {
		struct sl_refusal refusal = { 0 };
		struct sl_publication publication = make("elsewhere");
		int before = answers;
		failing_alloc_set(n, false);
		sl_verbs_publish(client.subscriber, &publication, span("1"), note);
		int err = subscribe(names, 2, &refusal);
		failing_alloc_off();
		CU_ASSERT_EQUAL(answers, before + 1);
		CU_ASSERT_TRUE(err == 0 || refusal.code);
		sl_verbs_unsubscribe(client.subscriber, gone, 2);
		CU_ASSERT_EQUAL(client.subscriber->subscription_count, 1);
	}
	world_settle(&world);
	client_take_story(&client, &world);
	publish_many("a", 1);
	world_settle(&world);
	CU_ASSERT_PTR_NOT_NULL(strstr(client_take_story(&client, &world), "a"));
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_verbs_subscribe_takes_effect_at_the_position),
		UNIT_TEST(test_verbs_unsubscribe_leaves_what_it_does_not_know_alone),
		UNIT_TEST(test_verbs_subscribe_keeps_the_limit_of_channels),
		UNIT_TEST(test_verbs_publish_is_answered_once_with_its_ref),
		UNIT_TEST(test_verbs_subscribe_to_a_forbidden_channel_adds_none),
		UNIT_TEST(test_verbs_publish_to_a_forbidden_channel_is_refused),
		UNIT_TEST(test_verbs_subscribe_pays_for_the_channels_it_adds),
		UNIT_TEST(test_verbs_what_is_no_publish_takes_requests_and_ends_whoever_has_none_left),
		UNIT_TEST(test_verbs_nothing_asked_costs_nothing),
		UNIT_TEST(test_verbs_a_beat_a_second_costs_nothing),
		UNIT_TEST(test_verbs_publish_is_at_the_cost_of_the_subscribers_owner),
		UNIT_TEST(test_verbs_without_memory_answer_or_refuse),
		{ NULL, NULL },
	};
	return unit_main("verbs", tests);
}
