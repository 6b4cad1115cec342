#include "core/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/err.h"

#define EVENTS_PER_POLL 256
/* Hundreds of clients may come at once, each with a token to verify: after so long the rest waits for the
 * next turn. The kernel puts those that it reports behind all others that are ready, so they are asked for
 * in small batches: asked for together and left, the first ones would be the first again. */
#define DISPATCH_US 3000
#define EVENTS_PER_BATCH 16

int
sl_loop_init(struct sl_loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return SL_EIO;
	loop->now_ms = sl_clock_monotonic_ms();
	loop->deferred = NULL;
	sl_timer_wheel_init(&loop->timers, loop->now_ms);
	return 0;
}

void
sl_loop_finish(struct sl_loop *loop)
{
	sl_loop_end_turn(loop);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

int
sl_loop_add(struct sl_loop *loop, struct sl_watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return SL_EIO;
	watch->fd = fd;
	watch->events = events;
	return 0;
}

void
sl_loop_change(struct sl_loop *loop, struct sl_watch *watch, uint32_t events)
{
	if (watch->fd < 0 || watch->events == events)
		return;
	struct epoll_event event = { .events = events, .data.ptr = watch };
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) == 0)
		watch->events = events;
}

void
sl_loop_remove(struct sl_loop *loop, struct sl_watch *watch)
{
	if (watch->fd < 0)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
}

void
sl_loop_forget(struct sl_watch *watch)
{
	watch->fd = -1;
}

static int
wait_ms(const struct sl_loop *loop, int max_wait_ms)
{
	int timer_ms = sl_timer_wheel_wait_ms(&loop->timers, sl_clock_monotonic_ms());
	if (timer_ms < 0)
		return max_wait_ms;
	return max_wait_ms < 0 || timer_ms < max_wait_ms ? timer_ms : max_wait_ms;
}

/* Returns how many there were. */
static int
dispatch_batch(struct sl_loop *loop, int timeout_ms, bool is_first)
{
	struct epoll_event events[EVENTS_PER_BATCH];
	int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_BATCH, timeout_ms);
	if (is_first) {
		loop->now_ms = sl_clock_monotonic_ms();
		loop->woke_us = sl_clock_monotonic_us();
	}
	for (int i = 0; i < count; i++) {
		struct sl_watch *watch = events[i].data.ptr;
		if (watch->fd >= 0)
			watch->on_ready(watch, events[i].events);
	}
	return count;
}

void
sl_loop_poll(struct sl_loop *loop, int max_wait_ms)
{
	int count = dispatch_batch(loop, max_wait_ms == 0 ? 0 : wait_ms(loop, max_wait_ms), true);
	for (int dispatched = count; count == EVENTS_PER_BATCH && dispatched < EVENTS_PER_POLL
		&& sl_clock_monotonic_us() - loop->woke_us < DISPATCH_US; dispatched += count)
		count = dispatch_batch(loop, 0, false);
	sl_timer_wheel_run(&loop->timers, loop->now_ms);
}

void
sl_loop_defer(struct sl_loop *loop, struct sl_deferred *deferred)
{
	deferred->next = loop->deferred;
	loop->deferred = deferred;
}

void
sl_loop_end_turn(struct sl_loop *loop)
{
	while (loop->deferred) {
		struct sl_deferred *deferred = loop->deferred;
		loop->deferred = deferred->next;
		deferred->run(deferred);
	}
}
