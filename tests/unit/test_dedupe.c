#include "bus/dedupe.h"

#include <stdio.h>
#include <string.h>

#include "bus/bus.h"
#include "tests/unit/draw.h"
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
ask_as(struct asked *asked, uint64_t owner, struct sl_dedupe *dedupe, const char *key, uint64_t now_ms)
{
	*asked = (struct asked){ .publish = { .owner = owner } };
	asked->result = sl_dedupe_begin(dedupe, span(key), now_ms, &asked->publish, &asked->entry,
		&asked->id);
}

static void
ask(struct asked *asked, struct sl_dedupe *dedupe, const char *key, uint64_t now_ms)
{
	ask_as(asked, 0, dedupe, key, now_ms);
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
do_new_as(uint64_t owner, struct sl_dedupe *dedupe, const char *key, int err, uint64_t now_ms)
{
	struct asked asked;
	ask_as(&asked, owner, dedupe, key, now_ms);
	CU_ASSERT_EQUAL(asked.result, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(asked.entry);
	CU_ASSERT_PTR_NULL(sl_dedupe_finish(dedupe, asked.entry, err, some_id, now_ms));
}

static void
do_new(struct sl_dedupe *dedupe, const char *key, int err, uint64_t now_ms)
{
	do_new_as(0, dedupe, key, err, now_ms);
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
test_dedupe_when_full_forgets_the_oldest_key_done(void)
{
	struct sl_dedupe *dedupe = create(2);
	struct sl_bus_stats stats = { 0 };
	do_new(dedupe, "key-0001", 0, 0);
	do_new(dedupe, "key-0002", 0, 1);
	do_new(dedupe, "key-0003", 0, 2);
	expect_done(dedupe, "key-0003", 2);
	expect_done(dedupe, "key-0002", 2);
	sl_dedupe_get_stats(dedupe, &stats);
	CU_ASSERT_EQUAL(stats.dedupe_now, 2);
	CU_ASSERT_EQUAL(stats.dedupe_refused, 0);
	CU_ASSERT_EQUAL(stats.dedupe_evicted, 1);
	CU_ASSERT_EQUAL(stats.duplicates, 2);
	do_new(dedupe, "key-0001", 0, 3);
	sl_dedupe_destroy(dedupe);
}

static void
test_dedupe_when_all_are_in_flight_refuses_new_keys(void)
{
	struct sl_dedupe *dedupe = create(2);
	struct sl_bus_stats stats = { 0 };
	struct asked flying[2], refused;
	ask_as(&flying[0], 1, dedupe, "key-0001", 0);
	ask_as(&flying[1], 2, dedupe, "key-0002", 0);
	ask_as(&refused, 3, dedupe, "key-0003", 0);
	CU_ASSERT_EQUAL(refused.result, SL_EFULL);
	CU_ASSERT_PTR_NULL(refused.entry);
	sl_dedupe_finish(dedupe, flying[1].entry, 0, some_id, 0);
	do_new_as(3, dedupe, "key-0003", 0, 0); /* in place of that one */
	sl_dedupe_get_stats(dedupe, &stats);
	CU_ASSERT_EQUAL(stats.dedupe_now, 2);
	CU_ASSERT_EQUAL(stats.dedupe_refused, 1);
	CU_ASSERT_EQUAL(stats.dedupe_evicted, 1);
	sl_dedupe_finish(dedupe, flying[0].entry, 0, some_id, 0);
	expect_done(dedupe, "key-0001", 0);
	sl_dedupe_destroy(dedupe);
}

static void
test_dedupe_filled_by_one_owner_keeps_the_keys_of_others(void)
{
	struct sl_dedupe *dedupe = create(100);
	struct sl_bus_stats stats = { 0 };
	char key[32];
	for (unsigned i = 0; i < 30; i++) {
		snprintf(key, sizeof key, "honest-%04u", i);
		do_new_as(100 + i / 3, dedupe, key, 0, 0);
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "greedy-%04u", i);
		do_new_as(7, dedupe, key, 0, 1);
	}
	for (unsigned i = 0; i < 30; i++) {
		snprintf(key, sizeof key, "honest-%04u", i);
		expect_done(dedupe, key, 2);
	}
	expect_done(dedupe, "greedy-0930", 2);
	sl_dedupe_get_stats(dedupe, &stats);
	CU_ASSERT_EQUAL(stats.dedupe_now, 100);
	CU_ASSERT_EQUAL(stats.dedupe_evicted, 930);
	CU_ASSERT_EQUAL(stats.dedupe_refused, 0);
	sl_dedupe_destroy(dedupe);
}

static void
test_dedupe_with_a_lower_limit_shrinks_as_new_keys_come(void)
{
	struct sl_dedupe *dedupe = create(10);
	struct sl_bus_stats stats = { 0 };
	struct asked refused;
	char key[16];
	for (unsigned i = 0; i < 10; i++) {
		snprintf(key, sizeof key, "key-%04u", i);
		do_new(dedupe, key, 0, 0);
	}
	sl_dedupe_set_max(dedupe, 3);
	for (uint64_t now = 9; now >= 3; now--) { /* two go for one */
		snprintf(key, sizeof key, "new-%04u", (unsigned)now);
		do_new(dedupe, key, 0, 0);
		sl_dedupe_get_stats(dedupe, &stats);
		CU_ASSERT_EQUAL(stats.dedupe_now, now);
	}
	do_new(dedupe, "new-last", 0, 0);
	sl_dedupe_get_stats(dedupe, &stats);
	CU_ASSERT_EQUAL(stats.dedupe_now, 3);
	sl_dedupe_set_max(dedupe, 0);
	ask(&refused, dedupe, "key-none", 0);
	CU_ASSERT_EQUAL(refused.result, SL_EFULL);
	expect_done(dedupe, "new-last", 0);
	sl_dedupe_destroy(dedupe);
}

/* ---- against a model ---- */

#define KEYS 60
#define OWNERS 6
#define ROOM 25

struct key {
	char text[16];
	uint64_t owner, done_ms, order;
	bool is_done;
	struct sl_dedupe_entry *entry; /* in flight */
};

static size_t
count_done(const struct key *keys, uint64_t owner)
{
	size_t count = 0;
	for (size_t i = 0; i < KEYS; i++)
		count += keys[i].is_done && keys[i].owner == owner;
	return count;
}

/* 0 for an owner that nothing can be taken from; with those in flight for another. */
static size_t
count_keys(const struct key *keys, uint64_t owner)
{
	size_t count = 0;
	for (size_t i = 0; i < KEYS; i++)
		count += (keys[i].is_done || keys[i].entry) && keys[i].owner == owner;
	return count_done(keys, owner) ? count : 0;
}

static size_t
count_known(const struct key *keys)
{
	size_t count = 0;
	for (size_t i = 0; i < KEYS; i++)
		count += keys[i].is_done || keys[i].entry;
	return count;
}

static void
expire(struct key *keys, uint64_t now_ms)
{
	for (size_t i = 0; i < KEYS; i++)
		keys[i].is_done = keys[i].is_done && now_ms < keys[i].done_ms + SL_DEDUPE_KEPT_MS;
}

/* Asked again, the key that went is new: so the model learns which it was, and judges that. */
static struct key *
find_evicted(struct sl_dedupe *dedupe, struct key *keys, uint64_t now_ms)
{
	struct key *evicted = NULL;
	sl_dedupe_set_max(dedupe, KEYS + 1); /* asking evicts nothing meanwhile */
	for (struct key *key = keys; key < keys + KEYS; key++) {
		struct asked asked;
		if (!key->is_done)
			continue;
		ask_as(&asked, key->owner, dedupe, key->text, now_ms);
		CU_ASSERT_EQUAL_FATAL(asked.result, 0);
		if (!asked.entry)
			continue;
		sl_dedupe_finish(dedupe, asked.entry, SL_EBACKEND, some_id, now_ms); /* which keeps it not */
		CU_ASSERT_PTR_NULL(evicted);
		evicted = key;
	}
	sl_dedupe_set_max(dedupe, ROOM);
	return evicted;
}

static void
judge_eviction(const struct key *evicted, const struct key *keys)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(evicted);
	for (uint64_t owner = 0; owner < OWNERS; owner++)
		CU_ASSERT(count_keys(keys, owner) <= count_keys(keys, evicted->owner));
	for (const struct key *key = keys; key < keys + KEYS; key++)
		CU_ASSERT(!key->is_done || key->owner != evicted->owner || key->order >= evicted->order);
}

static void
begin(struct sl_dedupe *dedupe, struct key *keys, struct key *key, uint64_t owner, uint64_t now_ms)
{
	struct asked asked;
	size_t done = 0;
	for (uint64_t any = 0; any < OWNERS; any++)
		done += count_done(keys, any);
	bool is_full = count_known(keys) >= ROOM;
	ask_as(&asked, owner, dedupe, key->text, now_ms);
	if (is_full && done == 0) {
		CU_ASSERT_EQUAL(asked.result, SL_EFULL);
		return;
	}
	CU_ASSERT_EQUAL_FATAL(asked.result, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(asked.entry);
	struct key *evicted = find_evicted(dedupe, keys, now_ms);
	key->owner = owner;
	key->entry = asked.entry; /* which counts already */
	if (is_full) {
		judge_eviction(evicted, keys);
		evicted->is_done = false;
	} else {
		CU_ASSERT_PTR_NULL(evicted);
	}
}

static void
test_dedupe_evicts_what_a_search_of_all_keys_finds(void)
{
	for (uint64_t round = 1; round <= 8; round++) {
		struct sl_dedupe *dedupe = create(ROOM);
		struct key keys[KEYS] = { 0 };
		uint64_t state = round, now_ms = 1000;
		for (unsigned i = 0; i < KEYS; i++)
			snprintf(keys[i].text, sizeof keys[i].text, "key-%04u", i);
		for (uint64_t step = 1; step <= 3000; step++) {
			struct key *key = &keys[draw(&state, KEYS)];
			now_ms += draw(&state, 100) == 0 ? SL_DEDUPE_KEPT_MS / 3 : 1;
			sl_dedupe_sweep(dedupe, now_ms);
			expire(keys, now_ms);
			if (key->entry && draw(&state, 2)) { /* else it flies on */
				bool fails = draw(&state, 5) == 0;
				sl_dedupe_finish(dedupe, key->entry, fails ? SL_EBACKEND : 0, some_id, now_ms);
				key->entry = NULL;
				key->is_done = !fails;
				key->done_ms = now_ms;
				key->order = step;
			} else if (key->is_done) {
				expect_done(dedupe, key->text, now_ms);
			} else if (!key->entry) {
				uint64_t owner = draw(&state, 3) ? 1 : draw(&state, OWNERS);
				begin(dedupe, keys, key, owner, now_ms);
			}
		}
		for (unsigned i = 0; i < KEYS; i++)
			if (keys[i].entry)
				sl_dedupe_finish(dedupe, keys[i].entry, 0, some_id, now_ms);
		sl_dedupe_destroy(dedupe);
	}
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
	struct sl_publish waiting = { .owner = 3 };
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

static void
test_dedupe_forgets_all_that_is_done_and_nothing_in_flight(void)
{
	char key[16];
	struct asked flying, again;
	struct sl_dedupe *dedupe = create(3000);
	ask(&flying, dedupe, "flying", 0);
	for (unsigned i = 0; i < 2000; i++) { /* more than one hold of the lock takes */
		snprintf(key, sizeof key, "key-%u", i);
		do_new(dedupe, key, 0, 1);
	}
	sl_dedupe_forget_done(dedupe);
	do_new(dedupe, "key-0", 0, 2);
	do_new(dedupe, "key-1999", 0, 2);
	ask(&again, dedupe, "flying", 2);
	CU_ASSERT_EQUAL(again.result, SL_PENDING);
	CU_ASSERT_PTR_EQUAL(sl_dedupe_finish(dedupe, flying.entry, 0, some_id, 3), &again.publish);
	expect_done(dedupe, "flying", 4);
	sl_dedupe_forget_done(dedupe);
	sl_dedupe_forget_done(dedupe);
	sl_dedupe_destroy(dedupe);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_dedupe_gives_a_repeated_key_the_first_answer_for_two_minutes),
		UNIT_TEST(test_dedupe_keeps_keys_apart),
		UNIT_TEST(test_dedupe_chains_those_who_ask_while_it_is_in_flight),
		UNIT_TEST(test_dedupe_does_not_keep_failures_but_answers_those_who_wait),
		UNIT_TEST(test_dedupe_when_full_forgets_the_oldest_key_done),
		UNIT_TEST(test_dedupe_when_all_are_in_flight_refuses_new_keys),
		UNIT_TEST(test_dedupe_filled_by_one_owner_keeps_the_keys_of_others),
		UNIT_TEST(test_dedupe_with_a_lower_limit_shrinks_as_new_keys_come),
		UNIT_TEST(test_dedupe_evicts_what_a_search_of_all_keys_finds),
		UNIT_TEST(test_dedupe_forgets_all_that_is_done_and_nothing_in_flight),
		UNIT_TEST(test_dedupe_sweep_forgets_what_expired_and_nothing_else),
		UNIT_TEST(test_dedupe_without_memory_forgets_nothing_and_keeps_nothing_of_the_new_key),
		{ NULL, NULL },
	};
	return unit_main("dedupe", tests);
}
