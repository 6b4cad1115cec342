#include "auth/principal.h"

#include <string.h>

#include "auth/principal_state.h"
#include "tests/unit/somebody.h"
#include "tests/unit/unit.h"

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static bool
may(const struct sl_principal *principal, enum sl_act act, const char *channel)
{
	return sl_principal_may(principal, act, span(channel));
}

static void
test_principal_may_do_what_its_patterns_say_for_each_act(void)
{
	struct sl_principal ann;
	somebody_init(&ann, "ann", "chat.*", "chat.1");
	CU_ASSERT_TRUE(may(&ann, SL_ACT_SUBSCRIBE, "chat.2"));
	CU_ASSERT_FALSE(may(&ann, SL_ACT_SUBSCRIBE, "news"));
	CU_ASSERT_TRUE(may(&ann, SL_ACT_PUBLISH, "chat.1"));
	CU_ASSERT_FALSE(may(&ann, SL_ACT_PUBLISH, "chat.2"));
	CU_ASSERT_FALSE(sl_principal_is_anonymous(&ann));
	somebody_finish(&ann);
}

static void
test_principal_may_use_a_channel_that_is_lent_whatever_its_patterns(void)
{
	struct sl_principal nobody;
	somebody_init(&nobody, "", NULL, NULL);
	CU_ASSERT_TRUE(sl_principal_is_anonymous(&nobody));
	CU_ASSERT_TRUE(may(&nobody, SL_ACT_SUBSCRIBE, "~lent"));
	CU_ASSERT_TRUE(may(&nobody, SL_ACT_PUBLISH, "~lent"));
	CU_ASSERT_FALSE(may(&nobody, SL_ACT_SUBSCRIBE, "lent"));
	CU_ASSERT_FALSE(may(NULL, SL_ACT_SUBSCRIBE, "~lent"));
	somebody_finish(&nobody);
}

static void
test_principal_that_was_revoked_may_do_nothing_and_one_that_expired_goes_on(void)
{
	struct sl_principal ann;
	somebody_init(&ann, "ann", "*", "*");
	ann.leave = SL_LEAVE_EXPIRED;
	CU_ASSERT_TRUE(may(&ann, SL_ACT_PUBLISH, "a"));
	ann.leave = SL_LEAVE_REVOKED;
	CU_ASSERT_FALSE(may(&ann, SL_ACT_PUBLISH, "a"));
	CU_ASSERT_FALSE(may(&ann, SL_ACT_SUBSCRIBE, "~lent"));
	somebody_finish(&ann);
}

static void
test_claims_are_copied_whole(void)
{
	struct sl_principal ann;
	struct sl_claims claims;
	somebody_init(&ann, "ann", "chat.*", NULL);
	ann.claims.issued_s = 5;
	ann.claims.is_admin = true;
	CU_ASSERT_EQUAL(sl_principal_copy_claims(&ann, &claims), 0);
	somebody_finish(&ann);
	CU_ASSERT_STRING_EQUAL(claims.subject, "ann");
	CU_ASSERT(claims.issued_s == 5 && claims.expires_s == SL_NEVER_S && claims.is_admin);
	CU_ASSERT_TRUE(sl_patterns_match(&claims.may[SL_ACT_SUBSCRIBE], span("chat.1")));
	CU_ASSERT_EQUAL(claims.may[SL_ACT_PUBLISH].count, 0);
	sl_claims_finish(&claims);
}

static void
test_everybody_may_do_everything_for_ever_and_is_not_counted(void)
{
	struct sl_principal *everybody = &sl_principal_everybody;
	const struct sl_principal before = *everybody;
	CU_ASSERT_TRUE(may(everybody, SL_ACT_SUBSCRIBE, "a.b"));
	CU_ASSERT_TRUE(may(everybody, SL_ACT_PUBLISH, "a"));
	CU_ASSERT_TRUE(may(everybody, SL_ACT_PUBLISH, "~lent"));
	CU_ASSERT_TRUE(sl_principal_get_claims(everybody)->is_admin);
	CU_ASSERT_EQUAL(sl_principal_get_claims(everybody)->expires_s, SL_NEVER_S);
	CU_ASSERT_STRING_EQUAL(sl_principal_get_claims(everybody)->subject, "");
	CU_ASSERT_PTR_EQUAL(sl_principal_ref(everybody), everybody);
	sl_principal_unref(everybody);
	sl_principal_unref(everybody);
	sl_principal_unref(NULL);
	CU_ASSERT_EQUAL(memcmp(&before, everybody, sizeof before), 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_principal_may_do_what_its_patterns_say_for_each_act),
		UNIT_TEST(test_principal_may_use_a_channel_that_is_lent_whatever_its_patterns),
		UNIT_TEST(test_principal_that_was_revoked_may_do_nothing_and_one_that_expired_goes_on),
		UNIT_TEST(test_claims_are_copied_whole),
		UNIT_TEST(test_everybody_may_do_everything_for_ever_and_is_not_counted),
		{ NULL, NULL },
	};
	return unit_main("principal", tests);
}
