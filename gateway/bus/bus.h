/* Bus: one total order of messages, their history, and the shards that want them.
 * Owner: main creates and destroys it; it owns its backend. Thread: any, under one lock inside, which is never
 * held over a system call. Errors: as each call says.
 *
 * The life of a message: sl_bus_publish() passes it to the backend. The backend numbers it and calls
 * sl_bus_deliver() (bus/backend.h). That call appends it to history, pushes a reference to the mailbox of every
 * interested shard, and advances the head. */
#ifndef SL_BUS_BUS_H
#define SL_BUS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/cursor.h"
#include "core/mailbox.h"
#include "util/limits.h"
#include "util/span.h"

struct sl_backend;
struct sl_bus;
struct sl_message;

/* An announcement of one node to all. A later notice replaces one of the same name. */
struct sl_notice {
	struct sl_span name; /* visible ASCII, at most 128 bytes */
	struct sl_span text; /* JSON, at most 4 KiB */
	int64_t kept_s;      /* nodes that start before this time hear it; seconds since 1970 */
};

/* History's limits for a leased channel, whose name begins with '~' (live/lease.h). They hold whatever the
 * configuration says of other channels. Leased channels do not count in history_total_bytes and channels_max. */
#define SL_LEASED_MESSAGES_MAX 200
#define SL_LEASED_BYTES_MAX (UINT64_C(1) << 20)
#define SL_LEASED_AGE_MS 120000

/* Limits of all leased channels together, whatever node has lent them. Each node keeps those of all nodes, and
 * messages that other programs wrote into the log under such names. Beyond the limits a new channel gets no
 * record (SL_EFULL), and a channel that gains bytes loses as many. */
#define SL_LEASED_CHANNELS_MAX 4096
#define SL_LEASED_TOTAL_BYTES (UINT64_C(256) << 20)

struct sl_bus_config {
	size_t history_messages;    /* per channel, default 1000 */
	size_t history_bytes;       /* per channel, default 1 MiB */
	uint64_t history_age_ms;    /* per channel, default 5 minutes */
	size_t history_total_bytes; /* for all channels, default 256 MiB */
	size_t channels_max;        /* all channel records, default 1,000,000 */

	/* Called for each notice, those of this node included. From any thread, also before sl_bus_create has
	 * returned; `notice` is borrowed for the call. May be NULL. It is no limit, so sl_bus_set_limits leaves it
	 * alone. */
	void (*on_notice)(void *arg, const struct sl_notice *notice);
	void *notice_arg;
};

/* The times of publishes that got an id, from sl_bus_publish to the answer. */
#define SL_LATENCY_BUCKETS 17
extern const uint32_t sl_latency_bounds_us[SL_LATENCY_BUCKETS]; /* the upper bound of each bucket, rising */

struct sl_latency {
	uint64_t counts[SL_LATENCY_BUCKETS + 1]; /* of each bucket alone; the last counts longer times */
	uint64_t sum_us;
};

/* Figures of a backend whose log is elsewhere. Counters since the start, except those marked "now". */
struct sl_backend_stats {
	/* The bus counts these, for every backend. */
	uint64_t away_ms;      /* total time away, including the present one */
	uint64_t lost;         /* numbers that will never come */
	uint64_t resets;       /* changes to another log */
	uint64_t unknown;      /* publishes with an unknown outcome */
	bool connected;        /* now: not away, unless the backend corrects this */
	/* The backend counts these (get_stats). */
	uint64_t reconnects;
	uint64_t resyncs;      /* new starts of the tail, at the head */
	uint64_t retries;      /* publishes sent again */
	uint64_t lag;          /* now: numbers of the log that this node has not seen */
	uint64_t foreign;      /* messages of other programs in the log that could not be delivered */
	uint64_t pending_full; /* publishes refused because too many wait for the log */
};

/* Counters since the start, except those marked "now". */
struct sl_bus_stats {
	uint64_t published;  /* answered with an id, repeated keys included */
	uint64_t duplicates; /* repeated keys */
	uint64_t failed, pending_now;
	uint64_t channels_now, history_messages_now, history_bytes_now;
	uint64_t leased_messages_now, leased_bytes_now; /* the same for leased channels, which the others exclude */
	uint64_t evicted_count, evicted_bytes, evicted_age, evicted_total; /* messages, by the limit that evicted them */
	uint64_t channels_forgotten, mailbox_overruns, dedupe_now, dedupe_refused;
	uint64_t channels_evicted, dedupe_evicted; /* records and keys that made room for others */
	uint64_t evicted_log; /* messages that the log itself has lost */
	struct sl_latency latency;
	struct sl_backend_stats backend;
};

/* A channel's record in the bus; borrowed while a shard is interested in it. */
struct sl_channel;

/* Takes `backend` (also on failure) and starts it. Errors: SL_ENOMEM, and those of the backend's start. */
int sl_bus_create(struct sl_bus **out, const struct sl_bus_config *config,
	struct sl_backend *backend);
void sl_bus_destroy(struct sl_bus *bus);

/* Events for a shard, besides messages. Each is called on the shard's thread, by a task. If an event happens
 * several times before the shard runs again, it is called once, with the state at that time. */
struct sl_bus_events {
	/* The log is another one; call sl_bus_take_reset(). May be NULL. */
	void (*on_reset)(void *arg, uint32_t epoch);
	/* The backend does not reach its log (true), or reaches it again. It begins as reached. May be NULL. */
	void (*on_away)(void *arg, bool away);
	void *arg;
};

/* Call it before any traffic. `mailbox` (borrowed until detach) becomes that of shard `shard`,
 * 0..SL_SHARDS_MAX-1. `events` is copied; NULL: none. */
void sl_bus_attach(struct sl_bus *bus, unsigned shard, struct sl_mailbox *mailbox,
	const struct sl_bus_events *events);
/* The shard ends for good. Call it on its thread, or once that has ended. Nothing is pushed to or posted at its
 * mailbox after this returns, and the messages in it are dropped. A pending publish of the shard still gets its
 * on_done: on the thread that completes it, in sl_bus_destroy at the latest. The shard's interest ends with the
 * bus. */
void sl_bus_detach(struct sl_bus *bus, unsigned shard);

/* Returns the epoch of the log, and the head: the highest number that was delivered or will never come. Both
 * are of one moment. A shard's mailbox already has every message at or below the head that the shard wants,
 * unless there was an overrun or a loss. Any thread, without the lock. */
struct sl_cursor sl_bus_head(const struct sl_bus *bus);

/* A publish that may be answered SL_PENDING. Embed it; it must live until on_done ran. */
struct sl_publish {
	struct sl_task task;     /* used by the bus */
	struct sl_publish *next; /* used by the bus and its backends */
	unsigned shard;          /* used by the bus */
	uint64_t owner;          /* set by the caller: the owner that full tables count (core/owners.h); 0: nobody */
	int err;                 /* 0 or why it failed */
	struct sl_cursor id;     /* valid if err is 0 */
	uint32_t receivers;      /* the number of receivers, valid with its id, also if the answer comes at once: 0 for a
	                          * repeated key */
	uint32_t foreseen;       /* after SL_PENDING: the number of receivers at that moment */
	/* Called once, on the thread of the shard that published. */
	void (*on_done)(struct sl_publish *publish);
};

#define SL_BUS_KEY_MAX 64

/* Publishes from shard `shard`. That shard's mailbox is not woken by eventfd: it drains the mailbox at the end
 * of its turn. Takes the message's first reference, whatever the outcome. `key` is NULL, or the same for
 * messages that are the same: at most SL_BUS_KEY_MAX visible ASCII characters. It has no scope, so it must
 * contain its owner and its channel (live/publication.c).
 *
 * Returns 0 (`*id` is the message's, or the first one's for a repeated key), SL_PENDING (`pending->on_done`
 * follows), or an error. SL_EFULL: every remembered key is in flight, or too much waits for the log. Others:
 * SL_EBACKEND, SL_ENOMEM, SL_EDRAINING; after SL_PENDING SL_EUNKNOWN too. on_done is called only after
 * SL_PENDING. */
int sl_bus_publish(struct sl_bus *bus, unsigned shard, struct sl_message *message,
	const char *key, size_t key_len, struct sl_publish *pending, struct sl_cursor *id);

/* Announces `notice` (copied) to every node, this one included. Nodes that are away hear it later, and so do
 * nodes that start before it is too old. Each hears it by its on_notice. A single node has heard it when this
 * returns. Returns 0, SL_PENDING (`pending->on_done` follows; its `id` has no meaning), or an error as
 * sl_bus_publish. */
int sl_bus_announce(struct sl_bus *bus, unsigned shard, const struct sl_notice *notice,
	struct sl_publish *pending);

/* Shard `shard` wants every message of the channel from now on. Returns the record, and the head at which
 * interest began: messages of the channel above it reach the mailbox. A new record belongs to `owner`, as full
 * tables count. Interest counts once per shard: a second call without unwant is a programming error. Errors:
 * SL_ENOMEM, SL_EFULL (channels_max). */
int sl_bus_want(struct sl_bus *bus, unsigned shard, const char *name, size_t name_len,
	uint64_t owner, struct sl_channel **out, uint64_t *since_seq);

/* Ends interest. Do not use the record afterwards. */
void sl_bus_unwant(struct sl_bus *bus, unsigned shard, struct sl_channel *channel);

/* Returns the losses of an overrun of this shard's mailbox. Call it on the shard's thread, with the mailbox
 * drained. False: there was no overrun since the last call, or it happened after the drain. Then the mailbox
 * has messages to drain first, and its event_fd is readable. True: the mailbox lacks messages above
 * `*lost_after`. Pushing has started again, and the mailbox will have every message above the head `*resumed`. */
bool sl_bus_take_overrun(struct sl_bus *bus, unsigned shard, uint64_t *lost_after,
	uint64_t *resumed);

/* Call it on the shard's thread, once the mailbox is drained of the old log's messages. True: another log has
 * begun since the last call (sl_bus_reset), or since the shard attached. Messages above `*resumed` are pushed
 * to the mailbox from now on. Before this call none are, and sl_bus_take_overrun returns false. */
bool sl_bus_take_reset(struct sl_bus *bus, unsigned shard, struct sl_cursor *resumed);

/* One channel of a read. */
struct sl_read_channel {
	struct sl_channel *channel;
	uint64_t after;        /* the read wants this channel's messages above it */
	uint64_t gap_resumed;  /* out: 0, or the end of a loss: messages above `after`, up to it, are lost */
};

struct sl_read {
	struct sl_read_channel *channels; /* 1..SL_CHANNELS_MAX */
	size_t channel_count;
	uint32_t epoch;                   /* of the log of `after`; 0: any log */
	size_t max_messages, max_bytes;   /* bytes: the sum of object_len; the first message always fits */
	struct sl_message **messages;     /* room for max_messages; filled with references. Without room, the read only
	                                   * finds the gaps */
	uint8_t *sources;                 /* NULL, or room for max_messages; filled with the index of each one's channel */
	size_t count;                     /* out */
	uint64_t through;                 /* out: every message of the channels at or below it was returned or reported
	                                   * lost. It is the head if history held no more. It is below the last message
	                                   * if a channel is in the list twice and has had that message only once */
	bool more;                        /* out: a limit cut the read short */
	bool is_outdated;                 /* out: the log has another epoch; no message and no gap is returned */
};

/* Reads history, merged over the channels in rising order. Each read with an `after` below a gap reports that
 * gap, so continue with `after` at gap_resumed or higher. `through` may be below an `after` that was above the
 * head. */
void sl_bus_read(struct sl_bus *bus, struct sl_read *read);

/* Drops the history of a channel at once, without a gap: its name is never used again. */
void sl_bus_forget(struct sl_bus *bus, const char *name, size_t name_len);

/* Drops history that is too old or beyond a limit, at most some thousand messages per call. For shard 0's
 * timer, once per second. */
void sl_bus_sweep(struct sl_bus *bus);

/* Sets new limits, and at most `keys_max` idempotency keys. When this returns, messages beyond the limits have
 * been dropped, in many short holds of the lock, so do not call it on a shard's thread. Wanted channels stay;
 * new ones are refused. Keys beyond the limit go as new ones come. */
void sl_bus_set_limits(struct sl_bus *bus, const struct sl_bus_config *config, size_t keys_max);

/* Takes no more publishes (SL_EDRAINING from now on). */
void sl_bus_drain(struct sl_bus *bus);

/* True if other gateways may share the log, and may know things that this one does not. Any thread. */
bool sl_bus_has_siblings(const struct sl_bus *bus);

/* True if the backend is connected and storing, and not away. */
bool sl_bus_ready(struct sl_bus *bus);

/* True if a cursor of this epoch above the head must be wrong: the backend's last number is really lower. False
 * if this node may only lag behind. */
bool sl_bus_is_above_log(struct sl_bus *bus, uint64_t seq);

void sl_bus_get_stats(struct sl_bus *bus, struct sl_bus_stats *out);

#endif
