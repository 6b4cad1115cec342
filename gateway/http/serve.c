#include "http/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/principal.h"
#include "core/owners.h"
#include "http/api_publish.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/front.h"
#include "http/gate.h"
#include "http/http.h"
#include "http/observer.h"
#include "http/relay.h"
#include "http/reply.h"
#include "http/route.h"
#include "http/transport.h"
#include "live/lease.h"
#include "live/refusal.h"
#include "live/shard.h"
#include "util/err.h"
#include "util/log.h"
#include "util/quote.h"

struct sl_posting_request {
	struct sl_posting posting;        /* first: on_done gets it */
	struct sl_connection *connection; /* NULL once the client has left */
};

static struct sl_metrics *
get_metrics(struct sl_connection *c)
{
	return &c->link.shard->metrics;
}

/* The answer may be rendered later, when the settings that the origin is borrowed from are gone. */
static int
begin_answer(struct sl_connection *c, const struct sl_request *request, bool keep_alive)
{
	c->keep_alive = keep_alive && !c->link.shard->draining;
	c->is_head = sl_head_is_method(request->head, "HEAD");
	free(c->cors_origin);
	c->cors_origin = request->cors.origin ? strdup(request->cors.origin) : NULL;
	c->has_credentials = request->cors.credentials;
	return request->cors.origin && !c->cors_origin ? SL_ENOMEM : 0;
}

/* From here on the connection's bytes are those of a class; the request's were the first. */
static void
account(struct sl_connection *c, enum sl_class class, const struct sl_served_bytes *bytes)
{
	sl_link_set_class(&c->link, class);
	sl_link_count_in(&c->link, class, bytes->head + bytes->body);
}

/* ---- refusals ---- */

/* Tells the operator whom --raise-limits might name; the sentence is ours. */
static void
log_limited(const struct sl_connection *c, const char *reason)
{
	char client[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&c->link.client, client);
	sl_log_limited(SL_LOG_INFO, "client.limited", "client=%s reason=\"%s\"", client, reason);
}

static bool
refuses_all(const struct sl_transport *transport)
{
	return transport && (transport->capabilities & SL_REFUSES);
}

/* True where the transport has a better answer than the usual one: `reply` is filled. */
static bool
let_transport_refuse(const struct sl_judgement *judgement, struct sl_reply *reply)
{
	const struct sl_gate_refusal *refusal = &judgement->refusal;
	const struct sl_transport *transport = judgement->request.transport;
	bool is_asked = transport && transport->refuse &&
		(refusal->concern != SL_CONCERN_REQUEST || refuses_all(transport));
	if (!is_asked || !transport->refuse(reply, &judgement->request, refusal))
		return false;
	if (!refuses_all(transport))
		return true;
	if (refusal->status == 429)
		sl_response_add_text(&reply->head, "Retry-After", SL_REPLY_RETRY_AFTER_S);
	sl_gate_add_fields(judgement, reply);
	return true;
}

static void
refuse(struct sl_connection *c, const struct sl_judgement *judgement)
{
	const struct sl_gate_refusal *refusal = &judgement->refusal;
	struct sl_reply reply = { .head.status = 0 };
	bool is_refused = judgement->verdict == SL_GATE_REFUSE;
	if (!is_refused || !let_transport_refuse(judgement, &reply))
		sl_gate_fill_reply(judgement, &reply);
	if (is_refused && refusal->counter != SL_COUNTER_COUNT)
		sl_metrics_add(get_metrics(c), refusal->counter, 1);
	if (is_refused && refusal->retry_ms)
		log_limited(c, refusal->message);
	if (is_refused && refusal->closes)
		c->keep_alive = false;
	sl_connection_send_reply(c, &reply);
}

void
sl_serve_unread(struct sl_connection *c, struct sl_judgement *judgement)
{
	c->link.lingers_long = true;
	if (begin_answer(c, &judgement->request, false) != 0)
		sl_link_close(&c->link);
	else
		refuse(c, judgement);
}

static void
set_limit(struct sl_connection *c, struct sl_reply *reply, uint64_t wait_ms)
{
	struct sl_refusal refusal;
	sl_refusal_set_limit(&refusal, SL_LIMIT_REQUESTS, wait_ms);
	sl_metrics_add(get_metrics(c), sl_limit_counter(SL_LIMIT_REQUESTS), 1);
	sl_reply_set_error(reply, 429, refusal.code, refusal.message);
	sl_reply_set_retry_after(reply, sl_refusal_get_retry_s(&refusal));
}

static void
set_refusal(struct sl_reply *reply, const struct sl_head_refusal *refusal)
{
	char message[SL_QUOTED_SIZE + 128], quoted[SL_QUOTED_SIZE];
	if (refusal->where) {
		sl_quote(quoted, refusal->value);
		snprintf(message, sizeof message, "%s: %s %s", refusal->where, quoted, refusal->message);
	}
	sl_reply_set_error(reply, refusal->status, refusal->code, refusal->where ? message : refusal->message);
}

void
sl_serve_malformed(struct sl_connection *c, const struct sl_head_refusal *refusal)
{
	struct sl_reply reply = { .head.status = 0 };
	c->keep_alive = c->is_head = false;
	c->link.lingers_long = true;
	free(c->cors_origin);
	c->cors_origin = NULL;
	sl_link_set_class(&c->link, SL_CLASS_HTTP);
	uint64_t wait_ms = sl_owner_take(c->link.owner, SL_LIMIT_REQUESTS, 1, c->link.shard->loop.now_ms);
	if (wait_ms)
		set_limit(c, &reply, wait_ms);
	else
		set_refusal(&reply, refusal);
	sl_connection_send_reply(c, &reply);
}

void
sl_serve_failed(struct sl_connection *c, int err)
{
	struct sl_reply reply = { .head.status = 0 };
	if (c->link.state >= SL_LINK_ENDING || sl_link_has_output(&c->link)) {
		sl_link_close(&c->link);
		return;
	}
	sl_reply_set_err(&reply, err);
	c->keep_alive = false;
	sl_connection_send_reply(c, &reply);
}

/* ---- publishing ---- */

static void
on_published(struct sl_posting *posting)
{
	struct sl_posting_request *pending = (struct sl_posting_request *)posting;
	struct sl_connection *c = pending->connection;
	struct sl_reply reply = { .head.status = 0 };
	sl_api_publish_end(posting, c ? &reply : NULL);
	if (c) {
		c->posting = NULL;
		sl_connection_send_reply(c, &reply);
	}
	free(pending);
}

void
sl_serve_forget(struct sl_connection *c)
{
	if (c->posting)
		c->posting->connection = NULL;
	c->posting = NULL;
}

static void
publish(struct sl_connection *c, const struct sl_request *request)
{
	struct sl_reply reply = { .head.status = 0 };
	struct sl_posting_request *pending = calloc(1, sizeof *pending);
	if (!pending) {
		sl_serve_failed(c, SL_ENOMEM);
		return;
	}
	pending->posting.on_done = on_published;
	pending->connection = c;
	if (sl_api_publish_begin(&pending->posting, c->link.shard, request, &reply) == SL_PENDING) {
		c->posting = pending;
		sl_connection_wait(c);
		return;
	}
	free(pending);
	sl_connection_send_reply(c, &reply);
}

/* ---- the others ---- */

static void
relay(struct sl_connection *c, const struct sl_request *request)
{
	struct sl_exchange *exchange = sl_exchange_create(c, request);
	if (!exchange) {
		sl_serve_failed(c, SL_ENOMEM);
		return;
	}
	if (exchange->reply.head.status) {
		sl_connection_send_reply(c, &exchange->reply);
		sl_exchange_destroy(exchange);
		return;
	}
	c->exchange = exchange;
	sl_connection_wait(c);
	if (exchange->is_waiting)
		return;
	sl_relay_begin(c->link.shard->front->relay, exchange);
}

void
sl_serve_waiting(struct sl_exchange *exchange)
{
	struct sl_connection *c = exchange->connection;
	if (c) {
		c->exchange = NULL;
		sl_connection_send_reply(c, &exchange->reply);
	}
	sl_exchange_destroy(exchange);
}

/* It could not be opened. */
static void
fail(struct sl_connection *c, struct sl_judgement *judgement, int err)
{
	bool is_told = refuses_all(judgement->request.transport) && c->link.state < SL_LINK_ENDING &&
		!sl_link_has_output(&c->link);
	if (!is_told) {
		sl_serve_failed(c, err);
		return;
	}
	sl_gate_refuse_err(judgement, err);
	c->keep_alive = false;
	refuse(c, judgement);
}

/* HEAD joins nothing, and opens nothing. */
static void
describe(struct sl_connection *c, struct sl_judgement *judgement)
{
	const struct sl_request *request = &judgement->request;
	struct sl_reply reply = { .head.status = 0 };
	if (!request->transport->describe) {
		sl_gate_refuse_method(judgement);
		refuse(c, judgement);
		return;
	}
	request->transport->describe(c, request, &reply.head);
	sl_connection_send_reply(c, &reply);
}

/* Where they are told apart from those that do not exist, which is a question of a request that names them. */
static int
find_leased(struct sl_connection *c, const struct sl_request *request)
{
	const struct sl_join *join = &request->params.join;
	return request->route->has_no_channels ? 0 :
		sl_lease_find_all(c->link.shard, join->channels, join->channel_count);
}

static void
deliver(struct sl_connection *c, struct sl_judgement *judgement, const struct sl_served_bytes *bytes)
{
	const struct sl_request *request = &judgement->request;
	const struct sl_transport *transport = request->transport;
	struct sl_reply reply = { .head.status = 0 };
	int lent = find_leased(c, request);
	if (lent != 0)
		sl_reply_set_err(&reply, lent);
	if (lent != 0 || (transport->check && transport->check(c, request, &reply) != 0)) {
		account(c, SL_CLASS_HTTP, bytes);
		sl_connection_send_reply(c, &reply);
		return;
	}
	account(c, c->is_head ? SL_CLASS_HTTP : transport->class, bytes);
	if (c->is_head) {
		describe(c, judgement);
		return;
	}
	if (!(transport->capabilities & SL_HAS_SESSIONS)) /* whose answers are counted by their status */
		sl_metrics_add(get_metrics(c), SL_COUNTER_REQUESTS_2XX, 1);
	int err = sl_connection_serve(c, request);
	if (err != 0)
		fail(c, judgement, err);
}

int
sl_serve_enter(struct sl_connection *c, struct sl_owner *subject)
{
	if (subject == c->stream_owner)
		return 0;
	enum sl_owner_verdict verdict = sl_owner_enter(subject);
	if (verdict != SL_OWNER_OK) {
		if (verdict != SL_OWNER_HARD)
			sl_owner_leave(subject);
		return SL_ELIMITED;
	}
	sl_owner_leave(c->stream_owner);
	sl_owner_unref(c->stream_owner);
	c->stream_owner = sl_owner_ref(subject);
	return 0;
}

/* False when its subject has as many streams as it may have, which has been answered then. */
static bool
enter(struct sl_connection *c, struct sl_judgement *judgement, const struct sl_served_bytes *bytes)
{
	struct sl_gate_refusal *refusal = &judgement->refusal;
	const struct sl_request *request = &judgement->request;
	bool is_stream = request->principal && !c->is_head &&
		!(request->transport->capabilities & SL_HAS_SESSIONS);
	struct sl_owner *subject = is_stream ? sl_principal_get_owner(request->principal) : NULL;
	if (sl_serve_enter(c, subject) == 0)
		return true;
	judgement->verdict = SL_GATE_REFUSE;
	refusal->status = 429;
	refusal->code = "too_many_connections";
	refusal->concern = SL_CONCERN_ROOM;
	refusal->counter = SL_COUNTER_LIMITED_CONNECTIONS;
	snprintf(refusal->message, sizeof refusal->message,
		"more streams than --max-connections-per-subject allows one subject; try again later");
	account(c, SL_CLASS_HTTP, bytes);
	refuse(c, judgement);
	return false;
}

/* False when who looks on refuses it, which has been answered then. */
static bool
ask_observer(struct sl_connection *c, const struct sl_request *request,
	const struct sl_served_bytes *bytes)
{
	const struct sl_observer *observer = c->link.shard->front->http->observer;
	enum sl_class class = request->transport ? request->transport->class : SL_CLASS_HTTP;
	struct sl_reply reply = { .head.status = 0 };
	if (!observer || request->route->kind == SL_ROUTE_ORDINARY)
		return true;
	observer->on_request(c, request, class, bytes->body, bytes->began_us);
	if (observer->may_serve(c, request, class, &reply))
		return true;
	account(c, SL_CLASS_HTTP, bytes);
	sl_connection_send_reply(c, &reply);
	return false;
}

void
sl_serve(struct sl_connection *c, struct sl_judgement *judgement,
	const struct sl_served_bytes *bytes)
{
	const struct sl_request *request = &judgement->request;
	if (begin_answer(c, request, request->keep_alive) != 0) {
		sl_link_close(&c->link);
	} else if (judgement->verdict != SL_GATE_SERVE) {
		account(c, SL_CLASS_HTTP, bytes);
		refuse(c, judgement);
	} else if (!ask_observer(c, request, bytes)) {
		return;
	} else if (request->route->kind == SL_ROUTE_DELIVER) {
		if (enter(c, judgement, bytes))
			deliver(c, judgement, bytes);
	} else {
		account(c, SL_CLASS_HTTP, bytes);
		if (request->route->kind == SL_ROUTE_PUBLISH)
			publish(c, request);
		else
			relay(c, request);
	}
}
