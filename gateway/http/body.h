/* Body: the bytes behind a head, counted by Content-Length or in chunks (RFC 9112, sections 6 and 7.1).
 * Owner: the caller's struct, which owns the kept bytes. Thread: one at a time. Errors: as each call says. */
#ifndef SL_HTTP_BODY_H
#define SL_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"

struct sl_head;

enum sl_body_state { SL_BODY_MORE, SL_BODY_DONE, SL_BODY_BAD /* malformed: 400 and close */ };

struct sl_body {
	struct sl_buffer bytes; /* decoded; only while the body is within `max` */
	uint64_t max;           /* bytes to keep; a longer body is counted and discarded */
	uint64_t received;      /* decoded bytes, kept or not */
	uint64_t wire;          /* bytes taken off the wire */
	uint64_t left;          /* of the length or the chunk */
	uint8_t phase;
	bool is_chunked;
	uint16_t line_len;      /* of a chunk's size line or a trailer line, so far */
	uint32_t trailer_len;
};

/* For a head that has been parsed; `max` bytes are kept. */
void sl_body_begin(struct sl_body *body, const struct sl_head *head, uint64_t max);
void sl_body_finish(struct sl_body *body);

/* Takes bytes up to the body's end; `*used` is their number. Skips chunk extensions, and discards trailers. A
 * size line has at most 256 bytes, all trailers 8 KiB. */
enum sl_body_state sl_body_feed(struct sl_body *body, const char *bytes, size_t len, size_t *used);

/* True when the body was longer than `max`. */
bool sl_body_is_too_long(const struct sl_body *body);

/* True if the head announces a body. */
bool sl_body_is_announced(const struct sl_head *head);

#endif
