#include "clients/socket_io/sio_memory.h"

#include <stdio.h>
#include <string.h>

#include "auth/secret.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define ID "abcdefghijklmnopqrst"
#define OTHER "tsrqponmlkjihgfedcba"

static struct sl_sio_memory *memory;
static struct sl_secret *secret;
static struct sl_buffer space;

static const struct sl_sio_kept kept = {
	.stars = 2, .epoch = 7, .count = 2, .channels = { { { "chat", 4 }, 3, 5 }, { { "news", 4 }, 4, 4 } },
};

static void
open_memory(void)
{
	char error[128];
	CU_ASSERT_EQUAL_FATAL(sl_secret_create(&secret, NULL, error, sizeof error), 0);
	CU_ASSERT_EQUAL_FATAL(sl_sio_memory_create(&memory, secret), 0);
	space = (struct sl_buffer)SL_BUFFER_INIT;
}

static void
close_memory(void)
{
	sl_sio_memory_destroy(memory);
	sl_secret_destroy(secret);
	sl_buffer_finish(&space);
}

static bool
is_there(const char *id, uint64_t now_ms)
{
	struct sl_sio_kept found;
	return sl_sio_memory_find(memory, id, &found, &space, false, now_ms);
}

static void
test_sio_memory_knows_what_was_kept(void)
{
	struct sl_sio_kept found;
	open_memory();
	CU_ASSERT_FALSE(is_there(ID, 0));
	CU_ASSERT_EQUAL(sl_sio_memory_keep(memory, ID, &kept, 1, true), 0);
	CU_ASSERT_TRUE_FATAL(sl_sio_memory_find(memory, ID, &found, &space, false, 0));
	CU_ASSERT_EQUAL(found.stars, 2);
	CU_ASSERT_EQUAL(found.epoch, 7);
	CU_ASSERT_EQUAL_FATAL(found.count, 2);
	CU_ASSERT_TRUE(sl_span_equals(found.channels[0].name, "chat"));
	CU_ASSERT_TRUE(sl_span_equals(found.channels[1].name, "news"));
	CU_ASSERT_EQUAL(found.channels[0].after, 3);
	CU_ASSERT_EQUAL(found.channels[0].floor, 5);
	CU_ASSERT_FALSE(is_there(OTHER, 0));
	close_memory();
}

static void
test_sio_memory_keeps_the_last(void)
{
	struct sl_sio_kept found, none = { .epoch = 8 };
	open_memory();
	sl_sio_memory_keep(memory, ID, &kept, 1, true);
	sl_sio_memory_keep(memory, ID, &none, 1, false);
	CU_ASSERT_EQUAL(sl_sio_memory_count(memory), 1);
	CU_ASSERT_TRUE(sl_sio_memory_find(memory, ID, &found, &space, false, 0));
	CU_ASSERT_EQUAL(found.count, 0); /* it has left all its channels */
	CU_ASSERT_EQUAL(found.epoch, 8);
	close_memory();
}

static void
test_sio_memory_ends_two_minutes_after_the_client(void)
{
	open_memory();
	sl_sio_memory_keep(memory, ID, &kept, 1, true);
	CU_ASSERT_TRUE(is_there(ID, 1000 * SL_SIO_MEMORY_MS)); /* its client is there */
	sl_sio_memory_leave(memory, ID, 1000);
	CU_ASSERT_TRUE(is_there(ID, 1000 + SL_SIO_MEMORY_MS - 1));
	CU_ASSERT_FALSE(is_there(ID, 1000 + SL_SIO_MEMORY_MS));
	CU_ASSERT_EQUAL(sl_sio_memory_count(memory), 0);
	sl_sio_memory_leave(memory, ID, 0);
	close_memory();
}

/* The old connection is noticed late: it ends nothing of the new one's. */
static void
test_sio_memory_counts_clients(void)
{
	struct sl_sio_kept found;
	open_memory();
	sl_sio_memory_keep(memory, ID, &kept, 1, true);
	CU_ASSERT_TRUE(sl_sio_memory_find(memory, ID, &found, &space, true, 0));
	sl_sio_memory_leave(memory, ID, 0);
	CU_ASSERT_TRUE(is_there(ID, SL_SIO_MEMORY_MS));
	sl_sio_memory_keep(memory, ID, &kept, 1, false);
	CU_ASSERT_TRUE(is_there(ID, SL_SIO_MEMORY_MS));
	sl_sio_memory_leave(memory, ID, 0);
	CU_ASSERT_TRUE(sl_sio_memory_find(memory, ID, &found, &space, true, 1)); /* it is back */
	CU_ASSERT_TRUE(is_there(ID, SL_SIO_MEMORY_MS));
	sl_sio_memory_forget(memory, ID);
	CU_ASSERT_FALSE(is_there(ID, 0));
	sl_sio_memory_forget(memory, ID);
	close_memory();
}

/* 64 long names a client: bytes end before entries do, at the cost of who has most. */
static void
test_sio_memory_is_bounded_at_the_cost_of_who_has_most(void)
{
	static char names[SL_CHANNELS_MAX][SL_CHANNEL_MAX];
	static struct sl_sio_kept large;
	unsigned forgotten = 0;
	open_memory();
	memset(names, 'x', sizeof names);
	for (large.count = 0; large.count < SL_CHANNELS_MAX; large.count++)
		large.channels[large.count].name = (struct sl_span){ names[large.count], SL_CHANNEL_MAX };
	sl_sio_memory_keep(memory, OTHER, &kept, 2, true);
	for (unsigned i = 0; i < 3000; i++) {
		char id[SL_SIO_ID_LEN + 1];
		snprintf(id, sizeof id, "flood%015u", i);
		forgotten += sl_sio_memory_keep(memory, id, &large, 1, true);
	}
	CU_ASSERT_TRUE(forgotten > 500);
	CU_ASSERT_EQUAL(sl_sio_memory_count(memory), 3001 - forgotten);
	CU_ASSERT_TRUE(is_there(OTHER, 0));
	CU_ASSERT_TRUE(is_there("flood000000000002999", 0));
	CU_ASSERT_FALSE(is_there("flood000000000000000", 0));
	close_memory();
}

static void
test_sio_memory_signs_with_a_key_of_the_secret(void)
{
	uint8_t one[SL_SIO_KEY_LEN], two[SL_SIO_KEY_LEN], derived[SL_DERIVED_KEY_LEN];
	struct sl_secret *another;
	char error[128];
	open_memory();
	sl_sio_memory_get_key(memory, one);
	CU_ASSERT_EQUAL(sl_secret_derive(secret, "recovery", derived), 0);
	CU_ASSERT_EQUAL(memcmp(one, derived, sizeof one), 0);
	CU_ASSERT_EQUAL_FATAL(sl_secret_create(&another, NULL, error, sizeof error), 0);
	sl_sio_memory_set_secret(memory, another);
	sl_sio_memory_set_secret(NULL, another);
	sl_sio_memory_get_key(memory, two);
	CU_ASSERT_NOT_EQUAL(memcmp(one, two, sizeof one), 0);
	sl_secret_destroy(another);
	close_memory();
}

static void
test_sio_memory_without_memory_keeps_nothing(void)
{
	open_memory();
	sl_sio_memory_destroy(memory);
	for_each_failing_allocation(failing) {
		struct sl_sio_kept found;
		struct sl_buffer room = SL_BUFFER_INIT;
		int err = sl_sio_memory_create(&memory, secret);
		if (err == 0) {
			sl_sio_memory_keep(memory, ID, &kept, 1, true);
			if (!sl_sio_memory_find(memory, ID, &found, &room, true, 0))
				err = SL_ENOMEM;
			sl_sio_memory_destroy(memory);
		}
		failing_expect(err);
		sl_buffer_finish(&room);
	}
	sl_sio_memory_destroy(NULL);
	memory = NULL;
	close_memory();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_memory_knows_what_was_kept),
		UNIT_TEST(test_sio_memory_keeps_the_last),
		UNIT_TEST(test_sio_memory_ends_two_minutes_after_the_client),
		UNIT_TEST(test_sio_memory_counts_clients),
		UNIT_TEST(test_sio_memory_is_bounded_at_the_cost_of_who_has_most),
		UNIT_TEST(test_sio_memory_signs_with_a_key_of_the_secret),
		UNIT_TEST(test_sio_memory_without_memory_keeps_nothing),
		{ NULL, NULL },
	};
	return unit_main("sio_memory", tests);
}
