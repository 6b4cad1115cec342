#include "clients/engine_io/eio_packet.h"

#include <string.h>

#include "util/base64.h"
#include "util/err.h"

#define BASE64 'b' /* in the place of the digit: a message in base64 */

/* ---- reading ---- */

int
sl_eio_packet_read(struct sl_eio_packet *out, struct sl_span text, struct sl_buffer *decoded)
{
	if (text.len == 0)
		return SL_EINVAL;
	char first = *text.bytes;
	struct sl_span rest = { text.bytes + 1, text.len - 1 };
	if (first == BASE64) {
		sl_buffer_clear(decoded);
		int err = sl_base64_decode(decoded, rest);
		*out = (struct sl_eio_packet){ SL_EIO_MESSAGE, true,
			{ decoded->bytes ? decoded->bytes : "", decoded->len } };
		return err;
	}
	if (first < '0' || first >= '0' + SL_EIO_PACKET_TYPES)
		return SL_EINVAL;
	*out = (struct sl_eio_packet){ (enum sl_eio_packet_type)(first - '0'), false, rest };
	return 0;
}

bool
sl_eio_packet_next(struct sl_span *rest, struct sl_span *text)
{
	if (!rest->bytes)
		return false;
	const char *end = memchr(rest->bytes, SL_EIO_SEPARATOR, rest->len);
	size_t len = end ? (size_t)(end - rest->bytes) : rest->len;
	*text = (struct sl_span){ rest->bytes, len };
	*rest = end ? (struct sl_span){ end + 1, rest->len - len - 1 } : (struct sl_span){ 0 };
	return true;
}

/* ---- writing ---- */

void
sl_eio_packet_append(struct sl_buffer *out, enum sl_eio_packet_type type, struct sl_span data)
{
	sl_buffer_append_char(out, (char)('0' + type));
	sl_buffer_append(out, data.bytes, data.len);
}

void
sl_eio_packet_append_message(struct sl_buffer *out, struct sl_span data, bool is_binary)
{
	if (is_binary || (data.len && memchr(data.bytes, SL_EIO_SEPARATOR, data.len))) {
		sl_buffer_append_char(out, BASE64);
		sl_base64_append(out, data.bytes, data.len);
	} else {
		sl_eio_packet_append(out, SL_EIO_MESSAGE, data);
	}
}

void
sl_eio_packet_append_open(struct sl_buffer *out, const struct sl_eio_handshake *handshake)
{
	sl_buffer_append_str(out, "0{\"sid\":\"");
	sl_buffer_append(out, handshake->id.bytes, handshake->id.len);
	sl_buffer_printf(out, "\",\"upgrades\":[%s],\"pingInterval\":%u,\"pingTimeout\":%u,\"maxPayload\":%llu}",
		handshake->can_upgrade ? "\"websocket\"" : "", handshake->ping_interval_ms,
		handshake->ping_timeout_ms, handshake->max_payload);
}
