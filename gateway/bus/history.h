/* History: the newest messages of one channel, in order, with no gap among them.
 * Owner: the channel's record (bus/records.h), which owns a reference to each message in it. Thread: under the
 * bus's lock. Errors: SL_ENOMEM from push.
 *
 * A zeroed struct is an empty history; an empty one holds no memory. It knows no limits: bus/records.c keeps
 * them. */
#ifndef SL_BUS_HISTORY_H
#define SL_BUS_HISTORY_H

#include <stddef.h>
#include <stdint.h>

struct sl_message;

struct sl_history {
	struct sl_message **ring; /* owns a reference to each */
	size_t capacity;          /* 0 or a power of two */
	size_t first, count;      /* the oldest is at `first`, modulo the capacity */
	size_t bytes;             /* the sum of sl_message_bytes */
	uint64_t last_evicted;    /* messages at or below it are not held */
};

/* Moves the caller's reference of `message`, newer than all before, to the end. Errors:
 * SL_ENOMEM, the reference stays the caller's. */
int sl_history_push(struct sl_history *history, struct sl_message *message);

/* Moves the oldest message, with its reference, to the caller, and `last_evicted` to its
 * number. Not for an empty history. */
struct sl_message *sl_history_evict(struct sl_history *history);

/* The message at `index`, 0 the oldest; returns borrowed. */
struct sl_message *sl_history_at(const struct sl_history *history, size_t index);

/* Returns the index of the first message above `after`, or `count`. */
size_t sl_history_find_after(const struct sl_history *history, uint64_t after);

#endif
