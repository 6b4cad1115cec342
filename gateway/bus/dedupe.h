/* Dedupe: idempotency keys, for a backend that has none of its own.
 * Owner: the backend. Thread: any, under a lock of its own, taken before the bus's. Errors: SL_EFULL, SL_ENOMEM
 * from begin.
 *
 * A key (bus/bus.h) is in flight from begin to finish. A repeat in this time waits in the key's chain, and gets
 * the same answer. A repeat within two minutes after a success gets its id. A failure is not kept. A full table
 * evicts a finished key for a new one: the oldest of the owner that has most keys. So an owner that fills the
 * table loses its own keys. */
#ifndef SL_BUS_DEDUPE_H
#define SL_BUS_DEDUPE_H

#include <stddef.h>
#include <stdint.h>

#include "bus/cursor.h"
#include "util/span.h"

#define SL_DEDUPE_KEPT_MS 120000

struct sl_bus_stats;
struct sl_dedupe;
struct sl_dedupe_entry;
struct sl_publish;

/* At most `entries_max` keys, in flight or done. Errors: SL_ENOMEM. */
int sl_dedupe_create(struct sl_dedupe **out, size_t entries_max);

/* Sets a new limit. Keys above it go as new ones come, two for each. */
void sl_dedupe_set_max(struct sl_dedupe *dedupe, size_t entries_max);

/* NULL is allowed. Nothing may be in flight. */
void sl_dedupe_destroy(struct sl_dedupe *dedupe);

/* Hold this lock around begin and finish; the other calls lock by themselves. */
void sl_dedupe_lock(struct sl_dedupe *dedupe);
void sl_dedupe_unlock(struct sl_dedupe *dedupe);

/* Asks for `key`, which counts for `asking->owner`. Returns
 *
 *   0 with `*entry` set: the key is new and in flight; the caller publishes and finishes;
 *   0 with `*entry` NULL: it is done, `*id` is the first answer;
 *   SL_PENDING: it is in flight, and `asking` (borrowed until finish) is in its chain;
 *   SL_EFULL: the table is full of keys in flight; SL_ENOMEM. */
int sl_dedupe_begin(struct sl_dedupe *dedupe, struct sl_span key, uint64_t now_ms,
	struct sl_publish *asking, struct sl_dedupe_entry **entry, struct sl_cursor *id);

/* Ends the flight of `entry` (not to be used after) with the outcome of the publish. Returns the chain of
 * waiting repeats, by `next`, oldest first. The caller completes each with the same outcome. */
struct sl_publish *sl_dedupe_finish(struct sl_dedupe *dedupe, struct sl_dedupe_entry *entry,
	int err, struct sl_cursor id, uint64_t now_ms);

/* Forgets keys done two minutes ago or longer, at most some thousand per call. */
void sl_dedupe_sweep(struct sl_dedupe *dedupe, uint64_t now_ms);

/* Forgets all keys that were done before the call, in many short holds of the lock: their ids are of a log that
 * no longer exists. Not for a shard's thread. */
void sl_dedupe_forget_done(struct sl_dedupe *dedupe);

/* Fills duplicates, dedupe_now, dedupe_refused and dedupe_evicted. */
void sl_dedupe_get_stats(struct sl_dedupe *dedupe, struct sl_bus_stats *out);

#endif
