/* Finds the frames in one direction of a WebSocket, any bytes at a time, and judges none.
 * Owner: the caller. Thread: one. Errors: none.
 *
 * Source: RFC 6455, section 5.2. */
#ifndef SL_BENCH_OBSTACLE_FRAMES_H
#define SL_BENCH_OBSTACLE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OB_FRAME_HEAD_MAX 14
#define OB_CONTROL_MAX 125
#define OB_COMPRESSED 0x40 /* in a head's first byte (RFC 7692, section 6) */
#define OB_OPCODE_CONTINUED 0x0
#define OB_OPCODE_CLOSE 0x8 /* and above: control frames */
#define OB_OPCODE_PING 0x9
#define OB_OPCODE_PONG 0xa

struct ob_frames {
	unsigned char head[OB_FRAME_HEAD_MAX];
	unsigned head_len;  /* bytes of it that have come */
	bool in_payload;
	bool is_dropped;    /* set by the caller at the frame's head: its bytes are not wanted */
	bool drops_message; /* the caller's, of a message that several frames carry */
	uint64_t left;      /* of the payload */
	char control[OB_CONTROL_MAX]; /* the caller's, to collect a control frame's payload in */
	unsigned control_len;
};

enum ob_frame_event {
	OB_FRAME_MORE,    /* all bytes are taken, nothing to tell */
	OB_FRAME_HEAD,    /* the head is complete: opcode, length, mask can be asked for */
	OB_FRAME_PAYLOAD, /* `*len` bytes of payload at `*bytes` */
};

/* Takes the next step over `*bytes`, `*len`, which it moves on. A payload's bytes are in
 * `*payload`, `*payload_len`. A frame without payload has a head only. */
enum ob_frame_event ob_frames_next(struct ob_frames *frames, const char **bytes, size_t *len,
	const char **payload, size_t *payload_len);

/* Of the frame whose head is complete. */
unsigned ob_frames_opcode(const struct ob_frames *frames);
uint64_t ob_frames_length(const struct ob_frames *frames);

/* Writes the frame's head anew, as it is when the payload is `more` bytes longer; returns how long
 * the head is. */
unsigned ob_frames_lengthen(const struct ob_frames *frames, uint64_t more,
	unsigned char head[OB_FRAME_HEAD_MAX]);

/* The four bytes of the mask, NULL for a frame without. */
const unsigned char *ob_frames_mask(const struct ob_frames *frames);

#endif
