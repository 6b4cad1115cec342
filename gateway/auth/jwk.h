/* JWK: one key in JSON (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2).
 * Owner: the caller. Thread: any. Errors: as its function says. */
#ifndef SL_AUTH_JWK_H
#define SL_AUTH_JWK_H

#include <jansson.h>

#include "auth/key.h"

enum sl_jwk_use { SL_JWK_VERIFIES, SL_JWK_SIGNS };

/* Reads a public key, or for SL_JWK_SIGNS a private one; `oct` is both. Errors: SL_ENOENT, a key that
 * others may understand and that does not count here (RFC 7517, section 5); SL_EINVAL, malformed, weak,
 * or private where a public one is expected; both with `*why`, a static text; SL_ENOMEM. */
int sl_jwk_read(struct sl_key *out, const json_t *jwk, enum sl_jwk_use use, const char **why);

#endif
