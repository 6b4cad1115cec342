#include "bus/backend.h"
#include "bus/bus.h"
#include "live/delivery.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/labels.h"
#include "tests/unit/somebody.h"
#include "util/err.h"

#define MANY 200 /* more than one read has */

static struct world_client client, other;

static void
start(const char *const *options)
{
	world_open(&world, options);
	labels_open(&client);
}

static void
stop(void)
{
	client_close(&client);
	world_close(&world);
}

/* All of a channel under a label from `first` to `last`, behind `head`. */
static char *
frames_of(const char *head, const char *name, unsigned first, unsigned last)
{
	static char text[1 << 16]; /* there is room for some more */
	size_t len = (size_t)snprintf(text, sizeof text, "%s", head);
	for (unsigned seq = first; seq <= last; seq++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%u ", name, seq);
	return text;
}

/* ---- from the head on ---- */

static void
test_subscription_begins_at_the_head_and_frames_under_its_label(void)
{
	start(NULL);
	publish_many("a", 3);
	CU_ASSERT_EQUAL(label_now(&client, "a", "x"), 0);
	CU_ASSERT_EQUAL(label_now(&client, "b", NULL), 0);
	CU_ASSERT_EQUAL(label_now(&client, "c", ""), 0);
	publish_many("a", 1);
	publish_many("b", 1);
	publish_many("c", 1);
	expect_frames(&client, "x/a4 /b5 /c6 ");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_BEHIND_READS), 0);
	stop();
}

static void
test_subscription_gets_nothing_that_was_in_the_mailbox_when_it_began(void)
{
	start(NULL);
	labels_open(&other);
	label_now(&other, "a", "o");
	publish_many("a", 3); /* in the mailbox, not drained */
	label_now(&client, "a", "x");
	publish_many("a", 2); /* in the same run */
	expect_frames(&client, "x/a4 x/a5 ");
	expect_frames(&other, frames_of("", "o/a", 1, 5));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RUNS), 1);
	publish_many("a", 1);
	expect_frames(&client, "x/a6 ");
	client_close(&other);
	stop();
}

static void
test_subscription_of_one_who_is_behind_begins_at_the_head_too(void)
{
	bool lost;
	start(NULL);
	publish_many("a", MANY);
	publish_many("b", 1);
	label_since(&client, "a", "x", 0, &lost);
	sl_subscriber_on_idle(client.subscriber); /* one read */
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_BEHIND);
	label_now(&client, "b", "x");
	publish_many("b", 1);
	char head[16];
	snprintf(head, sizeof head, "x/b%u ", MANY + 2);
	expect_frames(&client, strcat(frames_of("", "x/a", 1, MANY), head));
	stop();
}

static void
test_subscription_is_a_channel_and_a_label(void)
{
	struct sl_span a = { "a", 1 };
	start(NULL);
	label_now(&client, "a", "x");
	publish_many("a", 1); /* in the mailbox */
	label_now(&client, "a", "y");
	CU_ASSERT_EQUAL(label_now(&client, "a", "y"), 0); /* has it already */
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 2);
	CU_ASSERT_EQUAL(sl_fanout_find(client.subscriber, "a", 1), SL_ENOENT);
	CU_ASSERT_EQUAL(sl_fanout_find_as(client.subscriber, "a", 1, span_of("y")), 1);
	CU_ASSERT_TRUE(sl_span_equals(sl_fanout_get_label(client.subscriber, 1), "y"));
	publish_many("a", 2);
	expect_frames(&client, "x/a1 x/a2 x/a3 y/a2 y/a3 ");
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_MESSAGES_OUT), 5);
	sl_verbs_unsubscribe(client.subscriber, &a, 1); /* without a label it has none */
	sl_verbs_unsubscribe_as(client.subscriber, &a, 1, span_of("x"));
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 1);
	publish_many("a", 1);
	expect_frames(&client, "y/a4 ");
	label_now(&client, "a", NULL);
	CU_ASSERT_PTR_NULL(sl_fanout_get_label(client.subscriber, 1).bytes);
	publish_many("a", 1);
	expect_frames(&client, "y/a5 /a5 ");
	stop();
}

/* ---- replay ---- */

static void
test_subscription_with_a_cursor_replays_and_nothing_else_comes_twice(void)
{
	bool lost = true;
	start(NULL);
	label_now(&client, "a", "x");
	publish_many("a", 2);
	publish_many("b", 2);
	expect_frames(&client, "x/a1 x/a2 ");
	CU_ASSERT_EQUAL(label_since(&client, "b", "x", 3, &lost), 0);
	CU_ASSERT_FALSE(lost);
	publish_many("a", 1); /* before it has caught up */
	expect_frames(&client, "x/b4 x/a5 ");
	publish_many("a", 1);
	publish_many("b", 1);
	expect_frames(&client, "x/a6 x/b7 ");
	CU_ASSERT_EQUAL(label_since(&client, "a", "x", 0, &lost), 0); /* has it: it stays as it is */
	expect_frames(&client, "");
	stop();
}

static void
test_subscription_replays_one_channel_under_another_label(void)
{
	bool lost;
	start(NULL);
	label_now(&client, "a", "x");
	publish_many("a", 3);
	expect_frames(&client, "x/a1 x/a2 x/a3 ");
	label_since(&client, "a", "y", 1, &lost);
	expect_frames(&client, "y/a2 y/a3 ");
	publish_many("a", 1);
	expect_frames(&client, "x/a4 y/a4 ");
	stop();
}

static void
test_subscription_may_be_replayed_while_another_one_is(void)
{
	bool lost;
	start(NULL);
	label_now(&client, "a", "x");
	for (unsigned i = 0; i < MANY; i++) {
		publish_many("b", 1);
		publish_many("c", 1);
	}
	publish_many("a", 1);
	world_settle(&world);
	label_since(&client, "b", "x", 0, &lost);
	sl_subscriber_on_idle(client.subscriber); /* one read */
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_BEHIND);
	uint64_t position = client.subscriber->position;
	CU_ASSERT_EQUAL(position, 2 * 64 - 1);
	label_since(&client, "c", "x", 2 * MANY - 10, &lost); /* above the position */
	CU_ASSERT_EQUAL(client.subscriber->position, position);
	label_since(&client, "d", "x", 5, &lost); /* below it */
	CU_ASSERT_EQUAL(client.subscriber->position, 5);
	world_settle(&world);
	client_read(&client);
	sl_buffer_append_char(&client.got, '\0');
	/* Channel by channel: each rises, and nothing comes twice. */
	uint64_t last[3] = { 0 };
	unsigned count[3] = { 0 };
	for (const char *at = client.got.bytes; (at = strchr(at, '/')); at++) {
		uint64_t seq = strtoull(at + 2, NULL, 10);
		CU_ASSERT_TRUE_FATAL(at[1] >= 'a' && at[1] <= 'c' && seq > last[at[1] - 'a']);
		last[at[1] - 'a'] = seq;
		count[at[1] - 'a']++;
	}
	CU_ASSERT_TRUE(count[0] == 1 && count[1] == MANY && count[2] == 5);
	stop();
}

static void
test_subscription_tells_that_history_does_not_reach(void)
{
	static const char *const options[] = { "--history-messages=2", NULL };
	bool lost = false;
	start(options);
	label_now(&client, "a", "x");
	publish_many("b", 5);
	CU_ASSERT_EQUAL(label_since(&client, "b", "x", 1, &lost), 0);
	CU_ASSERT_TRUE(lost);
	expect_frames(&client, "x/b4 x/b5 "); /* no gap is told as well */
	sl_fanout_unsubscribe(client.subscriber, 1);
	CU_ASSERT_EQUAL(label_since(&client, "b", "x", 3, &lost), 0);
	CU_ASSERT_FALSE(lost);
	expect_frames(&client, "x/b4 x/b5 ");
	CU_ASSERT_EQUAL(client.subscriber->link->state, SL_LINK_OPEN);
	stop();
}

static void
test_subscription_that_must_reach_adds_nothing_where_history_does_not(void)
{
	static const char *const options[] = { "--history-messages=2", NULL };
	struct sl_refusal refusal;
	struct sl_span names[] = { { "a", 1 }, { "c", 1 }, { "b", 1 } };
	struct sl_verbs_subscription what = { .channels = names, .count = 3, .label = span_of("x"),
		.since_kind = SL_SINCE_CURSOR };
	bool lost;
	start(options);
	label_now(&client, "a", "x");
	publish_many("b", 5);
	publish_many("a", 1);
	world_settle(&world);
	what.since = (struct sl_cursor){ client.subscriber->epoch, 2 };
	CU_ASSERT_EQUAL(sl_verbs_subscribe_as(client.subscriber, &what, true, &lost, &refusal), 0);
	CU_ASSERT_TRUE(lost);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 1);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
	what.since.seq = 3;
	CU_ASSERT_EQUAL(sl_verbs_subscribe_as(client.subscriber, &what, true, &lost, &refusal), 0);
	CU_ASSERT_FALSE(lost);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 3);
	expect_frames(&client, "x/a6 x/b4 x/b5 ");
	stop();
}

static void
test_subscription_with_a_cursor_that_is_of_no_use_has_all_and_is_told(void)
{
	static const struct {
		enum sl_since kind;
		uint32_t epoch_off;
		bool lost;
	} cases[] = {
		{ SL_SINCE_ALL, 0, false },
		{ SL_SINCE_FOREIGN, 0, true },
		{ SL_SINCE_CURSOR, 1, true },
	};
	static const char *const options[] = { "--history-messages=2", NULL };
	struct sl_span name = { "b", 1 };
	for (size_t i = 0; i < 3; i++) {
		struct sl_refusal refusal;
		bool lost = !cases[i].lost;
		start(options);
		label_now(&client, "a", "x");
		publish_many("b", 3);
		world_settle(&world);
		struct sl_verbs_subscription what = { .channels = &name, .count = 1, .label = span_of("y"),
			.since_kind = cases[i].kind,
			.since = { client.subscriber->epoch + cases[i].epoch_off, 2 } };
		CU_ASSERT_EQUAL(
			sl_verbs_subscribe_as(client.subscriber, &what, false, &lost, &refusal), 0);
		CU_ASSERT_EQUAL(lost, cases[i].lost);
		expect_frames(&client, "y/b2 y/b3 ");
		CU_ASSERT_EQUAL(client.subscriber->link->state, SL_LINK_OPEN);
		stop();
	}
}

static void
test_subscription_with_a_cursor_above_the_log_begins_at_the_head(void)
{
	bool lost = false;
	start(NULL);
	publish_many("a", 3);
	CU_ASSERT_EQUAL(label_since(&client, "a", "x", 70, &lost), 0);
	CU_ASSERT_TRUE(lost);
	publish_many("a", 1);
	expect_frames(&client, "x/a4 ");
	stop();
}

/* Its position is above the head, as where it came from a node that is ahead of this one. */
static void
test_subscription_replayed_below_a_position_above_the_head_repeats_nothing(void)
{
	bool lost;
	start(NULL);
	label_now(&client, "a", "x");
	publish_many("b", 2);
	world_settle(&world);
	client.subscriber->position = 4;
	label_since(&client, "b", "x", 0, &lost);
	expect_frames(&client, "x/b1 x/b2 ");
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
	publish_many("a", 1); /* 3: it had that */
	publish_many("b", 1); /* 4: it did not */
	publish_many("a", 1);
	expect_frames(&client, "x/b4 x/a5 ");
	stop();
}

/* The cursor is known, and the channel was not wanted here between it and now. */
static void
test_subscription_with_a_cursor_above_the_position_misses_nothing(void)
{
	bool lost;
	start(NULL);
	label_now(&client, "a", "x");
	publish_many("b", 4);
	label_since(&client, "b", "x", 2, &lost); /* the shard is still at 0 */
	expect_frames(&client, "x/b3 x/b4 ");
	publish_many("b", 1);
	expect_frames(&client, "x/b5 ");
	stop();
}

static void
test_subscriptions_recover_an_overrun_under_their_labels(void)
{
	static const char *const options[] = { "--mailbox=64", NULL };
	start(options);
	label_now(&client, "a", "x");
	publish_many("b", 3);
	label_now(&client, "b", "y");
	publish_many("b", 1);
	publish_many("a", 300);
	expect_frames(&client, frames_of("y/b4 ", "x/a", 5, 304));
	stop();
}

static void
test_subscription_of_a_log_that_is_over_adds_nothing_to_it(void)
{
	bool lost;
	start(NULL);
	label_now(&client, "a", "x");
	publish_many("a", 2);
	sl_bus_reset(world.bus, 0xa);
	publish_many("b", 3);
	label_since(&client, "b", "x", 0, &lost);
	label_now(&client, "b", "y");
	publish_many("b", 1);
	world_settle(&world);
	client_read(&client);
	sl_buffer_append_char(&client.got, '\0');
	CU_ASSERT_PTR_NULL(strstr(client.got.bytes, "/b"));
	CU_ASSERT_PTR_NOT_NULL(strstr(client.got.bytes, "end:"));
	CU_ASSERT_TRUE(client.ended);
	stop();
}

/* ---- what is refused ---- */

static void
test_subscriptions_in_all_are_as_many_as_a_client_may_have_channels(void)
{
	static const char *const options[] = { "--max-channels=3", NULL };
	struct sl_refusal refusal;
	struct sl_span names[] = { { "a", 1 }, { "b", 1 }, { "a", 1 } };
	struct sl_verbs_subscription what = { .channels = names, .count = 3, .label = span_of("y") };
	start(options);
	label_now(&client, "a", "x");
	label_now(&client, "b", "x");
	CU_ASSERT_EQUAL(sl_verbs_subscribe_as(client.subscriber, &what, false, NULL, &refusal), SL_EFULL);
	CU_ASSERT_STRING_EQUAL(refusal.code, "too_many_channels");
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 2);
	CU_ASSERT_EQUAL(label_now(&client, "a", "y"), 0);
	CU_ASSERT_EQUAL(label_now(&client, "c", "y"), SL_EFULL);
	stop();
}

static void
test_subscription_is_asked_leave_for_whatever_its_label(void)
{
	struct sl_refusal refusal;
	struct sl_principal somebody;
	struct sl_span names[] = { { "a", 1 }, { "b", 1 } };
	struct sl_verbs_subscription what = { .channels = names, .count = 2, .label = span_of("x") };
	start(NULL);
	somebody_init(&somebody, "ada", "a", NULL);
	somebody_be_known(&somebody, world.shard.principals, SL_NEVER_S);
	client_admit(&client, &somebody);
	CU_ASSERT_EQUAL(sl_verbs_subscribe_as(client.subscriber, &what, false, NULL, &refusal),
		SL_EFORBIDDEN);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 0);
	CU_ASSERT_EQUAL(sl_fanout_subscribe_as(client.subscriber, "b", 1, span_of("x"), 0), SL_EFORBIDDEN);
	what.count = 1;
	CU_ASSERT_EQUAL(sl_verbs_subscribe_as(client.subscriber, &what, false, NULL, &refusal), 0);
	client_admit(&client, NULL);
	stop();
	somebody_finish(&somebody);
}

/* ---- labels that change and go ---- */

static void
test_relabel_changes_what_comes_next(void)
{
	bool lost;
	start(NULL);
	label_now(&client, "a", "x");
	label_now(&client, "b", "x");
	label_now(&client, "a", "y");
	label_now(&client, "c", "z");
	publish_many("a", 1);
	expect_frames(&client, "x/a1 y/a1 ");
	CU_ASSERT_EQUAL(sl_verbs_relabel(client.subscriber, span_of("x"), span_of("y")), 0);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 3); /* a is there once */
	CU_ASSERT_EQUAL(sl_framer_find(&world.shard.framer, &labels_stream, span_of("x")), SL_ENOENT);
	publish_many("a", 1);
	publish_many("b", 1);
	publish_many("c", 1);
	expect_frames(&client, "y/a2 y/b3 z/c4 ");
	CU_ASSERT_EQUAL(sl_verbs_relabel(client.subscriber, span_of("y"), span_of("y")), 0);
	CU_ASSERT_EQUAL(sl_verbs_relabel(client.subscriber, span_of("nobody's"), span_of("z")), 0);
	CU_ASSERT_EQUAL(sl_verbs_relabel(client.subscriber, span_of("y"), span_of(NULL)), 0);
	publish_many("b", 1);
	expect_frames(&client, "/b5 ");
	CU_ASSERT_EQUAL(sl_verbs_relabel(client.subscriber, span_of(NULL), span_of("w")), 0);
	label_since(&client, "d", "z", 0, &lost); /* and so it is behind */
	publish_many("b", 1);
	CU_ASSERT_EQUAL(sl_verbs_relabel(client.subscriber, span_of("w"), span_of("v")), 0);
	expect_frames(&client, "v/b6 ");
	stop();
}

static void
test_unsubscribe_of_a_label_takes_all_that_is_under_it(void)
{
	start(NULL);
	label_now(&client, "a", "x");
	label_now(&client, "a", "y");
	label_now(&client, "b", "x");
	label_now(&client, "c", NULL);
	sl_verbs_unsubscribe_label(client.subscriber, span_of("x"));
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 2);
	sl_verbs_unsubscribe_label(client.subscriber, span_of("x"));
	publish_many("a", 1);
	publish_many("b", 1);
	publish_many("c", 1);
	expect_frames(&client, "y/a1 /c3 ");
	sl_verbs_unsubscribe_label(client.subscriber, span_of(NULL));
	publish_many("c", 1);
	publish_many("a", 1);
	expect_frames(&client, "y/a5 ");
	CU_ASSERT_EQUAL(sl_framer_find(&world.shard.framer, &labels_stream, span_of("x")), SL_ENOENT);
	stop();
}

/* ---- many labels, one channel ---- */

static void
test_labels_of_a_channel_are_framed_once_each_however_many_there_are(void)
{
	enum { LABELS = 100 };
	struct world_client clients[2 * LABELS];
	char label[16], wanted[64];
	world_open(&world, NULL);
	for (unsigned i = 0; i < 2 * LABELS; i++) {
		labels_open(&clients[i]);
		snprintf(label, sizeof label, "l%u", i % LABELS);
		CU_ASSERT_EQUAL_FATAL(label_now(&clients[i], "a", label), 0);
	}
	labels_framed = 0;
	publish_many("a", 2);
	for (unsigned i = 0; i < 2 * LABELS; i++) {
		snprintf(wanted, sizeof wanted, "l%u/a1 l%u/a2 ", i % LABELS, i % LABELS);
		expect_frames(&clients[i], wanted);
	}
	CU_ASSERT_EQUAL(labels_framed, LABELS);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LABELS_ALONE), 0);
	for (unsigned i = 0; i < LABELS; i++)
		client_close(&clients[i]);
	world_settle(&world);
	publish_many("a", 1);
	world_settle(&world);
	CU_ASSERT_EQUAL(labels_framed, 2 * LABELS);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LABELS_ALONE), LABELS);
	for (unsigned i = LABELS; i < 2 * LABELS; i++)
		client_close(&clients[i]);
	world_settle(&world);
	CU_ASSERT_PTR_NULL(world.shard.framer.labels);
	world_close(&world);
}

/* One that ends in the middle of its labels leaves several places at once. */
static void
test_subscriber_that_ends_within_a_run_harms_nobody_else(void)
{
	static const char *const options[] = { "--outbox=1K", "--mailbox=4096", NULL };
	enum { CLIENTS = 12 };
	struct world_client clients[CLIENTS];
	char label[251];
	world_open(&world, options);
	memset(label, 'x', sizeof label - 1);
	label[sizeof label - 1] = '\0';
	for (int i = 0; i < CLIENTS; i++) {
		labels_open(&clients[i]);
		bool is_slow = i % 3 != 0;
		for (int twin = 0; twin < (is_slow ? 3 : 1); twin++)
			label_now(&clients[i], "a", is_slow ? label + twin : "ok");
	}
	for (int round = 0; round < 30; round++) { /* the slow ones do not read */
		publish_many("a", 200);
		world_settle(&world);
		for (int i = 0; i < CLIENTS; i += 3)
			client_read(&clients[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		CU_ASSERT_EQUAL(client_is_served(&clients[i], &world) &&
			clients[i].link->state == SL_LINK_OPEN, i % 3 == 0);
		if (i % 3 == 0) {
			clients[i].got.bytes[clients[i].got.len - 1] = '\0';
			CU_ASSERT_STRING_EQUAL(strrchr(clients[i].got.bytes, ' '), " ok/a6000");
			CU_ASSERT_EQUAL(clients[i].subscriber->sent, 6000);
		}
		client_close(&clients[i]);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 8);
	world_close(&world);
}

static void
test_channel_that_ends_ends_who_has_it_under_many_labels_once(void)
{
	struct world_client clients[4];
	world_open(&world, NULL);
	for (int i = 0; i < 4; i++) {
		labels_open(&clients[i]);
		label_now(&clients[i], "a", "x");
		label_now(&clients[i], i == 2 ? "b" : "a", "y");
		label_now(&clients[i], "a", "z");
	}
	sl_fanout_end_channel(&world.shard, "a", 1, SL_END_EXPIRED);
	for (int i = 0; i < 4; i++) {
		char wanted[16];
		snprintf(wanted, sizeof wanted, "end:%d", SL_END_EXPIRED);
		expect_frames(&clients[i], wanted);
		client_close(&clients[i]);
	}
	world_settle(&world);
	CU_ASSERT_PTR_NULL(world.shard.framer.labels);
	world_close(&world);
}

/* ---- memory ---- */

static void
sweep(void)
{
	world.shard.loop.now_ms += 10001;
	sl_fanout_sweep(&world.shard);
}

static void
test_subscription_without_memory_adds_none_of_the_channels(void)
{
	struct sl_refusal refusal;
	struct sl_span names[] = { { "a", 1 }, { "b", 1 }, { "c", 1 } };
	struct sl_verbs_subscription what = { .channels = names, .count = 3, .label = span_of("x"),
		.since_kind = SL_SINCE_ALL };
	start(NULL);
	sweep();
	for_each_failing_allocation(failing) {
		int err = sl_verbs_subscribe_as(client.subscriber, &what, false, NULL, &refusal);
		failing_expect(err);
		CU_ASSERT_EQUAL(client.subscriber->subscription_count, err == 0 ? 3 : 0);
		CU_ASSERT_EQUAL(world.shard.framer.labels == NULL, err != 0);
		sl_fanout_unsubscribe_all(client.subscriber);
		sweep();
	}
	stop();
}

static void
test_relabel_without_memory_changes_nothing(void)
{
	start(NULL);
	label_now(&client, "a", "x");
	label_now(&client, "b", "x");
	for_each_failing_allocation(failing) {
		int err = sl_verbs_relabel(client.subscriber, span_of("x"), span_of("y"));
		failing_expect(err);
		for (size_t i = 0; i < 2; i++)
			CU_ASSERT_TRUE(sl_span_equals(sl_fanout_get_label(client.subscriber, i),
				err == 0 ? "y" : "x"));
		failing_alloc_off();
		CU_ASSERT_EQUAL(sl_verbs_relabel(client.subscriber, span_of("y"), span_of("x")), 0);
	}
	stop();
}

static void
test_delivery_under_labels_without_memory_closes_whom_it_fails(void)
{
	for (unsigned n = 1;; n++) {
		bool lost;
		start(NULL);
		label_now(&client, "a", "x");
		label_now(&client, "a", "y");
		publish_many("b", 3);
		publish_many("a", 3);
		failing_alloc_set(n, n % 2);
		sl_delivery_drain(&world.shard);
		if (client.link->state == SL_LINK_OPEN)
			label_since(&client, "b", "x", 0, &lost);
		if (client.link->state == SL_LINK_OPEN)
			sl_subscriber_on_idle(client.subscriber);
		failing_alloc_off();
		bool has_failed = failing_alloc_has_failed();
		if (!has_failed)
			expect_frames(&client, "x/a4 x/a5 x/a6 y/a4 y/a5 y/a6 x/b1 x/b2 x/b3 ");
		stop();
		if (!has_failed)
			break;
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_subscription_begins_at_the_head_and_frames_under_its_label),
		UNIT_TEST(test_subscription_gets_nothing_that_was_in_the_mailbox_when_it_began),
		UNIT_TEST(test_subscription_of_one_who_is_behind_begins_at_the_head_too),
		UNIT_TEST(test_subscription_is_a_channel_and_a_label),
		UNIT_TEST(test_subscription_with_a_cursor_replays_and_nothing_else_comes_twice),
		UNIT_TEST(test_subscription_replays_one_channel_under_another_label),
		UNIT_TEST(test_subscription_may_be_replayed_while_another_one_is),
		UNIT_TEST(test_subscription_tells_that_history_does_not_reach),
		UNIT_TEST(test_subscription_that_must_reach_adds_nothing_where_history_does_not),
		UNIT_TEST(test_subscription_with_a_cursor_that_is_of_no_use_has_all_and_is_told),
		UNIT_TEST(test_subscription_with_a_cursor_above_the_log_begins_at_the_head),
		UNIT_TEST(test_subscription_replayed_below_a_position_above_the_head_repeats_nothing),
		UNIT_TEST(test_subscription_with_a_cursor_above_the_position_misses_nothing),
		UNIT_TEST(test_subscriptions_recover_an_overrun_under_their_labels),
		UNIT_TEST(test_subscription_of_a_log_that_is_over_adds_nothing_to_it),
		UNIT_TEST(test_subscriptions_in_all_are_as_many_as_a_client_may_have_channels),
		UNIT_TEST(test_subscription_is_asked_leave_for_whatever_its_label),
		UNIT_TEST(test_relabel_changes_what_comes_next),
		UNIT_TEST(test_unsubscribe_of_a_label_takes_all_that_is_under_it),
		UNIT_TEST(test_labels_of_a_channel_are_framed_once_each_however_many_there_are),
		UNIT_TEST(test_subscriber_that_ends_within_a_run_harms_nobody_else),
		UNIT_TEST(test_channel_that_ends_ends_who_has_it_under_many_labels_once),
		UNIT_TEST(test_subscription_without_memory_adds_none_of_the_channels),
		UNIT_TEST(test_relabel_without_memory_changes_nothing),
		UNIT_TEST(test_delivery_under_labels_without_memory_closes_whom_it_fails),
		{ NULL, NULL },
	};
	return unit_main("subscriptions", tests);
}
