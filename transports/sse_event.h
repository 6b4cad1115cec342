/* SSE event: Server-Sent Events as bytes (WHATWG HTML, section 9.2, "Server-sent events").
 * Owner: the buffer is the caller's. Thread: any. Errors: none; the buffer remembers its own. */
#ifndef SL_TRANSPORTS_SSE_EVENT_H
#define SL_TRANSPORTS_SSE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "bus/cursor.h"
#include "util/buffer.h"

/* Appends a message: `id:` and `data:`. The payload may have any bytes. Each of its lines becomes a `data:`
 * line, whether it ends in LF, CR or CRLF (a client joins them with LF). */
void sl_sse_append_message(struct sl_buffer *buf, struct sl_cursor id, const char *payload,
	size_t len);

/* Appends a named event with one line of data, such as a control object. With `id`, a client that reconnects by
 * itself resumes there; NULL leaves its last id as it is. `name` and `line` have no line breaks. */
void sl_sse_append_event(struct sl_buffer *buf, const char *name, const struct sl_cursor *id,
	const char *line, size_t len);

/* Appends the time that a client waits before it reconnects by itself. Call it before an event, not between its
 * lines. */
void sl_sse_append_retry(struct sl_buffer *buf, uint64_t retry_ms);

#endif
