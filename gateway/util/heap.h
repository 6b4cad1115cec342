/* Heap: the things of a table by a weight, so that the heaviest is known at once.
 * Owner: the table's. Thread: that of the table, or under its lock. Errors: SL_ENOMEM from reserving,
 * after which as many things as were reserved can be put without an error.
 *
 * Of things that weigh the same the first is the one that came to its weight before the others: whoever
 * takes a little from the first each time takes from all of them in turn. Putting and removing take
 * O(log n); what did not change costs one comparison. */
#ifndef SL_UTIL_HEAP_H
#define SL_UTIL_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embed it in what is weighed; all zero: in no heap. */
struct sl_heap_node {
	size_t place; /* in the heap, from 1; 0: in none */
};

/* The weights stand beside each other, so that comparing does not fetch the nodes. */
struct sl_heap_slot {
	uint64_t weight, arrival;
	struct sl_heap_node *node; /* borrows */
};

struct sl_heap {
	struct sl_heap_slot *slots;
	size_t count, capacity;
	uint64_t arrivals;
};

/* A zeroed struct is an empty heap. */
void sl_heap_finish(struct sl_heap *heap);

/* Room for `count` nodes in all. Errors: SL_ENOMEM, nothing changed. */
int sl_heap_reserve(struct sl_heap *heap, size_t count);

/* Puts a node, or gives the one that is there another weight. There must be room. */
void sl_heap_put(struct sl_heap *heap, struct sl_heap_node *node, uint64_t weight);

/* Also for one that is in none. */
void sl_heap_remove(struct sl_heap *heap, struct sl_heap_node *node);

/* The heaviest; NULL: the heap is empty. */
struct sl_heap_node *sl_heap_get_first(const struct sl_heap *heap);

static inline bool
sl_heap_holds(const struct sl_heap_node *node)
{
	return node->place != 0;
}

/* The weight with which it was put. It must be in the heap. */
static inline uint64_t
sl_heap_get_weight(const struct sl_heap *heap, const struct sl_heap_node *node)
{
	return heap->slots[node->place - 1].weight;
}

#endif
