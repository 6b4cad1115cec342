#include "auth/revocations.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define NOW_S 1790000000
#define DAY_S 86400

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static int
add(struct sl_revocations *revocations, const char *subject, int64_t until_s)
{
	return sl_revocations_add(revocations, span(subject), until_s, until_s + DAY_S, NOW_S);
}

static bool
has(struct sl_revocations *revocations, const char *subject, int64_t issued_s)
{
	return sl_revocations_has(revocations, span(subject), issued_s, NOW_S);
}

static void
test_revocation_refuses_what_was_issued_until_then(void)
{
	struct sl_revocations *revocations = sl_revocations_create(10);
	CU_ASSERT_FALSE(has(revocations, "ann", NOW_S));
	CU_ASSERT_EQUAL(add(revocations, "ann", NOW_S), 0);
	CU_ASSERT_TRUE(has(revocations, "ann", NOW_S - DAY_S));
	CU_ASSERT_TRUE(has(revocations, "ann", NOW_S));
	CU_ASSERT_FALSE(has(revocations, "ann", NOW_S + 1));
	CU_ASSERT_FALSE(has(revocations, "an", NOW_S));
	CU_ASSERT_FALSE(has(revocations, "anna", NOW_S));
	sl_revocations_destroy(revocations);
	sl_revocations_destroy(NULL);
}

static void
test_revocation_of_two_the_later_counts_whatever_their_order(void)
{
	struct sl_revocations *revocations = sl_revocations_create(10);
	add(revocations, "ann", NOW_S - 10);
	CU_ASSERT_FALSE(has(revocations, "ann", NOW_S - 5));
	add(revocations, "ann", NOW_S);
	add(revocations, "ann", NOW_S - 20);
	CU_ASSERT_TRUE(has(revocations, "ann", NOW_S - 5));
	CU_ASSERT_TRUE(sl_revocations_has(revocations, span("ann"), NOW_S, NOW_S + DAY_S - 1));
	CU_ASSERT_EQUAL(sl_revocations_count(revocations), 1);
	sl_revocations_destroy(revocations);
}

static void
test_revocations_tell_what_is_remembered_of_a_subject(void)
{
	int64_t until_s = 7, kept_s = 8;
	struct sl_revocations *revocations = sl_revocations_create(10);
	CU_ASSERT_FALSE(sl_revocations_find(revocations, span("ann"), &until_s, &kept_s));
	CU_ASSERT(until_s == 7 && kept_s == 8);
	add(revocations, "ann", NOW_S);
	add(revocations, "ann", NOW_S - 20);
	CU_ASSERT_TRUE(sl_revocations_find(revocations, span("ann"), &until_s, &kept_s));
	CU_ASSERT(until_s == NOW_S && kept_s > until_s);
	sl_revocations_destroy(revocations);
}

static void
test_revocations_generation_rises_with_each_that_is_taken(void)
{
	struct sl_revocations *revocations = sl_revocations_create(1);
	uint64_t first = sl_revocations_get_generation(revocations);
	add(revocations, "ann", NOW_S);
	uint64_t second = sl_revocations_get_generation(revocations);
	CU_ASSERT_TRUE(second > first);
	CU_ASSERT_EQUAL(add(revocations, "bob", NOW_S), SL_EFULL);
	CU_ASSERT_EQUAL(sl_revocations_get_generation(revocations), second);
	add(revocations, "ann", NOW_S + 1);
	CU_ASSERT_TRUE(sl_revocations_get_generation(revocations) > second);
	sl_revocations_destroy(revocations);
}

static void
test_revocations_that_are_full_throw_nothing_out(void)
{
	struct sl_revocations *revocations = sl_revocations_create(3);
	CU_ASSERT_EQUAL(add(revocations, "a", NOW_S), 0);
	CU_ASSERT_EQUAL(add(revocations, "b", NOW_S), 0);
	CU_ASSERT_EQUAL(add(revocations, "c", NOW_S), 0);
	CU_ASSERT_EQUAL(add(revocations, "d", NOW_S), SL_EFULL);
	CU_ASSERT_EQUAL(add(revocations, "a", NOW_S + 1), 0); /* of which it knows */
	sl_revocations_set_max(revocations, 1);
	CU_ASSERT_EQUAL(sl_revocations_count(revocations), 3);
	CU_ASSERT_TRUE(has(revocations, "a", NOW_S + 1) && has(revocations, "b", NOW_S) &&
		has(revocations, "c", NOW_S));
	CU_ASSERT_FALSE(has(revocations, "d", NOW_S));
	sl_revocations_set_max(revocations, 4);
	CU_ASSERT_EQUAL(add(revocations, "d", NOW_S), 0);
	sl_revocations_destroy(revocations);
}

static void
test_revocations_end_when_such_tokens_have_expired(void)
{
	struct sl_revocations *revocations = sl_revocations_create(2);
	sl_revocations_add(revocations, span("a"), NOW_S, NOW_S + 100, NOW_S);
	sl_revocations_add(revocations, span("b"), NOW_S, NOW_S + 500, NOW_S);
	CU_ASSERT_TRUE(sl_revocations_has(revocations, span("a"), NOW_S, NOW_S + 99));
	CU_ASSERT_FALSE(sl_revocations_has(revocations, span("a"), NOW_S, NOW_S + 100));
	/* Their room is free for others. */
	CU_ASSERT_EQUAL(sl_revocations_add(revocations, span("c"), NOW_S, NOW_S + 900, NOW_S + 110), 0);
	CU_ASSERT_EQUAL(sl_revocations_count(revocations), 2);
	/* And asking is enough for them to go. */
	CU_ASSERT_FALSE(sl_revocations_has(revocations, span("x"), NOW_S, NOW_S + 1000));
	CU_ASSERT_EQUAL(sl_revocations_count(revocations), 0);
	sl_revocations_destroy(revocations);
}

static void
test_revocations_that_have_ended_already_are_not_kept(void)
{
	struct sl_revocations *revocations = sl_revocations_create(2);
	CU_ASSERT_EQUAL(sl_revocations_add(revocations, span("a"), NOW_S - 100, NOW_S, NOW_S), 0);
	CU_ASSERT_EQUAL(sl_revocations_count(revocations), 0);
	sl_revocations_destroy(revocations);
}

/* ---- two threads ---- */

#define ROUNDS 2000

static _Atomic int added;

static void *
add_all(void *arg)
{
	char subject[16];
	for (int i = 1; i <= ROUNDS; i++) {
		snprintf(subject, sizeof subject, "s%d", i);
		CU_ASSERT_EQUAL(add(arg, subject, NOW_S), 0);
		atomic_store(&added, i);
	}
	return NULL;
}

static void
test_revocation_holds_for_other_threads_as_soon_as_it_is_added(void)
{
	struct sl_revocations *revocations = sl_revocations_create(ROUNDS);
	pthread_t thread;
	char subject[16];
	unsigned missed = 0;
	added = 0;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, add_all, revocations), 0);
	for (int last = 0; last < ROUNDS;) {
		last = atomic_load(&added);
		snprintf(subject, sizeof subject, "s%d", last);
		missed += last > 0 && sl_revocations_get_generation(revocations) < (uint64_t)last;
		missed += last > 0 && !has(revocations, subject, NOW_S);
	}
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(missed, 0);
	sl_revocations_destroy(revocations);
}

static void
test_revocations_without_memory_say_so(void)
{
	for_each_failing_allocation(failing) {
		struct sl_revocations *revocations = sl_revocations_create(3);
		int err = revocations ? add(revocations, "ann", NOW_S) : SL_ENOMEM;
		failing_expect(err);
		if (revocations) {
			CU_ASSERT_EQUAL(has(revocations, "ann", NOW_S), err == 0);
			CU_ASSERT_EQUAL(sl_revocations_count(revocations), err == 0);
		}
		sl_revocations_destroy(revocations);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_revocation_refuses_what_was_issued_until_then),
		UNIT_TEST(test_revocation_of_two_the_later_counts_whatever_their_order),
		UNIT_TEST(test_revocations_tell_what_is_remembered_of_a_subject),
		UNIT_TEST(test_revocations_generation_rises_with_each_that_is_taken),
		UNIT_TEST(test_revocations_that_are_full_throw_nothing_out),
		UNIT_TEST(test_revocations_end_when_such_tokens_have_expired),
		UNIT_TEST(test_revocations_that_have_ended_already_are_not_kept),
		UNIT_TEST(test_revocation_holds_for_other_threads_as_soon_as_it_is_added),
		UNIT_TEST(test_revocations_without_memory_say_so),
		{ NULL, NULL },
	};
	return unit_main("revocations", tests);
}
