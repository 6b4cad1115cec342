#include "core/owners.h"

#include <string.h>

#include "core/socket.h"
#include "tests/unit/unit.h"

#define NOW 1000000 /* ms: some time after the machine's start */

static struct sl_owners *owners;

static struct sl_address
make_address(unsigned number)
{
	struct sl_address address = { .family = AF_INET, .port = (uint16_t)(4000 + number) };
	address.bytes[10] = address.bytes[11] = 0xff;
	address.bytes[12] = 127;
	address.bytes[13] = (uint8_t)(number >> 16);
	address.bytes[14] = (uint8_t)(number >> 8);
	address.bytes[15] = (uint8_t)number;
	return address;
}

static struct sl_owner *
get_address(unsigned number)
{
	struct sl_address address = make_address(number);
	return sl_owners_get_address(owners, &address);
}

static void
begin(const struct sl_limits *limits)
{
	owners = sl_owners_create(limits);
	CU_ASSERT_PTR_NOT_NULL_FATAL(owners);
}

static void
begin_rate(enum sl_limit limit, uint64_t rate)
{
	struct sl_limits limits = { .max_connections = 1000 };
	limits.rates[limit] = rate;
	begin(&limits);
}

static unsigned
take_until_refused(struct sl_owner *owner, enum sl_limit limit, uint64_t now_ms)
{
	unsigned taken = 0;
	while (sl_owner_take(owner, limit, 1, now_ms) == 0)
		taken++;
	return taken;
}

static void
test_buckets_holds_its_burst_and_earns_its_rate(void)
{
	for (int limit = 0; limit < SL_LIMIT_COUNT; limit++) {
		begin_rate((enum sl_limit)limit, 100);
		struct sl_owner *owner = get_address(1);
		unsigned burst = 100 * sl_limit_burst_s((enum sl_limit)limit);
		CU_ASSERT_EQUAL(take_until_refused(owner, (enum sl_limit)limit, NOW), burst);
		CU_ASSERT_EQUAL(take_until_refused(owner, (enum sl_limit)limit, NOW + 100), 10);
		CU_ASSERT_EQUAL(take_until_refused(owner, (enum sl_limit)limit, NOW + 3600000), burst);
		for (int other = 0; other < SL_LIMIT_COUNT; other++)
			CU_ASSERT_EQUAL(sl_owner_get_wait(owner, (enum sl_limit)other, NOW + 3600000) > 0,
				other == limit);
		sl_owner_unref(owner);
		sl_owners_destroy(owners);
	}
}

static void
test_buckets_wait_is_over_when_the_bucket_said_so(void)
{
	begin_rate(SL_LIMIT_PUBLISHES, 3);
	struct sl_owner *owner = get_address(1);
	for (uint64_t now_ms = NOW, i = 0; i < 50; i++) {
		take_until_refused(owner, SL_LIMIT_PUBLISHES, now_ms);
		uint64_t wait_ms = sl_owner_get_wait(owner, SL_LIMIT_PUBLISHES, now_ms);
		CU_ASSERT_TRUE(wait_ms >= 1 && wait_ms <= 334);
		CU_ASSERT_TRUE(sl_owner_get_wait(owner, SL_LIMIT_PUBLISHES, now_ms + wait_ms - 1) > 0);
		now_ms += wait_ms;
		CU_ASSERT_EQUAL(sl_owner_get_wait(owner, SL_LIMIT_PUBLISHES, now_ms), 0);
		CU_ASSERT_EQUAL(sl_owner_take(owner, SL_LIMIT_PUBLISHES, 1, now_ms), 0);
	}
	sl_owner_unref(owner);
	sl_owners_destroy(owners);
}

static void
test_buckets_pays_more_than_it_holds_and_earns_it_first(void)
{
	begin_rate(SL_LIMIT_PUBLISHED_BYTES, 1000);
	struct sl_owner *owner = get_address(1);
	CU_ASSERT_EQUAL(sl_owner_take(owner, SL_LIMIT_PUBLISHED_BYTES, 10000, NOW), 0);
	uint64_t wait_ms = sl_owner_take(owner, SL_LIMIT_PUBLISHED_BYTES, 1, NOW);
	CU_ASSERT_EQUAL(wait_ms, 6001); /* 4 s' worth were there */
	CU_ASSERT_EQUAL(sl_owner_take(owner, SL_LIMIT_PUBLISHED_BYTES, 0, NOW), wait_ms);
	sl_owner_spend(owner, SL_LIMIT_PUBLISHED_BYTES, 1000, NOW);
	sl_owner_spend(owner, SL_LIMIT_PUBLISHED_BYTES, 0, NOW);
	CU_ASSERT_EQUAL(sl_owner_get_wait(owner, SL_LIMIT_PUBLISHED_BYTES, NOW), 7001);
	CU_ASSERT_EQUAL(sl_owner_take(owner, SL_LIMIT_PUBLISHED_BYTES, 1, NOW + 7001), 0);
	sl_owner_spend(owner, SL_LIMIT_PUBLISHED_BYTES, UINT64_MAX, NOW + 7001);
	wait_ms = sl_owner_get_wait(owner, SL_LIMIT_PUBLISHED_BYTES, NOW + 7001);
	CU_ASSERT_TRUE(wait_ms > 3500000 && wait_ms <= 3610000); /* an hour is the most */
	sl_owner_unref(owner);
	sl_owners_destroy(owners);
}

static void
test_buckets_clock_that_is_behind_earns_nothing(void)
{
	begin_rate(SL_LIMIT_REQUESTS, 1000);
	struct sl_owner *owner = get_address(1);
	CU_ASSERT_EQUAL(take_until_refused(owner, SL_LIMIT_REQUESTS, NOW), 4000);
	CU_ASSERT_EQUAL(take_until_refused(owner, SL_LIMIT_REQUESTS, NOW - 50), 0);
	CU_ASSERT_EQUAL(take_until_refused(owner, SL_LIMIT_REQUESTS, NOW + 1), 1);
	CU_ASSERT_EQUAL(take_until_refused(owner, SL_LIMIT_REQUESTS, NOW), 0);
	CU_ASSERT_EQUAL(take_until_refused(owner, SL_LIMIT_REQUESTS, NOW + 1), 0);
	sl_owner_unref(owner);
	sl_owners_destroy(owners);
}

static void
test_buckets_without_a_limit_always_pay(void)
{
	struct sl_limits limits = { .is_off = true, .max_connections = 10, .max_per_address = 1,
		.max_per_subject = 1, .reserved_percent = 90, .rates = { 1, 1, 1, 1, 1, 1, 1 } };
	for (int i = 0; i < 2; i++) {
		begin(&limits);
		struct sl_owner *owner = get_address(1);
		for (int limit = 0; limit < SL_LIMIT_COUNT; limit++)
			for (int n = 0; n < 100; n++)
				CU_ASSERT_EQUAL(sl_owner_take(owner, (enum sl_limit)limit, 1000000, NOW), 0);
		for (int n = 0; limits.is_off && n < 10; n++)
			CU_ASSERT_EQUAL(sl_owners_connect(owners, owner), SL_OWNER_OK);
		sl_owner_unref(owner);
		sl_owners_destroy(owners);
		limits = (struct sl_limits){ .max_connections = 10 }; /* rates of 0 */
	}
}

static void
test_buckets_take_back_what_was_paid_for_nothing(void)
{
	begin_rate(SL_LIMIT_DELIVERIES, 100);
	struct sl_owner *owner = get_address(1);
	sl_owner_spend(owner, SL_LIMIT_DELIVERIES, 1000, NOW);
	sl_owner_refund(owner, SL_LIMIT_DELIVERIES, 940);
	CU_ASSERT_EQUAL(take_until_refused(owner, SL_LIMIT_DELIVERIES, NOW), 40);
	sl_owner_refund(owner, SL_LIMIT_DELIVERIES, 0);
	CU_ASSERT_TRUE(sl_owner_get_wait(owner, SL_LIMIT_DELIVERIES, NOW) > 0);
	/* Nobody has more than a full bucket by it. */
	sl_owner_refund(owner, SL_LIMIT_DELIVERIES, 1000000000);
	CU_ASSERT_EQUAL(take_until_refused(owner, SL_LIMIT_DELIVERIES, NOW), 100);
	sl_owner_refund(owner, SL_LIMIT_PUBLISHES, 10); /* which has no limit */
	sl_owner_refund(NULL, SL_LIMIT_DELIVERIES, 10);
	sl_owner_unref(owner);
	sl_owners_destroy(owners);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_buckets_holds_its_burst_and_earns_its_rate),
		UNIT_TEST(test_buckets_wait_is_over_when_the_bucket_said_so),
		UNIT_TEST(test_buckets_pays_more_than_it_holds_and_earns_it_first),
		UNIT_TEST(test_buckets_take_back_what_was_paid_for_nothing),
		UNIT_TEST(test_buckets_clock_that_is_behind_earns_nothing),
		UNIT_TEST(test_buckets_without_a_limit_always_pay),
		{ NULL, NULL },
	};
	return unit_main("buckets", tests);
}
