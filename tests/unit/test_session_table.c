#include "live/session_table.h"

#include "bus/backend.h"
#include "http/settings.h"
#include "tests/unit/session_world.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct live_world world;

static void
begin(const char *const *options)
{
	memset(&seen, 0, sizeof seen);
	world_open(&world, options);
}

static struct sl_owner *
get_owner(unsigned number)
{
	struct sl_address address = { .family = AF_INET,
		.bytes = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = (uint8_t)number } };
	return sl_owners_get_address(world.http.owners, &address);
}

/* ---- ids ---- */

static void
test_session_table_ids_name_their_shard_and_are_all_different(void)
{
	begin(NULL);
	struct sl_session *sessions[100];
	for (int i = 0; i < 100; i++) {
		sessions[i] = toy_open(&world, NULL);
		CU_ASSERT_EQUAL(sl_session_find_shard(toy_id(sessions[i]), 1), 0);
		CU_ASSERT_PTR_EQUAL(sl_session_find(&world.shard, toy_id(sessions[i])), sessions[i]);
		for (int j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(memcmp(sessions[i]->id, sessions[j]->id, SL_SESSION_ID_LEN), 0);
	}
	world.shard.index = 5;
	CU_ASSERT_EQUAL(sl_session_find_shard(toy_id(toy_open(&world, NULL)), 8), 5);
	world.shard.index = 0;
	world_close(&world);
}

static void
test_session_table_knows_no_id_that_it_did_not_make(void)
{
	static const char *const others[] = { "", "A", "AAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAA/", "AQAAAAAAAAAAAAAAAAAA", "_____________________",
		"____________________" };
	begin(NULL);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_EQUAL(sl_session_find_shard((struct sl_span){ others[i], strlen(others[i]) }, 1), SL_ENOENT);
	CU_ASSERT_EQUAL(sl_session_find_shard((struct sl_span){ "AAAA\0AAAAAAAAAAAAAAA", 20 }, 1), SL_ENOENT);
	CU_ASSERT_EQUAL(sl_session_find_shard((struct sl_span){ "AAAAAAAAAAAAAAAAAAAA", 20 }, 1), 0);
	CU_ASSERT_PTR_NULL(sl_session_find(&world.shard, (struct sl_span){ "AAAAAAAAAAAAAAAAAAAA", 20 }));
	CU_ASSERT_PTR_NULL(sl_session_find(&world.shard, (struct sl_span){ "A", 1 }));
	CU_ASSERT_FALSE(sl_session_has_moved(&world.shard, (struct sl_span){ "A", 1 }));
	world_close(&world);
}

static void
test_session_table_judges_the_wait_for_the_first_poll_when_a_request_comes(void)
{
	begin(NULL);
	struct sl_session *session = toy_open(&world, NULL);
	world.shard.loop.now_ms += SL_SESSION_FIRST_MS - 1;
	CU_ASSERT_PTR_EQUAL(sl_session_find(&world.shard, toy_id(session)), session);
	world.shard.loop.now_ms += 1; /* before the timer had its turn */
	CU_ASSERT_PTR_NULL(sl_session_find(&world.shard, toy_id(session)));
	CU_ASSERT_EQUAL(seen.closed, 1);
	world_settle(&world);
	world_close(&world);
}

/* ---- bounds ---- */

static void
test_session_table_full_evicts_the_idlest_of_who_has_most(void)
{
	begin((const char *const[]){ "--max-sessions=5", NULL });
	struct sl_owner *ann = get_owner(1), *bob = get_owner(2), *eve = get_owner(3);
	struct sl_session *of_bob = toy_open(&world, bob), *of_ann[3];
	for (int i = 0; i < 3; i++)
		of_ann[i] = toy_open(&world, ann);
	toy_open(&world, bob);
	sl_session_hold(of_ann[0]); /* so the second one is idle for longest */
	struct sl_session *of_eve = toy_open(&world, eve);
	CU_ASSERT_EQUAL(seen.ends, 1);
	CU_ASSERT_EQUAL(seen.reason, SL_END_LIMIT);
	CU_ASSERT_FALSE(of_ann[1]->is_open);
	CU_ASSERT_TRUE(of_ann[0]->is_open && of_ann[2]->is_open && of_bob->is_open && of_eve->is_open);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSIONS_EVICTED), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_STREAMS_LIMITED), 0);
	sl_owner_unref(ann);
	sl_owner_unref(bob);
	sl_owner_unref(eve);
	world_settle(&world);
	world_close(&world);
}

static void
test_session_table_flood_by_one_costs_the_others_nothing(void)
{
	begin((const char *const[]){ "--max-sessions=100", NULL });
	struct sl_owner *flood = get_owner(1), *ann = get_owner(2);
	struct sl_session *of_ann[10];
	for (int i = 0; i < 1000; i++) {
		toy_open(&world, flood);
		if (i % 100 == 50)
			of_ann[i / 100] = toy_open(&world, ann);
		world_turn(&world);
	}
	for (int i = 0; i < 10; i++)
		CU_ASSERT_TRUE(of_ann[i]->is_open);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSIONS_OPENED) -
		world_counter(&world, SL_COUNTER_SESSIONS_CLOSED), 100);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSIONS_EVICTED), 910);
	sl_owner_unref(flood);
	sl_owner_unref(ann);
	world_close(&world);
}

static void
test_session_table_one_owner_has_so_many_and_no_more_until_some_are_gone(void)
{
	int err;
	begin(NULL);
	toy_limit(&world, 3);
	struct sl_owner *ann = get_owner(1), *bob = get_owner(2);
	struct sl_session *first = toy_open(&world, ann);
	toy_open(&world, ann);
	toy_open(&world, ann);
	CU_ASSERT_PTR_NULL(toy_try(&world, ann, &err));
	CU_ASSERT_EQUAL(err, SL_ELIMITED);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SESSIONS_LIMITED), 1);
	CU_ASSERT_PTR_NOT_NULL(toy_try(&world, bob, &err));
	CU_ASSERT_PTR_NOT_NULL(toy_try(&world, NULL, &err));
	sl_session_close(first);
	CU_ASSERT_PTR_NOT_NULL(toy_try(&world, ann, &err));
	CU_ASSERT_PTR_NULL(toy_try(&world, ann, &err));
	sl_owner_unref(ann);
	sl_owner_unref(bob);
	world_settle(&world);
	world_close(&world);
}

static void
test_session_table_that_became_smaller_makes_room_for_who_comes(void)
{
	begin(NULL);
	for (int i = 0; i < 40; i++)
		toy_open(&world, NULL);
	world.settings->config.max_sessions = 30;
	toy_open(&world, NULL);
	CU_ASSERT_EQUAL(seen.ends, 11);
	world.settings->config.max_sessions = 5;
	int err;
	CU_ASSERT_PTR_NULL(toy_try(&world, NULL, &err)); /* a few at a time */
	CU_ASSERT_EQUAL(err, SL_EFULL);
	CU_ASSERT_EQUAL(seen.ends, 27);
	CU_ASSERT_PTR_NOT_NULL(toy_try(&world, NULL, &err));
	world_settle(&world);
	world_close(&world);
}

/* ---- the end ---- */

static void
test_session_table_drains_few_at_once_and_takes_no_more(void)
{
	int err;
	begin(NULL);
	for (int i = 0; i < 50; i++)
		toy_open(&world, NULL);
	sl_shard_drain(&world.shard);
	CU_ASSERT_EQUAL(seen.ends, 50);
	CU_ASSERT_EQUAL(seen.reason, SL_END_DRAINING);
	CU_ASSERT_PTR_NULL(toy_try(&world, NULL, &err));
	CU_ASSERT_EQUAL(err, SL_EDRAINING);
	world_settle(&world);
	world_close(&world);
}

static void
test_session_table_drains_many_one_after_the_other_in_half_of_the_time(void)
{
	begin((const char *const[]){ "--drain=1", NULL });
	for (int i = 0; i < 4000; i++)
		toy_open(&world, NULL);
	sl_shard_drain(&world.shard);
	CU_ASSERT_TRUE(seen.ends >= 64 && seen.ends < 200);
	world_pass(&world, 250);
	CU_ASSERT_TRUE(seen.ends > 1500 && seen.ends < 2500);
	CU_ASSERT_TRUE(sl_session_table_has_any(&world.shard.sessions));
	world_pass(&world, 300);
	CU_ASSERT_EQUAL(seen.ends, 4000);
	CU_ASSERT_FALSE(sl_session_table_has_any(&world.shard.sessions));
	world_close(&world);
}

static void
test_session_table_ends_many_of_a_log_that_is_over_in_several_turns(void)
{
	begin(NULL);
	for (int i = 0; i < 1000; i++)
		toy_open(&world, NULL);
	sl_bus_reset(world.bus, 0xa);
	world_turn(&world);
	struct sl_session *fresh = toy_open(&world, NULL); /* of the new log */
	CU_ASSERT_TRUE(seen.ends > 0 && seen.ends < 1000);
	world_turn(&world);
	for (int i = 0; i < 10; i++)
		world_turn(&world);
	CU_ASSERT_EQUAL(seen.ends, 1000);
	CU_ASSERT_TRUE(fresh->is_open);
	world_close(&world);
}

static void
test_session_table_closes_what_is_open_with_its_shard(void)
{
	begin(NULL);
	struct sl_session *held = toy_open(&world, NULL);
	toy_subscribe(held, "a");
	sl_session_hold(held);
	sl_session_queue(held, "x", 1); /* and has work */
	struct sl_session *moved = toy_open(&world, NULL);
	sl_session_move_away(moved);
	toy_open(&world, NULL);
	world_close(&world);
	CU_ASSERT_EQUAL(seen.closed, 2);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_session_table_ids_name_their_shard_and_are_all_different),
		UNIT_TEST(test_session_table_knows_no_id_that_it_did_not_make),
		UNIT_TEST(test_session_table_judges_the_wait_for_the_first_poll_when_a_request_comes),
		UNIT_TEST(test_session_table_full_evicts_the_idlest_of_who_has_most),
		UNIT_TEST(test_session_table_flood_by_one_costs_the_others_nothing),
		UNIT_TEST(test_session_table_one_owner_has_so_many_and_no_more_until_some_are_gone),
		UNIT_TEST(test_session_table_that_became_smaller_makes_room_for_who_comes),
		UNIT_TEST(test_session_table_drains_few_at_once_and_takes_no_more),
		UNIT_TEST(test_session_table_drains_many_one_after_the_other_in_half_of_the_time),
		UNIT_TEST(test_session_table_ends_many_of_a_log_that_is_over_in_several_turns),
		UNIT_TEST(test_session_table_closes_what_is_open_with_its_shard),
		{ NULL, NULL },
	};
	return unit_main("session_table", tests);
}
