/* stream: one object a line (NDJSON) in one long response; raw: a payload a line.
 *
 * Raw has no control objects. An empty line is its heartbeat; a gap known at the start is
 * told in the header Sluice-Gap, a later one ends the stream. */
#include "bus/message.h"
#include "http/connection.h"
#include "http/request.h"
#include "http/response.h"
#include "live/catch_up.h"
#include "live/control.h"
#include "live/shard.h"
#include "transports/long_response.h"
#include "transports/registry.h"
#include "util/buffer.h"

static void
append_line(struct sl_buffer *out, unsigned variant, const char *bytes, size_t len)
{
	if (variant & SL_LONG_RESPONSE_CHUNKED)
		sl_long_response_append_chunk_start(out, len + 1);
	sl_buffer_append(out, bytes, len);
	sl_buffer_append_char(out, '\n');
	if (variant & SL_LONG_RESPONSE_CHUNKED)
		sl_long_response_append_chunk_end(out);
}

static size_t
frame_messages(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	for (size_t i = 0; i < count; i++) {
		const struct sl_message *message = messages[i];
		if (encoder->variant & SL_LONG_RESPONSE_RAW)
			append_line(out, encoder->variant, message->payload, message->payload_len);
		else
			append_line(out, encoder->variant, message->object, message->object_len);
		ends[i] = (uint32_t)out->len;
	}
	return count;
}

static void
frame_control(const struct sl_encoder *encoder, const struct sl_control *control,
	struct sl_buffer *out)
{
	if (!(encoder->variant & SL_LONG_RESPONSE_RAW))
		append_line(out, encoder->variant, control->object.bytes, control->object.len);
	else if (control->type == SL_CONTROL_HEARTBEAT || control->type == SL_CONTROL_MARK)
		append_line(out, encoder->variant, "", 0);
}

static const struct sl_encoder encoders[SL_LONG_RESPONSE_VARIANTS] =
	SL_LONG_RESPONSE_ENCODERS("stream", SL_CLASS_STREAM, SL_CAN_TELL_GAP | SL_CAN_TELL_ERROR, 0);

/* Raw: what is lost already when the stream begins is told in its head. */
static void
append_gap_value(struct sl_connection *connection, const struct sl_request *request,
	const struct sl_gap *gaps, size_t gap_count, struct sl_buffer *out)
{
	struct sl_subscriber *subscriber = &connection->subscriber;
	struct sl_gap gap = { .channel = "", .after = sl_subscriber_get_cursor(subscriber) };
	uint64_t resumed;
	if (gap_count == 0) {
		if (request->params.join.since_kind != SL_SINCE_CURSOR)
			return;
		sl_catch_up_find_losses(subscriber, &resumed);
		if (resumed <= subscriber->position)
			return;
		gap.resumed = (struct sl_cursor){ gap.after.epoch, resumed };
		gaps = &gap;
	}
	sl_metrics_add(&subscriber->shard->metrics, SL_COUNTER_GAPS_TOLD, 1);
	sl_control_append_gap_header(out, gaps);
}

static void
describe(struct sl_connection *connection, const struct sl_request *request,
	struct sl_response *response)
{
	sl_long_response_fill(response, request, request->params.format == SL_FORMAT_RAW ?
		"application/octet-stream" : "application/x-ndjson");
}

static int
open_stream(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_response response = { .status = 0 };
	struct sl_buffer value = SL_BUFFER_INIT;
	struct sl_gap gaps[SL_CHANNELS_MAX];
	size_t gap_count;
	int err = sl_long_response_join(connection, request, encoders, gaps, &gap_count);
	if (err != 0)
		return err;
	describe(connection, request, &response);
	if (request->params.format == SL_FORMAT_RAW) {
		append_gap_value(connection, request, gaps, gap_count, &value);
		gap_count = 0;
	}
	if (value.len)
		sl_response_add(&response, "Sluice-Gap", (struct sl_span){ value.bytes, value.len });
	err = sl_buffer_status(&value);
	if (err == 0)
		err = sl_long_response_begin(connection, request, &response, gaps, gap_count);
	sl_buffer_finish(&value);
	return err;
}

const struct sl_transport sl_transport_stream = {
	.name = "stream",
	.path = "stream",
	.class = SL_CLASS_STREAM,
	.describe = describe,
	.open = open_stream,
};
