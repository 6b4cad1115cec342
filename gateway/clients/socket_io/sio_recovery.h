/* Recovery: what a client brings back to go on where it was: a pid, which the gateway signs, and the offset of the last
 * event that it has seen.
 * Owner: what is read borrows the decoded text. Thread: any. Errors: SL_EINVAL, SL_ENOMEM, SL_EIO.
 *
 * The pid says what was true at CONNECT: the namespace, whose it is, its channels, and from where on. So every
 * gateway with the same --secret on the same bus can go on from it, before the first event too, and as often as
 * the client comes. The reference keeps its sessions in memory, hands each out once, and needs an event first. */
#ifndef SL_SOCKET_IO_SIO_RECOVERY_H
#define SL_SOCKET_IO_SIO_RECOVERY_H

#include <stdint.h>

#include "bus/cursor.h"
#include "clients/socket_io/sio_label.h"
#include "util/buffer.h"
#include "util/limits.h"
#include "util/span.h"

#define SL_SIO_ID_LEN 20   /* base64url of 15 bytes */
#define SL_SIO_KEY_LEN 32

struct sl_sio_pid {
	char id[SL_SIO_ID_LEN];    /* of the namespace's socket, as the client knows it */
	struct sl_cursor cursor;   /* it had everything until then */
	struct sl_span nsp;        /* "/" or "/x" */
	struct sl_span subject;    /* of the token; empty: none */
	unsigned count;
	struct sl_span channels[SL_CHANNELS_MAX]; /* in the order in which they were asked for, each once */
};

/* An id that nobody can guess. Errors: SL_EIO, SL_ENOMEM. */
int sl_sio_recovery_make_id(char out[SL_SIO_ID_LEN]);
/* A tag of stars (clients/socket_io/sio_label.h) that other processes hardly draw. Errors: SL_EIO, SL_ENOMEM. */
int sl_sio_recovery_make_tag(char out[SL_SIO_TAG_LEN]);

/* Appends the signed text. No part has a control character. Errors: SL_EIO, SL_ENOMEM. */
int sl_sio_recovery_append_pid(struct sl_buffer *out, const struct sl_sio_pid *pid,
	const uint8_t key[SL_SIO_KEY_LEN]);

/* Reads what was signed with the key; `space` is cleared, and holds the parts. Errors: SL_EINVAL, SL_EIO, SL_ENOMEM. */
int sl_sio_recovery_read_pid(struct sl_sio_pid *out, struct sl_buffer *space, struct sl_span text,
	const uint8_t key[SL_SIO_KEY_LEN]);

/* A cursor, perhaps with a tag and up to SL_SIO_STARS_MAX stars behind it (clients/socket_io/sio_label.h); `*tag` is
 * absent where there are none. Errors: SL_EINVAL. */
int sl_sio_recovery_read_offset(struct sl_span text, struct sl_cursor *cursor, struct sl_span *tag, unsigned *stars);

#endif
