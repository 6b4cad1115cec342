/* Deflate: one message at a time, as permessage-deflate wants it (RFC 7692, section 7.2): raw DEFLATE
 * blocks without the four octets that end a flush, and nothing kept from one message to the next.
 * Owner: one a thread, which keeps the memory that zlib works in; it is taken when it is first needed.
 * Thread: one at a time. Errors: as each call says.
 *
 * The only file of the gateway that knows zlib. */
#ifndef SL_UTIL_DEFLATE_H
#define SL_UTIL_DEFLATE_H

#include <stddef.h>

#include "util/span.h"

struct sl_buffer;
struct sl_deflater;

#define SL_DEFLATE_BITS_MIN 8 /* of a window: it has 2^8 bytes */
#define SL_DEFLATE_BITS_MAX 15
#define SL_DEFLATE_WINDOWS (SL_DEFLATE_BITS_MAX - SL_DEFLATE_BITS_MIN + 1)

/* Returns new in `*out`. Errors: SL_ENOMEM. */
int sl_deflater_create(struct sl_deflater **out);
void sl_deflater_destroy(struct sl_deflater *deflater);

/* Compresses a message for a receiver whose window has 2^`window_bits` bytes. `*out` is borrowed until
 * the next call. Errors: SL_ETOOBIG, the result would not be smaller than `len`; SL_ENOMEM. */
int sl_deflater_compress(struct sl_deflater *deflater, unsigned window_bits, const char *bytes,
	size_t len, struct sl_span *out);

/* Appends what a compressed message, from a window of any size, stands for: at most `max` bytes, and never
 * takes memory for more than that. On an error `*out` holds a part. Errors: SL_ETOOBIG; SL_EINVAL, it
 * is no DEFLATE data or ends inside of a block; SL_ENOMEM. */
int sl_deflater_inflate(struct sl_deflater *deflater, const char *bytes, size_t len, size_t max,
	struct sl_buffer *out);

#endif
