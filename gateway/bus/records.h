/* Records: every channel the bus knows, with its history, who wants it, and the limits.
 * Owner: the bus. Thread: under the bus's lock. Errors: SL_ENOMEM, SL_EFULL from get.
 *
 * A record lives while a shard wants the channel or history holds a message of it. When
 * one is forgotten the floor rises to its last number, and a new record starts with the
 * floor as its last evicted number: a cursor that may have missed something is told. Leased
 * channels share a floor of their own, so that they cause no gaps on other channels.
 *
 * Nobody can push out what others have here. At channels_max the oldest unwanted record of the owner that has
 * most records goes; a record is the owner's who made it. At history_total_bytes the channel that holds most
 * bytes (to a sixteenth) loses its oldest message, so what all may hold is shared among the channels: one that holds less than its
 * share loses nothing, however much is published elsewhere. */
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

/* Messages that can wait to be freed until the lock is released. */
#define SL_TRASH_MAX 128

struct sl_channel {
	UT_hash_handle hh;
	struct sl_history history;
	uint64_t interest; /* a bit for each shard */
	_Atomic uint32_t receivers; /* subscribers in all shards; any thread */
	bool is_leased;    /* has limits of its own, and a place neither in `unwanted` nor on the scale */
	struct sl_tally_entry tally; /* listed while it has history and nobody wants it */
	struct sl_scale_node weight; /* on the `scale` while it has history */
	uint32_t log;      /* of which it holds messages, see struct sl_records */
	uint32_t name_len;
	char name[];
};

struct sl_records {
	const struct sl_bus_config *config; /* borrows; may change between calls */
	struct sl_channel *table;
	size_t leased_count; /* of these */
	struct sl_tally unwanted; /* by owner, that used longest ago first */
	struct sl_scale scale;    /* by bytes; what a channel lost by limits of its own may not be taken off yet */
	uint64_t floor, leased_floor;
	uint64_t lost_through; /* nothing at or below it counts as held, of any channel; no floor is lower */
	uint32_t log;      /* counts the logs: what a record holds of one before does not count as held */
	struct sl_channel *sweep_at; /* where the next sweep goes on; NULL: at the start */
	struct sl_bus_stats stats;   /* the counters of channels, history and evictions */
	struct sl_message *trash[SL_TRASH_MAX]; /* owns */
	size_t trash_count;
};

/* `config` is borrowed until finish. */
void sl_records_init(struct sl_records *records, const struct sl_bus_config *config);
void sl_records_finish(struct sl_records *records);

/* Finds or adds; one that is new is `owner`'s. At channels_max one that nobody wants makes
 * room, of the owner that has most records the one used longest ago. A record just added lives until the next
 * call unless it is wanted or appended to. Errors: SL_ENOMEM, SL_EFULL. */
int sl_records_get(struct sl_records *records, const char *name, size_t len,
	uint64_t owner, struct sl_channel **out);

/* Appends a stamped message (adds a reference) to its channel's history and applies the
 * limits, dropping at most some thousand messages; the sweep drops the rest. Without memory the
 * history starts anew behind the message. `channel` may be forgotten by it. */
void sl_records_append(struct sl_records *records, struct sl_channel *channel,
	struct sl_message *message);

/* Raises the floor to the message's number: no record could be had for it. */
void sl_records_lose(struct sl_records *records, const struct sl_message *message);

/* Messages of all channels with numbers up to `through` do not count as held any more. They are dropped
 * by appends and by the sweep. */
void sl_records_lose_through(struct sl_records *records, uint64_t through);

/* The same for all there is, and numbers begin anew: no floor, nothing lost. */
void sl_records_begin_log(struct sl_records *records);

/* The channel's messages above it are held, unless it has only those of a log before. */
uint64_t sl_records_get_lost(const struct sl_records *records, const struct sl_channel *channel);
static inline bool
sl_records_is_of_log(const struct sl_records *records, const struct sl_channel *channel)
{
	return channel->log == records->log;
}

/* Drops the channel's history, if there is any, without raising the floor. */
void sl_records_forget(struct sl_records *records, const char *name, size_t len);

void sl_records_want(struct sl_records *records, struct sl_channel *channel, unsigned shard);

/* `channel` may be forgotten by it. */
void sl_records_unwant(struct sl_records *records, struct sl_channel *channel, unsigned shard);

/* Visits records, going on where the last call ended, and drops their messages that
 * are beyond their age at `now_ms` or another limit, until the records end (true) or `budget`,
 * which counts records and messages, or the trash is used up (false). */
bool sl_records_sweep(struct sl_records *records, uint64_t now_ms, size_t *budget);

/* A shard has one subscriber more (1) or less (-1) of a channel that it wants: a message notes how many there
 * are in all shards. Any thread, without the lock. */
static inline void
sl_records_count_receiver(struct sl_channel *channel, int by)
{
	atomic_fetch_add_explicit(&channel->receivers, (uint32_t)by, memory_order_relaxed);
}

/* How many there are of a message's channel; 0 where it has no record. */
uint32_t sl_records_count_receivers(const struct sl_records *records, const struct sl_message *message);

#endif
