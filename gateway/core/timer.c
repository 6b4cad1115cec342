#include "core/timer.h"

#include <stddef.h>
#include <string.h>

void
sl_timer_wheel_init(struct sl_timer_wheel *wheel, uint64_t now_ms)
{
	memset(wheel, 0, sizeof *wheel);
	wheel->tick = now_ms / SL_TIMER_TICK_MS;
}

void
sl_timer_init(struct sl_timer *timer, void (*on_due)(struct sl_timer *timer))
{
	*timer = (struct sl_timer){ .on_due = on_due };
}

bool
sl_timer_is_set(const struct sl_timer *timer)
{
	return timer->link.le_prev != NULL;
}

static void
unlink_timer(struct sl_timer *timer)
{
	LIST_REMOVE(timer, link);
	timer->link.le_prev = NULL;
}

void
sl_timer_set(struct sl_timer_wheel *wheel, struct sl_timer *timer, uint64_t due_ms)
{
	sl_timer_cancel(wheel, timer);
	timer->due_ms = due_ms;
	/* Rounded up, so that the slot is emptied when the timer is due and not before. What
	 * lies beyond the horizon waits in the last slot and is set again from there. */
	uint64_t tick = (due_ms + SL_TIMER_TICK_MS - 1) / SL_TIMER_TICK_MS;
	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	if (tick - wheel->tick >= SL_TIMER_SLOTS)
		tick = wheel->tick + SL_TIMER_SLOTS - 1;
	size_t slot = tick % SL_TIMER_SLOTS;
	LIST_INSERT_HEAD(&wheel->slots[slot], timer, link);
	wheel->used[slot / 64] |= (uint64_t)1 << slot % 64;
}

void
sl_timer_cancel(struct sl_timer_wheel *wheel, struct sl_timer *timer)
{
	/* The slot's bit may stay set: an empty slot costs one early wake-up at most. */
	if (sl_timer_is_set(timer))
		unlink_timer(timer);
}

static void
run_slot(struct sl_timer_wheel *wheel, size_t slot, uint64_t now_ms)
{
	/* The list moves to a head of its own first: callbacks may set timers in this slot
	 * again, and cancel those that are about to fire. */
	struct sl_timer_slot due = wheel->slots[slot];
	if (!LIST_EMPTY(&due))
		LIST_FIRST(&due)->link.le_prev = &LIST_FIRST(&due);
	LIST_INIT(&wheel->slots[slot]);
	wheel->used[slot / 64] &= ~((uint64_t)1 << slot % 64);
	while (!LIST_EMPTY(&due)) {
		struct sl_timer *timer = LIST_FIRST(&due);
		unlink_timer(timer);
		if (timer->due_ms > now_ms)
			sl_timer_set(wheel, timer, timer->due_ms);
		else
			timer->on_due(timer);
	}
}

void
sl_timer_wheel_run(struct sl_timer_wheel *wheel, uint64_t now_ms)
{
	uint64_t last = now_ms / SL_TIMER_TICK_MS;
	if (last > wheel->tick + SL_TIMER_SLOTS)
		wheel->tick = last - SL_TIMER_SLOTS; /* a long sleep: once round is enough */
	while (wheel->tick < last) {
		size_t slot = ++wheel->tick % SL_TIMER_SLOTS;
		if (wheel->used[slot / 64] >> slot % 64 & 1)
			run_slot(wheel, slot, now_ms);
	}
}

int
sl_timer_wheel_wait_ms(const struct sl_timer_wheel *wheel, uint64_t now_ms)
{
	for (uint64_t ahead = 1; ahead < SL_TIMER_SLOTS;) {
		size_t slot = (wheel->tick + ahead) % SL_TIMER_SLOTS;
		uint64_t bits = wheel->used[slot / 64] >> slot % 64;
		if (!bits) {
			ahead += 64 - slot % 64;
			continue;
		}
		ahead += (uint64_t)__builtin_ctzll(bits);
		uint64_t due_ms = (wheel->tick + ahead) * SL_TIMER_TICK_MS;
		return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
	}
	return -1;
}
