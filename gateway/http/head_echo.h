/* Head echo: a request's head as it arrived, as JSON for those who ask what was done to it
 * on its way (PROTOCOL.md, probing).
 * Owner: nobody. Thread: any. Errors: those of the buffer.
 *
 * Whoever asks may be behind a proxy that adds what is not for his eyes: of headers that are
 * not known to be harmless there is the name alone, and of tokens there are stars. */
#ifndef SL_HTTP_HEAD_ECHO_H
#define SL_HTTP_HEAD_ECHO_H

#include <stdbool.h>

#include "util/buffer.h"
#include "util/span.h"

#define SL_HEAD_ECHO_LINES 64    /* those beyond it are counted */
#define SL_HEAD_ECHO_VALUE 256   /* bytes of a name or value; a longer one is cut */

struct sl_head;

/* The usual spelling of a field whose value is shown, whatever the case of `name`; NULL when only its
 * name is. */
const char *sl_head_echo_find(struct sl_span name);

/* Method, version and header lines, in the order in which they came; and what the gateway made of the
 * lines that proxies write: whom it takes for the client, and if that one came by https. */
void sl_head_echo_append(struct sl_buffer *out, const struct sl_head *head, const char *client,
	bool is_secure);

#endif
