/* Tally: how many entries of a bounded table each owner has, oldest first, so that a full table makes room at
 * the cost of whoever has most.
 * Owner: the table's. Thread: that of the table, or under its lock. Errors: SL_ENOMEM from joining alone.
 *
 * An entry joins the owner for which it is made, and counts until it leaves. It is listed while it may be evicted:
 * listing and unlisting cannot fail. Owners stand on a scale: from 32 entries on, who has most counts to a sixteenth. */
#ifndef SL_UTIL_TALLY_H
#define SL_UTIL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "util/scale.h"

struct sl_tally_owner;

/* Embed it in the table's entries; all zero: in no tally. */
struct sl_tally_entry {
	struct sl_tally_owner *owner; /* borrows; the tally frees it with its last entry */
	TAILQ_ENTRY(sl_tally_entry) entry; /* while it is listed */
	bool is_listed;
};

struct sl_tally {
	struct sl_tally_owner *owners; /* by id; each lives while an entry of it is in the tally */
	struct sl_scale scale;         /* of those with listed entries, by the number of all that they have */
};

/* Needs no finishing once all entries have left. */
void sl_tally_init(struct sl_tally *tally);

/* `owner` is an id; 0 is one too: what belongs to nobody. The entry is in no tally, and is not listed yet. Errors:
 * SL_ENOMEM, the entry is as it was. */
int sl_tally_join(struct sl_tally *tally, struct sl_tally_entry *entry, uint64_t owner);

/* Unlists it as well. Also for one that is in none. */
void sl_tally_leave(struct sl_tally *tally, struct sl_tally_entry *entry);

/* The entry, which has joined, is its owner's newest; also for one that is listed: its age begins anew. */
void sl_tally_list(struct sl_tally *tally, struct sl_tally_entry *entry);

/* Also for one that is not listed. */
void sl_tally_unlist(struct sl_tally *tally, struct sl_tally_entry *entry);

/* The oldest listed entry of the owner that has most entries, among those with listed ones; of several owners the
 * one that got there first. NULL: none is listed. */
struct sl_tally_entry *sl_tally_get_oldest_of_most(const struct sl_tally *tally);

#endif
