#include "auth/claims.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"

#define NOW 1000000
#define DAY_MS UINT64_C(86400000)

static struct sl_claim_rules rules = { .age_max_ms = DAY_MS };
static struct sl_claims claims;
static struct sl_auth_refusal refusal;

static bool
read_claims(const char *payload)
{
	return sl_claims_read(&claims, (struct sl_span){ payload, strlen(payload) }, &rules, NOW, &refusal);
}

/* The least that counts, and `members`, each with a comma before it. */
static const char *
with(const char *members)
{
	static char payload[16384];
	snprintf(payload, sizeof payload, "{\"sub\":\"ann\",\"iat\":1000000,\"exp\":1000060%s}", members);
	return payload;
}

static void
expect_taken(const char *payload)
{
	bool is_taken = read_claims(payload);
	if (!is_taken)
		fprintf(stderr, "%.200s: %s\n", payload, refusal.message);
	CU_ASSERT_TRUE(is_taken);
	if (is_taken)
		sl_claims_finish(&claims);
}

static void
expect_refused(const char *payload, const char *part)
{
	bool is_taken = read_claims(payload);
	CU_ASSERT_FALSE(is_taken);
	if (is_taken || !strstr(refusal.message, part))
		fprintf(stderr, "%.200s: \"%s\" lacks %s\n", payload, is_taken ? "" : refusal.message, part);
	if (is_taken) {
		sl_claims_finish(&claims);
		return;
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal.message, part));
	CU_ASSERT_STRING_EQUAL(refusal.code, "unauthorized");
}

static void
test_claims_are_read(void)
{
	CU_ASSERT_TRUE_FATAL(read_claims(with(",\"jti\":\"x\",\"sluice\":{\"subscribe\":[\"chat.*\",\"a\"],"
		"\"publish\":[\"a\"],\"admin\":true,\"later\":{}}")));
	CU_ASSERT_STRING_EQUAL(claims.subject, "ann");
	CU_ASSERT_EQUAL(claims.issued_s, NOW);
	CU_ASSERT_EQUAL(claims.expires_s, NOW + 60 + SL_LEEWAY_S);
	CU_ASSERT_TRUE(claims.is_admin);
	CU_ASSERT_EQUAL(claims.may[SL_ACT_SUBSCRIBE].count, 2);
	CU_ASSERT_EQUAL(claims.may[SL_ACT_PUBLISH].count, 1);
	CU_ASSERT_TRUE(sl_patterns_match(&claims.may[SL_ACT_SUBSCRIBE], (struct sl_span){ "chat.1", 6 }));
	CU_ASSERT_FALSE(sl_patterns_match(&claims.may[SL_ACT_PUBLISH], (struct sl_span){ "chat.1", 6 }));
	sl_claims_finish(&claims);
}

static void
test_claims_without_sluice_allow_nothing(void)
{
	static const char *const none[] = { "", ",\"sluice\":{}", ",\"sluice\":{\"subscribe\":[]}",
		",\"subscribe\":[\"*\"],\"admin\":true", NULL };
	for (size_t i = 0; none[i]; i++) {
		CU_ASSERT_TRUE_FATAL(read_claims(with(none[i])));
		CU_ASSERT_FALSE(claims.is_admin);
		CU_ASSERT_EQUAL(claims.may[SL_ACT_SUBSCRIBE].count + claims.may[SL_ACT_PUBLISH].count, 0);
		sl_claims_finish(&claims);
	}
}

static void
test_claims_subject_is_a_short_text_without_control_characters(void)
{
	char payload[1024], name[600];
	static const char *const wrong[] = { "", "\"sub\":1,", "\"sub\":null,", "\"sub\":\"\",", "\"sub\":[\"a\"],", NULL };
	for (size_t i = 0; wrong[i]; i++) {
		snprintf(payload, sizeof payload, "{%s\"iat\":1000000,\"exp\":1000060}", wrong[i]);
		expect_refused(payload, "sub is missing or not valid");
	}
	static const char *const controls[] = { "a\\nb", "\\u001f", "\\u007f", "\\u0080", "\\u009f", "\xc2\x85", NULL };
	for (size_t i = 0; controls[i]; i++) {
		snprintf(payload, sizeof payload, "{\"sub\":\"%s\",\"iat\":1000000,\"exp\":1000060}", controls[i]);
		expect_refused(payload, "control character");
	}
	expect_refused("{\"sub\":\"a\\u0000b\",\"iat\":1000000,\"exp\":1000060}", "use a JSON object");
	for (size_t len = 255; len <= 258; len++) {
		snprintf(name, sizeof name, "%0*d", (int)len, 7);
		snprintf(payload, sizeof payload, "{\"sub\":\"%s\",\"iat\":1000000,\"exp\":1000060}", name);
		if (len <= SL_SUBJECT_MAX)
			expect_taken(payload);
		else
			expect_refused(payload, "sub is missing or not valid");
	}
	expect_taken("{\"sub\":\"\\u00a0\\u00e9 \\ud83d\\ude00\",\"iat\":1000000,\"exp\":1000060}");
}

static void
test_claims_times_are_needed_and_numbers(void)
{
	static const char *const wrong[] = { "\"1000000\"", "null", "true", "-1", "253402300800", "1e300", "[1]",
		"{}", NULL };
	static const char *const names[] = { "exp", "iat" };
	for (size_t n = 0; n < 2; n++)
		for (size_t i = 0; wrong[i]; i++) {
			char payload[256], part[64];
			snprintf(part, sizeof part, "%s must be a number", names[n]);
			snprintf(payload, sizeof payload, "{\"%s\":%s,\"sub\":\"ann\",\"%s\":1000000}", names[n],
				wrong[i], names[1 - n]);
			expect_refused(payload, part);
			snprintf(payload, sizeof payload, "{\"sub\":\"ann\",\"%s\":1000000}", names[1 - n]);
			expect_refused(payload, part);
		}
	expect_refused(with(",\"nbf\":\"1000000\""), "nbf must be a number");
	expect_refused("{\"sub\":\"ann\",\"iat\":1000000,\"exp\":99999999999999999999}", "use a JSON object");
}

static void
test_claims_fractions_do_not_count(void)
{
	CU_ASSERT_TRUE_FATAL(read_claims("{\"sub\":\"ann\",\"iat\":1000000.99,\"exp\":1000060.99,\"nbf\":1.5e0}"));
	CU_ASSERT_EQUAL(claims.issued_s, 1000000);
	CU_ASSERT_EQUAL(claims.expires_s, 1000060 + SL_LEEWAY_S);
	sl_claims_finish(&claims);
}

static void
expect_times(int iat, int exp, const char *more, const char *code, const char *part)
{
	char payload[256];
	snprintf(payload, sizeof payload, "{\"sub\":\"ann\",\"iat\":%d,\"exp\":%d%s}", iat, exp, more);
	if (!code) {
		expect_taken(payload);
		return;
	}
	CU_ASSERT_FALSE(read_claims(payload));
	CU_ASSERT_STRING_EQUAL(refusal.code, code);
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal.message, part));
}

static void
test_claims_times_have_a_leeway(void)
{
	expect_times(NOW - 60, NOW - 29, "", NULL, NULL);
	expect_times(NOW - 60, NOW - 30, "", "token_expired", "expired");
	expect_times(NOW + 30, NOW + 60, "", NULL, NULL);
	expect_times(NOW + 31, NOW + 60, "", "unauthorized", "iat is in the future");
	expect_times(NOW, NOW + 60, ",\"nbf\":1000030", NULL, NULL);
	expect_times(NOW, NOW + 60, ",\"nbf\":1000031", "unauthorized", "nbf is in the future");
	expect_times(NOW, NOW - 1, "", "unauthorized", "exp is before its iat");
	expect_times(NOW, NOW, "", NULL, NULL);
}

/* A revocation is kept for as long as a token may live. */
static void
test_claims_age_is_bounded(void)
{
	expect_times(NOW - 5, NOW - 5 + 86400, "", NULL, NULL);
	expect_times(NOW - 5, NOW - 5 + 86401, "", "unauthorized", "lives longer");
	rules.age_max_ms = 1500;
	expect_times(NOW, NOW + 1, "", NULL, NULL);
	expect_times(NOW, NOW + 2, "", "unauthorized", "lives longer");
	rules.age_max_ms = DAY_MS;
}

static void
test_claims_expiry_is_told_last(void)
{
	expect_times(NOW - 100, NOW - 50, ",\"aud\":\"x\"", "unauthorized", "aud");
	expect_times(NOW - 100, NOW - 50, ",\"sluice\":1", "unauthorized", "sluice");
	expect_times(NOW - 100000, NOW - 50, "", "unauthorized", "lives longer");
	expect_times(NOW - 100, NOW - 50, "", "token_expired", "expired");
}

static void
test_claims_issuer_is_that_of_the_option(void)
{
	expect_taken(with(",\"iss\":\"anybody\""));
	expect_refused(with(",\"iss\":1"), "iss is not a string");
	rules.issuer = "https://id.example";
	expect_taken(with(",\"iss\":\"https://id.example\""));
	expect_refused(with(""), "iss is missing or wrong");
	expect_refused(with(",\"iss\":\"https://id.example/\""), "iss is missing or wrong");
	expect_refused(with(",\"iss\":[\"https://id.example\"]"), "iss is not a string");
	rules.issuer = NULL;
}

static void
test_claims_audience_is_that_of_the_option(void)
{
	expect_taken(with(""));
	expect_refused(with(",\"aud\":\"push\""), "no audience is configured"); /* RFC 7519, 4.1.3 */
	expect_refused(with(",\"aud\":[]"), "aud is not valid");
	rules.audience = "push";
	expect_taken(with(",\"aud\":\"push\""));
	expect_taken(with(",\"aud\":[\"other\",\"push\"]"));
	expect_refused(with(""), "has no aud");
	expect_refused(with(",\"aud\":\"pushy\""), "names another audience");
	expect_refused(with(",\"aud\":[\"other\"]"), "names another audience");
	expect_refused(with(",\"aud\":[\"push\",1]"), "aud is not valid");
	expect_refused(with(",\"aud\":{\"push\":1}"), "aud is not valid");
	expect_refused(with(",\"aud\":null"), "aud is not valid");
	rules.audience = NULL;
}

static void
test_claims_permission_of_a_wrong_type_is_refused(void)
{
	expect_refused(with(",\"sluice\":[]"), "sluice is not an object");
	expect_refused(with(",\"sluice\":null"), "sluice is not an object");
	expect_refused(with(",\"sluice\":\"*\""), "sluice is not an object");
	expect_refused(with(",\"sluice\":{\"admin\":1}"), "sluice.admin");
	expect_refused(with(",\"sluice\":{\"admin\":\"true\"}"), "sluice.admin");
	expect_refused(with(",\"sluice\":{\"admin\":null}"), "sluice.admin");
	expect_refused(with(",\"sluice\":{\"subscribe\":\"*\"}"), "use arrays of patterns");
	expect_refused(with(",\"sluice\":{\"publish\":{}}"), "use arrays of patterns");
	expect_refused(with(",\"sluice\":{\"publish\":null}"), "use arrays of patterns");
	expect_refused(with(",\"sluice\":{\"publish\":[1]}"), "not a string");
	static const char *const wrong[] = { "", "a\\nb", "*a", "a*", "**", "~lease", "a.*.b", "\\u0085", NULL };
	for (size_t i = 0; wrong[i]; i++) {
		char member[96];
		snprintf(member, sizeof member, ",\"sluice\":{\"subscribe\":[\"a\",\"%s\"]}", wrong[i]);
		expect_refused(with(member), "a pattern that is not");
	}
}

static void
test_claims_lists_are_bounded(void)
{
	char member[4096] = ",\"sluice\":{\"publish\":[\"a\"";
	for (int i = 1; i < SL_PATTERNS_MAX; i++)
		strcat(member, ",\"a\"");
	strcat(member, "]}");
	expect_taken(with(member));
	strcpy(member + strlen(member) - 2, ",\"a\"]}");
	expect_refused(with(member), "more than 256 patterns");
}

static void
test_claims_payload_is_read_strictly(void)
{
	expect_refused(with(",\"sub\":\"bob\""), "member twice");
	expect_refused(with(",\"\\u0073ub\":\"bob\""), "member twice");
	expect_refused(with(",\"sluice\":{\"admin\":false,\"admin\":true}"), "member twice");
	expect_refused(with(",\"x\":{\"y\":{\"a\":1,\"a\":1}}"), "member twice");
	expect_refused(with(",\"x\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"), "use a JSON object");
	expect_refused(with(",\"x\":1e999"), "use a JSON object");
	expect_refused(with(",\"x\":\"\xff\""), "use a JSON object");
	expect_refused("[]", "use a JSON object");
	expect_refused("", "use a JSON object");
}

static void
test_claims_without_memory(void)
{
	json_malloc_t own_malloc;
	json_free_t own_free;
	json_get_alloc_funcs(&own_malloc, &own_free);
	json_set_alloc_funcs(malloc, free); /* which are the failing ones here */
	const char *payload = with(",\"sluice\":{\"subscribe\":[\"a\",\"b.*\"],\"publish\":[\"c\"]}");
	for_each_failing_allocation(failing) {
		bool is_taken = read_claims(payload);
		failing_alloc_off();
		CU_ASSERT_EQUAL(is_taken, !failing_alloc_has_failed());
		if (is_taken)
			sl_claims_finish(&claims);
	}
	json_set_alloc_funcs(own_malloc, own_free);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_claims_are_read),
		UNIT_TEST(test_claims_without_sluice_allow_nothing),
		UNIT_TEST(test_claims_subject_is_a_short_text_without_control_characters),
		UNIT_TEST(test_claims_times_are_needed_and_numbers),
		UNIT_TEST(test_claims_fractions_do_not_count),
		UNIT_TEST(test_claims_times_have_a_leeway),
		UNIT_TEST(test_claims_age_is_bounded),
		UNIT_TEST(test_claims_expiry_is_told_last),
		UNIT_TEST(test_claims_issuer_is_that_of_the_option),
		UNIT_TEST(test_claims_audience_is_that_of_the_option),
		UNIT_TEST(test_claims_permission_of_a_wrong_type_is_refused),
		UNIT_TEST(test_claims_lists_are_bounded),
		UNIT_TEST(test_claims_payload_is_read_strictly),
		UNIT_TEST(test_claims_without_memory),
		{ NULL, NULL },
	};
	json_object_seed(1);
	return unit_main("claims", tests);
}
