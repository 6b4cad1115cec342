/* stream: one object a line (NDJSON) in one long response; raw: a payload a line.
 *
 * Raw has no control objects. An empty line is its heartbeat; a gap known at the start is
 * told in the header Sluice-Gap, a later one ends the stream. */
#include "transports/registry.h"

#include "bus/message.h"
#include "http/request.h"
#include "live/connection.h"
#include "live/control.h"
#include "live/fanout.h"
#include "live/join.h"
#include "shard.h"
#include "transports/long_response.h"
#include "util/buffer.h"
#include "util/err.h"

static void
append_line(struct sl_buffer *out, unsigned encoding, const char *bytes, size_t len)
{
	if (encoding & SL_LONG_RESPONSE_CHUNKED)
		sl_long_response_append_chunk_start(out, len + 1);
	sl_buffer_append(out, bytes, len);
	sl_buffer_append_char(out, '\n');
	if (encoding & SL_LONG_RESPONSE_CHUNKED)
		sl_long_response_append_chunk_end(out);
}

static size_t
frame_messages(unsigned encoding, struct sl_message *const *messages, size_t count,
	struct sl_buffer *out, uint32_t *ends)
{
	for (size_t i = 0; i < count; i++) {
		const struct sl_message *message = messages[i];
		if (encoding & SL_LONG_RESPONSE_RAW)
			append_line(out, encoding, message->payload, message->payload_len);
		else
			append_line(out, encoding, message->object, message->object_len);
		ends[i] = (uint32_t)out->len;
	}
	return count;
}

static void
frame_control(struct sl_connection *connection, const struct sl_control *control,
	struct sl_buffer *out)
{
	if (!connection->raw)
		append_line(out, connection->encoding, control->object, control->object_len);
	else if (control->type == SL_CONTROL_HEARTBEAT || control->type == SL_CONTROL_MARK)
		append_line(out, connection->encoding, "", 0);
}

/* Raw: what is lost already when the stream begins is told in its head. */
static void
append_gap_header(struct sl_connection *connection, const struct sl_request *request,
	const struct sl_gap *gaps, size_t gap_count, struct sl_buffer *out)
{
	struct sl_gap gap = { .channel = "", .after = sl_connection_get_cursor(connection) };
	uint64_t resumed;
	if (gap_count == 0) {
		if (request->params.since_kind != SL_SINCE_CURSOR)
			return;
		sl_fanout_find_losses(connection, &resumed);
		if (resumed <= connection->position)
			return;
		gap.resumed = (struct sl_cursor){ gap.after.epoch, resumed };
		gaps = &gap;
	}
	sl_metrics_add(&connection->shard->metrics, SL_COUNTER_GAPS_TOLD, 1);
	sl_buffer_append_str(out, "Sluice-Gap: ");
	sl_control_append_gap_header(out, gaps);
	sl_buffer_append_str(out, "\r\n");
}

static int
open_stream(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_buffer head = SL_BUFFER_INIT, headers = SL_BUFFER_INIT;
	struct sl_gap gaps[SL_PARAMS_CHANNELS_MAX];
	size_t gap_count;
	sl_long_response_begin(connection, request);
	int err = sl_join_channels(connection, request, gaps, &gap_count);
	if (err != 0)
		goto out;
	if (connection->raw) {
		append_gap_header(connection, request, gaps, gap_count, &headers);
		gap_count = 0;
	}
	sl_buffer_append_char(&headers, '\0');
	err = sl_buffer_status(&headers);
	if (err != 0)
		goto out;
	sl_long_response_append_head(&head, request, connection->raw ? "application/octet-stream" :
		"application/x-ndjson", headers.bytes);
	err = sl_connection_begin(connection, request, &head, gaps, gap_count);
out:
	sl_buffer_finish(&headers);
	sl_buffer_finish(&head);
	return err;
}

const struct sl_transport sl_transport_stream = {
	.name = "stream",
	.path = "stream",
	.class = SL_CLASS_STREAM,
	.connection_size = sizeof(struct sl_connection),
	.open = open_stream,
	.on_readable = sl_connection_discard_input,
	.frame_messages = frame_messages,
	.frame_control = frame_control,
	.frame_end = sl_long_response_frame_end,
};
