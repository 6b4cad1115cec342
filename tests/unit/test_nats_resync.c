#include "tests/unit/nats_reader.h"

/* ---- reading ---- */

static void
test_everything_is_delivered_in_order(void)
{
	struct reader reader;
	start(&reader, 1, 3);
	CU_ASSERT_EQUAL(sl_nats_resync_get_start(&reader.resync), 1);
	CU_ASSERT_FALSE(sl_nats_resync_has_caught_up(&reader.resync));
	send(&reader, 1, 2);
	CU_ASSERT_FALSE(sl_nats_resync_has_caught_up(&reader.resync));
	CU_ASSERT_EQUAL(sl_nats_resync_get_lag(&reader.resync), 1);
	send(&reader, 3, 4);
	CU_ASSERT_TRUE(sl_nats_resync_has_caught_up(&reader.resync));
	CU_ASSERT_EQUAL(sl_nats_resync_get_lag(&reader.resync), 0);
	expect_words(&reader, "1 2 3 4");
	CU_ASSERT_EQUAL(reader.resync.lost, 0);
}

static void
test_an_empty_log_has_been_read_at_once(void)
{
	struct reader reader;
	start(&reader, 0, 0);
	CU_ASSERT_TRUE(sl_nats_resync_has_caught_up(&reader.resync));
	CU_ASSERT_TRUE(sl_nats_resync_is_live(&reader.resync, reader.now_ms));
	start(&reader, 11, 10); /* all of it is too old */
	expect_words(&reader, "lost10");
	CU_ASSERT_TRUE(sl_nats_resync_has_caught_up(&reader.resync));
	send(&reader, 11, 11);
	expect_words(&reader, "11");
	CU_ASSERT_EQUAL(reader.resync.lost, 0);
}

static void
test_a_log_whose_beginning_is_gone_is_read_from_its_floor(void)
{
	struct reader reader;
	start(&reader, 8, 9);
	send(&reader, 8, 9);
	expect_words(&reader, "lost7 8 9");
	CU_ASSERT_EQUAL(reader.resync.lost, 0);
}

static void
test_times_may_jump_as_they_like(void)
{
	struct reader reader;
	start_at_5(&reader);
	send_at(&reader, 6, time_of(6) - HOUR_NS); /* another leader, whose clock is late */
	send_at(&reader, 7, time_of(7) + HOUR_NS);
	send_at(&reader, 8, time_of(7) + HOUR_NS);
	expect_words(&reader, "6 7 8");
	sl_nats_resync_reconnect(&reader.resync);
	open_consumer(&reader);
	send_at(&reader, 8, time_of(7) + HOUR_NS);
	send_at(&reader, 9, time_of(9) - 2 * HOUR_NS);
	expect_words(&reader, "9");
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
}

/* ---- one consumer after the other ---- */

static void
test_a_new_consumer_begins_at_the_position_and_delivers_nothing_twice(void)
{
	struct reader reader;
	start_at_5(&reader);
	sl_nats_resync_reconnect(&reader.resync);
	CU_ASSERT_EQUAL(sl_nats_resync_get_start(&reader.resync), 5);
	open_consumer(&reader);
	send(&reader, 5, 7);
	expect_words(&reader, "6 7");
	CU_ASSERT_EQUAL(reader.resync.resyncs, 0); /* a new connection is none */
}

static void
test_silence_gives_a_consumer_up(void)
{
	struct reader reader;
	start_at_5(&reader);
	look(&reader, SL_NATS_SILENCE_MS);
	CU_ASSERT_FALSE(sl_nats_resync_must_create(&reader.resync));
	beat(&reader);
	look(&reader, SL_NATS_SILENCE_MS);
	CU_ASSERT_FALSE(sl_nats_resync_must_create(&reader.resync));
	look(&reader, 1);
	CU_ASSERT_STRING_EQUAL(reader.resync.given_up, "silence");
	CU_ASSERT_EQUAL(reader.resync.resyncs, 1);
	open_consumer(&reader);
	send(&reader, 5, 6);
	expect_words(&reader, "6");
}

static void
test_who_stays_silent_is_waited_for_longer(void)
{
	struct reader reader;
	start_at_5(&reader);
	look(&reader, SL_NATS_SILENCE_MS + 1);
	open_consumer(&reader);
	look(&reader, 2 * SL_NATS_SILENCE_MS);
	CU_ASSERT_FALSE(sl_nats_resync_must_create(&reader.resync));
	look(&reader, 1);
	open_consumer(&reader);
	look(&reader, 4 * SL_NATS_SILENCE_MS + 1);
	open_consumer(&reader);
	look(&reader, 4 * SL_NATS_SILENCE_MS + 1);
	open_consumer(&reader);
	beat(&reader);
	look(&reader, SL_NATS_SILENCE_MS + 1);
	CU_ASSERT_TRUE(sl_nats_resync_must_create(&reader.resync));
}

static void
test_a_hole_in_the_consumers_numbers_gives_it_up(void)
{
	struct reader reader;
	start_at_5(&reader);
	reader.dseq++; /* 6 was dropped on the way */
	send(&reader, 7, 8);
	expect_words(&reader, "");
	CU_ASSERT_STRING_EQUAL(reader.resync.given_up, "hole");
	open_consumer(&reader);
	send(&reader, 5, 8);
	expect_words(&reader, "6 7 8");
	reader.dseq--; /* a number again */
	send(&reader, 9, 9);
	expect_words(&reader, "");
	CU_ASSERT_TRUE(sl_nats_resync_must_create(&reader.resync));
}

static void
test_a_heartbeat_shows_that_the_last_messages_were_dropped(void)
{
	struct reader reader;
	start_at_5(&reader);
	beat(&reader);
	CU_ASSERT_FALSE(sl_nats_resync_must_create(&reader.resync));
	reader.dseq += 2;
	beat(&reader);
	CU_ASSERT_STRING_EQUAL(reader.resync.given_up, "hole");
	open_consumer(&reader);
	send(&reader, 5, 7);
	expect_words(&reader, "6 7");
}

static void
test_heartbeats_alone_prove_nothing(void)
{
	struct reader reader;
	start_at_5(&reader);
	for (unsigned s = 0; s <= SL_NATS_STUCK_MS / 1000; s++) {
		CU_ASSERT_FALSE(sl_nats_resync_must_create(&reader.resync));
		beat(&reader);
		tell(&reader, 1, 9);
		look(&reader, 1000);
	}
	CU_ASSERT_STRING_EQUAL(reader.resync.given_up, "stuck");
	open_consumer(&reader);
	send(&reader, 5, 9);
	expect_words(&reader, "6 7 8 9");
}

static void
test_who_reads_slowly_is_not_stuck(void)
{
	struct reader reader;
	start_at_5(&reader);
	for (uint64_t s = 0; s < 20; s++) {
		send(&reader, 6 + s, 6 + s);
		tell(&reader, 1, 1000 + s);
		look(&reader, 1000);
		CU_ASSERT_TRUE(sl_nats_resync_is_live(&reader.resync, reader.now_ms));
	}
	CU_ASSERT_EQUAL(reader.resync.resyncs, 0);
}

static void
test_a_consumer_that_only_gets_made_is_no_sign_of_life(void)
{
	struct reader reader;
	start_at_5(&reader);
	for (unsigned i = 0; i < 3; i++) {
		look(&reader, 5 * SL_NATS_SILENCE_MS);
		open_consumer(&reader);
	}
	CU_ASSERT_FALSE(sl_nats_resync_is_live(&reader.resync, reader.now_ms));
	send(&reader, 5, 5);
	CU_ASSERT_TRUE(sl_nats_resync_is_live(&reader.resync, reader.now_ms));
	CU_ASSERT_TRUE(sl_nats_resync_is_live(&reader.resync, reader.now_ms + SL_NATS_LIVE_MS));
	CU_ASSERT_FALSE(sl_nats_resync_is_live(&reader.resync, reader.now_ms + SL_NATS_LIVE_MS + 1));
}

static void
test_messages_of_no_consumer_are_nothing(void)
{
	struct reader reader;
	start_at_5(&reader);
	sl_nats_resync_give_up(&reader.resync, "test");
	send(&reader, 6, 7);
	beat(&reader);
	expect_words(&reader, "");
	CU_ASSERT_EQUAL(sl_nats_resync_get_start(&reader.resync), 5);
}

static void
skip(struct reader *reader)
{
	reader->dseq++;
	sl_nats_resync_skip(&reader->resync, reader->now_ms);
}

static void
test_a_message_of_which_nothing_is_known_is_a_hole(void)
{
	struct reader reader;
	start_at_5(&reader);
	skip(&reader); /* 6 */
	CU_ASSERT_EQUAL(reader.resync.position, 6);
	sl_nats_resync_reconnect(&reader.resync);
	open_consumer(&reader);
	send(&reader, 5, 5);
	skip(&reader); /* 6 again */
	CU_ASSERT_EQUAL(reader.resync.position, 6);
	send(&reader, 7, 8);
	expect_words(&reader, "7 8");
	CU_ASSERT_EQUAL(reader.resync.resyncs, 0);
}

static void
test_a_message_of_which_nothing_is_known_hides_no_loss(void)
{
	struct reader reader;
	start_at_5(&reader);
	skip(&reader); /* is 9: what lay between is gone */
	send(&reader, 10, 10);
	expect_words(&reader, "");
	tell(&reader, 9, 10);
	expect_words(&reader, "purged6");
	for (unsigned i = 1; i < SL_NATS_JUMPS_MAX; i++) {
		open_consumer(&reader);
		skip(&reader);
		send(&reader, 10, 10);
		tell(&reader, 9, 10);
	}
	open_consumer(&reader);
	skip(&reader);
	send(&reader, 10, 11);
	expect_words(&reader, "lost9 10 11");
}

/* ---- a node that lags ---- */

static void
test_a_node_that_lags_is_waited_for(void)
{
	struct reader reader;
	start_at_5(&reader);
	sl_nats_resync_reconnect(&reader.resync);
	open_consumer(&reader);
	send(&reader, 3, 4); /* asked for 5, its log ended at 2 */
	tell(&reader, 1, 5);
	CU_ASSERT_FALSE(sl_nats_resync_has_caught_up(&reader.resync));
	send(&reader, 5, 6);
	expect_words(&reader, "6");
	CU_ASSERT_TRUE(sl_nats_resync_has_caught_up(&reader.resync));
}

static void
test_a_leader_may_take_a_while_to_know_its_own_end(void)
{
	struct reader reader;
	start_at_5(&reader);
	tell(&reader, 1, 5);
	tell(&reader, 1, 5);
	tell(&reader, 1, 3);
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
	reader.now_ms += SL_NATS_DOUBT_MS - 1;
	beat(&reader);
	tell(&reader, 1, 3);
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
	tell(&reader, 1, 5);
	reader.now_ms += SL_NATS_DOUBT_MS;
	beat(&reader);
	tell(&reader, 1, 5);
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
}

static void
test_a_state_that_is_behind_what_came_meanwhile_is_no_sign(void)
{
	struct reader reader;
	start_at_5(&reader);
	for (uint64_t s = 0; s < 40; s++) {
		send(&reader, 6 + 5 * s, 10 + 5 * s);
		tell(&reader, 1, 8 + 5 * s); /* asked for before */
		CU_ASSERT_EQUAL(look(&reader, 1000), SL_NATS_SAME);
		reader.words[0] = '\0';
	}
	CU_ASSERT_EQUAL(reader.resync.resyncs, 0);
}

static void
test_without_a_leader_nobody_is_believed(void)
{
	struct reader reader;
	start_at_5(&reader);
	tell(&reader, 1, 5);
	tell(&reader, 1, 5);
	tell(&reader, 1, 3);
	reader.state.has_leader = false;
	reader.now_ms += 2 * SL_NATS_DOUBT_MS;
	beat(&reader);
	tell(&reader, 1, 3);
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
	reader.state.has_leader = true;
	tell(&reader, 1, 3); /* the time counts anew */
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
	reader.state.created_ns = 0;
	tell(&reader, 1, 9);
	CU_ASSERT_EQUAL(look(&reader, 0), SL_NATS_SAME);
}

/* ---- what is gone ---- */

static void
test_a_jump_that_the_stream_confirms_is_a_loss(void)
{
	struct reader reader;
	start_at_5(&reader);
	tell(&reader, 9, 12);
	send(&reader, 9, 10);
	expect_words(&reader, "purged5 lost8 9 10");
	CU_ASSERT_EQUAL(reader.resync.lost, 3);
	CU_ASSERT_EQUAL(reader.resync.resyncs, 0);
}

static void
test_a_jump_that_nobody_confirms_is_asked_for_again(void)
{
	struct reader reader;
	start_at_5(&reader);
	send(&reader, 8, 9);
	expect_words(&reader, "");
	CU_ASSERT_TRUE(sl_nats_resync_wants_state(&reader.resync));
	CU_ASSERT_FALSE(sl_nats_resync_must_create(&reader.resync));
	tell(&reader, 1, 9);
	open_consumer(&reader);
	send(&reader, 5, 9); /* another node has them */
	expect_words(&reader, "6 7 8 9");
	CU_ASSERT_EQUAL(reader.resync.lost, 0);
}

static void
test_a_jump_that_five_consumers_make_is_a_loss(void)
{
	struct reader reader;
	start_at_5(&reader);
	for (unsigned i = 0; i < SL_NATS_JUMPS_MAX; i++) {
		send(&reader, 8, 8);
		expect_words(&reader, "");
		tell(&reader, 1, 9);
		open_consumer(&reader);
		send(&reader, 5, 5);
	}
	send(&reader, 9, 9);
	expect_words(&reader, "lost8 9");
	send(&reader, 11, 11); /* each jump is looked at by itself */
	expect_words(&reader, "");
}

static void
test_a_position_that_was_purged_is_no_loss(void)
{
	struct reader reader;
	start_at_5(&reader);
	tell(&reader, 6, 5); /* purged */
	expect_words(&reader, "purged5");
	sl_nats_resync_reconnect(&reader.resync);
	open_consumer(&reader);
	tell(&reader, 6, 5);
	CU_ASSERT_TRUE(sl_nats_resync_has_caught_up(&reader.resync));
	send(&reader, 6, 7);
	expect_words(&reader, "6 7");
	CU_ASSERT_EQUAL(reader.resync.lost, 0);
}

static void
test_what_is_purged_before_it_was_read_is_lost_once_the_consumer_is_idle(void)
{
	struct reader reader;
	start_at_5(&reader);
	tell(&reader, 9, 8);
	expect_words(&reader, "purged5");
	send(&reader, 6, 7); /* were on their way */
	beat(&reader);
	expect_words(&reader, "6 7 lost8");
	tell(&reader, 9, 8);
	expect_words(&reader, "purged8");
	CU_ASSERT_TRUE(sl_nats_resync_has_caught_up(&reader.resync));
	send(&reader, 9, 9);
	expect_words(&reader, "9");
	CU_ASSERT_EQUAL(reader.resync.lost, 1);
}

static void
test_the_floor_is_passed_on_once(void)
{
	struct reader reader;
	start_at_5(&reader);
	tell(&reader, 1, 5);
	expect_words(&reader, "");
	tell(&reader, 3, 5);
	tell(&reader, 3, 5);
	tell(&reader, 2, 5); /* a node that lags leads now */
	expect_words(&reader, "purged2");
}

static void
test_a_log_that_went_on_without_us_past_what_it_keeps(void)
{
	struct reader reader;
	start_at_5(&reader);
	look(&reader, 100000); /* stopped, say */
	open_consumer(&reader);
	send(&reader, 400, 402);
	expect_words(&reader, "");
	tell(&reader, 390, 450);
	open_consumer(&reader);
	send(&reader, 390, 392);
	expect_words(&reader, "purged5 lost389 390 391 392");
	CU_ASSERT_EQUAL(reader.resync.lost, 384);
}

/* ---- epochs ---- */

static void
test_each_life_of_a_log_has_an_epoch_of_its_own(void)
{
	uint32_t epoch = sl_nats_epoch("sluice-main", CREATED, 0);
	CU_ASSERT_EQUAL(epoch, sl_nats_epoch("sluice-main", CREATED, 0));
	CU_ASSERT_NOT_EQUAL(epoch, 0);
	CU_ASSERT_NOT_EQUAL(epoch, sl_nats_epoch("sluice-mail", CREATED, 0));
	CU_ASSERT_NOT_EQUAL(epoch, sl_nats_epoch("sluice-main", CREATED + 1, 0));
	CU_ASSERT_NOT_EQUAL(epoch, sl_nats_epoch("sluice-main", CREATED, 1));
	/* Cursors outlive a release: this one must never change. */
	CU_ASSERT_EQUAL(epoch, 0x53d15d90);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_everything_is_delivered_in_order),
		UNIT_TEST(test_an_empty_log_has_been_read_at_once),
		UNIT_TEST(test_a_log_whose_beginning_is_gone_is_read_from_its_floor),
		UNIT_TEST(test_times_may_jump_as_they_like),
		UNIT_TEST(test_a_new_consumer_begins_at_the_position_and_delivers_nothing_twice),
		UNIT_TEST(test_silence_gives_a_consumer_up),
		UNIT_TEST(test_who_stays_silent_is_waited_for_longer),
		UNIT_TEST(test_a_hole_in_the_consumers_numbers_gives_it_up),
		UNIT_TEST(test_a_heartbeat_shows_that_the_last_messages_were_dropped),
		UNIT_TEST(test_heartbeats_alone_prove_nothing),
		UNIT_TEST(test_who_reads_slowly_is_not_stuck),
		UNIT_TEST(test_a_consumer_that_only_gets_made_is_no_sign_of_life),
		UNIT_TEST(test_messages_of_no_consumer_are_nothing),
		UNIT_TEST(test_a_message_of_which_nothing_is_known_is_a_hole),
		UNIT_TEST(test_a_message_of_which_nothing_is_known_hides_no_loss),
		UNIT_TEST(test_a_node_that_lags_is_waited_for),
		UNIT_TEST(test_a_leader_may_take_a_while_to_know_its_own_end),
		UNIT_TEST(test_a_state_that_is_behind_what_came_meanwhile_is_no_sign),
		UNIT_TEST(test_without_a_leader_nobody_is_believed),
		UNIT_TEST(test_a_jump_that_the_stream_confirms_is_a_loss),
		UNIT_TEST(test_a_jump_that_nobody_confirms_is_asked_for_again),
		UNIT_TEST(test_a_jump_that_five_consumers_make_is_a_loss),
		UNIT_TEST(test_a_position_that_was_purged_is_no_loss),
		UNIT_TEST(test_what_is_purged_before_it_was_read_is_lost_once_the_consumer_is_idle),
		UNIT_TEST(test_the_floor_is_passed_on_once),
		UNIT_TEST(test_a_log_that_went_on_without_us_past_what_it_keeps),
		UNIT_TEST(test_each_life_of_a_log_has_an_epoch_of_its_own),
		{ NULL, NULL },
	};
	return unit_main("nats_resync", tests);
}
