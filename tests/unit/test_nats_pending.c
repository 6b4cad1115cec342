/* The table of publishes on their way, by a clock of the test's own. */
#include "bus/nats_pending.h"

#include "tests/unit/unit.h"
#include "util/err.h"

#define TIMEOUT_MS 20000
#define START_MS 1000000

static const struct sl_nats_pending_config config = { TIMEOUT_MS, 4, 1000 };
static const struct sl_cursor head = { 7, 100 };

static struct sl_nats_pending pending;
static struct sl_nats_entry entries[8];
static char ids[8][16];
static uint64_t now_ms;

/* Entries are nobody's memory; the tables that list them are. */
static void
empty(void)
{
	HASH_CLEAR(by_number, pending.by_number);
	HASH_CLEAR(by_id, pending.by_id);
}

static void
begin(void)
{
	empty();
	sl_nats_pending_init(&pending, &config);
	memset(entries, 0, sizeof entries);
	now_ms = START_MS;
}

static struct sl_nats_entry *
add(unsigned i)
{
	snprintf(ids[i], sizeof ids[i], "p/%u", i);
	entries[i] = (struct sl_nats_entry){ .number = i + 1, .id = ids[i], .id_len = strlen(ids[i]),
		.bytes = 10, .since_ms = now_ms };
	CU_ASSERT_EQUAL_FATAL(sl_nats_pending_add(&pending, &entries[i]), 0);
	return &entries[i];
}

static void
begin_with(unsigned count)
{
	begin();
	sl_nats_pending_connect(&pending, now_ms);
	for (unsigned i = 0; i < count; i++)
		add(i);
}

/* Hands over what may go now; the numbers of the entries as digits. */
static const char *
send_all(void)
{
	static char sent[16];
	struct sl_nats_entry *entry;
	size_t count = 0;
	sl_nats_pending_run(&pending, now_ms);
	while ((entry = sl_nats_pending_take(&pending, now_ms, head))) {
		CU_ASSERT_FALSE(sl_nats_pending_put(&pending, entry, true, now_ms));
		sent[count++] = (char)('0' + (entry - entries));
	}
	sent[count] = '\0';
	return sent;
}

static void
finish(unsigned i)
{
	CU_ASSERT_TRUE(sl_nats_pending_finish(&pending, &entries[i], now_ms));
}

static void
postpone(unsigned i, bool is_certain)
{
	sl_nats_pending_postpone(&pending, &entries[i], is_certain, now_ms);
}

static void
test_nats_pending_hands_over_in_order_up_to_its_limit(void)
{
	begin_with(6);
	CU_ASSERT_EQUAL(sl_nats_pending_get_due(&pending), 0);
	CU_ASSERT_STRING_EQUAL(send_all(), "0123");
	CU_ASSERT_EQUAL(sl_nats_pending_get_due(&pending), now_ms + SL_NATS_PATIENCE_MS);
	finish(2);
	CU_ASSERT_STRING_EQUAL(send_all(), "4");
	finish(0);
	finish(1);
	CU_ASSERT_STRING_EQUAL(send_all(), "5");
	finish(3), finish(4), finish(5);
	CU_ASSERT_EQUAL(pending.count, 0);
	CU_ASSERT_EQUAL(pending.flight_bytes, 0);
	CU_ASSERT_EQUAL(sl_nats_pending_get_due(&pending), UINT64_MAX);
}

static void
test_nats_pending_bytes_on_their_way_are_limited_but_one_always_goes(void)
{
	begin_with(3);
	entries[0].bytes = 5000;
	entries[1].bytes = 600;
	entries[2].bytes = 600;
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	finish(0);
	CU_ASSERT_STRING_EQUAL(send_all(), "1");
	finish(1);
	CU_ASSERT_STRING_EQUAL(send_all(), "2");
}

static void
test_nats_pending_without_a_connection_nothing_goes(void)
{
	begin();
	add(0);
	CU_ASSERT_STRING_EQUAL(send_all(), "");
	CU_ASSERT_EQUAL(sl_nats_pending_get_due(&pending), now_ms + TIMEOUT_MS);
	CU_ASSERT_FALSE(sl_nats_pending_is_unclear(&entries[0]));
	sl_nats_pending_connect(&pending, now_ms);
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	CU_ASSERT_TRUE(sl_nats_pending_is_unclear(&entries[0]));
}

static void
test_nats_pending_after_no_responders_the_oldest_goes_alone_until_the_log_answers(void)
{
	begin_with(3);
	CU_ASSERT_STRING_EQUAL(send_all(), "012");
	postpone(0, true), postpone(1, true), postpone(2, true);
	add(3);
	CU_ASSERT_STRING_EQUAL(send_all(), "");
	CU_ASSERT_EQUAL(sl_nats_pending_get_due(&pending), now_ms + SL_NATS_RETRY_MS);
	for (unsigned i = 0; i < 5; i++) {
		now_ms += SL_NATS_RETRY_MS;
		CU_ASSERT_STRING_EQUAL(send_all(), "0");
		postpone(0, true);
		CU_ASSERT_STRING_EQUAL(send_all(), "");
	}
	now_ms += SL_NATS_RETRY_MS;
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	finish(0);
	CU_ASSERT_STRING_EQUAL(send_all(), "123");
	CU_ASSERT_EQUAL(entries[1].tries, 2);
	CU_ASSERT_EQUAL(entries[3].tries, 1);
	CU_ASSERT_EQUAL(pending.retries, 8);
}

static void
test_nats_pending_silence_is_borne_for_a_second_and_later_for_two(void)
{
	begin_with(2);
	CU_ASSERT_STRING_EQUAL(send_all(), "01");
	static const unsigned waits_ms[] = { 1000, 1000, 2000, 2000, 2000 };
	for (unsigned i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
		CU_ASSERT_EQUAL(sl_nats_pending_get_due(&pending), now_ms + waits_ms[i]);
		now_ms += waits_ms[i] - 1;
		CU_ASSERT_STRING_EQUAL(send_all(), "");
		now_ms++;
		CU_ASSERT_STRING_EQUAL(send_all(), "0");
	}
	finish(0);
	CU_ASSERT_STRING_EQUAL(send_all(), "1");
}

static void
test_nats_pending_a_retry_goes_before_what_came_later(void)
{
	begin_with(4);
	CU_ASSERT_STRING_EQUAL(send_all(), "0123");
	finish(1), finish(3);
	now_ms += SL_NATS_PATIENCE_MS;
	add(4);
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	add(5);
	finish(0);
	CU_ASSERT_STRING_EQUAL(send_all(), "245");
}

static void
test_nats_pending_an_answer_that_is_not_believed_keeps_no_other_waiting(void)
{
	begin_with(3);
	CU_ASSERT_STRING_EQUAL(send_all(), "012");
	postpone(0, true);
	now_ms += SL_NATS_RETRY_MS;
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	sl_nats_pending_hear(&pending, now_ms);
	CU_ASSERT_STRING_EQUAL(send_all(), "12");
	now_ms += SL_NATS_PATIENCE_MS;
	CU_ASSERT_EQUAL(sl_nats_pending_get_silence_ms(&pending, now_ms), SL_NATS_PATIENCE_MS);
	sl_nats_pending_run(&pending, now_ms);
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	CU_ASSERT_TRUE(sl_nats_pending_is_unclear(&entries[0]));
}

static void
test_nats_pending_any_answer_ends_the_stall_and_the_oldest_is_still_first(void)
{
	begin_with(3);
	CU_ASSERT_STRING_EQUAL(send_all(), "012");
	postpone(0, true);
	finish(1); /* it had been stored before: its ack comes late */
	CU_ASSERT_STRING_EQUAL(send_all(), "02");
}

static void
test_nats_pending_answers_for_others_do_not_put_the_oldest_off(void)
{
	begin_with(3);
	CU_ASSERT_STRING_EQUAL(send_all(), "012");
	postpone(0, true);
	now_ms += SL_NATS_RETRY_MS / 2;
	postpone(1, true);
	CU_ASSERT_EQUAL(sl_nats_pending_get_due(&pending), START_MS + SL_NATS_RETRY_MS);
}

static void
test_nats_pending_another_connection_gets_all_again_the_oldest_first(void)
{
	begin_with(3);
	CU_ASSERT_STRING_EQUAL(send_all(), "012");
	sl_nats_pending_disconnect(&pending, now_ms);
	CU_ASSERT_STRING_EQUAL(send_all(), "");
	CU_ASSERT_EQUAL(sl_nats_pending_get_silence_ms(&pending, now_ms + 5), 0);
	sl_nats_pending_connect(&pending, now_ms);
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	finish(0);
	CU_ASSERT_STRING_EQUAL(send_all(), "12");
	CU_ASSERT_EQUAL(pending.flight_count, 2);
}

static void
test_nats_pending_what_the_connection_does_not_take_was_not_sent(void)
{
	begin_with(2);
	struct sl_nats_entry *entry = sl_nats_pending_take(&pending, now_ms, head);
	CU_ASSERT_PTR_EQUAL_FATAL(entry, &entries[0]);
	CU_ASSERT_TRUE(sl_nats_pending_is_unclear(entry)); /* who knows, meanwhile */
	CU_ASSERT_FALSE(sl_nats_pending_put(&pending, entry, false, now_ms));
	CU_ASSERT_FALSE(sl_nats_pending_is_unclear(entry));
	CU_ASSERT_EQUAL(entry->tries, 0);
	CU_ASSERT_STRING_EQUAL(send_all(), "");
	now_ms += SL_NATS_RETRY_MS;
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
}

static void
test_nats_pending_what_is_answered_in_the_sender_s_hands_is_freed_by_it(void)
{
	begin_with(2);
	struct sl_nats_entry *entry = sl_nats_pending_take(&pending, now_ms, head);
	CU_ASSERT_FALSE(sl_nats_pending_finish(&pending, entry, now_ms));
	CU_ASSERT_PTR_NULL(sl_nats_pending_find(&pending, entry->number));
	CU_ASSERT_PTR_NULL(sl_nats_pending_find_id(&pending, entry->id, entry->id_len));
	CU_ASSERT_TRUE(sl_nats_pending_put(&pending, entry, true, now_ms));
	CU_ASSERT_STRING_EQUAL(send_all(), "1");
}

static void
test_nats_pending_a_busy_one_is_not_taken_twice(void)
{
	begin_with(2);
	struct sl_nats_entry *entry = sl_nats_pending_take(&pending, now_ms, head);
	sl_nats_pending_postpone(&pending, entry, true, now_ms);
	now_ms += SL_NATS_RETRY_MS;
	CU_ASSERT_PTR_NULL(sl_nats_pending_take(&pending, now_ms, head));
	CU_ASSERT_FALSE(sl_nats_pending_put(&pending, entry, true, now_ms));
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
}

static void
test_nats_pending_knows_what_may_be_stored(void)
{
	begin_with(2);
	CU_ASSERT_STRING_EQUAL(send_all(), "01");
	postpone(0, true);
	CU_ASSERT_FALSE(sl_nats_pending_is_unclear(&entries[0]));
	CU_ASSERT_TRUE(sl_nats_pending_is_unclear(&entries[1])); /* nobody has said */
	now_ms += SL_NATS_RETRY_MS;
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	postpone(0, false);
	now_ms += SL_NATS_RETRY_MS;
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	postpone(0, true);
	CU_ASSERT_TRUE(sl_nats_pending_is_unclear(&entries[0])); /* one of two answers was uncertain */
}

static void
test_nats_pending_the_floor_is_that_of_the_first_time_that_counts(void)
{
	static const struct sl_cursor later = { 7, 200 };
	begin_with(1);
	CU_ASSERT_STRING_EQUAL(send_all(), "0");
	CU_ASSERT_EQUAL(entries[0].floor.seq, 100);
	now_ms += SL_NATS_PATIENCE_MS;
	sl_nats_pending_run(&pending, now_ms);
	struct sl_nats_entry *entry = sl_nats_pending_take(&pending, now_ms, later);
	CU_ASSERT_EQUAL(entry->floor.seq, 100); /* the first one may be stored */
	sl_nats_pending_put(&pending, entry, true, now_ms);
	postpone(0, true), postpone(0, true);
	now_ms += SL_NATS_RETRY_MS;
	entry = sl_nats_pending_take(&pending, now_ms, later);
	CU_ASSERT_EQUAL(entry->floor.seq, 200);
	CU_ASSERT_EQUAL(entry->floor.epoch, 7);
}

static void
test_nats_pending_ends_the_oldest_when_its_time_is_over(void)
{
	begin_with(1);
	now_ms += 10;
	add(1);
	now_ms = START_MS + TIMEOUT_MS - 1;
	CU_ASSERT_PTR_NULL(sl_nats_pending_get_expired(&pending, now_ms));
	now_ms++;
	CU_ASSERT_PTR_EQUAL(sl_nats_pending_get_expired(&pending, now_ms), &entries[0]);
	CU_ASSERT_TRUE(sl_nats_pending_drop(&pending, &entries[0]));
	CU_ASSERT_PTR_NULL(sl_nats_pending_get_expired(&pending, now_ms));
	CU_ASSERT_STRING_EQUAL(send_all(), "1");
	CU_ASSERT_EQUAL(sl_nats_pending_get_due(&pending), now_ms + 10); /* before its silence is too long */
	now_ms += 10;
	CU_ASSERT_PTR_EQUAL(sl_nats_pending_get_expired(&pending, now_ms), &entries[1]);
}

static void
test_nats_pending_silence_counts_from_the_last_answer(void)
{
	begin_with(3);
	CU_ASSERT_EQUAL(sl_nats_pending_get_silence_ms(&pending, now_ms), 0);
	CU_ASSERT_STRING_EQUAL(send_all(), "012");
	now_ms += 300;
	CU_ASSERT_EQUAL(sl_nats_pending_get_silence_ms(&pending, now_ms), 300);
	finish(0);
	CU_ASSERT_EQUAL(sl_nats_pending_get_silence_ms(&pending, now_ms + 70), 70);
	postpone(1, true); /* which stores nothing */
	now_ms += 5000;
	CU_ASSERT_EQUAL(sl_nats_pending_get_silence_ms(&pending, now_ms), 5000);
	finish(1);
	finish(2);
	CU_ASSERT_EQUAL(sl_nats_pending_get_silence_ms(&pending, now_ms + 5000), 0);
}

static void
test_nats_pending_finds_by_number_and_by_id(void)
{
	begin_with(3);
	CU_ASSERT_PTR_EQUAL(sl_nats_pending_find(&pending, 2), &entries[1]);
	CU_ASSERT_PTR_EQUAL(sl_nats_pending_find_id(&pending, "p/2", 3), &entries[2]);
	CU_ASSERT_PTR_NULL(sl_nats_pending_find(&pending, 9));
	CU_ASSERT_PTR_NULL(sl_nats_pending_find_id(&pending, "p/22", 4));
	CU_ASSERT_TRUE(sl_nats_pending_drop(&pending, &entries[1]));
	CU_ASSERT_PTR_NULL(sl_nats_pending_find(&pending, 2));
	CU_ASSERT_STRING_EQUAL(send_all(), "02");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_pending_hands_over_in_order_up_to_its_limit),
		UNIT_TEST(test_nats_pending_bytes_on_their_way_are_limited_but_one_always_goes),
		UNIT_TEST(test_nats_pending_without_a_connection_nothing_goes),
		UNIT_TEST(test_nats_pending_after_no_responders_the_oldest_goes_alone_until_the_log_answers),
		UNIT_TEST(test_nats_pending_silence_is_borne_for_a_second_and_later_for_two),
		UNIT_TEST(test_nats_pending_a_retry_goes_before_what_came_later),
		UNIT_TEST(test_nats_pending_an_answer_that_is_not_believed_keeps_no_other_waiting),
		UNIT_TEST(test_nats_pending_any_answer_ends_the_stall_and_the_oldest_is_still_first),
		UNIT_TEST(test_nats_pending_answers_for_others_do_not_put_the_oldest_off),
		UNIT_TEST(test_nats_pending_another_connection_gets_all_again_the_oldest_first),
		UNIT_TEST(test_nats_pending_what_the_connection_does_not_take_was_not_sent),
		UNIT_TEST(test_nats_pending_what_is_answered_in_the_sender_s_hands_is_freed_by_it),
		UNIT_TEST(test_nats_pending_a_busy_one_is_not_taken_twice),
		UNIT_TEST(test_nats_pending_knows_what_may_be_stored),
		UNIT_TEST(test_nats_pending_the_floor_is_that_of_the_first_time_that_counts),
		UNIT_TEST(test_nats_pending_ends_the_oldest_when_its_time_is_over),
		UNIT_TEST(test_nats_pending_silence_counts_from_the_last_answer),
		UNIT_TEST(test_nats_pending_finds_by_number_and_by_id),
		{ NULL, NULL },
	};
	int status = unit_main("nats_pending", tests);
	empty();
	return status;
}
