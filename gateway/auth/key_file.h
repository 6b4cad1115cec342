/* Key file: the keys that a file holds: an HMAC secret, one key in PEM, or JSON: a JWKS or one JWK (RFC
 * 7517). Its first bytes tell which.
 * Owner: the caller's struct. Thread: main's. Errors: SL_EINVAL with the sentence to tell in `error`;
 * SL_ENOMEM. */
#ifndef SL_AUTH_KEY_FILE_H
#define SL_AUTH_KEY_FILE_H

#include <stddef.h>

#include "auth/key.h"
#include "core/tls_file.h"
#include "util/span.h"

#define SL_KEYS_MAX 32 /* of all files: as many signatures one token may cost */

struct sl_keys {
	struct sl_key list[SL_KEYS_MAX];
	size_t count;
};

/* Adds the public keys and secrets of the file that `option` ("--token-key") names. Whatever could be a
 * public key in a form that is not taken is refused, since as a secret everybody would know it. */
int sl_keys_load(struct sl_keys *keys, const char *option, const char *path,
	struct sl_tls_error error);

/* The same of a file's content. `where` begins each sentence. */
int sl_keys_read(struct sl_keys *keys, struct sl_span content, const char *where,
	struct sl_tls_error error);

void sl_keys_finish(struct sl_keys *keys);

/* Reads the one key with which tokens are signed: a secret, a private key in PEM that has no password,
 * or a private JWK. */
int sl_key_load_signing(struct sl_key *out, const char *option, const char *path,
	struct sl_tls_error error);

#endif
