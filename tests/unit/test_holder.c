#include "auth/principals.h"

#include <malloc.h>

#include "auth/principal_state.h"
#include "auth/revocations.h"
#include "tests/unit/auth_double.h"
#include "tests/unit/unit.h"
#include "util/metrics.h"

#define CROWD 5000
#define SECOND_MS 1000
#define EACH_BYTES_MAX 640

static struct sl_timer_wheel wheel;
static struct sl_metrics metrics;
static struct sl_auth auth;
static struct sl_principals *principals;
static struct sl_revocations *revocations;

static struct sl_holder crowd[CROWD];
static unsigned ended, ended_as[3];
static bool ends_later; /* a holder does not leave within the call */

static void
note_end(struct sl_holder *holder, enum sl_leave leave)
{
	ended++;
	ended_as[leave]++;
	CU_ASSERT_EQUAL(holder->leave, leave);
	if (!ends_later)
		sl_holder_leave(principals, holder);
}

static void
begin(void)
{
	memset(&metrics, 0, sizeof metrics);
	memset(crowd, 0, sizeof crowd);
	memset(ended_as, 0, sizeof ended_as);
	ended = 0;
	ends_later = false;
	set_wall_us = SET_CLOCK_START_US;
	auth = (struct sl_auth){ .refs = 1 };
	sl_timer_wheel_init(&wheel, set_monotonic_ms);
	revocations = sl_revocations_create(10);
	CU_ASSERT_EQUAL_FATAL(sl_principals_create(&principals, &wheel, &metrics, revocations, note_end),
		0);
	sl_principals_set_auth(principals, &auth);
}

static int64_t
wall_s(void)
{
	return set_wall_us / 1000000;
}

static void
end(void)
{
	for (unsigned i = 0; i < CROWD; i++)
		sl_holder_leave(principals, &crowd[i]);
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_PRINCIPALS_ENDING], 0);
	sl_principals_destroy(principals);
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_PRINCIPALS], 0);
	for (size_t i = 0; i < SL_TIMER_SLOTS; i++)
		CU_ASSERT_TRUE(LIST_EMPTY(&wheel.slots[i]));
	sl_revocations_destroy(revocations);
}

static struct sl_principal *
identify(const char *token)
{
	struct sl_auth_refusal refusal;
	const struct sl_bearer bearer = { .kind = SL_CREDENTIAL_TOKEN, .bytes = { token, strlen(token) },
		.now_s = wall_s() };
	return sl_principals_identify(principals, &bearer, &refusal);
}

static void
join(struct sl_holder *holder, struct sl_principal *principal)
{
	sl_holder_join(principals, holder, principal, set_monotonic_ms, wall_s());
}

static void
hold(struct sl_holder *holder, const char *token)
{
	struct sl_principal *principal = identify(token);
	CU_ASSERT_PTR_NOT_NULL_FATAL(principal);
	join(holder, principal);
	sl_principal_unref(principal);
}

/* Both clocks run. Timers fire, nothing else happens. */
static void
pass(int64_t ms)
{
	set_wall_us += ms * 1000;
	for (; ms > 0; ms -= SECOND_MS) {
		set_monotonic_ms += (uint64_t)(ms < SECOND_MS ? ms : SECOND_MS);
		sl_timer_wheel_run(&wheel, set_monotonic_ms);
	}
}

static uint64_t
in_line(void)
{
	return metrics.gauges[SL_GAUGE_PRINCIPALS_ENDING];
}

static size_t
revoke(const char *subject, int64_t after_s)
{
	struct sl_span name = { subject, strlen(subject) };
	return sl_principals_revoke(principals, name, DOUBLE_NOW_S + after_s);
}

/* ---- expiry ---- */

static void
test_holder_ends_when_its_principal_expires_and_not_before(void)
{
	begin();
	hold(&crowd[0], "ann 0 60");
	pass(59 * SECOND_MS);
	CU_ASSERT_FALSE(sl_principals_work(principals));
	CU_ASSERT_EQUAL(ended, 0);
	pass(SECOND_MS + SL_TIMER_TICK_MS);
	CU_ASSERT_EQUAL(in_line(), 1);
	CU_ASSERT_FALSE(sl_principals_work(principals));
	CU_ASSERT_EQUAL(ended_as[SL_LEAVE_EXPIRED], 1);
	CU_ASSERT_EQUAL(in_line(), 0);
	CU_ASSERT_PTR_NULL(crowd[0].principal);
	end();
}

static void
test_holder_ends_after_hours_too(void)
{
	begin();
	hold(&crowd[0], "ann 0 36000");
	pass(35999 * SECOND_MS);
	CU_ASSERT_EQUAL(in_line(), 0);
	pass(2 * SECOND_MS);
	CU_ASSERT_EQUAL(in_line(), 1);
	end();
}

static void
test_holder_ends_by_the_wall_clock_when_that_is_set(void)
{
	begin();
	hold(&crowd[0], "ann 0 3600");
	set_wall_us -= 1800 * INT64_C(1000000); /* back: it has more time */
	pass(3700 * SECOND_MS);
	CU_ASSERT_EQUAL(in_line(), 0);
	set_wall_us += 3600 * INT64_C(1000000); /* forward: it is over, which is seen within a minute */
	pass(61 * SECOND_MS);
	CU_ASSERT_EQUAL(in_line(), 1);
	end();
}

static void
test_holder_that_joins_late_ends_at_once(void)
{
	begin();
	struct sl_principal *ann = identify("ann 0 60");
	set_wall_us += 60 * INT64_C(1000000);
	join(&crowd[0], ann);
	sl_principal_unref(ann);
	CU_ASSERT_EQUAL(in_line(), 1);
	sl_principals_work(principals);
	CU_ASSERT_EQUAL(ended_as[SL_LEAVE_EXPIRED], 1);
	end();
}

static void
test_holder_without_expiry_has_no_timer(void)
{
	begin();
	struct sl_auth_refusal refusal;
	const struct sl_bearer bearer = { .kind = SL_CREDENTIAL_NONE, .now_s = wall_s() };
	struct sl_principal *nobody = sl_principals_identify(principals, &bearer, &refusal);
	join(&crowd[0], nobody);
	join(&crowd[1], &sl_principal_everybody);
	sl_principal_unref(nobody);
	CU_ASSERT_EQUAL(sl_timer_wheel_wait_ms(&wheel, set_monotonic_ms), -1);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&sl_principal_everybody.holders) ||
		!sl_principal_everybody.holders.tqh_first);
	end();
}

static void
test_holders_of_one_principal_share_a_timer_that_goes_with_the_last(void)
{
	begin();
	hold(&crowd[0], "ann 0 60");
	hold(&crowd[1], "ann 0 60");
	CU_ASSERT_EQUAL(auth.verified, 1);
	CU_ASSERT_NOT_EQUAL(sl_timer_wheel_wait_ms(&wheel, set_monotonic_ms), -1);
	sl_holder_leave(principals, &crowd[0]);
	sl_holder_leave(principals, &crowd[0]); /* twice, and one that never joined */
	sl_holder_leave(principals, &crowd[2]);
	CU_ASSERT_TRUE(sl_timer_is_set(&crowd[1].principal->expiry));
	sl_holder_leave(principals, &crowd[1]);
	pass(100 * SECOND_MS);
	CU_ASSERT_EQUAL(in_line(), 0);
	end();
}

/* ---- a crowd ---- */

/* Turns until the line is empty; none may end more than a turn's share. */
static unsigned
work_all(void)
{
	unsigned turns = 0;
	for (bool more = true; more; turns++) {
		unsigned before = ended;
		more = sl_principals_work(principals);
		CU_ASSERT_TRUE(ended - before <= SL_ENDS_A_TURN);
		CU_ASSERT_TRUE_FATAL(turns < CROWD);
	}
	return turns;
}

static void
test_crowd_that_expires_in_one_second_ends_a_few_a_turn(void)
{
	char token[32];
	begin();
	for (unsigned i = 0; i < CROWD; i++) {
		snprintf(token, sizeof token, "s%u 0 60", i);
		hold(&crowd[i], token);
	}
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_PRINCIPALS], CROWD);
	pass(60 * SECOND_MS + SL_TIMER_TICK_MS);
	CU_ASSERT_EQUAL(in_line(), CROWD);
	CU_ASSERT_EQUAL(ended, 0); /* the timer ends nobody itself */
	CU_ASSERT_EQUAL(work_all(), (CROWD + SL_ENDS_A_TURN - 1) / SL_ENDS_A_TURN);
	CU_ASSERT_EQUAL(ended_as[SL_LEAVE_EXPIRED], CROWD);
	/* They are remembered, as expired ones, as far as there is room. */
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_PRINCIPALS],
		CROWD < SL_PRINCIPALS_IDLE ? CROWD : SL_PRINCIPALS_IDLE);
	end();
}

static void
test_crowd_of_one_token_ends_a_few_a_turn(void)
{
	begin();
	for (unsigned i = 0; i < CROWD; i++)
		hold(&crowd[i], "ann 0 60");
	pass(61 * SECOND_MS);
	CU_ASSERT_EQUAL(in_line(), CROWD);
	sl_principals_work(principals);
	CU_ASSERT_EQUAL(in_line(), CROWD - SL_ENDS_A_TURN);
	/* Some leave by themselves meanwhile. */
	for (unsigned i = CROWD / 2; i < CROWD; i++)
		sl_holder_leave(principals, &crowd[i]);
	CU_ASSERT_EQUAL(in_line(), CROWD / 2 - SL_ENDS_A_TURN);
	work_all();
	CU_ASSERT_EQUAL(ended, CROWD / 2);
	end();
}

static void
test_holder_that_leaves_later_is_told_once(void)
{
	begin();
	ends_later = true;
	hold(&crowd[0], "ann 0 60");
	hold(&crowd[1], "ann 0 60");
	pass(61 * SECOND_MS);
	work_all();
	work_all();
	CU_ASSERT_EQUAL(ended, 2);
	CU_ASSERT_EQUAL(in_line(), 0);
	CU_ASSERT_STRING_EQUAL(sl_principal_get_claims(crowd[0].principal)->subject, "ann");
	end();
}

static size_t
count_heap(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

/* All that the heap holds for a principal: its token is not among it. */
static void
test_crowd_takes_little_memory(void)
{
	char token[32];
	for (int round = 0; round < 2; round++) { /* the first grows what all share */
		begin();
		size_t before = count_heap();
		for (unsigned i = 0; i < CROWD; i++) {
			snprintf(token, sizeof token, "user-%08u 0 60", i);
			hold(&crowd[i], token);
		}
		size_t each = (count_heap() - before) / CROWD;
		if (round == 1 && before > 0) { /* a sanitizer's allocator does not say */
			printf("%zu bytes ", each);
			CU_ASSERT_TRUE(each <= EACH_BYTES_MAX);
		}
		end();
	}
}

/* ---- revocation ---- */

static void
test_revocation_ends_the_subject_and_nobody_else(void)
{
	begin();
	hold(&crowd[0], "ann 0 60");
	hold(&crowd[1], "ann -5 90");
	hold(&crowd[2], "ann -5 90");
	hold(&crowd[3], "ann 1 60"); /* issued since */
	hold(&crowd[4], "bob 0 60");
	hold(&crowd[5], "anna 0 60");
	CU_ASSERT_EQUAL(revoke("ann", 0), 3);
	CU_ASSERT_EQUAL(revoke("ann", 0), 0); /* they are in the line already */
	CU_ASSERT_EQUAL(revoke("nobody", 0), 0);
	CU_ASSERT_EQUAL(in_line(), 3);
	work_all();
	CU_ASSERT_EQUAL(ended_as[SL_LEAVE_REVOKED], 3);
	CU_ASSERT_PTR_NULL(crowd[0].principal);
	CU_ASSERT_PTR_NULL(crowd[1].principal);
	CU_ASSERT_PTR_NULL(crowd[2].principal);
	CU_ASSERT_PTR_NOT_NULL(crowd[3].principal);
	end();
}

static void
test_revocation_counts_for_one_that_joins_after_it(void)
{
	begin();
	struct sl_principal *ann = identify("ann 0 60"); /* a request that is being read */
	CU_ASSERT_EQUAL(revoke("ann", 0), 0);
	join(&crowd[0], ann);
	CU_ASSERT_EQUAL(in_line(), 1);
	join(&crowd[1], ann);
	CU_ASSERT_EQUAL(in_line(), 2);
	sl_principal_unref(ann);
	work_all();
	CU_ASSERT_EQUAL(ended_as[SL_LEAVE_REVOKED], 2);
	CU_ASSERT_PTR_NULL(identify("ann 0 60"));
	end();
}

static void
test_revocation_found_by_a_request_ends_the_streams_too(void)
{
	begin();
	hold(&crowd[0], "ann 0 60");
	sl_revocations_add(revocations, (struct sl_span){ "ann", 3 }, wall_s(), wall_s() + 100, wall_s());
	CU_ASSERT_EQUAL(in_line(), 0); /* the shard was not told */
	CU_ASSERT_PTR_NULL(identify("ann 0 60"));
	CU_ASSERT_EQUAL(in_line(), 1);
	end();
}

static void
test_revocation_of_one_that_expires_counts_more(void)
{
	begin();
	hold(&crowd[0], "ann 0 60");
	pass(61 * SECOND_MS);
	CU_ASSERT_EQUAL(in_line(), 1);
	revoke("ann", 0);
	CU_ASSERT_EQUAL(in_line(), 1);
	work_all();
	CU_ASSERT_EQUAL(ended_as[SL_LEAVE_REVOKED], 1);
	end();
}

static void
test_revocation_reaches_streams_of_earlier_rules(void)
{
	begin();
	hold(&crowd[0], "ann 0 60");
	sl_principals_set_auth(principals, NULL);
	CU_ASSERT_EQUAL(revoke("ann", 0), 1);
	work_all();
	CU_ASSERT_EQUAL(ended, 1);
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_PRINCIPALS], 0);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_holder_ends_when_its_principal_expires_and_not_before),
		UNIT_TEST(test_holder_ends_after_hours_too),
		UNIT_TEST(test_holder_ends_by_the_wall_clock_when_that_is_set),
		UNIT_TEST(test_holder_that_joins_late_ends_at_once),
		UNIT_TEST(test_holder_without_expiry_has_no_timer),
		UNIT_TEST(test_holders_of_one_principal_share_a_timer_that_goes_with_the_last),
		UNIT_TEST(test_crowd_that_expires_in_one_second_ends_a_few_a_turn),
		UNIT_TEST(test_crowd_of_one_token_ends_a_few_a_turn),
		UNIT_TEST(test_holder_that_leaves_later_is_told_once),
		UNIT_TEST(test_crowd_takes_little_memory),
		UNIT_TEST(test_revocation_ends_the_subject_and_nobody_else),
		UNIT_TEST(test_revocation_counts_for_one_that_joins_after_it),
		UNIT_TEST(test_revocation_found_by_a_request_ends_the_streams_too),
		UNIT_TEST(test_revocation_of_one_that_expires_counts_more),
		UNIT_TEST(test_revocation_reaches_streams_of_earlier_rules),
		{ NULL, NULL },
	};
	return unit_main("holder", tests);
}
