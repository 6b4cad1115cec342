/* When a log is another one than was read so far. */
#include "tests/unit/nats_reader.h"

static void
expect_reset(struct reader *reader, enum sl_nats_verdict verdict)
{
	CU_ASSERT_EQUAL(look(reader, 0), verdict);
	CU_ASSERT_FALSE(sl_nats_resync_must_create(&reader->resync));
	send(reader, 6, 9);
	expect_words(reader, ""); /* nothing under the old epoch */
	CU_ASSERT_EQUAL(look(reader, 100), verdict);
	reader->state.generation += verdict == SL_NATS_ROLLED_BACK;
	begin(reader, 1, 3);
	CU_ASSERT_EQUAL(look(reader, 0), SL_NATS_SAME);
	send(reader, 1, 3);
	expect_words(reader, "1 2 3");
}

static void
test_a_stream_that_was_made_again_is_another_log(void)
{
	struct reader reader;
	start_at_5(&reader);
	reader.state.created_ns++;
	tell(&reader, 1, 3);
	expect_reset(&reader, SL_NATS_REPLACED);
}

static void
test_another_generation_is_another_log(void)
{
	struct reader reader;
	start_at_5(&reader);
	reader.state.generation++;
	tell(&reader, 1, 5);
	expect_reset(&reader, SL_NATS_REPLACED);
}

static void
test_a_generation_that_stays_lower_is_raised_above_what_it_was(void)
{
	struct reader reader;
	start_at_5(&reader);
	reader.state.generation = 2;
	tell(&reader, 1, 5);
	begin(&reader, 1, 0);
	reader.state.generation = 1;
	for (unsigned s = 0; s < SL_NATS_DOUBT_MS / 1000; s++) {
		tell(&reader, 1, 1 + s); /* a new leader that has not heard of the last one yet would say so */
		CU_ASSERT_EQUAL(look(&reader, 1000), SL_NATS_SAME);
		send(&reader, 1 + s, 1 + s);
	}
	expect_words(&reader, "1 2 3 4 5 6 7 8 9 10");
	tell(&reader, 1, 10);
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_ROLLED_BACK);
	CU_ASSERT_EQUAL(reader.resync.log.generation, 2);
}

static void
test_a_server_that_has_lost_the_others_is_not_believed(void)
{
	struct reader reader;
	start_at_5(&reader);
	for (unsigned s = 0; s < 2 * SL_NATS_DOUBT_MS / 1000; s++) {
		look(&reader, 1000);
		tell(&reader, 1, 3);
		if (s % 3 == 2) { /* nobody would make us a consumer there */
			sl_nats_resync_give_up(&reader.resync, "no-consumer");
			sl_nats_resync_open(&reader.resync, reader.now_ms);
			sl_nats_resync_give_up(&reader.resync, "no-consumer");
		}
		CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
	}
	sl_nats_resync_reconnect(&reader.resync);
	open_consumer(&reader);
	tell(&reader, 1, 5); /* the others know better */
	send(&reader, 5, 6);
	expect_words(&reader, "6");
	tell(&reader, 1, 6);
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
}

static void
test_another_message_at_the_position_shows_that_the_log_was_rolled_back(void)
{
	struct reader reader;
	start_at_5(&reader);
	sl_nats_resync_reconnect(&reader.resync);
	open_consumer(&reader);
	send_at(&reader, 5, time_of(5) + 1);
	send(&reader, 6, 7);
	expect_words(&reader, "");
	CU_ASSERT_TRUE(sl_nats_resync_wants_state(&reader.resync));
	CU_ASSERT_FALSE(sl_nats_resync_must_create(&reader.resync));
	tell(&reader, 1, 7);
	expect_reset(&reader, SL_NATS_ROLLED_BACK);
}

static void
test_another_message_at_the_position_may_be_of_a_stream_that_was_made_again(void)
{
	struct reader reader;
	start_at_5(&reader);
	sl_nats_resync_reconnect(&reader.resync);
	open_consumer(&reader);
	send_at(&reader, 5, time_of(5) + 1);
	reader.state.created_ns++;
	tell(&reader, 1, 7);
	expect_reset(&reader, SL_NATS_REPLACED);
}

static void
test_another_message_below_the_position_shows_it_at_once(void)
{
	struct reader reader;
	start_at_5(&reader);
	sl_nats_resync_reconnect(&reader.resync);
	open_consumer(&reader);
	send_at(&reader, 4, time_of(9));
	tell(&reader, 1, 4);
	expect_reset(&reader, SL_NATS_ROLLED_BACK);
}

static void
test_a_log_that_stays_shorter_was_rolled_back(void)
{
	struct reader reader;
	start_at_5(&reader);
	tell(&reader, 1, 5);
	tell(&reader, 1, 5);
	for (unsigned s = 0; s < SL_NATS_SHORT_MS / 1000; s++) {
		beat(&reader);
		tell(&reader, 1, 3);
		CU_ASSERT_EQUAL(look(&reader, 1000), SL_NATS_SAME);
	}
	tell(&reader, 1, 3);
	expect_reset(&reader, SL_NATS_ROLLED_BACK);
}

static void
test_a_log_that_is_shorter_and_grows_has_longer(void)
{
	struct reader reader;
	start(&reader, 1, 50);
	send(&reader, 1, 50);
	reader.words[0] = '\0';
	tell(&reader, 1, 50);
	tell(&reader, 1, 50);
	for (unsigned s = 0; s < SL_NATS_DOUBT_MS / 1000; s++) {
		beat(&reader);
		tell(&reader, 1, 10 + s);
		CU_ASSERT_EQUAL(look(&reader, 1000), SL_NATS_SAME);
	}
	tell(&reader, 1, 20);
	expect_reset(&reader, SL_NATS_ROLLED_BACK);
}

static void
test_a_doubt_lives_on_at_another_server(void)
{
	struct reader reader;
	start_at_5(&reader);
	for (unsigned s = 0; s <= SL_NATS_SHORT_MS / 1000 + 2; s++) {
		CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
		if (s % 3 == 2) {
			sl_nats_resync_reconnect(&reader.resync);
			open_consumer(&reader);
		}
		beat(&reader);
		tell(&reader, 1, s < 2 ? 5 : 3);
		reader.now_ms += 1000;
	}
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_ROLLED_BACK);
}

static void
test_a_doubt_from_before_a_silence_does_not_count(void)
{
	struct reader reader;
	start_at_5(&reader);
	tell(&reader, 1, 5);
	tell(&reader, 1, 5);
	tell(&reader, 1, 3);
	reader.now_ms += 2 * SL_NATS_DOUBT_MS; /* nobody leads */
	beat(&reader);
	tell(&reader, 1, 3);
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
}

static void
test_a_log_that_was_rolled_back_and_grew_beyond_the_position_is_noticed(void)
{
	struct reader reader;
	start(&reader, 1, 3000);
	send(&reader, 1, 3000);
	reader.words[0] = '\0';
	sl_nats_resync_reconnect(&reader.resync);
	open_consumer(&reader);
	for (uint64_t seq = 1500; seq < 3000; seq++) /* the first are too old to be remembered */
		send_at(&reader, seq, time_of(seq) + 7);
	CU_ASSERT_TRUE(sl_nats_resync_wants_state(&reader.resync));
	tell(&reader, 1, 4000);
	expect_reset(&reader, SL_NATS_ROLLED_BACK);
}

static void
test_what_was_lost_is_no_witness(void)
{
	struct reader reader;
	start_at_5(&reader);
	tell(&reader, 9, 8);
	beat(&reader);
	expect_words(&reader, "purged5 lost8");
	sl_nats_resync_reconnect(&reader.resync); /* meanwhile it is rolled back, and grows beyond 8 */
	CU_ASSERT_EQUAL(sl_nats_resync_get_start(&reader.resync), 5);
	open_consumer(&reader);
	send_at(&reader, 5, time_of(5) + 3);
	send_at(&reader, 6, time_of(6) + 3);
	tell(&reader, 1, 12);
	expect_reset(&reader, SL_NATS_ROLLED_BACK);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_a_stream_that_was_made_again_is_another_log),
		UNIT_TEST(test_another_generation_is_another_log),
		UNIT_TEST(test_a_generation_that_stays_lower_is_raised_above_what_it_was),
		UNIT_TEST(test_a_server_that_has_lost_the_others_is_not_believed),
		UNIT_TEST(test_another_message_at_the_position_shows_that_the_log_was_rolled_back),
		UNIT_TEST(test_another_message_at_the_position_may_be_of_a_stream_that_was_made_again),
		UNIT_TEST(test_another_message_below_the_position_shows_it_at_once),
		UNIT_TEST(test_a_log_that_stays_shorter_was_rolled_back),
		UNIT_TEST(test_a_log_that_is_shorter_and_grows_has_longer),
		UNIT_TEST(test_a_doubt_lives_on_at_another_server),
		UNIT_TEST(test_a_doubt_from_before_a_silence_does_not_count),
		UNIT_TEST(test_a_log_that_was_rolled_back_and_grew_beyond_the_position_is_noticed),
		UNIT_TEST(test_what_was_lost_is_no_witness),
		{ NULL, NULL },
	};
	return unit_main("nats_rollback", tests);
}
