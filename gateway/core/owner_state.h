/* Owner's state: what the table keeps of an owner, and what everybody may have. For owners.c and buckets.c
 * alone.
 * Owner: the table. Thread: any: atomics, or under a lock. Errors: none. */
#ifndef SL_CORE_OWNER_STATE_H
#define SL_CORE_OWNER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "config/raise.h"
#include "core/owners.h"
#include "util/table.h"

#define SL_NS_PER_MS UINT64_C(1000000)
#define SL_NS_PER_S UINT64_C(1000000000)

struct sl_owner {
	struct sl_owners *owners;
	_Atomic uint64_t refs;        /* from 0 and to 0 under its part's lock alone */
	_Atomic uint32_t factor;      /* of all limits; SL_RAISE_OFF: none */
	_Atomic uint64_t connections, sessions;
	/* When the bucket will be full again, in ns of the monotonic clock: it lacks what the rate
	 * earns until then, so that one word says it all (a virtual schedule: ITU-T I.371, annex A). */
	_Atomic uint64_t full_ns[SL_LIMIT_COUNT];
	uint64_t id;
	struct sl_owners_part *part;  /* of the table, in which it is */
	TAILQ_ENTRY(sl_owner) idle;   /* while nobody holds it */
	UT_hash_handle hh;
	char key[];                     /* its kind; the address's bytes, or the subject and NUL */
};

/* Owners are spread over parts by the hash of their key, so that shards do not wait for each other: behind a
 * proxy each request gets an owner and gives it back. */
#define SL_OWNERS_PARTS 16

struct sl_owners_part {
	_Alignas(64) pthread_mutex_t lock;
	struct sl_owner *table;
	TAILQ_HEAD(, sl_owner) idle;  /* the one unused for the longest first */
	size_t idle_count;
};

struct sl_owners {
	struct sl_owners_part parts[SL_OWNERS_PARTS];
	uint8_t seed[16];             /* of ids; does not change once there are any */
	struct sl_raise_list raises;  /* owns; read under the lock of any part, written under those of all */
	_Atomic uint64_t rates[SL_LIMIT_COUNT]; /* 0: no limit */
	_Atomic uint64_t connections, max_connections, open_to_all; /* of max_connections, the part not kept */
	_Atomic uint64_t max_per_address, max_per_subject, max_sessions;
};

static inline uint64_t
sl_owner_load(const _Atomic uint64_t *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

/* ---- buckets.c ---- */

/* True when it never paid: a new one would be the same. */
bool sl_buckets_are_untouched(const struct sl_owner *owner);

bool sl_buckets_are_full(const struct sl_owner *owner, uint64_t now_ns);

#endif
