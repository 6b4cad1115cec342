/* Records: every channel that the bus knows, with its history, the shards that want it, and the limits.
 * Owner: the bus. Thread: under the bus's lock. Errors: SL_ENOMEM, SL_EFULL from get.
 *
 * A record lives while a shard wants the channel, or while history holds a message of it. When a record is
 * forgotten, the floor rises to its last number. A new record starts with the floor as its last evicted number,
 * so a cursor that may have missed a message gets a gap. Leased channels share a floor of their own, so that
 * they cause no gaps on other channels.
 *
 * No owner can evict the records or messages of others. At channels_max the oldest unwanted record of the owner
 * with most records goes; a record belongs to the owner that made it. At history_total_bytes the channel that
 * holds most bytes (to a sixteenth) loses its oldest message. So the channels share the total: one that holds
 * less than its share loses nothing, however much is published on other channels. */
#ifndef SL_BUS_RECORDS_H
#define SL_BUS_RECORDS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bus/bus.h"
#include "bus/history.h"
#include "util/scale.h"
#include "util/table.h"
#include "util/tally.h"

/* Messages whose freeing can wait until the lock is released. */
#define SL_TRASH_MAX 128

struct sl_channel {
	UT_hash_handle hh;
	struct sl_history history;
	uint64_t interest; /* a bit for each shard */
	_Atomic uint32_t receivers; /* subscribers in all shards; any thread */
	bool is_leased;    /* has limits of its own; it is neither in `unwanted` nor on the scale */
	struct sl_tally_entry tally; /* listed while it has history and nobody wants it */
	struct sl_scale_node weight; /* on the `scale` while it has history */
	uint32_t log;      /* the log of its messages, see struct sl_records */
	uint32_t name_len;
	char name[];
};

struct sl_records {
	const struct sl_bus_config *config; /* borrows; may change between calls */
	struct sl_channel *table;
	size_t leased_count; /* leased records in the table */
	struct sl_tally unwanted; /* by owner, least recently used first */
	struct sl_scale scale;    /* by bytes; may still include bytes that a channel lost by limits of its own */
	uint64_t floor, leased_floor;
	uint64_t lost_through; /* nothing at or below it counts as held, of any channel; no floor is lower */
	uint32_t log;      /* the number of the log: a record's messages of an earlier log do not count as held */
	struct sl_channel *sweep_at; /* the next sweep begins here; NULL: at the start */
	struct sl_bus_stats stats;   /* the counters of channels, history and evictions */
	struct sl_message *trash[SL_TRASH_MAX]; /* owns */
	size_t trash_count;
};

/* `config` is borrowed until finish. */
void sl_records_init(struct sl_records *records, const struct sl_bus_config *config);
void sl_records_finish(struct sl_records *records);

/* Finds or adds a record. A new one belongs to `owner`. At channels_max it evicts an unwanted record: of the
 * owner with most records, the least recently used. A new record lives until the next call unless it is wanted
 * or appended to. Errors: SL_ENOMEM, SL_EFULL. */
int sl_records_get(struct sl_records *records, const char *name, size_t len,
	uint64_t owner, struct sl_channel **out);

/* Appends a stamped message (adds a reference) to its channel's history, and applies the limits. It drops at
 * most some thousand messages; the sweep drops the rest. Without memory the history starts anew behind the
 * message. The call may forget `channel`. */
void sl_records_append(struct sl_records *records, struct sl_channel *channel,
	struct sl_message *message);

/* Raises the floor to the message's number, because there is no record for it. */
void sl_records_lose(struct sl_records *records, const struct sl_message *message);

/* Messages of all channels with numbers up to `through` do not count as held any more. Appends and the sweep
 * drop them. */
void sl_records_lose_through(struct sl_records *records, uint64_t through);

/* The same for all messages; numbers begin anew: no floor, nothing lost. */
void sl_records_begin_log(struct sl_records *records);

/* Returns the number above which the channel's messages are held, unless it has only those of an earlier log. */
uint64_t sl_records_get_lost(const struct sl_records *records, const struct sl_channel *channel);
static inline bool
sl_records_is_of_log(const struct sl_records *records, const struct sl_channel *channel)
{
	return channel->log == records->log;
}

/* Drops the channel's history, if there is any, without raising the floor. */
void sl_records_forget(struct sl_records *records, const char *name, size_t len);

void sl_records_want(struct sl_records *records, struct sl_channel *channel, unsigned shard);

/* The call may forget `channel`. */
void sl_records_unwant(struct sl_records *records, struct sl_channel *channel, unsigned shard);

/* Visits records from the end of the last call on. Drops messages that are too old at `now_ms` or beyond
 * another limit. True at the end of the records. False if `budget`, which counts records and messages, or the
 * trash is used up. */
bool sl_records_sweep(struct sl_records *records, uint64_t now_ms, size_t *budget);

/* A shard has one subscriber more (1) or less (-1) of a channel that it wants. A message notes their number in
 * all shards. Any thread, without the lock. */
static inline void
sl_records_count_receiver(struct sl_channel *channel, int by)
{
	atomic_fetch_add_explicit(&channel->receivers, (uint32_t)by, memory_order_relaxed);
}

/* Returns the number of receivers of a message's channel; 0 if it has no record. */
uint32_t sl_records_count_receivers(const struct sl_records *records, const struct sl_message *message);

#endif
