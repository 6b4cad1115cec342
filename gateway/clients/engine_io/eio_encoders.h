/* How messages travel in Engine.IO: on a WebSocket a frame each, on polling packets with separators between them.
 * For the encoders of whoever speaks inside the messages, and those of the raw user, whose messages are payloads.
 * Owner: constant tables. Thread: any. Errors: those of the buffer. */
#ifndef SL_CLIENTS_EIO_ENCODERS_H
#define SL_CLIENTS_EIO_ENCODERS_H

#include <stdbool.h>
#include <stddef.h>

#include "live/encoder.h"

struct sl_buffer;

#define SL_EIO_ANSWER_MAX 262144 /* bytes of an answer to a poll; one message always fits */

/* An encoder is for polling where it is SL_ONE_SHOT, else for a WebSocket. */
static inline bool
sl_eio_encoders_is_polling(const struct sl_encoder *encoder)
{
	return encoder->capabilities & SL_ONE_SHOT;
}

/* Appends what stands before the `len` bytes of a text message, which the caller appends then; they must have no
 * separator in them, as JSON has none. For polling, what `out` holds already is packets: a separator follows them. */
void sl_eio_encoders_begin_text(struct sl_buffer *out, const struct sl_encoder *encoder, size_t len);

/* Appends a whole message in the same way, whatever is in it. */
void sl_eio_encoders_append(struct sl_buffer *out, const struct sl_encoder *encoder, struct sl_span data,
	bool is_binary);

/* Slots that are the same for all: a heartbeat is `2`, other control objects are nothing; an end is a close code. */
void sl_eio_encoders_frame_control(const struct sl_encoder *encoder, const struct sl_control *control,
	struct sl_buffer *out);
void sl_eio_encoders_frame_end(const struct sl_encoder *encoder, enum sl_end_reason reason, unsigned code,
	struct sl_buffer *out);

/* The slots that all encoders of these transports have in common; each adds its frame_messages. A polling session's timer
 * sends its pings, and the clock of a WebSocket's client runs by them. */
#define SL_EIO_POLLING_SLOTS \
	.transport = "engineio-polling", .class = SL_CLASS_ENGINEIO_POLLING, \
	.capabilities = SL_ONE_SHOT | SL_ASKS_CLIENT_PUBLISH, .beats = SL_BEATS_NEVER
#define SL_EIO_WEBSOCKET_SLOTS \
	.transport = "engineio-websocket", .class = SL_CLASS_ENGINEIO_WEBSOCKET, \
	.capabilities = SL_ASKS_CLIENT_PUBLISH, .beats = SL_BEATS_ALWAYS, \
	.frame_control = sl_eio_encoders_frame_control, .frame_end = sl_eio_encoders_frame_end

/* The encoders of the raw user. */
const struct sl_encoder *sl_eio_encoders_get_raw(bool is_websocket);

#endif
