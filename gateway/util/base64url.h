/* Base64url without padding (RFC 7515, section 2 and appendix C).
 * Owner: nobody. Thread: any. Errors: SL_EINVAL from decoding (a buffer remembers its own). */
#ifndef SL_UTIL_BASE64URL_H
#define SL_UTIL_BASE64URL_H

#include <stddef.h>

#include "util/buffer.h"
#include "util/span.h"

/* Appends `len` bytes, encoded. */
void sl_base64url_append(struct sl_buffer *out, const void *bytes, size_t len);

/* Appends what `text` stands for. Each run of bytes has one text only. Errors: SL_EINVAL for padding,
 * for characters outside the alphabet, for a length that no encoder makes, and for bits that stand for
 * nothing and are not zero; SL_ENOMEM. Nothing is appended then. */
int sl_base64url_decode(struct sl_buffer *out, struct sl_span text);

#endif
