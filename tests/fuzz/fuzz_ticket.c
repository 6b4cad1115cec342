/* Tickets. The first byte chooses: the rest is a ticket, which is refused, since nobody guesses a signature;
 * or a payload that the gateway's own key has signed, which must come back as it was if it counts. */
#include "auth/ticket.h"

#include "auth/jws.h"
#include "auth/secret.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S 1790000000

const uint8_t *__wrap_sl_auth_get_ticket_key(const struct sl_auth *auth);

static const uint8_t key_bytes[SL_DERIVED_KEY_LEN] = "thirty-two bytes that sign them";

const uint8_t *
__wrap_sl_auth_get_ticket_key(const struct sl_auth *auth)
{
	(void)auth;
	return key_bytes;
}

static void
expect_same(const struct sl_claims *one, const struct sl_claims *other)
{
	FUZZ_EXPECT(strcmp(one->subject, other->subject) == 0);
	FUZZ_EXPECT(one->issued_s == other->issued_s && one->expires_s == other->expires_s);
	FUZZ_EXPECT(one->is_admin == other->is_admin);
	for (int act = 0; act < SL_ACTS; act++) {
		const struct sl_patterns *left = &one->may[act], *right = &other->may[act];
		FUZZ_EXPECT(left->count == right->count && left->size == right->size);
		FUZZ_EXPECT(left->size == 0 || memcmp(left->texts, right->texts, left->size) == 0);
	}
}

/* What is in force for a ticket's claims is in force for a ticket of these claims. */
static void
reissue(const struct sl_claims *claims)
{
	struct sl_buffer ticket = SL_BUFFER_INIT;
	struct sl_auth_refusal refusal;
	struct sl_claims again;
	int64_t expires_s;
	if (sl_ticket_append(&ticket, NULL, claims, NOW_S, &expires_s) == 0) {
		FUZZ_EXPECT(expires_s > NOW_S && expires_s <= NOW_S + SL_TICKET_S);
		FUZZ_EXPECT(sl_auth_verify_ticket(NULL, (struct sl_span){ ticket.bytes, ticket.len }, NOW_S,
			&again, &refusal));
		expect_same(claims, &again);
		sl_claims_finish(&again);
	}
	sl_buffer_finish(&ticket);
}

static void
try_payload(const char *text, size_t len)
{
	struct sl_buffer ticket = SL_BUFFER_INIT;
	struct sl_auth_refusal refusal = { NULL, NULL };
	struct sl_claims claims;
	struct sl_key key;
	FUZZ_EXPECT(sl_key_init_secret(&key, key_bytes, sizeof key_bytes) == 0);
	FUZZ_EXPECT(sl_jws_append(&ticket, &key, "sluice-ticket+jwt", (struct sl_span){ text, len }) == 0);
	if (sl_auth_verify_ticket(NULL, (struct sl_span){ ticket.bytes, ticket.len }, NOW_S, &claims,
			&refusal)) {
		FUZZ_EXPECT(claims.expires_s > NOW_S && claims.subject[0]);
		reissue(&claims);
		sl_claims_finish(&claims);
	} else {
		FUZZ_EXPECT(refusal.code && refusal.message);
	}
	sl_key_finish(&key);
	sl_buffer_finish(&ticket);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_auth_refusal refusal = { NULL, NULL };
	struct sl_claims claims;
	if (len == 0)
		return 0;
	char *text = fuzz_copy(bytes + 1, len - 1);
	if (bytes[0] == 'p')
		try_payload(text, len - 1);
	else
		FUZZ_EXPECT(!sl_auth_verify_ticket(NULL, (struct sl_span){ text, len - 1 }, NOW_S, &claims,
			&refusal) && refusal.code && refusal.message);
	free(text);
	return 0;
}
