/* WS message: reads a WebSocket client's byte stream: messages put together from their fragments, pings, pongs
 * and the close (RFC 6455, sections 5.4 to 5.6, 7.1.5, 7.4, 8.1).
 * Owner: the caller embeds the reader. The reader owns memory only while a message or a control frame spans
 * reads. Thread: one at a time. Errors: feeding returns the reason to fail the connection, and `close_code` is
 * the code for the client. */
#ifndef SL_TRANSPORTS_WS_MESSAGE_H
#define SL_TRANSPORTS_WS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transports/ws_frame.h"
#include "util/utf8.h"

struct sl_deflater;

/* Limits for all readers; exceeding one fails the connection. */
struct sl_ws_limits {
	size_t max_message_bytes; /* over all fragments, and after inflating; beyond it 1009 */
	unsigned max_fragments;   /* frames of one message, at least 1; beyond it 1008 */
	bool stops_at_frames;     /* a call reads no byte behind the end of a frame */
	struct sl_deflater *deflater; /* borrows; NULL: the reader's client may not compress */
};

enum sl_ws_event_type {
	SL_WS_MESSAGE_TEXT, /* valid UTF-8 */
	SL_WS_MESSAGE_BINARY,
	SL_WS_PING, /* answer it by a pong with the same bytes */
	SL_WS_PONG,
	SL_WS_CLOSE, /* `bytes` are the reason, valid UTF-8 */
};

struct sl_ws_event {
	enum sl_ws_event_type type;
	const char *bytes; /* borrowed from the caller's buffer or the reader's; not terminated */
	size_t len;
	uint16_t close_code; /* SL_WS_CLOSE only: as sent, or 1005 if none was */
	bool was_compressed; /* messages only; `bytes` are already inflated */
	uint32_t fragments;  /* of a message: the frames behind its first one */
};

struct sl_ws_assembly;

struct sl_ws_reader {
	struct sl_ws_assembly *assembly; /* owns; NULL when nothing spans reads */
	struct sl_ws_frame_header frame; /* the frame being read */
	uint64_t done;                   /* bytes of its payload read so far */
	uint32_t fragments;              /* frames of the message in progress */
	uint16_t close_code;             /* set by an error: 1002, 1007, 1008, 1009 or 1011 */
	uint8_t opcode;                  /* text or binary while a message is in progress, or 0 */
	uint8_t phase;
	bool has_ended_frame;            /* a frame ended in the last call */
	int8_t err;
	bool compressed;                 /* the message in progress is compressed */
	bool inflating_failed;           /* the error is one of inflating */
	struct sl_utf8 utf8;
};

void sl_ws_reader_init(struct sl_ws_reader *reader);
void sl_ws_reader_finish(struct sl_ws_reader *reader);

/* Reads up to and including the end of one event, and counts the bytes read in `*used`. Unmasks `bytes` in
 * place: do not feed them again. Returns 1 with an event, whose bytes live until the next call and no longer
 * than `bytes`. Returns 0 if all bytes are used and more are needed. With stops_at_frames it also returns 0 if
 * a frame without an event has ended. Call again with the rest (even of no bytes) until it returns 0: that also
 * frees the memory of a delivered message. All bytes behind a close or an error are discarded. After an error
 * every later call returns the same error.
 *
 * Errors (with close_code): SL_EPROTO (1002) and SL_EUTF8 (1007) at the first wrong byte; SL_ETOOBIG (1009, or
 * 1008 for too many fragments) as soon as a header announces it; SL_ENOMEM (1011). A compressed message is
 * inflated once all of it is here. It may be as long as the limit allows and some percent more. Inflating fails
 * with SL_ETOOBIG (1009) at the limit, SL_EUTF8 (1007), or SL_EINVAL (1007) if it is not whole DEFLATE data. */
int sl_ws_reader_feed(struct sl_ws_reader *reader, const struct sl_ws_limits *limits, char *bytes,
	size_t len, size_t *used, struct sl_ws_event *event);

#endif
