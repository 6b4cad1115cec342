#include "auth/revocations.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/buffer.h"
#include "util/err.h"
#include "util/table.h"

#define SWEEP_S 60 /* the least between two walks over all */

struct revocation {
	int64_t until_s, kept_s;
	UT_hash_handle hh;
	char subject[];
};

struct sl_revocations {
	pthread_mutex_t lock; /* of all that follows but the generation */
	struct revocation *table;
	size_t max;
	int64_t first_end_s; /* no entry ends before; INT64_MAX without entries */
	int64_t swept_s;
	_Atomic uint64_t generation;
};

struct sl_revocations *
sl_revocations_create(size_t max)
{
	struct sl_revocations *revocations = calloc(1, sizeof *revocations);
	if (!revocations)
		return NULL;
	pthread_mutex_init(&revocations->lock, NULL);
	revocations->max = max;
	revocations->first_end_s = INT64_MAX;
	return revocations;
}

static void
take_out(struct sl_revocations *revocations, struct revocation *revocation)
{
	HASH_DEL(revocations->table, revocation);
	free(revocation);
}

void
sl_revocations_destroy(struct sl_revocations *revocations)
{
	if (!revocations)
		return;
	while (revocations->table)
		take_out(revocations, revocations->table);
	pthread_mutex_destroy(&revocations->lock);
	free(revocations);
}

void
sl_revocations_set_max(struct sl_revocations *revocations, size_t max)
{
	pthread_mutex_lock(&revocations->lock);
	revocations->max = max;
	pthread_mutex_unlock(&revocations->lock);
}

/* With the lock held, as all below. */
static void
sweep(struct sl_revocations *revocations, int64_t now_s)
{
	struct revocation *next;
	revocations->swept_s = now_s;
	revocations->first_end_s = INT64_MAX;
	for (struct revocation *one = revocations->table; one; one = next) {
		next = one->hh.next;
		if (one->kept_s <= now_s)
			take_out(revocations, one);
		else if (one->kept_s < revocations->first_end_s)
			revocations->first_end_s = one->kept_s;
	}
}

static void
sweep_if_due(struct sl_revocations *revocations, int64_t now_s)
{
	bool is_recent = revocations->swept_s <= now_s && now_s - revocations->swept_s < SWEEP_S;
	bool is_full = HASH_COUNT(revocations->table) >= revocations->max;
	if (revocations->first_end_s <= now_s && (is_full || !is_recent))
		sweep(revocations, now_s);
}

static struct revocation *
find(struct sl_revocations *revocations, struct sl_span subject)
{
	struct revocation *found;
	HASH_FIND(hh, revocations->table, subject.bytes, subject.len, found);
	return found;
}

static int
insert(struct sl_revocations *revocations, struct sl_span subject, int64_t until_s, int64_t kept_s)
{
	if (HASH_COUNT(revocations->table) >= revocations->max)
		return SL_EFULL;
	struct revocation *one = calloc(1, sizeof *one + subject.len + 1);
	if (!one)
		return SL_ENOMEM;
	one->until_s = until_s;
	one->kept_s = kept_s;
	memcpy(one->subject, subject.bytes, subject.len);
	HASH_ADD(hh, revocations->table, subject, subject.len, one);
	if (sl_table_holds(one, hh))
		return 0;
	free(one);
	return SL_ENOMEM;
}

int
sl_revocations_add(struct sl_revocations *revocations, struct sl_span subject, int64_t until_s,
	int64_t kept_s, int64_t now_s)
{
	int err = 0;
	if (kept_s <= now_s)
		return 0; /* old news: such tokens have all expired */
	pthread_mutex_lock(&revocations->lock);
	sweep_if_due(revocations, now_s);
	struct revocation *known = find(revocations, subject);
	if (!known) {
		err = insert(revocations, subject, until_s, kept_s);
	} else {
		known->until_s = until_s > known->until_s ? until_s : known->until_s;
		known->kept_s = kept_s > known->kept_s ? kept_s : known->kept_s;
	}
	if (err == 0 && kept_s < revocations->first_end_s)
		revocations->first_end_s = kept_s;
	if (err == 0) /* last: who sees the new one finds the entry */
		atomic_fetch_add(&revocations->generation, 1);
	pthread_mutex_unlock(&revocations->lock);
	return err;
}

bool
sl_revocations_has(struct sl_revocations *revocations, struct sl_span subject, int64_t issued_s,
	int64_t now_s)
{
	if (sl_revocations_get_generation(revocations) == 0)
		return false;
	pthread_mutex_lock(&revocations->lock);
	sweep_if_due(revocations, now_s);
	const struct revocation *found = find(revocations, subject);
	bool has = found && found->kept_s > now_s && issued_s <= found->until_s;
	pthread_mutex_unlock(&revocations->lock);
	return has;
}

bool
sl_revocations_find(struct sl_revocations *revocations, struct sl_span subject, int64_t *until_s,
	int64_t *kept_s)
{
	pthread_mutex_lock(&revocations->lock);
	const struct revocation *found = find(revocations, subject);
	if (found) {
		*until_s = found->until_s;
		*kept_s = found->kept_s;
	}
	pthread_mutex_unlock(&revocations->lock);
	return found;
}

uint64_t
sl_revocations_get_generation(const struct sl_revocations *revocations)
{
	return atomic_load(&revocations->generation);
}

size_t
sl_revocations_count(struct sl_revocations *revocations)
{
	pthread_mutex_lock(&revocations->lock);
	size_t count = HASH_COUNT(revocations->table);
	pthread_mutex_unlock(&revocations->lock);
	return count;
}

void
sl_revocations_append(struct sl_revocations *revocations, struct sl_buffer *out, int64_t now_s)
{
	pthread_mutex_lock(&revocations->lock);
	for (const struct revocation *one = revocations->table; one; one = one->hh.next) {
		if (one->kept_s <= now_s)
			continue;
		sl_buffer_append_str(out, "{\"subject\":");
		sl_buffer_append_json_string(out, one->subject, one->hh.keylen);
		sl_buffer_printf(out, ",\"until\":%lld,\"kept\":%lld}\n", (long long)one->until_s,
			(long long)one->kept_s);
	}
	pthread_mutex_unlock(&revocations->lock);
}
