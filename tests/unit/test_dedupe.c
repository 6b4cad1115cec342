#include "bus/dedupe.h"

#include <stdio.h>
#include <string.h>

#include "bus/bus.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const struct sl_cursor some_id = { 1, 42 };

struct asked {
	int result;
	struct sl_dedupe_entry *entry;
	struct sl_cursor id;
	struct sl_publish publish;
};

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
ask(struct asked *asked, struct sl_dedupe *dedupe, const char *key, uint64_t now_ms)
{
	*asked = (struct asked){ 0 };
	asked->result = sl_dedupe_begin(dedupe, span(key), now_ms, &asked->publish, &asked->entry,
		&asked->id);
}

static struct sl_dedupe *
create(size_t entries_max)
{
	struct sl_dedupe *dedupe;
	CU_ASSERT_EQUAL_FATAL(sl_dedupe_create(&dedupe, entries_max), 0);
	return dedupe;
}

/* Asks for a key that must be new, and finishes it. */
static void
do_new(struct sl_dedupe *dedupe, const char *key, int err, uint64_t now_ms)
{
	struct asked asked;
	ask(&asked, dedupe, key, now_ms);
	CU_ASSERT_EQUAL(asked.result, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(asked.entry);
	CU_ASSERT_PTR_NULL(sl_dedupe_finish(dedupe, asked.entry, err, some_id, now_ms));
}

static void
expect_done(struct sl_dedupe *dedupe, const char *key, uint64_t now_ms)
{
	struct asked asked;
	ask(&asked, dedupe, key, now_ms);
	CU_ASSERT_EQUAL(asked.result, 0);
	CU_ASSERT_PTR_NULL_FATAL(asked.entry);
	CU_ASSERT_EQUAL(asked.id.seq, some_id.seq);
	CU_ASSERT_EQUAL(asked.id.epoch, some_id.epoch);
}

static void
test_dedupe_gives_a_repeated_key_the_first_answer_for_two_minutes(void)
{
	struct sl_dedupe *dedupe = create(10);
	do_new(dedupe, "key-0001", 0, 1000);
	expect_done(dedupe, "key-0001", 1000);
	expect_done(dedupe, "key-0001", 1000 + SL_DEDUPE_KEPT_MS - 1);
	do_new(dedupe, "key-0001", 0, 1000 + SL_DEDUPE_KEPT_MS);
	sl_dedupe_destroy(dedupe);
}

static void
test_dedupe_keeps_keys_apart(void)
{
	struct sl_dedupe *dedupe = create(10);
	do_new(dedupe, "k", 0, 0);
	do_new(dedupe, "key-0001", 0, 0);
	do_new(dedupe, "key-0002", 0, 0);
	do_new(dedupe, "key-00010", 0, 0);
	do_new(dedupe, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 0, 0);
	do_new(dedupe, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeF", 0, 0);
	sl_dedupe_destroy(dedupe);
}

static void
test_dedupe_chains_those_who_ask_while_it_is_in_flight(void)
{
	struct sl_dedupe *dedupe = create(10);
	struct asked first, waiting[3];
	ask(&first, dedupe, "key-0001", 0);
	for (int i = 0; i < 3; i++) {
		ask(&waiting[i], dedupe, "key-0001", 5 * SL_DEDUPE_KEPT_MS); /* however late */
		CU_ASSERT_EQUAL(waiting[i].result, SL_PENDING);
		CU_ASSERT_PTR_NULL(waiting[i].entry);
	}
	struct sl_publish *chain = sl_dedupe_finish(dedupe, first.entry, 0, some_id, 0);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_PTR_EQUAL_FATAL(chain, &waiting[i].publish);
		chain = chain->next;
	}
	CU_ASSERT_PTR_NULL(chain);
	expect_done(dedupe, "key-0001", 0);
	sl_dedupe_destroy(dedupe);
}

static void
test_dedupe_does_not_keep_failures_but_answers_those_who_wait(void)
{
	struct sl_dedupe *dedupe = create(1);
	struct asked first, waiting;
	ask(&first, dedupe, "key-0001", 0);
	ask(&waiting, dedupe, "key-0001", 0);
	CU_ASSERT_PTR_EQUAL(sl_dedupe_finish(dedupe, first.entry, SL_EBACKEND, some_id, 0),
		&waiting.publish);
	do_new(dedupe, "key-0001", 0, 0);
	sl_dedupe_destroy(dedupe);
}

static void
test_dedupe_refuses_new_keys_when_full_until_old_ones_expire(void)
{
	struct sl_dedupe *dedupe = create(2);
	struct sl_bus_stats stats = { 0 };
	struct asked refused;
	do_new(dedupe, "key-0001", 0, 0);
	do_new(dedupe, "key-0002", 0, 1);
	ask(&refused, dedupe, "key-0003", SL_DEDUPE_KEPT_MS - 1);
	CU_ASSERT_EQUAL(refused.result, SL_EFULL);
	CU_ASSERT_PTR_NULL(refused.entry);
	expect_done(dedupe, "key-0002", 2); /* known ones are still answered */
	sl_dedupe_get_stats(dedupe, &stats);
	CU_ASSERT_EQUAL(stats.dedupe_now, 2);
	CU_ASSERT_EQUAL(stats.dedupe_refused, 1);
	CU_ASSERT_EQUAL(stats.duplicates, 1);
	do_new(dedupe, "key-0003", 0, SL_DEDUPE_KEPT_MS);
	expect_done(dedupe, "key-0002", SL_DEDUPE_KEPT_MS);
	sl_dedupe_destroy(dedupe);
}

static void
test_dedupe_sweep_forgets_what_expired_and_nothing_else(void)
{
	struct sl_dedupe *dedupe = create(100000);
	struct sl_bus_stats stats;
	for (unsigned i = 0; i < 3000; i++) {
		char key[16];
		snprintf(key, sizeof key, "key-%06u", i);
		do_new(dedupe, key, 0, i);
	}
	struct asked in_flight;
	ask(&in_flight, dedupe, "key-in-flight", 0);
	sl_dedupe_sweep(dedupe, SL_DEDUPE_KEPT_MS + 1999);
	sl_dedupe_get_stats(dedupe, &stats);
	CU_ASSERT_EQUAL(stats.dedupe_now, 1001);
	sl_dedupe_finish(dedupe, in_flight.entry, 0, some_id, 3000);
	sl_dedupe_sweep(dedupe, SL_DEDUPE_KEPT_MS + 3000);
	sl_dedupe_get_stats(dedupe, &stats);
	CU_ASSERT_EQUAL(stats.dedupe_now, 0);
	sl_dedupe_destroy(dedupe);
}

/* Begins a key; finishes it when that went well. */
static int
begin_and_finish(struct sl_dedupe *dedupe, const char *key)
{
	struct sl_dedupe_entry *entry;
	struct sl_publish waiting;
	struct sl_cursor id;
	int err = sl_dedupe_begin(dedupe, span(key), 1000, &waiting, &entry, &id);
	CU_ASSERT(err == 0 || entry == NULL);
	if (err == 0 && entry)
		sl_dedupe_finish(dedupe, entry, 0, some_id, 1000);
	return err;
}

static void
test_dedupe_without_memory_forgets_nothing_and_keeps_nothing_of_the_new_key(void)
{
	for_each_failing_allocation(failing) {
		struct sl_dedupe *dedupe = NULL;
		char key[16];
		int err = sl_dedupe_create(&dedupe, 1000);
		unsigned done = 0;
		for (; err == 0 && done < 400; done += err == 0) { /* so many that the table grows */
			snprintf(key, sizeof key, "key-%04u", done);
			err = begin_and_finish(dedupe, key);
		}
		if (failing.is_lasting)
			failing_expect(err);
		else
			failing_alloc_off();
		CU_ASSERT(err == 0 || err == SL_ENOMEM);
		for (unsigned i = 0; dedupe && i < done; i++) {
			snprintf(key, sizeof key, "key-%04u", i);
			expect_done(dedupe, key, 1000);
		}
		snprintf(key, sizeof key, "key-%04u", done);
		if (dedupe && err)
			do_new(dedupe, key, 0, 1000); /* the one that failed is still new */
		sl_dedupe_destroy(dedupe);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_dedupe_gives_a_repeated_key_the_first_answer_for_two_minutes),
		UNIT_TEST(test_dedupe_keeps_keys_apart),
		UNIT_TEST(test_dedupe_chains_those_who_ask_while_it_is_in_flight),
		UNIT_TEST(test_dedupe_does_not_keep_failures_but_answers_those_who_wait),
		UNIT_TEST(test_dedupe_refuses_new_keys_when_full_until_old_ones_expire),
		UNIT_TEST(test_dedupe_sweep_forgets_what_expired_and_nothing_else),
		UNIT_TEST(test_dedupe_without_memory_forgets_nothing_and_keeps_nothing_of_the_new_key),
		{ NULL, NULL },
	};
	return unit_main("dedupe", tests);
}
