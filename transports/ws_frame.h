/* WS frame: WebSocket frames (RFC 6455, section 5.2), server side. Reads headers from clients, one byte at a
 * time or all at once, and writes headers for clients. One reserved bit has a meaning if permessage-deflate is
 * agreed on: RSV1 marks a compressed message (RFC 7692, section 6).
 * Owner: values embedded by the caller, no heap. Thread: one at a time. Errors: SL_EPROTO from decoding; a
 * server then closes with 1002. */
#ifndef SL_TRANSPORTS_WS_FRAME_H
#define SL_TRANSPORTS_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 6455, section 11.8; all others are reserved. */
enum sl_ws_opcode {
	SL_WS_OPCODE_CONTINUATION = 0,
	SL_WS_OPCODE_TEXT = 1,
	SL_WS_OPCODE_BINARY = 2,
	SL_WS_OPCODE_CLOSE = 8,
	SL_WS_OPCODE_PING = 9,
	SL_WS_OPCODE_PONG = 10,
};

#define SL_WS_RSV1 0x40 /* beside the opcode in a header's first byte */
#define SL_WS_CONTROL_MAX 125     /* payload bytes of a control frame */
#define SL_WS_FRAME_HEADER_MAX 10 /* of an unmasked frame, as a server sends it */
#define SL_WS_CLOSE_FRAME_MAX (2 + SL_WS_CONTROL_MAX)

/* A header as far as it was read. All zero before its first byte, except the last field, which the caller sets.
 * The first five fields are valid once decoding returned 1. */
struct sl_ws_frame_header {
	uint64_t len; /* of the payload */
	uint8_t mask[4];
	uint8_t opcode;
	bool fin;
	bool compressed;   /* RSV1: the first frame of a compressed message */
	uint8_t len_bytes; /* length of the extended length: 0, 2 or 8 */
	uint8_t have;      /* header bytes read */
	bool takes_compressed; /* permessage-deflate is agreed on */
};

/* Reads header bytes of a client's frame, at most up to the header's end, and counts them in `*used`. Returns 1
 * if the header is complete, 0 if it needs more bytes. Errors: SL_EPROTO at the first byte that no client may
 * send. That is a reserved bit or opcode, RSV1 in another frame than the first of a message, no mask, a
 * fragmented or long control frame, or a length that is over 63 bits or not in its shortest form. */
int sl_ws_frame_decode_header(struct sl_ws_frame_header *header, const char *bytes, size_t len,
	size_t *used);

/* True for close, ping and pong; the others carry data. */
bool sl_ws_frame_is_control(unsigned opcode);

/* Masks or unmasks (the same thing: RFC 6455, section 5.3) in place. `phase` is the offset
 * of `bytes` in the frame's payload. */
void sl_ws_frame_mask(char *bytes, size_t len, const uint8_t mask[4], uint64_t phase);

/* Writes the header of an unmasked, final frame; returns its length. `opcode` may include SL_WS_RSV1; `len` is
 * below 2^63. */
size_t sl_ws_frame_encode_header(uint8_t out[SL_WS_FRAME_HEADER_MAX], unsigned opcode,
	uint64_t len);

/* Writes a whole close frame; returns its length. `code` 1005 makes an empty frame without a code. `reason` is
 * UTF-8 or NULL; a reason over 123 bytes is cut between code points. */
size_t sl_ws_frame_encode_close(uint8_t out[SL_WS_CLOSE_FRAME_MAX], unsigned code,
	const char *reason);

#endif
