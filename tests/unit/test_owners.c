#include "core/owners.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "config/raise.h"
#include "core/socket.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/hash.h"

#define NOW 1000000 /* ms: some time after the machine's start */

static struct sl_owners *owners;

/* ---- addresses and limits of the tests ---- */

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

static struct sl_owner *
get_ip(const char *text)
{
	uint8_t ip[16];
	struct sl_address address;
	CU_ASSERT_TRUE_FATAL(sl_network_parse_ip(ip, (struct sl_span){ text, strlen(text) }));
	sl_address_set_ip(&address, ip, 0);
	return sl_owners_get_address(owners, &address);
}

static void
begin(const struct sl_limits *limits)
{
	owners = sl_owners_create(limits);
	CU_ASSERT_PTR_NOT_NULL_FATAL(owners);
}

static void
begin_connections(uint64_t total, uint64_t per_address)
{
	begin(&(struct sl_limits){ .max_connections = total, .max_per_address = per_address });
}

static void
begin_rate(enum sl_limit limit, uint64_t rate)
{
	struct sl_limits limits = { .max_connections = 1000 };
	limits.rates[limit] = rate;
	begin(&limits);
}

static unsigned
connect_until_not(struct sl_owner *address, enum sl_owner_verdict verdict,
	enum sl_owner_verdict *next)
{
	unsigned taken = 0;
	while ((*next = sl_owners_connect(owners, address)) == verdict)
		taken++;
	return taken;
}

static unsigned
take_until_refused(struct sl_owner *owner, enum sl_limit limit, uint64_t now_ms)
{
	unsigned taken = 0;
	while (sl_owner_take(owner, limit, 1, now_ms) == 0)
		taken++;
	return taken;
}

/* ---- who is one ---- */

static void
test_owners_know_an_address_by_its_host_not_its_port(void)
{
	struct sl_address one = make_address(1), same = one;
	begin_connections(10, 0);
	same.port++;
	struct sl_owner *first = sl_owners_get_address(owners, &one);
	struct sl_owner *second = sl_owners_get_address(owners, &same);
	struct sl_owner *other = get_address(2);
	CU_ASSERT_PTR_EQUAL(first, second);
	CU_ASSERT_PTR_NOT_EQUAL(first, other);
	CU_ASSERT_EQUAL(sl_owners_count(owners), 2);
	sl_owner_unref(first);
	sl_owner_unref(other);
	CU_ASSERT_EQUAL(sl_owners_count(owners), 1);
	sl_owner_unref(second);
	CU_ASSERT_EQUAL(sl_owners_count(owners), 0);
	sl_owners_destroy(owners);
}

static void
test_owners_count_a_64_of_ipv6_as_one(void)
{
	begin_connections(10, 0);
	struct sl_owner *one = get_ip("2001:db8:0:1::1"), *same = get_ip("2001:db8:0:1:ffff::2");
	struct sl_owner *other = get_ip("2001:db8:0:2::1");
	CU_ASSERT_PTR_EQUAL(one, same);
	CU_ASSERT_PTR_NOT_EQUAL(one, other);
	sl_owner_unref(one);
	sl_owner_unref(same);
	sl_owner_unref(other);
	sl_owners_destroy(owners);
}

static void
test_owners_tell_subjects_from_addresses_and_from_each_other(void)
{
	char long_name[SL_OWNERS_SUBJECT_MAX + 2];
	begin_connections(10, 0);
	struct sl_owner *ann = sl_owners_get_subject(owners, "ann"), *bob = sl_owners_get_subject(owners, "bob");
	struct sl_owner *same = sl_owners_get_subject(owners, "ann");
	CU_ASSERT_PTR_NOT_NULL_FATAL(ann);
	CU_ASSERT_PTR_EQUAL(ann, same);
	CU_ASSERT_PTR_NOT_EQUAL(ann, bob);
	CU_ASSERT_NOT_EQUAL(sl_owner_get_id(ann), 0);
	CU_ASSERT_NOT_EQUAL(sl_owner_get_id(ann), sl_owner_get_id(bob));
	uint64_t id = sl_owner_get_id(bob);
	sl_owner_unref(bob);
	bob = sl_owners_get_subject(owners, "bob");
	CU_ASSERT_EQUAL(sl_owner_get_id(bob), id); /* whenever it comes back */
	sl_owner_unref(ann);
	sl_owner_unref(same);
	sl_owner_unref(bob);
	memset(long_name, 'x', sizeof long_name);
	long_name[SL_OWNERS_SUBJECT_MAX + 1] = '\0';
	CU_ASSERT_PTR_NULL(sl_owners_get_subject(owners, long_name));
	long_name[SL_OWNERS_SUBJECT_MAX] = '\0';
	struct sl_owner *longest = sl_owners_get_subject(owners, long_name);
	CU_ASSERT_PTR_NOT_NULL(longest);
	sl_owner_unref(longest);
	sl_owners_destroy(owners);
}

static uint64_t
get_id(const uint8_t seed[16], const char *subject)
{
	begin_connections(10, 0);
	if (seed)
		sl_owners_set_seed(owners, seed);
	struct sl_owner *owner = sl_owners_get_subject(owners, subject);
	uint64_t id = sl_owner_get_id(owner);
	sl_owner_unref(owner);
	sl_owners_destroy(owners);
	return id;
}

/* Also of processes whose tables are keyed differently. */
static void
test_owners_have_the_same_ids_wherever_the_seed_is_the_same(void)
{
	static const uint8_t one[16] = { 1 }, two[16] = { [15] = 1 };
	uint64_t id = get_id(one, "ann");
	sl_hash_seed(two);
	CU_ASSERT_EQUAL(get_id(one, "ann"), id);
	CU_ASSERT_NOT_EQUAL(get_id(two, "ann"), id);
	CU_ASSERT_NOT_EQUAL(get_id(one, "bob"), id);
	CU_ASSERT_NOT_EQUAL(get_id(NULL, "ann"), id);
	sl_hash_seed((const uint8_t[16]){ 0 });
}

static void
test_owners_nobody_has_no_limits(void)
{
	const struct sl_address unix_peer = { .family = AF_UNIX };
	struct sl_address address = make_address(1);
	begin(&(struct sl_limits){ .rates = { 1, 1, 1, 1, 1, 1, 1 }, .max_connections = 1,
		.max_per_address = 1 });
	CU_ASSERT_PTR_NULL(sl_owners_get_address(owners, &unix_peer));
	CU_ASSERT_PTR_NULL(sl_owners_get_address(NULL, &address));
	CU_ASSERT_PTR_NULL(sl_owners_get_subject(NULL, "ann"));
	CU_ASSERT_PTR_NULL(sl_owner_ref(NULL));
	sl_owner_unref(NULL);
	sl_owner_leave(NULL);
	CU_ASSERT_EQUAL(sl_owner_get_id(NULL), 0);
	for (int i = 0; i < 100; i++) {
		CU_ASSERT_EQUAL(sl_owner_enter(NULL), SL_OWNER_OK);
		CU_ASSERT_EQUAL(sl_owner_take(NULL, SL_LIMIT_REQUESTS, 1000, NOW), 0);
		CU_ASSERT_EQUAL(sl_owner_get_wait(NULL, SL_LIMIT_REQUESTS, NOW), 0);
		sl_owner_spend(NULL, SL_LIMIT_REQUESTS, 1000, NOW);
	}
	sl_owners_destroy(owners);
}

/* ---- connections ---- */

static void
test_owners_in_all_are_refused_softly_first_and_hard_behind_the_slack(void)
{
	enum sl_owner_verdict next;
	begin_connections(10, 0);
	struct sl_owner *address = get_address(1);
	CU_ASSERT_EQUAL(connect_until_not(address, SL_OWNER_OK, &next), 10);
	CU_ASSERT_EQUAL(next, SL_OWNER_TOTAL);
	CU_ASSERT_EQUAL(connect_until_not(address, SL_OWNER_TOTAL, &next), sl_owners_get_slack(10) - 1);
	CU_ASSERT_EQUAL(next, SL_OWNER_HARD);
	sl_owner_unref(address);
	sl_owners_destroy(owners);
}

static void
test_owners_do_not_count_what_they_refused_hard(void)
{
	enum sl_owner_verdict next;
	begin_connections(1, 0);
	struct sl_owner *address = get_address(1);
	uint64_t room = 1 + sl_owners_get_slack(1);
	for (uint64_t i = 0; i < room; i++)
		CU_ASSERT_NOT_EQUAL(sl_owners_connect(owners, address), SL_OWNER_HARD);
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(sl_owners_connect(owners, address), SL_OWNER_HARD);
	sl_owners_disconnect(owners, address);
	CU_ASSERT_EQUAL(connect_until_not(address, SL_OWNER_TOTAL, &next), 1);
	sl_owner_unref(address);
	sl_owners_destroy(owners);
}

static void
test_owners_limit_of_one_leaves_the_others_alone(void)
{
	enum sl_owner_verdict next;
	begin_connections(1000, 2);
	struct sl_owner *one = get_address(1), *other = get_address(2);
	CU_ASSERT_EQUAL(connect_until_not(one, SL_OWNER_OK, &next), 2);
	CU_ASSERT_EQUAL(next, SL_OWNER_FULL);
	CU_ASSERT_EQUAL(connect_until_not(one, SL_OWNER_FULL, &next), sl_owners_get_slack(2) - 1);
	CU_ASSERT_EQUAL(next, SL_OWNER_HARD);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, other), SL_OWNER_OK);
	sl_owner_unref(one);
	sl_owner_unref(other);
	sl_owners_destroy(owners);
}

static void
test_owners_count_what_has_no_address_in_all_only(void)
{
	enum sl_owner_verdict next;
	begin_connections(20, 1);
	CU_ASSERT_EQUAL(connect_until_not(NULL, SL_OWNER_OK, &next), 20);
	CU_ASSERT_EQUAL(next, SL_OWNER_TOTAL);
	sl_owners_disconnect(owners, NULL);
	sl_owners_disconnect(owners, NULL);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, NULL), SL_OWNER_OK);
	sl_owners_destroy(owners);
}

static void
test_owners_limits_set_anew_hold_for_connections_to_come(void)
{
	enum sl_owner_verdict next;
	begin_connections(5, 0);
	struct sl_owner *address = get_address(1);
	connect_until_not(address, SL_OWNER_OK, &next);
	sl_owners_set_limits(owners, &(struct sl_limits){ .max_connections = 50 });
	CU_ASSERT_EQUAL(sl_owners_connect(owners, address), SL_OWNER_OK);
	sl_owners_set_limits(owners, &(struct sl_limits){ .max_connections = 50, .max_per_address = 3 });
	CU_ASSERT_EQUAL(sl_owners_connect(owners, address), SL_OWNER_FULL);
	sl_owner_unref(address);
	sl_owners_destroy(owners);
}

static void
test_owners_client_of_a_proxy_counts_in_its_address_alone(void)
{
	enum sl_owner_verdict next;
	begin_connections(10, 2);
	struct sl_owner *address = get_address(1);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, NULL), SL_OWNER_OK);
	CU_ASSERT_EQUAL(sl_owner_enter(address), SL_OWNER_OK);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, address), SL_OWNER_OK);
	CU_ASSERT_EQUAL(sl_owner_enter(address), SL_OWNER_FULL);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, address), SL_OWNER_FULL);
	sl_owner_leave(address);
	sl_owner_leave(address);
	CU_ASSERT_EQUAL(sl_owner_enter(address), SL_OWNER_FULL);             /* three again */
	CU_ASSERT_EQUAL(connect_until_not(NULL, SL_OWNER_OK, &next), 7); /* three are there */
	CU_ASSERT_EQUAL(next, SL_OWNER_TOTAL);
	sl_owner_unref(address);
	sl_owners_destroy(owners);
}

static void
test_owners_client_of_a_proxy_is_refused_hard_behind_the_slack_too(void)
{
	begin_connections(1, 1);
	struct sl_owner *address = get_address(1);
	uint64_t room = 1 + sl_owners_get_slack(1);
	for (uint64_t i = 0; i < room; i++)
		CU_ASSERT_EQUAL(sl_owner_enter(address), i ? SL_OWNER_FULL : SL_OWNER_OK);
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(sl_owner_enter(address), SL_OWNER_HARD);
	for (uint64_t i = 0; i < room; i++)
		sl_owner_leave(address);
	CU_ASSERT_EQUAL(sl_owner_enter(address), SL_OWNER_OK);
	sl_owner_unref(address);
	sl_owners_destroy(owners);
}

static void
test_owners_subject_has_a_limit_of_its_own(void)
{
	begin(&(struct sl_limits){ .max_connections = 10, .max_per_address = 1, .max_per_subject = 3 });
	struct sl_owner *ann = sl_owners_get_subject(owners, "ann");
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(sl_owner_enter(ann), i < 3 ? SL_OWNER_OK : SL_OWNER_FULL);
	for (int i = 0; i < 4; i++)
		sl_owner_leave(ann);
	sl_owner_unref(ann);
	sl_owners_destroy(owners);
}

static void
test_owners_last_places_are_for_addresses_that_have_none(void)
{
	enum sl_owner_verdict next;
	struct sl_raise_list raises = { 0 };
	CU_ASSERT_EQUAL(sl_raise_list_add(&raises, "127.0.0.9=off"), 0);
	begin(&(struct sl_limits){ .max_connections = 100, .reserved_percent = 40, .raises = &raises });
	struct sl_owner *greedy = get_address(1), *late = get_address(2), *known = get_address(9);
	CU_ASSERT_EQUAL(connect_until_not(greedy, SL_OWNER_OK, &next), 60);
	CU_ASSERT_EQUAL(next, SL_OWNER_RESERVED);
	CU_ASSERT_EQUAL(connect_until_not(greedy, SL_OWNER_RESERVED, &next), 9); /* with that a quarter of 40 */
	CU_ASSERT_EQUAL(next, SL_OWNER_HARD);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, late), SL_OWNER_OK);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, late), SL_OWNER_HARD);
	for (int i = 0; i < 5; i++)
		sl_owners_disconnect(owners, greedy);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, late), SL_OWNER_RESERVED);
	sl_owners_disconnect(owners, late);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, known), SL_OWNER_OK);
	CU_ASSERT_EQUAL(sl_owners_connect(owners, known), SL_OWNER_OK); /* has no limits */
	CU_ASSERT_EQUAL(connect_until_not(NULL, SL_OWNER_OK, &next), 32); /* nor has a proxy */
	CU_ASSERT_EQUAL(next, SL_OWNER_TOTAL);
	sl_owner_unref(greedy);
	sl_owner_unref(late);
	sl_owner_unref(known);
	sl_owners_destroy(owners);
	sl_raise_list_finish(&raises);
}

/* ---- factors ---- */

static void
test_owners_have_so_many_sessions_and_a_factor_raises_that(void)
{
	struct sl_raise_list raises = { 0 };
	struct sl_limits limits = { .max_connections = 100, .max_sessions = 3, .raises = &raises };
	CU_ASSERT_EQUAL(sl_raise_list_add(&raises, "subject:ann=2"), 0);
	begin(&limits);
	struct sl_owner *ann = sl_owners_get_subject(owners, "ann"), *bob = sl_owners_get_subject(owners, "bob");
	for (int i = 0; i < 6; i++) {
		CU_ASSERT_TRUE(sl_owner_enter_session(ann));
		CU_ASSERT_EQUAL(sl_owner_enter_session(bob), i < 3);
		CU_ASSERT_TRUE(sl_owner_enter_session(NULL));
	}
	CU_ASSERT_FALSE(sl_owner_enter_session(ann));
	CU_ASSERT_FALSE(sl_owner_enter_session(ann)); /* who is refused is not counted */
	sl_owner_leave_session(ann);
	sl_owner_leave_session(NULL);
	CU_ASSERT_TRUE(sl_owner_enter_session(ann));
	limits.max_sessions = 0;
	sl_owners_set_limits(owners, &limits);
	CU_ASSERT_TRUE(sl_owner_enter_session(ann));
	limits.max_sessions = 1;
	limits.is_off = true;
	sl_owners_set_limits(owners, &limits);
	CU_ASSERT_TRUE(sl_owner_enter_session(ann));
	sl_owner_unref(ann);
	sl_owner_unref(bob);
	sl_owners_destroy(owners);
	sl_raise_list_finish(&raises);
}

static void
test_owners_factors_multiply_every_limit_at_once(void)
{
	struct sl_raise_list raises = { 0 };
	CU_ASSERT_EQUAL(sl_raise_list_add(&raises, "127.0.0.1=3"), 0);
	CU_ASSERT_EQUAL(sl_raise_list_add(&raises, "subject:a*=off"), 0);
	struct sl_limits limits = { .max_connections = 1000, .max_per_address = 2, .max_per_subject = 1,
		.rates = { [SL_LIMIT_REQUESTS] = 10 } };
	begin(&limits);
	struct sl_owner *one = get_address(1), *other = get_address(2);
	struct sl_owner *ann = sl_owners_get_subject(owners, "ann");
	CU_ASSERT_EQUAL(take_until_refused(one, SL_LIMIT_REQUESTS, NOW), 40);
	CU_ASSERT_EQUAL(take_until_refused(ann, SL_LIMIT_REQUESTS, NOW), 40);
	limits.raises = &raises;
	sl_owners_set_limits(owners, &limits); /* for those known too */
	CU_ASSERT_EQUAL(take_until_refused(one, SL_LIMIT_REQUESTS, NOW + 60000), 120);
	CU_ASSERT_EQUAL(take_until_refused(other, SL_LIMIT_REQUESTS, NOW + 60000), 40);
	CU_ASSERT_EQUAL(sl_owner_take(ann, SL_LIMIT_REQUESTS, 1, NOW), 0);
	for (int i = 0; i < 7; i++) {
		CU_ASSERT_EQUAL(sl_owners_connect(owners, one), i < 6 ? SL_OWNER_OK : SL_OWNER_FULL);
		CU_ASSERT_EQUAL(sl_owner_enter(ann), SL_OWNER_OK);
	}
	sl_owner_unref(ann);
	ann = sl_owners_get_subject(owners, "ann-of-a-new-token");
	CU_ASSERT_EQUAL(sl_owner_take(ann, SL_LIMIT_REQUESTS, 1000, NOW), 0);
	CU_ASSERT_EQUAL(sl_owner_take(ann, SL_LIMIT_REQUESTS, 1, NOW), 0);
	limits.raises = NULL;
	sl_owners_set_limits(owners, &limits);
	CU_ASSERT_EQUAL(take_until_refused(ann, SL_LIMIT_REQUESTS, NOW), 40);
	sl_owner_unref(one);
	sl_owner_unref(other);
	sl_owner_unref(ann);
	sl_owners_destroy(owners);
	sl_raise_list_finish(&raises);
}

static void
test_owners_factor_that_is_out_of_all_bounds_is_no_limit(void)
{
	struct sl_raise_list raises = { 0 };
	CU_ASSERT_EQUAL(sl_raise_list_add(&raises, "127.0.0.1=1000000"), 0);
	begin(&(struct sl_limits){ .rates = { [SL_LIMIT_PUBLISHED_BYTES] = UINT64_C(1) << 36 },
		.max_connections = 1, .raises = &raises });
	struct sl_owner *owner = get_address(1);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(sl_owner_take(owner, SL_LIMIT_PUBLISHED_BYTES, UINT64_C(1) << 60, NOW), 0);
	sl_owner_unref(owner);
	sl_owners_destroy(owners);
	sl_raise_list_finish(&raises);
}

/* ---- those that nobody holds ---- */

static void
test_owners_coming_back_find_their_bucket_as_they_left_it(void)
{
	begin_rate(SL_LIMIT_REQUESTS, 10);
	for (int i = 0; i < 5; i++) {
		struct sl_owner *owner = get_address(1);
		CU_ASSERT_EQUAL(take_until_refused(owner, SL_LIMIT_REQUESTS, NOW), i ? 0 : 40);
		sl_owner_unref(owner);
		sl_owners_sweep(owners, NOW + 3999);
		CU_ASSERT_EQUAL(sl_owners_count(owners), 1);
	}
	sl_owners_sweep(owners, NOW + 4000);
	CU_ASSERT_EQUAL(sl_owners_count(owners), 0);
	sl_owners_destroy(owners);
}

#define MANY (SL_OWNERS_IDLE_MAX + SL_OWNERS_IDLE_MAX / 4)

static void
test_owners_that_nobody_holds_are_bounded_and_the_oldest_go(void)
{
	begin_rate(SL_LIMIT_REQUESTS, 10);
	struct sl_owner *held = get_address(0);
	take_until_refused(held, SL_LIMIT_REQUESTS, NOW);
	for (unsigned i = 1; i <= MANY; i++) {
		struct sl_owner *owner = get_address(i);
		take_until_refused(owner, SL_LIMIT_REQUESTS, NOW);
		sl_owner_unref(owner);
	}
	CU_ASSERT_TRUE(sl_owners_count(owners) <= SL_OWNERS_IDLE_MAX + 1);
	CU_ASSERT_TRUE(sl_owners_count(owners) > SL_OWNERS_IDLE_MAX / 10 * 9);
	struct sl_owner *oldest = get_address(1), *newest = get_address(MANY);
	CU_ASSERT_EQUAL(take_until_refused(oldest, SL_LIMIT_REQUESTS, NOW), 40);
	CU_ASSERT_EQUAL(take_until_refused(newest, SL_LIMIT_REQUESTS, NOW), 0);
	CU_ASSERT_EQUAL(take_until_refused(held, SL_LIMIT_REQUESTS, NOW), 0);
	sl_owner_unref(oldest);
	sl_owner_unref(newest);
	sl_owner_unref(held);
	for (int i = 0; i < 100; i++)
		sl_owners_sweep(owners, NOW + 4000);
	CU_ASSERT_EQUAL(sl_owners_count(owners), 0);
	sl_owners_destroy(owners);
}

/* ---- threads ---- */

#define THREADS 8
#define ROUNDS 20000

static void *
connect_and_disconnect(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct sl_owner *address = get_address((unsigned)i % 4);
		if (sl_owners_connect(owners, address) != SL_OWNER_HARD)
			sl_owners_disconnect(owners, address);
		sl_owner_unref(address);
	}
	return NULL;
}

static void
run_threads(void *(*run)(void *), void *args[THREADS])
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, args[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void
test_owners_are_even_after_many_threads_used_them(void)
{
	enum sl_owner_verdict next;
	void *args[THREADS] = { NULL };
	begin_connections(THREADS, THREADS);
	run_threads(connect_and_disconnect, args);
	CU_ASSERT_EQUAL(sl_owners_count(owners), 0);
	struct sl_owner *address = get_address(1);
	CU_ASSERT_EQUAL(connect_until_not(address, SL_OWNER_OK, &next), THREADS);
	sl_owner_unref(address);
	sl_owners_destroy(owners);
}

struct taker {
	uint64_t last_ms; /* its clock runs from NOW to here, never that of another */
	uint64_t taken;
};

/* Each with references of its own: the owner is idle now and then, and swept. */
static void *
take_as_fast_as_possible(void *arg)
{
	struct taker *taker = arg;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t now_ms = NOW + (taker->last_ms - NOW) * i / ROUNDS;
		struct sl_owner *owner = get_address(1);
		if (i % 3 == 0)
			sl_owners_sweep(owners, now_ms);
		taker->taken += sl_owner_take(owner, SL_LIMIT_PUBLISHES, 1, now_ms) == 0;
		sl_owner_unref(owner);
	}
	return NULL;
}

static void
test_owners_never_get_more_than_burst_and_rate_whatever_threads_do(void)
{
	struct taker takers[THREADS] = { { 0 } };
	void *args[THREADS];
	uint64_t taken = 0;
	begin_rate(SL_LIMIT_PUBLISHES, 1000);
	for (int i = 0; i < THREADS; i++) {
		takers[i].last_ms = NOW + 500 + 100 * (uint64_t)i;
		args[i] = &takers[i];
	}
	run_threads(take_as_fast_as_possible, args);
	for (int i = 0; i < THREADS; i++)
		taken += takers[i].taken;
	uint64_t allowed = 2000 + takers[THREADS - 1].last_ms - NOW;
	CU_ASSERT_TRUE(taken <= allowed);
	CU_ASSERT_TRUE(taken >= 2000);
	sl_owners_destroy(owners);
}

/* ---- memory ---- */

/* Without memory an owner is nobody, and connections count in all alone. */
static void
test_owners_without_memory_are_nobody_and_come_out_even(void)
{
	struct sl_raise_list raises = { 0 };
	CU_ASSERT_EQUAL(sl_raise_list_add(&raises, "subject:x=2"), 0);
	for_each_failing_allocation(failing) {
		const struct sl_limits limits = { .max_connections = 1, .max_per_address = 1 };
		owners = sl_owners_create(&limits);
		bool is_made = owners != NULL;
		for (unsigned i = 0; is_made && i < 2; i++) {
			struct sl_owner *address = get_address(i), *ann = sl_owners_get_subject(owners, "ann");
			CU_ASSERT_EQUAL(sl_owners_connect(owners, address), SL_OWNER_OK);
			CU_ASSERT_EQUAL(sl_owners_connect(owners, NULL), SL_OWNER_TOTAL);
			sl_owners_disconnect(owners, NULL);
			sl_owners_disconnect(owners, address);
			is_made = address && ann;
			sl_owner_unref(address);
			sl_owner_unref(ann);
		}
		sl_owners_destroy(owners);
		failing_expect(is_made ? 0 : SL_ENOMEM);
	}
	sl_raise_list_finish(&raises);
}

static void
test_owners_keep_their_factors_when_memory_runs_out(void)
{
	struct sl_raise_list before = { 0 }, after = { 0 };
	struct sl_limits limits = { .max_connections = 1, .rates = { [SL_LIMIT_REQUESTS] = 1 } };
	CU_ASSERT_EQUAL(sl_raise_list_add(&before, "subject:ann=2"), 0);
	CU_ASSERT_EQUAL(sl_raise_list_add(&after, "subject:ann=5"), 0);
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		limits.raises = &before;
		begin(&limits);
		struct sl_owner *ann = sl_owners_get_subject(owners, "ann");
		limits.raises = &after;
		failing_again(&failing);
		sl_owners_set_limits(owners, &limits);
		failing_alloc_off();
		unsigned taken = take_until_refused(ann, SL_LIMIT_REQUESTS, NOW);
		CU_ASSERT_EQUAL(taken, failing_alloc_has_failed() ? 8 : 20);
		sl_owner_unref(ann);
		sl_owners_destroy(owners);
		failing_expect(failing_alloc_has_failed() ? SL_ENOMEM : 0);
	}
	sl_raise_list_finish(&before);
	sl_raise_list_finish(&after);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_owners_know_an_address_by_its_host_not_its_port),
		UNIT_TEST(test_owners_count_a_64_of_ipv6_as_one),
		UNIT_TEST(test_owners_tell_subjects_from_addresses_and_from_each_other),
		UNIT_TEST(test_owners_have_the_same_ids_wherever_the_seed_is_the_same),
		UNIT_TEST(test_owners_nobody_has_no_limits),
		UNIT_TEST(test_owners_in_all_are_refused_softly_first_and_hard_behind_the_slack),
		UNIT_TEST(test_owners_do_not_count_what_they_refused_hard),
		UNIT_TEST(test_owners_limit_of_one_leaves_the_others_alone),
		UNIT_TEST(test_owners_count_what_has_no_address_in_all_only),
		UNIT_TEST(test_owners_limits_set_anew_hold_for_connections_to_come),
		UNIT_TEST(test_owners_client_of_a_proxy_counts_in_its_address_alone),
		UNIT_TEST(test_owners_client_of_a_proxy_is_refused_hard_behind_the_slack_too),
		UNIT_TEST(test_owners_subject_has_a_limit_of_its_own),
		UNIT_TEST(test_owners_last_places_are_for_addresses_that_have_none),
		UNIT_TEST(test_owners_have_so_many_sessions_and_a_factor_raises_that),
		UNIT_TEST(test_owners_factors_multiply_every_limit_at_once),
		UNIT_TEST(test_owners_factor_that_is_out_of_all_bounds_is_no_limit),
		UNIT_TEST(test_owners_coming_back_find_their_bucket_as_they_left_it),
		UNIT_TEST(test_owners_that_nobody_holds_are_bounded_and_the_oldest_go),
		UNIT_TEST(test_owners_are_even_after_many_threads_used_them),
		UNIT_TEST(test_owners_never_get_more_than_burst_and_rate_whatever_threads_do),
		UNIT_TEST(test_owners_without_memory_are_nobody_and_come_out_even),
		UNIT_TEST(test_owners_keep_their_factors_when_memory_runs_out),
		{ NULL, NULL },
	};
	return unit_main("owners", tests);
}
