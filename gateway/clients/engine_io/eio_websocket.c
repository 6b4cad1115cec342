#include "clients/engine_io/eio_websocket.h"

#include <stdlib.h>
#include <string.h>

#include "clients/engine_io/eio_carrier.h"
#include "clients/engine_io/eio_encoders.h"
#include "clients/engine_io/eio_family.h"
#include "clients/engine_io/eio_moved.h"
#include "clients/engine_io/eio_session.h"
#include "clients/engine_io/eio_upgrade.h"
#include "config/config.h"
#include "http/connection.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/join.h"
#include "live/session_table.h"
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
#define CLOSE_NONE_GIVEN 1005 /* a close frame without a code (RFC 6455, section 7.1.5) */

/* KNOCKING: whether the session is there is asked. PROBING: it is. TAKING: it is asked for. UP: the socket is here. */
enum { KNOCKING, PROBING, TAKING, UP };

struct sl_eio_probe {
	struct sl_buffer head; /* of the response, until it is sent */
	unsigned owner;        /* the shard of the session */
	char id[SL_SESSION_ID_LEN];
};

static const struct sl_subscriber_ops subscriber_ops; /* beats are control objects */
static const struct sl_eio_carrier carrier;

static const struct sl_eio_family *
get_family(const struct sl_connection *c)
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

static const struct sl_eio_carrier carrier = {
	.send = send_message,
	.on_pong = on_pong,
	.close = close_socket,
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

/* Its client asks for a subprotocol only where its user had it do so, and then fails without one. */
static int
append_head(struct sl_buffer *out, const struct sl_request *request)
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
	int err = sl_subscriber_init(subscriber, &c->link, get_family(c)->user->get_encoder(true), &subscriber_ops);
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
	const struct sl_eio_user *user = get_family(c)->user;
	char id[SL_SESSION_ID_LEN + 1] = "";
	int err = make_id(id);
	struct sl_eio_socket *socket = err == 0 ? sl_eio_socket_create(user, id) : NULL;
	if (!socket)
		return err != 0 ? err : SL_ENOMEM;
	sl_eio_socket_put(socket, &carrier, &c->subscriber);
	sl_join_nothing(&c->subscriber);
	err = user->open(socket, request);
	if (err != 0) {
		sl_eio_socket_destroy(socket, shard, false);
		return err;
	}
	struct sl_buffer head = SL_BUFFER_INIT;
	ws->socket = socket;
	ws->phase = UP;
	err = append_head(&head, request);
	append_open(&head, socket, shard->config);
	if (err == 0)
		err = sl_buffer_status(&head);
	if (err == 0)
		begin(c, &head);
	sl_buffer_finish(&head);
	return err;
}

/* ---- one that probes ---- */

static void
destroy_probe(struct sl_eio_probe *probe)
{
	if (probe)
		sl_buffer_finish(&probe->head);
	free(probe);
}

static struct sl_visit_call
get_call(const struct sl_eio_family *family, const struct sl_eio_probe *probe, enum sl_eio_upgrade_step step)
{
	return (struct sl_visit_call){
		.ops = &family->upgrades,
		.owner = probe->owner,
		.kind = step,
		.id = { probe->id, SL_SESSION_ID_LEN },
	};
}

static int
knock(struct sl_connection *c, const struct sl_request *request, struct sl_span id)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	int owner = sl_session_find_shard(id, c->link.shard->count);
	if (owner < 0) {
		sl_eio_polling_send_error(c, SL_EIO_SESSION_UNKNOWN);
		return 0;
	}
	struct sl_eio_probe *probe = calloc(1, sizeof *probe);
	if (!probe)
		return SL_ENOMEM;
	ws->probe = probe;
	probe->owner = (unsigned)owner;
	memcpy(probe->id, id.bytes, SL_SESSION_ID_LEN);
	int err = append_head(&probe->head, request);
	if (err != 0)
		return err;
	struct sl_visit_call call = get_call(get_family(c), probe, SL_EIO_PROBE);
	return sl_visit_begin(c, &call);
}

int
sl_eio_websocket_open(struct sl_connection *c, const struct sl_request *request)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	struct sl_eio_query query;
	sl_eio_query_read(&query, &request->params);
	if (sl_ws_handshake_check(request->head).outcome != SL_WS_HANDSHAKE_OK)
		return sl_eio_polling_mismatch(c, get_family(c), request);
	sl_ws_reader_init(&ws->reader);
	int err = init_subscriber(c);
	if (err != 0)
		return err;
	return query.id.bytes ? knock(c, request, query.id) : open_socket(c, request);
}

static void
begin_probing(struct sl_connection *c, struct sl_visit *visit)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	struct sl_shard *shard = c->link.shard;
	bool may_probe = visit->result;
	visit->result = NULL;
	if (visit->reply.head.status != 101) {
		sl_connection_send_reply(c, &visit->reply);
		return;
	}
	sl_link_send_buffer(&c->link, &ws->probe->head);
	sl_buffer_finish(&ws->probe->head);
	if (may_probe)
		ws->phase = PROBING;
	else /* another one does, or has done: the reference refuses it in this way */
		sl_subscriber_end_in_order(&c->subscriber, SL_END_PROTOCOL, CLOSE_NONE_GIVEN);
	if (c->link.state == SL_LINK_OPEN)
		sl_link_set_timer(&c->link, shard->loop.now_ms + shard->config->engineio_upgrade_timeout_ms);
}

/* ---- one that moves here ---- */

static void
end_probing(struct sl_connection *c, enum sl_end_reason reason)
{
	c->link.lingers_long = true;
	sl_subscriber_end(&c->subscriber, reason);
}

/* Its client has taken its last poll, and may have heard no ping for an interval: the clock is that of polling. */
static void
begin_moved(struct sl_connection *c, const struct sl_buffer *frames, uint64_t last_beat_ms)
{
	struct sl_subscriber *subscriber = &c->subscriber;
	struct sl_metrics *metrics = &c->link.shard->metrics;
	if (frames->len > 0)
		sl_link_send_buffer(&c->link, frames);
	if (c->link.state != SL_LINK_OPEN)
		return;
	subscriber->last_beat_ms = last_beat_ms;
	sl_link_set_timer(&c->link, last_beat_ms + subscriber->beat_interval_ms);
	sl_metrics_add_client(metrics, subscriber->encoder->class, SL_REASON_NONE);
	sl_metrics_add(metrics, SL_COUNTER_EIO_UPGRADES, 1);
	if (sl_subscriber_is_outdated(subscriber))
		sl_subscriber_end(subscriber, SL_END_EPOCH);
}

static void
take_over(struct sl_connection *c, struct sl_visit *visit)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	struct sl_eio_moved *moved = visit->result;
	struct sl_eio_socket *socket;
	struct sl_buffer frames = SL_BUFFER_INIT;
	visit->result = NULL;
	if (!moved) { /* its session has ended */
		end_probing(c, SL_END_REFUSED);
		return;
	}
	ws->has_moved = true;
	uint64_t last_beat_ms = sl_eio_moved_get_last_beat_ms(moved);
	int err = sl_eio_moved_join(moved, &carrier, &c->subscriber, &frames, &socket);
	if (err == 0) {
		struct sl_eio_probe *probe = ws->probe;
		ws->socket = socket;
		ws->phase = UP;
		destroy_probe(probe);
		begin_moved(c, &frames, last_beat_ms);
		if (socket->user->on_moved && !sl_eio_socket_is_closing(socket))
			socket->user->on_moved(socket);
	} else {
		end_probing(c, SL_END_REFUSED);
	}
	sl_buffer_finish(&frames);
}

/* ---- visits ---- */

void
sl_eio_websocket_arrive(struct sl_visit *visit, struct sl_shard *owner)
{
	sl_eio_upgrade_arrive(visit, owner, SL_EIO_FAMILY_OF(visit->ops, upgrades)->user);
}

/* A TAKE waits: its client is on neither any more. */
void
sl_eio_websocket_leave(struct sl_visit *visit, struct sl_shard *owner)
{
	(void)owner;
	sl_eio_session_leave(visit->user, visit);
}

void
sl_eio_websocket_on_answer(struct sl_visit *visit, struct sl_connection *c)
{
	if (visit->kind == SL_EIO_PROBE)
		begin_probing(c, visit);
	else
		take_over(c, visit);
}

void
sl_eio_websocket_drop(struct sl_visit *visit)
{
	bool is_taken = visit->kind == SL_EIO_TAKE;
	if (is_taken)
		sl_eio_moved_drop(visit->result, visit->home);
	visit->result = NULL;
	sl_visit_send(visit->home, &(struct sl_visit_call){
		.ops = visit->ops,
		.owner = visit->owner->index,
		.kind = is_taken ? SL_EIO_FORGET : SL_EIO_UNPROBE,
		.id = visit->id,
	});
}

/* ---- reading ---- */

static void
close_with(struct sl_connection *c, unsigned code)
{
	c->link.lingers_long = true; /* for the rest of a message that is too large */
	sl_metrics_add(&c->link.shard->metrics, SL_COUNTER_CLIENT_PROTOCOL_ERRORS, 1);
	sl_subscriber_end_in_order(&c->subscriber, SL_END_PROTOCOL, code);
}

/* What a WebSocket says whose socket is elsewhere. Anything but these two ends it alone. */
static void
handle_probe(struct sl_connection *c, const struct sl_ws_event *event)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	struct sl_span text = { event->bytes, event->len };
	bool is_text = event->type == SL_WS_MESSAGE_TEXT;
	struct sl_visit_call call;
	if (is_text && sl_span_equals(text, "2probe")) {
		call = get_call(get_family(c), ws->probe, SL_EIO_PROBED);
		sl_visit_send(c->link.shard, &call);
		sl_ws_stream_send(&c->link, SL_WS_OPCODE_TEXT, "3probe", 6);
	} else if (is_text && sl_span_equals(text, "5")) {
		call = get_call(get_family(c), ws->probe, SL_EIO_TAKE);
		ws->phase = TAKING;
		if (sl_visit_begin(c, &call) != 0)
			sl_link_close(&c->link);
	} else {
		close_with(c, 0);
	}
}

static void
handle_message(struct sl_connection *c, const struct sl_ws_event *event)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	struct sl_buffer decoded = SL_BUFFER_INIT;
	struct sl_eio_packet packet = { SL_EIO_MESSAGE, true, { event->bytes, event->len } };
	if (ws->phase != UP) {
		handle_probe(c, event);
		return;
	}
	int err = 0;
	if (event->type == SL_WS_MESSAGE_TEXT)
		err = sl_eio_packet_read(&packet, packet.data, &decoded);
	if (err == 0)
		sl_eio_socket_take(ws->socket, &packet);
	else
		close_with(c, 0);
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
		.on_error = close_with,
		.max_message_bytes = c->link.shard->config->engineio_max_payload,
	};
	return sl_ws_stream_receive(c, &ws->reader, &rules, bytes, len);
}

/* ---- the end ---- */

void
sl_eio_websocket_on_timer(struct sl_connection *c)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	if (ws->phase == PROBING && !c->subscriber.conclusion)
		end_probing(c, SL_END_SILENT);
	else
		sl_subscriber_on_timer(&c->subscriber);
}

/* The session's shard is told what has become of it; a visit that is under way tells it otherwise. */
static void
tell_owner(struct sl_connection *c, unsigned owner, const char *id, enum sl_eio_upgrade_step step)
{
	sl_visit_send(c->link.shard, &(struct sl_visit_call){
		.ops = &get_family(c)->upgrades,
		.owner = owner,
		.kind = step,
		.id = { id, SL_SESSION_ID_LEN },
	});
}

static int
find_owner(const struct sl_connection *c, const struct sl_eio_socket *socket)
{
	return sl_session_find_shard((struct sl_span){ socket->id, SL_SESSION_ID_LEN }, c->link.shard->count);
}

void
sl_eio_websocket_finish(struct sl_connection *c)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	sl_ws_reader_finish(&ws->reader);
	if (ws->phase == UP) {
		if (ws->has_moved)
			tell_owner(c, (unsigned)find_owner(c, ws->socket), ws->socket->id, SL_EIO_FORGET);
		sl_eio_socket_destroy(ws->socket, c->link.shard, true);
	} else {
		if (ws->phase == PROBING)
			tell_owner(c, ws->probe->owner, ws->probe->id, SL_EIO_UNPROBE);
		else if (ws->has_moved)
			tell_owner(c, ws->probe->owner, ws->probe->id, SL_EIO_FORGET);
		destroy_probe(ws->probe);
	}
	ws->probe = NULL;
	ws->phase = KNOCKING;
}
