#include "auth/ticket.h"

#include <stdlib.h>
#include <string.h>

#include "auth/jws.h"
#include "auth/secret.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/jose.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define NOW_S 1790000000
#define TYPE "sluice-ticket+jwt"

const uint8_t *__wrap_sl_auth_get_ticket_key(const struct sl_auth *auth);

static uint8_t key_bytes[SL_DERIVED_KEY_LEN] = "thirty-two bytes that sign them";
static struct sl_claims bought;
static struct sl_auth_refusal refusal;

const uint8_t *
__wrap_sl_auth_get_ticket_key(const struct sl_auth *auth)
{
	(void)auth;
	return key_bytes;
}

static void
add(enum sl_act act, const char *pattern)
{
	CU_ASSERT_EQUAL_FATAL(sl_patterns_add(&bought.may[act], span_of(pattern)), 0);
}

/* The claims of a token that has an hour to go. */
static void
begin(void)
{
	bought = (struct sl_claims){ .issued_s = NOW_S - 60, .expires_s = NOW_S + 3600 };
	strcpy(bought.subject, "ann \"the\" \\ \xc3\xa4");
	add(SL_ACT_SUBSCRIBE, "chat.*");
	add(SL_ACT_SUBSCRIBE, "news");
	add(SL_ACT_SUBSCRIBE, "\"],\"admin\":true,\"x\":[\"\\.*");
	add(SL_ACT_PUBLISH, "*");
	key_bytes[0] = 't';
}

static void
end(void)
{
	sl_claims_finish(&bought);
}

static struct sl_span
issue(struct sl_buffer *out, int64_t *expires_s)
{
	CU_ASSERT_EQUAL_FATAL(sl_ticket_append(out, NULL, &bought, NOW_S, expires_s), 0);
	return (struct sl_span){ out->bytes, out->len };
}

static bool
verify(struct sl_span ticket, int64_t now_s, struct sl_claims *claims)
{
	refusal = (struct sl_auth_refusal){ "", "" };
	return sl_auth_verify_ticket(NULL, ticket, now_s, claims, &refusal);
}

static void
expect_refused(struct sl_span ticket, int64_t now_s, const char *code)
{
	struct sl_claims claims;
	CU_ASSERT_FALSE(verify(ticket, now_s, &claims));
	CU_ASSERT_STRING_EQUAL(refusal.code, code);
}

static void
test_ticket_carries_the_claims_that_bought_it(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_claims got;
	int64_t expires_s;
	begin();
	CU_ASSERT_TRUE_FATAL(verify(issue(&out, &expires_s), NOW_S + 10, &got));
	CU_ASSERT_EQUAL(expires_s, NOW_S + SL_TICKET_S);
	CU_ASSERT_STRING_EQUAL(got.subject, bought.subject);
	CU_ASSERT_EQUAL(got.issued_s, bought.issued_s);
	CU_ASSERT_EQUAL(got.expires_s, bought.expires_s);
	CU_ASSERT_FALSE(got.is_admin);
	for (int act = 0; act < SL_ACTS; act++) {
		CU_ASSERT_EQUAL(got.may[act].count, bought.may[act].count);
		CU_ASSERT_EQUAL_FATAL(got.may[act].size, bought.may[act].size);
		CU_ASSERT_EQUAL(memcmp(got.may[act].texts, bought.may[act].texts, got.may[act].size), 0);
	}
	sl_claims_finish(&got);
	sl_buffer_finish(&out);
	end();
}

static void
test_ticket_without_permissions_and_of_an_admin(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_claims got;
	int64_t expires_s;
	begin();
	sl_claims_finish(&bought);
	bought.is_admin = true;
	CU_ASSERT_TRUE_FATAL(verify(issue(&out, &expires_s), NOW_S, &got));
	CU_ASSERT_TRUE(got.is_admin);
	CU_ASSERT_EQUAL(got.may[SL_ACT_SUBSCRIBE].count + got.may[SL_ACT_PUBLISH].count, 0);
	sl_buffer_finish(&out);
	end();
}

static void
test_ticket_opens_for_half_a_minute(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_claims got;
	int64_t expires_s;
	begin();
	struct sl_span ticket = issue(&out, &expires_s);
	CU_ASSERT_TRUE_FATAL(verify(ticket, NOW_S + SL_TICKET_S - 1, &got));
	sl_claims_finish(&got);
	expect_refused(ticket, NOW_S + SL_TICKET_S, "token_expired");
	expect_refused(ticket, NOW_S + 100000, "token_expired");
	sl_buffer_finish(&out);
	end();
}

static void
test_ticket_ends_with_the_claims_where_these_end_first(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	int64_t expires_s;
	begin();
	bought.expires_s = NOW_S + 7;
	struct sl_span ticket = issue(&out, &expires_s);
	CU_ASSERT_EQUAL(expires_s, NOW_S + 7);
	expect_refused(ticket, NOW_S + 7, "token_expired");
	sl_buffer_finish(&out);
	end();
}

static void
test_ticket_that_is_changed_anywhere_is_refused(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_claims got;
	int64_t expires_s;
	begin();
	struct sl_span ticket = issue(&out, &expires_s);
	for (size_t i = 0; i < out.len; i++) {
		out.bytes[i] ^= 1;
		expect_refused(ticket, NOW_S, "unauthorized");
		out.bytes[i] ^= 1;
	}
	for (size_t len = 0; len < out.len; len++)
		expect_refused((struct sl_span){ out.bytes, len }, NOW_S, "unauthorized");
	CU_ASSERT_TRUE_FATAL(verify(ticket, NOW_S, &got));
	sl_claims_finish(&got);
	key_bytes[0] ^= 1; /* another secret */
	expect_refused(ticket, NOW_S, "unauthorized");
	sl_buffer_finish(&out);
	end();
}

/* Even where one key signs both. */
static void
test_ticket_is_no_token_and_a_token_no_ticket(void)
{
	struct sl_buffer out = SL_BUFFER_INIT, payload = SL_BUFFER_INIT, token = SL_BUFFER_INIT;
	struct sl_key key;
	const char *why = "";
	int64_t expires_s;
	begin();
	struct sl_span ticket = issue(&out, &expires_s);
	CU_ASSERT_EQUAL_FATAL(sl_key_init_secret(&key, key_bytes, sizeof key_bytes), 0);
	CU_ASSERT_EQUAL(sl_jws_open(&payload, ticket, &key, 1, NULL, &why), SL_EINVAL);
	CU_ASSERT_EQUAL_FATAL(sl_jws_open(&payload, ticket, &key, 1, TYPE, &why), 0);
	CU_ASSERT_EQUAL(sl_jws_append(&token, &key, "JWT", (struct sl_span){ payload.bytes, payload.len }),
		0);
	expect_refused((struct sl_span){ token.bytes, token.len }, NOW_S, "unauthorized");
	sl_key_finish(&key);
	sl_buffer_finish(&token);
	sl_buffer_finish(&payload);
	sl_buffer_finish(&out);
	end();
}

/* None of ours, although our key signs it: of an earlier version, say. */
static void
test_ticket_with_another_payload_is_refused(void)
{
	static const char *const payloads[] = { "{}", "[]", "", "x",
		"{\"sub\":\"a\",\"iat\":1790000000,\"exp\":1790000030,\"sluice\":{}}",
		"{\"sub\":\"a\",\"iat\":1790000000,\"exp\":1790000030,\"until\":\"1790000030\"}",
		"{\"sub\":\"a\",\"iat\":1790000000,\"exp\":1790000030,\"until\":1790000030.5}",
		"{\"sub\":\"\",\"iat\":1790000000,\"exp\":1790000030,\"until\":1790000030}",
		"{\"sub\":\"a\",\"iat\":1790000000,\"exp\":1790000030,\"until\":1,\"until\":1790000030}",
	};
	struct sl_key key;
	begin();
	CU_ASSERT_EQUAL_FATAL(sl_key_init_secret(&key, key_bytes, sizeof key_bytes), 0);
	for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
		struct sl_buffer ticket = SL_BUFFER_INIT;
		CU_ASSERT_EQUAL(sl_jws_append(&ticket, &key, TYPE, span_of(payloads[i])), 0);
		expect_refused((struct sl_span){ ticket.bytes, ticket.len }, NOW_S, "unauthorized");
		sl_buffer_finish(&ticket);
	}
	sl_key_finish(&key);
	end();
}

static void
test_ticket_that_would_be_too_long_is_not_made(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	char pattern[64];
	int64_t expires_s;
	begin();
	sl_buffer_append_str(&out, "before");
	for (int i = 0; i < 200; i++) {
		snprintf(pattern, sizeof pattern, "a.channel.with.a.name.of.some.length.%d", i);
		add(SL_ACT_PUBLISH, pattern);
	}
	CU_ASSERT_EQUAL(sl_ticket_append(&out, NULL, &bought, NOW_S, &expires_s), SL_ETOOBIG);
	CU_ASSERT_EQUAL(out.len, strlen("before"));
	sl_buffer_finish(&out);
	end();
}

static void
test_ticket_without_memory_is_an_error(void)
{
	for_each_failing_allocation(failing) {
		struct sl_buffer out = SL_BUFFER_INIT;
		int64_t expires_s;
		failing_alloc_off();
		begin();
		failing_again(&failing);
		int err = sl_ticket_append(&out, NULL, &bought, NOW_S, &expires_s);
		failing_expect(err);
		CU_ASSERT_TRUE(err == 0 || out.len == 0);
		sl_buffer_finish(&out);
		end();
	}
}

static void
test_ticket_without_memory_is_refused_and_says_so(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	int64_t expires_s;
	begin();
	struct sl_span ticket = issue(&out, &expires_s);
	for_each_failing_allocation(failing) {
		struct sl_claims got;
		bool is_good = verify(ticket, NOW_S, &got);
		failing_alloc_off();
		CU_ASSERT_EQUAL(is_good, !failing_alloc_has_failed());
		CU_ASSERT_TRUE(is_good || strcmp(refusal.code, "internal") == 0);
		if (is_good)
			sl_claims_finish(&got);
	}
	sl_buffer_finish(&out);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ticket_carries_the_claims_that_bought_it),
		UNIT_TEST(test_ticket_without_permissions_and_of_an_admin),
		UNIT_TEST(test_ticket_opens_for_half_a_minute),
		UNIT_TEST(test_ticket_ends_with_the_claims_where_these_end_first),
		UNIT_TEST(test_ticket_that_is_changed_anywhere_is_refused),
		UNIT_TEST(test_ticket_is_no_token_and_a_token_no_ticket),
		UNIT_TEST(test_ticket_with_another_payload_is_refused),
		UNIT_TEST(test_ticket_that_would_be_too_long_is_not_made),
		UNIT_TEST(test_ticket_without_memory_is_an_error),
		UNIT_TEST(test_ticket_without_memory_is_refused_and_says_so),
		{ NULL, NULL },
	};
	return unit_main("ticket", tests);
}
