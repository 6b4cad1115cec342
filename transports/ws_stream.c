#include "transports/ws_stream.h"

#include "config/config.h"
#include "http/connection.h"
#include "live/framing.h"
#include "live/shard.h"
#include "transports/ws_encoders.h"
#include "util/buffer.h"

bool
sl_ws_stream_send(struct sl_link *link, enum sl_ws_opcode opcode, const char *bytes, size_t len)
{
	struct sl_framer *framer = &link->shard->framer;
	struct sl_buffer *frame = sl_framer_get_scratch(framer);
	sl_ws_encoders_append_frame(frame, opcode, bytes, len);
	struct sl_wire *wire = sl_buffer_status(frame) == 0 ?
		sl_wire_create(framer, frame->bytes, frame->len) : NULL;
	bool is_queued = wire && sl_link_send_wire(link, wire, 0);
	if (!wire)
		sl_link_close(link);
	sl_wire_unref(wire);
	return is_queued;
}

/* What a message inflates to takes steps as if it had been read: a few bytes can stand for many. */
static void
pay_for_inflating(struct sl_steps *steps, const struct sl_ws_event *event)
{
	size_t pieces = event->was_compressed ? event->len / SL_STEP_BYTES : 0;
	for (size_t i = 0; i < pieces && sl_share_may_serve(steps); i++)
		sl_share_take_served(steps);
}

static bool
is_read(const struct sl_connection *connection)
{
	return connection->link.state < SL_LINK_ENDING && !connection->subscriber.conclusion;
}

/* One call of the reader: as it returns. */
static int
read_one(struct sl_connection *connection, struct sl_ws_reader *reader,
	const struct sl_ws_stream_rules *rules, char *bytes, size_t len, size_t *used)
{
	struct sl_shard *shard = connection->link.shard;
	struct sl_steps *steps = &connection->link.steps;
	const struct sl_ws_limits limits = {
		.max_message_bytes = rules->max_message_bytes,
		.max_fragments = (unsigned)shard->config->max_fragments,
		.stops_at_frames = true, /* each of them is a step */
		.deflater = rules->may_compress ? shard->framer.compression.deflater : NULL,
	};
	struct sl_ws_event event;
	int result = sl_ws_reader_feed(reader, &limits, bytes, len, used, &event);
	if (reader->has_ended_frame)
		sl_share_take_served(steps);
	if (result < 0) {
		sl_metrics_add(&shard->metrics, SL_COUNTER_INFLATE_REFUSED, reader->inflating_failed);
		rules->on_error(connection, reader->close_code);
	} else if (result > 0) {
		pay_for_inflating(steps, &event);
		rules->on_event(connection, &event);
	}
	return result;
}

size_t
sl_ws_stream_receive(struct sl_connection *connection, struct sl_ws_reader *reader,
	const struct sl_ws_stream_rules *rules, char *bytes, size_t len)
{
	size_t at = 0;
	while (is_read(connection)) {
		size_t used = 0;
		bool must_wait = connection->visit || (at < len && !sl_share_may_serve(&connection->link.steps));
		if (must_wait)
			return at;
		int result = read_one(connection, reader, rules, bytes + at, len - at, &used);
		at += used;
		if (result == 0 && at == len)
			return len;
		if (result < 0)
			break;
	}
	return len; /* whatever follows the end counts for nothing */
}
