/* Names: the channels that a client names, each once: texts with commas, arrays, one by one.
 * Owner: the caller's struct; it owns copies. Thread: any. Errors: SL_EINVAL, something is no legal name; SL_EFULL, more
 * than a connection may have; SL_ENOMEM. */
#ifndef SL_SOCKET_IO_SIO_NAMES_H
#define SL_SOCKET_IO_SIO_NAMES_H

#include "util/buffer.h"
#include "util/json_members.h"
#include "util/limits.h"
#include "util/quote.h"
#include "util/span.h"

/* All zero: there are none. */
struct sl_sio_names {
	struct sl_buffer text; /* one behind the other */
	unsigned count;
	size_t lens[SL_CHANNELS_MAX];
	char wrong[SL_QUOTED_SIZE]; /* the text that is no legal name, for SL_EINVAL; empty if it was no text */
};

void sl_sio_names_finish(struct sl_sio_names *names);

/* A name, unless it is there. */
int sl_sio_names_add(struct sl_sio_names *names, struct sl_span name);

/* A text, whose names stand between commas; an empty one has none. */
int sl_sio_names_add_text(struct sl_sio_names *names, struct sl_span text);

/* A JSON value: a string is one name, or as above where it `splits`; an array holds strings that are one name each. */
int sl_sio_names_add_json(struct sl_sio_names *names, const struct sl_json_member *value, bool splits);

/* All of them; borrowed until the next is added. Returns how many. */
unsigned sl_sio_names_get(const struct sl_sio_names *names, struct sl_span out[SL_CHANNELS_MAX]);

bool sl_sio_names_has(const struct sl_sio_names *names, struct sl_span name);

#endif
