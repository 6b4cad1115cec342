/* Poll reply: answers to polls (PROTOCOL.md, polls): heads and bodies of complete responses.
 * Owner: the buffer is the caller's. Thread: any. Errors: those of the buffer. */
#ifndef SL_TRANSPORTS_POLL_REPLY_H
#define SL_TRANSPORTS_POLL_REPLY_H

#include <stddef.h>

#include "bus/cursor.h"
#include "util/buffer.h"
#include "util/span.h"

struct sl_config;
struct sl_gap;
struct sl_message;
struct sl_response;

#define SL_POLL_REPLY_MAX 262144 /* bytes of a json body; one message always fits */

/* Fills the head of a 200 with a json body, which borrows a value from `text`. */
void sl_poll_reply_fill_response(struct sl_response *out, struct sl_cursor cursor,
	char text[SL_CURSOR_MAX]);

/* Returns the number of messages that one body takes. */
size_t sl_poll_reply_fit(struct sl_message *const *messages, size_t count);

struct sl_poll_body {
	struct sl_cursor cursor;
	struct sl_message *const *messages;
	size_t count;
	const struct sl_gap *gaps;
	size_t gap_count;
	const struct sl_config *config; /* the body lists its limits; NULL in an answer that many share */
	struct sl_span n;               /* the request's nonce; empty without one, and in a shared answer */
};

/* Appends {"cursor":C,"messages":[..],"gaps":[..]}, then `limits` and `n`. */
void sl_poll_reply_append_body(struct sl_buffer *out, const struct sl_poll_body *body);

#endif
