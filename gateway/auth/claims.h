/* Claims: what a verified token says (RFC 7519, section 4), judged.
 * Owner: the caller's structs. Thread: any. Errors: as its function says. */
#ifndef SL_AUTH_CLAIMS_H
#define SL_AUTH_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "auth/principal.h"
#include "util/span.h"

/* What tokens must fulfil; the texts are borrowed. */
struct sl_claim_rules {
	const char *issuer, *audience; /* NULL: any issuer; no audience */
	uint64_t age_max_ms;           /* from iat to exp */
};

/* Reads the payload of a token. `out->expires_s` is when it stops to count, the leeway included. Where
 * several things are wrong, expiry is told last: a new token would not help with the others. False with
 * `*refusal`; `*out` then needs no finish. */
bool sl_claims_read(struct sl_claims *out, struct sl_span payload, const struct sl_claim_rules *rules,
	int64_t now_s, struct sl_auth_refusal *refusal);

#endif
