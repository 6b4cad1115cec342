#include "clients/engine_io/eio_encoders.h"

#include "bus/message.h"
#include "clients/engine_io/eio_packet.h"
#include "transports/ws_encoders.h"
#include "transports/ws_frame.h"
#include "util/buffer.h"

static void
separate(struct sl_buffer *out)
{
	if (out->len > 0)
		sl_buffer_append_char(out, SL_EIO_SEPARATOR);
}

void
sl_eio_encoders_begin_text(struct sl_buffer *out, const struct sl_encoder *encoder, size_t len)
{
	uint8_t header[SL_WS_FRAME_HEADER_MAX];
	if (sl_eio_encoders_is_polling(encoder))
		separate(out);
	else
		sl_buffer_append(out, header, sl_ws_frame_encode_header(header, SL_WS_OPCODE_TEXT, len + 1));
	sl_buffer_append_char(out, '0' + SL_EIO_MESSAGE);
}

void
sl_eio_encoders_append(struct sl_buffer *out, const struct sl_encoder *encoder, struct sl_span data,
	bool is_binary)
{
	if (sl_eio_encoders_is_polling(encoder)) {
		separate(out);
		sl_eio_packet_append_message(out, data, is_binary);
	} else if (is_binary) {
		sl_ws_encoders_append_frame(out, SL_WS_OPCODE_BINARY, data.bytes, data.len);
	} else {
		sl_eio_encoders_begin_text(out, encoder, data.len);
		sl_buffer_append(out, data.bytes, data.len);
	}
}

void
sl_eio_encoders_frame_control(const struct sl_encoder *encoder, const struct sl_control *control,
	struct sl_buffer *out)
{
	static const char ping[] = { '0' + SL_EIO_PING };
	if (control->type == SL_CONTROL_HEARTBEAT && !sl_eio_encoders_is_polling(encoder))
		sl_ws_encoders_append_frame(out, SL_WS_OPCODE_TEXT, ping, sizeof ping);
}

void
sl_eio_encoders_frame_end(const struct sl_encoder *encoder, enum sl_end_reason reason, unsigned code,
	struct sl_buffer *out)
{
	if (!sl_eio_encoders_is_polling(encoder))
		sl_ws_encoders_append_close(out, reason, code);
}

/* ---- raw ---- */

static size_t
frame_messages(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	size_t max = sl_eio_encoders_is_polling(encoder) ? SL_EIO_ANSWER_MAX : SIZE_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct sl_message *message = messages[i];
		if (out->len > 0 && out->len + message->payload_len > max)
			return i;
		sl_eio_encoders_append(out, encoder,
			(struct sl_span){ message->payload, message->payload_len }, message->type == SL_BINARY);
		ends[i] = (uint32_t)out->len;
	}
	return count;
}

static const struct sl_encoder polling = {
	SL_EIO_POLLING_SLOTS,
	.frame_messages = frame_messages,
};

static const struct sl_encoder websocket = {
	SL_EIO_WEBSOCKET_SLOTS,
	.frame_messages = frame_messages,
};

const struct sl_encoder *
sl_eio_encoders_get_raw(bool is_websocket)
{
	return is_websocket ? &websocket : &polling;
}
