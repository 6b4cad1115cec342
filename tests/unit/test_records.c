#include "bus/records.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const struct sl_bus_config default_config = { .history_messages = 100,
	.history_bytes = 1 << 20, .history_age_ms = 300000, .history_total_bytes = 1 << 24,
	.channels_max = 1000 };

static struct sl_channel *
get(struct sl_records *records, const char *name)
{
	struct sl_channel *channel;
	CU_ASSERT_EQUAL_FATAL(sl_records_get(records, name, strlen(name), 0, &channel), 0);
	CU_ASSERT_EQUAL(channel->name_len, strlen(name));
	CU_ASSERT_STRING_EQUAL(channel->name, name);
	return channel;
}

/* What is left of the messages dropped meanwhile, as releasing the lock would do it. */
static void
empty_trash(struct sl_records *records)
{
	while (records->trash_count)
		sl_message_unref(records->trash[--records->trash_count]);
}

static void
append(struct sl_records *records, const char *name, uint64_t seq)
{
	struct sl_message *message = make_message(seq, name, "x");
	message->arrived_ms = 1000 * seq;
	sl_records_append(records, get(records, name), message);
	sl_message_unref(message);
	empty_trash(records);
}

static void
lose(struct sl_records *records, const char *name, uint64_t seq)
{
	struct sl_message *message = make_message(seq, name, "x");
	sl_records_lose(records, message);
	sl_message_unref(message);
}

/* Messages that a channel holds; -1 for a channel without a record. */
static int
held(const struct sl_records *records, const char *name)
{
	struct sl_channel *channel;
	HASH_FIND(hh, records->table, name, strlen(name), channel);
	return channel ? (int)channel->history.count : -1;
}

/* ---- records come and go ---- */

static void
test_records_find_the_channel_they_have_and_add_the_one_they_lack(void)
{
	struct sl_records records;
	sl_records_init(&records, &default_config);
	append(&records, "a", 1);
	struct sl_channel *a = get(&records, "a"), *b = get(&records, "b");
	CU_ASSERT_PTR_EQUAL(get(&records, "a"), a);
	CU_ASSERT_PTR_NOT_EQUAL(a, b);
	CU_ASSERT_EQUAL(records.stats.channels_now, 2);
	CU_ASSERT_PTR_NOT_EQUAL(get(&records, "A"), a);
	sl_records_finish(&records);
}

static void
test_records_are_forgotten_when_nobody_wants_them_and_nothing_is_held(void)
{
	struct sl_records records;
	sl_records_init(&records, &default_config);
	struct sl_channel *a = get(&records, "a");
	sl_records_want(&records, a, 0);
	sl_records_want(&records, a, 63);
	CU_ASSERT_EQUAL(a->interest, UINT64_C(1) << 63 | 1);
	sl_records_unwant(&records, a, 0);
	CU_ASSERT_EQUAL(held(&records, "a"), 0);
	sl_records_unwant(&records, a, 63);
	CU_ASSERT_EQUAL(held(&records, "a"), -1);
	CU_ASSERT_EQUAL(records.stats.channels_forgotten, 1);
	append(&records, "b", 5);
	sl_records_want(&records, get(&records, "b"), 3);
	sl_records_unwant(&records, get(&records, "b"), 3);
	CU_ASSERT_EQUAL(held(&records, "b"), 1);
	sl_records_finish(&records);
}

static void
test_records_forgotten_raise_the_floor_that_new_ones_start_from(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 0;
	struct sl_records records;
	sl_records_init(&records, &config);
	append(&records, "a", 7);
	CU_ASSERT_EQUAL(held(&records, "a"), -1);
	CU_ASSERT_EQUAL(records.floor, 7);
	CU_ASSERT_EQUAL(get(&records, "b")->history.last_evicted, 7);
	lose(&records, "x", 6);
	CU_ASSERT_EQUAL(records.floor, 7);
	lose(&records, "x", 9);
	CU_ASSERT_EQUAL(records.floor, 9);
	sl_records_finish(&records);
}

/* ---- room ---- */

static void
test_records_make_room_by_the_unwanted_channel_used_longest_ago(void)
{
	struct sl_bus_config config = default_config;
	config.channels_max = 3;
	struct sl_records records;
	sl_records_init(&records, &config);
	append(&records, "a", 1);
	append(&records, "b", 2);
	append(&records, "c", 3);
	append(&records, "a", 4); /* b is the oldest now */
	sl_records_want(&records, get(&records, "b"), 0); /* but wanted: c goes */
	append(&records, "d", 5);
	CU_ASSERT_EQUAL(held(&records, "c"), -1);
	CU_ASSERT_EQUAL(held(&records, "b"), 1);
	CU_ASSERT_EQUAL(held(&records, "a"), 2);
	sl_records_want(&records, get(&records, "a"), 0);
	sl_records_want(&records, get(&records, "d"), 0);
	struct sl_channel *e;
	CU_ASSERT_EQUAL(sl_records_get(&records, "e", 1, 0, &e), SL_EFULL);
	CU_ASSERT_PTR_NULL(e);
	CU_ASSERT_EQUAL(records.stats.channels_now, 3);
	sl_records_finish(&records);
}

static void
test_records_that_hold_too_much_in_all_drop_of_the_channel_that_holds_most(void)
{
	struct sl_bus_config config = default_config;
	struct sl_message *message = make_message(1, "a", "x");
	config.history_total_bytes = 3 * sl_message_bytes(message);
	sl_message_unref(message);
	struct sl_records records;
	sl_records_init(&records, &config);
	append(&records, "a", 1);
	append(&records, "b", 2);
	append(&records, "a", 3);
	sl_records_want(&records, get(&records, "b"), 0);
	append(&records, "c", 4);
	CU_ASSERT_EQUAL(held(&records, "a"), 1);
	append(&records, "c", 5); /* again and again it holds most itself */
	append(&records, "c", 6);
	CU_ASSERT_EQUAL(held(&records, "c"), 1);
	CU_ASSERT_EQUAL(held(&records, "a"), 1);
	CU_ASSERT_EQUAL(held(&records, "b"), 1);
	append(&records, "d", 7); /* all hold one: b does the longest time */
	CU_ASSERT_EQUAL(held(&records, "b"), 0); /* wanted, so the record stays */
	CU_ASSERT_EQUAL(get(&records, "b")->history.last_evicted, 2);
	append(&records, "e", 8); /* then a does */
	CU_ASSERT_EQUAL(held(&records, "a"), -1);
	CU_ASSERT_EQUAL(records.floor, 3);
	CU_ASSERT_EQUAL(records.stats.evicted_total, 5);
	CU_ASSERT_EQUAL(records.stats.history_messages_now, 3);
	sl_records_finish(&records);
}

/* A channel with 20 messages of 1 KB, and then thousands of 60 KB to channels of their own. */
static void
test_records_keep_a_quiet_channel_whole_while_others_fill_everything(void)
{
	struct sl_bus_config config = default_config;
	config.history_total_bytes = 100 * 60000;
	config.channels_max = 100000;
	struct sl_records records;
	sl_records_init(&records, &config);
	char *text = calloc(1, 60001), name[16];
	if (!text)
		abort();
	memset(text, 'x', 1000);
	for (uint64_t seq = 1; seq <= 5020; seq++) {
		if (seq == 21)
			memset(text, 'x', 60000);
		snprintf(name, sizeof name, seq <= 20 ? "quiet" : "c%d", (int)seq);
		struct sl_message *message = make_message(seq, name, text);
		sl_records_append(&records, get(&records, name), message);
		sl_message_unref(message);
		empty_trash(&records);
	}
	free(text);
	CU_ASSERT_EQUAL(held(&records, "quiet"), 20);
	CU_ASSERT_EQUAL(held(&records, "c5020"), 1);
	CU_ASSERT(records.stats.history_bytes_now <= config.history_total_bytes);
	CU_ASSERT(records.stats.channels_now < 101);
	sl_records_finish(&records);
}

static void
test_records_make_room_at_the_cost_of_the_owner_that_has_most(void)
{
	struct sl_bus_config config = default_config;
	config.channels_max = 10;
	struct sl_records records;
	sl_records_init(&records, &config);
	char name[16];
	for (uint64_t seq = 1; seq <= 100; seq++) {
		struct sl_channel *channel;
		/* Owners 1 to 4 have one each, owner 7 comes with all the rest. */
		size_t len = (size_t)snprintf(name, sizeof name, "c%d", (int)seq);
		CU_ASSERT_EQUAL_FATAL(sl_records_get(&records, name, len, seq <= 4 ? seq : 7, &channel), 0);
		append(&records, name, seq);
	}
	CU_ASSERT_EQUAL(records.stats.channels_now, 10);
	CU_ASSERT_EQUAL(records.stats.channels_evicted, 90);
	for (int i = 1; i <= 4; i++) {
		snprintf(name, sizeof name, "c%d", i);
		CU_ASSERT_EQUAL(held(&records, name), 1);
	}
	CU_ASSERT_EQUAL(held(&records, "c94"), -1);
	CU_ASSERT_EQUAL(held(&records, "c95"), 1);
	CU_ASSERT_EQUAL(records.floor, 94);
	sl_records_finish(&records);
}

static void
test_records_free_what_finds_no_room_in_the_trash(void)
{
	struct sl_bus_config config = default_config;
	config.history_messages = 2 * SL_TRASH_MAX;
	struct sl_records records;
	sl_records_init(&records, &config);
	for (uint64_t seq = 1; seq <= 2 * SL_TRASH_MAX; seq++)
		append(&records, "a", seq);
	config.history_messages = 10;
	long live = failing_alloc_live();
	struct sl_message *message = make_message(1000, "a", "x");
	sl_records_append(&records, get(&records, "a"), message);
	sl_message_unref(message);
	CU_ASSERT_EQUAL(held(&records, "a"), 10);
	CU_ASSERT_EQUAL(records.trash_count, SL_TRASH_MAX);
	CU_ASSERT_EQUAL(failing_alloc_live(), live + 1 - (2 * SL_TRASH_MAX + 1 - 10 - SL_TRASH_MAX));
	sl_records_finish(&records); /* and the trash with them */
}

static void
test_records_sweep_keeps_its_place_when_the_record_there_is_forgotten(void)
{
	struct sl_records records;
	sl_records_init(&records, &default_config);
	for (uint64_t seq = 1; seq <= 3; seq++)
		append(&records, (const char *[]){ "a", "b", "c" }[seq - 1], seq);
	size_t budget = 1;
	CU_ASSERT_FALSE(sl_records_sweep(&records, 0, &budget)); /* a; b is next */
	CU_ASSERT_STRING_EQUAL(records.sweep_at->name, "b");
	struct sl_channel *b = records.sweep_at;
	sl_records_want(&records, b, 0);
	budget = 1;
	CU_ASSERT_FALSE(sl_records_sweep(&records, 302500, &budget)); /* drops b's message, and comes to c */
	CU_ASSERT_EQUAL(held(&records, "b"), 0);
	records.sweep_at = b;
	sl_records_unwant(&records, b, 0);
	CU_ASSERT_STRING_EQUAL(records.sweep_at->name, "c");
	budget = 10;
	CU_ASSERT_TRUE(sl_records_sweep(&records, 304000, &budget));
	CU_ASSERT_EQUAL(held(&records, "c"), -1);
	CU_ASSERT_EQUAL(held(&records, "a"), 1); /* its turn comes next time */
	CU_ASSERT_TRUE(sl_records_sweep(&records, 304000, &budget));
	CU_ASSERT_EQUAL(held(&records, "a"), -1);
	CU_ASSERT_EQUAL(records.stats.evicted_age, 3);
	sl_records_finish(&records);
}

/* ---- leased channels ---- */

static void
test_records_keep_a_leased_channel_by_its_own_limits(void)
{
	const struct sl_bus_config nothing = { .channels_max = 1 };
	struct sl_records records;
	sl_records_init(&records, &nothing);
	for (uint64_t seq = 1; seq <= SL_LEASED_MESSAGES_MAX; seq++)
		append(&records, "~a", seq);
	CU_ASSERT_EQUAL(held(&records, "~a"), SL_LEASED_MESSAGES_MAX);
	append(&records, "~a", SL_LEASED_MESSAGES_MAX + 1);
	CU_ASSERT_EQUAL(held(&records, "~a"), SL_LEASED_MESSAGES_MAX);
	CU_ASSERT_EQUAL(records.stats.evicted_count, 1);
	CU_ASSERT_EQUAL(records.stats.history_messages_now + records.stats.history_bytes_now, 0);
	CU_ASSERT_EQUAL(records.stats.leased_messages_now, SL_LEASED_MESSAGES_MAX);
	CU_ASSERT(records.stats.leased_bytes_now > SL_LEASED_MESSAGES_MAX);
	append(&records, "x", 1000); /* keeps nothing, takes nothing away */
	CU_ASSERT_EQUAL(held(&records, "~a"), SL_LEASED_MESSAGES_MAX);
	sl_records_finish(&records);
}

static void
test_records_bound_the_bytes_and_the_age_of_a_leased_channel(void)
{
	struct sl_records records;
	sl_records_init(&records, &default_config);
	char *text = calloc(1, SL_LEASED_BYTES_MAX / 2);
	if (!text)
		abort();
	memset(text, 'x', SL_LEASED_BYTES_MAX / 2 - 1);
	for (uint64_t seq = 1; seq <= 3; seq++) {
		struct sl_message *message = make_message(seq, "~a", text);
		message->arrived_ms = 1000;
		sl_records_append(&records, get(&records, "~a"), message);
		sl_message_unref(message);
		empty_trash(&records);
	}
	free(text);
	CU_ASSERT_EQUAL(held(&records, "~a"), 1);
	CU_ASSERT_EQUAL(records.stats.evicted_bytes, 2);
	size_t budget = 100;
	CU_ASSERT_TRUE(sl_records_sweep(&records, 1000 + SL_LEASED_AGE_MS, &budget));
	CU_ASSERT_EQUAL(held(&records, "~a"), 1);
	CU_ASSERT_TRUE(sl_records_sweep(&records, 1001 + SL_LEASED_AGE_MS, &budget));
	CU_ASSERT_EQUAL(held(&records, "~a"), -1);
	CU_ASSERT_EQUAL(records.stats.leased_messages_now + records.stats.leased_bytes_now, 0);
	sl_records_finish(&records);
}

/* Whoever lent them: other nodes do too. */
static void
test_records_bound_leased_channels_in_all(void)
{
	struct sl_records records;
	char name[16];
	struct sl_channel *channel;
	sl_records_init(&records, &default_config);
	for (unsigned i = 0; i < SL_LEASED_CHANNELS_MAX; i++) {
		snprintf(name, sizeof name, "~%u", i);
		append(&records, name, i + 1);
	}
	CU_ASSERT_EQUAL(sl_records_get(&records, "~more", 5, 0, &channel), SL_EFULL);
	CU_ASSERT_EQUAL(sl_records_get(&records, "~7", 2, 0, &channel), 0);
	CU_ASSERT_EQUAL(sl_records_get(&records, "more", 4, 0, &channel), 0);
	sl_records_forget(&records, "~7", 2);
	CU_ASSERT_EQUAL(sl_records_get(&records, "~more", 5, 0, &channel), 0);
	sl_records_finish(&records);
}

static void
test_records_bound_the_bytes_of_leased_channels_in_all(void)
{
	struct sl_records records;
	char name[16], *text = calloc(1, SL_LEASED_BYTES_MAX / 2);
	if (!text)
		abort();
	memset(text, 'x', SL_LEASED_BYTES_MAX / 2 - 1);
	struct sl_message *message = make_message(1, "~a", text); /* one for all, to save memory */
	free(text);
	sl_records_init(&records, &default_config);
	append(&records, "x", 1);
	unsigned count = (unsigned)(SL_LEASED_TOTAL_BYTES / sl_message_bytes(message)) + 20;
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof name, "~%u", i);
		sl_records_append(&records, get(&records, name), message);
		empty_trash(&records);
		CU_ASSERT(records.stats.leased_bytes_now <= SL_LEASED_TOTAL_BYTES);
	}
	CU_ASSERT_EQUAL(records.stats.evicted_total, 20);
	CU_ASSERT_EQUAL(held(&records, "~0"), 1); /* those that gain lose */
	CU_ASSERT_EQUAL(held(&records, name), -1);
	CU_ASSERT_EQUAL(held(&records, "x"), 1);
	sl_message_unref(message);
	sl_records_finish(&records);
}

static void
test_records_of_leased_channels_tell_nobody_of_gaps(void)
{
	struct sl_records records;
	sl_records_init(&records, &default_config);
	append(&records, "~a", 7);
	append(&records, "~b", 8);
	struct sl_channel *wanted = get(&records, "~b");
	sl_records_want(&records, wanted, 0);
	sl_records_forget(&records, "~a", 2);
	sl_records_forget(&records, "~b", 2);
	sl_records_forget(&records, "~c", 2);
	CU_ASSERT_EQUAL(held(&records, "~a"), -1);
	CU_ASSERT_EQUAL(held(&records, "~b"), 0);
	sl_records_unwant(&records, wanted, 0);
	CU_ASSERT_EQUAL(held(&records, "~b"), -1);
	CU_ASSERT_EQUAL(records.leased_floor, 0);
	lose(&records, "~x", 9); /* which is another matter */
	CU_ASSERT_EQUAL(get(&records, "~x")->history.last_evicted, 9);
	CU_ASSERT_EQUAL(records.floor, 0);
	CU_ASSERT_EQUAL(get(&records, "a")->history.last_evicted, 0);
	sl_records_finish(&records);
}

/* ---- without memory ---- */

static void
test_records_without_memory_add_nothing_and_keep_what_they_have(void)
{
	for_each_failing_allocation(failing) {
		struct sl_records records;
		char name[16];
		int err = 0, added = 0;
		sl_records_init(&records, &default_config);
		for (; err == 0 && added < 400; added += err == 0) { /* so many that the table grows */
			struct sl_channel *channel;
			size_t len = (size_t)snprintf(name, sizeof name, "c%d", added);
			err = sl_records_get(&records, name, len, 0, &channel);
			CU_ASSERT_EQUAL(channel != NULL, err == 0);
		}
		failing_expect(err);
		CU_ASSERT_EQUAL(records.stats.channels_now, (uint64_t)added);
		for (int i = 0; i < added; i += 7) {
			snprintf(name, sizeof name, "c%d", i);
			CU_ASSERT_EQUAL(held(&records, name), 0);
		}
		sl_records_finish(&records);
	}
}

static void
test_records_without_memory_start_history_anew_behind_the_message(void)
{
	struct sl_message *messages[20];
	for (uint64_t i = 0; i < 20; i++)
		messages[i] = make_message(i + 1, "a", "x");
	for_each_failing_allocation(failing) {
		struct sl_records records;
		struct sl_channel *a;
		sl_records_init(&records, &default_config);
		int err = sl_records_get(&records, "a", 1, 0, &a);
		if (err == 0)
			sl_records_want(&records, a, 0);
		for (uint64_t i = 0; err == 0 && i < 20; i++) {
			sl_records_append(&records, a, messages[i]);
			/* What is held is what follows the last one that is not, without a hole. */
			CU_ASSERT_EQUAL(a->history.last_evicted + a->history.count, i + 1);
			CU_ASSERT_EQUAL(records.stats.history_messages_now, a->history.count);
			CU_ASSERT_EQUAL(records.stats.history_bytes_now, a->history.bytes);
		}
		failing_alloc_off();
		CU_ASSERT(err == 0 || (err == SL_ENOMEM && failing_alloc_has_failed()));
		sl_records_finish(&records);
	}
	for (size_t i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(messages[i]->refs, 1);
	drop_messages(messages, 20);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_records_find_the_channel_they_have_and_add_the_one_they_lack),
		UNIT_TEST(test_records_are_forgotten_when_nobody_wants_them_and_nothing_is_held),
		UNIT_TEST(test_records_forgotten_raise_the_floor_that_new_ones_start_from),
		UNIT_TEST(test_records_make_room_by_the_unwanted_channel_used_longest_ago),
		UNIT_TEST(test_records_that_hold_too_much_in_all_drop_of_the_channel_that_holds_most),
		UNIT_TEST(test_records_keep_a_quiet_channel_whole_while_others_fill_everything),
		UNIT_TEST(test_records_make_room_at_the_cost_of_the_owner_that_has_most),
		UNIT_TEST(test_records_free_what_finds_no_room_in_the_trash),
		UNIT_TEST(test_records_sweep_keeps_its_place_when_the_record_there_is_forgotten),
		UNIT_TEST(test_records_keep_a_leased_channel_by_its_own_limits),
		UNIT_TEST(test_records_bound_the_bytes_and_the_age_of_a_leased_channel),
		UNIT_TEST(test_records_bound_leased_channels_in_all),
		UNIT_TEST(test_records_bound_the_bytes_of_leased_channels_in_all),
		UNIT_TEST(test_records_of_leased_channels_tell_nobody_of_gaps),
		UNIT_TEST(test_records_without_memory_add_nothing_and_keep_what_they_have),
		UNIT_TEST(test_records_without_memory_start_history_anew_behind_the_message),
		{ NULL, NULL },
	};
	return unit_main("records", tests);
}
