#include "clients/engine_io/eio_probe.h"

#include <stdlib.h>
#include <string.h>

#include "clients/engine_io/eio_carrier.h"
#include "clients/engine_io/eio_family.h"
#include "clients/engine_io/eio_moved.h"
#include "clients/engine_io/eio_session.h"
#include "clients/engine_io/eio_upgrade.h"
#include "config/config.h"
#include "http/connection.h"
#include "http/reply.h"
#include "live/session_table.h"
#include "live/shard.h"
#include "live/verbs.h"
#include "transports/ws_stream.h"
#include "util/err.h"

#define CLOSE_NONE_GIVEN 1005 /* a close frame without a code (RFC 6455, section 7.1.5) */

struct sl_eio_probe {
	struct sl_buffer head; /* of the response, until it is sent */
	unsigned owner;        /* the shard of the session */
	char id[SL_SESSION_ID_LEN];
};

/* ---- knocking ---- */

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

/* The session's shard is told what has become of it; a visit that is under way tells it otherwise. */
static void
tell_owner(struct sl_connection *c, unsigned owner, const char *id, enum sl_eio_upgrade_step step)
{
	sl_visit_send(c->link.shard, &(struct sl_visit_call){
		.ops = &sl_eio_websocket_get_family(c)->upgrades,
		.owner = owner,
		.kind = step,
		.id = { id, SL_SESSION_ID_LEN },
	});
}

/* Polling counts again from now on, not only once the link has lingered. */
void
sl_eio_probe_give_up(struct sl_connection *c)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	if (ws->phase != SL_EIO_PROBING)
		return;
	ws->phase = SL_EIO_KNOCKING;
	tell_owner(c, ws->probe->owner, ws->probe->id, SL_EIO_UNPROBE);
}

int
sl_eio_probe_open(struct sl_connection *c, const struct sl_request *request, struct sl_span id)
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
	int err = sl_eio_websocket_append_head(&probe->head, request);
	if (err != 0)
		return err;
	struct sl_visit_call call = get_call(sl_eio_websocket_get_family(c), probe, SL_EIO_PROBE);
	return sl_visit_begin(c, &call);
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
	if (may_probe) /* first: the link may close as it sends */
		ws->phase = SL_EIO_PROBING;
	sl_link_send_buffer(&c->link, &ws->probe->head);
	if (c->link.state == SL_LINK_CLOSED)
		return;
	sl_buffer_finish(&ws->probe->head);
	if (!may_probe) /* another one does, or has done: the reference refuses it in this way */
		sl_subscriber_end_in_order(&c->subscriber, SL_END_PROTOCOL, CLOSE_NONE_GIVEN);
	else if (shard->draining)
		sl_eio_probe_end(c, SL_END_DRAINING);
	if (c->link.state == SL_LINK_OPEN)
		sl_link_set_timer(&c->link, shard->loop.now_ms + shard->config->engineio_upgrade_timeout_ms);
}

/* ---- one that moves here ---- */

void
sl_eio_probe_end(struct sl_connection *c, enum sl_end_reason reason)
{
	sl_eio_probe_give_up(c);
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
	else if (c->link.shard->draining) /* which has told its links while the socket was on its way */
		sl_subscriber_end(subscriber, SL_END_DRAINING);
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
		sl_metrics_add(&c->link.shard->metrics, SL_COUNTER_EIO_UPGRADES_FAILED, 1);
		sl_eio_probe_end(c, SL_END_REFUSED);
		return;
	}
	ws->has_moved = true;
	uint64_t last_beat_ms = sl_eio_moved_get_last_beat_ms(moved);
	int err = sl_eio_moved_join(moved, &sl_eio_websocket_carrier, &c->subscriber, &frames, &socket);
	if (err == 0) {
		struct sl_eio_probe *probe = ws->probe;
		ws->socket = socket;
		ws->phase = SL_EIO_UP;
		destroy_probe(probe);
		begin_moved(c, &frames, last_beat_ms);
		if (socket->user->on_moved && !sl_eio_socket_is_closing(socket))
			socket->user->on_moved(socket);
	} else {
		sl_eio_probe_end(c, SL_END_REFUSED);
	}
	sl_buffer_finish(&frames);
}

/* ---- visits ---- */

void
sl_eio_probe_arrive(struct sl_visit *visit, struct sl_shard *owner)
{
	sl_eio_upgrade_arrive(visit, owner, SL_EIO_FAMILY_OF(visit->ops, upgrades)->user);
}

/* A TAKE waits: its client is on neither any more. */
void
sl_eio_probe_leave(struct sl_visit *visit, struct sl_shard *owner)
{
	(void)owner;
	sl_eio_session_leave(visit->user, visit);
}

void
sl_eio_probe_on_answer(struct sl_visit *visit, struct sl_connection *c)
{
	if (c->link.state != SL_LINK_OPEN) /* it was ended meanwhile: by its own token, for one */
		sl_eio_probe_drop(visit);
	else if (visit->kind == SL_EIO_PROBE)
		begin_probing(c, visit);
	else
		take_over(c, visit);
}

void
sl_eio_probe_drop(struct sl_visit *visit)
{
	bool is_taken = visit->kind == SL_EIO_TAKE;
	if (!visit->result)
		return;
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

/* What a WebSocket says whose socket is elsewhere. Anything but these two ends it alone. */
void
sl_eio_probe_take(struct sl_connection *c, const struct sl_ws_event *event)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	struct sl_span text = { event->bytes, event->len };
	bool is_text = event->type == SL_WS_MESSAGE_TEXT;
	struct sl_visit_call call;
	bool is_question = is_text && sl_span_equals(text, "2probe");
	if (is_question && !sl_verbs_beat(&c->subscriber)) { /* each of them asks something of the session's shard */
		sl_eio_probe_give_up(c);
	} else if (is_question) {
		call = get_call(sl_eio_websocket_get_family(c), ws->probe, SL_EIO_PROBED);
		sl_visit_send(c->link.shard, &call);
		sl_ws_stream_send(&c->link, SL_WS_OPCODE_TEXT, "3probe", 6);
	} else if (is_text && sl_span_equals(text, "5")) {
		call = get_call(sl_eio_websocket_get_family(c), ws->probe, SL_EIO_TAKE);
		ws->phase = SL_EIO_TAKING;
		if (sl_visit_begin(c, &call) != 0)
			sl_link_close(&c->link);
	} else {
		sl_eio_websocket_close_with(c, 0);
	}
}

/* ---- the end ---- */

void
sl_eio_probe_forget(struct sl_connection *c, const char *id)
{
	int owner = sl_session_find_shard((struct sl_span){ id, SL_SESSION_ID_LEN }, c->link.shard->count);
	if (owner >= 0)
		tell_owner(c, (unsigned)owner, id, SL_EIO_FORGET);
}

void
sl_eio_probe_finish(struct sl_connection *c)
{
	struct sl_eio_websocket *ws = sl_connection_get_extra(c);
	sl_eio_probe_give_up(c);
	if (ws->has_moved)
		tell_owner(c, ws->probe->owner, ws->probe->id, SL_EIO_FORGET);
	destroy_probe(ws->probe);
}
