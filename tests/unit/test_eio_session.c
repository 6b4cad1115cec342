#include "clients/engine_io/eio_session.h"

#include <malloc.h>

#include "live/fanout.h"
#include "tests/unit/eio_world.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/held_backend.h"

static struct world_client client, second;
static char id[SL_SESSION_ID_LEN + 1];

#define MANY 1000
#define EACH_BYTES_MAX 819 /* 0.8 KiB */
#define UNKNOWN "{\"code\":1,\"message\":\"Session ID unknown\"}"

static void
begin_with(const char *const *options, const char *query)
{
	eio_begin(options);
	http_connect(&client, &world);
	http_connect(&second, &world);
	eio_open(&client, query, id);
}

static void
begin(const char *query)
{
	begin_with((const char *const[]){ "--engineio-ping-interval=0.3", "--engineio-ping-timeout=0.2", NULL },
		query);
}

static void
end(void)
{
	client_close(&client);
	client_close(&second);
	eio_end();
}

static const char *
get(struct world_client *from)
{
	return eio_body(eio_get(from, id));
}

static const char *
take(struct world_client *from)
{
	return eio_body(eio_take(from));
}

/* ---- messages ---- */

static void
test_a_get_is_held_until_a_message_comes(void)
{
	begin("channels=a");
	EIO_IS(get(&client), "");
	world_publish(&world, "a", "one");
	EIO_IS(take(&client), "4one");
	world_publish(&world, "a", "two");
	world_publish(&world, "b", "none of its own");
	world_publish(&world, "a", "three");
	eio_settle();
	EIO_IS(get(&client), "4two\x1e" "4three");
	EIO_IS(get(&client), "");
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_ENGINEIO_POLLING, SL_CLASS_MESSAGES_OUT), 3);
	end();
}

static void
test_what_is_its_own_goes_out_before_messages(void)
{
	begin("channels=a");
	struct sl_eio_session *session = eio_find(&world.shard, id);
	CU_ASSERT_TRUE(sl_eio_socket_send(session->socket, "mine", 4, false));
	CU_ASSERT_TRUE(sl_eio_socket_send(session->socket, "\1\2", 2, true));
	world_publish(&world, "a", "one");
	eio_settle();
	EIO_IS(get(&client), "4mine\x1e" "bAQI=\x1e" "4one");
	end();
}

static void
test_messages_that_history_has_lost_end_it(void)
{
	static char large[60000];
	memset(large, 'x', sizeof large - 1);
	begin_with((const char *const[]){ "--history-bytes=100K", NULL }, "channels=a");
	for (int i = 0; i < 4; i++) {
		world_publish(&world, "a", large);
		eio_settle();
	}
	EIO_IS(get(&client), "1");
	EIO_IS(get(&client), UNKNOWN);
	end();
}

static void
test_who_has_left_is_told_of_no_publish(void)
{
	struct held_backend *held = held_create();
	eio_begin_over(&held->base, (const char *const[]){ "--client-publish=a", NULL });
	http_connect(&client, &world);
	http_connect(&second, &world);
	eio_open(&client, "channels=a", id);
	EIO_IS(eio_body(eio_post(&client, id, "4mine\x1e" "1")), "ok");
	struct sl_eio_session *session = eio_find(&world.shard, id);
	CU_ASSERT_TRUE(session->is_leaving);
	CU_ASSERT_TRUE(LIST_EMPTY(&session->session.subscriber.pending)); /* their answers would go to the socket */
	held_answer(held, 0);
	eio_settle();
	EIO_IS(get(&client), "6");
	end();
}

static void
test_a_client_that_does_not_take_what_waits_is_slow(void)
{
	static char text[SL_SESSION_QUEUE_MAX / 2];
	begin("");
	struct sl_eio_session *session = eio_find(&world.shard, id);
	CU_ASSERT_TRUE(sl_eio_socket_send(session->socket, text, sizeof text, true));
	struct sl_eio_socket *socket = session->socket;
	CU_ASSERT_FALSE(sl_eio_socket_send(socket, text, sizeof text, true));
	CU_ASSERT_TRUE(sl_eio_socket_is_closing(socket));
	CU_ASSERT_FALSE(sl_eio_socket_send(socket, "a", 1, false));
	EIO_IS(get(&client), UNKNOWN);
	end();
}

/* ---- pings ---- */

static void
test_pings_come_by_the_clock_and_are_answered(void)
{
	begin("");
	for (int i = 0; i < 3; i++) {
		EIO_IS(get(&client), "");
		eio_pass(288);
		EIO_IS(take(&client), "");
		eio_pass(32);
		EIO_IS(take(&client), "2");
		EIO_IS(eio_body(eio_post(&client, id, "3")), "ok");
	}
	end();
}

static void
test_a_missing_pong_is_judged_when_a_request_comes(void)
{
	begin("");
	world.shard.loop.now_ms += 499;
	EIO_IS(get(&client), "2"); /* nobody had the time to send it before; its answer is due at 500 */
	world.shard.loop.now_ms += 1;
	EIO_IS(eio_body(eio_post(&client, id, "3")), UNKNOWN);
	end();
	begin("");
	world.shard.loop.now_ms += 500;
	EIO_IS(get(&client), UNKNOWN);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSIONS_EXPIRED), 1);
	end();
}

static void
test_a_missing_pong_ends_a_get_that_is_held(void)
{
	begin("");
	get(&client);
	eio_pass(320);
	EIO_IS(take(&client), "2");
	EIO_IS(get(&client), "");
	eio_pass(160);
	EIO_IS(take(&client), "");
	eio_pass(64);
	EIO_IS(take(&client), "1");
	EIO_IS(get(&client), UNKNOWN);
	end();
}

static void
test_a_pong_that_nobody_asked_for_does_not_move_the_clock(void)
{
	begin("");
	eio_pass(160);
	EIO_IS(eio_body(eio_post(&client, id, "3")), "ok");
	eio_pass(160);
	EIO_IS(get(&client), "2");
	end();
}

static void
test_a_ping_of_the_client_ends_it(void)
{
	begin("");
	EIO_IS(eio_body(eio_post(&client, id, "2")), "ok");
	EIO_IS(get(&client), UNKNOWN);
	end();
}

/* ---- the end ---- */

static void
test_a_second_get_ends_it(void)
{
	begin("");
	get(&client);
	EIO_IS(get(&second), "{\"code\":3,\"message\":\"Bad request\"}");
	EIO_IS(take(&client), "1");
	EIO_IS(get(&second), UNKNOWN);
	end();
}

static void
test_a_get_that_breaks_off_ends_it(void)
{
	begin("");
	get(&client);
	client_close(&client);
	eio_settle();
	EIO_IS(get(&second), UNKNOWN);
	end();
}

static void
test_a_client_that_leaves_ends_its_get(void)
{
	begin("");
	get(&client);
	EIO_IS(eio_body(eio_post(&second, id, "1")), "ok");
	EIO_IS(take(&client), "6");
	EIO_IS(get(&second), UNKNOWN);
	end();
}

static void
test_a_get_on_its_way_while_its_client_leaves_is_ended_too(void)
{
	begin("channels=a");
	EIO_IS(eio_body(eio_post(&second, id, "1\x1e" "4after")), "ok");
	CU_ASSERT_EQUAL(world_head(&world), 0); /* nothing counts behind it */
	EIO_IS(eio_body(eio_post(&second, id, "4a")), UNKNOWN);
	EIO_IS(get(&client), "6");
	EIO_IS(get(&client), UNKNOWN);
	eio_open(&client, "", id);
	eio_post(&second, id, "1");
	eio_pass(1040);
	EIO_IS(get(&client), UNKNOWN);
	end();
}

static void
test_a_drain_ends_it_so_that_its_client_comes_again(void)
{
	begin_with(NULL, "");
	get(&client);
	sl_shard_drain(&world.shard);
	eio_pass(8000);
	EIO_IS(take(&client), "1");
	CU_ASSERT_PTR_NULL(eio_find(&world.shard, id));
	end();
}

static void
test_the_id_is_good_for_its_own_user_alone(void)
{
	static const struct sl_eio_user stranger = { .get_encoder = NULL };
	begin("");
	enum sl_eio_error error;
	struct sl_visit visit = { .id = { id, SL_SESSION_ID_LEN } };
	CU_ASSERT_PTR_NULL(sl_eio_session_find(&visit, &world.shard, &stranger, &error));
	CU_ASSERT_EQUAL(error, SL_EIO_SESSION_UNKNOWN);
	CU_ASSERT_PTR_NOT_NULL(sl_eio_session_find(&visit, &world.shard, sl_eio_raw_family.user, &error));
	end();
}

/* ---- memory ---- */

static size_t
count_heap(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void
open_many(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		eio_open(&client, "channels=a", id);
}

/* They are gone, and the channel that nobody has any more is too. */
static void
abandon(void)
{
	eio_pass(10100);
	eio_pass(10100);
	sl_fanout_sweep(&world.shard);
}

/* All that the heap holds for one, its part of the channel too. */
static void
test_many_that_are_abandoned_cost_little_and_give_it_all_back(void)
{
	eio_begin(NULL);
	http_connect(&client, &world);
	open_many(MANY); /* what there is once, and what the allocator keeps for next time */
	abandon();
	long live = failing_alloc_live();
	size_t before = count_heap();
	open_many(MANY);
	size_t each = (count_heap() - before) / MANY;
	if (before > 0) { /* a sanitizer's allocator does not say */
		printf("%zu bytes ", each);
		CU_ASSERT_TRUE(each > sizeof(struct sl_eio_session));
		CU_ASSERT_TRUE(each <= EACH_BYTES_MAX);
	}
	abandon();
	CU_ASSERT_FALSE(sl_session_table_has_any(&world.shard.sessions));
	CU_ASSERT_EQUAL(failing_alloc_live(), live); /* bytes would count what the allocator keeps for next time, too */
	client_close(&client);
	eio_end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_a_get_is_held_until_a_message_comes),
		UNIT_TEST(test_what_is_its_own_goes_out_before_messages),
		UNIT_TEST(test_messages_that_history_has_lost_end_it),
		UNIT_TEST(test_who_has_left_is_told_of_no_publish),
		UNIT_TEST(test_a_client_that_does_not_take_what_waits_is_slow),
		UNIT_TEST(test_pings_come_by_the_clock_and_are_answered),
		UNIT_TEST(test_a_missing_pong_is_judged_when_a_request_comes),
		UNIT_TEST(test_a_missing_pong_ends_a_get_that_is_held),
		UNIT_TEST(test_a_pong_that_nobody_asked_for_does_not_move_the_clock),
		UNIT_TEST(test_a_ping_of_the_client_ends_it),
		UNIT_TEST(test_a_second_get_ends_it),
		UNIT_TEST(test_a_get_that_breaks_off_ends_it),
		UNIT_TEST(test_a_client_that_leaves_ends_its_get),
		UNIT_TEST(test_a_get_on_its_way_while_its_client_leaves_is_ended_too),
		UNIT_TEST(test_a_drain_ends_it_so_that_its_client_comes_again),
		UNIT_TEST(test_the_id_is_good_for_its_own_user_alone),
		UNIT_TEST(test_many_that_are_abandoned_cost_little_and_give_it_all_back),
		{ NULL, NULL },
	};
	return unit_main("eio_session", tests);
}
