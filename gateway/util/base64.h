/* Base64 with padding (RFC 4648, section 4).
 * Owner: nobody. Thread: any. Errors: SL_EINVAL from decoding (a buffer remembers its own). */
#ifndef SL_UTIL_BASE64_H
#define SL_UTIL_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buffer.h"
#include "util/span.h"

/* Characters that `len` bytes become. */
size_t sl_base64_encoded_len(size_t len);

/* Writes sl_base64_encoded_len(len) characters to `out`; no NUL. */
void sl_base64_encode(char *out, const void *bytes, size_t len);

void sl_base64_append(struct sl_buffer *buf, const void *bytes, size_t len);

/* Appends what `text` stands for. Padding may lack, and bits that stand for nothing are ignored, as browsers do
 * (section 3.5). Errors: SL_EINVAL for anything else; SL_ENOMEM. Nothing is appended then. */
int sl_base64_decode(struct sl_buffer *out, struct sl_span text);

/* True when `text` stands for exactly 16 bytes, as Sec-WebSocket-Key must (RFC 6455,
 * section 4.2.1). The four bits that carry nothing are not required to be zero: RFC 4648,
 * section 3.5 leaves it open, and the key is only ever hashed as text. */
bool sl_base64_is_key16(const char *text, size_t len);

#endif
