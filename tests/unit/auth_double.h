/* A double of auth/auth.h for tests of what uses it: a token is its claims in clear text,
 * "SUBJECT ISSUED EXPIRES", with times in seconds from the test's present; "?" is no token. Its subscriptions
 * are "chat.*". For programs linked with $(auth_double_ldflags).
 * Owner: static. Thread: main. Errors: none but those of memory. */
#ifndef SL_TESTS_AUTH_DOUBLE_H
#define SL_TESTS_AUTH_DOUBLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "tests/unit/set_clock.h"

#define DOUBLE_NOW_S (SET_CLOCK_START_US / 1000000)

struct sl_auth {
	int refs;
	unsigned verified; /* calls */
	struct sl_patterns anonymous[SL_ACTS];
};

struct sl_auth *__wrap_sl_auth_ref(struct sl_auth *auth);
void __wrap_sl_auth_unref(struct sl_auth *auth);
const struct sl_patterns *__wrap_sl_auth_get_anonymous(const struct sl_auth *auth, enum sl_act act);
bool __wrap_sl_auth_verify_token(const struct sl_auth *auth, struct sl_span token, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal);
bool __wrap_sl_auth_verify_ticket(const struct sl_auth *auth, struct sl_span ticket, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal);

struct sl_auth *
__wrap_sl_auth_ref(struct sl_auth *auth)
{
	auth->refs++;
	return auth;
}

void
__wrap_sl_auth_unref(struct sl_auth *auth)
{
	if (auth)
		auth->refs--;
}

const struct sl_patterns *
__wrap_sl_auth_get_anonymous(const struct sl_auth *auth, enum sl_act act)
{
	return &auth->anonymous[act];
}

bool
__wrap_sl_auth_verify_token(const struct sl_auth *auth, struct sl_span token, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal)
{
	char text[512];
	long issued_s = 0, expires_s = 0;
	((struct sl_auth *)(uintptr_t)auth)->verified++;
	memset(out, 0, sizeof *out);
	snprintf(text, sizeof text, "%.*s", (int)token.len, token.bytes);
	*refusal = (struct sl_auth_refusal){ "unauthorized", "no token" };
	if (sscanf(text, "%256s %ld %ld", out->subject, &issued_s, &expires_s) != 3)
		return false;
	out->issued_s = DOUBLE_NOW_S + issued_s;
	out->expires_s = DOUBLE_NOW_S + expires_s;
	refusal->code = "token_expired";
	if (now_s >= out->expires_s)
		return false;
	refusal->code = "unauthorized";
	return sl_patterns_add(&out->may[SL_ACT_SUBSCRIBE], (struct sl_span){ "chat.*", 6 }) == 0;
}

bool
__wrap_sl_auth_verify_ticket(const struct sl_auth *auth, struct sl_span ticket, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal)
{
	return __wrap_sl_auth_verify_token(auth, ticket, now_s, out, refusal);
}

#endif
