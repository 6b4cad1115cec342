/* JWS: a signed text in its compact form, HEADER.PAYLOAD.SIGNATURE (RFC 7515, section 7.1).
 * Owner: the caller's buffers. Thread: any. Errors: as each call says. */
#ifndef SL_AUTH_JWS_H
#define SL_AUTH_JWS_H

#include <stddef.h>

#include "auth/key.h"
#include "util/buffer.h"
#include "util/span.h"

/* Appends the payload of `token` when one of `count` keys verifies it. A key is tried when its algorithm
 * is the header's, and its kid the header's where both have one. `type` is what `typ` must be; NULL: a
 * JWT, whose typ is "JWT", "at+jwt", or absent. Nothing that the header refers to is fetched, and an
 * extension (`crit`, RFC 7515, section 4.1.11) refuses the token, since none is known. Errors: SL_EINVAL
 * with `*why`, a static sentence with nothing of the token; SL_ENOMEM. */
int sl_jws_open(struct sl_buffer *payload, struct sl_span token, const struct sl_key *keys,
	size_t count, const char *type, const char **why);

/* Appends the token that `key` makes of `payload`. Errors: SL_EINVAL, the key cannot sign; SL_ENOMEM. */
int sl_jws_append(struct sl_buffer *out, const struct sl_key *key, const char *type,
	struct sl_span payload);

#endif
