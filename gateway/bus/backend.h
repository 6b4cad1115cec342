/* Backend: what a bus stands on. It numbers, timestamps and dedupes.
 * Owner: the bus owns its backend. Thread: see each slot. Errors: as each slot says.
 *
 * To add one: embed struct sl_backend first, fill a const struct sl_backend_ops, export one
 * `int sl_<name>_create(struct sl_backend **out, const struct sl_config *config)`, and put it in the table of
 * gateway/backends.c (bus/backends.h) and in the backend contract test's list. bus/memory.c is the
 * smallest complete example. */
#ifndef SL_BUS_BACKEND_H
#define SL_BUS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"

struct sl_backend {
	const struct sl_backend_ops *ops;
	struct sl_bus *bus;       /* set by sl_bus_create before start */
	struct sl_dedupe *dedupe; /* owns; NULL where the log knows keys by itself */
};

struct sl_backend_ops {
	const char *name;

	/* True when publish may return SL_PENDING. */
	bool answers_later;

	/* Mandatory. Makes the epoch known (sl_bus_set_epoch) and delivers what the log
	 * already holds, if anything, above a floor that it told (sl_bus_lose); called once, before any
	 * traffic and before sockets listen: it may take up to a time of its own. Returns 0 or an error. */
	int (*start)(struct sl_backend *backend);

	/* Mandatory. Stops own threads and frees everything, the struct included; start may
	 * have failed or not been called. Publishes still pending are completed with
	 * SL_EDRAINING first. NULL is never passed. */
	void (*destroy)(struct sl_backend *backend);

	/* Mandatory; the publishing shard's thread (`pending->shard`), no lock held. Does not wait for
	 * the log, and makes no system call but the write of an eventfd. Same outcomes as sl_bus_publish. Takes the caller's reference of `message` whatever the
	 * outcome. Whoever has the message delivered notes its `receivers` in `pending`, before it answers.
	 * `key` is that of sl_bus_publish(): opaque, the same whatever the channel, and fit to be
	 * a message's id in the log. After SL_PENDING it calls sl_bus_complete exactly once, maybe before publish
	 * has returned. `pending` is the bus's own and outlives the shard. */
	int (*publish)(struct sl_backend *backend, struct sl_message *message,
		const char *key, size_t key_len, struct sl_publish *pending, struct sl_cursor *id);

	/* Optional, default true; any thread. */
	bool (*is_ready)(struct sl_backend *backend);

	/* Optional, default the bus's head; any thread. A number that the log cannot have passed;
	 * UINT64_MAX while that cannot be known. A cursor at or below it is believed. */
	uint64_t (*last_seq)(struct sl_backend *backend);

	/* Optional; any thread. Fills in what the backend counts; what the bus counts is there already. */
	void (*get_stats)(struct sl_backend *backend, struct sl_backend_stats *out);

	/* Optional; without it there is one node, and a notice is heard at once. Any shard's thread, no lock
	 * held. Has every node hear the notice (sl_bus_hear), this one too, those included that are away or start
	 * before `notice->kept_s`. Copies it. Same outcomes as publish; `pending` is completed likewise. */
	int (*announce)(struct sl_backend *backend, const struct sl_notice *notice,
		struct sl_publish *pending);
};

/* ---- what a backend calls ---- */

/* From start only. `epoch` is not 0. */
void sl_bus_set_epoch(struct sl_bus *bus, uint32_t epoch);

/* The same with an epoch that nobody had before, for a log that ends with this process. Errors:
 * SL_EIO. */
int sl_bus_draw_epoch(struct sl_bus *bus);

/* The one lock. Between lock and unlock: no system call, no allocation that can be avoided.
 * Unlock writes the eventfds that the deliveries between made necessary; `shard` is the
 * caller's own (not woken) or -1. */
void sl_bus_lock(struct sl_bus *bus);
void sl_bus_unlock(struct sl_bus *bus, int shard);

/* With the lock held: the upcall. `message` is stamped with a number above every one before
 * it (holes allowed) and the wall clock's time, which may lie before those of others when the
 * clock is set back. Borrows it, and notes that it has arrived now: history's age counts from
 * then, by the monotonic clock. */
void sl_bus_deliver(struct sl_bus *bus, struct sl_message *message);

/* For a backend that numbers by itself; takes the lock, and borrows `message`: delivers it under
 * the next number but for `holes`, and with the wall clock's time. Returns its id. */
struct sl_cursor sl_bus_append(struct sl_bus *bus, struct sl_message *message, uint64_t holes,
	int shard);

/* Any thread, lock not held: answers a publish that was SL_PENDING, by a task on its shard. */
void sl_bus_complete(struct sl_bus *bus, struct sl_publish *pending, int err,
	struct sl_cursor id);

/* Lock held: the numbers above the head up to `through` will never come. The head is `through`, nothing at
 * or below it counts as held any more (it is dropped in steps), and every shard is told that its mailbox lacks
 * something, so that gaps are told. Nothing if the head is as high. From start: what the log does not have any
 * more; there it counts as no loss. */
void sl_bus_lose(struct sl_bus *bus, uint64_t through);

/* Backend's thread, lock not held: the log is another one, whose epoch is `epoch`, not one that was before. The
 * head and the floor are 0, what was held has been dropped, in many short holds of the lock, when this returns.
 * Each shard delivers what is in its mailbox, then ends its subscribers, who come back with cursors of the
 * log before. Publishes that are pending the backend answers itself, with SL_EUNKNOWN where they may have been
 * stored. A message still to be delivered must be stamped with the new epoch. */
void sl_bus_reset(struct sl_bus *bus, uint32_t epoch);

/* Lock not held: what is at or below `through`, or the head if that is lower, is gone from the log: a purge.
 * It has been dropped when this returns, in many short holds; whoever asks for it is told of a gap. */
void sl_bus_purge(struct sl_bus *bus, uint64_t through);

/* Any thread of the backend, lock not held: the log is out of reach, or in reach again. A bus begins as not
 * away. The same again is nothing. */
void sl_bus_set_away(struct sl_bus *bus, bool away);

/* Any thread of the backend, lock not held, from start on: a node, or this one, has announced `notice`
 * (borrowed). */
void sl_bus_hear(struct sl_bus *bus, const struct sl_notice *notice);

#endif
