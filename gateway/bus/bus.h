/* Bus: one total order of messages, their history, and who wants them.
 * Owner: main creates and destroys it; it owns its backend. Thread: any, under one lock
 * inside; never held over a system call. Errors: as each call says.
 *
 * The life of a message: sl_bus_publish() hands it to the backend; the backend numbers it
 * and calls sl_bus_deliver() (bus/backend.h), which appends it to history, pushes a
 * reference to the mailbox of every interested shard and advances the head. */
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

/* What one node tells all: its name is what a later notice replaces. */
struct sl_notice {
	struct sl_span name; /* visible ASCII, at most 128 bytes */
	struct sl_span text; /* JSON, at most 4 KiB */
	int64_t kept_s;      /* until when nodes that start are told of it; seconds since 1970 */
};

/* What history keeps of a leased channel, whose name begins with '~' (live/lease.h), whatever the
 * configuration says of others. It stands outside history_total_bytes and channels_max. */
#define SL_LEASED_MESSAGES_MAX 200
#define SL_LEASED_BYTES_MAX (UINT64_C(1) << 20)
#define SL_LEASED_AGE_MS 120000

/* Of all leased channels together, whoever has lent them: each node keeps those of all nodes, and what others wrote
 * into the log under such names. Beyond it a new one gets no record (SL_EFULL), and one that gains bytes loses as many. */
#define SL_LEASED_CHANNELS_MAX 4096
#define SL_LEASED_TOTAL_BYTES (UINT64_C(256) << 20)

struct sl_bus_config {
	size_t history_messages;    /* a channel, default 1000 */
	size_t history_bytes;       /* a channel, default 1 MiB */
	uint64_t history_age_ms;    /* a channel, default 5 minutes */
	size_t history_total_bytes; /* all channels, default 256 MiB */
	size_t channels_max;        /* channel records in all, default 1,000,000 */

	/* What a node announced, this one's own notices among them. From any thread, also before
	 * sl_bus_create has returned; `notice` is borrowed for the call. May be NULL. Not a limit:
	 * sl_bus_set_limits leaves it as it is. */
	void (*on_notice)(void *arg, const struct sl_notice *notice);
	void *notice_arg;
};

/* How long publishes took that got an id, from sl_bus_publish to the answer. */
#define SL_LATENCY_BUCKETS 17
extern const uint32_t sl_latency_bounds_us[SL_LATENCY_BUCKETS]; /* the most of each bucket, rising */

struct sl_latency {
	uint64_t counts[SL_LATENCY_BUCKETS + 1]; /* of each bucket alone; the last has what took longer */
	uint64_t sum_us;
};

/* What is known of a backend whose log is elsewhere. Counters since the start unless it says "now". */
struct sl_backend_stats {
	/* The bus counts these, for every backend. */
	uint64_t away_ms;      /* in all, while away too */
	uint64_t lost;         /* numbers that will never come */
	uint64_t resets;       /* times that the log was another one */
	uint64_t unknown;      /* publishes of which nobody knows whether they are stored */
	bool connected;        /* now; not away, unless the backend knows better */
	/* The backend does (get_stats). */
	uint64_t reconnects;
	uint64_t resyncs;      /* times that the tail began again, at the head */
	uint64_t retries;      /* publishes sent again */
	uint64_t lag;          /* now: numbers that the log has given and this node has not seen */
	uint64_t foreign;      /* what others wrote into the log and nobody could be given */
	uint64_t pending_full; /* publishes refused because too many waited for the log */
};

/* Counters, each since the start unless it says "now". */
struct sl_bus_stats {
	uint64_t published;  /* answered with an id, repeated keys among them */
	uint64_t duplicates; /* repeated keys */
	uint64_t failed, pending_now;
	uint64_t channels_now, history_messages_now, history_bytes_now;
	uint64_t leased_messages_now, leased_bytes_now; /* the same of leased channels, not among those */
	uint64_t evicted_count, evicted_bytes, evicted_age, evicted_total; /* messages, by the limit that did it */
	uint64_t channels_forgotten, mailbox_overruns, dedupe_now, dedupe_refused;
	uint64_t channels_evicted, dedupe_evicted; /* records and keys that made room for others */
	uint64_t evicted_log; /* messages that the log itself has lost */
	struct sl_latency latency;
	struct sl_backend_stats backend;
};

/* A channel's record in the bus; borrowed while a shard is interested in it. */
struct sl_channel;

/* Takes `backend` (also when it fails) and starts it. Errors: SL_ENOMEM, what the backend's
 * start returns. */
int sl_bus_create(struct sl_bus **out, const struct sl_bus_config *config,
	struct sl_backend *backend);
void sl_bus_destroy(struct sl_bus *bus);

/* What a shard is told apart from messages; each called on the shard's thread, by a task. What happens
 * several times before the shard runs again is told once, as it is by then. */
struct sl_bus_events {
	/* The log is another one: sl_bus_take_reset() has the place. May be NULL. */
	void (*on_reset)(void *arg, uint32_t epoch);
	/* The backend does not reach its log (true), or does again. At first it does. May be NULL. */
	void (*on_away)(void *arg, bool away);
	void *arg;
};

/* Before any traffic: `mailbox` (borrowed until detach) becomes that of shard `shard`,
 * 0..SL_SHARDS_MAX-1. `events` is copied; NULL: none. */
void sl_bus_attach(struct sl_bus *bus, unsigned shard, struct sl_mailbox *mailbox,
	const struct sl_bus_events *events);
/* The shard is going, for good; called on its thread, or once that has ended. Nothing is pushed
 * to or posted at its mailbox after this returns, and the messages in it are dropped. Publishes
 * of it still pending have their on_done called by whoever completes them, on that thread, at
 * the latest by sl_bus_destroy; its interest ends with the bus. */
void sl_bus_detach(struct sl_bus *bus, unsigned shard);

/* The epoch of the log, and the head: the highest number delivered, or known never to come. Both are of
 * one moment. Everything at or below the head that a shard was interested in is in that shard's mailbox
 * already (or was an overrun, or lost). Any thread, without the lock. */
struct sl_cursor sl_bus_head(const struct sl_bus *bus);

/* One publish that was answered SL_PENDING. Embed it; it must live until on_done ran. */
struct sl_publish {
	struct sl_task task;     /* used by the bus */
	struct sl_publish *next; /* used by the bus and its backends */
	unsigned shard;          /* used by the bus */
	uint64_t owner;          /* the caller's: for whom it is, as full tables count (core/owners.h); 0: nobody */
	int err;                 /* 0 or why it failed */
	struct sl_cursor id;     /* valid when err is 0 */
	uint32_t receivers;      /* whom it went to, valid with its id, also where the answer comes at once: 0 for a
	                          * repeated key */
	uint32_t foreseen;       /* after SL_PENDING: whom it would have gone to right then */
	/* Called once, on the thread of the shard that published. */
	void (*on_done)(struct sl_publish *publish);
};

#define SL_BUS_KEY_MAX 64

/* Publishes from shard `shard` (whose own mailbox is not woken by eventfd: it drains it at
 * the end of its turn). Takes the message's first reference whatever the outcome. `key` is NULL or
 * what makes the message the same as another, at most SL_BUS_KEY_MAX visible ASCII characters. It has
 * no scope: whose key it is, and of which channel, must be in it (live/publication.c).
 * Returns 0 (`*id` is the message's, or the first one's for a repeated key), SL_PENDING
 * (`pending->on_done` follows), or an error: SL_EFULL (every key remembered is in flight, or too much waits
 * for the log), SL_EBACKEND, SL_ENOMEM, SL_EDRAINING; after SL_PENDING SL_EUNKNOWN too. on_done is called
 * only after SL_PENDING. */
int sl_bus_publish(struct sl_bus *bus, unsigned shard, struct sl_message *message,
	const char *key, size_t key_len, struct sl_publish *pending, struct sl_cursor *id);

/* Tells every node of `notice` (copied), this one included, those too that are away or start before it
 * is too old: each hears it by its on_notice. Where there is one node alone it has heard it when this returns.
 * Returns 0, SL_PENDING (`pending->on_done` follows; its `id` means nothing), or an error as
 * sl_bus_publish. */
int sl_bus_announce(struct sl_bus *bus, unsigned shard, const struct sl_notice *notice,
	struct sl_publish *pending);

/* Shard `shard` wants every message of the channel from now on. Returns the record and the
 * head at which interest began: messages of the channel above it reach the mailbox. A record that is
 * new is `owner`'s, as full tables count.
 * Interest is counted once a shard: a second call without unwant is a programming error.
 * Errors: SL_ENOMEM, SL_EFULL (channels_max). */
int sl_bus_want(struct sl_bus *bus, unsigned shard, const char *name, size_t name_len,
	uint64_t owner, struct sl_channel **out, uint64_t *since_seq);

/* Ends interest; the record must not be used after. */
void sl_bus_unwant(struct sl_bus *bus, unsigned shard, struct sl_channel *channel);

/* What an overrun of this shard's mailbox lost. False: none since the last call, or it
 * happened since the mailbox was drained (which then has messages to be drained first, and
 * its event_fd is readable). True: the mailbox lacks messages above `*lost_after`; pushing
 * has started again, everything above the head `*resumed` will be in the mailbox. Called
 * by the shard's thread with the mailbox drained. */
bool sl_bus_take_overrun(struct sl_bus *bus, unsigned shard, uint64_t *lost_after,
	uint64_t *resumed);

/* Another log has begun since this was last asked (sl_bus_reset), or since the shard attached, and the
 * mailbox is drained of what the log before had: from now on messages above `*resumed` are pushed to it. Until
 * this is called none are, and sl_bus_take_overrun answers false. Called by the shard's thread. */
bool sl_bus_take_reset(struct sl_bus *bus, unsigned shard, struct sl_cursor *resumed);

/* One channel of a read. */
struct sl_read_channel {
	struct sl_channel *channel;
	uint64_t after;        /* this channel's messages above it are wanted */
	uint64_t gap_resumed;  /* out: 0, or: messages above `after` and at or below this are lost */
};

struct sl_read {
	struct sl_read_channel *channels; /* 1..SL_CHANNELS_MAX */
	size_t channel_count;
	uint32_t epoch;                   /* of the log that `after` is in; 0: whichever there is */
	size_t max_messages, max_bytes;   /* bytes: the sum of object_len; the first message always fits */
	struct sl_message **messages;     /* room for max_messages; filled with references. With
	                                     room for none only the gaps are found */
	uint8_t *sources;                 /* NULL, or room for max_messages: filled with which of the channels
	                                     each message is of */
	size_t count;                     /* out */
	uint64_t through;                 /* out: everything of the channels at or below it has
	                                     been returned or reported lost; the head when
	                                     history held no more. Below the last message where a
	                                     channel that is there twice has had it only once */
	bool more;                        /* out: a limit cut the read short */
	bool is_outdated;                 /* out: the log is another one than `epoch` says; nothing is
	                                     returned, and no gap found */
};

/* Reads history, merged over the channels in rising order. A gap is told by each read whose
 * `after` is below it: go on with `after` at gap_resumed or higher. `through` may be below
 * an `after` that was above the head. */
void sl_bus_read(struct sl_bus *bus, struct sl_read *read);

/* Drops the history of a channel at once, and tells nobody of a gap: its name is never used again. */
void sl_bus_forget(struct sl_bus *bus, const char *name, size_t name_len);

/* Drops history that is past its age or beyond a limit, at most some thousand messages a call.
 * For shard 0's timer, once a second. */
void sl_bus_sweep(struct sl_bus *bus);

/* New limits, and at most `keys_max` idempotency keys. What is beyond them has been dropped, in
 * many short holds of the lock, when this returns: not for a shard's thread. Channels that are
 * wanted stay; new ones are refused. Keys beyond the limit go as new ones come. */
void sl_bus_set_limits(struct sl_bus *bus, const struct sl_bus_config *config, size_t keys_max);

/* Stops taking publishes (SL_EDRAINING from now on). */
void sl_bus_drain(struct sl_bus *bus);

/* True where other gateways may share the log: what this one does not know another may. Any thread. */
bool sl_bus_has_siblings(const struct sl_bus *bus);

/* True when the backend is connected and storing, and not away. */
bool sl_bus_ready(struct sl_bus *bus);

/* True when a cursor of this epoch above the head can only be wrong (the backend's last
 * number is really lower), false when this node may merely lag behind. */
bool sl_bus_is_above_log(struct sl_bus *bus, uint64_t seq);

void sl_bus_get_stats(struct sl_bus *bus, struct sl_bus_stats *out);

#endif
