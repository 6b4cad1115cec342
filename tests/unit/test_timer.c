#include "core/timer.h"

#include "tests/unit/unit.h"

#define START_MS 1000007u /* not at the edge of a slot */
#define HORIZON_MS ((uint64_t)SL_TIMER_SLOTS * SL_TIMER_TICK_MS)

/* The wheel, with the time of the run that is going on. */
static struct sl_timer_wheel wheel;
static uint64_t now_ms;

struct noting_timer {
	struct sl_timer timer; /* first: on_due gets it */
	unsigned fired;
	uint64_t fired_ms;
	void (*then)(struct noting_timer *timer);
	struct noting_timer *other;
};

static void
note(struct sl_timer *timer)
{
	struct noting_timer *noting = (struct noting_timer *)timer;
	noting->fired++;
	noting->fired_ms = now_ms;
	if (noting->then)
		noting->then(noting);
}

static void
set(struct noting_timer *timer, uint64_t due_ms)
{
	*timer = (struct noting_timer){ 0 };
	sl_timer_init(&timer->timer, note);
	sl_timer_set(&wheel, &timer->timer, due_ms);
}

static void
start(void)
{
	now_ms = START_MS;
	sl_timer_wheel_init(&wheel, now_ms);
}

static void
run_at(uint64_t ms)
{
	now_ms = ms;
	sl_timer_wheel_run(&wheel, ms);
}

static void
test_timer_fires_once_never_early_and_at_most_one_slot_late(void)
{
	for (uint64_t delay_ms = 0; delay_ms < 200; delay_ms++) {
		struct noting_timer timer;
		start();
		set(&timer, START_MS + delay_ms);
		CU_ASSERT_TRUE(sl_timer_is_set(&timer.timer));
		for (uint64_t ms = START_MS; ms < START_MS + 400; ms++)
			run_at(ms);
		CU_ASSERT_EQUAL(timer.fired, 1);
		CU_ASSERT_FALSE(sl_timer_is_set(&timer.timer));
		CU_ASSERT_TRUE(timer.fired_ms >= START_MS + delay_ms);
		CU_ASSERT_TRUE(timer.fired_ms <= START_MS + delay_ms + SL_TIMER_TICK_MS);
	}
}

static void
test_timer_due_in_the_past_fires_with_the_next_slot(void)
{
	struct noting_timer timer;
	start();
	set(&timer, 5);
	run_at(START_MS + SL_TIMER_TICK_MS);
	CU_ASSERT_EQUAL(timer.fired, 1);
}

static void
test_timer_beyond_the_horizon_waits_its_time(void)
{
	static const uint64_t delays[] = { HORIZON_MS - 1, HORIZON_MS, HORIZON_MS + 1,
		3 * HORIZON_MS + 12345 };
	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
		struct noting_timer timer;
		start();
		set(&timer, START_MS + delays[i]);
		for (uint64_t ms = START_MS; ms < START_MS + delays[i]; ms += 13)
			run_at(ms);
		CU_ASSERT_EQUAL(timer.fired, 0);
		run_at(START_MS + delays[i] + SL_TIMER_TICK_MS);
		CU_ASSERT_EQUAL(timer.fired, 1);
	}
}

static void
test_timer_cancelled_does_not_fire(void)
{
	struct noting_timer kept, cancelled, same_slot;
	start();
	set(&kept, START_MS + 50);
	set(&cancelled, START_MS + 50);
	set(&same_slot, START_MS + 50);
	sl_timer_cancel(&wheel, &cancelled.timer);
	CU_ASSERT_FALSE(sl_timer_is_set(&cancelled.timer));
	sl_timer_cancel(&wheel, &cancelled.timer); /* a timer that rests */
	run_at(START_MS + 100);
	CU_ASSERT_EQUAL(kept.fired, 1);
	CU_ASSERT_EQUAL(cancelled.fired, 0);
	CU_ASSERT_EQUAL(same_slot.fired, 1);
}

static void
test_timer_set_again_fires_at_the_new_time_only(void)
{
	struct noting_timer timer;
	start();
	set(&timer, START_MS + 50);
	sl_timer_set(&wheel, &timer.timer, START_MS + 500);
	run_at(START_MS + 400);
	CU_ASSERT_EQUAL(timer.fired, 0);
	run_at(START_MS + 600);
	CU_ASSERT_EQUAL(timer.fired, 1);
}

static void
set_again_now(struct noting_timer *timer)
{
	if (timer->fired < 3)
		sl_timer_set(&wheel, &timer->timer, now_ms);
}

static void
cancel_other(struct noting_timer *timer)
{
	sl_timer_cancel(&wheel, &timer->other->timer);
}

static void
set_other(struct noting_timer *timer)
{
	sl_timer_set(&wheel, &timer->other->timer, now_ms + 100);
}

static void
test_timer_callback_may_set_itself(void)
{
	struct noting_timer timer;
	start();
	set(&timer, START_MS + 10);
	timer.then = set_again_now;
	for (uint64_t ms = START_MS; ms < START_MS + 200; ms++)
		run_at(ms);
	CU_ASSERT_EQUAL(timer.fired, 3);
}

static void
test_timer_callback_may_cancel_one_that_is_due_in_the_same_slot(void)
{
	struct noting_timer one, other;
	start();
	set(&one, START_MS + 10);
	set(&other, START_MS + 10);
	one.then = other.then = cancel_other;
	one.other = &other;
	other.other = &one;
	run_at(START_MS + 100);
	CU_ASSERT_EQUAL(one.fired + other.fired, 1);
}

static void
test_timer_callback_may_put_off_one_that_is_due_in_the_same_slot(void)
{
	struct noting_timer first, second;
	start();
	set(&second, START_MS + 10);
	set(&first, START_MS + 10); /* the newest of a slot fires first */
	first.then = set_other;
	first.other = &second;
	run_at(START_MS + 40);
	CU_ASSERT_EQUAL(first.fired, 1);
	CU_ASSERT_EQUAL(second.fired, 0);
	run_at(START_MS + 40 + 100 + SL_TIMER_TICK_MS);
	CU_ASSERT_EQUAL(second.fired, 1);
}

static void
test_timer_sleep_longer_than_the_wheel_fires_everything_once(void)
{
	struct noting_timer timers[200];
	start();
	for (unsigned i = 0; i < 200; i++)
		set(&timers[i], START_MS + i * 500u);
	uint64_t woke_ms = START_MS + 50 * HORIZON_MS;
	run_at(woke_ms);
	for (unsigned i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(timers[i].fired, 1);
	struct noting_timer next;
	set(&next, woke_ms + 100);
	run_at(woke_ms + 99);
	CU_ASSERT_EQUAL(next.fired, 0);
	run_at(woke_ms + 100 + SL_TIMER_TICK_MS);
	CU_ASSERT_EQUAL(next.fired, 1);
}

static void
test_timer_wait_ends_when_a_timer_is_due(void)
{
	for (uint64_t delay_ms = 1; delay_ms < 2 * HORIZON_MS; delay_ms += 977) {
		struct noting_timer timer;
		start();
		set(&timer, START_MS + delay_ms);
		unsigned wakings = 0;
		while (timer.fired == 0 && wakings++ < 10) {
			int wait_ms = sl_timer_wheel_wait_ms(&wheel, now_ms);
			CU_ASSERT_TRUE_FATAL(wait_ms >= 0);
			run_at(now_ms + (uint64_t)wait_ms);
		}
		CU_ASSERT_TRUE(timer.fired_ms <= START_MS + delay_ms + SL_TIMER_TICK_MS);
		CU_ASSERT_TRUE(wakings <= 3); /* one for each time round */
	}
}

static void
test_timer_wait_is_for_ever_without_timers_and_none_when_one_is_overdue(void)
{
	struct noting_timer timer;
	start();
	CU_ASSERT_EQUAL(sl_timer_wheel_wait_ms(&wheel, now_ms), -1);
	set(&timer, START_MS + 10);
	CU_ASSERT_EQUAL(sl_timer_wheel_wait_ms(&wheel, START_MS + 1000), 0);
	run_at(START_MS + 1000);
	CU_ASSERT_EQUAL(sl_timer_wheel_wait_ms(&wheel, now_ms), -1);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_timer_fires_once_never_early_and_at_most_one_slot_late),
		UNIT_TEST(test_timer_due_in_the_past_fires_with_the_next_slot),
		UNIT_TEST(test_timer_beyond_the_horizon_waits_its_time),
		UNIT_TEST(test_timer_cancelled_does_not_fire),
		UNIT_TEST(test_timer_set_again_fires_at_the_new_time_only),
		UNIT_TEST(test_timer_callback_may_set_itself),
		UNIT_TEST(test_timer_callback_may_cancel_one_that_is_due_in_the_same_slot),
		UNIT_TEST(test_timer_callback_may_put_off_one_that_is_due_in_the_same_slot),
		UNIT_TEST(test_timer_sleep_longer_than_the_wheel_fires_everything_once),
		UNIT_TEST(test_timer_wait_ends_when_a_timer_is_due),
		UNIT_TEST(test_timer_wait_is_for_ever_without_timers_and_none_when_one_is_overdue),
		{ NULL, NULL },
	};
	return unit_main("timer", tests);
}
