#include "util/tally.h"

#include <assert.h>
#include <stdlib.h>

#include "util/err.h"
#include "util/table.h"

TAILQ_HEAD(entries, sl_tally_entry);

struct sl_tally_owner {
	struct sl_scale_node node; /* first: what the scale returns is the owner */
	UT_hash_handle hh;
	uint64_t id;
	size_t count;           /* of entries */
	struct entries entries; /* listed, oldest first */
};

void
sl_tally_init(struct sl_tally *tally)
{
	tally->owners = NULL;
	sl_scale_init(&tally->scale);
}

static struct sl_tally_owner *
add_owner(struct sl_tally *tally, uint64_t id)
{
	struct sl_tally_owner *owner = calloc(1, sizeof *owner);
	if (!owner)
		return NULL;
	owner->id = id;
	TAILQ_INIT(&owner->entries);
	HASH_ADD(hh, tally->owners, id, sizeof owner->id, owner);
	if (sl_table_holds(owner, hh))
		return owner;
	free(owner);
	return NULL;
}

static void
weigh(struct sl_tally *tally, struct sl_tally_owner *owner)
{
	if (TAILQ_EMPTY(&owner->entries))
		sl_scale_remove(&tally->scale, &owner->node);
	else
		sl_scale_put(&tally->scale, &owner->node, owner->count);
}

int
sl_tally_join(struct sl_tally *tally, struct sl_tally_entry *entry, uint64_t owner_id)
{
	struct sl_tally_owner *owner;
	assert(!entry->owner);
	HASH_FIND(hh, tally->owners, &owner_id, sizeof owner_id, owner);
	if (!owner)
		owner = add_owner(tally, owner_id);
	if (!owner)
		return SL_ENOMEM;
	owner->count++;
	weigh(tally, owner);
	entry->owner = owner;
	entry->is_listed = false;
	return 0;
}

void
sl_tally_leave(struct sl_tally *tally, struct sl_tally_entry *entry)
{
	struct sl_tally_owner *owner = entry->owner;
	if (!owner)
		return;
	sl_tally_unlist(tally, entry);
	entry->owner = NULL;
	owner->count--;
	weigh(tally, owner);
	if (owner->count > 0)
		return;
	HASH_DEL(tally->owners, owner);
	free(owner);
}

void
sl_tally_list(struct sl_tally *tally, struct sl_tally_entry *entry)
{
	struct sl_tally_owner *owner = entry->owner;
	if (entry->is_listed)
		TAILQ_REMOVE(&owner->entries, entry, entry);
	entry->is_listed = true;
	TAILQ_INSERT_TAIL(&owner->entries, entry, entry);
	weigh(tally, owner);
}

void
sl_tally_unlist(struct sl_tally *tally, struct sl_tally_entry *entry)
{
	struct sl_tally_owner *owner = entry->owner;
	if (!entry->is_listed)
		return;
	entry->is_listed = false;
	TAILQ_REMOVE(&owner->entries, entry, entry);
	weigh(tally, owner);
}

struct sl_tally_entry *
sl_tally_get_oldest_of_most(const struct sl_tally *tally)
{
	const struct sl_tally_owner *most = (struct sl_tally_owner *)sl_scale_get_first(&tally->scale);
	return most ? TAILQ_FIRST(&most->entries) : NULL;
}
