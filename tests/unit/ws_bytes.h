/* What a WebSocket client would send, for tests: frames of any kind, wrong ones included.
 * Owner: the buffer is the caller's. Thread: main. Errors: none looked at. */
#ifndef SL_TESTS_WS_BYTES_H
#define SL_TESTS_WS_BYTES_H

#include <stdbool.h>
#include <string.h>

#include "transports/ws_frame.h"
#include "util/buffer.h"

/* Appends the header of a masked frame. `first` is its first byte: FIN, RSV and opcode. */
static inline void
ws_put_header(struct sl_buffer *out, unsigned first, uint64_t len, const uint8_t mask[4])
{
	uint8_t head[SL_WS_FRAME_HEADER_MAX];
	size_t head_len = sl_ws_frame_encode_header(head, 0, len);
	head[0] = (uint8_t)first;
	head[1] |= 0x80;
	sl_buffer_append(out, head, head_len);
	sl_buffer_append(out, mask, 4);
}

/* Appends a whole masked frame; the mask follows from what `out` holds already. */
static inline void
ws_put_frame(struct sl_buffer *out, unsigned first, const void *payload, size_t len)
{
	uint32_t seed = 0x9e3779b1u * (uint32_t)(out->len + 1);
	uint8_t mask[4] = { seed >> 24, seed >> 16 & 255, seed >> 8 & 255, seed & 255 };
	ws_put_header(out, first, len, mask);
	size_t at = out->len;
	sl_buffer_append(out, payload, len);
	if (len > 0)
		sl_ws_frame_mask(out->bytes + at, len, mask, 0);
}

#define WS_FIN 0x80u

static inline void
ws_put(struct sl_buffer *out, bool fin, unsigned opcode, const char *text)
{
	ws_put_frame(out, (fin ? WS_FIN : 0) | opcode, text, strlen(text));
}

#endif
