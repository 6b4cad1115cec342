/* What happens to a log that is elsewhere, and what every backend that has one must make of it (bus/backend.h). */
#include "tests/unit/backend_stage.h"

#define NOT_ON_NATS "what can happen to its log happens in tests/cluster"

static const struct options elsewhere = { .keys_max = 1000, .not_on_nats = NOT_ON_NATS };

/* Has it happen; false where the backend has no such log. */
static bool
happen(struct stage *stage, const char *what)
{
	struct publication publication = { .publish = { .on_done = handle_done }, .shard = 0 };
	struct sl_message *message;
	if (strcmp(backends[stage->backend].name, "slow") != 0)
		return false;
	if (sl_message_create(&message, SL_SLOW_CONTROL, strlen(SL_SLOW_CONTROL), SL_TEXT, what,
			strlen(what)) != 0)
		abort();
	publication.result = sl_bus_publish(stage->bus, 0, message, NULL, 0, &publication.publish,
		&publication.id);
	wait_for(stage, &publication);
	CU_ASSERT_EQUAL(publication.result, 0);
	return true;
}

/* What shard 2, which wants it, reads of a channel. */
struct found {
	size_t count;
	uint64_t first, gap_resumed;
};

static struct found
read_above(struct stage *stage, struct sl_channel *channel, uint64_t after)
{
	struct sl_message *messages[100];
	struct sl_read_channel wanted = { .channel = channel, .after = after };
	struct sl_read read = { .channels = &wanted, .channel_count = 1, .max_messages = 100,
		.max_bytes = SIZE_MAX, .messages = messages, .epoch = sl_bus_head(stage->bus).epoch };
	sl_bus_read(stage->bus, &read);
	CU_ASSERT_FALSE(read.is_outdated);
	struct found found = { read.count, read.count ? messages[0]->seq : 0, wanted.gap_resumed };
	for (size_t i = 0; i < read.count; i++)
		sl_message_unref(messages[i]);
	return found;
}

static void
check_lost(struct stage *stage)
{
	struct publication before, after;
	struct sl_channel *a = want(stage, 2, "a");
	uint64_t lost_after, resumed;
	publish_and_wait(stage, &before, "a", NULL);
	if (!happen(stage, "lose 10"))
		return;
	uint64_t through = sl_bus_head(stage->bus).seq;
	CU_ASSERT(through >= before.id.seq + 10);
	publish_and_wait(stage, &after, "a", NULL);
	CU_ASSERT(after.id.seq > through);
	CU_ASSERT_EQUAL(read_above(stage, a, before.id.seq).gap_resumed, through);
	CU_ASSERT_EQUAL(read_above(stage, a, before.id.seq).first, after.id.seq);
	CU_ASSERT_EQUAL(read_above(stage, a, through).gap_resumed, 0);
	CU_ASSERT_FALSE(sl_bus_take_overrun(stage->bus, 2, &lost_after, &resumed));
	CU_ASSERT_EQUAL(pop_seq(stage, 2), before.id.seq);
	CU_ASSERT_EQUAL(pop_seq(stage, 2), 0);
	for (unsigned shard = 0; shard < SHARDS; shard++) {
		CU_ASSERT_TRUE(sl_bus_take_overrun(stage->bus, shard, &lost_after, &resumed));
		CU_ASSERT_EQUAL(lost_after, before.id.seq);
		CU_ASSERT(resumed >= after.id.seq);
	}
}

static void
test_backend_states_that_loses_numbers_makes_gaps_and_overruns(void)
{
	for_each_backend(&elsewhere, check_lost);
}

static void
check_purged(struct stage *stage)
{
	struct publication publications[10];
	struct sl_channel *a = want(stage, 2, "a");
	uint64_t lost_after, resumed;
	char command[32];
	for (size_t i = 0; i < 10; i++)
		publish_and_wait(stage, &publications[i], "a", NULL);
	snprintf(command, sizeof command, "purge %llu", (unsigned long long)publications[5].id.seq);
	if (!happen(stage, command))
		return;
	CU_ASSERT_EQUAL(read_above(stage, a, 0).count, 4);
	CU_ASSERT_EQUAL(read_above(stage, a, 0).gap_resumed, publications[5].id.seq);
	CU_ASSERT_EQUAL(read_above(stage, a, publications[5].id.seq).gap_resumed, 0);
	CU_ASSERT_EQUAL(sl_bus_head(stage->bus).seq, publications[9].id.seq);
	for (size_t i = 0; i < 10; i++) /* what was delivered before stays so */
		CU_ASSERT_EQUAL(pop_seq(stage, 2), publications[i].id.seq);
	CU_ASSERT_FALSE(sl_bus_take_overrun(stage->bus, 2, &lost_after, &resumed));
}

static void
test_backend_states_that_is_purged_keeps_its_numbers_and_what_is_newer(void)
{
	for_each_backend(&elsewhere, check_purged);
}

static void
check_reset(struct stage *stage)
{
	struct publication before, repeat;
	struct sl_channel *a = want(stage, 2, "a");
	struct sl_cursor resumed, old;
	publish_and_wait(stage, &before, "a", "key-0001");
	old = sl_bus_head(stage->bus);
	if (!happen(stage, "reset"))
		return;
	CU_ASSERT_NOT_EQUAL(sl_bus_head(stage->bus).epoch, old.epoch);
	CU_ASSERT_EQUAL(sl_bus_head(stage->bus).seq, 0);
	CU_ASSERT_EQUAL(read_above(stage, a, 0).count, 0);
	publish_and_wait(stage, &repeat, "a", "key-0001");
	CU_ASSERT_EQUAL(repeat.result, 0);
	CU_ASSERT_EQUAL(repeat.id.epoch, sl_bus_head(stage->bus).epoch);
	CU_ASSERT_EQUAL(read_above(stage, a, 0).first, repeat.id.seq);
	CU_ASSERT_EQUAL(read_above(stage, a, 0).gap_resumed, 0);
	sl_mailbox_run_tasks(&stage->mailboxes[2]);
	CU_ASSERT_EQUAL(stage->told[2].resets, 1);
	CU_ASSERT_EQUAL(stage->told[2].epoch, repeat.id.epoch);
	CU_ASSERT_EQUAL(pop_seq(stage, 2), old.seq);
	CU_ASSERT_EQUAL(pop_seq(stage, 2), 0);
	CU_ASSERT_TRUE(sl_bus_take_reset(stage->bus, 2, &resumed));
	CU_ASSERT_EQUAL(resumed.epoch, repeat.id.epoch);
	CU_ASSERT(resumed.seq >= repeat.id.seq);
	publish_and_wait(stage, &repeat, "a", NULL);
	CU_ASSERT_EQUAL(pop_seq(stage, 2), repeat.id.seq);
}

static void
test_backend_states_whose_log_is_another_one_begins_anew(void)
{
	for_each_backend(&elsewhere, check_reset);
}

static void
check_reset_while_pending(struct stage *stage)
{
	struct publication publications[10];
	for (unsigned i = 0; i < 10; i++)
		publish(stage, &publications[i], 1, "a", i % 2 ? NULL : "key-0001");
	bool is_reset = happen(stage, "reset");
	for (unsigned i = 0; i < 10; i++) {
		wait_for(stage, &publications[i]);
		CU_ASSERT_EQUAL(publications[i].result, is_reset ? SL_EUNKNOWN : 0);
		CU_ASSERT(publications[i].done_count <= 1);
	}
}

static void
test_backend_states_whose_log_is_another_one_does_not_know_of_what_was_on_its_way(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000, .takes_for_ever = true,
		.not_on_nats = NOT_ON_NATS },
		check_reset_while_pending);
}

static void
check_unknown(struct stage *stage)
{
	struct publication publication;
	struct sl_channel *a = want(stage, 2, "a");
	struct sl_bus_stats stats;
	if (!happen(stage, "unknown 2"))
		return;
	for (unsigned i = 0; i < 2; i++) { /* the first is not stored, the second is */
		publish_and_wait(stage, &publication, "a", "key-0001");
		CU_ASSERT_EQUAL(publication.result, SL_EUNKNOWN);
		CU_ASSERT_EQUAL(read_above(stage, a, 0).count, i);
	}
	publish_and_wait(stage, &publication, "a", "key-0001");
	CU_ASSERT_EQUAL(publication.result, 0);
	CU_ASSERT_EQUAL(read_above(stage, a, 0).count, 1);
	CU_ASSERT_EQUAL(read_above(stage, a, 0).first, publication.id.seq);
	sl_bus_get_stats(stage->bus, &stats);
	CU_ASSERT_EQUAL(stats.backend.unknown, 2);
}

static void
test_backend_states_answers_as_unknown_and_a_key_tells_afterwards(void)
{
	for_each_backend(&elsewhere, check_unknown);
}

static void
check_away(struct stage *stage)
{
	struct publication publications[10];
	struct sl_bus_stats stats;
	if (!happen(stage, "away"))
		return;
	CU_ASSERT_FALSE(sl_bus_ready(stage->bus));
	for (unsigned i = 0; i < 10; i++)
		publish(stage, &publications[i], 1, "a", NULL);
	happen(stage, "away");
	set_monotonic_ms += 3000;
	sl_bus_get_stats(stage->bus, &stats);
	CU_ASSERT_EQUAL(stats.pending_now, 10);
	CU_ASSERT_FALSE(stats.backend.connected);
	CU_ASSERT_EQUAL(stats.backend.away_ms, 3000);
	for (unsigned shard = 0; shard < SHARDS; shard++) {
		sl_mailbox_run_tasks(&stage->mailboxes[shard]);
		CU_ASSERT_EQUAL(stage->told[shard].aways, 1);
		CU_ASSERT_EQUAL(stage->told[shard].backs, 0);
	}
	happen(stage, "back");
	CU_ASSERT_TRUE(sl_bus_ready(stage->bus));
	for (unsigned i = 0; i < 10; i++) {
		wait_for(stage, &publications[i]);
		CU_ASSERT_EQUAL(publications[i].result, 0);
	}
	sl_mailbox_run_tasks(&stage->mailboxes[2]);
	CU_ASSERT_EQUAL(stage->told[2].backs, 1);
}

static void
test_backend_states_that_is_away_lets_publishes_wait(void)
{
	for_each_backend(&elsewhere, check_away);
}

static void
check_last_seq(struct stage *stage)
{
	struct publication publication;
	publish_and_wait(stage, &publication, "a", NULL);
	uint64_t head = sl_bus_head(stage->bus).seq;
	CU_ASSERT_FALSE(sl_bus_is_above_log(stage->bus, head));
	if (!happen(stage, "ahead 100"))
		return;
	CU_ASSERT_FALSE(sl_bus_is_above_log(stage->bus, head + 100)); /* it may be */
	CU_ASSERT_TRUE(sl_bus_is_above_log(stage->bus, head + 101));
}

static void
test_backend_states_knows_a_number_that_its_log_cannot_have_passed(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_last_seq);
}

static void
check_notice(struct stage *stage)
{
	struct publication publication = { .publish = { .on_done = handle_done }, .shard = 1 };
	char name[] = "gone/somebody", text[] = "{\"a\":1}";
	const struct sl_notice notice = { .name = { name, sizeof name - 1 },
		.text = { text, sizeof text - 1 }, .kept_s = INT64_C(1) << 40 };
	publication.result = sl_bus_announce(stage->bus, 1, &notice, &publication.publish);
	memset(name, 'x', sizeof name); /* it has a copy */
	memset(text, 'x', sizeof text);
	wait_for(stage, &publication);
	CU_ASSERT_EQUAL(publication.result, 0);
	while (stage->heard == 0) /* maybe after the answer */
		poll(NULL, 0, 1);
	CU_ASSERT_EQUAL(stage->heard, 1);
	CU_ASSERT_STRING_EQUAL(stage->name, "gone/somebody");
	CU_ASSERT_STRING_EQUAL(stage->text, "{\"a\":1}");
	CU_ASSERT_EQUAL(sl_bus_head(stage->bus).seq, 0);
}

static void
test_backend_states_announces_to_this_node_too(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_notice);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_backend_states_that_loses_numbers_makes_gaps_and_overruns),
		UNIT_TEST(test_backend_states_that_is_purged_keeps_its_numbers_and_what_is_newer),
		UNIT_TEST(test_backend_states_whose_log_is_another_one_begins_anew),
		UNIT_TEST(test_backend_states_whose_log_is_another_one_does_not_know_of_what_was_on_its_way),
		UNIT_TEST(test_backend_states_answers_as_unknown_and_a_key_tells_afterwards),
		UNIT_TEST(test_backend_states_that_is_away_lets_publishes_wait),
		UNIT_TEST(test_backend_states_knows_a_number_that_its_log_cannot_have_passed),
		UNIT_TEST(test_backend_states_announces_to_this_node_too),
		{ NULL, NULL },
	};
	return run_over_backends("backend_states", tests);
}
