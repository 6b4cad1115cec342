#include "core/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/err.h"

struct noting_watch {
	struct sl_watch watch; /* first: on_ready gets it */
	struct sl_loop *loop;
	struct noting_watch *removes;
	unsigned called;
	uint32_t events;
};

static void
note(struct sl_watch *watch, uint32_t events)
{
	struct noting_watch *noting = (struct noting_watch *)watch;
	noting->called++;
	noting->events = events;
	if (noting->removes)
		sl_loop_remove(noting->loop, &noting->removes->watch);
}

/* Watches an eventfd that is readable and writable from the start. */
static void
watch_ready(struct sl_loop *loop, struct noting_watch *watch, uint32_t events)
{
	*watch = (struct noting_watch){ .watch = { .on_ready = note, .fd = -1 }, .loop = loop };
	int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL(sl_loop_add(loop, &watch->watch, fd, events), 0);
}

static void
unwatch(struct sl_loop *loop, struct noting_watch *watch)
{
	int fd = watch->watch.fd;
	sl_loop_remove(loop, &watch->watch);
	if (fd >= 0)
		close(fd);
}

static void
test_loop_calls_a_watch_for_as_long_as_it_is_ready(void)
{
	struct sl_loop loop;
	struct noting_watch watch;
	CU_ASSERT_EQUAL_FATAL(sl_loop_init(&loop), 0);
	watch_ready(&loop, &watch, EPOLLIN);
	sl_loop_poll(&loop, 0);
	sl_loop_poll(&loop, -1);
	CU_ASSERT_EQUAL(watch.called, 2);
	CU_ASSERT_EQUAL(watch.events, EPOLLIN);
	uint64_t count;
	CU_ASSERT_EQUAL(read(watch.watch.fd, &count, sizeof count), sizeof count);
	sl_loop_poll(&loop, 0);
	CU_ASSERT_EQUAL(watch.called, 2);
	unwatch(&loop, &watch);
	sl_loop_finish(&loop);
}

#define CROWD 200

/* Takes a millisecond, and stays ready. */
static void
note_slowly(struct sl_watch *watch, uint32_t events)
{
	uint64_t start_us = sl_clock_monotonic_us();
	note(watch, events);
	while (sl_clock_monotonic_us() - start_us < 1000)
		;
}

static void
test_loop_dispatches_a_crowd_over_several_turns_and_each_of_it_before_any_again(void)
{
	static struct noting_watch crowd[CROWD];
	struct sl_loop loop;
	unsigned dispatched = 0, turns = 0;
	CU_ASSERT_EQUAL_FATAL(sl_loop_init(&loop), 0);
	for (unsigned i = 0; i < CROWD; i++) {
		watch_ready(&loop, &crowd[i], EPOLLIN);
		crowd[i].watch.on_ready = note_slowly;
	}
	while (dispatched < CROWD) {
		sl_loop_poll(&loop, 0);
		turns++;
		dispatched = 0;
		for (unsigned i = 0; i < CROWD; i++)
			dispatched += crowd[i].called;
	}
	/* The last batch may be over the end of the first round. */
	CU_ASSERT(turns >= CROWD / 16);
	for (unsigned i = 0; i < CROWD; i++)
		CU_ASSERT(crowd[i].called == 1 || (crowd[i].called == 2 && dispatched > CROWD));
	for (unsigned i = 0; i < CROWD; i++)
		unwatch(&loop, &crowd[i]);
	sl_loop_finish(&loop);
}

static void
test_loop_asks_for_the_events_changed_to(void)
{
	struct sl_loop loop;
	struct noting_watch watch;
	CU_ASSERT_EQUAL_FATAL(sl_loop_init(&loop), 0);
	watch_ready(&loop, &watch, EPOLLIN);
	sl_loop_change(&loop, &watch.watch, EPOLLOUT);
	sl_loop_poll(&loop, 0);
	CU_ASSERT_EQUAL(watch.events, EPOLLOUT);
	sl_loop_change(&loop, &watch.watch, 0);
	sl_loop_poll(&loop, 0);
	CU_ASSERT_EQUAL(watch.called, 1);
	unwatch(&loop, &watch);
	sl_loop_change(&loop, &watch.watch, EPOLLIN); /* rests: nothing is asked for */
	sl_loop_poll(&loop, 0);
	CU_ASSERT_EQUAL(watch.called, 1);
	sl_loop_finish(&loop);
}

static void
test_loop_never_calls_a_watch_that_was_removed_in_the_same_turn(void)
{
	struct sl_loop loop;
	struct noting_watch one, other;
	CU_ASSERT_EQUAL_FATAL(sl_loop_init(&loop), 0);
	watch_ready(&loop, &one, EPOLLIN);
	watch_ready(&loop, &other, EPOLLIN);
	int fds[] = { one.watch.fd, other.watch.fd };
	one.removes = &other;
	other.removes = &one;
	sl_loop_poll(&loop, 0);
	CU_ASSERT_EQUAL(one.called + other.called, 1);
	sl_loop_remove(&loop, &one.watch); /* allowed on a watch that rests */
	sl_loop_remove(&loop, &other.watch);
	close(fds[0]);
	close(fds[1]);
	sl_loop_finish(&loop);
}

static void
test_loop_tells_when_a_descriptor_cannot_be_watched(void)
{
	struct sl_loop loop;
	struct noting_watch watch = { .watch = { .on_ready = note, .fd = -1 } };
	CU_ASSERT_EQUAL_FATAL(sl_loop_init(&loop), 0);
	CU_ASSERT_EQUAL(sl_loop_add(&loop, &watch.watch, -1, EPOLLIN), SL_EIO);
	CU_ASSERT_EQUAL(watch.watch.fd, -1);
	sl_loop_finish(&loop);
}

struct noting_deferred {
	struct sl_deferred deferred; /* first: run gets it */
	struct sl_loop *loop;
	struct sl_deferred *defers;
	unsigned ran;
};

static void
note_run(struct sl_deferred *deferred)
{
	struct noting_deferred *noting = (struct noting_deferred *)deferred;
	noting->ran++;
	if (noting->defers)
		sl_loop_defer(noting->loop, noting->defers);
}

static void
test_loop_runs_deferred_calls_at_the_end_of_the_turn_and_once(void)
{
	struct sl_loop loop;
	CU_ASSERT_EQUAL_FATAL(sl_loop_init(&loop), 0);
	struct noting_deferred last = { .deferred.run = note_run };
	struct noting_deferred first = { .deferred.run = note_run, .loop = &loop,
		.defers = &last.deferred };
	sl_loop_defer(&loop, &first.deferred);
	sl_loop_poll(&loop, 0);
	CU_ASSERT_EQUAL(first.ran, 0);
	sl_loop_end_turn(&loop);
	CU_ASSERT_EQUAL(first.ran, 1);
	CU_ASSERT_EQUAL(last.ran, 1); /* deferred by one that ran: still this turn */
	sl_loop_end_turn(&loop);
	CU_ASSERT_EQUAL(first.ran, 1);
	sl_loop_defer(&loop, &last.deferred);
	sl_loop_finish(&loop);
	CU_ASSERT_EQUAL(last.ran, 2); /* nothing is left behind */
}

static void
free_deferred(struct sl_deferred *deferred)
{
	free(deferred);
}

static void
test_loop_lets_what_is_deferred_free_itself(void)
{
	struct sl_loop loop;
	CU_ASSERT_EQUAL_FATAL(sl_loop_init(&loop), 0);
	for (int i = 0; i < 3; i++) {
		struct sl_deferred *deferred = calloc(1, sizeof *deferred);
		deferred->run = free_deferred;
		sl_loop_defer(&loop, deferred);
	}
	sl_loop_end_turn(&loop);
	CU_ASSERT_PTR_NULL(loop.deferred);
	sl_loop_finish(&loop);
}

static unsigned timers_fired;

static void
count_timer(struct sl_timer *timer)
{
	(void)timer;
	timers_fired++;
}

static void
test_loop_wakes_for_its_timers(void)
{
	struct sl_loop loop;
	struct sl_timer timer;
	CU_ASSERT_EQUAL_FATAL(sl_loop_init(&loop), 0);
	sl_timer_init(&timer, count_timer);
	uint64_t due_ms = loop.now_ms + 1;
	sl_timer_set(&loop.timers, &timer, due_ms);
	timers_fired = 0;
	while (timers_fired == 0)
		sl_loop_poll(&loop, -1); /* for ever, if it did not wake */
	CU_ASSERT_EQUAL(timers_fired, 1);
	CU_ASSERT_TRUE(loop.now_ms >= due_ms);
	sl_loop_finish(&loop);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_loop_calls_a_watch_for_as_long_as_it_is_ready),
		UNIT_TEST(test_loop_dispatches_a_crowd_over_several_turns_and_each_of_it_before_any_again),
		UNIT_TEST(test_loop_asks_for_the_events_changed_to),
		UNIT_TEST(test_loop_never_calls_a_watch_that_was_removed_in_the_same_turn),
		UNIT_TEST(test_loop_tells_when_a_descriptor_cannot_be_watched),
		UNIT_TEST(test_loop_runs_deferred_calls_at_the_end_of_the_turn_and_once),
		UNIT_TEST(test_loop_lets_what_is_deferred_free_itself),
		UNIT_TEST(test_loop_wakes_for_its_timers),
		{ NULL, NULL },
	};
	return unit_main("loop", tests);
}
