/* Shards of a bus: their interest, their mailboxes, what they are told. */
#include "bus/bus.h"

#include <pthread.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/stub_bus.h"

/* ---- messages ---- */

static void
test_bus_shards_pushes_to_interested_shards_and_wakes_them_but_the_publisher(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_mailbox mailboxes[3];
	struct sl_channel *channels[2];
	uint64_t since;
	deliver(bus, "a", 3);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailboxes[i], 8), 0);
		sl_bus_attach(bus, i, &mailboxes[i], NULL);
	}
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(sl_bus_want(bus, i, "a", 1, 0, &channels[i], &since), 0);
		CU_ASSERT_EQUAL(since, 3);
	}
	deliver_from(bus, 0, "a", 4);
	CU_ASSERT_FALSE(is_woken(&mailboxes[0]));
	CU_ASSERT_TRUE(is_woken(&mailboxes[1]));
	deliver(bus, "a", 5);
	CU_ASSERT_FALSE(is_woken(&mailboxes[1])); /* it was not empty */
	CU_ASSERT_EQUAL(drain(&mailboxes[0]), 5);
	CU_ASSERT_EQUAL(drain(&mailboxes[1]), 5);
	CU_ASSERT_EQUAL(drain(&mailboxes[2]), 0);
	sl_bus_unwant(bus, 0, channels[0]);
	sl_bus_detach(bus, 1);
	deliver(bus, "a", 6);
	CU_ASSERT_EQUAL(drain(&mailboxes[0]), 0);
	CU_ASSERT_EQUAL(drain(&mailboxes[1]), 0);
	CU_ASSERT_FALSE(is_woken(&mailboxes[1]));
	sl_bus_destroy(bus);
	for (unsigned i = 0; i < 3; i++)
		sl_mailbox_finish(&mailboxes[i]);
}

static void
test_bus_shards_drops_what_the_mailbox_of_a_shard_that_goes_still_holds(void)
{
	for (int is_detached = 0; is_detached < 2; is_detached++) {
		struct sl_bus *bus = create_bus(&default_config, NULL);
		struct sl_mailbox mailbox;
		struct sl_channel *a;
		uint64_t since;
		CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailbox, 2), 0);
		sl_bus_attach(bus, 0, &mailbox, NULL);
		CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "a", 1, 0, &a, &since), 0);
		deliver_from(bus, 0, "a", 1);
		CU_ASSERT_FALSE(sl_mailbox_is_empty(&mailbox));
		if (is_detached) {
			sl_bus_detach(bus, 0);
			CU_ASSERT_TRUE(sl_mailbox_is_empty(&mailbox));
		}
		sl_bus_destroy(bus);
		CU_ASSERT_TRUE(sl_mailbox_is_empty(&mailbox));
		sl_mailbox_finish(&mailbox);
	}
}

static void
test_bus_shards_overrun_stops_pushing_until_it_is_taken_from_a_drained_mailbox(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_mailbox mailbox;
	struct sl_channel *a;
	uint64_t since, lost_after = 0, resumed = 0;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailbox, 2), 0);
	sl_bus_attach(bus, 5, &mailbox, NULL);
	CU_ASSERT_EQUAL(sl_bus_want(bus, 5, "a", 1, 0, &a, &since), 0);
	CU_ASSERT_FALSE(sl_bus_take_overrun(bus, 5, &lost_after, &resumed));
	deliver(bus, "a", 10);
	deliver(bus, "a", 20);
	deliver(bus, "b", 25);
	deliver(bus, "a", 30);
	CU_ASSERT_FALSE(sl_bus_take_overrun(bus, 5, &lost_after, &resumed)); /* not drained */
	CU_ASSERT_EQUAL(drain(&mailbox), 20);
	deliver(bus, "a", 40);
	CU_ASSERT_EQUAL(drain(&mailbox), 0);
	CU_ASSERT_TRUE(sl_bus_take_overrun(bus, 5, &lost_after, &resumed));
	CU_ASSERT_EQUAL(lost_after, 25);
	CU_ASSERT_EQUAL(resumed, 40);
	CU_ASSERT_FALSE(sl_bus_take_overrun(bus, 5, &lost_after, &resumed));
	deliver(bus, "a", 50);
	CU_ASSERT_EQUAL(drain(&mailbox), 50);
	CU_ASSERT_EQUAL(stats_of(bus).mailbox_overruns, 1);
	sl_bus_destroy(bus);
	sl_mailbox_finish(&mailbox);
}

static void
test_bus_shards_interest_without_memory_is_none(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		struct sl_bus *bus = create_bus(&default_config, NULL);
		struct sl_channel *a = NULL;
		uint64_t since;
		failing_again(&failing);
		int err = sl_bus_want(bus, 0, "a", 1, 0, &a, &since);
		failing_expect(err);
		CU_ASSERT_EQUAL(a != NULL, err == 0);
		CU_ASSERT_EQUAL(stats_of(bus).channels_now, err == 0);
		if (err != 0) /* and may be had later */
			CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "a", 1, 0, &a, &since), 0);
		sl_bus_unwant(bus, 0, a);
		sl_bus_destroy(bus);
	}
}

/* ---- what is told ---- */

/* A shard that notes what it is told. */
struct told {
	struct sl_mailbox mailbox;
	unsigned resets, aways, backs;
	uint32_t epoch;
};

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
attach(struct sl_bus *bus, unsigned shard, struct told *told)
{
	const struct sl_bus_events events = { note_reset, note_away, told };
	*told = (struct told){ 0 };
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&told->mailbox, 4), 0);
	sl_bus_attach(bus, shard, &told->mailbox, &events);
}

static void
test_bus_shards_are_told_by_a_task_that_the_log_is_another_one(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct told told[2];
	for (unsigned i = 0; i < 2; i++)
		attach(bus, i, &told[i]);
	sl_bus_reset(bus, 8);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_TRUE(is_woken(&told[i].mailbox));
		CU_ASSERT_EQUAL(told[i].resets, 0); /* not before its thread runs */
		sl_mailbox_run_tasks(&told[i].mailbox);
		CU_ASSERT_EQUAL(told[i].resets, 1);
		CU_ASSERT_EQUAL(told[i].epoch, 8);
	}
	sl_bus_reset(bus, 9);
	sl_bus_reset(bus, 10);
	sl_mailbox_run_tasks(&told[0].mailbox);
	CU_ASSERT_EQUAL(told[0].resets, 2); /* two at once are told as one */
	CU_ASSERT_EQUAL(told[0].epoch, 10);
	sl_bus_detach(bus, 1);
	sl_mailbox_run_tasks(&told[1].mailbox);
	CU_ASSERT_EQUAL(told[1].resets, 1); /* it has gone */
	is_woken(&told[1].mailbox);
	sl_bus_reset(bus, 11);
	CU_ASSERT_FALSE(is_woken(&told[1].mailbox));
	sl_bus_destroy(bus);
	for (unsigned i = 0; i < 2; i++)
		sl_mailbox_finish(&told[i].mailbox);
}

static void
test_bus_shards_are_told_of_away_and_back_each_once(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct told told, late;
	attach(bus, 0, &told);
	for (unsigned i = 0; i < 2; i++) {
		sl_bus_set_away(bus, true);
		sl_mailbox_run_tasks(&told.mailbox);
	}
	CU_ASSERT_EQUAL(told.aways, 1);
	CU_ASSERT_FALSE(sl_bus_ready(bus));
	attach(bus, 1, &late); /* who comes meanwhile is told too */
	sl_mailbox_run_tasks(&late.mailbox);
	CU_ASSERT_EQUAL(late.aways, 1);
	for (unsigned i = 0; i < 2; i++) {
		sl_bus_set_away(bus, false);
		sl_mailbox_run_tasks(&told.mailbox);
	}
	CU_ASSERT_EQUAL(told.backs, 1);
	CU_ASSERT_TRUE(sl_bus_ready(bus));
	sl_mailbox_run_tasks(&late.mailbox);
	sl_bus_set_away(bus, true);
	sl_bus_set_away(bus, false);
	sl_mailbox_run_tasks(&told.mailbox);
	CU_ASSERT_EQUAL(told.aways + told.backs, 2); /* it was over before the shard ran */
	CU_ASSERT_EQUAL(told.resets + late.resets, 0);
	sl_bus_destroy(bus);
	sl_mailbox_finish(&told.mailbox);
	sl_mailbox_finish(&late.mailbox);
}

static void
test_bus_shards_take_a_reset_once_their_mailbox_is_drained(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_mailbox mailbox;
	struct sl_channel *a;
	struct sl_cursor resumed = { 0 };
	uint64_t since, lost_after;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailbox, 8), 0);
	sl_bus_attach(bus, 0, &mailbox, NULL);
	CU_ASSERT_EQUAL(sl_bus_want(bus, 0, "a", 1, 0, &a, &since), 0);
	CU_ASSERT_FALSE(sl_bus_take_reset(bus, 0, &resumed));
	deliver(bus, "a", 20);
	sl_bus_reset(bus, 8);
	deliver(bus, "a", 5);
	CU_ASSERT_FALSE(sl_bus_take_reset(bus, 0, &resumed));
	CU_ASSERT_EQUAL(drain(&mailbox), 20); /* nothing of the new log behind it */
	CU_ASSERT_FALSE(sl_bus_take_overrun(bus, 0, &lost_after, &since));
	CU_ASSERT_TRUE(sl_bus_take_reset(bus, 0, &resumed));
	CU_ASSERT_EQUAL(resumed.epoch, 8);
	CU_ASSERT_EQUAL(resumed.seq, 5);
	CU_ASSERT_FALSE(sl_bus_take_reset(bus, 0, &resumed));
	CU_ASSERT_FALSE(sl_bus_take_overrun(bus, 0, &lost_after, &since));
	deliver(bus, "a", 6);
	CU_ASSERT_EQUAL(drain(&mailbox), 6);
	CU_ASSERT_EQUAL(stats_of(bus).mailbox_overruns, 0);
	sl_bus_destroy(bus);
	sl_mailbox_finish(&mailbox);
}

/* ---- shards that follow, while messages come ---- */

#define RESETS 300
#define CONSUMERS 2

static struct sl_bus *shared_bus;
static _Atomic bool is_over;

struct consumer {
	pthread_t thread;
	unsigned shard;
	struct sl_mailbox mailbox;
	struct sl_cursor at;
	unsigned wrong, followed;
};

/* The next message is the next number of the log that the shard is in. */
static void
take(struct consumer *consumer, struct sl_message *message)
{
	consumer->wrong += message->epoch != consumer->at.epoch || message->seq != consumer->at.seq + 1;
	consumer->at.seq = message->seq;
	sl_message_unref(message);
}

/* False when there was nothing. */
static bool
look(struct consumer *consumer)
{
	struct sl_message *message;
	uint64_t lost_after, resumed;
	bool is_reset, had_message = false;
	while (sl_mailbox_pop(&consumer->mailbox, &message, 1)) {
		take(consumer, message);
		had_message = true;
	}
	is_reset = sl_bus_take_reset(shared_bus, consumer->shard, &consumer->at);
	consumer->followed += is_reset;
	if (!is_reset && sl_bus_take_overrun(shared_bus, consumer->shard, &lost_after, &resumed)) {
		consumer->wrong += lost_after != consumer->at.seq;
		consumer->at.seq = resumed;
	}
	return had_message || is_reset;
}

static void *
consume(void *arg)
{
	struct consumer *consumer = arg;
	while (!is_over)
		look(consumer);
	while (look(consumer))
		;
	return NULL;
}

static void *
publish_on(void *arg)
{
	(void)arg;
	while (!is_over) {
		struct sl_message *message;
		if (sl_message_create(&message, "a", 1, SL_TEXT, "x", 1) != 0)
			abort();
		sl_bus_append(shared_bus, message, 0, -1);
		sl_message_unref(message);
	}
	return NULL;
}

static void
test_bus_shards_have_one_log_after_the_other_and_nothing_left_out(void)
{
	static struct consumer consumers[CONSUMERS];
	struct sl_channel *a;
	pthread_t publisher;
	uint64_t since;
	shared_bus = create_bus(&default_config, NULL);
	is_over = false;
	for (unsigned i = 0; i < CONSUMERS; i++) {
		consumers[i] = (struct consumer){ .shard = i, .at = sl_bus_head(shared_bus) };
		CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&consumers[i].mailbox, 64), 0);
		sl_bus_attach(shared_bus, i, &consumers[i].mailbox, NULL);
		CU_ASSERT_EQUAL(sl_bus_want(shared_bus, i, "a", 1, 0, &a, &since), 0);
		pthread_create(&consumers[i].thread, NULL, consume, &consumers[i]);
	}
	pthread_create(&publisher, NULL, publish_on, NULL);
	for (uint32_t epoch = 8; epoch < 8 + RESETS; epoch++)
		sl_bus_reset(shared_bus, epoch);
	is_over = true;
	pthread_join(publisher, NULL);
	struct sl_cursor head = sl_bus_head(shared_bus);
	for (unsigned i = 0; i < CONSUMERS; i++) {
		pthread_join(consumers[i].thread, NULL);
		look(&consumers[i]); /* the publisher may have been the last to end */
		CU_ASSERT_EQUAL(consumers[i].wrong, 0);
		CU_ASSERT(consumers[i].followed > 0);
		CU_ASSERT_EQUAL(consumers[i].at.epoch, head.epoch);
		CU_ASSERT_EQUAL(consumers[i].at.seq, head.seq);
	}
	sl_bus_destroy(shared_bus);
	for (unsigned i = 0; i < CONSUMERS; i++)
		sl_mailbox_finish(&consumers[i].mailbox);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_bus_shards_pushes_to_interested_shards_and_wakes_them_but_the_publisher),
		UNIT_TEST(test_bus_shards_drops_what_the_mailbox_of_a_shard_that_goes_still_holds),
		UNIT_TEST(test_bus_shards_overrun_stops_pushing_until_it_is_taken_from_a_drained_mailbox),
		UNIT_TEST(test_bus_shards_interest_without_memory_is_none),
		UNIT_TEST(test_bus_shards_are_told_by_a_task_that_the_log_is_another_one),
		UNIT_TEST(test_bus_shards_are_told_of_away_and_back_each_once),
		UNIT_TEST(test_bus_shards_take_a_reset_once_their_mailbox_is_drained),
		UNIT_TEST(test_bus_shards_have_one_log_after_the_other_and_nothing_left_out),
		{ NULL, NULL },
	};
	return unit_main("bus_shards", tests);
}
