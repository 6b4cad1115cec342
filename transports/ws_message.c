#include "transports/ws_message.h"

#include <stdlib.h>
#include <string.h>

#include "util/buffer.h"
#include "util/deflate.h"
#include "util/err.h"

/* RFC 6455, section 7.4.1 */
enum {
	CLOSE_PROTOCOL_ERROR = 1002,
	CLOSE_NONE_GIVEN = 1005,
	CLOSE_BAD_TEXT = 1007,
	CLOSE_POLICY = 1008,
	CLOSE_TOO_BIG = 1009,
	CLOSE_SERVER_ERROR = 1011,
};

enum { IN_HEADER, IN_PAYLOAD, CLOSED };

/* What was read of things that span reads. Both can be under way at once: a control frame
 * may stand between the fragments of a message. */
struct sl_ws_assembly {
	struct sl_buffer message;
	char control[SL_WS_CONTROL_MAX];
};

void
sl_ws_reader_init(struct sl_ws_reader *reader)
{
	memset(reader, 0, sizeof *reader);
}

void
sl_ws_reader_finish(struct sl_ws_reader *reader)
{
	if (reader->assembly)
		sl_buffer_finish(&reader->assembly->message);
	free(reader->assembly);
	reader->assembly = NULL;
}

static int
fail(struct sl_ws_reader *reader, int err, uint16_t close_code)
{
	sl_ws_reader_finish(reader);
	reader->err = (int8_t)err;
	reader->close_code = close_code;
	return err;
}

static int
need_assembly(struct sl_ws_reader *reader)
{
	if (!reader->assembly)
		reader->assembly = calloc(1, sizeof *reader->assembly);
	return reader->assembly ? 0 : fail(reader, SL_ENOMEM, CLOSE_SERVER_ERROR);
}

/* How much of the message in progress was kept from earlier reads. */
static size_t
held_bytes(const struct sl_ws_reader *reader)
{
	return reader->assembly ? reader->assembly->message.len : 0;
}

/* Frees what the last event borrowed, unless a message or control frame is under way. */
static void
release_delivered(struct sl_ws_reader *reader)
{
	if (reader->assembly && reader->opcode == 0 && reader->phase != IN_PAYLOAD)
		sl_ws_reader_finish(reader);
}

/* RFC 6455, section 7.4, with the codes registered since (IANA, WebSocket Close Code Number
 * Registry). 1004 is reserved; 1005, 1006 and 1015 are never sent. */
static bool
close_code_may_be_sent(unsigned code)
{
	if (code >= 3000)
		return code <= 4999;
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

/* Payload bytes that the message in progress may have on the wire. DEFLATE makes what it cannot compress a
 * little longer: how much depends on who compresses. */
static size_t
get_most_bytes(const struct sl_ws_reader *reader, const struct sl_ws_limits *limits)
{
	size_t most = limits->max_message_bytes;
	return reader->compressed ? most + most / 64 + 64 : most;
}

static int
begin_data_frame(struct sl_ws_reader *reader, const struct sl_ws_limits *limits)
{
	bool continues = reader->frame.opcode == SL_WS_OPCODE_CONTINUATION;
	if (continues != (reader->opcode != 0))
		return fail(reader, SL_EPROTO, CLOSE_PROTOCOL_ERROR);
	if (!continues) {
		reader->opcode = reader->frame.opcode;
		reader->fragments = 0;
		reader->compressed = reader->frame.compressed;
		sl_utf8_init(&reader->utf8);
	}
	if (++reader->fragments > limits->max_fragments)
		return fail(reader, SL_ETOOBIG, CLOSE_POLICY);
	size_t held = held_bytes(reader), most = get_most_bytes(reader, limits);
	if (held > most || reader->frame.len > most - held)
		return fail(reader, SL_ETOOBIG, CLOSE_TOO_BIG);
	return 0;
}

/* Returns 1 when the payload may be read now, 0 when the header needs more bytes. */
static int
read_header(struct sl_ws_reader *reader, const struct sl_ws_limits *limits, const char *bytes,
	size_t len, size_t *used)
{
	if (reader->phase == IN_PAYLOAD)
		return 1;
	size_t taken;
	reader->frame.takes_compressed = limits->deflater != NULL;
	int result = sl_ws_frame_decode_header(&reader->frame, bytes + *used, len - *used, &taken);
	*used += taken;
	if (result < 0)
		return fail(reader, result, CLOSE_PROTOCOL_ERROR);
	if (result == 0)
		return 0;
	if (!sl_ws_frame_is_control(reader->frame.opcode)) {
		int err = begin_data_frame(reader, limits);
		if (err)
			return err;
	}
	reader->phase = IN_PAYLOAD;
	reader->done = 0;
	return 1;
}

static void
end_frame(struct sl_ws_reader *reader)
{
	reader->phase = IN_HEADER;
	reader->has_ended_frame = true;
	memset(&reader->frame, 0, sizeof reader->frame);
}

static int
check_text(struct sl_ws_reader *reader, const char *chunk, size_t len, bool message_ends)
{
	if (sl_utf8_feed(&reader->utf8, chunk, len) != 0 ||
		(message_ends && !sl_utf8_is_complete(&reader->utf8)))
		return fail(reader, SL_EUTF8, CLOSE_BAD_TEXT);
	return 0;
}

static int
keep_data(struct sl_ws_reader *reader, const char *chunk, size_t len)
{
	if (len == 0)
		return 0;
	int err = need_assembly(reader);
	if (err)
		return err;
	sl_buffer_append(&reader->assembly->message, chunk, len);
	if (sl_buffer_status(&reader->assembly->message) != 0)
		return fail(reader, SL_ENOMEM, CLOSE_SERVER_ERROR);
	return 0;
}

static int
fail_inflating(struct sl_ws_reader *reader, int err)
{
	if (err == SL_ENOMEM)
		return fail(reader, err, CLOSE_SERVER_ERROR);
	reader->inflating_failed = true;
	return fail(reader, err, err == SL_ETOOBIG ? CLOSE_TOO_BIG : CLOSE_BAD_TEXT);
}

/* Puts what a compressed message stands for in the message's place. */
static int
inflate_message(struct sl_ws_reader *reader, const struct sl_ws_limits *limits,
	struct sl_ws_event *event)
{
	struct sl_buffer inflated = SL_BUFFER_INIT;
	int err = need_assembly(reader);
	if (err)
		return err;
	err = sl_deflater_inflate(limits->deflater, event->bytes, event->len,
		limits->max_message_bytes, &inflated);
	if (!err && event->type == SL_WS_MESSAGE_TEXT && !sl_utf8_valid(inflated.bytes, inflated.len))
		err = SL_EUTF8;
	if (err) {
		sl_buffer_finish(&inflated);
		return fail_inflating(reader, err);
	}
	sl_buffer_finish(&reader->assembly->message);
	reader->assembly->message = inflated;
	event->bytes = inflated.len ? inflated.bytes : "";
	event->len = inflated.len;
	event->was_compressed = true;
	return 0;
}

/* `chunk` is the part of the frame's payload that this call brought, already unmasked. */
static int
read_data(struct sl_ws_reader *reader, const struct sl_ws_limits *limits, const char *chunk,
	size_t len, struct sl_ws_event *event)
{
	bool frame_ends = reader->done == reader->frame.len;
	bool message_ends = frame_ends && reader->frame.fin;
	int err = 0;
	if (reader->opcode == SL_WS_OPCODE_TEXT && !reader->compressed)
		err = check_text(reader, chunk, len, message_ends);
	bool in_place = message_ends && len == reader->frame.len && held_bytes(reader) == 0;
	if (!err && !in_place)
		err = keep_data(reader, chunk, len);
	if (err)
		return err;
	if (frame_ends)
		end_frame(reader);
	if (!message_ends)
		return 0;
	*event = (struct sl_ws_event) {
		.type = reader->opcode == SL_WS_OPCODE_TEXT ? SL_WS_MESSAGE_TEXT : SL_WS_MESSAGE_BINARY,
		.bytes = in_place ? chunk : reader->assembly->message.bytes,
		.len = in_place ? len : reader->assembly->message.len,
		.fragments = reader->fragments - 1,
	};
	reader->opcode = 0;
	err = reader->compressed ? inflate_message(reader, limits, event) : 0;
	return err ? err : 1;
}

static int
deliver_close(struct sl_ws_reader *reader, struct sl_ws_event *event)
{
	event->type = SL_WS_CLOSE;
	event->close_code = CLOSE_NONE_GIVEN;
	if (event->len == 1)
		return fail(reader, SL_EPROTO, CLOSE_PROTOCOL_ERROR);
	if (event->len >= 2) {
		const uint8_t *code = (const uint8_t *)event->bytes;
		event->close_code = (uint16_t)(code[0] << 8 | code[1]);
		event->bytes += 2;
		event->len -= 2;
		if (!close_code_may_be_sent(event->close_code))
			return fail(reader, SL_EPROTO, CLOSE_PROTOCOL_ERROR);
		if (!sl_utf8_valid(event->bytes, event->len))
			return fail(reader, SL_EUTF8, CLOSE_BAD_TEXT);
	}
	reader->phase = CLOSED;
	reader->opcode = 0;
	return 1;
}

static int
read_control(struct sl_ws_reader *reader, const char *chunk, size_t len,
	struct sl_ws_event *event)
{
	bool in_place = len == reader->frame.len;
	if (!in_place && len > 0) {
		int err = need_assembly(reader);
		if (err)
			return err;
		memcpy(reader->assembly->control + reader->done - len, chunk, len);
	}
	if (reader->done < reader->frame.len)
		return 0;
	*event = (struct sl_ws_event) {
		.bytes = in_place ? chunk : reader->assembly->control,
		.len = reader->frame.len,
	};
	unsigned opcode = reader->frame.opcode;
	end_frame(reader);
	if (opcode == SL_WS_OPCODE_CLOSE)
		return deliver_close(reader, event);
	event->type = opcode == SL_WS_OPCODE_PING ? SL_WS_PING : SL_WS_PONG;
	return 1;
}

static int
read_payload(struct sl_ws_reader *reader, const struct sl_ws_limits *limits, char *bytes,
	size_t len, size_t *used, struct sl_ws_event *event)
{
	char *chunk = bytes + *used;
	uint64_t missing = reader->frame.len - reader->done;
	size_t taken = len - *used < missing ? len - *used : (size_t)missing;
	sl_ws_frame_mask(chunk, taken, reader->frame.mask, reader->done);
	*used += taken;
	reader->done += taken;
	if (sl_ws_frame_is_control(reader->frame.opcode))
		return read_control(reader, chunk, taken, event);
	return read_data(reader, limits, chunk, taken, event);
}

int
sl_ws_reader_feed(struct sl_ws_reader *reader, const struct sl_ws_limits *limits, char *bytes,
	size_t len, size_t *used, struct sl_ws_event *event)
{
	release_delivered(reader);
	int result = reader->err;
	bool stops = false;
	*used = 0;
	reader->has_ended_frame = false;
	while (result == 0 && *used < len && reader->phase != CLOSED && !stops) {
		result = read_header(reader, limits, bytes, len, used);
		if (result == 1)
			result = read_payload(reader, limits, bytes, len, used, event);
		stops = limits->stops_at_frames && reader->has_ended_frame;
	}
	if (result != 1 && !(result == 0 && stops))
		*used = len;
	return result;
}
