#include "live/session.h"

#include <malloc.h>

#include "bus/bus.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/session_world.h"
#include "tests/unit/somebody.h"
#include "tests/unit/unit.h"

#define MANY 10000
#define WARMING MANY
#define BYTES_MAX 819 /* 0.8 KiB */

static struct live_world world;
static struct sl_session *session;

static void
begin(const char *const *options)
{
	memset(&seen, 0, sizeof seen);
	world_open(&world, options);
	session = toy_open(&world, NULL);
	toy_subscribe(session, "a");
}

static void
poll_sees(const char *text)
{
	CU_ASSERT_STRING_EQUAL(toy_poll(session), text);
}

/* ---- messages ---- */

static void
test_session_that_waits_is_answered_with_what_comes_and_is_detached_then(void)
{
	begin(NULL);
	CU_ASSERT_EQUAL(session->subscriber.state, SL_SUBSCRIBER_DETACHED);
	poll_sees("");
	CU_ASSERT_TRUE(session->is_held);
	CU_ASSERT_EQUAL(session->subscriber.state, SL_SUBSCRIBER_LIVE);
	world_publish(&world, "a", "one");
	world_publish(&world, "b", "none of its own");
	world_settle(&world);
	CU_ASSERT_STRING_EQUAL(seen.text, "one ");
	CU_ASSERT_FALSE(session->is_held);
	CU_ASSERT_EQUAL(session->subscriber.state, SL_SUBSCRIBER_DETACHED);
	world_close(&world);
}

static void
test_session_reads_from_history_what_came_between_two_polls(void)
{
	begin(NULL);
	poll_sees("");
	world_publish(&world, "a", "1");
	world_settle(&world);
	CU_ASSERT_EQUAL(seen.answers, 1);
	world_publish(&world, "a", "2");
	world_publish(&world, "a", "3");
	world_settle(&world);
	CU_ASSERT_EQUAL(seen.answers, 1);
	poll_sees("2 3 ");
	poll_sees("");
	CU_ASSERT_TRUE(session->is_held);
	world_close(&world);
}

static void
test_session_holds_no_message_for_a_client_that_is_not_there(void)
{
	static char large[50000];
	memset(large, 'x', sizeof large - 1);
	begin((const char *const[]){ "--history-bytes=200K", "--max-message=1M", NULL });
	for (int i = 0; i < 20; i++) {
		world_publish(&world, "a", large);
		world_settle(&world);
	}
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	poll_sees(""); /* what it missed is lost, and it cannot be told */
	CU_ASSERT_EQUAL(seen.ends, 1);
	CU_ASSERT_EQUAL(seen.reason, SL_END_GAP);
	CU_ASSERT_EQUAL(seen.closed, 1);
	world_close(&world);
}

static void
test_session_gets_the_rest_of_an_answer_that_was_cut_with_the_next_poll(void)
{
	begin(NULL);
	seen.at_most = 2;
	for (int i = 0; i < 5; i++)
		world_publish(&world, "a", (const char *[]){ "1", "2", "3", "4", "5" }[i]);
	world_settle(&world);
	poll_sees("1 2 ");
	poll_sees("3 4 ");
	poll_sees("5 ");
	poll_sees("");
	for (int i = 0; i < 3; i++)
		world_publish(&world, "a", (const char *[]){ "6", "7", "8" }[i]);
	world_settle(&world); /* a run is cut as well */
	CU_ASSERT_STRING_EQUAL(seen.text, "6 7 ");
	poll_sees("8 ");
	world_close(&world);
}

static void
test_session_whose_client_left_keeps_its_place(void)
{
	begin(NULL);
	poll_sees("");
	world_publish(&world, "b", "elsewhere");
	world_settle(&world);
	sl_session_release(session);
	CU_ASSERT_EQUAL(session->subscriber.position, 1);
	world_publish(&world, "a", "2");
	world_settle(&world);
	CU_ASSERT_EQUAL(seen.answers, 0);
	poll_sees("2 ");
	world_close(&world);
}

static void
test_session_catches_up_with_a_channel_that_is_added_while_it_waits(void)
{
	begin(NULL);
	poll_sees("");
	toy_subscribe(session, "b");
	CU_ASSERT_EQUAL(session->subscriber.state, SL_SUBSCRIBER_BEHIND);
	world_settle(&world);
	CU_ASSERT_EQUAL(session->subscriber.state, SL_SUBSCRIBER_LIVE);
	world_publish(&world, "b", "1");
	world_settle(&world);
	CU_ASSERT_STRING_EQUAL(seen.text, "1 ");
	world_close(&world);
}

static void
test_session_loses_nothing_when_the_mailbox_overflows(void)
{
	begin((const char *const[]){ "--mailbox=64", NULL });
	poll_sees("");
	for (int i = 0; i < 100; i++)
		world_publish(&world, i == 99 ? "a" : "b", "x");
	world_settle(&world);
	CU_ASSERT_STRING_EQUAL(seen.text, "x ");
	world_close(&world);
}

/* ---- answers of its own ---- */

static void
test_session_answers_wait_for_the_next_poll_and_go_out_before_messages(void)
{
	begin(NULL);
	CU_ASSERT_EQUAL(sl_session_queue(session, "ack1 ", 5), 0);
	CU_ASSERT_EQUAL(sl_session_queue(session, "ack2 ", 5), 0);
	world_publish(&world, "a", "1");
	world_settle(&world);
	CU_ASSERT_EQUAL(seen.answers, 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 10);
	poll_sees("ack1 ack2 1 ");
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	CU_ASSERT_PTR_NULL(session->queue.bytes);
	CU_ASSERT_EQUAL(sl_session_queue(session, "ack3 ", 5), 0);
	poll_sees("ack3 ");
	world_close(&world);
}

static void
test_session_that_waits_takes_what_is_queued_in_one_answer_at_the_end_of_the_turn(void)
{
	begin(NULL);
	poll_sees("");
	sl_session_queue(session, "ack1 ", 5);
	sl_session_queue(session, "ack2 ", 5);
	CU_ASSERT_EQUAL(seen.answers, 0);
	world_turn(&world);
	CU_ASSERT_EQUAL(seen.answers, 1);
	CU_ASSERT_STRING_EQUAL(seen.text, "ack1 ack2 ");
	world_close(&world);
}

static void
test_session_queue_is_bounded_but_one_answer_always_fits(void)
{
	static char large[SL_SESSION_QUEUE_MAX * 3];
	begin(NULL);
	CU_ASSERT_EQUAL(sl_session_queue(session, large, sizeof large), 0);
	CU_ASSERT_EQUAL(sl_session_queue(session, "x", 1), SL_EFULL);
	sl_session_clear_queue(session);
	CU_ASSERT_EQUAL(sl_session_queue(session, large, SL_SESSION_QUEUE_MAX - 1), 0);
	CU_ASSERT_EQUAL(sl_session_queue(session, "x", 1), 0);
	CU_ASSERT_EQUAL(sl_session_queue(session, "x", 1), SL_EFULL);
	sl_session_clear_queue(session);
	world_close(&world);
}

static void
test_session_queues_count_in_what_outboxes_may_hold_and_the_oldest_end(void)
{
	static char large[8000];
	begin((const char *const[]){ "--outbox-total=1M", "--outbox=64K", NULL });
	struct sl_session *first = toy_open(&world, NULL), *taken = toy_open(&world, NULL);
	char id[SL_SESSION_ID_LEN];
	memcpy(id, first->id, sizeof id);
	sl_session_queue(taken, large, sizeof large);
	sl_session_queue(first, large, 10);
	for (int i = 0; i < 140; i++)
		sl_session_queue(toy_open(&world, NULL), large, sizeof large);
	sl_session_hold(taken); /* whose client is there: it begins anew */
	sl_session_queue(taken, large, 10);
	CU_ASSERT_TRUE(world.shard.framer.pinned_bytes > 1 << 20);
	world_settle(&world);
	CU_ASSERT_TRUE(world.shard.framer.pinned_bytes <= 1 << 20);
	CU_ASSERT_TRUE(seen.ends > 0 && seen.ends < 16);
	CU_ASSERT_PTR_NULL(sl_session_find(&world.shard, (struct sl_span){ id, sizeof id }));
	CU_ASSERT_TRUE(taken->is_open);
	CU_ASSERT_EQUAL(seen.reason, SL_END_SLOW_CONSUMER);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_OUTBOX_PINNED_EVICTIONS), seen.ends);
	world_close(&world);
}

/* ---- time ---- */

static void
test_session_without_a_first_poll_is_gone_after_10_s(void)
{
	begin(NULL);
	world_pass(&world, 9980);
	CU_ASSERT_EQUAL(seen.closed, 0);
	world_pass(&world, 48);
	CU_ASSERT_EQUAL(seen.closed, 1);
	CU_ASSERT_EQUAL(seen.ends, 0); /* there is nobody to be answered */
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSIONS_EXPIRED), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSIONS_CLOSED), 1);
	world_close(&world);
}

static void
test_session_that_was_polled_lives_as_long_as_its_user_says(void)
{
	begin(NULL);
	sl_session_set_timer(session, world.shard.loop.now_ms + 25000);
	poll_sees("");
	world_pass(&world, 24990);
	CU_ASSERT_EQUAL(seen.timers, 0);
	world_pass(&world, 32);
	CU_ASSERT_EQUAL(seen.timers, 1);
	world_pass(&world, 60000);
	CU_ASSERT_EQUAL(seen.timers, 1);
	CU_ASSERT_EQUAL(seen.closed, 0);
	sl_session_set_timer(session, world.shard.loop.now_ms + 100);
	sl_session_set_timer(session, 0);
	world_pass(&world, 200);
	CU_ASSERT_EQUAL(seen.timers, 1);
	sl_session_expire(session);
	CU_ASSERT_EQUAL(seen.closed, 1);
	world_close(&world);
}

static void
test_session_has_its_users_timer_while_the_first_poll_is_waited_for_too(void)
{
	begin(NULL);
	sl_session_set_timer(session, world.shard.loop.now_ms + 300);
	world_pass(&world, 340);
	CU_ASSERT_EQUAL(seen.timers, 1);
	world_pass(&world, 9700);
	CU_ASSERT_EQUAL(seen.closed, 1);
	world_close(&world);
}

/* ---- ends ---- */

static void
test_session_of_a_log_that_is_over_ends(void)
{
	begin(NULL);
	struct sl_session *other = toy_open(&world, NULL);
	poll_sees("");
	sl_bus_reset(world.bus, 0xa);
	sl_session_hold(other); /* before the shard has had a turn */
	world_publish(&world, "a", "of the new one");
	world_settle(&world);
	CU_ASSERT_EQUAL(seen.ends, 2);
	CU_ASSERT_EQUAL(seen.reason, SL_END_EPOCH);
	CU_ASSERT_EQUAL(seen.answers, 0);
	world_close(&world);
}

static void
test_session_ends_with_the_leave_of_its_principal(void)
{
	struct sl_principal ann;
	memset(&seen, 0, sizeof seen);
	world_open(&world, NULL);
	somebody_init(&ann, "ann", "*", "*");
	somebody_be_known(&ann, world.shard.principals, SL_NEVER_S);
	for (int i = 0; i < 2; i++) {
		session = toy_open(&world, NULL);
		sl_subscriber_set_principal(&session->subscriber, &ann);
		toy_subscribe(session, "a");
		sl_session_hold(session);
		sl_principal_send_away(&ann, i == 0 ? SL_LEAVE_EXPIRED : SL_LEAVE_REVOKED);
		world_settle(&world);
		CU_ASSERT_EQUAL(seen.ends, (unsigned)i + 1);
		CU_ASSERT_EQUAL(seen.reason, i == 0 ? SL_END_TOKEN_EXPIRED : SL_END_TOKEN_REVOKED);
		ann.leave = SL_LEAVE_NONE;
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_REVOKED), 1);
	world_close(&world);
	somebody_finish(&ann);
}

static void
answer_publish(struct sl_subscriber *subscriber, struct sl_span ref, const struct sl_refusal *refusal,
	struct sl_cursor id)
{
	char text[64];
	int len = snprintf(text, sizeof text, "%s%.*s ", refusal ? "refused:" : "ack:", (int)ref.len, ref.bytes);
	(void)id;
	sl_session_queue(sl_session_of_subscriber(subscriber), text, (size_t)len);
}

static void
publish_from(struct sl_session *from, const char *ref)
{
	struct sl_publication publication = { 0 };
	if (sl_message_create(&publication.message, "a", 1, SL_TEXT, "mine", 4) != 0)
		abort();
	sl_verbs_publish(&from->subscriber, &publication, (struct sl_span){ ref, strlen(ref) }, answer_publish);
}

static void
test_session_has_the_acks_of_what_it_published_before_it_ends_in_order(void)
{
	struct held_backend *held = held_create();
	memset(&seen, 0, sizeof seen);
	world_open_over(&world, &held->base, NULL);
	session = toy_open(&world, NULL);
	publish_from(session, "7");
	poll_sees("");
	sl_subscriber_end_in_order(&session->subscriber, SL_END_TOKEN_EXPIRED, 0);
	world_settle(&world);
	CU_ASSERT_EQUAL(seen.ends, 0);
	held_answer(held, 0);
	world_settle(&world);
	CU_ASSERT_EQUAL(seen.ends, 1);
	CU_ASSERT_EQUAL(seen.reason, SL_END_TOKEN_EXPIRED);
	world_close(&world);
}

static void
test_session_that_ends_in_order_waits_for_acks_5_s(void)
{
	struct held_backend *held = held_create();
	memset(&seen, 0, sizeof seen);
	world_open_over(&world, &held->base, NULL);
	session = toy_open(&world, NULL);
	sl_session_set_timer(session, world.shard.loop.now_ms + 1000);
	publish_from(session, "7");
	poll_sees("");
	sl_subscriber_end_in_order(&session->subscriber, SL_END_TOKEN_EXPIRED, 0);
	world_pass(&world, 4980);
	CU_ASSERT_EQUAL(seen.ends, 0);
	world_pass(&world, 48);
	CU_ASSERT_EQUAL(seen.ends, 1);
	CU_ASSERT_EQUAL(seen.timers, 0);
	held_answer(held, 0); /* to nobody */
	world_close(&world);
}

static void
test_session_gets_the_ack_of_a_publish_that_took_its_time_with_the_message(void)
{
	struct held_backend *held = held_create();
	memset(&seen, 0, sizeof seen);
	world_open_over(&world, &held->base, NULL);
	session = toy_open(&world, NULL);
	toy_subscribe(session, "a");
	publish_from(session, "1");
	publish_from(session, "2");
	poll_sees("");
	held_answer(held, SL_EBACKEND);
	held_answer(held, 0);
	world_settle(&world);
	CU_ASSERT_STRING_EQUAL(seen.text, "refused:1 ack:2 mine ");
	publish_from(session, "3");
	sl_session_close(session);
	held_answer(held, 0);
	world_settle(&world);
	CU_ASSERT_EQUAL(seen.answers, 1);
	world_close(&world);
}

static void
test_session_over_a_limit_ends(void)
{
	struct sl_address address = { .family = AF_INET, .bytes = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 9 } };
	memset(&seen, 0, sizeof seen);
	world_open(&world, NULL);
	world_limit_rate(&world, SL_LIMIT_REQUESTS, 1);
	struct sl_owner *owner = sl_owners_get_address(world.http.owners, &address);
	session = toy_open(&world, owner);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_TRUE(sl_verbs_ask(&session->subscriber, 1));
	CU_ASSERT_FALSE(sl_verbs_ask(&session->subscriber, 1));
	CU_ASSERT_EQUAL(seen.reason, SL_END_LIMIT);
	CU_ASSERT_EQUAL(seen.closed, 1);
	world_settle(&world);
	sl_owner_unref(owner);
	world_close(&world);
}

static void
test_session_waits_while_its_owner_has_read_too_much_and_loses_nothing(void)
{
	static char large[4001];
	struct sl_address address = { .family = AF_INET, .bytes = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 9 } };
	memset(large, 'x', sizeof large - 1);
	memset(&seen, 0, sizeof seen);
	world_open(&world, NULL);
	world_limit_rate(&world, SL_LIMIT_HISTORY_BYTES, 1000);
	struct sl_owner *owner = sl_owners_get_address(world.http.owners, &address);
	session = toy_open(&world, owner);
	toy_subscribe(session, "a");
	world_publish(&world, "a", large);
	sl_session_hold(session); /* which is more than it has */
	CU_ASSERT_EQUAL(seen.answers, 1);
	world_publish(&world, "a", "after");
	world_settle(&world);
	poll_sees("");
	CU_ASSERT_TRUE(session->is_held);
	CU_ASSERT_PTR_NOT_NULL(session->subscriber.pace);
	world_pass(&world, 500);
	CU_ASSERT_EQUAL(seen.answers, 1);
	sl_session_queue(session, "ack ", 4); /* what is its own does not wait */
	world_settle(&world);
	CU_ASSERT_STRING_EQUAL(seen.text, "ack ");
	CU_ASSERT_PTR_NULL(session->subscriber.pace);
	poll_sees("");
	world_pass(&world, 3000);
	CU_ASSERT_STRING_EQUAL(seen.text, "after ");
	CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_HISTORY_WAITS) > 0);
	poll_sees(""); /* live: nothing to read, nothing to wait for */
	world_publish(&world, "a", "now");
	world_settle(&world);
	CU_ASSERT_STRING_EQUAL(seen.text, "now ");
	poll_sees("");
	sl_session_close(session);
	world_settle(&world);
	sl_owner_unref(owner);
	world_close(&world);
}

static void
test_session_closes_once_and_can_be_closed_from_its_own_answers(void)
{
	begin(NULL);
	sl_session_close(session);
	sl_session_close(session);
	sl_session_end(session, SL_END_DRAINING);
	CU_ASSERT_EQUAL(seen.closed, 1);
	CU_ASSERT_EQUAL(seen.ends, 0);
	CU_ASSERT_EQUAL(session->subscriber.subscription_count, 0);
	world_settle(&world);
	world_close(&world);
}

static void
test_session_moves_without_a_close_and_its_id_is_remembered(void)
{
	begin(NULL);
	char text[SL_SESSION_ID_LEN];
	struct sl_span id = { text, sizeof text };
	memcpy(text, session->id, sizeof text);
	CU_ASSERT_EQUAL(sl_session_move_away(session), 0);
	CU_ASSERT_EQUAL(seen.closed, 0);
	CU_ASSERT_PTR_NULL(sl_session_find(&world.shard, id));
	CU_ASSERT_TRUE(sl_session_has_moved(&world.shard, id));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSIONS_MOVED), 1);
	sl_session_forget_moved(&world.shard, id);
	CU_ASSERT_FALSE(sl_session_has_moved(&world.shard, id));
	sl_session_forget_moved(&world.shard, id);
	world_settle(&world);
	world_close(&world);
}

/* ---- memory ---- */

static void
test_session_without_memory_is_refused_and_leaves_nothing(void)
{
	memset(&seen, 0, sizeof seen);
	world_open(&world, NULL);
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		struct toy *toy = calloc(1, sizeof *toy);
		failing_again(&failing);
		int err = sl_session_open(&toy->session, &world.shard, &toy_ops, &toy_encoder,
			&sl_principal_everybody, NULL);
		failing_alloc_off();
		if (err == 0)
			sl_session_close(&toy->session);
		else
			free(toy);
		sl_loop_end_turn(&world.shard.loop);
		failing_expect(err);
	}
	world_close(&world);
}

static void
test_session_without_memory_for_an_answer_says_so_and_has_those_before(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		begin(NULL);
		sl_session_queue(session, "first ", 6);
		failing_again(&failing);
		int err = sl_session_queue(session, "second ", 7);
		failing_alloc_off();
		poll_sees(err == 0 ? "first second " : "first ");
		world_close(&world);
		failing_expect(err);
	}
}

static void
test_session_that_moves_without_memory_stays(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		begin(NULL);
		failing_again(&failing);
		int err = sl_session_move_away(session);
		failing_alloc_off();
		CU_ASSERT_EQUAL(session->is_open, err != 0);
		world_close(&world);
		failing_expect(err);
	}
}

static size_t
get_heap_bytes(void)
{
	struct mallinfo2 heap = mallinfo2();
	return heap.uordblks + heap.hblkhd; /* large arrays are mapped */
}

/* 0.8 KiB each with one channel and what a family keeps; all of it comes back. */
static void
test_session_many_that_are_abandoned_cost_little_and_give_it_all_back(void)
{
	memset(&seen, 0, sizeof seen);
	world_open(&world, NULL);
	for (int i = 0; i < WARMING; i++) /* what there is once, and what the allocator keeps for next time */
		toy_subscribe(toy_open(&world, NULL), "a");
	world_pass(&world, 10100);
	size_t before = get_heap_bytes();
	for (int i = 0; i < MANY; i++)
		toy_subscribe(toy_open(&world, NULL), "a");
	world_settle(&world);
	size_t bytes = (get_heap_bytes() - before) / MANY;
	if (before > 0) { /* a sanitizer's allocator does not say */
		printf("%zu bytes, %zu of them the struct ", bytes, sizeof(struct toy));
		CU_ASSERT_TRUE(bytes > sizeof(struct toy));
		CU_ASSERT_TRUE(bytes <= BYTES_MAX);
	}
	world_pass(&world, 10100);
	CU_ASSERT_EQUAL(seen.closed, MANY + WARMING);
	CU_ASSERT_FALSE(sl_session_table_has_any(&world.shard.sessions));
	world_pass(&world, 20000);
	sl_fanout_sweep(&world.shard); /* the channel too */
	CU_ASSERT_TRUE(get_heap_bytes() <= before);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_session_that_waits_is_answered_with_what_comes_and_is_detached_then),
		UNIT_TEST(test_session_reads_from_history_what_came_between_two_polls),
		UNIT_TEST(test_session_holds_no_message_for_a_client_that_is_not_there),
		UNIT_TEST(test_session_gets_the_rest_of_an_answer_that_was_cut_with_the_next_poll),
		UNIT_TEST(test_session_whose_client_left_keeps_its_place),
		UNIT_TEST(test_session_catches_up_with_a_channel_that_is_added_while_it_waits),
		UNIT_TEST(test_session_loses_nothing_when_the_mailbox_overflows),
		UNIT_TEST(test_session_answers_wait_for_the_next_poll_and_go_out_before_messages),
		UNIT_TEST(test_session_that_waits_takes_what_is_queued_in_one_answer_at_the_end_of_the_turn),
		UNIT_TEST(test_session_queue_is_bounded_but_one_answer_always_fits),
		UNIT_TEST(test_session_queues_count_in_what_outboxes_may_hold_and_the_oldest_end),
		UNIT_TEST(test_session_without_a_first_poll_is_gone_after_10_s),
		UNIT_TEST(test_session_that_was_polled_lives_as_long_as_its_user_says),
		UNIT_TEST(test_session_has_its_users_timer_while_the_first_poll_is_waited_for_too),
		UNIT_TEST(test_session_of_a_log_that_is_over_ends),
		UNIT_TEST(test_session_ends_with_the_leave_of_its_principal),
		UNIT_TEST(test_session_has_the_acks_of_what_it_published_before_it_ends_in_order),
		UNIT_TEST(test_session_that_ends_in_order_waits_for_acks_5_s),
		UNIT_TEST(test_session_gets_the_ack_of_a_publish_that_took_its_time_with_the_message),
		UNIT_TEST(test_session_over_a_limit_ends),
		UNIT_TEST(test_session_waits_while_its_owner_has_read_too_much_and_loses_nothing),
		UNIT_TEST(test_session_closes_once_and_can_be_closed_from_its_own_answers),
		UNIT_TEST(test_session_moves_without_a_close_and_its_id_is_remembered),
		UNIT_TEST(test_session_without_memory_is_refused_and_leaves_nothing),
		UNIT_TEST(test_session_without_memory_for_an_answer_says_so_and_has_those_before),
		UNIT_TEST(test_session_that_moves_without_memory_stays),
		UNIT_TEST(test_session_many_that_are_abandoned_cost_little_and_give_it_all_back),
		{ NULL, NULL },
	};
	return unit_main("session", tests);
}
