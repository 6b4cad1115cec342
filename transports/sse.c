/* sse: Server-Sent Events (WHATWG HTML, section 9.2). Control objects are named events;
 * open, heartbeat and gap carry the position as `id:`, since a native EventSource that is
 * cut before its first message must not restart from "now". */
#include "bus/message.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/connection.h"
#include "live/control.h"
#include "live/join.h"
#include "transports/long_response.h"
#include "transports/registry.h"
#include "transports/sse_event.h"
#include "util/base64.h"
#include "util/buffer.h"
#include "util/err.h"

/* The event's bytes are known only once it is written: a chunk's size line is put in front
 * of it by writing the event into a buffer of its own. */
static void
append_event(struct sl_buffer *out, unsigned encoding, const struct sl_buffer *event)
{
	if (sl_buffer_status(event) != 0) {
		out->failed = true;
		return;
	}
	if (encoding & SL_LONG_RESPONSE_CHUNKED)
		sl_long_response_append_chunk_start(out, event->len);
	sl_buffer_append(out, event->bytes, event->len);
	if (encoding & SL_LONG_RESPONSE_CHUNKED)
		sl_long_response_append_chunk_end(out);
}

static void
append_message(struct sl_buffer *event, unsigned encoding, const struct sl_message *message)
{
	struct sl_cursor id = { message->epoch, message->seq };
	if (!(encoding & SL_LONG_RESPONSE_RAW)) {
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
frame_messages(unsigned encoding, struct sl_message *const *messages, size_t count,
	struct sl_buffer *out, uint32_t *ends)
{
	struct sl_buffer event = SL_BUFFER_INIT;
	for (size_t i = 0; i < count; i++) {
		sl_buffer_clear(&event);
		append_message(&event, encoding, messages[i]);
		append_event(out, encoding, &event);
		ends[i] = (uint32_t)out->len;
	}
	sl_buffer_finish(&event);
	return count;
}

static void
frame_control(struct sl_connection *connection, const struct sl_control *control,
	struct sl_buffer *out)
{
	struct sl_buffer event = SL_BUFFER_INIT;
	bool has_id = control->type == SL_CONTROL_OPEN || control->type == SL_CONTROL_HEARTBEAT ||
		control->type == SL_CONTROL_GAP;
	if (control->type == SL_CONTROL_BYE)
		sl_sse_append_retry(&event, control->retry_ms);
	sl_sse_append_event(&event, control->name, has_id ? &control->cursor : NULL,
		control->object, control->object_len);
	append_event(out, connection->encoding, &event);
	sl_buffer_finish(&event);
}

/* A native EventSource gives up for good on any status but 200. */
static void
refuse_for_room(struct sl_reply *reply, const char *reason)
{
	struct sl_buffer bye = SL_BUFFER_INIT;
	unsigned retry_ms = sl_control_draw_retry_ms(SL_END_SLOW_CONSUMER);
	sl_control_append_bye(&bye, reason, retry_ms, 0);
	reply->status = 200;
	reply->content_type = "text/event-stream";
	reply->cache_control = "no-store, no-transform";
	sl_reply_add_header(reply, "X-Accel-Buffering", "no");
	sl_sse_append_retry(&reply->body, retry_ms);
	sl_sse_append_event(&reply->body, "bye", NULL, bye.bytes, bye.len);
	reply->body.failed |= bye.failed;
	sl_buffer_finish(&bye);
}

static int
open_sse(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_buffer head = SL_BUFFER_INIT;
	struct sl_gap gaps[SL_PARAMS_CHANNELS_MAX];
	size_t gap_count;
	sl_long_response_begin(connection, request);
	int err = sl_join_channels(connection, request, gaps, &gap_count);
	if (err == 0) {
		sl_long_response_append_head(&head, request, "text/event-stream", "");
		err = sl_connection_begin(connection, request, &head, gaps, gap_count);
	}
	sl_buffer_finish(&head);
	return err;
}

const struct sl_transport sl_transport_sse = {
	.name = "sse",
	.path = "sse",
	.class = SL_CLASS_SSE,
	.capabilities = SL_HAS_LAST_EVENT_ID,
	.connection_size = sizeof(struct sl_connection),
	.refuse_for_room = refuse_for_room,
	.open = open_sse,
	.on_readable = sl_connection_discard_input,
	.frame_messages = frame_messages,
	.frame_control = frame_control,
	.frame_end = sl_long_response_frame_end,
};
