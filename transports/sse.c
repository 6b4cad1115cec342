/* sse: Server-Sent Events (WHATWG HTML, section 9.2). Control objects are named events;
 * open, heartbeat and gap carry the position as `id:`, since a native EventSource that is
 * cut before its first message must not restart from "now". */
#include <string.h>

#include "bus/message.h"
#include "http/connection.h"
#include "http/gate.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/control.h"
#include "transports/long_response.h"
#include "transports/registry.h"
#include "transports/sse_event.h"
#include "util/base64.h"
#include "util/buffer.h"
#include "util/crypto.h"

#define CONTENT_TYPE "text/event-stream"
#define NEVER_MS 2147483647u    /* 24 days; browsers take no more */
#define EXPIRED_RETRY_MS 30000u /* and as much again, at random */

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

/* ---- refusals ---- */

/* Any list that names it (RFC 9110, section 12.5.1), as every EventSource's does; a range that only
 * covers it is no EventSource's. */
static bool
accepts_events(const struct sl_head *head)
{
	struct sl_span rest = head->lines, line;
	while (head->count[SL_FIELD_ACCEPT] > 0 && sl_head_next_of(&rest, "Accept", &line)) {
		const char *at = line.bytes, *end = at + line.len;
		while (at < end) {
			const char *comma = memchr(at, ',', (size_t)(end - at));
			const char *range_end = comma ? comma : end;
			const char *semicolon = memchr(at, ';', (size_t)(range_end - at));
			if (sl_span_is_word(sl_span_trim(at, semicolon ? semicolon : range_end), CONTENT_TYPE))
				return true;
			at = comma ? comma + 1 : end;
		}
	}
	return false;
}

/* A native EventSource sends the same token again, whenever it comes back: it must not. What has expired
 * may have been a cookie, which its page can renew. */
static unsigned
draw_retry_ms(const struct sl_gate_refusal *refusal)
{
	uint32_t dice = 0;
	if (refusal->concern == SL_CONCERN_ROOM)
		return refusal->retry_ms + sl_control_draw_retry_ms(SL_END_SLOW_CONSUMER);
	if (strcmp(refusal->code, "token_expired") != 0)
		return NEVER_MS;
	sl_crypto_random(&dice, sizeof dice); /* without it: at the minimum */
	return EXPIRED_RETRY_MS + dice % EXPIRED_RETRY_MS;
}

static void
append_bye(struct sl_buffer *out, const struct sl_gate_refusal *refusal, unsigned retry_ms)
{
	sl_control_append_bye(out, refusal->code, retry_ms, 0);
	if (refusal->concern == SL_CONCERN_ROOM || sl_buffer_status(out) != 0)
		return;
	out->len--; /* its closing brace */
	sl_buffer_append_str(out, ",\"message\":");
	sl_buffer_append_json_string(out, refusal->message, strlen(refusal->message));
	sl_buffer_append_char(out, '}');
}

/* A native EventSource gives up for good on any status but 200, and its page is not told which. Who
 * asks by other means is told by the status who may not come in. */
static bool
refuse(struct sl_reply *reply, const struct sl_request *request,
	const struct sl_gate_refusal *refusal)
{
	struct sl_buffer bye = SL_BUFFER_INIT;
	unsigned retry_ms = draw_retry_ms(refusal);
	if (refusal->concern == SL_CONCERN_PRINCIPAL && (sl_head_is_method(request->head, "HEAD") ||
			!accepts_events(request->head)))
		return false;
	append_bye(&bye, refusal, retry_ms);
	reply->head.status = 200;
	reply->head.content_type = CONTENT_TYPE;
	reply->head.cache_control = "no-store, no-transform";
	sl_response_add_text(&reply->head, "X-Accel-Buffering", "no");
	sl_sse_append_retry(&reply->body, retry_ms);
	sl_sse_append_event(&reply->body, "bye", NULL, bye.bytes, bye.len);
	reply->body.failed |= bye.failed;
	sl_buffer_finish(&bye);
	return true;
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
	.refuse = refuse,
	.describe = describe,
	.open = open_sse,
};
