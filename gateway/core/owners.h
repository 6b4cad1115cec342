/* Owners: whom limits count. An owner is a client's address (an IPv4 address, or the /64 network of an
 * IPv6 address), or the subject of its token. Each has a count of connections and a token bucket for each
 * limit, so that nobody takes what others need.
 * Owner: the app. Thread: any; the table is under locks of its own, the buckets are atomics, since the
 * connections of one owner are on all shards (law 1). Errors: none; without memory an owner is NULL.
 *
 * NULL is an owner without limits: every call takes it. So are Unix sockets, whose file permissions say
 * who may connect, and everybody under `--limits off`.
 *
 * A bucket pays as long as it is not empty, even more than it holds; what it owes it has to earn first. It earns
 * the limit's rate, times the owner's factor (`--raise-limits`), and holds as many seconds' worth of it as
 * sl_limit_burst_s says. Entries that nobody holds stay until their buckets are full again, so that a new
 * connection is no new bucket; at most SL_OWNERS_IDLE_MAX of them, the oldest go first
 * (by and large: the table has parts). */
#ifndef SL_CORE_OWNERS_H
#define SL_CORE_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/metrics.h"

struct sl_address;
struct sl_owner;
struct sl_owners;
struct sl_raise_list;

#define SL_OWNERS_IDLE_MAX 65536
#define SL_OWNERS_SUBJECT_MAX 256 /* bytes; a longer one has no owner */

enum sl_limit {
	SL_LIMIT_REQUESTS,        /* requests that are no publish; frames that ask for nothing else counted here */
	SL_LIMIT_PUBLISHES,       /* messages */
	SL_LIMIT_PUBLISHED_BYTES, /* of payload */
	SL_LIMIT_DELIVERIES,      /* messages x subscribers here, and as much for each KiB of payload */
	SL_LIMIT_SUBSCRIBES,      /* channels joined */
	SL_LIMIT_HISTORY_BYTES,   /* read from history for the owner */
	SL_LIMIT_TOKEN_FAILURES,  /* tokens that had to be verified and do not count; of addresses alone */
	SL_LIMIT_COUNT
};

/* What the configuration says. */
struct sl_limits {
	bool is_off;                         /* no owner has a limit, of connections neither */
	uint64_t rates[SL_LIMIT_COUNT];      /* a second; 0: no limit */
	uint64_t max_connections;            /* in all; not lifted by `is_off` */
	uint64_t max_per_address, max_per_subject; /* connections; streams; 0: no limit */
	uint64_t max_sessions;               /* of an owner (live/session.h), on all shards; 0: no limit */
	unsigned reserved_percent;           /* of max_connections, kept for addresses that have none */
	const struct sl_raise_list *raises;  /* borrowed during the call */
};

enum sl_owner_verdict {
	SL_OWNER_OK,
	SL_OWNER_TOTAL,  /* above the limit in all: to be answered with a refusal */
	SL_OWNER_RESERVED, /* above the part of it that is not kept for others: the same */
	SL_OWNER_FULL,   /* above the owner's limit: the same */
	SL_OWNER_HARD,   /* above even the room for refusals: not counted, close it */
};

/* Returns new, or NULL. */
struct sl_owners *sl_owners_create(const struct sl_limits *limits);
void sl_owners_destroy(struct sl_owners *owners);

/* Ids depend on this seed alone, and on who the owner is: gateways with the same one know an owner by the same id.
 * Once, before there are owners. Without it the seed is zero, which suits tests. */
void sl_owners_set_seed(struct sl_owners *owners, const uint8_t seed[16]);

/* New limits, in force at once, also for owners that are known. */
void sl_owners_set_limits(struct sl_owners *owners, const struct sl_limits *limits);

/* Once a second: forgets some of those that nobody holds and whose buckets are full. */
void sl_owners_sweep(struct sl_owners *owners, uint64_t now_ms);

/* A new reference to the owner. NULL for a Unix socket, where there are no owners (NULL), and where memory ran
 * out. The subject is not "". */
struct sl_owner *sl_owners_get_address(struct sl_owners *owners, const struct sl_address *address);
struct sl_owner *sl_owners_get_subject(struct sl_owners *owners, const char *subject);

struct sl_owner *sl_owner_ref(struct sl_owner *owner);
void sl_owner_unref(struct sl_owner *owner);

/* What tables that evict from the owner with most (util/tally.h) know it by, on all nodes: never 0 but for NULL. */
uint64_t sl_owner_get_id(const struct sl_owner *owner);

/* Counts refusals for this limit. */
static inline enum sl_counter
sl_limit_counter(enum sl_limit limit)
{
	return (enum sl_counter)(SL_COUNTER_LIMITED_REQUESTS + (int)limit);
}

/* Seconds' worth of a rate that a bucket holds. */
unsigned sl_limit_burst_s(enum sl_limit limit);

/* ---- connections ---- */

/* Counts a connection, in all and for its address (NULL: in all alone), unless the verdict is SL_OWNER_HARD. */
enum sl_owner_verdict sl_owners_connect(struct sl_owners *owners, struct sl_owner *address);
void sl_owners_disconnect(struct sl_owners *owners, struct sl_owner *address);

/* The same for the owner alone: a client of a proxy's connection, or a stream of a subject. */
enum sl_owner_verdict sl_owner_enter(struct sl_owner *owner);
void sl_owner_leave(struct sl_owner *owner);

/* How many connections refusals may hold above a limit of `max`. */
uint64_t sl_owners_get_slack(uint64_t max);

/* ---- sessions ---- */

/* Counts one (live/session.h), unless its owner has as many as it may: false. */
bool sl_owner_enter_session(struct sl_owner *owner);
void sl_owner_leave_session(struct sl_owner *owner);

/* ---- buckets ---- */

/* `now_ms` is the monotonic clock, as the loop has it. 0: the bucket pays, and `amount` is taken. Else how many
 * ms it takes until it pays again, at least 1; nothing is taken. */
uint64_t sl_owner_take(struct sl_owner *owner, enum sl_limit limit, uint64_t amount, uint64_t now_ms);

/* The same without taking. */
uint64_t sl_owner_get_wait(const struct sl_owner *owner, enum sl_limit limit, uint64_t now_ms);

/* Takes what cannot be refused any more. */
void sl_owner_spend(struct sl_owner *owner, enum sl_limit limit, uint64_t amount, uint64_t now_ms);

/* Gives back what was taken or spent for something that did not come about. */
void sl_owner_refund(struct sl_owner *owner, enum sl_limit limit, uint64_t amount);

/* How many owners there are now. Any thread. */
uint64_t sl_owners_count(struct sl_owners *owners);

#endif
