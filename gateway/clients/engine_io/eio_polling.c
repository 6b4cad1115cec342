#include "clients/engine_io/eio_polling.h"

#include "clients/engine_io/eio_family.h"
#include "clients/engine_io/eio_packet.h"
#include "clients/engine_io/eio_session.h"
#include "config/config.h"
#include "http/connection.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/session_table.h"
#include "live/shard.h"
#include "transports/ws_handshake.h"
#include "util/err.h"

/* What a visit is about. */
enum { GET, POST, OCTETS, MISMATCH, OTHER };

/* ---- at home ---- */

const struct sl_transport *
sl_eio_polling_choose(const struct sl_route *route, const struct sl_request *request)
{
	struct sl_eio_query query;
	sl_eio_query_read(&query, &request->params);
	return route->transports[sl_eio_query_is_for_websocket(&query)];
}

int
sl_eio_polling_check(struct sl_connection *connection, const struct sl_request *request,
	struct sl_reply *refusal)
{
	struct sl_eio_query query;
	bool is_upgrade = sl_ws_handshake_check(request->head).outcome == SL_WS_HANDSHAKE_OK;
	sl_eio_query_read(&query, &request->params);
	enum sl_eio_error error = sl_eio_query_judge(&query, request->head->method, is_upgrade);
	(void)connection;
	if (error == SL_EIO_NO_ERROR)
		return 0;
	sl_eio_reply_set_error(refusal, error);
	return SL_EINVAL;
}

uint64_t
sl_eio_polling_get_body_max(const struct sl_config *config)
{
	return config->engineio_max_payload;
}

void
sl_eio_polling_send_error(struct sl_connection *connection, int error)
{
	struct sl_reply reply = { .head.status = 0 };
	sl_eio_reply_set_error(&reply, (enum sl_eio_error)error);
	sl_connection_send_reply(connection, &reply);
}

static int
shake_hands(struct sl_connection *connection, const struct sl_eio_family *family,
	const struct sl_request *request)
{
	struct sl_shard *shard = connection->link.shard;
	const struct sl_config *config = shard->config;
	struct sl_reply reply = { .head.status = 0 };
	struct sl_eio_session *session;
	int err = sl_eio_session_open(&session, family->user, shard, request, connection->link.owner);
	if (err != 0)
		return err;
	const struct sl_eio_handshake handshake = {
		.id = { session->session.id, SL_SESSION_ID_LEN },
		.can_upgrade = true,
		.ping_interval_ms = (unsigned)config->engineio_ping_interval_ms,
		.ping_timeout_ms = (unsigned)config->engineio_ping_timeout_ms,
		.max_payload = config->engineio_max_payload,
	};
	sl_eio_reply_set_payload(&reply);
	sl_eio_packet_append_open(&reply.body, &handshake);
	sl_connection_send_reply(connection, &reply);
	return 0;
}

/* Binary bodies belong to the third revision. */
static unsigned
get_kind(const struct sl_request *request)
{
	struct sl_span type = sl_request_get(request, SL_FIELD_CONTENT_TYPE);
	if (sl_head_is_method(request->head, "GET"))
		return GET;
	if (!sl_head_is_method(request->head, "POST"))
		return OTHER;
	return sl_span_is_word(type, "application/octet-stream") ? OCTETS : POST;
}

static int
visit(struct sl_connection *connection, const struct sl_eio_family *family, const struct sl_request *request,
	unsigned kind)
{
	struct sl_shard *shard = connection->link.shard;
	struct sl_eio_query query;
	sl_eio_query_read(&query, &request->params);
	int owner = sl_session_find_shard(query.id, shard->count);
	if (owner < 0) {
		sl_metrics_add(&shard->metrics, SL_COUNTER_SESSION_REQUESTS_UNKNOWN, 1);
		sl_eio_polling_send_error(connection, SL_EIO_SESSION_UNKNOWN);
		return 0;
	}
	return sl_visit_begin(connection, &(struct sl_visit_call){
		.ops = &family->requests,
		.owner = (unsigned)owner,
		.kind = kind,
		.is_brief = kind != GET,
		.id = query.id,
		.body = request->body,
	});
}

int
sl_eio_polling_open(struct sl_connection *connection, const struct sl_request *request)
{
	const struct sl_eio_family *family = SL_EIO_FAMILY_OF(request->transport, polling);
	struct sl_eio_query query;
	sl_eio_query_read(&query, &request->params);
	return query.id.bytes ? visit(connection, family, request, get_kind(request)) :
		shake_hands(connection, family, request);
}

int
sl_eio_polling_mismatch(struct sl_connection *connection, const struct sl_eio_family *family,
	const struct sl_request *request)
{
	return visit(connection, family, request, MISMATCH);
}

/* ---- where the session is ---- */

static void
refuse(struct sl_visit *visit, enum sl_eio_error error)
{
	sl_eio_reply_set_error(&visit->reply, error);
	sl_visit_answer(visit);
}

static void
post(struct sl_eio_session *session, struct sl_visit *visit)
{
	if (sl_eio_session_post(session, visit->body) != 0)
		sl_eio_reply_set_error(&visit->reply, SL_EIO_BAD_REQUEST);
	else
		sl_eio_reply_set_ok(&visit->reply);
	sl_visit_answer(visit);
}

void
sl_eio_polling_arrive(struct sl_visit *visit, struct sl_shard *owner)
{
	enum sl_eio_error error;
	if (visit->kind == GET && sl_eio_session_take_leave(visit, owner))
		return;
	struct sl_eio_session *session = sl_eio_session_find(visit, owner,
		SL_EIO_FAMILY_OF(visit->ops, requests)->user, &error);
	if (!session && error == SL_EIO_SESSION_UNKNOWN)
		sl_metrics_add(&owner->metrics, SL_COUNTER_SESSION_REQUESTS_UNKNOWN, 1);
	if (!session) {
		refuse(visit, error);
	} else if (visit->kind == GET) {
		sl_eio_session_get(session, visit);
	} else if (visit->kind == POST) {
		post(session, visit);
	} else {
		if (visit->kind == OCTETS)
			sl_session_end(&session->session, SL_END_PROTOCOL);
		refuse(visit, SL_EIO_BAD_REQUEST);
	}
}

void
sl_eio_polling_leave(struct sl_visit *visit, struct sl_shard *owner)
{
	(void)owner;
	sl_eio_session_leave(visit->user, visit);
}
