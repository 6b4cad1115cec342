/* Auth: the rules by which one generation of settings knows who asks: keys, issuer, audience, the
 * patterns of those without a token, the secret that signs tickets.
 * Owner: counted; the settings. Thread: any once made; it never changes. Errors: as each call says. */
#ifndef SL_AUTH_AUTH_H
#define SL_AUTH_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/principal.h"
#include "util/span.h"

#define SL_TOKEN_MAX 8192   /* bytes of a token or ticket */
#define SL_LEEWAY_S 30      /* between the clocks of who issues and who verifies */
#define SL_TICKET_S 30      /* that a ticket lives */

struct sl_auth;
struct sl_config;
struct sl_secret;

/* Why a token does not count: PROTOCOL.md, errors. All static; nothing of the token is in them. */
struct sl_auth_refusal {
	const char *code;    /* "unauthorized", "token_expired", "token_revoked" */
	const char *message;
};

/* Reads the key files. `*out` is NULL where no token key is configured: everybody may do everything.
 * The key of tickets is derived from `secret`, which is not kept. Errors: SL_EINVAL, SL_EIO, SL_ENOMEM,
 * with the sentence to tell in `error`. */
int sl_auth_create(struct sl_auth **out, const struct sl_config *config,
	const struct sl_secret *secret, char *error, size_t error_size);
struct sl_auth *sl_auth_ref(struct sl_auth *auth);
/* NULL is allowed. */
void sl_auth_unref(struct sl_auth *auth);

/* Verifies a JWT (RFC 7519) at `now_s`. False with `*refusal`; `*out` then needs no finish. It does not
 * know of revocations. */
bool sl_auth_verify_token(const struct sl_auth *auth, struct sl_span token, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal);

/* The same for a ticket: its claims are those of the token that bought it. */
bool sl_auth_verify_ticket(const struct sl_auth *auth, struct sl_span ticket, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal);

/* For how long a token may live at most, in seconds: by the rules in force, which a refused reload
 * leaves. */
int64_t sl_auth_get_max_age_s(const struct sl_auth *auth);

/* What those without a token may do. */
const struct sl_patterns *sl_auth_get_anonymous(const struct sl_auth *auth, enum sl_act act);

/* How many keys verify tokens; NULL: none. */
size_t sl_auth_count_keys(const struct sl_auth *auth);

/* SL_DERIVED_KEY_LEN bytes. */
const uint8_t *sl_auth_get_ticket_key(const struct sl_auth *auth);

#endif
