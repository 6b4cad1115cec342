/* Publishing, and notices. */
#include "bus/bus.h"

#include <string.h>

#include "tests/unit/held_backend.h"
#include "tests/unit/stub_bus.h"

static void
test_bus_publish_draining_refuses_publishes_and_counts_failures(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_publish pending;
	struct sl_cursor id;
	for (int i = 0; i < 2; i++) {
		struct sl_message *message;
		CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "a", 1, SL_TEXT, "x", 1), 0);
		CU_ASSERT_EQUAL(sl_bus_publish(bus, 0, message, NULL, 0, &pending, &id),
			i == 0 ? SL_EBACKEND : SL_EDRAINING);
		sl_bus_drain(bus);
	}
	CU_ASSERT_EQUAL(stats_of(bus).failed, 2);
	CU_ASSERT_EQUAL(stats_of(bus).published, 0);
	sl_bus_destroy(bus);
}

/* ---- answers that come later ---- */

/* Microseconds of the same set clock. */
uint64_t __wrap_sl_clock_monotonic_us(void);
uint64_t
__wrap_sl_clock_monotonic_us(void)
{
	return set_monotonic_ms * 1000;
}

static unsigned done_count;

static void
count_done(struct sl_publish *publish)
{
	(void)publish;
	done_count++;
}

static void
publish_held(struct sl_bus *bus, struct sl_publish *pending)
{
	struct sl_message *message;
	struct sl_cursor id;
	*pending = (struct sl_publish){ .on_done = count_done };
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "a", 1, SL_TEXT, "x", 1), 0);
	CU_ASSERT_EQUAL(sl_bus_publish(bus, 0, message, NULL, 0, pending, &id), SL_PENDING);
}

static void
test_bus_publish_counts_what_nobody_knows_the_outcome_of(void)
{
	struct held_backend *held = held_create();
	struct sl_bus *bus;
	struct sl_publish pending[2];
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&bus, &default_config, &held->base), 0);
	for (unsigned i = 0; i < 2; i++)
		publish_held(bus, &pending[i]);
	CU_ASSERT_EQUAL(stats_of(bus).pending_now, 2);
	held_answer(held, SL_EUNKNOWN);
	held_answer(held, SL_EBACKEND);
	CU_ASSERT_EQUAL(pending[0].err, SL_EUNKNOWN);
	CU_ASSERT_EQUAL(pending[1].err, SL_EBACKEND);
	CU_ASSERT_EQUAL(stats_of(bus).failed, 2);
	CU_ASSERT_EQUAL(stats_of(bus).backend.unknown, 1);
	CU_ASSERT_EQUAL(stats_of(bus).pending_now, 0);
	CU_ASSERT_EQUAL(stats_of(bus).latency.sum_us, 0); /* neither has an id */
	sl_bus_destroy(bus);
}

/* How many publishes took at most as long as bucket `last` has. */
static uint64_t
sum_to(const struct sl_latency *latency, unsigned last)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i <= last; i++)
		sum += latency->counts[i];
	return sum;
}

static void
test_bus_publish_measures_until_the_answer(void)
{
	static const struct { uint64_t took_ms; unsigned bucket; } steps[] = {
		{ 0, 0 }, { 1, 3 }, { 2, 4 }, { 50, 8 }, { 51, 9 }, { 20000, 16 }, { 20001, 17 } };
	struct held_backend *held = held_create();
	struct sl_bus *bus;
	uint64_t sum_us = 0;
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&bus, &default_config, &held->base), 0);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct sl_publish pending;
		struct sl_latency before = stats_of(bus).latency, after;
		publish_held(bus, &pending);
		set_monotonic_ms += steps[i].took_ms;
		held_answer(held, 0);
		after = stats_of(bus).latency;
		CU_ASSERT_EQUAL(after.counts[steps[i].bucket], before.counts[steps[i].bucket] + 1);
		CU_ASSERT_EQUAL(sum_to(&after, SL_LATENCY_BUCKETS), i + 1);
		sum_us += steps[i].took_ms * 1000;
		CU_ASSERT_EQUAL(after.sum_us, sum_us);
	}
	CU_ASSERT_EQUAL(stats_of(bus).published, sizeof steps / sizeof *steps);
	sl_bus_destroy(bus);
}

/* ---- notices ---- */

struct heard {
	unsigned count;
	char name[16], text[32];
	int64_t kept_s;
};

static void
hear(void *arg, const struct sl_notice *notice)
{
	struct heard *heard = arg;
	heard->count++;
	memcpy(heard->name, notice->name.bytes, notice->name.len);
	memcpy(heard->text, notice->text.bytes, notice->text.len);
	heard->kept_s = notice->kept_s;
}

static const struct sl_notice notice = { .name = { "gone/x", 6 }, .text = { "{\"a\":1}", 7 },
	.kept_s = 1700000000 };

static void
test_bus_publish_one_node_alone_hears_its_notices_at_once(void)
{
	struct heard heard = { 0 };
	struct sl_bus_config config = default_config;
	struct sl_publish pending = { .on_done = count_done };
	config.on_notice = hear;
	config.notice_arg = &heard;
	struct sl_bus *bus = create_bus(&config, NULL);
	done_count = 0;
	CU_ASSERT_EQUAL(sl_bus_announce(bus, 0, &notice, &pending), 0);
	CU_ASSERT_EQUAL(heard.count, 1);
	CU_ASSERT_STRING_EQUAL(heard.name, "gone/x");
	CU_ASSERT_STRING_EQUAL(heard.text, "{\"a\":1}");
	CU_ASSERT_EQUAL(heard.kept_s, 1700000000);
	sl_bus_set_limits(bus, &default_config, 10); /* which says nothing of notices */
	sl_bus_hear(bus, &notice);
	CU_ASSERT_EQUAL(heard.count, 2);
	CU_ASSERT_EQUAL(done_count, 0);
	sl_bus_destroy(bus);
}

static void
test_bus_publish_notices_without_anybody_who_hears_are_dropped(void)
{
	struct sl_bus *bus = create_bus(&default_config, NULL);
	struct sl_publish pending = { .on_done = count_done };
	CU_ASSERT_EQUAL(sl_bus_announce(bus, 0, &notice, &pending), 0);
	sl_bus_destroy(bus);
}

/* ---- a backend that announces ---- */

static struct sl_publish *announced;
static int announce_result;

static int
announce(struct sl_backend *backend, const struct sl_notice *told, struct sl_publish *pending)
{
	(void)backend, (void)told;
	announced = pending;
	return announce_result;
}

static void
test_bus_publish_notices_are_answered_like_publishes_and_counted_as_none(void)
{
	struct heard heard = { 0 };
	struct sl_bus_config config = default_config;
	struct sl_backend_ops ops = stub_ops;
	struct sl_publish pending = { .on_done = count_done };
	struct stub *stub;
	config.on_notice = hear;
	config.notice_arg = &heard;
	struct sl_bus *bus = create_bus(&config, &stub);
	CU_ASSERT_FALSE(sl_bus_has_siblings(bus));
	ops.announce = announce;
	stub->base.ops = &ops;
	CU_ASSERT_TRUE(sl_bus_has_siblings(bus));
	done_count = 0;
	announce_result = SL_EFULL;
	CU_ASSERT_EQUAL(sl_bus_announce(bus, 3, &notice, &pending), SL_EFULL);
	announce_result = SL_PENDING;
	CU_ASSERT_EQUAL(sl_bus_announce(bus, 3, &notice, &pending), SL_PENDING);
	CU_ASSERT_EQUAL(heard.count, 0);
	sl_bus_complete(bus, announced, 0, (struct sl_cursor){ 0 });
	CU_ASSERT_EQUAL(done_count, 1);
	CU_ASSERT_EQUAL(pending.err, 0);
	CU_ASSERT_EQUAL(stats_of(bus).published + stats_of(bus).failed + stats_of(bus).pending_now, 0);
	sl_bus_destroy(bus);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_bus_publish_draining_refuses_publishes_and_counts_failures),
		UNIT_TEST(test_bus_publish_counts_what_nobody_knows_the_outcome_of),
		UNIT_TEST(test_bus_publish_measures_until_the_answer),
		UNIT_TEST(test_bus_publish_one_node_alone_hears_its_notices_at_once),
		UNIT_TEST(test_bus_publish_notices_without_anybody_who_hears_are_dropped),
		UNIT_TEST(test_bus_publish_notices_are_answered_like_publishes_and_counted_as_none),
		{ NULL, NULL },
	};
	return unit_main("bus_publish", tests);
}
