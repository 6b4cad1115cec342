#include "util/scale.h"

#include "tests/unit/draw.h"
#include "tests/unit/unit.h"

#define NODES 60

/* The model beside each node: its weight, and since when it weighs about that. */
struct thing {
	struct sl_scale_node node;
	uint64_t weight, since;
};

static struct thing *
first(const struct sl_scale *scale)
{
	return (struct thing *)sl_scale_get_first(scale);
}

static void
test_scale_that_is_empty_has_no_first(void)
{
	struct sl_scale scale;
	struct thing a = { 0 };
	sl_scale_init(&scale);
	CU_ASSERT_PTR_NULL(first(&scale));
	sl_scale_remove(&scale, &a.node); /* is on none */
	sl_scale_put(&scale, &a.node, 1);
	CU_ASSERT_PTR_EQUAL(first(&scale), &a);
	sl_scale_remove(&scale, &a.node);
	CU_ASSERT_PTR_NULL(first(&scale));
}

static void
test_scale_takes_from_those_that_weigh_the_same_in_turn(void)
{
	struct sl_scale scale;
	struct thing things[5] = { 0 };
	sl_scale_init(&scale);
	for (int i = 0; i < 5; i++)
		sl_scale_put(&scale, &things[i].node, 10);
	sl_scale_put(&scale, &things[0].node, 10); /* did not change, so it stays the first */
	for (uint64_t weight = 10; weight > 1; weight--)
		for (int i = 0; i < 5; i++) {
			CU_ASSERT_PTR_EQUAL(first(&scale), &things[i]);
			CU_ASSERT_TRUE(sl_scale_weighs(&things[i].node, weight));
			sl_scale_put(&scale, &things[i].node, weight - 1);
		}
}

static void
test_scale_tells_weights_apart_by_a_sixteenth(void)
{
	struct sl_scale scale;
	struct thing a = { 0 };
	sl_scale_init(&scale);
	for (uint64_t weight = 1; weight < 5000; weight++) {
		sl_scale_put(&scale, &a.node, weight);
		CU_ASSERT(weight >= 32 || !sl_scale_weighs(&a.node, weight + 1));
		CU_ASSERT_FALSE(sl_scale_weighs(&a.node, weight + weight / 16 + 1));
	}
	sl_scale_put(&scale, &a.node, UINT64_MAX);
	CU_ASSERT_EQUAL(a.node.line, SL_SCALE_LINES - 1);
	sl_scale_raise(&scale, &a.node, 5);
	CU_ASSERT_TRUE(sl_scale_weighs(&a.node, UINT64_MAX));
}

static const struct thing *
find_most(const struct thing *things)
{
	const struct thing *most = NULL;
	for (const struct thing *thing = things; thing < things + NODES; thing++)
		if (thing->node.line && (!most || thing->weight > most->weight))
			most = thing;
	return most;
}

/* No other is heavier by more than a sixteenth, and of those that weigh exactly as much none did so before. */
static bool
is_first(const struct thing *found, const struct thing *things)
{
	const struct thing *most = find_most(things);
	if (!found || !most)
		return found == most;
	for (const struct thing *thing = things; thing < things + NODES; thing++)
		if (thing->node.line && thing->weight == found->weight && thing->since < found->since)
			return false;
	return found->weight + found->weight / 16 >= most->weight;
}

static void
take_a_step(struct sl_scale *scale, struct thing *thing, uint64_t *state, uint64_t now, unsigned below)
{
	uint64_t weight = 1 + draw(state, below);
	bool raises = draw(state, 2);
	if (draw(state, 3) == 0) {
		sl_scale_remove(scale, &thing->node);
		thing->since = 0;
		CU_ASSERT_EQUAL(thing->node.line, 0);
		return;
	}
	if (raises && thing->node.line && weight < thing->weight)
		weight = thing->weight;
	if (!thing->node.line || !sl_scale_weighs(&thing->node, weight))
		thing->since = now;
	thing->weight = weight;
	if (raises)
		sl_scale_raise(scale, &thing->node, weight);
	else
		sl_scale_put(scale, &thing->node, weight);
	CU_ASSERT_TRUE(sl_scale_weighs(&thing->node, weight));
}

static void
test_scale_has_the_first_that_a_search_of_all_finds(void)
{
	static const unsigned below[] = { 5, 31, 200, 100000, 1u << 31 };
	for (uint64_t round = 1; round <= 20; round++) {
		struct sl_scale scale;
		struct thing things[NODES] = { 0 };
		uint64_t state = round;
		sl_scale_init(&scale);
		for (uint64_t step = 1; step <= 3000; step++) {
			take_a_step(&scale, &things[draw(&state, NODES)], &state, step, below[round % 5]);
			CU_ASSERT_FATAL(is_first(first(&scale), things));
		}
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_scale_that_is_empty_has_no_first),
		UNIT_TEST(test_scale_takes_from_those_that_weigh_the_same_in_turn),
		UNIT_TEST(test_scale_tells_weights_apart_by_a_sixteenth),
		UNIT_TEST(test_scale_has_the_first_that_a_search_of_all_finds),
		{ NULL, NULL },
	};
	return unit_main("scale", tests);
}
