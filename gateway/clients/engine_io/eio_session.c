#include "clients/engine_io/eio_session.h"

#include <stdlib.h>

#include "clients/engine_io/eio_carrier.h"
#include "clients/engine_io/eio_packet.h"
#include "clients/engine_io/eio_reply.h"
#include "clients/engine_io/eio_upgrade.h"
#include "config/config.h"
#include "http/request.h"
#include "http/visit.h"
#include "live/answer.h"
#include "live/fanout.h"
#include "live/session_table.h"
#include "live/shard.h"
#include "live/verbs.h"
#include "util/err.h"
#include "util/utf8.h"

#define CLOSE '1'
#define NOOP '6'
#define PING '2'
#define LEAVING_MS 1000   /* for a GET that its client sent before it said goodbye, on another connection */
#define NOOP_EVERY_MS 100 /* while a WebSocket works: as the reference does, so that polls do not race */

static const struct sl_session_ops session_ops;
static const struct sl_eio_carrier carrier;

static struct sl_eio_session *
of_session(struct sl_session *session)
{
	return (struct sl_eio_session *)session;
}

static struct sl_eio_session *
of_socket(struct sl_eio_socket *socket)
{
	return (struct sl_eio_session *)socket->subscriber;
}

static uint64_t
get_now(const struct sl_eio_session *s)
{
	return s->session.subscriber.shard->loop.now_ms;
}

static const struct sl_config *
get_config(const struct sl_eio_session *s)
{
	return s->session.subscriber.shard->config;
}

/* ---- answers to a GET ---- */

/* The reply, with what is queued in it; the GET is held no longer. */
static struct sl_visit *
begin_answer(struct sl_eio_session *s)
{
	struct sl_visit *visit = s->held;
	struct sl_span queue = sl_session_get_queue(&s->session);
	s->held = NULL;
	s->is_asking = false;
	sl_eio_reply_set_payload(&visit->reply);
	sl_buffer_append(&visit->reply.body, queue.bytes, queue.len);
	sl_session_clear_queue(&s->session);
	return visit;
}

static void
separate(struct sl_buffer *body)
{
	if (body->len > 0)
		sl_buffer_append_char(body, SL_EIO_SEPARATOR);
}

void
sl_eio_session_answer_with(struct sl_eio_session *s, char packet)
{
	if (!s->held)
		return;
	struct sl_visit *visit = begin_answer(s);
	separate(&visit->reply.body);
	sl_buffer_append_char(&visit->reply.body, packet);
	sl_visit_answer(visit);
	sl_session_release(&s->session);
}

/* A run that came while GETs were held: framed once for all who get it. */
static size_t
answer_shared(struct sl_visit *visit, struct sl_wire *wire)
{
	size_t count = wire->count;
	separate(&visit->reply.body);
	sl_visit_answer_wire(visit, wire);
	return count;
}

static size_t
answer_alone(struct sl_eio_session *s, struct sl_visit *visit, const struct sl_answer *answer)
{
	struct sl_buffer *body = &visit->reply.body;
	size_t count = sl_answer_frame(&s->session.subscriber, answer, body);
	if (body->len == 0)
		sl_buffer_append_char(body, NOOP);
	sl_visit_answer(visit);
	return count;
}

static void
answer(struct sl_session *session, const struct sl_answer *what)
{
	struct sl_eio_session *s = of_session(session);
	struct sl_subscriber *subscriber = &session->subscriber;
	struct sl_visit *visit = begin_answer(s);
	struct sl_wire *wire = what->count ? sl_answer_get_wire(subscriber, what) : NULL;
	size_t count = wire ? answer_shared(visit, wire) : answer_alone(s, visit, what);
	sl_session_advance(session, what, count);
	sl_session_release(session);
}

/* ---- the clock ---- */

static void
set_timer(struct sl_eio_session *s)
{
	uint64_t due_ms = s->pong_by_ms ? s->pong_by_ms : s->ping_ms;
	if (s->held && s->is_probed && s->noop_ms < due_ms)
		due_ms = s->noop_ms;
	sl_session_set_timer(&s->session, due_ms);
}

static int
queue(struct sl_eio_session *s, const char *bytes, size_t len)
{
	struct sl_buffer packet = SL_BUFFER_INIT;
	if (sl_session_get_queue(&s->session).len > 0)
		sl_buffer_append_char(&packet, SL_EIO_SEPARATOR);
	sl_buffer_append(&packet, bytes, len);
	int err = sl_buffer_status(&packet);
	if (err == 0)
		err = sl_session_queue(&s->session, packet.bytes, packet.len);
	sl_buffer_finish(&packet);
	return err;
}

/* A ping is queued when it is due, whether or not a GET is there to take it. False when its answer is overdue, and the
 * session has ended. */
static bool
keep_time(struct sl_eio_session *s)
{
	static const char ping = PING;
	uint64_t now_ms = get_now(s);
	if (s->taking) /* its client speaks on the WebSocket, which is not read meanwhile */
		return true;
	if (!s->pong_by_ms && now_ms >= s->ping_ms) {
		s->pong_by_ms = s->ping_ms + get_config(s)->engineio_ping_timeout_ms;
		if (now_ms < s->pong_by_ms)
			queue(s, &ping, 1); /* else it is over anyway; a full queue is, soon */
	}
	if (!s->pong_by_ms || now_ms < s->pong_by_ms)
		return true;
	sl_session_expire(&s->session);
	return false;
}

static void
on_timer(struct sl_session *session)
{
	struct sl_eio_session *s = of_session(session);
	if (s->is_leaving) {
		sl_session_close(session);
		return;
	}
	if (s->taking) {
		sl_eio_upgrade_go_on(s);
		return;
	}
	if (!keep_time(s))
		return;
	if (s->held && s->is_probed && !s->is_asking && get_now(s) >= s->noop_ms) {
		s->noop_ms = get_now(s) + NOOP_EVERY_MS;
		sl_eio_session_answer_with(s, NOOP);
	}
	set_timer(s);
}

static void
on_pong(struct sl_eio_socket *socket)
{
	struct sl_eio_session *s = of_socket(socket);
	if (!s->pong_by_ms)
		return; /* nobody has asked: the client's own clock runs by our pings */
	s->pong_by_ms = 0;
	s->ping_ms = get_now(s) + get_config(s)->engineio_ping_interval_ms;
	set_timer(s);
}

/* ---- life ---- */

static int
open_socket(struct sl_eio_session *s, const struct sl_eio_user *user, const struct sl_request *request)
{
	s->socket = sl_eio_socket_create(user, s->session.id);
	if (!s->socket)
		return SL_ENOMEM;
	sl_eio_socket_put(s->socket, &carrier, &s->session.subscriber);
	int err = user->open(s->socket, request);
	s->was_opened = err == 0;
	return err;
}

int
sl_eio_session_open(struct sl_eio_session **out, const struct sl_eio_user *user, struct sl_shard *shard,
	const struct sl_request *request, struct sl_owner *address)
{
	struct sl_eio_session *s = calloc(1, sizeof *s);
	if (!s)
		return SL_ENOMEM;
	int err = sl_session_open(&s->session, shard, &session_ops, user->get_encoder(false), request->principal,
		address);
	if (err != 0) {
		free(s);
		return err;
	}
	err = open_socket(s, user, request);
	if (err != 0) {
		sl_session_close(&s->session);
		return err;
	}
	s->ping_ms = shard->loop.now_ms + shard->config->engineio_ping_interval_ms;
	set_timer(s);
	*out = s;
	return 0;
}

/* A packet for a GET that is held, by what ends it: the client that says `1` wants nothing more; every other one is to
 * connect again. */
static void
end(struct sl_session *session, enum sl_end_reason reason)
{
	sl_eio_session_answer_with(of_session(session), reason == SL_END_CLIENT ? NOOP : CLOSE);
}

static void
drop_socket(struct sl_eio_session *s)
{
	struct sl_eio_socket *socket = s->socket;
	s->socket = NULL;
	sl_eio_socket_destroy(socket, s->session.subscriber.shard, s->was_opened);
}

static void
on_close(struct sl_session *session)
{
	struct sl_eio_session *s = of_session(session);
	sl_eio_session_answer_with(s, CLOSE);
	if (s->taking)
		sl_eio_upgrade_refuse(s);
	drop_socket(s);
}

static const struct sl_session_ops session_ops = {
	.answer = answer,
	.on_timer = on_timer,
	.end = end,
	.on_close = on_close,
};

/* ---- what its socket wants ---- */

static bool
send_message(struct sl_eio_socket *socket, struct sl_span data, bool is_binary)
{
	struct sl_eio_session *s = of_socket(socket);
	struct sl_buffer packet = SL_BUFFER_INIT;
	sl_eio_packet_append_message(&packet, data, is_binary);
	int err = packet.failed ? SL_ENOMEM : queue(s, packet.bytes, packet.len);
	sl_buffer_finish(&packet);
	if (err != 0)
		sl_session_end(&s->session, SL_END_SLOW_CONSUMER);
	return err == 0;
}

/* A client that leaves ends its GET by that, with `6`; which of the two comes first over two connections is
 * chance. */
static void
close_socket(struct sl_eio_socket *socket, enum sl_end_reason reason)
{
	struct sl_eio_session *s = of_socket(socket);
	if (reason != SL_END_CLIENT || s->held || s->taking) {
		sl_session_end(&s->session, reason);
		return;
	}
	s->is_leaving = true;
	sl_verbs_forget(&s->session.subscriber); /* whose answers go to the socket */
	sl_fanout_unsubscribe_all(&s->session.subscriber);
	drop_socket(s);
	sl_session_set_timer(&s->session, get_now(s) + LEAVING_MS);
}

static struct sl_owner *
get_address(const struct sl_eio_socket *socket)
{
	return sl_session_of_subscriber(socket->subscriber)->address;
}

static const struct sl_eio_carrier carrier = {
	.send = send_message,
	.on_pong = on_pong,
	.close = close_socket,
	.get_address = get_address,
};

/* ---- its client's requests ---- */

bool
sl_eio_session_take_leave(struct sl_visit *visit, struct sl_shard *shard)
{
	struct sl_session *found = sl_session_find(shard, visit->id);
	struct sl_eio_session *s = found && found->ops == &session_ops ? of_session(found) : NULL;
	if (!s || !s->is_leaving)
		return false;
	s->held = visit;
	sl_eio_session_answer_with(s, NOOP);
	sl_session_close(&s->session);
	return true;
}

struct sl_eio_session *
sl_eio_session_find(const struct sl_visit *visit, struct sl_shard *shard, const struct sl_eio_user *user,
	enum sl_eio_error *error)
{
	struct sl_session *found = sl_session_find(shard, visit->id);
	struct sl_eio_session *s = found && found->ops == &session_ops ? of_session(found) : NULL;
	*error = sl_session_has_moved(shard, visit->id) ? SL_EIO_BAD_REQUEST : SL_EIO_SESSION_UNKNOWN;
	if (!s || s->is_leaving)
		return NULL;
	return s->socket->user == user && keep_time(s) ? s : NULL;
}

static void
hold(struct sl_eio_session *s)
{
	bool is_late = s->is_probed && get_now(s) >= s->noop_ms;
	if (!sl_session_hold(&s->session) || !s->held)
		return;
	if (is_late) {
		s->noop_ms = get_now(s) + NOOP_EVERY_MS;
		sl_eio_session_answer_with(s, NOOP);
	}
	set_timer(s);
}

/* Which of two GETs its client would take the answer of, nobody knows. */
static void
refuse_second(struct sl_eio_session *s, struct sl_visit *visit)
{
	sl_session_end(&s->session, SL_END_PROTOCOL);
	sl_eio_reply_set_error(&visit->reply, SL_EIO_BAD_REQUEST);
	sl_visit_answer(visit);
}

void
sl_eio_session_get(struct sl_eio_session *s, struct sl_visit *visit)
{
	if (s->held) {
		refuse_second(s, visit);
		return;
	}
	if (s->taking) { /* it is on the WebSocket already */
		sl_eio_reply_set_error(&visit->reply, SL_EIO_BAD_REQUEST);
		sl_visit_answer(visit);
		return;
	}
	s->held = visit;
	visit->user = s;
	s->is_asking = s->is_probed && sl_eio_upgrade_ask(s);
	if (s->is_asking)
		sl_session_touch(&s->session);
	else
		hold(s);
}

void
sl_eio_session_go_on(struct sl_eio_session *s)
{
	if (!s->is_asking)
		return;
	s->is_asking = false;
	hold(s);
}

static bool
is_open(const struct sl_eio_session *s)
{
	return s->session.is_open && !s->is_leaving;
}

int
sl_eio_session_post(struct sl_eio_session *s, struct sl_span payload)
{
	struct sl_buffer decoded = SL_BUFFER_INIT;
	struct sl_span text;
	int err = sl_utf8_valid(payload.bytes, payload.len) ? 0 : SL_EINVAL;
	sl_session_touch(&s->session);
	while (err == 0 && is_open(s) && sl_eio_packet_next(&payload, &text)) {
		struct sl_eio_packet packet;
		err = sl_eio_packet_read(&packet, text, &decoded);
		if (err == 0)
			sl_eio_socket_take(s->socket, &packet);
	}
	sl_buffer_finish(&decoded);
	if (err != 0 && is_open(s))
		sl_session_end(&s->session, SL_END_PROTOCOL);
	return err;
}

void
sl_eio_session_leave(struct sl_eio_session *s, struct sl_visit *visit)
{
	if (s->held == visit)
		s->held = NULL;
	if (s->taking == visit)
		s->taking = NULL;
	sl_session_release(&s->session);
	sl_session_end(&s->session, SL_END_CLIENT);
}

/* ---- while a WebSocket probes ---- */

void
sl_eio_session_begin_probed(struct sl_eio_session *s)
{
	s->is_probed = true;
	s->noop_ms = get_now(s);
	if (s->held) {
		s->noop_ms += NOOP_EVERY_MS;
		sl_eio_session_answer_with(s, NOOP);
	}
	set_timer(s);
}

void
sl_eio_session_end_probe(struct sl_eio_session *s)
{
	s->prober = NULL;
	s->is_probed = false;
	sl_eio_session_go_on(s);
	set_timer(s);
}
