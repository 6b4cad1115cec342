/* Head echo: a request's head as it arrived, as JSON for those who ask what was done to it
 * on its way (PROTOCOL.md, probing).
 * Owner: the caller's struct; it borrows the buffer. Thread: one at a time. Errors: those of
 * the buffer.
 *
 * Whoever asks may be behind a proxy that adds what is not for his eyes: of headers that are
 * not known to be harmless there is the name alone. */
#ifndef SL_HTTP_HEAD_ECHO_H
#define SL_HTTP_HEAD_ECHO_H

#include "util/buffer.h"

#define SL_HEAD_ECHO_LINES 64    /* those beyond it are counted */
#define SL_HEAD_ECHO_VALUE 256   /* bytes of a name or value; a longer one is cut */

struct sl_head_echo {
	struct sl_buffer *out;
	unsigned lines;
};

/* Method and version are those of the request line, e.g. "GET" and 1 for HTTP/1.1. */
void sl_head_echo_begin(struct sl_head_echo *echo, struct sl_buffer *out, const char *method,
	unsigned http_minor);

/* A header line; in the order in which they came. `value` may be NULL. */
void sl_head_echo_add(struct sl_head_echo *echo, const char *name, const char *value);

void sl_head_echo_end(struct sl_head_echo *echo);

#endif
