#include "bus/dedupe.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "bus/bus.h"
#include "util/err.h"
#include "util/table.h"
#include "util/tally.h"

#define SWEEP_MAX 4096
#define FORGOTTEN_AT_ONCE 512 /* in one hold of the lock */
#define GONE_PER_BEGIN 2 /* more than one, so that the table shrinks under load */

struct sl_dedupe_entry {
	struct sl_tally_entry tally; /* first: what the tally returns is the entry; listed once done */
	UT_hash_handle hh;
	bool is_done;
	struct sl_cursor id;    /* once done */
	uint64_t done_ms;
	struct sl_publish *waiting, **waiting_end; /* while in flight; borrows */
	TAILQ_ENTRY(sl_dedupe_entry) done; /* once done */
	char key[];
};

struct sl_dedupe {
	pthread_mutex_t lock;
	struct sl_dedupe_entry *table;
	TAILQ_HEAD(sl_dedupe_list, sl_dedupe_entry) done; /* in order of finishing */
	struct sl_tally tally;
	size_t entries_max;
	uint64_t duplicates, refused, evicted;
};

int
sl_dedupe_create(struct sl_dedupe **out, size_t entries_max)
{
	struct sl_dedupe *dedupe = calloc(1, sizeof *dedupe);
	if (!dedupe)
		return SL_ENOMEM;
	pthread_mutex_init(&dedupe->lock, NULL);
	TAILQ_INIT(&dedupe->done);
	sl_tally_init(&dedupe->tally);
	dedupe->entries_max = entries_max;
	*out = dedupe;
	return 0;
}

void
sl_dedupe_lock(struct sl_dedupe *dedupe)
{
	pthread_mutex_lock(&dedupe->lock);
}

void
sl_dedupe_unlock(struct sl_dedupe *dedupe)
{
	pthread_mutex_unlock(&dedupe->lock);
}

void
sl_dedupe_set_max(struct sl_dedupe *dedupe, size_t entries_max)
{
	sl_dedupe_lock(dedupe);
	dedupe->entries_max = entries_max;
	sl_dedupe_unlock(dedupe);
}

static void
forget(struct sl_dedupe *dedupe, struct sl_dedupe_entry *entry)
{
	if (entry->is_done)
		TAILQ_REMOVE(&dedupe->done, entry, done);
	sl_tally_leave(&dedupe->tally, &entry->tally);
	HASH_DEL(dedupe->table, entry);
	free(entry);
}

void
sl_dedupe_destroy(struct sl_dedupe *dedupe)
{
	if (!dedupe)
		return;
	while (!TAILQ_EMPTY(&dedupe->done))
		forget(dedupe, TAILQ_FIRST(&dedupe->done));
	assert(!dedupe->table);
	pthread_mutex_destroy(&dedupe->lock);
	free(dedupe);
}

static bool
is_expired(const struct sl_dedupe_entry *entry, uint64_t now_ms)
{
	return entry && entry->is_done && now_ms >= entry->done_ms + SL_DEDUPE_KEPT_MS;
}

static void
expire(struct sl_dedupe *dedupe, uint64_t now_ms, size_t max)
{
	while (max-- && is_expired(TAILQ_FIRST(&dedupe->done), now_ms))
		forget(dedupe, TAILQ_FIRST(&dedupe->done));
}

/* Full, and nothing may go. */
static bool
is_stuck(const struct sl_dedupe *dedupe)
{
	return HASH_COUNT(dedupe->table) >= dedupe->entries_max &&
		(!dedupe->entries_max || !sl_tally_get_oldest_of_most(&dedupe->tally));
}

static void
evict(struct sl_dedupe *dedupe)
{
	for (size_t left = GONE_PER_BEGIN; left && HASH_COUNT(dedupe->table) > dedupe->entries_max; left--) {
		struct sl_tally_entry *oldest = sl_tally_get_oldest_of_most(&dedupe->tally);
		if (!oldest)
			return;
		forget(dedupe, (struct sl_dedupe_entry *)oldest);
		dedupe->evicted++;
	}
}

static int
add(struct sl_dedupe *dedupe, struct sl_span key, uint64_t owner, struct sl_dedupe_entry **out)
{
	*out = NULL;
	if (is_stuck(dedupe)) {
		dedupe->refused++;
		return SL_EFULL;
	}
	struct sl_dedupe_entry *entry = calloc(1, sizeof *entry + key.len);
	if (!entry)
		return SL_ENOMEM;
	entry->waiting_end = &entry->waiting;
	memcpy(entry->key, key.bytes, key.len);
	if (sl_tally_join(&dedupe->tally, &entry->tally, owner) != 0) {
		free(entry);
		return SL_ENOMEM;
	}
	HASH_ADD_KEYPTR(hh, dedupe->table, entry->key, (unsigned)key.len, entry);
	if (!sl_table_holds(entry, hh)) {
		sl_tally_leave(&dedupe->tally, &entry->tally);
		free(entry);
		return SL_ENOMEM;
	}
	evict(dedupe); /* last, so that nothing goes where memory runs out */
	*out = entry;
	return 0;
}

static void
wait_for(struct sl_dedupe_entry *entry, struct sl_publish *waiting)
{
	waiting->next = NULL;
	*entry->waiting_end = waiting;
	entry->waiting_end = &waiting->next;
}

int
sl_dedupe_begin(struct sl_dedupe *dedupe, struct sl_span key, uint64_t now_ms,
	struct sl_publish *asking, struct sl_dedupe_entry **entry, struct sl_cursor *id)
{
	assert(key.len <= SL_BUS_KEY_MAX);
	expire(dedupe, now_ms, GONE_PER_BEGIN);
	struct sl_dedupe_entry *found;
	HASH_FIND(hh, dedupe->table, key.bytes, (unsigned)key.len, found);
	if (is_expired(found, now_ms)) {
		/* Those before it in the order are expired as well. */
		expire(dedupe, now_ms, SIZE_MAX);
		found = NULL;
	}
	if (!found)
		return add(dedupe, key, asking->owner, entry);
	*entry = NULL;
	dedupe->duplicates++;
	if (found->is_done) {
		*id = found->id;
		return 0;
	}
	wait_for(found, asking);
	return SL_PENDING;
}

struct sl_publish *
sl_dedupe_finish(struct sl_dedupe *dedupe, struct sl_dedupe_entry *entry, int err,
	struct sl_cursor id, uint64_t now_ms)
{
	struct sl_publish *waiting = entry->waiting;
	assert(!entry->is_done);
	if (err) {
		forget(dedupe, entry);
		return waiting;
	}
	entry->is_done = true;
	entry->id = id;
	entry->done_ms = now_ms;
	TAILQ_INSERT_TAIL(&dedupe->done, entry, done);
	sl_tally_list(&dedupe->tally, &entry->tally);
	return waiting;
}

void
sl_dedupe_sweep(struct sl_dedupe *dedupe, uint64_t now_ms)
{
	sl_dedupe_lock(dedupe);
	expire(dedupe, now_ms, SWEEP_MAX);
	sl_dedupe_unlock(dedupe);
}

/* What is done meanwhile comes behind them in the order. */
void
sl_dedupe_forget_done(struct sl_dedupe *dedupe)
{
	sl_dedupe_lock(dedupe);
	size_t left = HASH_COUNT(dedupe->table);
	sl_dedupe_unlock(dedupe);
	while (left > 0) {
		size_t count = left < FORGOTTEN_AT_ONCE ? left : FORGOTTEN_AT_ONCE;
		left -= count;
		sl_dedupe_lock(dedupe);
		while (count-- > 0 && !TAILQ_EMPTY(&dedupe->done))
			forget(dedupe, TAILQ_FIRST(&dedupe->done));
		sl_dedupe_unlock(dedupe);
	}
}

void
sl_dedupe_get_stats(struct sl_dedupe *dedupe, struct sl_bus_stats *out)
{
	sl_dedupe_lock(dedupe);
	out->duplicates = dedupe->duplicates;
	out->dedupe_now = HASH_COUNT(dedupe->table);
	out->dedupe_refused = dedupe->refused;
	out->dedupe_evicted = dedupe->evicted;
	sl_dedupe_unlock(dedupe);
}
