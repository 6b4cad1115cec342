#include "util/rota.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

struct waiter {
	struct sl_rota_place place; /* first */
	char name;
};

static struct sl_rota rota;
static struct sl_rota_group groups[3];
static struct waiter waiters[26];

static void
begin(void)
{
	memset(waiters, 0, sizeof waiters);
	sl_rota_init(&rota);
	for (int i = 0; i < 3; i++)
		sl_rota_group_init(&groups[i]);
	for (int i = 0; i < 26; i++)
		waiters[i].name = (char)('a' + i);
}

static void
join(int group, const char *names)
{
	for (; *names; names++)
		sl_rota_join(&rota, &groups[group], &waiters[*names - 'a'].place);
}

/* Whose turns come, until nobody waits. */
static const char *
take_all(void)
{
	static char names[200];
	size_t len = 0;
	while (!sl_rota_is_empty(&rota)) {
		struct sl_rota_place *place = sl_rota_get_first(&rota);
		names[len++] = ((struct waiter *)place)->name;
		sl_rota_pass(&rota);
		sl_rota_leave(&rota, place);
	}
	names[len] = '\0';
	return names;
}

static void
test_rota_serves_one_group_in_the_order_it_came(void)
{
	begin();
	CU_ASSERT_TRUE(sl_rota_is_empty(&rota));
	CU_ASSERT_PTR_NULL(sl_rota_get_first(&rota));
	join(0, "abcab");
	CU_ASSERT_EQUAL(groups[0].count, 3);
	CU_ASSERT_STRING_EQUAL(take_all(), "abc");
	CU_ASSERT_EQUAL(groups[0].count, 0);
}

static void
test_rota_lets_groups_take_turns_however_many_wait(void)
{
	begin();
	join(0, "abcdefgh");
	join(1, "xy");
	join(2, "z");
	CU_ASSERT_EQUAL(rota.group_count, 3);
	CU_ASSERT_STRING_EQUAL(take_all(), "axzbycdefgh");
	CU_ASSERT_EQUAL(rota.group_count, 0);
}

static void
test_rota_forgets_who_leaves(void)
{
	begin();
	join(0, "abc");
	join(1, "xy");
	sl_rota_leave(&rota, &waiters[0].place);
	sl_rota_leave(&rota, &waiters[0].place); /* has left */
	sl_rota_leave(&rota, &waiters['x' - 'a'].place);
	sl_rota_leave(&rota, &waiters['y' - 'a'].place);
	CU_ASSERT_EQUAL(rota.group_count, 1);
	join(1, "x");
	CU_ASSERT_STRING_EQUAL(take_all(), "bxc");
}

static void
test_rota_passes_with_one_group_and_with_none(void)
{
	begin();
	sl_rota_pass(&rota);
	CU_ASSERT_TRUE(sl_rota_is_empty(&rota));
	join(0, "ab");
	sl_rota_pass(&rota);
	CU_ASSERT_STRING_EQUAL(take_all(), "ab");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_rota_serves_one_group_in_the_order_it_came),
		UNIT_TEST(test_rota_lets_groups_take_turns_however_many_wait),
		UNIT_TEST(test_rota_forgets_who_leaves),
		UNIT_TEST(test_rota_passes_with_one_group_and_with_none),
		{ NULL, NULL },
	};
	return unit_main("rota", tests);
}
