/* Bus state: the shared data of the parts of the bus: bus.c (life, limits, numbers), bus_log.c (events of the
 * log), bus_publish.c, bus_shards.c, bus_read.c. No other file includes it.
 * Owner: the bus. Thread: as each member says. Errors: none. */
#ifndef SL_BUS_BUS_STATE_H
#define SL_BUS_BUS_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/bus.h"
#include "bus/records.h"

/* The bus's data of a shard. Aligned so that shards do not share a cache line. */
struct sl_bus_slot {
	struct sl_mailbox *mailbox; /* borrows; stays set after detach */
	bool attached;              /* under the lock */
	bool is_reset;              /* under the lock: the mailbox has no messages of this log yet */
	_Atomic bool is_overrun;    /* written under the lock: nothing is pushed */
	uint64_t lost_after;        /* under the lock */
	_Atomic unsigned wakers;    /* threads about to use the mailbox without the lock */
	struct sl_bus_events events;
	struct sl_bus *bus;         /* the bus of the slot, for the task */
	struct sl_task news;        /* notifies the shard of changes */
	bool has_news;              /* under the lock: the task is posted, or about to be */
	bool told_away;             /* under the lock: the state last reported to the shard */
	uint32_t told_epoch;
	_Atomic uint64_t failed, unknown, pending_now;
	_Atomic uint64_t overruns;
	_Atomic uint64_t latency[SL_LATENCY_BUCKETS + 1]; /* together: those published */
	_Atomic uint64_t latency_us;
} __attribute__((aligned(64)));

/* The place of the log's end. Changed under the bus's lock; any thread reads it at any time as one pair
 * (sl_bus_head). `version` is odd while the epoch changes, which makes the reader read again. */
struct sl_bus_place {
	_Atomic uint32_t version;
	_Atomic uint32_t epoch;
	_Atomic uint64_t head;
};

struct sl_bus {
	struct sl_backend *backend; /* owns */
	struct sl_bus_config config; /* under the lock */
	void (*on_notice)(void *arg, const struct sl_notice *notice); /* constant, as the next */
	void *notice_arg;
	_Atomic bool is_draining;
	_Atomic bool is_away;       /* written under the lock */
	bool is_started;            /* set once, before there is traffic */
	struct sl_bus_place place;
	pthread_mutex_t lock;
	uint64_t to_wake;           /* under the lock: shards whose mailbox was empty */
	struct sl_records records;  /* under the lock */
	uint64_t lost, resets;      /* under the lock; see struct sl_backend_stats */
	uint64_t away_ms, away_since_ms; /* under the lock: before this time, and when this time began */
	struct sl_bus_slot slots[SL_SHARDS_MAX];
};

static inline void
sl_bus_count(_Atomic uint64_t *counter, uint64_t by)
{
	atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

/* The head alone, with the lock held. */
static inline uint64_t
sl_bus_get_seq(const struct sl_bus *bus)
{
	return atomic_load_explicit(&bus->place.head, memory_order_relaxed);
}

static inline uint32_t
sl_bus_get_epoch(const struct sl_bus *bus)
{
	return atomic_load_explicit(&bus->place.epoch, memory_order_relaxed);
}

/* With the lock held: stops pushing to the shard, and wakes it. Once its mailbox is drained, the shard learns
 * that it lacks messages after the head. */
void sl_bus_overrun(struct sl_bus *bus, unsigned shard);

/* Lock not held: notifies each shard of its changes, by a task. */
void sl_bus_tell_news(struct sl_bus *bus);

/* Drops messages that shards have not taken. Call it once no other code uses the bus. */
void sl_bus_drop_mail(struct sl_bus *bus);

/* Sweeps history in one hold of the lock; true at the end of the records. */
bool sl_bus_sweep_some(struct sl_bus *bus);

/* Drops all messages beyond the limits or gone from the log, in short holds of the lock. */
void sl_bus_sweep_all(struct sl_bus *bus);

#endif
