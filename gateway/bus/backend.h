/* Backend: the part below a bus. It numbers, timestamps and deduplicates messages.
 * Owner: the bus owns its backend. Thread: see each slot. Errors: as each slot says.
 *
 * To add one: embed struct sl_backend first, and fill a const struct sl_backend_ops. Export one `int
 * sl_<name>_create(struct sl_backend **out, const struct sl_config *config)`. Put it in the table of
 * gateway/backends.c (bus/backends.h), and in the backend contract test's list. bus/memory.c is the smallest
 * complete example. */
#ifndef SL_BUS_BACKEND_H
#define SL_BUS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"

struct sl_backend {
	const struct sl_backend_ops *ops;
	struct sl_bus *bus;       /* set by sl_bus_create before start */
	struct sl_dedupe *dedupe; /* owns; NULL if the log itself knows keys */
};

struct sl_backend_ops {
	const char *name;

	/* True if publish may return SL_PENDING. */
	bool answers_later;

	/* Mandatory. Sets the epoch (sl_bus_set_epoch), and delivers the messages that the log already holds, above
	 * a floor that it reports by sl_bus_lose. Called once, before any traffic and before sockets listen, so it
	 * may take its time. Returns 0 or an error. */
	int (*start)(struct sl_backend *backend);

	/* Mandatory. Stops its own threads and frees everything, the struct included. start may have failed, or was
	 * never called. Completes pending publishes with SL_EDRAINING first. NULL is never passed. */
	void (*destroy)(struct sl_backend *backend);

	/* Mandatory. On the publishing shard's thread (`pending->shard`), no lock held. Does not wait for the log,
	 * and makes no system call except the write of an eventfd. Same outcomes as sl_bus_publish. Takes the
	 * caller's reference of `message`, whatever the outcome. The code that delivers the message notes its
	 * `receivers` in `pending` before the answer. `key` is that of sl_bus_publish(): opaque, the same whatever
	 * the channel, and fit to be a message's id in the log. After SL_PENDING it calls sl_bus_complete exactly
	 * once, perhaps before publish has returned. `pending` belongs to the bus and outlives the shard. */
	int (*publish)(struct sl_backend *backend, struct sl_message *message,
		const char *key, size_t key_len, struct sl_publish *pending, struct sl_cursor *id);

	/* Optional, default true; any thread. */
	bool (*is_ready)(struct sl_backend *backend);

	/* Optional, default the bus's head; any thread. Returns a number that the log cannot have passed, or
	 * UINT64_MAX while that is unknown. A cursor at or below it is believed. */
	uint64_t (*last_seq)(struct sl_backend *backend);

	/* Optional; any thread. Fills in the backend's counters; the bus's are there already. */
	void (*get_stats)(struct sl_backend *backend, struct sl_backend_stats *out);

	/* Optional; without it there is one node, which hears a notice at once. On any shard's thread, no lock
	 * held. Makes every node hear the notice (sl_bus_hear): this one, nodes that are away, and nodes that start
	 * before `notice->kept_s`. Copies it. Same outcomes as publish; `pending` is completed in the same way. */
	int (*announce)(struct sl_backend *backend, const struct sl_notice *notice,
		struct sl_publish *pending);
};

/* ---- calls for backends ---- */

/* From start only. `epoch` is not 0. */
void sl_bus_set_epoch(struct sl_bus *bus, uint32_t epoch);

/* The same with a new epoch that was never used, for a log that ends with this process. Errors: SL_EIO. */
int sl_bus_draw_epoch(struct sl_bus *bus);

/* The one lock. Between lock and unlock: no system call, and no avoidable allocation. Unlock writes the
 * eventfds that deliveries made necessary. `shard` is the caller's own (not woken), or -1. */
void sl_bus_lock(struct sl_bus *bus);
void sl_bus_unlock(struct sl_bus *bus, int shard);

/* Delivers a message, with the lock held. `message` is stamped with a number above every earlier one (holes
 * allowed), and with the wall clock's time. That time may be earlier than that of other messages if the clock
 * is set back. Borrows it, and notes its arrival now: history's age counts from then, by the monotonic clock. */
void sl_bus_deliver(struct sl_bus *bus, struct sl_message *message);

/* For a backend that numbers messages itself; takes the lock, and borrows `message`. Delivers it under the next
 * number after `holes` omitted ones, with the wall clock's time. Returns its id. */
struct sl_cursor sl_bus_append(struct sl_bus *bus, struct sl_message *message, uint64_t holes,
	int shard);

/* Any thread, lock not held: answers a publish that was SL_PENDING, by a task on its shard. */
void sl_bus_complete(struct sl_bus *bus, struct sl_publish *pending, int err,
	struct sl_cursor id);

/* Lock held: the numbers above the head up to `through` will never come. The head becomes `through`. Nothing at
 * or below it counts as held any more; it is dropped in steps. Every shard learns that its mailbox lacks
 * messages, so that clients get their gaps. Does nothing if the head is as high. From start: the messages that
 * the log no longer has, which do not count as a loss. */
void sl_bus_lose(struct sl_bus *bus, uint64_t through);

/* Backend's thread, lock not held: the log is another one. `epoch` is a new epoch. The head and the floor are
 * 0. When this returns, the held messages have been dropped, in many short holds of the lock. Each shard
 * delivers the messages in its mailbox, then ends its subscribers. Their clients come back with cursors of the
 * old log. The backend itself answers pending publishes: with SL_EUNKNOWN if they may have been stored. Stamp
 * messages that are still to be delivered with the new epoch. */
void sl_bus_reset(struct sl_bus *bus, uint32_t epoch);

/* Lock not held: a purge. Messages at or below `through`, or the head if that is lower, are gone from the log.
 * When this returns, they have been dropped, in many short holds. A client that asks for them gets a gap. */
void sl_bus_purge(struct sl_bus *bus, uint64_t through);

/* Any thread of the backend, lock not held: the log is out of reach, or in reach again. A bus begins as not
 * away. A repeated state does nothing. */
void sl_bus_set_away(struct sl_bus *bus, bool away);

/* Any thread of the backend, lock not held, from start on: this node or another one has announced `notice`
 * (borrowed). */
void sl_bus_hear(struct sl_bus *bus, const struct sl_notice *notice);

#endif
