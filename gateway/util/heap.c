#include "util/heap.h"

#include <assert.h>
#include <stdlib.h>

#include "util/err.h"

/* Four children of a node share two cache lines, and the heap has half the levels of one with two. */
#define CHILDREN 4
#define FIRST_CAPACITY 16

void
sl_heap_finish(struct sl_heap *heap)
{
	free(heap->slots);
	*heap = (struct sl_heap){ 0 };
}

int
sl_heap_reserve(struct sl_heap *heap, size_t count)
{
	if (count <= heap->capacity)
		return 0;
	size_t capacity = heap->capacity ? heap->capacity * 2 : FIRST_CAPACITY;
	while (capacity < count)
		capacity *= 2;
	struct sl_heap_slot *slots = realloc(heap->slots, capacity * sizeof *slots);
	if (!slots)
		return SL_ENOMEM;
	heap->slots = slots;
	heap->capacity = capacity;
	return 0;
}

static bool
is_before(const struct sl_heap_slot *a, const struct sl_heap_slot *b)
{
	return a->weight > b->weight || (a->weight == b->weight && a->arrival < b->arrival);
}

static void
set(struct sl_heap *heap, size_t at, const struct sl_heap_slot *slot)
{
	heap->slots[at] = *slot;
	slot->node->place = at + 1;
}

/* `slot` belongs at `at` or nearer to the top. */
static void
rise(struct sl_heap *heap, size_t at, struct sl_heap_slot slot)
{
	while (at > 0) {
		size_t parent = (at - 1) / CHILDREN;
		if (!is_before(&slot, &heap->slots[parent]))
			break;
		set(heap, at, &heap->slots[parent]);
		at = parent;
	}
	set(heap, at, &slot);
}

/* `slot` belongs at `at` or further from the top. */
static void
sink(struct sl_heap *heap, size_t at, struct sl_heap_slot slot)
{
	for (;;) {
		size_t first = at * CHILDREN + 1, best = first;
		if (first >= heap->count)
			break;
		for (size_t child = first + 1; child < first + CHILDREN && child < heap->count; child++)
			if (is_before(&heap->slots[child], &heap->slots[best]))
				best = child;
		if (!is_before(&heap->slots[best], &slot))
			break;
		set(heap, at, &heap->slots[best]);
		at = best;
	}
	set(heap, at, &slot);
}

static void
place(struct sl_heap *heap, size_t at, struct sl_heap_slot slot)
{
	if (at > 0 && is_before(&slot, &heap->slots[(at - 1) / CHILDREN]))
		rise(heap, at, slot);
	else
		sink(heap, at, slot);
}

void
sl_heap_put(struct sl_heap *heap, struct sl_heap_node *node, uint64_t weight)
{
	if (node->place && heap->slots[node->place - 1].weight == weight)
		return;
	struct sl_heap_slot slot = { weight, ++heap->arrivals, node };
	if (node->place) {
		place(heap, node->place - 1, slot);
		return;
	}
	assert(heap->count < heap->capacity);
	rise(heap, heap->count++, slot);
}

void
sl_heap_remove(struct sl_heap *heap, struct sl_heap_node *node)
{
	if (!node->place)
		return;
	size_t at = node->place - 1;
	struct sl_heap_slot last = heap->slots[--heap->count];
	node->place = 0;
	if (at < heap->count)
		place(heap, at, last);
}

struct sl_heap_node *
sl_heap_get_first(const struct sl_heap *heap)
{
	return heap->count ? heap->slots[0].node : NULL;
}
