#include "http/gate.h"

#include <stdio.h>
#include <string.h>

#include "auth/principal.h"
#include "config/config.h"
#include "http/access.h"
#include "http/api_publish.h"
#include "http/body.h"
#include "http/charge.h"
#include "http/content.h"
#include "http/permission.h"
#include "http/preflight.h"
#include "http/reply.h"
#include "http/route.h"
#include "http/transport.h"
#include "util/err.h"
#include "util/quote.h"
#include "util/redact.h"

#define QUOTED_MAX 250 /* of a field's value in a refusal */

/* ---- refusals ---- */

static bool
refuse(struct sl_judgement *out, unsigned status, const char *code, const char *message)
{
	struct sl_gate_refusal *refusal = &out->refusal;
	out->verdict = SL_GATE_REFUSE;
	refusal->status = status;
	refusal->code = code;
	if (message != refusal->message)
		snprintf(refusal->message, sizeof refusal->message, "%s", message);
	return false;
}

static bool
refuse_method(struct sl_judgement *out)
{
	out->refusal.allow = out->request.route->methods;
	char quoted[SL_QUOTED_SIZE];
	sl_quote(quoted, out->request.head->method);
	snprintf(out->refusal.message, sizeof out->refusal.message, "this path does not serve the method %s; use %s",
		quoted, out->refusal.allow);
	return refuse(out, 405, "bad_method", out->refusal.message);
}

/* A page may read that it is refused, and why, whatever its origin: nothing else tells whoever
 * wrote it. It learns that a gateway is here, and no more. */
static bool
refuse_access(struct sl_judgement *out, enum sl_counter counter, const char *code)
{
	out->refusal.counter = counter;
	out->refusal.is_for_anybody = !out->request.cors.origin;
	return refuse(out, 403, code, out->refusal.message);
}

/* A field's value where it is fit for a sentence, or `otherwise`. */
static struct sl_span
quote(struct sl_span value, const char *otherwise)
{
	size_t len = 0;
	while (len < value.len && value.bytes[len] > ' ' && value.bytes[len] <= '~')
		len++;
	bool is_fit = len > 0 && len == value.len && len <= QUOTED_MAX;
	return is_fit ? value : (struct sl_span){ otherwise, strlen(otherwise) };
}

static bool
refuse_host(struct sl_judgement *out, struct sl_span host)
{
	struct sl_span name = quote(host, "of this request");
	snprintf(out->refusal.message, sizeof out->refusal.message, "the gateway does not answer to "
		"the Host %.*s; start it with --public-origin and the origin of its pages, or let the "
		"proxy before it send a loopback name", (int)name.len, name.bytes);
	return refuse_access(out, SL_COUNTER_HOST_REFUSED, "bad_host");
}

static bool
refuse_origin(struct sl_judgement *out, struct sl_span origin)
{
	char *message = out->refusal.message;
	struct sl_span name = quote(origin, "ORIGIN");
	int len = (int)name.len;
	if (sl_span_equals(name, "null"))
		strcpy(message, "the gateway does not allow pages without an origin, such as a file; "
			"use a web server for the page");
	else
		snprintf(message, sizeof out->refusal.message, "the gateway does not allow pages of %.*s; "
			"start it with --public-origin %.*s (or --allow-origin %.*s)", len, name.bytes,
			len, name.bytes, len, name.bytes);
	return refuse_access(out, SL_COUNTER_ORIGIN_REFUSED, "bad_origin");
}

/* ---- what is asked, in the order of the questions ---- */

/* Before anything else is: whatever it asks for, it has to ask again. */
static bool
judge_tls(struct sl_judgement *out, const struct sl_gate *gate)
{
	const struct sl_head *head = out->request.head;
	if (!gate->lacks_tls)
		return true;
	struct sl_span host = quote(head->authority, "HOST:PORT");
	struct sl_span target = quote(head->target, "/");
	snprintf(out->refusal.message, sizeof out->refusal.message, "this port speaks TLS; use "
		"https://%.*s%.*s", (int)host.len, host.bytes,
		target.bytes[0] == '/' ? (int)target.len : 0, target.bytes);
	sl_redact_target(out->refusal.message, strlen(out->refusal.message));
	out->refusal.closes = true;
	return refuse(out, 400, "tls_required", out->refusal.message);
}

static bool
is_host_allowed(const struct sl_gate *gate, struct sl_span host)
{
	if (gate->is_for_admins)
		return sl_access_admin_host_allowed(gate->access, host);
	return sl_permission_has_tokens(gate) || sl_access_host_allowed(gate->access, host);
}

/* Nothing proves at an admin listener who asks, so no page may: the browser of somebody who may reach it
 * sends the requests of all pages. */
static bool
is_origin_allowed(const struct sl_gate *gate, struct sl_span origin, struct sl_cors *cors)
{
	*cors = (struct sl_cors){ 0 };
	return gate->is_for_admins ? !origin.bytes :
		sl_access_origin_allowed(gate->access, origin, cors);
}

static bool
judge_access(struct sl_judgement *out, const struct sl_gate *gate)
{
	const struct sl_request *request = &out->request;
	const struct sl_head *head = request->head;
	struct sl_span origin = sl_request_get(request, SL_FIELD_ORIGIN);
	bool is_known = is_origin_allowed(gate, origin, &out->request.cors);
	if (head->count[SL_FIELD_ORIGIN] > 1) {
		out->request.cors = (struct sl_cors){ 0 };
		return refuse(out, 400, "bad_request", "Host or Origin is repeated; use each once");
	}
	if (!is_host_allowed(gate, head->authority))
		return refuse_host(out, head->authority);
	bool is_for_any = !gate->is_for_admins && request->route && request->route->is_for_any_origin;
	return is_known || is_for_any || refuse_origin(out, origin);
}

static bool
refuse_body(struct sl_judgement *out, const char *message)
{
	return refuse(out, 400, "body_not_allowed", message);
}

static bool
is_served_here(const struct sl_route *route, const struct sl_gate *gate)
{
	return !gate->is_for_admins || route->needs == SL_NEEDS_ADMIN || route->is_for_health;
}

static bool
judge_route(struct sl_judgement *out, const struct sl_gate *gate)
{
	const struct sl_request *request = &out->request;
	const struct sl_head *head = request->head;
	bool is_options = sl_head_is_method(head, "OPTIONS");
	bool is_found = request->route ? is_served_here(request->route, gate) :
		sl_span_equals(head->target, "*");
	if (!is_found)
		return refuse(out, 404, "not_found", "there is nothing at this path");
	bool is_allowed = is_options || request->route->takes_any_method ||
		sl_route_allows(request->route, head->method);
	if (!is_allowed)
		return refuse_method(out);
	if (sl_body_is_announced(head) && !sl_head_is_method(head, "POST"))
		return refuse_body(out, "a request with this method has no body; use POST");
	if (is_options)
		out->verdict = SL_GATE_OPTIONS;
	return !is_options;
}

/* New work is refused above a limit and while draining; questions of health are not. */
static bool
judge_room(struct sl_judgement *out, const struct sl_gate *gate)
{
	const struct sl_route *route = out->request.route;
	bool is_work = route->kind != SL_ROUTE_ORDINARY || route->takes_body;
	bool is_full = gate->is_full || gate->is_client_full;
	if (!is_work || (!is_full && !gate->is_draining))
		return true;
	/* Makes room, and lets a client that tries again be judged anew; a proxy's connection is that of
	 * others too. */
	out->refusal.closes = gate->is_full || gate->is_draining;
	out->refusal.concern = SL_CONCERN_ROOM;
	if (is_full)
		return refuse(out, 429, "too_many_connections",
			"there are too many connections, in all or of this client; close some, or try again later");
	return refuse(out, 429, "draining", "the gateway is shutting down; try again");
}

static bool
judge_params(struct sl_judgement *out, const struct sl_gate *gate, char *query, size_t query_len)
{
	struct sl_request *request = &out->request;
	struct sl_params_error error = { 0 };
	const struct sl_route *route = request->route;
	bool delivers = route->kind == SL_ROUTE_DELIVER;
	const struct sl_params_rules rules = {
		.max_channels = (unsigned)gate->config->max_channels,
		.bears_others = route->has_no_channels,
		.own = route->own_params,
	};
	int err = sl_params_parse_by(&request->params, query, query_len, &rules, &error);
	if (err == 0 && delivers && !route->has_no_channels)
		err = sl_params_require_channels(&request->params, &error);
	else if (err == 0 && request->route->kind == SL_ROUTE_PUBLISH)
		err = sl_params_require_one_channel(&request->params, &error);
	if (err != 0)
		return refuse(out, 400, error.code, error.message);
	if (!delivers)
		return true;
	request->transport = sl_route_get_transport(route, request);
	if (request->transport->capabilities & SL_HAS_LAST_EVENT_ID)
		sl_params_set_last_event_id(&request->params,
			sl_request_get(request, SL_FIELD_LAST_EVENT_ID));
	return true;
}

/* What a description may hold (RFC 6750, section 3) is what our sentences hold, but for a quote. */
static void
fill_challenge(struct sl_gate_refusal *refusal, const struct sl_denial *denial)
{
	char *challenge = refusal->challenge;
	int len = snprintf(challenge, SL_CHALLENGE_MAX, "Bearer realm=\"sluice\"");
	if (!denial->is_bad_token)
		return;
	snprintf(challenge + len, SL_CHALLENGE_MAX - (size_t)len,
		", error=\"invalid_token\", error_description=\"%s\"", denial->message);
}

static bool
judge_principal(struct sl_judgement *out, const struct sl_gate *gate)
{
	struct sl_denial denial;
	if (sl_permission_judge(&out->request, gate, &denial))
		return true;
	if (denial.wait_ms) {
		sl_charge_refuse(out, SL_LIMIT_TOKEN_FAILURES, denial.wait_ms);
		return false;
	}
	out->refusal.counter = denial.counter;
	out->refusal.concern = SL_CONCERN_PRINCIPAL;
	if (denial.status == 401)
		fill_challenge(&out->refusal, &denial);
	return refuse(out, denial.status, denial.code, denial.message);
}

static bool
refuse_size(struct sl_judgement *out)
{
	return refuse(out, 413, "too_large", "the body is too large; see limits in /transports");
}

static bool
delivers_body(const struct sl_request *request)
{
	return request->transport && (request->transport->capabilities & SL_TAKES_BODY);
}

static bool
takes_body(const struct sl_request *request)
{
	return request->route->takes_body || delivers_body(request);
}

static uint64_t
get_body_max(const struct sl_request *request, const struct sl_config *config)
{
	const struct sl_route *route = request->route;
	if (route->kind == SL_ROUTE_PUBLISH)
		return sl_api_publish_max_body(config, sl_request_get(request, SL_FIELD_CONTENT_TYPE));
	if (delivers_body(request))
		return request->transport->get_body_max(config);
	if (!route->takes_body)
		return 0;
	return route->body_max ? route->body_max : config->max_message_bytes;
}

/* A body in chunks may turn out to be none. */
static bool
judge_body(struct sl_judgement *out, const struct sl_gate *gate)
{
	struct sl_request *request = &out->request;
	uint64_t length = request->head->content_length;
	request->body_max = get_body_max(request, gate->config);
	if (length > 0 && !takes_body(request))
		return refuse_body(out, "this path takes no body; send none");
	return length <= request->body_max || refuse_size(out);
}

static bool
is_identity(const struct sl_head *head)
{
	struct sl_span rest = head->lines, value;
	while (head->count[SL_FIELD_CONTENT_ENCODING] > 0 &&
			sl_head_next_of(&rest, "Content-Encoding", &value))
		if (!sl_content_is_identity(value))
			return false;
	return true;
}

/* A message is what the body says, or it is none: each line counts. */
static bool
judge_content(struct sl_judgement *out)
{
	const struct sl_head *head = out->request.head;
	if (out->request.route->kind != SL_ROUTE_PUBLISH && !delivers_body(&out->request))
		return true;
	if (head->count[SL_FIELD_CONTENT_TYPE] > 1 || head->count[SL_FIELD_IDEMPOTENCY_KEY] > 1)
		return refuse(out, 400, "bad_request",
			"Content-Type or Idempotency-Key is repeated; use each once");
	if (!is_identity(head))
		return refuse(out, 415, "bad_content_encoding",
			"the gateway does not decode bodies; use Content-Encoding: identity, or none");
	if (head->count[SL_FIELD_CONTENT_RANGE] > 0)
		return refuse(out, 400, "bad_content_range",
			"Content-Range is there, but a publish needs the whole body; omit the header");
	return true;
}

/* ---- the gate ---- */

static void
find_route(struct sl_request *request, const struct sl_gate *gate)
{
	const char *base = gate->config->base_path;
	struct sl_span target = request->head->target;
	size_t base_len = strlen(base);
	if (target.len < base_len || memcmp(target.bytes, base, base_len) != 0)
		return;
	const char *path = target.bytes + base_len;
	const char *mark = memchr(path, '?', target.len - base_len);
	request->path = path;
	request->path_len = mark ? (size_t)(mark - path) : target.len - base_len;
	request->route = sl_routes_find(gate->routes, (struct sl_span){ path, request->path_len });
}

void
sl_gate_judge(struct sl_judgement *out, const struct sl_gate *gate, const struct sl_head *head,
	char *query, size_t query_len)
{
	struct sl_request *request = &out->request;
	/* neither the parameters nor the message, which are large and filled when they are needed */
	memset(request, 0, offsetof(struct sl_request, params));
	request->params.wait_s = -1;
	request->head = head;
	request->keep_alive = sl_head_keeps_alive(head);
	out->verdict = SL_GATE_SERVE;
	out->refusal.allow = NULL;
	out->refusal.challenge[0] = '\0';
	out->refusal.is_for_anybody = out->refusal.closes = false;
	out->refusal.concern = SL_CONCERN_REQUEST;
	out->refusal.counter = SL_COUNTER_COUNT;
	out->refusal.retry_ms = 0;
	find_route(request, gate);
	if (request->route && request->route->kind == SL_ROUTE_DELIVER)
		request->transport = request->route->transports[0];
	(void)(judge_tls(out, gate) && judge_access(out, gate) && judge_route(out, gate) && judge_room(out, gate) &&
		judge_params(out, gate, query, query_len) && judge_principal(out, gate) && judge_body(out, gate) &&
		judge_content(out));
	sl_charge_request(out, gate);
}

void
sl_judgement_finish(struct sl_judgement *judgement)
{
	sl_principal_unref(judgement->request.principal);
	judgement->request.principal = NULL;
}

void
sl_gate_refuse_size(struct sl_judgement *judgement)
{
	sl_charge_refused_publish(judgement);
	if (takes_body(&judgement->request))
		refuse_size(judgement);
	else
		refuse_body(judgement, "this path takes no body; send none");
}

void
sl_gate_refuse_err(struct sl_judgement *judgement, int err)
{
	refuse(judgement, sl_err_http_status(err), sl_err_code(err), sl_strerror(err));
}

void
sl_gate_refuse_method(struct sl_judgement *judgement)
{
	refuse_method(judgement);
}

void
sl_gate_refuse_chunks(struct sl_judgement *judgement)
{
	judgement->refusal.closes = true;
	refuse(judgement, 400, "bad_request", "the chunks of the body are malformed; use those of RFC 9112, section 7.1");
}

/* ---- answers ---- */

void
sl_gate_fill_reply(const struct sl_judgement *judgement, struct sl_reply *reply)
{
	const struct sl_gate_refusal *refusal = &judgement->refusal;
	reply->head.cors = judgement->request.cors;
	if (judgement->verdict == SL_GATE_OPTIONS) {
		sl_preflight_fill(reply, &judgement->request);
		return;
	}
	sl_reply_set_error(reply, refusal->status, refusal->code, refusal->message);
	sl_gate_add_fields(judgement, reply);
}

void
sl_gate_add_fields(const struct sl_judgement *judgement, struct sl_reply *reply)
{
	const struct sl_gate_refusal *refusal = &judgement->refusal;
	if (refusal->retry_ms)
		sl_reply_set_retry_after(reply, (refusal->retry_ms + 999) / 1000);
	reply->head.closes |= refusal->closes;
	if (refusal->allow)
		sl_response_add_text(&reply->head, "Allow", refusal->allow);
	if (refusal->challenge[0])
		sl_response_add_text(&reply->head, "WWW-Authenticate", refusal->challenge);
	if (refusal->is_for_anybody) {
		sl_response_add_text(&reply->head, "Access-Control-Allow-Origin", "*");
		sl_response_add_text(&reply->head, "Access-Control-Expose-Headers",
			refusal->status == 429 ? "Sluice, Retry-After" : "Sluice");
	}
}
