/* What every backend must do (bus/backend.h), one set of tests over all of them. To add a
 * backend, put it in the list below. What cannot be of a log that others keep is left out there, by
 * a reason with the test's options. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "bus/dedupe.h"
#include "bus/memory.h"
#include "bus/message.h"
#include "bus/records.h"
#include "config/config.h"
#include "tests/backend/nats_stage.h"
#include "tests/backend/slow.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define SHARDS 3
#define POLL_TIMEOUT_MS 30000 /* only a lost wake-up takes as long */

struct options {
	size_t keys_max;
	size_t channels_max; /* 0: that of `config` */
	bool fails_often;
	bool takes_for_ever;
	const char *not_on_nats; /* why not; NULL: there too */
};

static int
create_memory(struct sl_backend **out, const struct options *options)
{
	return sl_memory_create(out, &(struct sl_config){ .idempotency_keys = options->keys_max });
}

static int
create_slow(struct sl_backend **out, const struct options *options)
{
	struct sl_slow_config config = { .seed = 11, .store_max_us = 300, .ack_max_us = 300,
		.hole_max = 4, .late_percent = 5, .immediate_percent = 20,
		.keys_max = options->keys_max };
	if (options->fails_often)
		config.fail_percent = 60;
	if (options->takes_for_ever) {
		config.store_max_us = UINT32_MAX; /* 70 minutes: some second of it is enough */
		config.immediate_percent = 0;
	}
	return sl_slow_create(out, &config);
}

static int
create_nats(struct sl_backend **out, const struct options *options)
{
	return nats_stage_create(out, options->keys_max);
}

static const struct {
	const char *name;
	int (*create)(struct sl_backend **out, const struct options *options);
	bool is_remote; /* the log is another process's: it has clocks of its own, and its ack may come before the
	                 * message */
} backends[] = {
	{ "memory", create_memory, false },
	{ "slow", create_slow, false },
	{ "nats", create_nats, true },
};

static const char *nats_is_missing; /* why, or NULL */

/* What a shard was told apart from messages. */
struct told {
	unsigned resets, aways, backs;
	uint32_t epoch;
};

/* A bus over one of the backends, with shards that this thread plays. */
struct stage {
	struct sl_bus *bus;
	size_t backend; /* in the list */
	uint64_t owner; /* of what is published from now on */
	bool is_remote;
	struct sl_mailbox mailboxes[SHARDS];
	struct told told[SHARDS];
	_Atomic unsigned heard; /* notices; `name` and `text` are of the last */
	char name[32], text[32];
};

struct publication {
	struct sl_publish publish;
	unsigned shard;
	int result;          /* SL_PENDING until done */
	struct sl_cursor id;
	unsigned done_count; /* calls of on_done */
};

static const struct sl_bus_config config = { .history_messages = 1000,
	.history_bytes = 1 << 20, .history_age_ms = 300000, .history_total_bytes = 1 << 24,
	.channels_max = 1000 };

static void
note_reset(void *arg, uint32_t epoch)
{
	struct told *told = arg;
	told->resets++;
	told->epoch = epoch;
}

static void
note_away(void *arg, bool away)
{
	struct told *told = arg;
	if (away)
		told->aways++;
	else
		told->backs++;
}

static void
note_notice(void *arg, const struct sl_notice *notice)
{
	struct stage *stage = arg;
	memcpy(stage->name, notice->name.bytes, notice->name.len);
	memcpy(stage->text, notice->text.bytes, notice->text.len);
	stage->heard++;
}

static void
start_stage(struct stage *stage, struct sl_backend *created, const struct options *options)
{
	struct sl_bus_config limits = config;
	if (options->channels_max)
		limits.channels_max = options->channels_max;
	stage->owner = 0;
	limits.on_notice = note_notice;
	limits.notice_arg = stage;
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&stage->bus, &limits, created), 0);
	for (unsigned shard = 0; shard < SHARDS; shard++) {
		CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&stage->mailboxes[shard], 1024), 0);
		const struct sl_bus_events events = { note_reset, note_away, &stage->told[shard] };
		sl_bus_attach(stage->bus, shard, &stage->mailboxes[shard], &events);
	}
}

static void
open_stage(struct stage *stage, size_t backend, const struct options *options)
{
	struct sl_backend *created;
	*stage = (struct stage){ .backend = backend, .is_remote = backends[backend].is_remote };
	set_clock_is_off = stage->is_remote;
	CU_ASSERT_EQUAL_FATAL(backends[backend].create(&created, options), 0);
	start_stage(stage, created, options);
}

static void
close_stage(struct stage *stage)
{
	sl_bus_destroy(stage->bus);
	for (unsigned shard = 0; shard < SHARDS; shard++)
		sl_mailbox_finish(&stage->mailboxes[shard]);
	set_clock_is_off = false;
}

static bool
is_left_out(size_t backend, const struct options *options)
{
	if (!backends[backend].is_remote)
		return false;
	if (!nats_is_missing && options->not_on_nats)
		printf("\n    not with backend %s: %s\n    ", backends[backend].name, options->not_on_nats);
	return nats_is_missing || options->not_on_nats;
}

static void
for_each_backend(const struct options *options, void (*run)(struct stage *stage))
{
	for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
		struct stage stage;
		unsigned before = CU_get_number_of_failures();
		if (is_left_out(i, options))
			continue;
		open_stage(&stage, i, options);
		run(&stage);
		close_stage(&stage);
		if (CU_get_number_of_failures() > before)
			printf("\n    with backend %s", backends[i].name);
	}
}

static void
handle_done(struct sl_publish *publish)
{
	struct publication *publication = (struct publication *)publish;
	publication->done_count++;
	publication->result = publish->err;
	publication->id = publish->id;
}

static void
publish(struct stage *stage, struct publication *publication, unsigned shard,
	const char *channel, const char *key)
{
	struct sl_message *message;
	*publication = (struct publication){
		.publish = { .on_done = handle_done, .owner = stage->owner }, .shard = shard };
	if (sl_message_create(&message, channel, strlen(channel), SL_TEXT, "x", 1) != 0)
		abort();
	publication->result = sl_bus_publish(stage->bus, shard, message, key,
		key ? strlen(key) : 0, &publication->publish, &publication->id);
}

/* Where the message is in the mailboxes before its publish is answered there is nothing to wait for. */
static void
wait_for_head(struct stage *stage, uint64_t seq)
{
	for (unsigned ms = 0; stage->is_remote && sl_bus_head(stage->bus).seq < seq; ms++) {
		CU_ASSERT_FATAL(ms < POLL_TIMEOUT_MS);
		poll(NULL, 0, 1);
	}
}

/* Plays the publishing shard until the publish is answered, and its message delivered. */
static void
wait_for(struct stage *stage, struct publication *publication)
{
	struct sl_mailbox *mailbox = &stage->mailboxes[publication->shard];
	while (publication->result == SL_PENDING) {
		struct pollfd fd = { .fd = mailbox->event_fd, .events = POLLIN };
		CU_ASSERT_EQUAL_FATAL(poll(&fd, 1, POLL_TIMEOUT_MS), 1);
		sl_mailbox_rest(mailbox);
		sl_mailbox_run_tasks(mailbox);
	}
	if (publication->result == 0)
		wait_for_head(stage, publication->id.seq);
}

static void
publish_and_wait(struct stage *stage, struct publication *publication, const char *channel,
	const char *key)
{
	publish(stage, publication, 0, channel, key);
	wait_for(stage, publication);
}

static struct sl_channel *
want(struct stage *stage, unsigned shard, const char *channel)
{
	struct sl_channel *record;
	uint64_t since;
	CU_ASSERT_EQUAL_FATAL(
		sl_bus_want(stage->bus, shard, channel, strlen(channel), 0, &record, &since), 0);
	return record;
}

/* Pops one message; returns its number, 0 when there is none. */
static uint64_t
pop_seq(struct stage *stage, unsigned shard)
{
	struct sl_message *message;
	if (!sl_mailbox_pop(&stage->mailboxes[shard], &message, 1))
		return 0;
	uint64_t seq = message->seq;
	sl_message_unref(message);
	return seq;
}

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

/* ---- what happens to a log that is elsewhere ---- */

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
test_backend_that_loses_numbers_makes_gaps_and_overruns(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_lost);
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
test_backend_that_is_purged_keeps_its_numbers_and_what_is_newer(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_purged);
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
test_backend_whose_log_is_another_one_begins_anew(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_reset);
}

static void
check_reset_while_pending(struct stage *stage)
{
	struct publication publications[10];
	for (unsigned i = 0; i < 10; i++)
		publish(stage, &publications[i], 1, "a", i % 2 ? NULL : "key-0001");
	if (happen(stage, "reset"))
		for (unsigned i = 0; i < 10; i++) {
			wait_for(stage, &publications[i]);
			CU_ASSERT_EQUAL(publications[i].result, SL_EUNKNOWN);
			CU_ASSERT_EQUAL(publications[i].done_count, 1);
		}
}

static void
test_backend_whose_log_is_another_one_does_not_know_of_what_was_on_its_way(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000, .takes_for_ever = true },
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
test_backend_answers_as_unknown_and_a_key_tells_afterwards(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_unknown);
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
test_backend_that_is_away_lets_publishes_wait(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_away);
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
test_backend_knows_a_number_that_its_log_cannot_have_passed(void)
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
test_backend_announces_to_this_node_too(void)
{
	for_each_backend(&(struct options){ .keys_max = 1000 }, check_notice);
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
		UNIT_TEST(test_backend_that_loses_numbers_makes_gaps_and_overruns),
		UNIT_TEST(test_backend_that_is_purged_keeps_its_numbers_and_what_is_newer),
		UNIT_TEST(test_backend_whose_log_is_another_one_begins_anew),
		UNIT_TEST(test_backend_whose_log_is_another_one_does_not_know_of_what_was_on_its_way),
		UNIT_TEST(test_backend_answers_as_unknown_and_a_key_tells_afterwards),
		UNIT_TEST(test_backend_that_is_away_lets_publishes_wait),
		UNIT_TEST(test_backend_knows_a_number_that_its_log_cannot_have_passed),
		UNIT_TEST(test_backend_announces_to_this_node_too),
		UNIT_TEST(test_backend_that_is_remote_goes_on_after_a_restart),
		{ NULL, NULL },
	};
	nats_is_missing = nats_stage_open();
	if (nats_is_missing)
		printf("backend nats is not tested: %s\n", nats_is_missing);
	int status = unit_main("backend_contract", tests);
	nats_stage_close();
	return status;
}
