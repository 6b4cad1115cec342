#include "clients/socket_io/sio_encoders.h"

#include "bus/args.h"
#include "bus/cursor.h"
#include "bus/message.h"
#include "clients/engine_io/eio_encoders.h"
#include "clients/socket_io/sio_label.h"
#include "clients/socket_io/sio_packet.h"
#include "live/encoder.h"
#include "util/buffer.h"
#include "util/json_check.h"

#define TAIL_MAX (3 + SL_SIO_OFFSET_MAX + 1) /* comma, quotes, offset, bracket */

static const struct sl_span the_only_attachment = { "{\"_placeholder\":true,\"num\":0}", 29 };

/* A message as an event: its text in three parts, so that no payload is copied twice. */
struct event {
	struct sl_buffer head;       /* owns: type, namespace, bracket, name; and what must be escaped */
	struct sl_span args;         /* without brackets; borrows */
	size_t tail_len;
	char tail[TAIL_MAX];         /* the offset, the bracket */
	struct sl_args_binary binary; /* attachments in base64 */
	struct sl_span bytes;        /* of a message that is one attachment; else absent */
};

/* An array without its brackets. */
static struct sl_span
strip_brackets(struct sl_span array)
{
	const char *at = sl_json_pass_space(array.bytes, array.bytes + array.len) + 1;
	const char *end = array.bytes + array.len;
	while (end[-1] != ']')
		end--;
	at = sl_json_pass_space(at, end - 1);
	return (struct sl_span){ at, (size_t)(end - 1 - at) };
}

/* False where the client has to be given the whole object. */
static bool
has_own_name(const struct sl_message *message)
{
	return message->event &&
		!sl_sio_packet_is_reserved((struct sl_span){ message->event, message->event_len });
}

/* What the message brings as arguments. Text is escaped into the head, once the name stands there. */
static void
find_args(struct event *event, const struct sl_message *message)
{
	struct sl_span payload = { message->payload, message->payload_len };
	event->binary.count = 0;
	event->bytes = (struct sl_span){ 0 };
	if (!has_own_name(message))
		event->args = (struct sl_span){ message->object, message->object_len };
	else if (message->type == SL_TEXT)
		event->args = (struct sl_span){ 0 };
	else if (message->type == SL_BINARY)
		event->bytes = payload, event->args = the_only_attachment;
	else if (message->args == SL_ARGS_LIST)
		event->args = strip_brackets(payload);
	else if (message->args == SL_ARGS_BINARY && sl_args_read_binary(&event->binary, payload) == 0)
		event->args = strip_brackets(event->binary.list);
	else
		event->args = payload;
}

static unsigned
count_attachments(const struct event *event)
{
	return event->bytes.bytes ? 1 : event->binary.count;
}

static void
write_head(struct event *event, const struct sl_message *message, struct sl_span nsp)
{
	struct sl_buffer *head = &event->head;
	unsigned attachments = count_attachments(event);
	sl_buffer_clear(head);
	sl_sio_packet_append_head(head, attachments ? SL_SIO_BINARY_EVENT : SL_SIO_EVENT, attachments, nsp,
		SL_SIO_NO_ID);
	sl_buffer_append_char(head, '[');
	if (has_own_name(message))
		sl_buffer_append_json_string(head, message->event, message->event_len);
	else
		sl_buffer_append_str(head, "\"message\"");
	if (event->args.len)
		sl_buffer_append_char(head, ',');
	if (has_own_name(message) && message->type == SL_TEXT) {
		sl_buffer_append_char(head, ',');
		sl_buffer_append_json_string(head, message->payload, message->payload_len);
	}
}

static void
write_tail(struct event *event, const struct sl_message *message, struct sl_span label)
{
	char *at = event->tail;
	if (sl_sio_label_get_stars(label) != SL_SIO_NO_OFFSET) {
		*at++ = ',';
		*at++ = '"';
		at += sl_sio_label_write_offset(at, label, (struct sl_cursor){ message->epoch, message->seq });
		*at++ = '"';
	}
	*at++ = ']';
	event->tail_len = (size_t)(at - event->tail);
}

static size_t
get_text_len(const struct event *event)
{
	return event->head.len + event->args.len + event->tail_len;
}

static void
append_attachments(const struct event *event, struct sl_buffer *out, const struct sl_encoder *encoder)
{
	struct sl_buffer decoded = SL_BUFFER_INIT;
	if (event->bytes.bytes)
		sl_eio_encoders_append(out, encoder, event->bytes, true);
	for (unsigned i = 0; i < event->binary.count; i++) {
		sl_buffer_clear(&decoded);
		if (sl_args_decode_attachment(&decoded, event->binary.attachments[i]) != 0)
			out->failed = true;
		sl_eio_encoders_append(out, encoder, (struct sl_span){ decoded.bytes, decoded.len }, true);
	}
	sl_buffer_finish(&decoded);
}

/* How long it will be, by and large: for the size of answers. */
static size_t
estimate(const struct event *event)
{
	size_t len = get_text_len(event) + event->bytes.len / 3 * 4;
	for (unsigned i = 0; i < event->binary.count; i++)
		len += event->binary.attachments[i].len;
	return len;
}

static size_t
frame_messages(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	size_t max = sl_eio_encoders_is_polling(encoder) ? SL_EIO_ANSWER_MAX : SIZE_MAX;
	struct event event = { .head = SL_BUFFER_INIT };
	size_t i;
	for (i = 0; i < count; i++) {
		find_args(&event, messages[i]);
		write_head(&event, messages[i], sl_sio_label_get_namespace(label->text));
		write_tail(&event, messages[i], label->text);
		out->failed |= event.head.failed;
		if (out->len > 0 && out->len + estimate(&event) > max)
			break;
		sl_eio_encoders_begin_text(out, encoder, get_text_len(&event));
		sl_buffer_append(out, event.head.bytes, event.head.len);
		sl_buffer_append(out, event.args.bytes, event.args.len);
		sl_buffer_append(out, event.tail, event.tail_len);
		append_attachments(&event, out, encoder);
		ends[i] = (uint32_t)out->len;
	}
	sl_buffer_finish(&event.head);
	return i;
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
sl_sio_encoders_get(bool is_websocket)
{
	return is_websocket ? &websocket : &polling;
}
