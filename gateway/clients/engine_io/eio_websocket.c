#include "clients/engine_io/eio_websocket.h"

#include <string.h>

#include "clients/engine_io/eio_carrier.h"
#include "clients/engine_io/eio_encoders.h"
#include "clients/engine_io/eio_family.h"
#include "clients/engine_io/eio_probe.h"
#include "config/config.h"
#include "http/connection.h"
#include "http/request.h"
#include "http/serve.h"
#include "live/join.h"
#include "live/shard.h"
#include "live/verbs.h"
#include "transports/ws_encoders.h"
#include "transports/ws_handshake.h"
#include "transports/ws_stream.h"
#include "util/base64url.h"
#include "util/crypto.h"
#include "util/err.h"

#define FRAGMENTS_A_REQUEST 16 /* so many frames more than one cost as much */
#define ID_BYTES 15

static const struct sl_subscriber_ops subscriber_ops; /* beats are control objects */

const struct sl_eio_family *
sl_eio_websocket_get_family(const struct sl_connection *c)
{
	return SL_EIO_FAMILY_OF(c->transport, websocket);
}

/* ---- a socket on it ---- */

static bool
send_message(struct sl_eio_socket *socket, struct sl_span data, bool is_binary)
{
	struct sl_link *link = socket->subscriber->link;
	struct sl_buffer *frame = sl_framer_get_scratch(&link->shard->framer);
	sl_eio_encoders_append(frame, socket->subscriber->encoder, data, is_binary);
	struct sl_wire *wire = sl_buffer_status(frame) == 0 ?
		sl_wire_create(&link->shard->framer, frame->bytes, frame->len) : NULL;
	bool is_queued = wire && sl_link_send_wire(link, wire, 0);
	if (!wire)
		sl_link_close(link);
	sl_wire_unref(wire);
	return is_queued;
}

/* Whatever the client says shows that it lives (live/heartbeat.h). */
static void
on_pong(struct sl_eio_socket *socket)
{
	(void)socket;
}

static void
close_socket(struct sl_eio_socket *socket, enum sl_end_reason reason)
{
	struct sl_subscriber *subscriber = socket->subscriber;
	subscriber->link->lingers_long = true;
	if (reason == SL_END_CLIENT || reason == SL_END_PROTOCOL)
		sl_subscriber_end_in_order(subscriber, reason, 0);
	else
		sl_subscriber_end(subscriber, reason);
}

static struct sl_owner *
get_address(const struct sl_eio_socket *socket)
{
	return socket->subscriber->link->owner;
}

static int
enter(struct sl_subscriber *subscriber, struct sl_owner *subject)
{
	int err = sl_serve_enter(sl_connection_of_subscriber(subscriber), subject);
	if (err != 0)
		sl_metrics_add(&subscriber->shard->metrics, SL_COUNTER_LIMITED_CONNECTIONS, 1);
	return err;
}

const struct sl_eio_carrier sl_eio_websocket_carrier = {
	.send = send_message,
	.on_pong = on_pong,
	.close = close_socket,
	.get_address = get_address,
	.enter = enter,
};

/* ---- a socket that comes on a WebSocket ---- */

static int
make_id(char id[SL_SESSION_ID_LEN + 1])
{
	uint8_t bytes[ID_BYTES];
	struct sl_buffer text = SL_BUFFER_INIT;
	int err = sl_crypto_random(bytes, sizeof bytes);
	if (err == 0)
		sl_base64url_append(&text, bytes, sizeof bytes);
	if (err == 0)
		err = sl_buffer_status(&text);
	if (err == 0)
		memcpy(id, text.bytes, SL_SESSION_ID_LEN);
	sl_buffer_finish(&text);
	return err;
}

int
sl_eio_websocket_append_head(struct sl_buffer *out, const struct sl_request *request)
{
	return sl_ws_handshake_append(out, request->head, sl_ws_handshake_choose(request->head, NULL),
		(struct sl_span){ 0 });
}

static void
append_open(struct sl_buffer *out, const struct sl_eio_socket *socket, const struct sl_config *config)
{
	const struct sl_eio_handshake handshake = {
		.id = { socket->id, SL_SESSION_ID_LEN },
		.ping_interval_ms = (unsigned)config->engineio_ping_interval_ms,
		.ping_timeout_ms = (unsigned)config->engineio_ping_timeout_ms,
		.max_payload = config->engineio_max_payload,
	};
	struct sl_buffer packet = SL_BUFFER_INIT;
	sl_eio_packet_append_open(&packet, &handshake);
	sl_ws_encoders_append_frame(out, SL_WS_OPCODE_TEXT, packet.bytes, packet.len);
	out->failed |= packet.failed;
	sl_buffer_finish(&packet);
}

static int
init_subscriber(struct sl_connection *c)
{
	struct sl_subscriber *subscriber = &c->subscriber;
	const struct sl_config *config = c->link.shard->config;
	int err = sl_subscriber_init(subscriber, &c->link, sl_eio_websocket_get_family(c)->user->get_encoder(true), &subscriber_ops);
	subscriber->beat_interval_ms = (uint32_t)config->engineio_ping_interval_ms;
	subscriber->beat_timeout_ms = (uint32_t)config->engineio_ping_timeout_ms;
	return err;
}

/* From the head on, by way of history: what its channels got since they were asked for. */
static void
begin(struct sl_connection *c, const struct sl_buffer *head)
{
	const struct sl_join join = { .since_kind = SL_SINCE_CURSOR };
	sl_metrics_add_client(&c->link.shard->metrics, c->subscriber.encoder->class, SL_REASON_NONE);
	sl_subscriber_begin(&c->subscriber, &join, head, NULL, 0);
}

static int
open_socket(struct sl_connection *c, const struct sl_request *request)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	struct sl_shard *shard = c->link.shard;
	const struct sl_eio_user *user = sl_eio_websocket_get_family(c)->user;
	char id[SL_SESSION_ID_LEN + 1] = "";
	int err = make_id(id);
	struct sl_eio_socket *socket = err == 0 ? sl_eio_socket_create(user, id) : NULL;
	if (!socket)
		return err != 0 ? err : SL_ENOMEM;
	sl_eio_socket_put(socket, &sl_eio_websocket_carrier, &c->subscriber);
	sl_join_nothing(&c->subscriber);
	err = user->open(socket, request);
	if (err != 0) {
		sl_eio_socket_destroy(socket, shard, false);
		return err;
	}
	struct sl_buffer head = SL_BUFFER_INIT;
	ws->socket = socket;
	ws->phase = SL_EIO_UP;
	err = sl_eio_websocket_append_head(&head, request);
	append_open(&head, socket, shard->config);
	if (err == 0)
		err = sl_buffer_status(&head);
	if (err == 0)
		begin(c, &head);
	sl_buffer_finish(&head);
	return err;
}

int
sl_eio_websocket_open(struct sl_connection *c, const struct sl_request *request)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	struct sl_eio_query query;
	sl_eio_query_read(&query, &request->params);
	if (sl_ws_handshake_check(request->head).outcome != SL_WS_HANDSHAKE_OK)
		return sl_eio_polling_mismatch(c, sl_eio_websocket_get_family(c), request);
	sl_ws_reader_init(&ws->reader);
	int err = init_subscriber(c);
	if (err != 0)
		return err;
	return query.id.bytes ? sl_eio_probe_open(c, request, query.id) : open_socket(c, request);
}

/* ---- reading ---- */

void
sl_eio_websocket_close_with(struct sl_connection *c, unsigned code)
{
	sl_eio_probe_give_up(c);
	c->link.lingers_long = true; /* for the rest of a message that is too large */
	sl_metrics_add(&c->link.shard->metrics, SL_COUNTER_CLIENT_PROTOCOL_ERRORS, 1);
	sl_subscriber_end_in_order(&c->subscriber, SL_END_PROTOCOL, code);
}

static void
handle_message(struct sl_connection *c, const struct sl_ws_event *event)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	struct sl_buffer decoded = SL_BUFFER_INIT;
	struct sl_eio_packet packet = { SL_EIO_MESSAGE, true, { event->bytes, event->len } };
	if (ws->phase != SL_EIO_UP) {
		sl_eio_probe_take(c, event);
		return;
	}
	int err = 0;
	if (event->type == SL_WS_MESSAGE_TEXT)
		err = sl_eio_packet_read(&packet, packet.data, &decoded);
	if (err == 0)
		sl_eio_socket_take(ws->socket, &packet);
	else
		sl_eio_websocket_close_with(c, 0);
	sl_buffer_finish(&decoded);
}

static void
handle_event(struct sl_connection *c, const struct sl_ws_event *event)
{
	switch (event->type) {
	case SL_WS_MESSAGE_TEXT:
	case SL_WS_MESSAGE_BINARY:
		if (sl_verbs_ask(&c->subscriber, event->fragments / FRAGMENTS_A_REQUEST))
			handle_message(c, event);
		break;
	case SL_WS_PING:
		if (sl_verbs_beat(&c->subscriber))
			sl_ws_stream_send(&c->link, SL_WS_OPCODE_PONG, event->bytes, event->len);
		break;
	case SL_WS_PONG:
		sl_verbs_beat(&c->subscriber);
		break;
	case SL_WS_CLOSE:
		sl_eio_probe_give_up(c);
		sl_subscriber_end_in_order(&c->subscriber, SL_END_CLIENT, event->close_code);
		break;
	}
}

size_t
sl_eio_websocket_receive(struct sl_connection *c, char *bytes, size_t len)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	const struct sl_ws_stream_rules rules = {
		.on_event = handle_event,
		.on_error = sl_eio_websocket_close_with,
		.max_message_bytes = c->link.shard->config->engineio_max_payload,
	};
	return sl_ws_stream_receive(c, &ws->reader, &rules, bytes, len);
}

/* ---- the end ---- */

void
sl_eio_websocket_on_timer(struct sl_connection *c)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	if (ws->phase == SL_EIO_PROBING && !c->subscriber.conclusion)
		sl_eio_probe_end(c, SL_END_SILENT);
	else
		sl_subscriber_on_timer(&c->subscriber);
}

void
sl_eio_websocket_finish(struct sl_connection *c)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	sl_ws_reader_finish(&ws->reader);
	if (ws->phase == SL_EIO_UP) {
		if (ws->has_moved)
			sl_eio_probe_forget(c, ws->socket->id);
		sl_eio_socket_destroy(ws->socket, c->link.shard, true);
	} else {
		sl_eio_probe_finish(c);
	}
	ws->probe = NULL;
	ws->phase = SL_EIO_KNOCKING;
}
