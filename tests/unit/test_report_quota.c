#include "check/report_quota.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/socket.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"

#define NOW_MS 10000000
#define HOUR_MS 3600000

static struct sl_report_quota *quota;
static bool dropped;

static void
renew_quota(void)
{
	sl_report_quota_destroy(quota);
	quota = sl_report_quota_create();
	CU_ASSERT_PTR_NOT_NULL_FATAL(quota);
}

static struct sl_address
ipv4(unsigned last)
{
	struct sl_address address = { .family = AF_INET, .bytes = { [10] = 0xff, [11] = 0xff, [12] = 192,
		[13] = (uint8_t)(last >> 16), [14] = (uint8_t)(last >> 8), [15] = (uint8_t)last } };
	return address;
}

static struct sl_address
ipv6(uint8_t network, uint8_t host)
{
	return (struct sl_address){ .family = AF_INET6, .bytes = { 0x20, 1, [7] = network, [15] = host } };
}

static uint64_t
take(struct sl_address address, uint64_t now_ms)
{
	return sl_report_quota_take(quota, &address, now_ms, &dropped);
}

static void
test_report_quota_is_five_within_an_hour(void)
{
	renew_quota();
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(take(ipv4(1), NOW_MS + i * 1000), 0);
	CU_ASSERT_EQUAL(take(ipv4(1), NOW_MS + 5000), HOUR_MS - 5000);
	CU_ASSERT_EQUAL(take(ipv4(1), NOW_MS + HOUR_MS - 1), 1);
	CU_ASSERT_EQUAL(take(ipv4(2), NOW_MS + 5000), 0);
	CU_ASSERT_EQUAL(take(ipv4(1), NOW_MS + HOUR_MS), 0);
	CU_ASSERT_EQUAL(take(ipv4(1), NOW_MS + HOUR_MS), 1000);
}

static void
test_report_quota_counts_an_ipv6_network_as_one(void)
{
	renew_quota();
	for (uint8_t i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(take(ipv6(1, i), NOW_MS), 0);
	CU_ASSERT_NOT_EQUAL(take(ipv6(1, 99), NOW_MS), 0);
	CU_ASSERT_EQUAL(take(ipv6(2, 0), NOW_MS), 0);
}

static void
test_report_quota_tells_mapped_ipv4_addresses_apart(void)
{
	renew_quota();
	struct sl_address mapped = ipv4(77), other = ipv4(78);
	mapped.family = other.family = AF_INET6;
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(take(mapped, NOW_MS), 0);
	CU_ASSERT_NOT_EQUAL(take(mapped, NOW_MS), 0);
	CU_ASSERT_EQUAL(take(other, NOW_MS), 0);
}

static void
test_report_quota_does_not_limit_unix_sockets(void)
{
	renew_quota();
	struct sl_address address = { .family = AF_UNIX };
	for (unsigned i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(take(address, NOW_MS), 0);
}

static void
test_report_quota_of_a_shard_whose_clock_is_behind_counts_too(void)
{
	renew_quota();
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(take(ipv4(300), NOW_MS + 10), 0);
	CU_ASSERT_EQUAL(take(ipv4(300), NOW_MS), HOUR_MS);
}

static void
test_report_quota_that_is_full_forgets_who_was_silent_for_the_longest(void)
{
	renew_quota();
	for (unsigned i = 0; i < 5; i++)
		take(ipv4(1000), NOW_MS);
	for (unsigned i = 1; i < SL_REPORT_QUOTA_ADDRESSES; i++) {
		CU_ASSERT_EQUAL(take(ipv4(1000 + i), NOW_MS + 1), 0);
		CU_ASSERT_FALSE(dropped);
	}
	CU_ASSERT_NOT_EQUAL(take(ipv4(1000), NOW_MS + 2), 0);
	CU_ASSERT_EQUAL(take(ipv4(1001), NOW_MS + 2), 0); /* known: needs no room, and is the newest now */
	CU_ASSERT_FALSE(dropped);
	CU_ASSERT_EQUAL(take(ipv4(90000), NOW_MS + 2), 0);
	CU_ASSERT_TRUE(dropped);
	CU_ASSERT_EQUAL(take(ipv4(1000), NOW_MS + 2), 0); /* in the place of 1002 */
	CU_ASSERT_TRUE(dropped);
}

static void
test_report_quota_forgets_everybody_after_an_hour(void)
{
	renew_quota();
	for (unsigned i = 0; i < SL_REPORT_QUOTA_ADDRESSES; i++)
		take(ipv4(i), NOW_MS);
	CU_ASSERT_EQUAL(take(ipv4(90000), NOW_MS + HOUR_MS), 0);
	CU_ASSERT_FALSE(dropped);
}

static void
test_report_quota_without_memory_limits_nobody(void)
{
	for_each_failing_allocation(failing) {
		struct sl_address address = ipv4(1);
		struct sl_report_quota *own = sl_report_quota_create();
		for (unsigned i = 0; own && i < 5; i++)
			CU_ASSERT_EQUAL(sl_report_quota_take(own, &address, NOW_MS, &dropped), 0);
		sl_report_quota_destroy(own);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_report_quota_is_five_within_an_hour),
		UNIT_TEST(test_report_quota_counts_an_ipv6_network_as_one),
		UNIT_TEST(test_report_quota_tells_mapped_ipv4_addresses_apart),
		UNIT_TEST(test_report_quota_does_not_limit_unix_sockets),
		UNIT_TEST(test_report_quota_of_a_shard_whose_clock_is_behind_counts_too),
		UNIT_TEST(test_report_quota_that_is_full_forgets_who_was_silent_for_the_longest),
		UNIT_TEST(test_report_quota_forgets_everybody_after_an_hour),
		UNIT_TEST(test_report_quota_without_memory_limits_nobody),
		{ NULL, NULL },
	};
	int status = unit_main("report_quota", tests);
	sl_report_quota_destroy(quota);
	return status;
}
