/* What every backend must do (bus/backend.h), one set of tests over all of them. To add a
 * backend, put it in the list of tests/unit/backend_stage.h. What happens to a log meanwhile is in
 * test_backend_states.c. What cannot be of a log that others keep is left out there, by
 * a reason with the test's options. */
#include "bus/dedupe.h"
#include "bus/records.h"
#include "tests/unit/backend_stage.h"

/* ---- the contract ---- */

static void
check_numbers(struct stage *stage)
{
	struct publication publications[50];
	uint64_t before = 0;
	CU_ASSERT_NOT_EQUAL(sl_bus_head(stage->bus).epoch, 0);
	CU_ASSERT_TRUE(sl_bus_ready(stage->bus));
	want(stage, 0, "a");
	for (size_t i = 0; i < 50; i++) {
		publish_and_wait(stage, &publications[i], "a", NULL);
		CU_ASSERT_EQUAL(publications[i].result, 0);
		CU_ASSERT_EQUAL(publications[i].id.epoch, sl_bus_head(stage->bus).epoch);
		CU_ASSERT_EQUAL(publications[i].id.seq, sl_bus_head(stage->bus).seq);
		CU_ASSERT_TRUE(publications[i].id.seq > before);
		before = publications[i].id.seq;
	}
	for (size_t i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(pop_seq(stage, 0), publications[i].id.seq);
	CU_ASSERT_FALSE(sl_bus_is_above_log(stage->bus, before));
}

static void
test_backend_numbers_rise_and_the_id_answered_is_the_id_delivered(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_numbers);
}

static void
expect_time(struct stage *stage, int64_t time_us)
{
	struct sl_message *message;
	char expected[64];
	int len = snprintf(expected, sizeof expected, "\"time\":%16lld,", (long long)time_us);
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_pop(&stage->mailboxes[0], &message, 1), 1);
	CU_ASSERT_PTR_NOT_NULL(memmem(message->object, message->object_len, expected, (size_t)len));
	CU_ASSERT_EQUAL(message->arrived_ms, set_monotonic_ms);
	sl_message_unref(message);
}

static void
check_times(struct stage *stage)
{
	static const int64_t steps_us[] = { 0, 1, 2 * SET_CLOCK_DAY_US, -2 * SET_CLOCK_DAY_US,
		-SET_CLOCK_DAY_US, 1000000 };
	struct publication publication;
	want(stage, 0, "a");
	for (size_t i = 0; i < sizeof steps_us / sizeof *steps_us; i++) {
		set_wall_us += steps_us[i];
		set_monotonic_ms += 1000;
		publish_and_wait(stage, &publication, "a", NULL);
		expect_time(stage, set_wall_us);
	}
	set_wall_us = 1234567; /* a machine without a clock */
	publish_and_wait(stage, &publication, "a", NULL);
	expect_time(stage, 1234567);
	set_wall_us = SET_CLOCK_START_US;
}

static void
test_backend_times_are_the_wall_clocks_forwards_and_back(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000,
		.not_on_nats = "times are those of the log's own clock" }, check_times);
}

static void
check_key_age(struct stage *stage)
{
	struct publication first, repeat;
	publish_and_wait(stage, &first, "a", "key-0001");
	set_wall_us += 2 * SET_CLOCK_DAY_US;
	sl_bus_sweep(stage->bus);
	publish_and_wait(stage, &repeat, "a", "key-0001");
	CU_ASSERT_EQUAL(repeat.id.seq, first.id.seq);
	set_wall_us = SET_CLOCK_START_US;
	set_monotonic_ms += SL_DEDUPE_KEPT_MS;
	publish_and_wait(stage, &repeat, "a", "key-0001");
	CU_ASSERT_TRUE(repeat.id.seq > first.id.seq);
}

static void
test_backend_keeps_keys_two_minutes_however_the_wall_clock_steps(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000,
		.not_on_nats = "keys age by the log's own clock" }, check_key_age);
}

static void
check_repeats(struct stage *stage)
{
	struct publication first, repeat, other;
	want(stage, 1, "a");
	for (unsigned i = 0; i < 20; i++) {
		char key[16];
		snprintf(key, sizeof key, "key-%06u", i);
		publish_and_wait(stage, &first, "a", key);
		publish(stage, &repeat, 2, "a", key); /* by another shard */
		wait_for(stage, &repeat);
		CU_ASSERT_EQUAL(repeat.result, 0);
		CU_ASSERT_EQUAL(repeat.id.seq, first.id.seq);
		CU_ASSERT_EQUAL(repeat.id.epoch, first.id.epoch);
		CU_ASSERT_EQUAL(pop_seq(stage, 1), first.id.seq);
		CU_ASSERT_EQUAL(pop_seq(stage, 1), 0);
		publish_and_wait(stage, &other, "b", key); /* a key has no scope */
		CU_ASSERT_EQUAL(other.id.seq, first.id.seq);
		CU_ASSERT_EQUAL(pop_seq(stage, 1), 0);
	}
	struct sl_bus_stats stats;
	sl_bus_get_stats(stage->bus, &stats);
	CU_ASSERT_EQUAL(stats.duplicates, 40);
	CU_ASSERT_EQUAL(stats.dedupe_now, 20);
	CU_ASSERT_EQUAL(stats.published, 60);
}

static void
test_backend_repeated_key_gets_the_first_answer_and_makes_no_second_message(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_repeats);
}

static void
check_receivers(struct stage *stage)
{
	struct publication publication;
	struct sl_channel *by_one = want(stage, 0, "a"), *by_other = want(stage, 1, "a");
	CU_ASSERT_PTR_EQUAL(by_one, by_other);
	for (unsigned i = 0; i < 20; i++) {
		char key[16];
		snprintf(key, sizeof key, "key-%06u", i);
		sl_records_count_receiver(i % 2 ? by_one : by_other, 1);
		publish(stage, &publication, 0, "a", key);
		CU_ASSERT_TRUE(publication.result != SL_PENDING || publication.publish.foreseen == i + 1);
		wait_for(stage, &publication);
		CU_ASSERT_EQUAL(publication.publish.receivers, i + 1);
		publish_and_wait(stage, &publication, "a", key);
		CU_ASSERT_EQUAL(publication.publish.receivers, 0);
		publish_and_wait(stage, &publication, "b", NULL);
		CU_ASSERT_EQUAL(publication.publish.receivers, 0);
	}
	sl_records_count_receiver(by_one, -1);
	publish_and_wait(stage, &publication, "a", NULL);
	CU_ASSERT_EQUAL(publication.publish.receivers, 19);
}

static void
test_backend_notes_how_many_receivers_a_message_had_and_none_of_a_repeat(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_receivers);
}

/* As long as a key may be, and made of any visible character. */
static void
check_long_keys(struct stage *stage)
{
	struct publication first, other;
	char key[SL_BUS_KEY_MAX + 1];
	for (size_t i = 0; i < SL_BUS_KEY_MAX; i++)
		key[i] = (char)('!' + i);
	key[SL_BUS_KEY_MAX] = '\0';
	publish_and_wait(stage, &first, "a", key);
	publish_and_wait(stage, &other, "a", key);
	CU_ASSERT_EQUAL(other.id.seq, first.id.seq);
	key[SL_BUS_KEY_MAX - 1] = '~';
	publish_and_wait(stage, &other, "a", key);
	CU_ASSERT_TRUE(other.id.seq > first.id.seq);
}

static void
test_backend_tells_long_keys_apart(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_long_keys);
}

static void
check_in_flight(struct stage *stage)
{
	struct publication publications[12];
	want(stage, 1, "a");
	for (unsigned round = 0; round < 20; round++) {
		char key[16];
		snprintf(key, sizeof key, "key-%06u", round);
		for (unsigned i = 0; i < 12; i++)
			publish(stage, &publications[i], i % SHARDS, "a", key);
		for (unsigned i = 0; i < 12; i++) {
			wait_for(stage, &publications[i]);
			CU_ASSERT_EQUAL(publications[i].result, 0);
			CU_ASSERT_EQUAL(publications[i].id.seq, publications[0].id.seq);
		}
		CU_ASSERT_EQUAL(pop_seq(stage, 1), publications[0].id.seq);
		CU_ASSERT_EQUAL(pop_seq(stage, 1), 0);
	}
}

static void
test_backend_duplicate_of_one_in_flight_waits_for_it(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_in_flight);
}

static void
check_failures(struct stage *stage)
{
	want(stage, 1, "a");
	for (unsigned round = 0; round < 20; round++) {
		struct publication publication;
		char key[16];
		snprintf(key, sizeof key, "key-%06u", round);
		do
			publish_and_wait(stage, &publication, "a", key);
		while (publication.result == SL_EBACKEND); /* kept, it would fail for ever */
		CU_ASSERT_EQUAL(publication.result, 0);
		CU_ASSERT_NOT_EQUAL(publication.id.seq, 0);
		CU_ASSERT_EQUAL(pop_seq(stage, 1), publication.id.seq);
		CU_ASSERT_EQUAL(pop_seq(stage, 1), 0); /* what failed was not delivered */
	}
}

static void
test_backend_does_not_keep_failures(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000, .fails_often = true,
		.not_on_nats = "it retries until the deadline; nothing fails at once" }, check_failures);
}

static void
check_full(struct stage *stage)
{
	struct publication publication;
	publish_and_wait(stage, &publication, "a", "key-0001");
	publish_and_wait(stage, &publication, "a", "key-0002");
	uint64_t second = publication.id.seq;
	publish_and_wait(stage, &publication, "a", "key-0003");
	CU_ASSERT_EQUAL(publication.result, 0);
	publish_and_wait(stage, &publication, "a", "key-0002");
	CU_ASSERT_EQUAL(publication.id.seq, second);
	publish_and_wait(stage, &publication, "a", "key-0001"); /* went for the third */
	CU_ASSERT(publication.id.seq > second);
}

/* Owner 1 has one key and one channel; owner 2 has as many of both as it can. */
static void
check_owners(struct stage *stage)
{
	struct publication publication;
	struct sl_bus_stats stats;
	stage->owner = 1;
	publish_and_wait(stage, &publication, "quiet", "key-of-owner-1");
	uint64_t first = publication.id.seq;
	stage->owner = 2;
	for (unsigned i = 0; i < 50; i++) {
		char name[24];
		snprintf(name, sizeof name, "key-%08u", i);
		publish_and_wait(stage, &publication, name, name);
		CU_ASSERT_EQUAL(publication.result, 0);
	}
	sl_bus_get_stats(stage->bus, &stats);
	CU_ASSERT_EQUAL(stats.dedupe_now, 10);
	CU_ASSERT_EQUAL(stats.dedupe_evicted, 41);
	CU_ASSERT_EQUAL(stats.channels_now, 4);
	CU_ASSERT_EQUAL(stats.channels_evicted, 47);
	publish_and_wait(stage, &publication, "quiet", "key-of-owner-1");
	CU_ASSERT_EQUAL(publication.id.seq, first);
	want(stage, 1, "quiet"); /* which finds its record */
	sl_bus_get_stats(stage->bus, &stats);
	CU_ASSERT_EQUAL(stats.channels_now, 4);
	CU_ASSERT_EQUAL(stats.channels_evicted, 47);
}

static void
test_backend_lets_no_owner_push_out_keys_and_channels_of_another(void)
{
	for_each_backend(&(struct options){ .keys_max = 10, .channels_max = 4,
		.not_on_nats = "nobody's keys are pushed out" }, check_owners);
}

static void
check_no_keys(struct stage *stage)
{
	struct publication publication;
	publish_and_wait(stage, &publication, "a", "key-0001");
	CU_ASSERT_EQUAL(publication.result, SL_EFULL);
	publish_and_wait(stage, &publication, "a", NULL);
	CU_ASSERT_EQUAL(publication.result, 0);
	sl_bus_set_limits(stage->bus, &config, 1);
	publish_and_wait(stage, &publication, "a", "key-0001");
	CU_ASSERT_EQUAL(publication.result, 0);
	uint64_t first = publication.id.seq;
	sl_bus_set_limits(stage->bus, &config, 0);
	publish_and_wait(stage, &publication, "a", "key-0001");
	CU_ASSERT_EQUAL(publication.id.seq, first); /* what is remembered stays */
	publish_and_wait(stage, &publication, "a", "key-0002");
	CU_ASSERT_EQUAL(publication.result, SL_EFULL);
}

static void
test_backend_takes_no_keys_where_none_may_be_remembered(void)
{
	for_each_backend(&(struct options){ .keys_max = 0 }, check_no_keys);
}

static void
test_backend_forgets_the_oldest_key_when_its_table_is_full(void)
{
	for_each_backend(&(struct options){ .keys_max = 2,
		.not_on_nats = "the log forgets none early; a node refuses keys beyond its bound" }, check_full);
}

static void
check_done(struct stage *stage)
{
	struct publication publications[60];
	bool was_pending[60];
	for (unsigned i = 0; i < 60; i++) {
		publish(stage, &publications[i], i % SHARDS, "a", i % 2 ? NULL : "key-0001");
		was_pending[i] = publications[i].result == SL_PENDING;
	}
	/* Playing only the shard of each shows that the answer came by its own mailbox. */
	for (unsigned i = 0; i < 60; i++)
		wait_for(stage, &publications[i]);
	struct sl_bus_stats stats;
	sl_bus_get_stats(stage->bus, &stats);
	CU_ASSERT_EQUAL(stats.pending_now, 0);
	for (unsigned shard = 0; shard < SHARDS; shard++)
		sl_mailbox_run_tasks(&stage->mailboxes[shard]);
	for (unsigned i = 0; i < 60; i++)
		CU_ASSERT_EQUAL(publications[i].done_count, was_pending[i]);
}

static void
test_backend_pending_publish_is_answered_once_on_its_own_shard(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_done);
}

static void
check_interest(struct stage *stage)
{
	struct publication publication;
	want(stage, 0, "a");
	want(stage, 1, "a");
	want(stage, 1, "b");
	for (unsigned i = 0; i < 10; i++) {
		publish_and_wait(stage, &publication, i % 2 ? "a" : "b", NULL);
		CU_ASSERT_EQUAL(pop_seq(stage, 0), i % 2 ? publication.id.seq : 0);
		CU_ASSERT_EQUAL(pop_seq(stage, 1), publication.id.seq);
		CU_ASSERT_EQUAL(pop_seq(stage, 2), 0);
	}
}

static void
test_backend_delivers_to_every_interested_shard_and_no_other(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_interest);
}

static void
check_drain(struct stage *stage)
{
	struct publication before, after;
	publish(stage, &before, 0, "a", NULL);
	sl_bus_drain(stage->bus);
	publish(stage, &after, 0, "a", NULL);
	CU_ASSERT_EQUAL(after.result, SL_EDRAINING);
	wait_for(stage, &before);
	CU_ASSERT_EQUAL(before.result, 0);
}

static void
test_backend_draining_refuses_new_publishes_and_answers_pending_ones(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_drain);
}

static void
test_backend_destroyed_with_publishes_pending_answers_them_as_draining(void)
{
	for (size_t backend = 0; backend < sizeof backends / sizeof *backends; backend++) {
		struct stage stage;
		struct publication publications[10];
		const struct options options = { .keys_max = 1000, .takes_for_ever = true };
		if (is_left_out(backend, &options))
			continue;
		open_stage(&stage, backend, &options);
		if (stage.is_remote)
			nats_stage_pause();
		/* Shard 1 goes before its publishes are answered: its mailbox must not be touched any
		 * more, and each is still told once, so that its memory can be freed. */
		struct publication *gone = calloc(10, sizeof *gone);
		for (unsigned i = 0; i < 10; i++) {
			publish(&stage, &publications[i], 0, "a", i % 2 ? NULL : "key-0001");
			publish(&stage, &gone[i], 1, "a", i % 2 ? NULL : "key-0001");
		}
		sl_bus_detach(stage.bus, 1);
		sl_bus_destroy(stage.bus);
		for (unsigned i = 0; i < 10; i++)
			CU_ASSERT_TRUE(gone[i].done_count == 0 ? gone[i].result == 0 :
				gone[i].done_count == 1 && gone[i].result == SL_EDRAINING);
		free(gone);
		sl_mailbox_run_tasks(&stage.mailboxes[0]);
		for (unsigned i = 0; i < 10; i++)
			CU_ASSERT_TRUE(publications[i].done_count == 0
				? publications[i].result == 0 : publications[i].result == SL_EDRAINING);
		stage.bus = NULL;
		close_stage(&stage);
		if (backends[backend].is_remote)
			nats_stage_resume();
	}
}

/* Reads what history holds of a channel; returns how many messages, their numbers in `seqs`. */
static size_t
read_all(struct stage *stage, const char *name, uint64_t *seqs, size_t room)
{
	struct sl_message *messages[64];
	struct sl_read_channel channel = { .channel = want(stage, 0, name) };
	struct sl_read read = { .channels = &channel, .channel_count = 1, .max_messages = room,
		.max_bytes = 1 << 20, .messages = messages };
	sl_bus_read(stage->bus, &read);
	for (size_t i = 0; i < read.count; i++) {
		seqs[i] = messages[i]->seq;
		sl_message_unref(messages[i]);
	}
	return read.count;
}

static void
check_restart(struct stage *stage)
{
	struct publication publications[10], later;
	struct sl_backend *created;
	uint64_t seqs[11];
	for (unsigned i = 0; i < 10; i++)
		publish_and_wait(stage, &publications[i], "a", i ? NULL : "key-0001");
	struct sl_cursor head = sl_bus_head(stage->bus);
	close_stage(stage);
	set_clock_is_off = true;
	CU_ASSERT_EQUAL_FATAL(nats_stage_create_again(&created), 0);
	start_stage(stage, created, &(struct options){ 0 });
	CU_ASSERT_EQUAL(sl_bus_head(stage->bus).epoch, head.epoch);
	CU_ASSERT_EQUAL(sl_bus_head(stage->bus).seq, head.seq); /* all is read when it has started */
	CU_ASSERT_EQUAL_FATAL(read_all(stage, "a", seqs, 11), 10);
	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(seqs[i], publications[i].id.seq);
	publish_and_wait(stage, &later, "a", "key-0001");
	CU_ASSERT_EQUAL(later.id.seq, publications[0].id.seq);
	publish_and_wait(stage, &later, "a", NULL);
	CU_ASSERT_TRUE(later.id.seq > head.seq);
}

static void
test_backend_that_is_remote_goes_on_after_a_restart(void)
{
	static const struct options options = { .keys_max = 1000 };
	for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
		struct stage stage;
		if (!backends[i].is_remote || is_left_out(i, &options))
			continue;
		open_stage(&stage, i, &options);
		check_restart(&stage);
		close_stage(&stage);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_backend_numbers_rise_and_the_id_answered_is_the_id_delivered),
		UNIT_TEST(test_backend_times_are_the_wall_clocks_forwards_and_back),
		UNIT_TEST(test_backend_keeps_keys_two_minutes_however_the_wall_clock_steps),
		UNIT_TEST(test_backend_repeated_key_gets_the_first_answer_and_makes_no_second_message),
		UNIT_TEST(test_backend_notes_how_many_receivers_a_message_had_and_none_of_a_repeat),
		UNIT_TEST(test_backend_tells_long_keys_apart),
		UNIT_TEST(test_backend_duplicate_of_one_in_flight_waits_for_it),
		UNIT_TEST(test_backend_does_not_keep_failures),
		UNIT_TEST(test_backend_forgets_the_oldest_key_when_its_table_is_full),
		UNIT_TEST(test_backend_lets_no_owner_push_out_keys_and_channels_of_another),
		UNIT_TEST(test_backend_takes_no_keys_where_none_may_be_remembered),
		UNIT_TEST(test_backend_pending_publish_is_answered_once_on_its_own_shard),
		UNIT_TEST(test_backend_delivers_to_every_interested_shard_and_no_other),
		UNIT_TEST(test_backend_draining_refuses_new_publishes_and_answers_pending_ones),
		UNIT_TEST(test_backend_destroyed_with_publishes_pending_answers_them_as_draining),
		UNIT_TEST(test_backend_that_is_remote_goes_on_after_a_restart),
		{ NULL, NULL },
	};
	return run_over_backends("backend_contract", tests);
}
