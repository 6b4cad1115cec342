/* Tally: how many entries of a bounded table each owner has, oldest first, so that a full table makes room at
 * the cost of whoever has most.
 * Owner: the table's. Thread: that of the table, or under its lock. Errors: SL_ENOMEM from adding.
 *
 * Adding, removing and finding whoever has most take O(log n) of the owners, who stand in a heap. */
#ifndef SL_UTIL_TALLY_H
#define SL_UTIL_TALLY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct sl_tally_owner;

/* Embed it in the table's entries. */
struct sl_tally_entry {
	struct sl_tally_owner *owner; /* NULL: not in a tally */
	TAILQ_ENTRY(sl_tally_entry) entry;
};

struct sl_tally {
	struct sl_tally_owner *owners;  /* by id */
	struct sl_tally_owner **heap;   /* whoever has most first */
	size_t count, cap;              /* of the heap */
};

void sl_tally_init(struct sl_tally *tally);
/* All entries have been removed. */
void sl_tally_finish(struct sl_tally *tally);

/* `owner` is an id; 0 is one too. Errors: SL_ENOMEM. */
int sl_tally_add(struct sl_tally *tally, struct sl_tally_entry *entry, uint64_t owner);
/* Also for one that is in none. */
void sl_tally_remove(struct sl_tally *tally, struct sl_tally_entry *entry);

/* The oldest entry of the owner that has most; of several the one that got there first. NULL: there is none. */
struct sl_tally_entry *sl_tally_get_oldest_of_most(const struct sl_tally *tally);

#endif
