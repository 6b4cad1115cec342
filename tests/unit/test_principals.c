#include "auth/principals.h"

#include "auth/principal_state.h"
#include "auth/revocations.h"
#include "core/owners.h"
#include "core/socket.h"
#include "tests/unit/auth_double.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/metrics.h"

#define YEAR_S (365 * 86400)
#define PAYER_NOW_MS 1000000

static struct sl_timer_wheel wheel;
static struct sl_metrics metrics;
static struct sl_auth auth;
static struct sl_principals *principals;
static struct sl_revocations *revocations;
static struct sl_auth_refusal refusal;
static struct sl_owners *owners; /* of few tests */
static struct sl_owner *payer;

static void
end_nothing(struct sl_holder *holder, enum sl_leave leave)
{
	(void)holder;
	(void)leave;
}

static void
begin(void)
{
	memset(&metrics, 0, sizeof metrics);
	auth = (struct sl_auth){ .refs = 1 };
	sl_timer_wheel_init(&wheel, 0);
	revocations = sl_revocations_create(10);
	CU_ASSERT_EQUAL_FATAL(sl_principals_create(&principals, &wheel, &metrics, revocations,
		end_nothing), 0);
	sl_principals_set_auth(principals, &auth);
}

static uint64_t
count(enum sl_counter counter)
{
	return metrics.counters[counter];
}

static uint64_t
known(void)
{
	return metrics.gauges[SL_GAUGE_PRINCIPALS];
}

static void
end(void)
{
	sl_principals_destroy(principals);
	CU_ASSERT_EQUAL(auth.refs, 1);
	CU_ASSERT_EQUAL(known(), 0);
	sl_revocations_destroy(revocations);
}

static struct sl_principal *
identify_at(enum sl_credential kind, const char *text, int64_t now_s)
{
	refusal = (struct sl_auth_refusal){ NULL, NULL };
	const struct sl_bearer bearer = { kind, { text, strlen(text) }, now_s, payer, PAYER_NOW_MS };
	return sl_principals_identify(principals, &bearer, &refusal);
}

static struct sl_principal *
identify(const char *token)
{
	return identify_at(SL_CREDENTIAL_TOKEN, token, DOUBLE_NOW_S);
}

static void
expect_refusal(const char *token, int64_t after_s, const char *code)
{
	CU_ASSERT_PTR_NULL(identify_at(SL_CREDENTIAL_TOKEN, token, DOUBLE_NOW_S + after_s));
	CU_ASSERT_PTR_NOT_NULL_FATAL(refusal.code);
	CU_ASSERT_STRING_EQUAL(refusal.code, code);
}

/* ---- finding ---- */

static void
test_principals_verify_a_token_once(void)
{
	begin();
	struct sl_principal *first = identify("ann 0 60"), *second = identify("ann 0 60");
	CU_ASSERT_PTR_NOT_NULL_FATAL(first);
	CU_ASSERT_PTR_EQUAL(first, second);
	CU_ASSERT_EQUAL(auth.verified, 1);
	CU_ASSERT_STRING_EQUAL(sl_principal_get_claims(first)->subject, "ann");
	CU_ASSERT_TRUE(sl_principal_may(first, SL_ACT_SUBSCRIBE, (struct sl_span){ "chat.1", 6 }));
	CU_ASSERT_FALSE(sl_principal_may(first, SL_ACT_PUBLISH, (struct sl_span){ "chat.1", 6 }));
	sl_principal_unref(first);
	sl_principal_unref(second);
	/* Still, when nobody has it. */
	sl_principal_unref(identify("ann 0 60"));
	CU_ASSERT_EQUAL(auth.verified, 1);
	CU_ASSERT_EQUAL(count(SL_COUNTER_PRINCIPALS_VERIFIED), 1);
	CU_ASSERT_EQUAL(count(SL_COUNTER_PRINCIPALS_CACHED), 2);
	/* Another token of the same subject is another principal. */
	sl_principal_unref(identify("ann 0 61"));
	CU_ASSERT_EQUAL(auth.verified, 2);
	CU_ASSERT_EQUAL(known(), 2);
	end();
}

static void
test_principals_verify_each_ticket_and_keep_none(void)
{
	begin();
	struct sl_principal *first = identify_at(SL_CREDENTIAL_TICKET, "ann 0 60", DOUBLE_NOW_S);
	struct sl_principal *second = identify_at(SL_CREDENTIAL_TICKET, "ann 0 60", DOUBLE_NOW_S);
	CU_ASSERT_PTR_NOT_EQUAL(first, second);
	CU_ASSERT_EQUAL(auth.verified, 2);
	CU_ASSERT_EQUAL(known(), 2);
	sl_principal_unref(first);
	sl_principal_unref(second);
	CU_ASSERT_EQUAL(known(), 0);
	/* A token that was found is no ticket, and the other way round. */
	sl_principal_unref(identify("ann 0 60"));
	sl_principal_unref(identify_at(SL_CREDENTIAL_TICKET, "ann 0 60", DOUBLE_NOW_S));
	CU_ASSERT_EQUAL(auth.verified, 4);
	CU_ASSERT_EQUAL(count(SL_COUNTER_PRINCIPALS_CACHED), 0);
	end();
}

static void
test_principals_remember_no_token_that_is_refused(void)
{
	begin();
	expect_refusal("?", 0, "unauthorized");
	expect_refusal("?", 0, "unauthorized");
	CU_ASSERT_EQUAL(auth.verified, 2);
	CU_ASSERT_EQUAL(known(), 0);
	CU_ASSERT_EQUAL(count(SL_COUNTER_PRINCIPALS_REFUSED), 2);
	expect_refusal("ann 0 60", 60, "token_expired");
	CU_ASSERT_EQUAL(count(SL_COUNTER_PRINCIPALS_EXPIRED), 1);
	end();
}

/* ---- whom limits count ---- */

static void
begin_limits(uint64_t failure_rate)
{
	struct sl_address address = { .family = AF_INET, .bytes = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	begin();
	owners = sl_owners_create(&(struct sl_limits){ .max_connections = 10,
		.rates = { [SL_LIMIT_TOKEN_FAILURES] = failure_rate } });
	CU_ASSERT_PTR_NOT_NULL_FATAL(owners);
	payer = sl_owners_get_address(owners, &address);
	sl_principals_set_owners(principals, owners);
}

static void
end_limits(void)
{
	end();
	sl_owner_unref(payer);
	payer = NULL;
	sl_owners_destroy(owners);
}

static void
test_principals_of_one_subject_have_one_owner(void)
{
	begin_limits(0);
	struct sl_principal *one = identify("ann 0 60"), *other = identify("ann 0 61"), *bob = identify("bob 0 60");
	struct sl_principal *anonymous = identify_at(SL_CREDENTIAL_NONE, "", DOUBLE_NOW_S);
	CU_ASSERT_PTR_NOT_NULL(sl_principal_get_owner(one));
	CU_ASSERT_PTR_EQUAL(sl_principal_get_owner(one), sl_principal_get_owner(other));
	CU_ASSERT_PTR_NOT_EQUAL(sl_principal_get_owner(one), sl_principal_get_owner(bob));
	CU_ASSERT_PTR_NULL(sl_principal_get_owner(anonymous));
	CU_ASSERT_PTR_NULL(sl_principal_get_owner(&sl_principal_everybody));
	sl_principal_unref(one);
	sl_principal_unref(other);
	sl_principal_unref(bob);
	sl_principal_unref(anonymous);
	CU_ASSERT_EQUAL(sl_owners_count(owners), 3); /* as long as the tokens are known; and the payer */
	sl_principals_set_auth(principals, NULL);
	CU_ASSERT_EQUAL(sl_owners_count(owners), 1);
	end_limits();
}

static void
test_principals_verify_nothing_for_whoever_brought_too_many_bad_tokens(void)
{
	begin_limits(1);
	unsigned burst = sl_limit_burst_s(SL_LIMIT_TOKEN_FAILURES);
	sl_principal_unref(identify("known 0 60"));
	for (unsigned i = 0; i < burst; i++) {
		expect_refusal(i % 2 ? "?" : "ann 0 -1", 0, i % 2 ? "unauthorized" : "token_expired");
		CU_ASSERT_FALSE(sl_auth_refusal_is_limit(&refusal));
	}
	CU_ASSERT_EQUAL(auth.verified, 1 + burst);
	expect_refusal("?", 0, "rate_limited");
	CU_ASSERT_TRUE(sl_auth_refusal_is_limit(&refusal));
	expect_refusal("good 0 60", 0, "rate_limited"); /* who could tell? */
	CU_ASSERT_PTR_NULL(identify_at(SL_CREDENTIAL_TICKET, "good 0 60", DOUBLE_NOW_S));
	CU_ASSERT_EQUAL(auth.verified, 1 + burst);
	sl_principal_unref(identify("known 0 60"));
	sl_principal_unref(identify_at(SL_CREDENTIAL_NONE, "", DOUBLE_NOW_S));
	CU_ASSERT_EQUAL(count(SL_COUNTER_PRINCIPALS_REFUSED) + count(SL_COUNTER_PRINCIPALS_EXPIRED), burst);
	struct sl_owner *first = payer;
	payer = NULL; /* somebody else, who has no limit */
	sl_principal_unref(identify("good 0 60"));
	payer = first;
	end_limits();
}

static void
test_principals_of_good_tokens_cost_nothing(void)
{
	char token[32];
	begin_limits(1);
	for (int i = 0; i < 50; i++) {
		snprintf(token, sizeof token, "ann%d 0 60", i);
		sl_principal_unref(identify(token));
		sl_principal_unref(identify_at(SL_CREDENTIAL_TICKET, token, DOUBLE_NOW_S));
	}
	CU_ASSERT_EQUAL(auth.verified, 100);
	end_limits();
}

static void
test_principals_answer_for_an_expired_token_without_verifying_it_again(void)
{
	begin();
	sl_principal_unref(identify("ann 0 60"));
	sl_principal_unref(identify_at(SL_CREDENTIAL_TOKEN, "ann 0 60", DOUBLE_NOW_S + 59));
	expect_refusal("ann 0 60", 60, "token_expired");
	expect_refusal("ann 0 60", YEAR_S, "token_expired");
	CU_ASSERT_EQUAL(auth.verified, 1);
	CU_ASSERT_EQUAL(count(SL_COUNTER_PRINCIPALS_EXPIRED), 2);
	end();
}

static void
test_principals_refuse_a_token_that_is_too_long_unread(void)
{
	static char text[SL_TOKEN_MAX + 2];
	begin();
	memset(text, 'x', sizeof text - 1);
	expect_refusal(text, 0, "unauthorized");
	CU_ASSERT_EQUAL(auth.verified, 0);
	text[SL_TOKEN_MAX] = '\0';
	expect_refusal(text, 0, "unauthorized");
	CU_ASSERT_EQUAL(auth.verified, 1);
	end();
}

static void
test_principals_without_rules_know_everybody(void)
{
	begin();
	sl_principals_set_auth(principals, NULL);
	CU_ASSERT_PTR_NULL(sl_principals_get_auth(principals));
	CU_ASSERT_PTR_EQUAL(identify("?"), &sl_principal_everybody);
	CU_ASSERT_PTR_EQUAL(identify_at(SL_CREDENTIAL_NONE, "", 0), &sl_principal_everybody);
	CU_ASSERT_EQUAL(auth.verified, 0);
	end();
}

static void
test_principals_know_one_for_all_without_a_token(void)
{
	begin();
	sl_patterns_add(&auth.anonymous[SL_ACT_SUBSCRIBE], (struct sl_span){ "open", 4 });
	struct sl_principal *first = identify_at(SL_CREDENTIAL_NONE, "", DOUBLE_NOW_S);
	struct sl_principal *second = identify_at(SL_CREDENTIAL_NONE, "", DOUBLE_NOW_S + YEAR_S);
	CU_ASSERT_PTR_EQUAL(first, second);
	CU_ASSERT_TRUE(sl_principal_is_anonymous(first));
	CU_ASSERT_TRUE(sl_principal_may(first, SL_ACT_SUBSCRIBE, (struct sl_span){ "open", 4 }));
	CU_ASSERT_FALSE(sl_principal_may(first, SL_ACT_PUBLISH, (struct sl_span){ "open", 4 }));
	CU_ASSERT_FALSE(sl_principal_get_claims(first)->is_admin);
	CU_ASSERT_EQUAL(count(SL_COUNTER_PRINCIPALS_ANONYMOUS), 2);
	CU_ASSERT_EQUAL(known(), 0);
	/* Whoever is held by it keeps the patterns of its rules. */
	sl_principals_set_auth(principals, NULL);
	CU_ASSERT_EQUAL(auth.refs, 2);
	CU_ASSERT_TRUE(sl_principal_may(first, SL_ACT_SUBSCRIBE, (struct sl_span){ "open", 4 }));
	sl_principal_unref(first);
	sl_principal_unref(second);
	CU_ASSERT_EQUAL(auth.refs, 1);
	sl_patterns_finish(&auth.anonymous[SL_ACT_SUBSCRIBE]);
	end();
}

/* ---- keeping ---- */

static struct sl_principal *
identify_number(unsigned number)
{
	char token[32];
	snprintf(token, sizeof token, "s%u 0 60", number);
	return identify(token);
}

static void
test_principals_keep_few_that_nobody_holds_the_last_used_ones(void)
{
	begin();
	struct sl_principal *held = identify("held 0 60");
	for (unsigned i = 0; i < SL_PRINCIPALS_IDLE; i++)
		sl_principal_unref(identify_number(i));
	sl_principal_unref(identify_number(0)); /* used again: 1 is now the oldest */
	CU_ASSERT_EQUAL(known(), SL_PRINCIPALS_IDLE + 1);
	sl_principal_unref(identify_number(SL_PRINCIPALS_IDLE));
	CU_ASSERT_EQUAL(known(), SL_PRINCIPALS_IDLE + 1);
	unsigned before = auth.verified;
	sl_principal_unref(identify_number(0));
	sl_principal_unref(identify_number(2));
	CU_ASSERT_EQUAL(auth.verified, before);
	sl_principal_unref(identify_number(1));
	CU_ASSERT_EQUAL(auth.verified, before + 1);
	struct sl_principal *again = identify("held 0 60");
	CU_ASSERT_PTR_EQUAL(again, held);
	sl_principal_unref(again);
	sl_principal_unref(held);
	end();
}

static void
test_principals_of_earlier_rules_are_not_found_and_stay_while_held(void)
{
	struct sl_auth other = { .refs = 1 };
	begin();
	struct sl_principal *held = identify("ann 0 60");
	sl_principal_unref(identify("bob 0 60"));
	CU_ASSERT_EQUAL(known(), 2);
	sl_principals_set_auth(principals, &auth); /* the same: nothing changes */
	CU_ASSERT_EQUAL(known(), 2);
	sl_principals_set_auth(principals, &other);
	CU_ASSERT_EQUAL(known(), 1);
	CU_ASSERT_EQUAL(auth.refs, 1);
	struct sl_principal *mine = identify("ann 0 60");
	CU_ASSERT_PTR_NOT_EQUAL(mine, held);
	CU_ASSERT_EQUAL(other.verified, 1);
	CU_ASSERT_STRING_EQUAL(sl_principal_get_claims(held)->subject, "ann");
	sl_principal_unref(held); /* it goes at once, the other stays */
	CU_ASSERT_EQUAL(known(), 1);
	sl_principal_unref(mine);
	CU_ASSERT_EQUAL(known(), 1);
	sl_principals_set_auth(principals, NULL);
	CU_ASSERT_EQUAL(other.refs, 1);
	end();
}

/* ---- revocation ---- */

static int
revoke(const char *subject, int64_t until_s)
{
	return sl_revocations_add(revocations, (struct sl_span){ subject, strlen(subject) }, until_s,
		until_s + 86400, DOUBLE_NOW_S);
}

static void
test_principals_refuse_what_is_revoked_known_or_not(void)
{
	begin();
	sl_principal_unref(identify("ann 0 60"));
	sl_principal_unref(identify("bob 0 60"));
	revoke("ann", DOUBLE_NOW_S);
	expect_refusal("ann 0 60", 0, "token_revoked");  /* known */
	expect_refusal("ann -1 90", 0, "token_revoked"); /* new, and older than the revocation */
	CU_ASSERT_PTR_NULL(identify_at(SL_CREDENTIAL_TICKET, "ann 0 60", DOUBLE_NOW_S));
	CU_ASSERT_STRING_EQUAL(refusal.code, "token_revoked");
	CU_ASSERT_EQUAL(count(SL_COUNTER_PRINCIPALS_REVOKED), 3);
	sl_principal_unref(identify("bob 0 60"));
	struct sl_principal *newer = identify("ann 1 60");
	CU_ASSERT_PTR_NOT_NULL(newer);
	sl_principal_unref(newer);
	end();
}

static void
test_principals_adopt_whom_another_shard_has_verified_unless_revoked(void)
{
	begin();
	struct sl_claims claims = { .issued_s = DOUBLE_NOW_S, .expires_s = DOUBLE_NOW_S + 60, .subject = "ann" };
	struct sl_principal *ann = sl_principals_adopt(principals, &claims, DOUBLE_NOW_S, &refusal);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ann);
	CU_ASSERT_STRING_EQUAL(sl_principal_get_claims(ann)->subject, "ann");
	CU_ASSERT_EQUAL(sl_principal_get_claims(ann)->expires_s, DOUBLE_NOW_S + 60);
	sl_principal_unref(ann);
	revoke("ann", DOUBLE_NOW_S);
	CU_ASSERT_PTR_NULL(sl_principals_adopt(principals, &claims, DOUBLE_NOW_S, &refusal));
	CU_ASSERT_STRING_EQUAL(refusal.code, "token_revoked");
	end();
}

static void
test_principals_refuse_a_revoked_token_for_ever(void)
{
	begin();
	sl_principal_unref(identify("ann 0 200000"));
	revoke("ann", DOUBLE_NOW_S);
	expect_refusal("ann 0 200000", 0, "token_revoked");
	/* Also when the revocation is not kept any more. */
	expect_refusal("ann 0 200000", 100000, "token_revoked");
	CU_ASSERT_EQUAL(auth.verified, 1);
	end();
}

static void
test_principals_without_a_table_of_revocations_know_of_none(void)
{
	begin();
	sl_principals_set_revocations(principals, NULL);
	revoke("ann", DOUBLE_NOW_S);
	struct sl_principal *ann = identify("ann 0 60");
	CU_ASSERT_PTR_NOT_NULL(ann);
	sl_principal_unref(ann);
	end();
}

/* ---- memory ---- */

static void
test_principals_without_memory_let_nobody_in_and_say_why(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		begin();
		failing_again(&failing);
		struct sl_principal *ann = identify("ann 0 60");
		bool is_short = !ann && strcmp(refusal.code, "internal") == 0;
		failing_alloc_off();
		CU_ASSERT_TRUE(ann || is_short || strcmp(refusal.code, "unauthorized") == 0);
		CU_ASSERT_TRUE(ann || failing_alloc_has_failed());
		CU_ASSERT_EQUAL(known(), ann ? 1 : 0);
		sl_principal_unref(ann);
		struct sl_principal *again = identify("ann 0 60");
		CU_ASSERT_PTR_NOT_NULL(again);
		sl_principal_unref(again);
		end();
	}
}

static void
test_principals_without_memory_have_none_for_those_without_a_token(void)
{
	begin();
	failing_alloc_set(1, true);
	CU_ASSERT_PTR_NULL(identify_at(SL_CREDENTIAL_NONE, "", DOUBLE_NOW_S));
	failing_alloc_off();
	CU_ASSERT_STRING_EQUAL(refusal.code, "internal");
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_principals_verify_a_token_once),
		UNIT_TEST(test_principals_verify_each_ticket_and_keep_none),
		UNIT_TEST(test_principals_remember_no_token_that_is_refused),
		UNIT_TEST(test_principals_of_one_subject_have_one_owner),
		UNIT_TEST(test_principals_verify_nothing_for_whoever_brought_too_many_bad_tokens),
		UNIT_TEST(test_principals_of_good_tokens_cost_nothing),
		UNIT_TEST(test_principals_answer_for_an_expired_token_without_verifying_it_again),
		UNIT_TEST(test_principals_refuse_a_token_that_is_too_long_unread),
		UNIT_TEST(test_principals_without_rules_know_everybody),
		UNIT_TEST(test_principals_know_one_for_all_without_a_token),
		UNIT_TEST(test_principals_keep_few_that_nobody_holds_the_last_used_ones),
		UNIT_TEST(test_principals_of_earlier_rules_are_not_found_and_stay_while_held),
		UNIT_TEST(test_principals_refuse_what_is_revoked_known_or_not),
		UNIT_TEST(test_principals_adopt_whom_another_shard_has_verified_unless_revoked),
		UNIT_TEST(test_principals_refuse_a_revoked_token_for_ever),
		UNIT_TEST(test_principals_without_a_table_of_revocations_know_of_none),
		UNIT_TEST(test_principals_without_memory_let_nobody_in_and_say_why),
		UNIT_TEST(test_principals_without_memory_have_none_for_those_without_a_token),
		{ NULL, NULL },
	};
	return unit_main("principals", tests);
}
