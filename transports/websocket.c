/* websocket: RFC 6455. json: a text frame an object, both ways. raw: a frame is a payload,
 * both ways; control objects become pings and close codes. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/owners.h"
#include "http/api_probe.h"
#include "http/connection.h"
#include "http/front.h"
#include "http/http.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/protocol.h"
#include "live/shard.h"
#include "live/verbs.h"
#include "transports/registry.h"
#include "transports/ws_encoders.h"
#include "transports/ws_extension.h"
#include "transports/ws_frame.h"
#include "transports/ws_handshake.h"
#include "transports/ws_stream.h"
#include "util/buffer.h"
#include "util/err.h"

#define FRAGMENTS_A_REQUEST 16 /* so many frames more than one cost as much */
#define ENVELOPE_BYTES 1024 /* of a publish object around its data */

/* What is kept for a connection. */
struct websocket {
	struct sl_ws_reader reader;
	bool may_compress; /* both sides may */
	char *nonce; /* owns; of a probe that has not seen a frame yet */
};

static void
ping(struct sl_subscriber *subscriber)
{
	sl_metrics_add(&subscriber->shard->metrics, SL_COUNTER_PINGS, 1);
	sl_ws_stream_send(subscriber->link, SL_WS_OPCODE_PING, "", 0);
}

static const struct sl_subscriber_ops subscriber_ops = { .ping = ping };

/* ---- opening ---- */

static void
note_probe(struct sl_connection *connection, struct sl_span nonce, enum sl_probe_seen seen)
{
	struct sl_shard *shard = connection->link.shard;
	if (sl_probe_note(shard->front->http->probes, nonce, seen,
			sl_owner_get_id(connection->link.owner), shard->loop.now_ms))
		sl_metrics_add(&shard->metrics, SL_COUNTER_PROBE_NOTES_EVICTED, 1);
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

/* Nothing where the gateway does not compress. */
static struct sl_ws_agreement
agree(struct sl_shard *shard, const struct sl_request *request)
{
	struct sl_ws_agreement agreement = { 0 };
	bool is_agreed = shard->config->deflate && sl_ws_extension_read(request->head, &agreement) &&
		agreement.window_bits && sl_framer_need_deflater(&shard->framer) == 0;
	return is_agreed ? agreement : (struct sl_ws_agreement){ 0 };
}

static int
append_head(struct sl_buffer *out, const struct sl_request *request,
	const struct sl_ws_agreement *agreement)
{
	static const char *const protocols[] = { SL_WS_HANDSHAKE_PROTOCOL, NULL };
	char text[SL_WS_EXTENSION_MAX];
	struct sl_span extension = { 0 };
	if (agreement->window_bits)
		extension = sl_ws_extension_write(agreement, text);
	return sl_ws_handshake_append(out, request->head,
		sl_ws_handshake_choose(request->head, protocols), extension);
}

static int
open_websocket(struct sl_connection *connection, const struct sl_request *request)
{
	struct websocket *ws = sl_connection_get_extra(connection);
	const struct sl_params *params = &request->params;
	struct sl_buffer head = SL_BUFFER_INIT;
	struct sl_gap gaps[SL_CHANNELS_MAX];
	size_t gap_count;
	struct sl_ws_agreement agreement = agree(connection->link.shard, request);
	enum sl_ws_format format = params->format == SL_FORMAT_RAW ? SL_WS_RAW : SL_WS_JSON;
	ws->may_compress = agreement.window_bits > 0;
	sl_ws_reader_init(&ws->reader);
	if (params->probe.len) {
		ws->nonce = strndup(params->probe.bytes, params->probe.len);
		note_probe(connection, params->probe, SL_PROBE_UPGRADED_NO_FRAME);
	}
	int err = sl_subscriber_init(&connection->subscriber, &connection->link,
		sl_ws_encoders_get(format, agreement.window_bits), &subscriber_ops);
	if (err == 0)
		err = sl_join_channels(&connection->subscriber, &params->join, gaps, &gap_count);
	if (err == 0)
		err = append_head(&head, request, &agreement);
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
	sl_metrics_add(&subscriber->shard->metrics, SL_COUNTER_INFLATE_MESSAGES, event->was_compressed);
	if (subscriber->encoder->variant == SL_WS_RAW)
		sl_protocol_publish_raw(subscriber, is_text ? SL_TEXT : SL_BINARY, event->bytes,
			event->len);
	else if (is_text)
		sl_protocol_handle(subscriber, event->bytes, event->len);
	else
		close_with(connection, SL_WS_CLOSE_UNSUPPORTED);
}

static void
note_frame(struct sl_connection *connection)
{
	struct websocket *ws = sl_connection_get_extra(connection);
	if (!ws->nonce)
		return;
	note_probe(connection, (struct sl_span){ ws->nonce, strlen(ws->nonce) },
		SL_PROBE_UPGRADED);
	free(ws->nonce);
	ws->nonce = NULL;
}

static void
handle_event(struct sl_connection *connection, const struct sl_ws_event *event)
{
	note_frame(connection);
	switch (event->type) {
	case SL_WS_MESSAGE_TEXT:
	case SL_WS_MESSAGE_BINARY:
		if (sl_verbs_ask(&connection->subscriber, event->fragments / FRAGMENTS_A_REQUEST))
			handle_message(connection, event);
		break;
	case SL_WS_PING:
		if (sl_verbs_beat(&connection->subscriber))
			sl_ws_stream_send(&connection->link, SL_WS_OPCODE_PONG, event->bytes, event->len);
		break;
	case SL_WS_PONG:
		sl_verbs_beat(&connection->subscriber);
		break;
	case SL_WS_CLOSE:
		/* Echoed, as RFC 6455, section 5.5.1 says; then the server closes first. */
		sl_subscriber_end_in_order(&connection->subscriber, SL_END_CLIENT, event->close_code);
		break;
	}
}

static size_t
receive(struct sl_connection *connection, char *bytes, size_t len)
{
	struct websocket *ws = sl_connection_get_extra(connection);
	bool is_raw = connection->subscriber.encoder->variant == SL_WS_RAW;
	const struct sl_ws_stream_rules rules = {
		.on_event = handle_event,
		.on_error = close_with,
		.max_message_bytes = connection->link.shard->config->max_message_bytes +
			(is_raw ? 0 : ENVELOPE_BYTES),
		.may_compress = ws->may_compress,
	};
	return sl_ws_stream_receive(connection, &ws->reader, &rules, bytes, len);
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
