/* sse: Server-Sent Events (WHATWG HTML, section 9.2). Control objects are named events;
 * open, heartbeat and gap carry the position as `id:`, since a native EventSource that is
 * cut before its first message must not restart from "now". */
#include "bus/message.h"
#include "http/connection.h"
#include "http/reply.h"
#include "live/control.h"
#include "transports/long_response.h"
#include "transports/registry.h"
#include "transports/sse_event.h"
#include "util/base64.h"
#include "util/buffer.h"

#define CONTENT_TYPE "text/event-stream"

/* The event's bytes are known only once it is written: a chunk's size line is put in front
 * of it by writing the event into a buffer of its own. */
static void
append_event(struct sl_buffer *out, unsigned variant, const struct sl_buffer *event)
{
	if (sl_buffer_status(event) != 0) {
		out->failed = true;
		return;
	}
	if (variant & SL_LONG_RESPONSE_CHUNKED)
		sl_long_response_append_chunk_start(out, event->len);
	sl_buffer_append(out, event->bytes, event->len);
	if (variant & SL_LONG_RESPONSE_CHUNKED)
		sl_long_response_append_chunk_end(out);
}

static void
append_message(struct sl_buffer *event, unsigned variant, const struct sl_message *message)
{
	struct sl_cursor id = { message->epoch, message->seq };
	if (!(variant & SL_LONG_RESPONSE_RAW)) {
		sl_sse_append_message(event, id, message->object, message->object_len);
	} else if (message->type == SL_BINARY) {
		struct sl_buffer text = SL_BUFFER_INIT;
		sl_base64_append(&text, message->payload, message->payload_len);
		if (sl_buffer_status(&text) == 0)
			sl_sse_append_message(event, id, text.bytes, text.len);
		else
			event->failed = true;
		sl_buffer_finish(&text);
	} else {
		sl_sse_append_message(event, id, message->payload, message->payload_len);
	}
}

static size_t
frame_messages(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	struct sl_buffer event = SL_BUFFER_INIT;
	for (size_t i = 0; i < count; i++) {
		sl_buffer_clear(&event);
		append_message(&event, encoder->variant, messages[i]);
		append_event(out, encoder->variant, &event);
		ends[i] = (uint32_t)out->len;
	}
	sl_buffer_finish(&event);
	return count;
}

static void
frame_control(const struct sl_encoder *encoder, const struct sl_control *control,
	struct sl_buffer *out)
{
	struct sl_buffer event = SL_BUFFER_INIT;
	bool has_id = control->type == SL_CONTROL_OPEN || control->type == SL_CONTROL_HEARTBEAT ||
		control->type == SL_CONTROL_GAP;
	if (control->type == SL_CONTROL_BYE)
		sl_sse_append_retry(&event, control->retry_ms);
	sl_sse_append_event(&event, control->name, has_id ? &control->cursor : NULL,
		control->object.bytes, control->object.len);
	append_event(out, encoder->variant, &event);
	sl_buffer_finish(&event);
}

static const struct sl_encoder encoders[SL_LONG_RESPONSE_VARIANTS] =
	SL_LONG_RESPONSE_ENCODERS("sse", SL_CLASS_SSE, SL_CAN_TELL_GAP | SL_CAN_TELL_ERROR,
		SL_CAN_TELL_GAP | SL_CAN_TELL_ERROR);

/* A native EventSource gives up for good on any status but 200. */
static void
refuse_for_room(struct sl_reply *reply, const char *reason)
{
	struct sl_buffer bye = SL_BUFFER_INIT;
	unsigned retry_ms = sl_control_draw_retry_ms(SL_END_SLOW_CONSUMER);
	sl_control_append_bye(&bye, reason, retry_ms, 0);
	reply->head.status = 200;
	reply->head.content_type = CONTENT_TYPE;
	reply->head.cache_control = "no-store, no-transform";
	sl_response_add_text(&reply->head, "X-Accel-Buffering", "no");
	sl_sse_append_retry(&reply->body, retry_ms);
	sl_sse_append_event(&reply->body, "bye", NULL, bye.bytes, bye.len);
	reply->body.failed |= bye.failed;
	sl_buffer_finish(&bye);
}

static void
describe(struct sl_connection *connection, const struct sl_request *request,
	struct sl_response *response)
{
	sl_long_response_fill(response, request, CONTENT_TYPE);
}

static int
open_sse(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_response response = { .status = 0 };
	struct sl_gap gaps[SL_CHANNELS_MAX];
	size_t gap_count;
	int err = sl_long_response_join(connection, request, encoders, gaps, &gap_count);
	if (err != 0)
		return err;
	describe(connection, request, &response);
	return sl_long_response_begin(connection, request, &response, gaps, gap_count);
}

const struct sl_transport sl_transport_sse = {
	.name = "sse",
	.path = "sse",
	.class = SL_CLASS_SSE,
	.capabilities = SL_HAS_LAST_EVENT_ID,
	.refuse_for_room = refuse_for_room,
	.describe = describe,
	.open = open_sse,
};
