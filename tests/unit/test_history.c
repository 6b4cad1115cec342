#include "bus/history.h"

#include "tests/unit/failing_alloc.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static void
push_range(struct sl_history *history, uint64_t from, uint64_t to, uint64_t step)
{
	for (uint64_t seq = from; seq <= to; seq += step)
		CU_ASSERT_EQUAL_FATAL(sl_history_push(history, make_message(seq, "c", "x")), 0);
}

static void
evict_count(struct sl_history *history, size_t count)
{
	while (count--)
		sl_message_unref(sl_history_evict(history));
}

static void
test_history_keeps_order_while_it_grows_wraps_and_shrinks(void)
{
	struct sl_history history = { 0 };
	uint64_t oldest = 1, newest = 0;
	for (size_t round = 1; round <= 40; round++) {
		push_range(&history, newest + 1, newest + round % 7 * 9, 1);
		newest += round % 7 * 9;
		size_t drop = history.count < 5 * round % 31 ? history.count : 5 * round % 31;
		evict_count(&history, drop);
		oldest += drop;
		CU_ASSERT_EQUAL_FATAL(history.count, newest - oldest + 1);
		for (size_t i = 0; i < history.count; i++)
			CU_ASSERT_EQUAL_FATAL(sl_history_at(&history, i)->seq, oldest + i);
	}
	evict_count(&history, history.count);
}

static void
test_history_counts_bytes_and_remembers_the_last_evicted(void)
{
	struct sl_history history = { 0 };
	push_range(&history, 10, 30, 10);
	size_t each = sl_message_bytes(sl_history_at(&history, 0));
	CU_ASSERT_EQUAL(history.bytes, 3 * each);
	CU_ASSERT_EQUAL(history.last_evicted, 0);
	evict_count(&history, 2);
	CU_ASSERT_EQUAL(history.bytes, each);
	CU_ASSERT_EQUAL(history.last_evicted, 20);
	evict_count(&history, 1);
	CU_ASSERT_EQUAL(history.last_evicted, 30);
}

static void
test_history_holds_no_memory_when_empty_and_little_when_nearly(void)
{
	struct sl_history history = { 0 };
	push_range(&history, 1, 1000, 1);
	CU_ASSERT_EQUAL(history.capacity, 1024);
	evict_count(&history, 997);
	CU_ASSERT_TRUE(history.capacity <= 16);
	evict_count(&history, 3);
	CU_ASSERT_PTR_NULL(history.ring);
	CU_ASSERT_EQUAL(history.capacity, 0);
	push_range(&history, 1001, 1001, 1);
	CU_ASSERT_EQUAL(sl_history_at(&history, 0)->seq, 1001);
	evict_count(&history, 1);
}

static void
test_history_finds_the_first_message_above_any_number(void)
{
	struct sl_history history = { 0 };
	CU_ASSERT_EQUAL(sl_history_find_after(&history, 0), 0);
	push_range(&history, 10, 100, 10); /* ten of them */
	evict_count(&history, 3);          /* 40 to 100 are left */
	push_range(&history, 110, 150, 10);
	for (uint64_t after = 0; after < 160; after++) {
		size_t expected = after < 40 ? 0 : (after - 30) / 10;
		CU_ASSERT_EQUAL(sl_history_find_after(&history, after), expected);
	}
	CU_ASSERT_EQUAL(sl_history_find_after(&history, UINT64_MAX), history.count);
	evict_count(&history, history.count);
}

static void
test_history_without_memory_keeps_what_it_holds_and_leaves_the_reference(void)
{
	struct sl_message *messages[9];
	for (uint64_t i = 0; i < 9; i++)
		messages[i] = make_message(i + 1, "c", "x");
	for_each_failing_allocation(failing) {
		struct sl_history history = { 0 };
		int err = 0;
		uint64_t pushed = 0;
		while (pushed < 9 && (err = sl_history_push(&history, messages[pushed])) == 0)
			pushed++;
		failing_expect(err);
		CU_ASSERT_EQUAL_FATAL(history.count, pushed);
		CU_ASSERT_EQUAL(history.bytes, pushed * sl_message_bytes(messages[0]));
		for (size_t i = 0; i < pushed; i++)
			CU_ASSERT_PTR_EQUAL(sl_history_evict(&history), messages[i]);
		CU_ASSERT_PTR_NULL(history.ring);
	}
	drop_messages(messages, 9);
}

static void
test_history_without_memory_stays_large_when_it_empties(void)
{
	struct sl_history history = { 0 };
	push_range(&history, 1, 64, 1);
	failing_alloc_set(1, true);
	evict_count(&history, 60);
	failing_alloc_off();
	CU_ASSERT_EQUAL(history.capacity, 64);
	CU_ASSERT_EQUAL(sl_history_at(&history, 0)->seq, 61);
	evict_count(&history, 4);
	CU_ASSERT_PTR_NULL(history.ring);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_history_keeps_order_while_it_grows_wraps_and_shrinks),
		UNIT_TEST(test_history_counts_bytes_and_remembers_the_last_evicted),
		UNIT_TEST(test_history_holds_no_memory_when_empty_and_little_when_nearly),
		UNIT_TEST(test_history_finds_the_first_message_above_any_number),
		UNIT_TEST(test_history_without_memory_keeps_what_it_holds_and_leaves_the_reference),
		UNIT_TEST(test_history_without_memory_stays_large_when_it_empties),
		{ NULL, NULL },
	};
	return unit_main("history", tests);
}
