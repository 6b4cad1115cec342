/* Label: what a namespace's subscriptions are framed under (live/encoder.h): how its events end, and its name.
 * Owner: the text is the caller's. Thread: any. Errors: none.
 *
 * With recovery each event ends in an offset, which the client brings back: the message's cursor, and behind it
 * stars. None: the channels are those of CONNECT. Else the client has seen that they are others; a node that does not
 * know which cannot recover it. Each replay, which sends older messages again, adds a star: so an offset before it is
 * not taken for one within it. */
#ifndef SL_SOCKET_IO_SIO_LABEL_H
#define SL_SOCKET_IO_SIO_LABEL_H

#include <stdbool.h>
#include <string.h>

#include "bus/message.h"
#include "util/span.h"

#define SL_SIO_LABEL_MAX (1 + 1 + SL_CHANNEL_MAX) /* how, a slash, a channel */
#define SL_SIO_STARS_MAX 9

/* `stars` where events end in no offset: what a client without recovery gets, to the byte. */
#define SL_SIO_NO_OFFSET (-1)

/* `nsp` is "/" or "/x", x a legal channel name; `stars` is at most SL_SIO_STARS_MAX, or SL_SIO_NO_OFFSET. */
static inline struct sl_span
sl_sio_label_write(char out[SL_SIO_LABEL_MAX], int stars, struct sl_span nsp)
{
	out[0] = stars == SL_SIO_NO_OFFSET ? 'n' : (char)('0' + stars);
	memcpy(out + 1, nsp.bytes, nsp.len);
	return (struct sl_span){ out, 1 + nsp.len };
}

static inline int
sl_sio_label_get_stars(struct sl_span label)
{
	return *label.bytes == 'n' ? SL_SIO_NO_OFFSET : *label.bytes - '0';
}

static inline struct sl_span
sl_sio_label_get_namespace(struct sl_span label)
{
	return (struct sl_span){ label.bytes + 1, label.len - 1 };
}

#endif
