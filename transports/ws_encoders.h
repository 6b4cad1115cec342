/* WS encoders: how messages and control objects look in WebSocket frames. json: one text frame per object. raw:
 * one frame per payload; control objects become pings and close codes. Each format also has encoders that
 * compress messages (RFC 7692), one for each size of the client's window.
 * Owner: constant tables. Thread: any. Errors: those of the buffer. */
#ifndef SL_TRANSPORTS_WS_ENCODERS_H
#define SL_TRANSPORTS_WS_ENCODERS_H

#include <stddef.h>

#include "live/encoder.h"
#include "transports/ws_frame.h"

struct sl_buffer;

/* The encoders' variants. */
enum sl_ws_format { SL_WS_JSON, SL_WS_RAW };

#define SL_WS_CLOSE_UNSUPPORTED 1003 /* the client sent a frame of a type that the format does not have */

/* Returns an encoder. `window_bits` is 8 to 15, or 0 for no compression. */
const struct sl_encoder *sl_ws_encoders_get(enum sl_ws_format format, unsigned window_bits);

/* Appends a whole frame. `opcode` may include SL_WS_RSV1. */
void sl_ws_encoders_append_frame(struct sl_buffer *out, unsigned opcode, const char *bytes, size_t len);

/* Appends the close frame of an end. If the client caused the end, `code` counts, unless it is 0. */
void sl_ws_encoders_append_close(struct sl_buffer *out, enum sl_end_reason reason, unsigned code);

#endif
