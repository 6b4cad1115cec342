/* What a reader makes of a client's bytes, written down so that it can be compared: events
 * as `T:text|`, `B:binary|`, `P:ping|`, `O:pong|`, `C1000:reason|`, and `F1002|` for a
 * connection that is to be failed with that code.
 * Owner: the caller finishes `text`. Thread: main. Errors: broken promises abort. */
#ifndef SL_TESTS_WS_TRANSCRIPT_H
#define SL_TESTS_WS_TRANSCRIPT_H

#include <stdlib.h>
#include <string.h>

#include "transports/ws_message.h"
#include "util/buffer.h"

struct ws_transcript {
	struct sl_buffer text;
	unsigned events;
};

/* How the bytes come in: all at once, one by one, or in pieces that any other number says. */
enum { WS_WHOLE = 0, WS_BYTEWISE = 1 };

static inline void
ws_require(int promise)
{
	if (!promise)
		abort();
}

static inline size_t
ws_next_chop(unsigned mode, uint32_t *random, size_t left)
{
	if (mode == WS_WHOLE)
		return left;
	if (mode == WS_BYTEWISE)
		return 1;
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	size_t most = (size_t)1 << (*random >> 8 & 15); /* small pieces as likely as large ones */
	size_t chop = 1 + (*random >> 12) % most;
	return chop < left ? chop : left;
}

/* What holds for every event, whatever was sent. */
static inline void
ws_check_event(const struct sl_ws_event *event, const struct sl_ws_limits *limits)
{
	bool is_data = event->type == SL_WS_MESSAGE_TEXT || event->type == SL_WS_MESSAGE_BINARY;
	ws_require(event->bytes != NULL);
	ws_require(event->len <= (is_data ? limits->max_message_bytes : SL_WS_CONTROL_MAX));
	if (event->type == SL_WS_MESSAGE_TEXT || event->type == SL_WS_CLOSE)
		ws_require(sl_utf8_valid(event->bytes, event->len));
}

static inline void
ws_note_event(struct ws_transcript *to, const struct sl_ws_event *event)
{
	to->events++;
	if (event->type == SL_WS_CLOSE)
		sl_buffer_printf(&to->text, "C%u:", event->close_code);
	else
		sl_buffer_printf(&to->text, "%c:", "TBPO"[event->type]);
	sl_buffer_append(&to->text, event->bytes, event->len);
	sl_buffer_append_char(&to->text, '|');
}

/* Feeds one piece to its end. False after a failure. */
static inline bool
ws_read_piece(struct sl_ws_reader *reader, const struct sl_ws_limits *limits, char *piece,
	size_t len, struct ws_transcript *to)
{
	for (size_t at = 0;;) {
		struct sl_ws_event event;
		size_t used;
		int result = sl_ws_reader_feed(reader, limits, piece + at, len - at, &used, &event);
		ws_require(used <= len - at);
		at += used;
		if (result < 0) {
			to->events++;
			sl_buffer_printf(&to->text, "F%u|", reader->close_code);
			return false;
		}
		if (result == 0) {
			ws_require(at == len);
			bool idle = reader->opcode == 0 && reader->frame.have == 0;
			ws_require(!idle || reader->assembly == NULL);
			return true;
		}
		ws_check_event(&event, limits);
		ws_note_event(to, &event);
	}
}

/* Reads `wire` in pieces; each lives in memory of its own, so that a sanitizer sees bytes
 * used too long. Returns how many bytes had been fed when it failed, or all. */
static inline size_t
ws_read(const char *wire, size_t len, const struct sl_ws_limits *limits, unsigned mode,
	struct ws_transcript *to)
{
	struct sl_ws_reader reader;
	uint32_t random = mode * 2654435761u | 1;
	size_t at = 0;
	bool open = true;
	sl_ws_reader_init(&reader);
	while (open && at < len) {
		size_t chop = ws_next_chop(mode, &random, len - at);
		char *piece = malloc(chop);
		ws_require(piece != NULL);
		memcpy(piece, wire + at, chop);
		open = ws_read_piece(&reader, limits, piece, chop, to);
		free(piece);
		at += chop;
	}
	sl_ws_reader_finish(&reader);
	return at;
}

#endif
