/* websocket: RFC 6455. json: a text frame an object, both ways. raw: a frame is a payload,
 * both ways; control objects become pings and close codes. */
#include <stdlib.h>
#include <string.h>

#include "bus/message.h"
#include "config/config.h"
#include "http/api_probe.h"
#include "http/connection.h"
#include "http/front.h"
#include "http/http.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/protocol.h"
#include "live/shard.h"
#include "transports/registry.h"
#include "transports/ws_frame.h"
#include "transports/ws_handshake.h"
#include "transports/ws_message.h"
#include "util/buffer.h"
#include "util/err.h"

enum { JSON, RAW }; /* variants */

#define ENVELOPE_BYTES 1024 /* of a publish object around its data */

enum {
	CLOSE_NORMAL = 1000,
	CLOSE_UNSUPPORTED = 1003,
	CLOSE_POLICY = 1008,
	CLOSE_RESTART = 1012,
	CLOSE_TRY_LATER = 1013,
	CLOSE_GAP = 4001,
	CLOSE_EXPIRED = 4002, /* a channel, or the token */
	CLOSE_REVOKED = 4004,
};

/* What is kept for a connection. */
struct websocket {
	struct sl_ws_reader reader;
	char *nonce; /* owns; of a probe that has not seen a frame yet */
};

/* ---- frames ---- */

static void
append_frame(struct sl_buffer *out, enum sl_ws_opcode opcode, const char *bytes, size_t len)
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
		if (encoder->variant == JSON)
			append_frame(out, SL_WS_OPCODE_TEXT, message->object, message->object_len);
		else
			append_frame(out, message->type == SL_BINARY ? SL_WS_OPCODE_BINARY :
				SL_WS_OPCODE_TEXT, message->payload, message->payload_len);
		ends[i] = (uint32_t)out->len;
	}
	return count;
}

static void
frame_control(const struct sl_encoder *encoder, const struct sl_control *control,
	struct sl_buffer *out)
{
	if (encoder->variant == JSON)
		append_frame(out, SL_WS_OPCODE_TEXT, control->object.bytes, control->object.len);
	else if (control->type == SL_CONTROL_HEARTBEAT || control->type == SL_CONTROL_MARK)
		append_frame(out, SL_WS_OPCODE_PING, "", 0);
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
		[SL_END_REFUSED] = CLOSE_TRY_LATER, /* raw has no other way to say it */
		[SL_END_FORBIDDEN] = CLOSE_POLICY, /* the same */
		[SL_END_PROTOCOL] = CLOSE_UNSUPPORTED,
		[SL_END_CLIENT] = CLOSE_NORMAL,
	};
	uint8_t frame[SL_WS_CLOSE_FRAME_MAX + 2];
	bool is_own = code && (reason == SL_END_PROTOCOL || reason == SL_END_CLIENT);
	sl_buffer_append(out, frame,
		sl_ws_frame_encode_close(frame, is_own ? code : codes[reason], NULL));
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
	ENCODER(JSON, SL_CAN_TELL_GAP | SL_CAN_TELL_ERROR),
	ENCODER(RAW, 0),
};

/* Within the limit of the outbox: a client that pings and does not read is slow. */
static void
send_frame(struct sl_link *link, enum sl_ws_opcode opcode, const char *bytes, size_t len)
{
	struct sl_framer *framer = &link->shard->framer;
	struct sl_buffer *frame = sl_framer_get_scratch(framer);
	append_frame(frame, opcode, bytes, len);
	struct sl_wire *wire = sl_buffer_status(frame) == 0 ?
		sl_wire_create(framer, frame->bytes, frame->len) : NULL;
	if (wire)
		sl_link_send_wire(link, wire, 0);
	else
		sl_link_close(link);
	sl_wire_unref(wire);
}

static void
ping(struct sl_subscriber *subscriber)
{
	sl_metrics_add(&subscriber->shard->metrics, SL_COUNTER_PINGS, 1);
	send_frame(subscriber->link, SL_WS_OPCODE_PING, "", 0);
}

static const struct sl_subscriber_ops subscriber_ops = { .ping = ping };

/* ---- opening ---- */

static void
note_probe(struct sl_connection *connection, struct sl_span nonce, enum sl_probe_seen seen)
{
	struct sl_shard *shard = connection->link.shard;
	sl_probe_note(shard->front->http->probes, nonce, seen, shard->loop.now_ms);
}

static int
check(struct sl_connection *connection, const struct sl_request *request,
	struct sl_reply *refusal)
{
	struct sl_ws_handshake_verdict verdict = sl_ws_handshake_check(request->head);
	if (verdict.outcome == SL_WS_HANDSHAKE_OK)
		return 0;
	sl_reply_set_error(refusal, verdict.status, verdict.code, verdict.message);
	if (verdict.status == 426) {
		if (request->params.probe.len)
			note_probe(connection, request->params.probe, SL_PROBE_PLAIN_GET);
		sl_response_add_text(&refusal->head, "Connection", "Upgrade");
		sl_response_add_text(&refusal->head, "Upgrade", "websocket");
		sl_response_add_text(&refusal->head, "Sec-WebSocket-Version", SL_WS_HANDSHAKE_VERSION);
	}
	return SL_EINVAL;
}

static int
append_head(struct sl_buffer *out, const struct sl_request *request)
{
	char accept[SL_WS_HANDSHAKE_ACCEPT_LEN];
	struct sl_response response = { .status = 0 };
	sl_ws_handshake_fill_response(&response, request->head, accept);
	sl_response_append_head(&response, out);
	return sl_buffer_status(out);
}

static int
open_websocket(struct sl_connection *connection, const struct sl_request *request)
{
	struct websocket *ws = sl_connection_get_extra(connection);
	const struct sl_params *params = &request->params;
	struct sl_buffer head = SL_BUFFER_INIT;
	struct sl_gap gaps[SL_CHANNELS_MAX];
	size_t gap_count;
	sl_ws_reader_init(&ws->reader);
	if (params->probe.len) {
		ws->nonce = strndup(params->probe.bytes, params->probe.len);
		note_probe(connection, params->probe, SL_PROBE_UPGRADED_NO_FRAME);
	}
	int err = sl_subscriber_init(&connection->subscriber, &connection->link,
		&encoders[params->format == SL_FORMAT_RAW ? RAW : JSON], &subscriber_ops);
	if (err == 0)
		err = sl_join_channels(&connection->subscriber, &params->join, gaps, &gap_count);
	if (err == 0)
		err = append_head(&head, request);
	if (err == 0)
		sl_subscriber_begin(&connection->subscriber, &params->join, &head, gaps, gap_count);
	sl_buffer_finish(&head);
	return err;
}

static void
finish(struct sl_connection *connection)
{
	struct websocket *ws = sl_connection_get_extra(connection);
	sl_ws_reader_finish(&ws->reader);
	free(ws->nonce);
	ws->nonce = NULL;
}

/* ---- reading ---- */

static void
close_with(struct sl_connection *connection, unsigned code)
{
	connection->link.lingers_long = true; /* for the rest of a message that is too large */
	sl_subscriber_end_in_order(&connection->subscriber, SL_END_PROTOCOL, code);
}

static void
handle_message(struct sl_connection *connection, const struct sl_ws_event *event)
{
	struct sl_subscriber *subscriber = &connection->subscriber;
	bool is_text = event->type == SL_WS_MESSAGE_TEXT;
	if (subscriber->encoder->variant == RAW)
		sl_protocol_publish_raw(subscriber, is_text ? SL_TEXT : SL_BINARY, event->bytes,
			event->len);
	else if (is_text)
		sl_protocol_handle(subscriber, event->bytes, event->len);
	else
		close_with(connection, CLOSE_UNSUPPORTED);
}

static void
handle_event(struct sl_connection *connection, const struct sl_ws_event *event)
{
	switch (event->type) {
	case SL_WS_MESSAGE_TEXT:
	case SL_WS_MESSAGE_BINARY:
		handle_message(connection, event);
		break;
	case SL_WS_PING:
		send_frame(&connection->link, SL_WS_OPCODE_PONG, event->bytes, event->len);
		break;
	case SL_WS_PONG:
		break;
	case SL_WS_CLOSE:
		/* Echoed, as RFC 6455, section 5.5.1 says; then the server closes first. */
		sl_subscriber_end_in_order(&connection->subscriber, SL_END_CLIENT, event->close_code);
		break;
	}
}

static void
note_frame(struct sl_connection *connection, struct websocket *ws)
{
	if (!ws->nonce)
		return;
	note_probe(connection, (struct sl_span){ ws->nonce, strlen(ws->nonce) },
		SL_PROBE_UPGRADED);
	free(ws->nonce);
	ws->nonce = NULL;
}

static size_t
receive(struct sl_connection *connection, char *bytes, size_t len)
{
	struct websocket *ws = sl_connection_get_extra(connection);
	struct sl_steps *steps = &connection->link.steps;
	const struct sl_subscriber *subscriber = &connection->subscriber;
	const struct sl_config *config = connection->link.shard->config;
	bool is_raw = subscriber->encoder->variant == RAW;
	struct sl_ws_limits limits = {
		.max_message_bytes = config->max_message_bytes + (is_raw ? 0 : ENVELOPE_BYTES),
		.max_fragments = (unsigned)config->max_fragments,
		.stops_at_frames = true, /* each of them is a step */
	};
	size_t at = 0;
	while (!sl_subscriber_is_ending(subscriber) && !subscriber->conclusion) {
		struct sl_ws_event event;
		size_t used = 0;
		if (at < len && !sl_share_may_serve(steps))
			return at;
		int result = sl_ws_reader_feed(&ws->reader, &limits, bytes + at, len - at, &used, &event);
		at += used;
		if (ws->reader.has_ended_frame)
			sl_share_take_served(steps);
		if (result < 0)
			close_with(connection, ws->reader.close_code);
		else if (result == 0 && at == len)
			return len;
		if (result <= 0)
			continue;
		note_frame(connection, ws);
		handle_event(connection, &event);
	}
	return len; /* whatever follows the end counts for nothing */
}

const struct sl_transport sl_transport_websocket = {
	.name = "websocket",
	.path = "ws",
	.class = SL_CLASS_WEBSOCKET,
	.capabilities = SL_UPGRADES,
	.extra_size = sizeof(struct websocket),
	.check = check,
	.open = open_websocket,
	.receive = receive,
	.finish = finish,
};
