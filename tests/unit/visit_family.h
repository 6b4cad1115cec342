/* A family of clients as small as can be (http/visit.h), for tests: sessions that are there without being
 * opened, one on each of two shards. GET and POST at /family/?sid=N, N being the shard: a POST is answered with its body
 * at once, a GET is held until a test answers it, or goes on as a stream of its own with up=1.
 * Owner: static. Thread: main. Errors: as in the gateway. */
#ifndef SL_TESTS_VISIT_FAMILY_H
#define SL_TESTS_VISIT_FAMILY_H

#include <string.h>

#include "http/connection.h"
#include "http/gate.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/route.h"
#include "http/transport.h"
#include "http/visit.h"
#include "live/shard.h"

enum { FAMILY_SID, FAMILY_UP, FAMILY_CLOSE };
enum { FAMILY_GET, FAMILY_POST };

#define FAMILY_BODY_MAX 5000

struct family_session {
	struct sl_visit *held;
	unsigned arrived, left, dropped, goes_on;
	bool brings;            /* its answers have a result */
	const char *body_bytes; /* where the last body was */
	size_t received;        /* bytes that a stream of its own has sent */
};

static struct family_session family_sessions[2];

static inline struct family_session *
family_of(const struct sl_visit *visit)
{
	return &family_sessions[visit->owner->index];
}

/* `head` of `more` bytes that follow the text. */
static inline void
family_fill(struct sl_visit *visit, const char *text, size_t len)
{
	visit->reply.head.status = 200;
	visit->reply.head.content_type = "text/plain; charset=UTF-8";
	sl_buffer_append(&visit->reply.body, text, len);
	if (family_of(visit)->brings)
		visit->result = family_of(visit);
}

static inline void
family_arrive(struct sl_visit *visit, struct sl_shard *owner)
{
	struct family_session *session = family_of(visit);
	(void)owner;
	session->arrived++;
	session->body_bytes = visit->body.bytes;
	visit->user = session;
	if (visit->kind == FAMILY_POST) {
		family_fill(visit, visit->body.bytes, visit->body.len);
		sl_visit_answer(visit);
	} else {
		session->held = visit;
	}
}

static inline void
family_leave(struct sl_visit *visit, struct sl_shard *owner)
{
	struct family_session *session = visit->user;
	(void)owner;
	session->left++;
	session->held = NULL;
}

static inline void
family_drop(struct sl_visit *visit)
{
	family_of(visit)->dropped++;
}

/* What was held at shard `owner` is answered. */
static inline void
family_answer(unsigned owner, const char *text)
{
	struct sl_visit *visit = family_sessions[owner].held;
	family_sessions[owner].held = NULL;
	family_fill(visit, text, strlen(text));
	sl_visit_answer(visit);
}

static const struct sl_visit_ops family_ops = {
	.arrive = family_arrive, .leave = family_leave, .drop = family_drop,
};

/* An upgrade as far as a connection sees one. */
static inline void
family_go_on(struct sl_visit *visit, struct sl_connection *connection)
{
	family_of(visit)->goes_on++;
	sl_link_send(&connection->link, "GO", 2);
}

static const struct sl_visit_ops family_up_ops = {
	.arrive = family_arrive, .leave = family_leave, .drop = family_drop, .on_answer = family_go_on,
};

static inline int
family_begin(struct sl_connection *connection, const struct sl_request *request, const struct sl_visit_ops *ops)
{
	struct sl_span sid = request->params.own[FAMILY_SID];
	if (request->params.own[FAMILY_CLOSE].bytes)
		connection->keep_alive = false;
	return sl_visit_begin(connection, &(struct sl_visit_call){
		.ops = ops,
		.owner = sid.len && sid.bytes[0] == '1' ? 1 : 0,
		.kind = sl_head_is_method(request->head, "POST") ? FAMILY_POST : FAMILY_GET,
		.is_brief = sl_head_is_method(request->head, "POST"),
		.id = sid,
		.body = request->body,
	});
}

static inline int
family_open(struct sl_connection *connection, const struct sl_request *request)
{
	return family_begin(connection, request, &family_ops);
}

static inline int
family_open_up(struct sl_connection *connection, const struct sl_request *request)
{
	return family_begin(connection, request, &family_up_ops);
}

static inline size_t
family_receive(struct sl_connection *connection, char *bytes, size_t len)
{
	(void)connection;
	(void)bytes;
	family_sessions[0].received += len;
	return len;
}

static inline bool
family_refuse(struct sl_reply *reply, const struct sl_request *request, const struct sl_gate_refusal *why)
{
	(void)request;
	reply->head.status = why->status;
	reply->head.content_type = "application/json";
	sl_buffer_printf(&reply->body, "{\"code\":3,\"message\":\"%s\"}", why->code);
	return true;
}

static inline uint64_t
family_get_body_max(const struct sl_config *config)
{
	(void)config;
	return FAMILY_BODY_MAX;
}

static const struct sl_transport family_polling = {
	.name = "family", .path = "family/", .class = SL_CLASS_ENGINEIO_POLLING,
	.capabilities = SL_TAKES_BODY | SL_REFUSES | SL_HAS_SESSIONS | SL_ANSWERS_ONCE,
	.get_body_max = family_get_body_max, .refuse = family_refuse, .open = family_open,
};
static const struct sl_transport family_up = {
	.name = "family-up", .path = "family/", .class = SL_CLASS_ENGINEIO_WEBSOCKET,
	.capabilities = SL_REFUSES | SL_HAS_SESSIONS,
	.refuse = family_refuse, .open = family_open_up, .receive = family_receive,
};

static inline const struct sl_transport *
family_choose(const struct sl_route *route, const struct sl_request *request)
{
	return route->transports[request->params.own[FAMILY_UP].bytes ? 1 : 0];
}

static const struct sl_transport *const family_transports[] = { &family_polling, &family_up, NULL };
static const char *const family_params[] = { "sid", "up", "close", NULL };
static const struct sl_route family_routes[] = {
	{ .path = "family/", .methods = "GET, POST, OPTIONS", .kind = SL_ROUTE_DELIVER,
		.needs = SL_NEEDS_PRINCIPAL, .transports = family_transports, .takes_any_method = true,
		.has_no_channels = true, .echoes_headers = true, .own_params = family_params,
		.choose = family_choose },
	{ .path = NULL },
};

#endif
