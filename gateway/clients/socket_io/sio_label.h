/* Label: what a namespace's subscriptions are framed under (live/encoder.h): how its events end, and its name.
 * Owner: the text is the caller's. Thread: any. Errors: none.
 *
 * With recovery each event ends in an offset, which the client brings back: the message's cursor, and behind it
 * stars. None: the channels are those of CONNECT. Else the client has seen that they are others; a node that does not
 * know which cannot recover it. Each replay, which sends older messages again, adds a star: so an offset before it is
 * not taken for one within it. Before the stars stands a dot and the tag of the process that counted them: a client may
 * have made a change at one gateway without learning of it, and another change at a second one. */
#ifndef SL_SOCKET_IO_SIO_LABEL_H
#define SL_SOCKET_IO_SIO_LABEL_H

#include <stdbool.h>
#include <string.h>

#include "bus/cursor.h"
#include "bus/message.h"
#include "util/span.h"

#define SL_SIO_TAG_LEN 4 /* base64url of 3 bytes */
#define SL_SIO_LABEL_MAX (1 + SL_SIO_TAG_LEN + 1 + SL_CHANNEL_MAX) /* how, the tag where there are stars, a slash, a channel */
#define SL_SIO_STARS_MAX 9

/* `stars` where events end in no offset: what a client without recovery gets, to the byte. */
#define SL_SIO_NO_OFFSET (-1)

#define SL_SIO_OFFSET_MAX (SL_CURSOR_MAX + 1 + SL_SIO_TAG_LEN + SL_SIO_STARS_MAX)

static inline size_t
sl_sio_label_get_head_len(int stars)
{
	return stars > 0 ? 1 + SL_SIO_TAG_LEN : 1;
}

/* `nsp` is "/" or "/x", x a legal channel name; `stars` is at most SL_SIO_STARS_MAX, or SL_SIO_NO_OFFSET. `tag` may be
 * NULL where there are none. */
static inline struct sl_span
sl_sio_label_write(char out[SL_SIO_LABEL_MAX], int stars, const char *tag, struct sl_span nsp)
{
	size_t len = sl_sio_label_get_head_len(stars);
	out[0] = stars == SL_SIO_NO_OFFSET ? 'n' : (char)('0' + stars);
	if (stars > 0)
		memcpy(out + 1, tag, SL_SIO_TAG_LEN);
	memcpy(out + len, nsp.bytes, nsp.len);
	return (struct sl_span){ out, len + nsp.len };
}

static inline int
sl_sio_label_get_stars(struct sl_span label)
{
	return *label.bytes == 'n' ? SL_SIO_NO_OFFSET : *label.bytes - '0';
}

static inline struct sl_span
sl_sio_label_get_namespace(struct sl_span label)
{
	size_t len = sl_sio_label_get_head_len(sl_sio_label_get_stars(label));
	return (struct sl_span){ label.bytes + len, label.len - len };
}

/* The offset of an event at the cursor; returns its length. The label is one of those that have offsets. */
static inline size_t
sl_sio_label_write_offset(char out[SL_SIO_OFFSET_MAX], struct sl_span label, struct sl_cursor cursor)
{
	size_t len = sl_cursor_format(cursor, out);
	int stars = sl_sio_label_get_stars(label);
	if (stars > 0) {
		out[len] = '.';
		memcpy(out + len + 1, label.bytes + 1, SL_SIO_TAG_LEN);
		memset(out + len + 1 + SL_SIO_TAG_LEN, '*', (size_t)stars);
		len += 1 + SL_SIO_TAG_LEN + (size_t)stars;
	}
	return len;
}

#endif
