#include "core/owners.h"

#include <stdlib.h>
#include <string.h>

#include "core/owner_state.h"
#include "core/socket.h"
#include "util/hash.h"
#include "util/log.h"

#define SWEPT_A_PART 128
#define ADDRESS_LEN 16
#define KEY_MAX (1 + SL_OWNERS_SUBJECT_MAX + 1)

enum kind { KIND_ADDRESS = 'a', KIND_SUBJECT = 's' };

static void
set(_Atomic uint64_t *number, uint64_t value)
{
	atomic_store_explicit(number, value, memory_order_relaxed);
}

/* ---- limits ---- */

static uint32_t
find_factor(const struct sl_owners *owners, const struct sl_owner *owner)
{
	if (owner->key[0] == KIND_SUBJECT)
		return sl_raise_list_find_subject(&owners->raises, owner->key + 1);
	return sl_raise_list_find_address(&owners->raises, (const uint8_t *)owner->key + 1);
}

static void
lock_all(struct sl_owners *owners)
{
	for (int i = 0; i < SL_OWNERS_PARTS; i++)
		pthread_mutex_lock(&owners->parts[i].lock);
}

static void
unlock_all(struct sl_owners *owners)
{
	for (int i = 0; i < SL_OWNERS_PARTS; i++)
		pthread_mutex_unlock(&owners->parts[i].lock);
}

/* Under all locks. Without memory the list in force stays. */
static void
set_raises(struct sl_owners *owners, const struct sl_raise_list *raises)
{
	static const struct sl_raise_list none;
	struct sl_raise_list copy;
	if (sl_raise_list_copy(&copy, raises ? raises : &none) != 0) {
		sl_log(SL_LOG_ERROR, "limits.raises_kept", "error=\"out of memory\"");
		return;
	}
	sl_raise_list_finish(&owners->raises);
	owners->raises = copy;
	for (int i = 0; i < SL_OWNERS_PARTS; i++)
		for (struct sl_owner *owner = owners->parts[i].table; owner; owner = owner->hh.next)
			atomic_store_explicit(&owner->factor, find_factor(owners, owner), memory_order_relaxed);
}

void
sl_owners_set_limits(struct sl_owners *owners, const struct sl_limits *limits)
{
	uint64_t total = limits->max_connections;
	unsigned reserved = limits->is_off ? 0 : limits->reserved_percent;
	lock_all(owners);
	set_raises(owners, limits->raises);
	for (int i = 0; i < SL_LIMIT_COUNT; i++)
		set(&owners->rates[i], limits->is_off ? 0 : limits->rates[i]);
	set(&owners->max_connections, total);
	set(&owners->open_to_all, total - total * reserved / 100);
	set(&owners->max_per_address, limits->is_off ? 0 : limits->max_per_address);
	set(&owners->max_per_subject, limits->is_off ? 0 : limits->max_per_subject);
	set(&owners->max_sessions, limits->is_off ? 0 : limits->max_sessions);
	unlock_all(owners);
}

/* ---- life ---- */

struct sl_owners *
sl_owners_create(const struct sl_limits *limits)
{
	struct sl_owners *owners = aligned_alloc(_Alignof(struct sl_owners), sizeof *owners);
	if (!owners)
		return NULL;
	memset(owners, 0, sizeof *owners);
	for (int i = 0; i < SL_OWNERS_PARTS; i++) {
		pthread_mutex_init(&owners->parts[i].lock, NULL);
		TAILQ_INIT(&owners->parts[i].idle);
	}
	sl_owners_set_limits(owners, limits);
	return owners;
}

void
sl_owners_set_seed(struct sl_owners *owners, const uint8_t seed[16])
{
	memcpy(owners->seed, seed, sizeof owners->seed);
}

void
sl_owners_destroy(struct sl_owners *owners)
{
	if (!owners)
		return;
	for (int i = 0; i < SL_OWNERS_PARTS; i++) {
		struct sl_owner *owner, *next;
		HASH_ITER(hh, owners->parts[i].table, owner, next) {
			HASH_DEL(owners->parts[i].table, owner);
			free(owner);
		}
		pthread_mutex_destroy(&owners->parts[i].lock);
	}
	sl_raise_list_finish(&owners->raises);
	free(owners);
}

uint64_t
sl_owners_count(struct sl_owners *owners)
{
	uint64_t count = 0;
	lock_all(owners);
	for (int i = 0; i < SL_OWNERS_PARTS; i++)
		count += HASH_COUNT(owners->parts[i].table);
	unlock_all(owners);
	return count;
}

/* ---- a part of the table, under its lock ---- */

static void
leave_idle(struct sl_owner *owner)
{
	TAILQ_REMOVE(&owner->part->idle, owner, idle);
	owner->part->idle_count--;
}

static void
join_idle(struct sl_owner *owner)
{
	TAILQ_INSERT_TAIL(&owner->part->idle, owner, idle);
	owner->part->idle_count++;
}

static void
forget(struct sl_owner *owner)
{
	HASH_DEL(owner->part->table, owner);
	free(owner);
}

/* The same for one owner whenever it comes back, so that tables know it again; 64 bits, so that no two
 * share it by chance. */
static uint64_t
make_id(const struct sl_owners *owners, const char *key, size_t len)
{
	uint64_t id = sl_hash_with(owners->seed, key, len);
	return id ? id : 1;
}

/* Returns NULL without memory. */
static struct sl_owner *
add(struct sl_owners *owners, struct sl_owners_part *part, const char *key, size_t len, uint32_t hash)
{
	struct sl_owner *owner = calloc(1, sizeof *owner + len);
	if (!owner)
		return NULL;
	memcpy(owner->key, key, len);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, part->table, owner->key, len, hash, owner);
	if (!sl_table_holds(owner, hh)) {
		free(owner);
		return NULL;
	}
	owner->owners = owners;
	owner->part = part;
	owner->id = make_id(owners, key, len);
	atomic_init(&owner->factor, find_factor(owners, owner));
	return owner;
}

/* A part's table has the hash's low bits for itself. */
static struct sl_owner *
get_owner(struct sl_owners *owners, const char *key, size_t len)
{
	uint32_t hash = sl_hash(key, len);
	struct sl_owners_part *part = &owners->parts[(hash >> 24) % SL_OWNERS_PARTS];
	struct sl_owner *owner;
	pthread_mutex_lock(&part->lock);
	HASH_FIND_BYHASHVALUE(hh, part->table, key, len, hash, owner);
	if (!owner)
		owner = add(owners, part, key, len, hash);
	else if (sl_owner_load(&owner->refs) == 0)
		leave_idle(owner);
	if (owner)
		sl_owner_ref(owner);
	pthread_mutex_unlock(&part->lock);
	return owner;
}

static void
let_go(struct sl_owner *owner)
{
	struct sl_owners_part *part = owner->part;
	if (sl_buckets_are_untouched(owner)) {
		forget(owner);
		return;
	}
	join_idle(owner);
	if (part->idle_count <= SL_OWNERS_IDLE_MAX / SL_OWNERS_PARTS)
		return;
	struct sl_owner *oldest = TAILQ_FIRST(&part->idle);
	leave_idle(oldest);
	forget(oldest);
}

static void
sweep(struct sl_owners_part *part, uint64_t now_ns)
{
	struct sl_owner *owner;
	pthread_mutex_lock(&part->lock);
	for (unsigned i = 0; i < SWEPT_A_PART && (owner = TAILQ_FIRST(&part->idle)); i++) {
		leave_idle(owner);
		if (sl_buckets_are_full(owner, now_ns))
			forget(owner);
		else
			join_idle(owner);
	}
	pthread_mutex_unlock(&part->lock);
}

void
sl_owners_sweep(struct sl_owners *owners, uint64_t now_ms)
{
	for (int i = 0; i < SL_OWNERS_PARTS; i++)
		sweep(&owners->parts[i], now_ms * SL_NS_PER_MS);
}

/* ---- references ---- */

struct sl_owner *
sl_owners_get_address(struct sl_owners *owners, const struct sl_address *address)
{
	char key[1 + ADDRESS_LEN] = { KIND_ADDRESS };
	if (!owners || !sl_address_get_owner(address, (uint8_t *)key + 1))
		return NULL;
	return get_owner(owners, key, sizeof key);
}

struct sl_owner *
sl_owners_get_subject(struct sl_owners *owners, const char *subject)
{
	char key[KEY_MAX] = { KIND_SUBJECT };
	size_t len = strlen(subject);
	if (!owners || len > SL_OWNERS_SUBJECT_MAX)
		return NULL;
	memcpy(key + 1, subject, len + 1);
	return get_owner(owners, key, 1 + len + 1);
}

struct sl_owner *
sl_owner_ref(struct sl_owner *owner)
{
	if (owner)
		atomic_fetch_add_explicit(&owner->refs, 1, memory_order_relaxed);
	return owner;
}

/* The last one, as far as is known: under the lock nobody can find the owner meanwhile. */
static void
drop_last(struct sl_owner *owner)
{
	struct sl_owners_part *part = owner->part;
	pthread_mutex_lock(&part->lock);
	if (atomic_fetch_sub_explicit(&owner->refs, 1, memory_order_acq_rel) == 1)
		let_go(owner);
	pthread_mutex_unlock(&part->lock);
}

void
sl_owner_unref(struct sl_owner *owner)
{
	uint64_t refs = owner ? sl_owner_load(&owner->refs) : 0;
	while (refs > 1)
		if (atomic_compare_exchange_weak_explicit(&owner->refs, &refs, refs - 1,
				memory_order_release, memory_order_relaxed))
			return;
	if (owner)
		drop_last(owner);
}

uint64_t
sl_owner_get_id(const struct sl_owner *owner)
{
	return owner ? owner->id : 0;
}

/* ---- connections ---- */

uint64_t
sl_owners_get_slack(uint64_t max)
{
	return max / 16 + 16;
}

static uint64_t
get_max(const struct sl_owner *owner)
{
	const struct sl_owners *owners = owner->owners;
	uint64_t max = sl_owner_load(owner->key[0] == KIND_SUBJECT ? &owners->max_per_subject : &owners->max_per_address);
	return max * atomic_load_explicit(&owner->factor, memory_order_relaxed);
}

enum sl_owner_verdict
sl_owner_enter(struct sl_owner *owner)
{
	if (!owner)
		return SL_OWNER_OK;
	uint64_t max = get_max(owner);
	uint64_t count = atomic_fetch_add_explicit(&owner->connections, 1, memory_order_relaxed) + 1;
	if (max == 0 || count <= max)
		return SL_OWNER_OK;
	if (count <= max + sl_owners_get_slack(max))
		return SL_OWNER_FULL;
	sl_owner_leave(owner);
	return SL_OWNER_HARD;
}

void
sl_owner_leave(struct sl_owner *owner)
{
	if (owner)
		atomic_fetch_sub_explicit(&owner->connections, 1, memory_order_relaxed);
}

/* What is kept is for addresses that have none yet, and for those without limits. */
static bool
may_use_reserve(const struct sl_owner *owner)
{
	return !owner || sl_owner_load(&owner->connections) == 0 ||
		atomic_load_explicit(&owner->factor, memory_order_relaxed) == SL_RAISE_OFF;
}

/* Those who may not use the reserve are counted while they are refused, but in a quarter of it alone: else their
 * refusals would fill it. */
static enum sl_owner_verdict
judge_total(struct sl_owners *owners, const struct sl_owner *address, uint64_t total)
{
	uint64_t max = sl_owner_load(&owners->max_connections), open_to_all = sl_owner_load(&owners->open_to_all);
	bool is_kept_out = total > open_to_all && open_to_all < max && !may_use_reserve(address);
	uint64_t room = is_kept_out ? open_to_all + (max - open_to_all) / 4 : max + sl_owners_get_slack(max);
	if (total > room)
		return SL_OWNER_HARD;
	if (is_kept_out)
		return SL_OWNER_RESERVED;
	return total > max ? SL_OWNER_TOTAL : SL_OWNER_OK;
}

enum sl_owner_verdict
sl_owners_connect(struct sl_owners *owners, struct sl_owner *address)
{
	uint64_t total = atomic_fetch_add_explicit(&owners->connections, 1, memory_order_relaxed) + 1;
	enum sl_owner_verdict verdict = judge_total(owners, address, total);
	enum sl_owner_verdict own = verdict == SL_OWNER_HARD ? SL_OWNER_HARD : sl_owner_enter(address);
	if (own == SL_OWNER_HARD)
		atomic_fetch_sub_explicit(&owners->connections, 1, memory_order_relaxed);
	return verdict == SL_OWNER_OK || own == SL_OWNER_HARD ? own : verdict;
}

void
sl_owners_disconnect(struct sl_owners *owners, struct sl_owner *address)
{
	atomic_fetch_sub_explicit(&owners->connections, 1, memory_order_relaxed);
	sl_owner_leave(address);
}

/* ---- sessions ---- */

bool
sl_owner_enter_session(struct sl_owner *owner)
{
	if (!owner)
		return true;
	uint64_t max = sl_owner_load(&owner->owners->max_sessions) *
		atomic_load_explicit(&owner->factor, memory_order_relaxed);
	uint64_t count = atomic_fetch_add_explicit(&owner->sessions, 1, memory_order_relaxed) + 1;
	if (max == 0 || count <= max)
		return true;
	sl_owner_leave_session(owner);
	return false;
}

void
sl_owner_leave_session(struct sl_owner *owner)
{
	if (owner)
		atomic_fetch_sub_explicit(&owner->sessions, 1, memory_order_relaxed);
}
