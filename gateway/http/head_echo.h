/* Head echo: a request's head as it arrived, as JSON. It shows clients what proxies did to the head
 * (PROTOCOL.md, probing).
 * Owner: nobody. Thread: any. Errors: those of the buffer.
 *
 * The client may be behind a proxy that adds secrets. So the echo shows only the name of a header that is not
 * known to be harmless, and stars for tokens. */
#ifndef SL_HTTP_HEAD_ECHO_H
#define SL_HTTP_HEAD_ECHO_H

#include <stdbool.h>

#include "util/buffer.h"
#include "util/span.h"

#define SL_HEAD_ECHO_LINES 64    /* further lines are only counted */
#define SL_HEAD_ECHO_VALUE 256   /* bytes of a name or value; a longer one is cut */

struct sl_head;

/* Returns the usual spelling of a field whose value is shown, whatever the case of `name`; NULL if only its
 * name is shown. */
const char *sl_head_echo_find(struct sl_span name);

/* Appends method, version and header lines, in the order in which they came. Also appends the gateway's reading
 * of the lines that proxies write: the client, and whether it came by https. */
void sl_head_echo_append(struct sl_buffer *out, const struct sl_head *head, const char *client,
	bool is_secure);

#endif
