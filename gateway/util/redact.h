/* Redact: stars over what proves who asks, before bytes of a request are shown to anybody: one star a byte,
 * so that what counts bytes stays right.
 * Owner: bytes are changed in place. Thread: any. Errors: none.
 *
 * Bytes may be malformed, cut off anywhere, or no HTTP at all: in doubt there are stars. A request that the
 * gateway understands has its tokens where http/credentials.h looks. */
#ifndef SL_UTIL_REDACT_H
#define SL_UTIL_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

/* True for a field whose whole value is redacted: Authorization, Proxy-Authorization, Cookie,
 * Set-Cookie, in any case. */
bool sl_redact_is_secret(struct sl_span name);

/* A target, a URL, or a text with some: values of `token` and `ticket`, which stand behind '?' or '&',
 * however their names are escaped or spelled, up to '&', a blank or a control character. */
void sl_redact_target(char *text, size_t len);

/* The value of the field `name`: all of it, `bearer.` tokens among subprotocols, or as a target. */
void sl_redact_value(struct sl_span name, char *value, size_t len);

/* The head of a request or response, with its lines ended or folded in any way; perhaps more behind it, or
 * less of it. */
void sl_redact_head(char *bytes, size_t len);

#endif
