#include "transports/ws_encoders.h"

#include "bus/message.h"
#include "live/control.h"
#include "live/encoder.h"
#include "transports/ws_frame.h"
#include "util/buffer.h"

enum {
	CLOSE_NORMAL = 1000,
	CLOSE_POLICY = 1008,
	CLOSE_RESTART = 1012,
	CLOSE_TRY_LATER = 1013,
	CLOSE_GAP = 4001,
	CLOSE_EXPIRED = 4002, /* a channel, or the token */
	CLOSE_REVOKED = 4004,
};

void
sl_ws_encoders_append_frame(struct sl_buffer *out, enum sl_ws_opcode opcode, const char *bytes,
	size_t len)
{
	uint8_t header[SL_WS_FRAME_HEADER_MAX];
	sl_buffer_append(out, header, sl_ws_frame_encode_header(header, opcode, len));
	sl_buffer_append(out, bytes, len);
}

static size_t
frame_messages(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	for (size_t i = 0; i < count; i++) {
		const struct sl_message *message = messages[i];
		if (encoder->variant == SL_WS_JSON)
			sl_ws_encoders_append_frame(out, SL_WS_OPCODE_TEXT, message->object,
				message->object_len);
		else
			sl_ws_encoders_append_frame(out, message->type == SL_BINARY ? SL_WS_OPCODE_BINARY :
				SL_WS_OPCODE_TEXT, message->payload, message->payload_len);
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

static void
frame_end(const struct sl_encoder *encoder, enum sl_end_reason reason, unsigned code,
	struct sl_buffer *out)
{
	static const uint16_t codes[SL_END_REASONS] = {
		[SL_END_DRAINING] = CLOSE_RESTART,
		[SL_END_SLOW_CONSUMER] = CLOSE_TRY_LATER,
		[SL_END_GAP] = CLOSE_GAP,
		[SL_END_EXPIRED] = CLOSE_EXPIRED,
		[SL_END_TOKEN_EXPIRED] = CLOSE_EXPIRED,
		[SL_END_TOKEN_REVOKED] = CLOSE_REVOKED,
		[SL_END_LIMIT] = CLOSE_POLICY,
		[SL_END_REFUSED] = CLOSE_TRY_LATER, /* raw has no other way to say it */
		[SL_END_FORBIDDEN] = CLOSE_POLICY, /* the same */
		[SL_END_PROTOCOL] = SL_WS_CLOSE_UNSUPPORTED,
		[SL_END_CLIENT] = CLOSE_NORMAL,
	};
	uint8_t frame[SL_WS_CLOSE_FRAME_MAX + 2];
	bool is_own = code && (reason == SL_END_PROTOCOL || reason == SL_END_CLIENT);
	/* 1008 has two meanings; only this one helps to come back. */
	const char *text = reason == SL_END_LIMIT ? sl_control_get_reason(reason) : NULL;
	sl_buffer_append(out, frame,
		sl_ws_frame_encode_close(frame, is_own ? code : codes[reason], text));
}

#define ENCODER(its_variant, can) \
	[its_variant] = { \
		.transport = "websocket", \
		.class = SL_CLASS_WEBSOCKET, \
		.capabilities = can, \
		.variant = its_variant, \
		.frame_messages = frame_messages, \
		.frame_control = frame_control, \
		.frame_end = frame_end, \
	}

static const struct sl_encoder encoders[] = {
	ENCODER(SL_WS_JSON, SL_CAN_TELL_GAP | SL_CAN_TELL_ERROR),
	ENCODER(SL_WS_RAW, 0),
};

const struct sl_encoder *
sl_ws_encoders_get(enum sl_ws_format format)
{
	return &encoders[format];
}
