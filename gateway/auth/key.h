/* Key: what a token is signed or verified with. A key has one algorithm: what the token's header names
 * chooses no other.
 * Owner: the caller's struct; finish wipes it. Thread: any once made. Errors: as each call says.
 * Sources: RFC 7518, section 3; RFC 8037, section 3.1.
 *
 * This is written on OpenSSL and jansson, not on libjwt: the libjwt of Debian 12 (1.10) knows neither
 * EdDSA nor JWKS, and lets the token's header choose the algorithm. */
#ifndef SL_AUTH_KEY_H
#define SL_AUTH_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/span.h"

#define SL_KEY_SECRET_MIN 32     /* bytes (RFC 7518, section 3.2) */
#define SL_KEY_RSA_BITS_MIN 2048 /* RFC 7518, section 3.3 */
#define SL_KEY_RSA_BITS_MAX 8192 /* above it a verification takes milliseconds */

enum sl_alg { SL_ALG_HS256, SL_ALG_RS256, SL_ALG_ES256, SL_ALG_EDDSA, SL_ALGS };

struct evp_pkey_st;

struct sl_key {
	enum sl_alg alg;
	char *kid;                /* owns; NULL: it has no name */
	struct evp_pkey_st *pkey; /* owns; NULL for HS256 */
	uint8_t *secret;          /* owns; of HS256 alone */
	size_t secret_len;
};

/* "HS256", ... (RFC 7518, section 3.1): case counts. */
const char *sl_alg_name(enum sl_alg alg);
bool sl_alg_parse(struct sl_span name, enum sl_alg *out);

/* Copies the secret. Errors: SL_EINVAL, it is too short; SL_ENOMEM. */
int sl_key_init_secret(struct sl_key *key, const void *secret, size_t len);

/* Takes `pkey`. Errors: SL_EINVAL with `*why`, what it is and what would be right: it is of another
 * kind or curve, too weak, or contradicts itself. */
int sl_key_init_pkey(struct sl_key *key, struct evp_pkey_st *pkey, const char **why);

/* Also of a struct that is all zero. */
void sl_key_finish(struct sl_key *key);

/* True when `signature` is one of `text` by this key. */
bool sl_key_verify(const struct sl_key *key, struct sl_span text, struct sl_span signature);

/* Appends the signature of `text`; of a public key none can be made. Errors: SL_EINVAL, SL_ENOMEM. */
int sl_key_sign(const struct sl_key *key, struct sl_span text, struct sl_buffer *out);

#endif
