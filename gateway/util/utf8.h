/* UTF-8 validation (RFC 3629, section 4), in one go or as the bytes come in.
 * Owner: the struct is the caller's and holds no memory. Thread: one at a time.
 * Errors: SL_EUTF8 from feeding. */
#ifndef SL_UTIL_UTF8_H
#define SL_UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_utf8 {
	uint8_t missing;   /* continuation bytes that the sequence still needs */
	uint8_t low, high; /* bounds of the next one */
};

void sl_utf8_init(struct sl_utf8 *utf8);

/* Takes the next `len` bytes of the text. Fails at the first byte that no continuation
 * could make valid (a surrogate at its second byte, say), and at every call after that.
 * Errors: SL_EUTF8. */
int sl_utf8_feed(struct sl_utf8 *utf8, const void *bytes, size_t len);

/* True when no sequence is open, so that the text may end here. */
bool sl_utf8_is_complete(const struct sl_utf8 *utf8);

/* True when the bytes are a complete UTF-8 text. */
bool sl_utf8_valid(const void *bytes, size_t len);

#endif
