/* What a WebSocket client says, read from its byte stream: messages put together from their
 * fragments, pings, pongs and the close (RFC 6455, sections 5.4 to 5.6, 7.1.5, 7.4, 8.1).
 * Owner: the reader is embedded by the caller; it owns memory only while a message or a
 * control frame spans reads. Thread: one at a time. Errors: feeding returns why the
 * connection has to be failed, and `close_code` holds what to tell the client. */
#ifndef SL_TRANSPORTS_WS_MESSAGE_H
#define SL_TRANSPORTS_WS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transports/ws_frame.h"
#include "util/utf8.h"

struct sl_deflater;

/* Shared by all readers; one more than either fails the connection. */
struct sl_ws_limits {
	size_t max_message_bytes; /* over all fragments, and inflated; then 1009 */
	unsigned max_fragments;   /* frames of one message, at least 1; then 1008 */
	bool stops_at_frames;     /* one call reads no byte behind the end of a frame */
	struct sl_deflater *deflater; /* borrows; NULL: the reader's client may not compress */
};

enum sl_ws_event_type {
	SL_WS_MESSAGE_TEXT, /* valid UTF-8 */
	SL_WS_MESSAGE_BINARY,
	SL_WS_PING, /* to be answered by a pong with the same bytes */
	SL_WS_PONG,
	SL_WS_CLOSE, /* `bytes` are the reason, valid UTF-8 */
};

struct sl_ws_event {
	enum sl_ws_event_type type;
	const char *bytes; /* borrowed: of the caller's buffer or the reader's; not terminated */
	size_t len;
	uint16_t close_code; /* SL_WS_CLOSE only: as sent, or 1005 if none was */
	bool was_compressed; /* messages only; `bytes` are not any longer */
	uint32_t fragments;  /* of a message: the frames that continued its first one */
};

struct sl_ws_assembly;

struct sl_ws_reader {
	struct sl_ws_assembly *assembly; /* owns; NULL when nothing spans reads */
	struct sl_ws_frame_header frame; /* the one being read */
	uint64_t done;                   /* payload bytes of it read so far */
	uint32_t fragments;              /* frames of the message in progress */
	uint16_t close_code;             /* set by an error: 1002, 1007, 1008, 1009 or 1011 */
	uint8_t opcode;                  /* text or binary while a message is in progress, or 0 */
	uint8_t phase;
	bool has_ended_frame;            /* in the last call */
	int8_t err;
	bool compressed;                 /* the message in progress is */
	bool inflating_failed;           /* that was the error */
	struct sl_utf8 utf8;
};

void sl_ws_reader_init(struct sl_ws_reader *reader);
void sl_ws_reader_finish(struct sl_ws_reader *reader);

/* Reads on, up to and including the end of one event, and counts the bytes read in `*used`.
 * `bytes` are unmasked in place: they may not be fed again. Returns 1 with an event, whose
 * bytes live until the next call and as long as `bytes` do, or 0 when all bytes are used and
 * more are needed (or where a frame without an event has ended, and the limits have it stop there). Call again with the rest (even of no bytes) until it returns 0: that also
 * frees what a delivered message took. After a close was read all further bytes are
 * discarded; so they are after an error, which every later call returns again.
 * Errors (with close_code): SL_EPROTO (1002), SL_EUTF8 (1007) at the first byte that cannot
 * be right, SL_ETOOBIG (1009, or 1008 for too many fragments) as soon as a header announces
 * it, SL_ENOMEM (1011). A compressed message is inflated once all of it is here: it may be as long as the
 * limit allows and some percent more, and fails then, with SL_ETOOBIG (1009) at the limit, SL_EUTF8 (1007),
 * or SL_EINVAL (1007) where it is not whole DEFLATE data. */
int sl_ws_reader_feed(struct sl_ws_reader *reader, const struct sl_ws_limits *limits, char *bytes,
	size_t len, size_t *used, struct sl_ws_event *event);

#endif
