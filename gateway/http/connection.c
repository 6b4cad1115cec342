#include "http/connection.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "core/owners.h"
#include "http/exchange.h"
#include "http/front.h"
#include "http/handshake.h"
#include "http/http.h"
#include "http/incoming.h"
#include "http/preface.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/serve.h"
#include "http/transport.h"
#include "http/trust.h"
#include "http/visit.h"
#include "live/intake.h"
#include "live/shard.h"
#include "util/buffer.h"
#include "util/err.h"

static const struct sl_link_ops link_ops;

struct sl_connection *
sl_connection_of_subscriber(struct sl_subscriber *subscriber)
{
	return sl_connection_of_link(subscriber->link);
}

/* ---- life ---- */

static void
await_preface(struct sl_connection *c)
{
	c->phase = SL_PHASE_PREFACE;
	sl_link_set_timer(&c->link, c->link.shard->loop.now_ms + SL_IDLE_MS);
}

struct sl_connection *
sl_connection_create(struct sl_front *front, const struct sl_arrival *arrival)
{
	struct sl_connection *c = calloc(1, sizeof *c + front->http->extra_size);
	if (!c)
		return NULL;
	if (sl_link_open(&c->link, front->shard, &link_ops, SL_CLASS_HTTP, arrival->fd,
			arrival->peer) != 0) {
		free(c);
		return NULL;
	}
	bool is_trusted = sl_trust_has(front, &c->link.socket.peer);
	c->is_full = arrival->is_full;
	c->is_admin = arrival->is_admin;
	c->peer_owner = arrival->owner;
	c->link.owner = sl_owner_ref(c->peer_owner);
	c->speaks_tls = c->is_secure = c->came_secure = arrival->speaks_tls;
	if (is_trusted)
		sl_share_move(&c->link.steps, NULL); /* nobody knows yet whose connection it is */
	if (is_trusted)
		await_preface(c);
	else
		sl_connection_begin(c, NULL, 0);
	return c;
}

void
sl_connection_begin(struct sl_connection *c, char *bytes, size_t len)
{
	if (c->speaks_tls) {
		c->phase = SL_PHASE_HANDSHAKE;
		sl_handshake_begin(c, bytes, len);
		return;
	}
	sl_connection_read_requests(c);
	if (len)
		sl_incoming_take(c, bytes, len);
}

void
sl_connection_read_requests(struct sl_connection *c)
{
	c->phase = SL_PHASE_READING;
	sl_link_set_timer(&c->link, c->link.shard->loop.now_ms + SL_IDLE_MS);
}

static void
finish_serving(struct sl_connection *c)
{
	sl_subscriber_leave(&c->subscriber);
	if (c->has_served && c->transport->finish)
		c->transport->finish(c);
	c->has_served = false;
	sl_owner_leave(c->stream_owner);
	sl_owner_unref(c->stream_owner);
	c->stream_owner = NULL;
}

static void
on_close(struct sl_link *link)
{
	struct sl_connection *c = sl_connection_of_link(link);
	sl_visit_forget(c); /* first: its transport may keep what it was begun with */
	finish_serving(c);
	sl_handshake_drop(c);
	sl_serve_forget(c);
	if (c->exchange)
		c->exchange->connection = NULL;
	c->exchange = NULL;
	sl_incoming_drop(c);
	sl_trust_end_request(c);
	sl_preface_drop(c);
	free(c->cors_origin);
	c->cors_origin = NULL;
}

/* ---- answers ---- */

void
sl_connection_fill_response(const struct sl_connection *c, struct sl_response *response)
{
	response->cors = (struct sl_cors){ c->cors_origin, c->has_credentials };
	response->closes |= !c->keep_alive;
}

/* Whoever asks on all the same would be answered 429 as fast as it can write, which costs others as much as what
 * it asks for. A proxy's connection has the requests of others too. */
static void
await_next(struct sl_connection *c)
{
	bool is_held = c->is_above_limit && c->peer_owner;
	c->phase = is_held ? SL_PHASE_HELD : SL_PHASE_READING;
	c->is_above_limit = false;
	sl_link_set_timer(&c->link, c->link.shard->loop.now_ms + (is_held ? SL_HELD_MS : SL_PARKED_MS));
}

static void
read_on(struct sl_connection *c)
{
	c->phase = SL_PHASE_READING;
	sl_link_set_timer(&c->link, c->link.shard->loop.now_ms + SL_PARKED_MS);
	sl_link_add_work(&c->link);
}

void
sl_connection_conclude(struct sl_connection *c)
{
	struct sl_link *link = &c->link;
	finish_serving(c);
	sl_trust_end_request(c);
	if (link->state >= SL_LINK_ENDING)
		return;
	c->phase = SL_PHASE_READING;
	if (!c->keep_alive) {
		sl_link_end(link);
		return;
	}
	free(c->cors_origin);
	c->cors_origin = NULL;
	await_next(c);
	sl_link_add_work(link); /* something may have come behind the request */
}

void
sl_connection_send_reply(struct sl_connection *c, struct sl_reply *reply)
{
	sl_connection_send_reply_with(c, reply, NULL);
}

void
sl_connection_send_reply_with(struct sl_connection *c, struct sl_reply *reply, struct sl_wire *wire)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	if (reply->head.closes)
		c->keep_alive = false;
	if (!reply->head.is_foreign)
		sl_connection_fill_response(c, &reply->head);
	reply->head.closes |= !c->keep_alive;
	c->is_above_limit = reply->head.status == 429 && reply->retry_after[0];
	reply->more_len = wire ? wire->len : 0;
	sl_reply_append_response(reply, &bytes, c->is_head);
	sl_reply_finish(reply);
	sl_metrics_add(&c->link.shard->metrics, sl_counter_of_status(reply->head.status), 1);
	sl_link_send_buffer(&c->link, &bytes);
	sl_buffer_finish(&bytes);
	if (wire)
		sl_link_push(&c->link, wire, 0);
	sl_connection_conclude(c);
}

void
sl_connection_wait(struct sl_connection *c)
{
	c->phase = SL_PHASE_WAITING;
	sl_timer_cancel(&c->link.shard->loop.timers, &c->link.timer);
}

void
sl_connection_end_answer(struct sl_connection *c, bool closes)
{
	c->exchange = NULL;
	if (closes)
		c->keep_alive = false;
	sl_connection_conclude(c);
}

/* ---- transports ---- */

int
sl_connection_serve(struct sl_connection *c, const struct sl_request *request)
{
	c->transport = request->transport;
	c->phase = SL_PHASE_SERVING;
	c->has_served = true;
	memset(&c->subscriber, 0, sizeof c->subscriber);
	memset(c->extra, 0, c->transport->extra_size);
	sl_subscriber_admit(&c->subscriber, c->link.shard, request->principal, &c->link);
	return c->transport->open(c, request);
}

bool
sl_connection_reads_on(const struct sl_connection *c)
{
	return c->transport->receive || !(c->subscriber.encoder->capabilities & SL_ONE_SHOT);
}

/* What is too much for this turn is kept for the next. */
static void
hand_over(struct sl_connection *c, char *bytes, size_t len)
{
	size_t used = c->transport->receive(c, bytes, len);
	if (used < len)
		sl_intake_keep(&c->link, bytes + used, len - used);
}

void
sl_connection_receive(struct sl_connection *c, char *bytes, size_t len)
{
	sl_link_count_in(&c->link, c->transport->class, len);
	sl_socket_tell_tap(&c->link.socket, bytes, (ssize_t)len);
	if (c->transport->receive)
		hand_over(c, bytes, len);
	else
		c->link.garbage_bytes += (uint32_t)len;
}

static void
read_while_served(struct sl_connection *c)
{
	char *bytes = c->link.shard->read_buffer;
	if (!c->transport->receive || c->subscriber.conclusion) {
		sl_intake_discard(&c->link);
		return;
	}
	if (!sl_intake_may_read(&c->link))
		return;
	ssize_t got = sl_intake_read(&c->link, bytes, SL_READ_BUFFER);
	if (got > 0)
		hand_over(c, bytes, (size_t)got);
	else if (got != SL_EAGAIN)
		sl_link_close(&c->link);
}

/* True when nothing is left of it, and more may be read. */
static bool
receive_kept(struct sl_connection *c)
{
	struct sl_link *link = &c->link;
	struct sl_kept *kept = sl_intake_take_kept(link);
	if (!kept)
		return true;
	link->last_read_ms = link->shard->loop.now_ms; /* its client was not silent meanwhile */
	kept->at += (uint32_t)c->transport->receive(c, kept->bytes + kept->at, kept->len - kept->at);
	sl_intake_give_back(link, kept);
	return link->state == SL_LINK_OPEN && !link->kept;
}

/* What came behind the request while that was visiting was kept by the reader of requests; what came later by the
 * link, or stands in the socket. */
void
sl_connection_read_on(struct sl_connection *c)
{
	struct sl_link *link = &c->link;
	if (link->state != SL_LINK_OPEN || c->phase != SL_PHASE_SERVING || !sl_connection_reads_on(c))
		return;
	sl_incoming_release(c);
	if (link->state != SL_LINK_OPEN)
		return;
	if (link->kept)
		sl_share_wait(&link->steps);
	else
		sl_intake_watch(link);
	sl_link_add_work(link); /* of TLS no event tells */
}

/* ---- what the link tells ---- */

static void
read_requests(struct sl_connection *c)
{
	struct sl_shard *shard = c->link.shard;
	if (!sl_intake_may_read(&c->link))
		return;
	ssize_t got = sl_intake_read_quietly(&c->link, shard->read_buffer,
		SL_READ_AHEAD - sl_preface_get_held(c));
	if (got == SL_EAGAIN)
		return;
	if (got < 0) {
		sl_link_close(&c->link);
		return;
	}
	if (c->phase == SL_PHASE_PREFACE)
		sl_preface_take(c, shard->read_buffer, (size_t)got);
	else
		sl_incoming_take(c, shard->read_buffer, (size_t)got);
}

/* While a request is answered only the client's leaving is news: the next may wait. One that has sent
 * its last request and shut its side down still gets the answer, but for a held one. */
static void
rest(struct sl_connection *c, uint32_t events)
{
	bool is_held = c->phase == SL_PHASE_SERVING ||
		(c->phase == SL_PHASE_VISITING && !c->visit->is_brief);
	if ((events & (EPOLLHUP | EPOLLERR)) || (is_held && (events & EPOLLRDHUP))) {
		sl_socket_tell_tap(&c->link.socket, NULL, SL_ECLOSED);
		sl_link_close(&c->link);
		return;
	}
	sl_loop_change(&c->link.shard->loop, &c->link.watch,
		(c->link.watch.events & EPOLLOUT) | (is_held ? EPOLLRDHUP : 0));
}

/* After the requests that are kept: the client may have left behind them. */
static bool
reads_requests(const struct sl_connection *c)
{
	return c->phase == SL_PHASE_BODY || c->phase == SL_PHASE_SWALLOWING ||
		c->phase == SL_PHASE_PREFACE ||
		(c->phase == SL_PHASE_READING && !sl_link_has_output(&c->link) && !c->link.has_work);
}

static void
on_readable(struct sl_link *link, uint32_t events)
{
	struct sl_connection *c = sl_connection_of_link(link);
	if (c->phase == SL_PHASE_SERVING && sl_connection_reads_on(c))
		read_while_served(c);
	else if (reads_requests(c))
		read_requests(c);
	else if (c->phase == SL_PHASE_HANDSHAKE)
		sl_handshake_continue(c);
	else
		rest(c, events);
}

static void
on_idle(struct sl_link *link)
{
	struct sl_connection *c = sl_connection_of_link(link);
	if (c->phase == SL_PHASE_SERVING) {
		sl_subscriber_on_idle(&c->subscriber);
	} else if (c->phase == SL_PHASE_READING && (!c->incoming || sl_intake_may_read(link))) {
		sl_loop_change(&link->shard->loop, &link->watch, EPOLLIN | EPOLLRDHUP);
		sl_incoming_go_on(c);
	}
}

static void
go_on(struct sl_link *link)
{
	struct sl_connection *c = sl_connection_of_link(link);
	if (c->phase == SL_PHASE_SERVING && sl_connection_reads_on(c)) {
		if (receive_kept(c))
			read_while_served(c);
		sl_intake_watch(link);
		return;
	}
	if (c->phase == SL_PHASE_READING && reads_requests(c))
		sl_incoming_go_on(c);
	if (link->state != SL_LINK_OPEN)
		return;
	/* While an answer is on its way there is nothing to watch for: on_idle goes on. */
	bool reads = reads_requests(c);
	if (reads || c->phase == SL_PHASE_SERVING || c->phase == SL_PHASE_VISITING)
		sl_intake_watch(link);
	if (reads)
		read_requests(c);
}

static void
on_timer(struct sl_link *link)
{
	struct sl_connection *c = sl_connection_of_link(link);
	if (c->phase == SL_PHASE_SERVING && c->transport->on_timer) {
		c->transport->on_timer(c);
	} else if (c->phase == SL_PHASE_SERVING) {
		sl_subscriber_on_timer(&c->subscriber);
	} else if (c->phase == SL_PHASE_HANDSHAKE) {
		sl_handshake_expire(c);
	} else if (c->phase == SL_PHASE_HELD) {
		read_on(c);
	} else if (sl_share_is_waiting(&link->steps)) {
		sl_link_set_timer(link, link->shard->loop.now_ms + SL_IDLE_MS); /* it is not its fault */
	} else {
		if (sl_incoming_is_partial(c) || sl_preface_get_held(c))
			sl_metrics_add(&link->shard->metrics, SL_COUNTER_REQUEST_TIMEOUTS, 1);
		sl_link_close(link);
	}
}

static void
end(struct sl_link *link, enum sl_end_reason reason)
{
	struct sl_connection *c = sl_connection_of_link(link);
	c->keep_alive = false;
	if (c->phase == SL_PHASE_SERVING)
		sl_subscriber_end(&c->subscriber, reason);
	else if (reason == SL_END_SLOW_CONSUMER)
		sl_link_abort(link); /* a shortened answer must not look complete */
	else if (c->phase == SL_PHASE_READING || c->phase == SL_PHASE_PREFACE ||
			c->phase == SL_PHASE_HANDSHAKE || c->phase == SL_PHASE_HELD)
		sl_link_end(link);
}

static bool
on_outage(struct sl_link *link)
{
	struct sl_connection *c = sl_connection_of_link(link);
	if (c->phase != SL_PHASE_SERVING)
		return false;
	sl_outage_tell(&c->subscriber);
	return true;
}

static const struct sl_link_ops link_ops = {
	.on_readable = on_readable,
	.on_idle = on_idle,
	.on_timer = on_timer,
	.go_on = go_on,
	.end = end,
	.on_outage = on_outage,
	.on_close = on_close,
};
