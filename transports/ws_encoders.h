/* How messages and control objects look in WebSocket frames. json: a text frame an object. raw: a frame is a
 * payload; control objects become pings and close codes.
 * Owner: constant tables. Thread: any. Errors: those of the buffer. */
#ifndef SL_TRANSPORTS_WS_ENCODERS_H
#define SL_TRANSPORTS_WS_ENCODERS_H

#include <stddef.h>

#include "transports/ws_frame.h"

struct sl_buffer;
struct sl_encoder;

/* The encoders' variants. */
enum sl_ws_format { SL_WS_JSON, SL_WS_RAW };

#define SL_WS_CLOSE_UNSUPPORTED 1003 /* a frame of a type that the format does not know */

const struct sl_encoder *sl_ws_encoders_get(enum sl_ws_format format);

/* Appends a whole frame. */
void sl_ws_encoders_append_frame(struct sl_buffer *out, enum sl_ws_opcode opcode, const char *bytes,
	size_t len);

#endif
