/* Timers of one shard: a wheel of 4096 slots of 16 ms.
 * Owner: the wheel borrows timers, which are embedded in what they time. Thread: one.
 * Errors: none. A timer fires once, never early, at most one slot and a turn late. */
#ifndef SL_CORE_TIMER_H
#define SL_CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define SL_TIMER_SLOTS 4096
#define SL_TIMER_TICK_MS 16

struct sl_timer {
	LIST_ENTRY(sl_timer) link; /* its le_prev is NULL while the timer rests */
	uint64_t due_ms;
	void (*on_due)(struct sl_timer *timer);
};

LIST_HEAD(sl_timer_slot, sl_timer);

struct sl_timer_wheel {
	struct sl_timer_slot slots[SL_TIMER_SLOTS];
	uint64_t used[SL_TIMER_SLOTS / 64]; /* a bit for each slot that is not empty */
	uint64_t tick;                      /* every slot up to it has been emptied */
};

void sl_timer_wheel_init(struct sl_timer_wheel *wheel, uint64_t now_ms);

void sl_timer_init(struct sl_timer *timer, void (*on_due)(struct sl_timer *timer));
bool sl_timer_is_set(const struct sl_timer *timer);

/* (Re)sets `timer` to fire at `due_ms`, beyond any horizon. */
void sl_timer_set(struct sl_timer_wheel *wheel, struct sl_timer *timer, uint64_t due_ms);
void sl_timer_cancel(struct sl_timer_wheel *wheel, struct sl_timer *timer);

/* Fires what is due at `now_ms`; callbacks may set and cancel any timer. */
void sl_timer_wheel_run(struct sl_timer_wheel *wheel, uint64_t now_ms);

/* Milliseconds until the next timer may be due; -1 when none is set. */
int sl_timer_wheel_wait_ms(const struct sl_timer_wheel *wheel, uint64_t now_ms);

#endif
