#include "core/quota.h"

#include <pthread.h>
#include <string.h>

#include "core/socket.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct sl_address
make_address(unsigned last_byte)
{
	struct sl_address address = { .family = AF_INET, .port = (uint16_t)(4000 + last_byte) };
	address.bytes[10] = address.bytes[11] = 0xff;
	address.bytes[12] = 127;
	address.bytes[15] = (uint8_t)last_byte;
	return address;
}

static unsigned
take_until_not(struct sl_quota *quota, const struct sl_address *address,
	enum sl_quota_verdict verdict, enum sl_quota_verdict *next)
{
	unsigned taken = 0;
	while ((*next = sl_quota_take(quota, address)) == verdict)
		taken++;
	return taken;
}

static void
test_quota_in_all_is_soft_first_and_hard_behind_the_slack(void)
{
	struct sl_quota *quota = sl_quota_create(10, 0);
	struct sl_address address = make_address(1);
	enum sl_quota_verdict next;
	CU_ASSERT_EQUAL(take_until_not(quota, &address, SL_QUOTA_OK, &next), 10);
	CU_ASSERT_EQUAL(next, SL_QUOTA_TOTAL);
	CU_ASSERT_EQUAL(take_until_not(quota, &address, SL_QUOTA_TOTAL, &next),
		sl_quota_get_slack(10) - 1);
	CU_ASSERT_EQUAL(next, SL_QUOTA_HARD);
	sl_quota_destroy(quota);
}

static void
test_quota_does_not_count_what_it_refused_hard(void)
{
	struct sl_quota *quota = sl_quota_create(1, 0);
	struct sl_address address = make_address(1);
	enum sl_quota_verdict next;
	uint64_t room = 1 + sl_quota_get_slack(1);
	for (uint64_t i = 0; i < room; i++)
		CU_ASSERT_NOT_EQUAL(sl_quota_take(quota, &address), SL_QUOTA_HARD);
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(sl_quota_take(quota, &address), SL_QUOTA_HARD);
	sl_quota_release(quota, &address);
	CU_ASSERT_EQUAL(take_until_not(quota, &address, SL_QUOTA_TOTAL, &next), 1);
	sl_quota_destroy(quota);
}

static void
test_quota_for_an_address_leaves_the_others_alone(void)
{
	struct sl_quota *quota = sl_quota_create(1000, 2);
	struct sl_address one = make_address(1), other = make_address(2);
	enum sl_quota_verdict next;
	CU_ASSERT_EQUAL(take_until_not(quota, &one, SL_QUOTA_OK, &next), 2);
	CU_ASSERT_EQUAL(next, SL_QUOTA_ADDRESS);
	CU_ASSERT_EQUAL(take_until_not(quota, &one, SL_QUOTA_ADDRESS, &next),
		sl_quota_get_slack(2) - 1);
	CU_ASSERT_EQUAL(next, SL_QUOTA_HARD);
	CU_ASSERT_EQUAL(sl_quota_take(quota, &other), SL_QUOTA_OK);
	sl_quota_destroy(quota);
}

static void
test_quota_knows_an_address_by_its_host_not_its_port(void)
{
	struct sl_quota *quota = sl_quota_create(1000, 1);
	struct sl_address one = make_address(1), same = one;
	same.port++;
	CU_ASSERT_EQUAL(sl_quota_take(quota, &one), SL_QUOTA_OK);
	CU_ASSERT_EQUAL(sl_quota_take(quota, &same), SL_QUOTA_ADDRESS);
	sl_quota_release(quota, &one);
	sl_quota_release(quota, &same);
	CU_ASSERT_EQUAL(sl_quota_take(quota, &same), SL_QUOTA_OK);
	sl_quota_destroy(quota);
}

static void
test_quota_counts_unix_sockets_in_all_only(void)
{
	struct sl_quota *quota = sl_quota_create(20, 1);
	struct sl_address address = { .family = AF_UNIX };
	enum sl_quota_verdict next;
	CU_ASSERT_EQUAL(take_until_not(quota, &address, SL_QUOTA_OK, &next), 20);
	CU_ASSERT_EQUAL(next, SL_QUOTA_TOTAL);
	sl_quota_release(quota, &address);
	sl_quota_release(quota, &address);
	CU_ASSERT_EQUAL(sl_quota_take(quota, &address), SL_QUOTA_OK);
	sl_quota_destroy(quota);
}

static void
test_quota_limits_set_anew_hold_for_connections_to_come(void)
{
	struct sl_quota *quota = sl_quota_create(5, 0);
	struct sl_address address = make_address(1);
	enum sl_quota_verdict next;
	take_until_not(quota, &address, SL_QUOTA_OK, &next);
	sl_quota_set_limits(quota, 50, 0);
	CU_ASSERT_EQUAL(sl_quota_take(quota, &address), SL_QUOTA_OK);
	sl_quota_set_limits(quota, 50, 3);
	CU_ASSERT_EQUAL(sl_quota_take(quota, &address), SL_QUOTA_ADDRESS);
	sl_quota_destroy(quota);
}

#define THREADS 3
#define ROUNDS 20000

static void *
take_and_release(void *arg)
{
	struct sl_quota *quota = arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct sl_address address = make_address(i % 4);
		if (sl_quota_take(quota, &address) != SL_QUOTA_HARD)
			sl_quota_release(quota, &address);
	}
	return NULL;
}

static void
test_quota_is_even_after_many_threads_used_it(void)
{
	struct sl_quota *quota = sl_quota_create(THREADS, THREADS);
	pthread_t threads[THREADS];
	enum sl_quota_verdict next;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, take_and_release, quota);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	struct sl_address address = make_address(9);
	CU_ASSERT_EQUAL(take_until_not(quota, &address, SL_QUOTA_OK, &next), THREADS);
	sl_quota_destroy(quota);
}

/* Without memory for its entry an address is counted in all only, and counted out likewise. */
static void
test_quota_without_memory_counts_in_all_and_comes_out_even(void)
{
	struct sl_address address = make_address(1), other = make_address(2);
	for_each_failing_allocation(failing) {
		struct sl_quota *quota = sl_quota_create(1, 1);
		bool is_made = quota != NULL;
		enum sl_quota_verdict verdicts[2] = { SL_QUOTA_OK, SL_QUOTA_TOTAL };
		for (int i = 0; is_made && i < 2; i++)
			CU_ASSERT_EQUAL(sl_quota_take(quota, i == 0 ? &address : &other), verdicts[i]);
		failing_alloc_off();
		CU_ASSERT(is_made || failing_alloc_has_failed());
		for (int i = 0; is_made && i < 2; i++)
			sl_quota_release(quota, i == 0 ? &address : &other);
		if (is_made)
			CU_ASSERT_EQUAL(sl_quota_take(quota, &other), SL_QUOTA_OK);
		sl_quota_destroy(quota);
	}
}

static void
test_quota_counts_a_client_of_a_proxy_in_its_address_alone(void)
{
	struct sl_quota *quota = sl_quota_create(10, 2);
	struct sl_address address = make_address(1);
	enum sl_quota_verdict next;
	CU_ASSERT_EQUAL(sl_quota_take(quota, NULL), SL_QUOTA_OK);
	CU_ASSERT_EQUAL(sl_quota_take_address(quota, &address), SL_QUOTA_OK);
	CU_ASSERT_EQUAL(sl_quota_take(quota, &address), SL_QUOTA_OK);
	CU_ASSERT_EQUAL(sl_quota_take_address(quota, &address), SL_QUOTA_ADDRESS);
	CU_ASSERT_EQUAL(sl_quota_take(quota, &address), SL_QUOTA_ADDRESS);
	for (int i = 0; i < 2; i++)
		sl_quota_release_address(quota, &address);
	CU_ASSERT_EQUAL(sl_quota_take_address(quota, &address), SL_QUOTA_ADDRESS); /* three again */
	CU_ASSERT_EQUAL(take_until_not(quota, NULL, SL_QUOTA_OK, &next), 7); /* three are there */
	CU_ASSERT_EQUAL(next, SL_QUOTA_TOTAL);
	sl_quota_destroy(quota);
}

static void
test_quota_of_a_client_is_hard_behind_the_slack_too(void)
{
	struct sl_quota *quota = sl_quota_create(1, 1);
	struct sl_address address = make_address(1);
	uint64_t room = 1 + sl_quota_get_slack(1);
	for (uint64_t i = 0; i < room; i++)
		CU_ASSERT_EQUAL(sl_quota_take_address(quota, &address), i ? SL_QUOTA_ADDRESS : SL_QUOTA_OK);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(sl_quota_take_address(quota, &address), SL_QUOTA_HARD);
	for (uint64_t i = 0; i < room; i++)
		sl_quota_release_address(quota, &address);
	CU_ASSERT_EQUAL(sl_quota_take_address(quota, &address), SL_QUOTA_OK);
	sl_quota_destroy(quota);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_quota_in_all_is_soft_first_and_hard_behind_the_slack),
		UNIT_TEST(test_quota_does_not_count_what_it_refused_hard),
		UNIT_TEST(test_quota_counts_a_client_of_a_proxy_in_its_address_alone),
		UNIT_TEST(test_quota_of_a_client_is_hard_behind_the_slack_too),
		UNIT_TEST(test_quota_for_an_address_leaves_the_others_alone),
		UNIT_TEST(test_quota_knows_an_address_by_its_host_not_its_port),
		UNIT_TEST(test_quota_counts_unix_sockets_in_all_only),
		UNIT_TEST(test_quota_limits_set_anew_hold_for_connections_to_come),
		UNIT_TEST(test_quota_is_even_after_many_threads_used_it),
		UNIT_TEST(test_quota_without_memory_counts_in_all_and_comes_out_even),
		{ NULL, NULL },
	};
	return unit_main("quota", tests);
}
