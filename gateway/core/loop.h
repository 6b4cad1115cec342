/* Loop: one thread's epoll, timers and deferred frees.
 * Owner: the shard. Thread: one, all calls. Errors: SL_EIO with errno from init and add.
 *
 * A turn: events are dispatched, timers fire, the shard does its own end-of-turn work, and
 * last what was deferred is freed. So nothing that an event of this turn points to is
 * freed before the turn ends (law 6), and a removed watch is never called again. */
#ifndef SL_CORE_LOOP_H
#define SL_CORE_LOOP_H

#include <stdint.h>

#include "core/timer.h"

/* Embed it in what owns the descriptor. */
struct sl_watch {
	void (*on_ready)(struct sl_watch *watch, uint32_t events);
	int fd;          /* -1 while not watched */
	uint32_t events; /* EPOLL* bits asked for */
};

struct sl_deferred {
	struct sl_deferred *next;
	void (*run)(struct sl_deferred *deferred);
};

struct sl_loop {
	int epoll_fd;
	uint64_t now_ms; /* CLOCK_MONOTONIC, read once a turn */
	uint64_t woke_us; /* the same clock, when the last poll had its events */
	struct sl_timer_wheel timers;
	struct sl_deferred *deferred;
};

int sl_loop_init(struct sl_loop *loop);
void sl_loop_finish(struct sl_loop *loop);

/* Starts watching `fd`; `watch->on_ready` is set by the caller. Errors: SL_EIO. */
int sl_loop_add(struct sl_loop *loop, struct sl_watch *watch, int fd, uint32_t events);

/* Changes the events asked for; no system call when they are the same. */
void sl_loop_change(struct sl_loop *loop, struct sl_watch *watch, uint32_t events);

/* Stops watching (the descriptor stays open); allowed on a watch that rests. */
void sl_loop_remove(struct sl_loop *loop, struct sl_watch *watch);

/* The same when the descriptor is closed before this turn ends, which ends the kernel's
 * watching too. No duplicate of it may be left: not for a process that forks, as the gateway
 * does under --demo, whose child has one until it begins its program. */
void sl_loop_forget(struct sl_watch *watch);

/* Waits at most `max_wait_ms` (-1: for ever) or until a timer is due, then dispatches, for some milliseconds
 * at most: what is ready beyond them is dispatched by the next calls, before what was dispatched now. */
void sl_loop_poll(struct sl_loop *loop, int max_wait_ms);

/* Has `deferred->run` called at the end of this turn. */
void sl_loop_defer(struct sl_loop *loop, struct sl_deferred *deferred);
void sl_loop_end_turn(struct sl_loop *loop);

#endif
