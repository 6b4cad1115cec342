#include "util/tally.h"

#include "tests/unit/draw.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define ENTRIES 80
#define OWNERS 7

/* The model beside each entry: whose it is, and when it was listed. */
struct thing {
	struct sl_tally_entry entry;
	uint64_t owner, since;
};

static struct thing *
oldest_of_most(const struct sl_tally *tally)
{
	return (struct thing *)sl_tally_get_oldest_of_most(tally);
}

static void
list(struct sl_tally *tally, struct thing *thing, uint64_t owner)
{
	CU_ASSERT_EQUAL_FATAL(sl_tally_join(tally, &thing->entry, owner), 0);
	sl_tally_list(tally, &thing->entry);
}

static void
test_tally_finds_the_oldest_entry_of_the_owner_that_has_most(void)
{
	struct sl_tally tally;
	struct thing things[6] = { 0 };
	sl_tally_init(&tally);
	CU_ASSERT_PTR_NULL(oldest_of_most(&tally));
	list(&tally, &things[0], 1);
	list(&tally, &things[1], 2);
	CU_ASSERT_PTR_EQUAL(oldest_of_most(&tally), &things[0]); /* the first to have one */
	list(&tally, &things[2], 2);
	CU_ASSERT_PTR_EQUAL(oldest_of_most(&tally), &things[1]);
	list(&tally, &things[3], 0); /* nobody is an owner too */
	list(&tally, &things[4], 0);
	list(&tally, &things[5], 0);
	CU_ASSERT_PTR_EQUAL(oldest_of_most(&tally), &things[3]);
	sl_tally_leave(&tally, &things[3].entry);
	CU_ASSERT_PTR_EQUAL(oldest_of_most(&tally), &things[1]); /* owner 2 had two before owner 0 had them */
	for (int i = 0; i < 6; i++)
		sl_tally_leave(&tally, &things[i].entry); /* one of them twice */
	CU_ASSERT_PTR_NULL(oldest_of_most(&tally));
}

static void
test_tally_returns_an_entry_while_it_is_listed(void)
{
	struct sl_tally tally;
	struct thing a = { 0 }, b = { 0 }, c = { 0 };
	sl_tally_init(&tally);
	CU_ASSERT_EQUAL(sl_tally_join(&tally, &a.entry, 1), 0);
	CU_ASSERT_PTR_NULL(oldest_of_most(&tally));
	list(&tally, &b, 1);
	list(&tally, &c, 1);
	sl_tally_list(&tally, &a.entry);
	CU_ASSERT_PTR_EQUAL(oldest_of_most(&tally), &b);
	sl_tally_list(&tally, &b.entry); /* used: the newest now */
	CU_ASSERT_PTR_EQUAL(oldest_of_most(&tally), &c);
	sl_tally_unlist(&tally, &c.entry);
	sl_tally_unlist(&tally, &c.entry);
	CU_ASSERT_PTR_EQUAL(oldest_of_most(&tally), &a);
	sl_tally_leave(&tally, &a.entry);
	sl_tally_leave(&tally, &b.entry);
	CU_ASSERT_PTR_NULL(oldest_of_most(&tally));
	sl_tally_list(&tally, &c.entry); /* still its owner's */
	CU_ASSERT_PTR_EQUAL(oldest_of_most(&tally), &c);
	sl_tally_leave(&tally, &c.entry);
}

/* 0 for an owner that nothing can be taken from. */
static size_t
count_entries(const struct thing *things, uint64_t owner)
{
	size_t count = 0;
	bool has_listed = false;
	for (size_t i = 0; i < ENTRIES; i++) {
		count += things[i].entry.owner && things[i].owner == owner;
		has_listed |= things[i].entry.is_listed && things[i].owner == owner;
	}
	return has_listed ? count : 0;
}

/* Which of the owners with the same number got there first is left to the tests of the scale. */
static bool
is_oldest_of_most(const struct thing *found, const struct thing *things)
{
	size_t most = 0;
	for (uint64_t owner = 0; owner < OWNERS; owner++)
		most = count_entries(things, owner) > most ? count_entries(things, owner) : most;
	if (!found)
		return most == 0;
	for (const struct thing *thing = things; thing < things + ENTRIES; thing++)
		if (thing->entry.is_listed && thing->owner == found->owner && thing->since < found->since)
			return false;
	/* From 32 on to a sixteenth. */
	size_t count = count_entries(things, found->owner);
	return found->entry.is_listed && count + count / 16 >= most;
}

static void
take_a_step(struct sl_tally *tally, struct thing *thing, uint64_t *state, uint64_t now)
{
	unsigned what = draw(state, 8);
	if (!thing->entry.owner) {
		thing->owner = draw(state, OWNERS);
		CU_ASSERT_EQUAL_FATAL(sl_tally_join(tally, &thing->entry, thing->owner), 0);
	} else if (what < 4) {
		sl_tally_list(tally, &thing->entry);
		thing->since = now;
	} else if (what < 6) {
		sl_tally_unlist(tally, &thing->entry);
	} else {
		sl_tally_leave(tally, &thing->entry);
	}
}

static void
test_tally_finds_what_a_search_of_all_entries_finds(void)
{
	for (uint64_t round = 1; round <= 10; round++) {
		struct sl_tally tally;
		struct thing things[ENTRIES] = { 0 };
		uint64_t state = round;
		sl_tally_init(&tally);
		for (uint64_t step = 1; step <= 2000; step++) {
			take_a_step(&tally, &things[draw(&state, ENTRIES)], &state, step);
			CU_ASSERT_FATAL(is_oldest_of_most(oldest_of_most(&tally), things));
		}
		for (size_t i = 0; i < ENTRIES; i++)
			sl_tally_leave(&tally, &things[i].entry);
	}
}

static void
test_tally_full_of_one_owner_costs_the_others_nothing(void)
{
	struct sl_tally tally;
	struct thing greedy[500] = { 0 }, others[50] = { 0 };
	sl_tally_init(&tally);
	for (int i = 0; i < 50; i++)
		list(&tally, &others[i], 1000u + (unsigned)i / 5);
	for (int i = 0; i < 500; i++) {
		list(&tally, &greedy[i], 7);
		if (i < 30)
			continue;
		/* One comes, one goes. */
		struct thing *evicted = oldest_of_most(&tally);
		CU_ASSERT_PTR_EQUAL(evicted, &greedy[i - 30]);
		sl_tally_leave(&tally, &evicted->entry);
	}
	for (int i = 0; i < 50; i++)
		CU_ASSERT_TRUE(others[i].entry.is_listed);
	for (int i = 0; i < 500; i++)
		sl_tally_leave(&tally, &greedy[i].entry);
	for (int i = 0; i < 50; i++)
		sl_tally_leave(&tally, &others[i].entry);
}

static void
test_tally_without_memory_leaves_an_entry_as_it_was(void)
{
	for_each_failing_allocation(failing) {
		struct sl_tally tally;
		struct thing things[100] = { 0 };
		int err = 0;
		size_t count = 0;
		sl_tally_init(&tally);
		for (; err == 0 && count < 100; count += err == 0)
			err = sl_tally_join(&tally, &things[count].entry, count); /* so many that the table grows */
		failing_expect(err);
		CU_ASSERT(err == 0 || !things[count].entry.owner);
		for (size_t i = 0; i < count; i++)
			sl_tally_list(&tally, &things[i].entry);
		CU_ASSERT_PTR_EQUAL(oldest_of_most(&tally), count ? &things[0] : NULL);
		for (size_t i = 0; i < count; i++)
			sl_tally_leave(&tally, &things[i].entry);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tally_finds_the_oldest_entry_of_the_owner_that_has_most),
		UNIT_TEST(test_tally_returns_an_entry_while_it_is_listed),
		UNIT_TEST(test_tally_finds_what_a_search_of_all_entries_finds),
		UNIT_TEST(test_tally_full_of_one_owner_costs_the_others_nothing),
		UNIT_TEST(test_tally_without_memory_leaves_an_entry_as_it_was),
		{ NULL, NULL },
	};
	return unit_main("tally", tests);
}
