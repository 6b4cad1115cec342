#include "transports/ws_encoders.h"

#include <stdbool.h>

#include "bus/message.h"
#include "live/control.h"
#include "live/encoder.h"
#include "transports/ws_frame.h"
#include "util/buffer.h"
#include "util/deflate.h"

enum {
	CLOSE_NORMAL = 1000,
	CLOSE_POLICY = 1008,
	CLOSE_RESTART = 1012,
	CLOSE_TRY_LATER = 1013,
	CLOSE_GAP = 4001,
	CLOSE_EXPIRED = 4002, /* a channel, or the token */
	CLOSE_EPOCH = 4003,
	CLOSE_REVOKED = 4004,
};

void
sl_ws_encoders_append_frame(struct sl_buffer *out, unsigned opcode, const char *bytes, size_t len)
{
	uint8_t header[SL_WS_FRAME_HEADER_MAX];
	sl_buffer_append(out, header, sl_ws_frame_encode_header(header, opcode, len));
	sl_buffer_append(out, bytes, len);
}

/* A message's bytes in the format, and its first frame's opcode. */
static struct sl_span
get_content(const struct sl_encoder *encoder, const struct sl_message *message,
	enum sl_ws_opcode *opcode)
{
	*opcode = SL_WS_OPCODE_TEXT;
	if (encoder->variant == SL_WS_JSON)
		return (struct sl_span){ message->object, message->object_len };
	if (message->type == SL_BINARY)
		*opcode = SL_WS_OPCODE_BINARY;
	return (struct sl_span){ message->payload, message->payload_len };
}

static size_t
frame_messages(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	for (size_t i = 0; i < count; i++) {
		enum sl_ws_opcode opcode;
		struct sl_span content = get_content(encoder, messages[i], &opcode);
		sl_ws_encoders_append_frame(out, opcode, content.bytes, content.len);
		ends[i] = (uint32_t)out->len;
	}
	return count;
}

/* Leaves the message as it is where it asks for that, is short, or does not become smaller. */
static bool
compress(const struct sl_encoder *encoder, const struct sl_compression *compression,
	const struct sl_message *message, struct sl_span *content)
{
	struct sl_span before = *content;
	if (message->uncompressed || message->payload_len < compression->least_bytes ||
			!compression->deflater || sl_deflater_compress(compression->deflater,
				encoder->window_bits, before.bytes, before.len, content) != 0)
		return false;
	sl_metrics_add(compression->metrics, SL_COUNTER_DEFLATE_MESSAGES, 1);
	sl_metrics_add(compression->metrics, SL_COUNTER_DEFLATE_BYTES_IN, before.len);
	sl_metrics_add(compression->metrics, SL_COUNTER_DEFLATE_BYTES_OUT, content->len);
	return true;
}

static size_t
frame_compressed(const struct sl_encoder *encoder, struct sl_compression *compression,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	for (size_t i = 0; i < count; i++) {
		enum sl_ws_opcode opcode;
		struct sl_span content = get_content(encoder, messages[i], &opcode);
		unsigned rsv1 = compress(encoder, compression, messages[i], &content) ? SL_WS_RSV1 : 0;
		sl_ws_encoders_append_frame(out, opcode | rsv1, content.bytes, content.len);
		ends[i] = (uint32_t)out->len;
	}
	return count;
}

static void
frame_control(const struct sl_encoder *encoder, const struct sl_control *control,
	struct sl_buffer *out)
{
	if (encoder->variant == SL_WS_JSON)
		sl_ws_encoders_append_frame(out, SL_WS_OPCODE_TEXT, control->object.bytes,
			control->object.len);
	else if (control->type == SL_CONTROL_HEARTBEAT || control->type == SL_CONTROL_MARK)
		sl_ws_encoders_append_frame(out, SL_WS_OPCODE_PING, "", 0);
}

void
sl_ws_encoders_append_close(struct sl_buffer *out, enum sl_end_reason reason, unsigned code)
{
	static const uint16_t codes[SL_END_REASONS] = {
		[SL_END_DRAINING] = CLOSE_RESTART,
		[SL_END_SLOW_CONSUMER] = CLOSE_TRY_LATER,
		[SL_END_GAP] = CLOSE_GAP,
		[SL_END_EXPIRED] = CLOSE_EXPIRED,
		[SL_END_TOKEN_EXPIRED] = CLOSE_EXPIRED,
		[SL_END_TOKEN_REVOKED] = CLOSE_REVOKED,
		[SL_END_EPOCH] = CLOSE_EPOCH,
		[SL_END_LIMIT] = CLOSE_POLICY,
		[SL_END_REFUSED] = CLOSE_TRY_LATER, /* raw has no other way to say it */
		[SL_END_FORBIDDEN] = CLOSE_POLICY, /* the same */
		[SL_END_PROTOCOL] = SL_WS_CLOSE_UNSUPPORTED,
		[SL_END_CLIENT] = CLOSE_NORMAL,
		[SL_END_SILENT] = CLOSE_NORMAL,
	};
	uint8_t frame[SL_WS_CLOSE_FRAME_MAX + 2];
	bool is_own = code && (reason == SL_END_PROTOCOL || reason == SL_END_CLIENT);
	/* 1008 has two meanings; only this one helps to come back. */
	const char *text = reason == SL_END_LIMIT ? sl_control_get_reason(reason) : NULL;
	sl_buffer_append(out, frame,
		sl_ws_frame_encode_close(frame, is_own ? code : codes[reason], text));
}

static void
frame_end(const struct sl_encoder *encoder, enum sl_end_reason reason, unsigned code,
	struct sl_buffer *out)
{
	sl_ws_encoders_append_close(out, reason, code);
}

#define ENCODER(its_variant, can, bits, frames_compressed) \
	{ \
		.transport = "websocket", \
		.class = SL_CLASS_WEBSOCKET, \
		.capabilities = can, \
		.variant = its_variant, \
		.window_bits = bits, \
		.frame_messages = frame_messages, \
		.frame_compressed = frames_compressed, \
		.frame_control = frame_control, \
		.frame_end = frame_end, \
	}

#define COMPRESSING(its_variant, can, bits) ENCODER(its_variant, can, bits, frame_compressed)

#define ENCODERS(its_variant, can) \
	[its_variant] = { \
		ENCODER(its_variant, can, 0, NULL), \
		COMPRESSING(its_variant, can, 8), COMPRESSING(its_variant, can, 9), \
		COMPRESSING(its_variant, can, 10), COMPRESSING(its_variant, can, 11), \
		COMPRESSING(its_variant, can, 12), COMPRESSING(its_variant, can, 13), \
		COMPRESSING(its_variant, can, 14), COMPRESSING(its_variant, can, 15), \
	}

static const struct sl_encoder encoders[][1 + SL_DEFLATE_WINDOWS] = {
	ENCODERS(SL_WS_JSON, SL_CAN_TELL_GAP | SL_CAN_TELL_ERROR),
	ENCODERS(SL_WS_RAW, 0),
};

const struct sl_encoder *
sl_ws_encoders_get(enum sl_ws_format format, unsigned window_bits)
{
	return &encoders[format][window_bits ? window_bits - SL_DEFLATE_BITS_MIN + 1 : 0];
}
