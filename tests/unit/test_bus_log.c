/* What the log does: it loses numbers, is purged, is another one, is away. */
#include "bus/bus.h"

#include <pthread.h>
#include <string.h>

#include "tests/unit/stub_bus.h"

static void
lose(struct sl_bus *bus, uint64_t through)
{
	sl_bus_lock(bus);
	sl_bus_lose(bus, through);
	sl_bus_unlock(bus, -1);
}

static struct sl_channel *
want(struct sl_bus *bus, unsigned shard, const char *channel)
{
	struct sl_channel *record;
	uint64_t since;
	CU_ASSERT_EQUAL_FATAL(sl_bus_want(bus, shard, channel, strlen(channel), 0, &record, &since), 0);
	return record;
}

/* ---- numbers that never come ---- */

static void
test_bus_log_lost_numbers_raise_the_head_and_are_gaps_of_every_channel(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	deliver_many(bus, "a", 1, 10);
	deliver_many(bus, "~leased", 11, 20);
	lose(bus, 50);
	CU_ASSERT_EQUAL(sl_bus_head(bus).seq, 50);
	for (const char *channel = "a"; channel; channel = *channel == 'a' ? "~leased" :
			*channel == '~' ? "never" : NULL) {
		struct look look = look_at(bus, channel, 3);
		CU_ASSERT_EQUAL(look.count, 0); /* what is below a hole cannot be told from it */
		CU_ASSERT_EQUAL(look.gap_resumed, 50);
		CU_ASSERT_EQUAL(look.through, 50);
		CU_ASSERT_EQUAL(look_at(bus, channel, 50).gap_resumed, 0);
	}
	deliver(bus, "a", 51);
	struct look look = look_at(bus, "a", 9);
	CU_ASSERT_EQUAL(look.count, 1);
	CU_ASSERT_EQUAL(look.first, 51);
	CU_ASSERT_EQUAL(look.gap_resumed, 50);
	CU_ASSERT_EQUAL(look_at(bus, "a", 50).gap_resumed, 0);
	CU_ASSERT_EQUAL(stats_of(bus).backend.lost, 30);
	sl_bus_destroy(bus);
}

static void
test_bus_log_lost_messages_are_dropped_in_steps(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	deliver_many(bus, "a", 1, 600);
	deliver_many(bus, "b", 601, 700);
	lose(bus, 800);
	CU_ASSERT_EQUAL(stats_of(bus).history_messages_now, 700); /* not in the hold that lost them */
	deliver(bus, "a", 801);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 1);
	sl_bus_sweep(bus);
	CU_ASSERT_EQUAL(stats_of(bus).history_messages_now, 1);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_log, 700);
	CU_ASSERT_EQUAL(stats_of(bus).channels_now, 1);
	CU_ASSERT_EQUAL(look_at(bus, "a", 800).gap_resumed, 0);
	CU_ASSERT_EQUAL(look_at(bus, "b", 799).gap_resumed, 800);
	sl_bus_destroy(bus);
}

static void
test_bus_log_a_loss_below_the_head_is_none(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	deliver_many(bus, "a", 1, 10);
	lose(bus, 10);
	lose(bus, 4);
	CU_ASSERT_EQUAL(sl_bus_head(bus).seq, 10);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 10);
	CU_ASSERT_EQUAL(stats_of(bus).backend.lost, 0);
	sl_bus_destroy(bus);
}

static void
test_bus_log_every_shard_is_told_that_it_lacks_what_is_lost(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_mailbox mailboxes[2];
	struct sl_channel *a;
	uint64_t lost_after, resumed;
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailboxes[i], 8), 0);
		sl_bus_attach(bus, i, &mailboxes[i], NULL);
	}
	a = want(bus, 0, "a");
	deliver(bus, "a", 3);
	CU_ASSERT_TRUE(is_woken(&mailboxes[0]));
	lose(bus, 9);
	deliver(bus, "a", 10);
	CU_ASSERT_TRUE(is_woken(&mailboxes[0]));
	CU_ASSERT_TRUE(is_woken(&mailboxes[1])); /* it may have a client whose cursor is older */
	CU_ASSERT_FALSE(sl_bus_take_overrun(bus, 0, &lost_after, &resumed));
	CU_ASSERT_EQUAL(drain(&mailboxes[0]), 3); /* first what came before */
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_TRUE(sl_bus_take_overrun(bus, i, &lost_after, &resumed));
		CU_ASSERT_EQUAL(lost_after, 3);
		CU_ASSERT_EQUAL(resumed, 10);
	}
	deliver(bus, "a", 11);
	CU_ASSERT_EQUAL(drain(&mailboxes[0]), 11);
	CU_ASSERT_EQUAL(stats_of(bus).mailbox_overruns, 0); /* none was full */
	sl_bus_unwant(bus, 0, a);
	sl_bus_destroy(bus);
	for (unsigned i = 0; i < 2; i++)
		sl_mailbox_finish(&mailboxes[i]);
}

/* ---- a log that is longer than what is read of it ---- */

static int
start_at_50(struct sl_backend *backend)
{
	sl_bus_set_epoch(backend->bus, 7);
	sl_bus_lock(backend->bus);
	sl_bus_lose(backend->bus, 50);
	sl_bus_unlock(backend->bus, -1);
	return 0;
}

static void
test_bus_log_begins_where_start_says_without_a_loss(void)
{
	struct sl_backend_ops ops = stub_ops;
	struct stub *stub = calloc(1, sizeof *stub);
	struct sl_bus *bus;
	ops.start = start_at_50;
	stub->base.ops = &ops;
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&bus, &default_config, &stub->base), 0);
	CU_ASSERT_EQUAL(sl_bus_head(bus).seq, 50);
	deliver(bus, "a", 51);
	CU_ASSERT_EQUAL(look_at(bus, "a", 20).gap_resumed, 50);
	CU_ASSERT_EQUAL(look_at(bus, "a", 50).gap_resumed, 0);
	CU_ASSERT_EQUAL(stats_of(bus).backend.lost, 0);
	sl_bus_destroy(bus);
}

/* ---- a purge ---- */

static void
test_bus_log_a_purge_drops_what_is_below_and_nothing_else(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_mailbox mailbox;
	struct sl_channel *a;
	uint64_t lost_after, resumed;
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&mailbox, 64), 0);
	sl_bus_attach(bus, 0, &mailbox, NULL);
	a = want(bus, 0, "a");
	deliver_many(bus, "a", 1, 10);
	deliver_many(bus, "b", 11, 20);
	deliver_many(bus, "c", 21, 30);
	sl_bus_purge(bus, 15);
	CU_ASSERT_EQUAL(stats_of(bus).history_messages_now, 15); /* at once */
	CU_ASSERT_EQUAL(stats_of(bus).evicted_log, 15);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).gap_resumed, 15);
	CU_ASSERT_EQUAL(look_at(bus, "a", 15).gap_resumed, 0);
	CU_ASSERT_EQUAL(look_at(bus, "b", 11).gap_resumed, 15);
	CU_ASSERT_EQUAL(look_at(bus, "b", 11).first, 16);
	CU_ASSERT_EQUAL(look_at(bus, "b", 11).count, 5);
	CU_ASSERT_EQUAL(look_at(bus, "c", 15).count, 10);
	CU_ASSERT_EQUAL(look_at(bus, "never", 3).gap_resumed, 15);
	CU_ASSERT_FALSE(sl_bus_take_overrun(bus, 0, &lost_after, &resumed));
	CU_ASSERT_EQUAL(drain(&mailbox), 10); /* what is on its way to clients still comes */
	sl_bus_purge(bus, 12); /* again, and lower */
	CU_ASSERT_EQUAL(look_at(bus, "b", 11).gap_resumed, 15);
	sl_bus_purge(bus, 1000);
	CU_ASSERT_EQUAL(sl_bus_head(bus).seq, 30); /* which a purge does not raise */
	CU_ASSERT_EQUAL(stats_of(bus).history_messages_now, 0);
	deliver(bus, "a", 31);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).first, 31);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).gap_resumed, 30);
	CU_ASSERT_EQUAL(stats_of(bus).backend.lost, 0);
	sl_bus_unwant(bus, 0, a);
	sl_bus_destroy(bus);
	sl_mailbox_finish(&mailbox);
}

/* ---- another log ---- */

static void
test_bus_log_another_one_begins_without_history_and_without_a_floor(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_channel *a = want(bus, 5, "a");
	deliver_many(bus, "a", 1, 300);
	deliver_many(bus, "b", 301, 600);
	sl_bus_purge(bus, 100);
	sl_bus_reset(bus, 8);
	CU_ASSERT_EQUAL(sl_bus_head(bus).epoch, 8);
	CU_ASSERT_EQUAL(sl_bus_head(bus).seq, 0);
	CU_ASSERT_EQUAL(stats_of(bus).history_messages_now, 0);
	CU_ASSERT_EQUAL(stats_of(bus).history_bytes_now, 0);
	CU_ASSERT_EQUAL(stats_of(bus).channels_now, 1);
	CU_ASSERT_EQUAL(stats_of(bus).evicted_log, 600);
	for (const char *channel = "a"; channel; channel = *channel == 'a' ? "b" : NULL) {
		CU_ASSERT_EQUAL(look_at(bus, channel, 0).gap_resumed, 0);
		CU_ASSERT_EQUAL(look_at(bus, channel, 0).count, 0);
	}
	deliver(bus, "a", 2); /* a number that has been before */
	deliver(bus, "b", 3);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).count, 1);
	CU_ASSERT_EQUAL(look_at(bus, "a", 0).first, 2);
	CU_ASSERT_EQUAL(look_at(bus, "b", 0).first, 3);
	CU_ASSERT_EQUAL(look_at(bus, "b", 0).gap_resumed, 0);
	CU_ASSERT_EQUAL(stats_of(bus).backend.resets, 1);
	sl_bus_unwant(bus, 5, a);
	sl_bus_destroy(bus);
}

static void
test_bus_log_another_one_may_begin_with_a_floor_of_its_own(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	deliver_many(bus, "a", 1, 30);
	sl_bus_reset(bus, 8);
	lose(bus, 5);
	deliver(bus, "a", 6);
	CU_ASSERT_EQUAL(look_at(bus, "a", 2).gap_resumed, 5);
	CU_ASSERT_EQUAL(look_at(bus, "a", 2).count, 1);
	CU_ASSERT_EQUAL(look_at(bus, "a", 5).gap_resumed, 0);
	sl_bus_destroy(bus);
}

/* ---- the head, read while the log changes ---- */

#define EPOCHS 2000
#define NUMBERS_EACH 1000000 /* epoch E has those from E million on, and 0 */

static _Atomic bool is_over;

/* Returns how many pairs it saw that never were. */
static void *
watch_head(void *arg)
{
	struct sl_bus *bus = arg;
	uint64_t wrong = 0;
	struct sl_cursor last = { 7, 0 };
	while (!is_over) {
		struct sl_cursor head = sl_bus_head(bus);
		wrong += head.seq != 0 && head.seq / NUMBERS_EACH != head.epoch;
		wrong += head.epoch < last.epoch || (head.epoch == last.epoch && head.seq < last.seq);
		last = head;
	}
	return (void *)(uintptr_t)wrong;
}

static void
test_bus_log_the_head_is_a_pair_of_one_moment(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	pthread_t watchers[2];
	is_over = false;
	for (unsigned i = 0; i < 2; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&watchers[i], NULL, watch_head, bus), 0);
	for (uint32_t epoch = 8; epoch < 8 + EPOCHS; epoch++) {
		sl_bus_reset(bus, epoch);
		lose(bus, (uint64_t)epoch * NUMBERS_EACH);
		deliver(bus, "a", (uint64_t)epoch * NUMBERS_EACH + 1);
	}
	is_over = true;
	for (unsigned i = 0; i < 2; i++) {
		void *wrong;
		pthread_join(watchers[i], &wrong);
		CU_ASSERT_PTR_NULL(wrong);
	}
	sl_bus_destroy(bus);
}

/* ---- away ---- */

static void
test_bus_log_counts_the_time_away(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	CU_ASSERT_TRUE(stats_of(bus).backend.connected);
	set_monotonic_ms += 500;
	CU_ASSERT_EQUAL(stats_of(bus).backend.away_ms, 0);
	for (uint64_t times = 0; times < 2; times++) {
		sl_bus_set_away(bus, true);
		set_monotonic_ms += 700;
		CU_ASSERT_FALSE(stats_of(bus).backend.connected);
		CU_ASSERT_EQUAL(stats_of(bus).backend.away_ms, times * 1000 + 700);
		sl_bus_set_away(bus, true);
		set_monotonic_ms += 300;
		sl_bus_set_away(bus, false);
		set_monotonic_ms += 5000;
		CU_ASSERT_EQUAL(stats_of(bus).backend.away_ms, times * 1000 + 1000);
	}
	sl_bus_destroy(bus);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_bus_log_lost_numbers_raise_the_head_and_are_gaps_of_every_channel),
		UNIT_TEST(test_bus_log_lost_messages_are_dropped_in_steps),
		UNIT_TEST(test_bus_log_a_loss_below_the_head_is_none),
		UNIT_TEST(test_bus_log_every_shard_is_told_that_it_lacks_what_is_lost),
		UNIT_TEST(test_bus_log_begins_where_start_says_without_a_loss),
		UNIT_TEST(test_bus_log_a_purge_drops_what_is_below_and_nothing_else),
		UNIT_TEST(test_bus_log_another_one_begins_without_history_and_without_a_floor),
		UNIT_TEST(test_bus_log_another_one_may_begin_with_a_floor_of_its_own),
		UNIT_TEST(test_bus_log_the_head_is_a_pair_of_one_moment),
		UNIT_TEST(test_bus_log_counts_the_time_away),
		{ NULL, NULL },
	};
	return unit_main("bus_log", tests);
}
