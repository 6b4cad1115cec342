#include "util/heap.h"

#include "tests/unit/draw.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define NODES 60

/* The model beside each node: its weight, and when it came to it. */
struct thing {
	struct sl_heap_node node;
	uint64_t weight, since;
};

static struct thing *
first(const struct sl_heap *heap)
{
	return (struct thing *)sl_heap_get_first(heap);
}

static void
test_heap_that_is_empty_has_no_first(void)
{
	struct sl_heap heap = { 0 };
	struct thing a = { 0 };
	CU_ASSERT_PTR_NULL(first(&heap));
	sl_heap_remove(&heap, &a.node); /* is in none */
	CU_ASSERT_FALSE(sl_heap_holds(&a.node));
	sl_heap_finish(&heap);
}

static void
test_heap_takes_from_those_that_weigh_the_same_in_turn(void)
{
	struct sl_heap heap = { 0 };
	struct thing things[5] = { 0 };
	CU_ASSERT_EQUAL_FATAL(sl_heap_reserve(&heap, 5), 0);
	for (int i = 0; i < 5; i++)
		sl_heap_put(&heap, &things[i].node, 10);
	sl_heap_put(&heap, &things[0].node, 10); /* did not change, so it stays the first */
	for (uint64_t weight = 10; weight > 0; weight--)
		for (int i = 0; i < 5; i++) {
			CU_ASSERT_PTR_EQUAL(first(&heap), &things[i]);
			CU_ASSERT_EQUAL(sl_heap_get_weight(&heap, &things[i].node), weight);
			sl_heap_put(&heap, &things[i].node, weight - 1);
		}
	sl_heap_finish(&heap);
}

static const struct thing *
find_first(const struct thing *things)
{
	const struct thing *best = NULL;
	for (const struct thing *thing = things; thing < things + NODES; thing++)
		if (sl_heap_holds(&thing->node) && (!best || thing->weight > best->weight ||
				(thing->weight == best->weight && thing->since < best->since)))
			best = thing;
	return best;
}

static void
test_heap_has_the_first_that_a_search_of_all_finds(void)
{
	for (uint64_t round = 1; round <= 20; round++) {
		struct sl_heap heap = { 0 };
		struct thing things[NODES] = { 0 };
		uint64_t state = round;
		CU_ASSERT_EQUAL_FATAL(sl_heap_reserve(&heap, NODES), 0);
		for (uint64_t step = 1; step <= 3000; step++) {
			struct thing *thing = &things[draw(&state, NODES)];
			if (draw(&state, 3) == 0) {
				sl_heap_remove(&heap, &thing->node);
				CU_ASSERT_FALSE(sl_heap_holds(&thing->node));
			} else {
				uint64_t weight = draw(&state, round % 2 ? 5 : 1000000);
				if (!sl_heap_holds(&thing->node) || thing->weight != weight)
					thing->since = step;
				thing->weight = weight;
				sl_heap_put(&heap, &thing->node, weight);
			}
			CU_ASSERT_PTR_EQUAL_FATAL(first(&heap), find_first(things));
		}
		for (size_t i = 0; i < NODES; i++)
			CU_ASSERT(!things[i].node.place ||
				sl_heap_get_weight(&heap, &things[i].node) == things[i].weight);
		sl_heap_finish(&heap);
	}
}

static void
test_heap_without_memory_keeps_its_room(void)
{
	for_each_failing_allocation(failing) {
		struct sl_heap heap = { 0 };
		struct thing things[100] = { 0 };
		int err = 0;
		size_t count = 0;
		for (; err == 0 && count < 100; count += err == 0) {
			err = sl_heap_reserve(&heap, count + 1);
			if (err == 0)
				sl_heap_put(&heap, &things[count].node, count);
		}
		failing_expect(err);
		CU_ASSERT_EQUAL(heap.count, count);
		CU_ASSERT_PTR_EQUAL(first(&heap), count ? &things[count - 1] : NULL);
		sl_heap_finish(&heap);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_heap_that_is_empty_has_no_first),
		UNIT_TEST(test_heap_takes_from_those_that_weigh_the_same_in_turn),
		UNIT_TEST(test_heap_has_the_first_that_a_search_of_all_finds),
		UNIT_TEST(test_heap_without_memory_keeps_its_room),
		{ NULL, NULL },
	};
	return unit_main("heap", tests);
}
