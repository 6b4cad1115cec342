#include "http/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app.h"
#include "config/config.h"
#include "core/socket.h"
#include "demo/api.h"
#include "demo/tap.h"
#include "http/access.h"
#include "http/api_publish.h"
#include "http/content.h"
#include "http/exchange.h"
#include "http/handover.h"
#include "http/kept.h"
#include "http/router.h"
#include "http/static.h"
#include "http/settings.h"
#include "shard.h"
#include "transport.h"
#include "util/err.h"

#define SWALLOW_BYTES (1u << 20) /* of a body that is too long, before the answer */
#define PREFLIGHT_MAX_AGE_S "600"
#define QUOTED_MAX 250 /* of a header's value in a refusal */

void
sl_dispatch_set_uri(struct sl_exchange *exchange, const char *uri)
{
	const char *base = exchange->shard->config->base_path;
	size_t len = strlen(base);
	if (strncmp(uri, base, len) != 0)
		return;
	exchange->path = strdup(uri + len);
	if (!exchange->path)
		return;
	exchange->query = strchr(exchange->path, '?');
	if (!exchange->query)
		return;
	*exchange->query++ = '\0';
	exchange->query_len = strlen(exchange->query);
}

/* ---- the head ---- */

static const char *
get_header(const struct sl_request *request, const char *name)
{
	return sl_exchange_get_header(request->arg, name);
}

static struct sl_span
get_span(const struct sl_exchange *exchange, const char *name)
{
	const char *value = sl_exchange_get_header(exchange, name);
	return (struct sl_span){ value, value ? strlen(value) : 0 };
}

static bool
has_token(const char *list, const char *token)
{
	size_t len = strlen(token);
	while (list && *list) {
		list += strspn(list, ", \t");
		size_t token_len = strcspn(list, ", \t");
		if (token_len == len && strncasecmp(list, token, len) == 0)
			return true;
		list += token_len;
	}
	return false;
}

static void
refuse(struct sl_exchange *exchange, unsigned status, const char *code, const char *message)
{
	sl_reply_set_error(&exchange->reply, status, code, message);
}

static void
refuse_method(struct sl_exchange *exchange)
{
	refuse(exchange, 405, "bad_method", "this path is not served to this method, see Allow");
	sl_reply_add_header(&exchange->reply, "Allow", exchange->route->methods);
}

static bool
is_post(const struct sl_exchange *exchange)
{
	return strcmp(exchange->method, "POST") == 0;
}

static uint64_t
max_swallowed(const struct sl_exchange *exchange)
{
	return exchange->body_max > SWALLOW_BYTES ? exchange->body_max : SWALLOW_BYTES;
}

static void
refuse_size(struct sl_exchange *exchange)
{
	refuse(exchange, 413, "too_large", "the body exceeds its limit, see /transports");
}

/* Bodies that nobody is going to read are refused before they come. */
static void
judge_body(struct sl_exchange *exchange)
{
	const char *encoding = sl_exchange_get_header(exchange, "Transfer-Encoding");
	const char *length = sl_exchange_get_header(exchange, "Content-Length");
	bool has_body = encoding || (length && strtoull(length, NULL, 10) > 0);
	if (!has_body)
		return;
	exchange->is_chunked = encoding != NULL;
	if (encoding && strcasecmp(encoding, "chunked") != 0)
		refuse(exchange, 400, "bad_transfer_encoding",
			"the only Transfer-Encoding taken is chunked");
	else if (encoding && length)
		refuse(exchange, 400, "bad_transfer_encoding",
			"Transfer-Encoding and Content-Length exclude each other (RFC 9112, section 6.1)");
	else if (!exchange->route)
		refuse(exchange, 404, "not_found", "there is nothing at this path");
	else if (!sl_router_allows(exchange->route, exchange->method))
		refuse_method(exchange);
	else if (!is_post(exchange))
		refuse(exchange, 400, "body_not_allowed", "only POST takes a body");
	else if (!exchange->route->takes_body && !encoding)
		refuse(exchange, 400, "body_not_allowed", "this path takes no body");
	else if (length && strtoull(length, NULL, 10) > max_swallowed(exchange))
		refuse_size(exchange);
}

void
sl_dispatch_begin(struct sl_exchange *exchange, const char *method, const char *version)
{
	struct sl_request *request = &exchange->request;
	exchange->method = method;
	sl_tap_rest(exchange->socket);
	request->get_header = get_header;
	request->arg = exchange;
	request->http_minor = strcmp(version, "HTTP/1.0") == 0 ? 0 : 1;
	request->keep_alive = request->http_minor >= 1 &&
		!has_token(sl_exchange_get_header(exchange, "Connection"), "close");
	if (exchange->path)
		exchange->route = sl_router_find(exchange->path);
	if (exchange->route && exchange->route->demo_only && !exchange->shard->app->demo)
		exchange->route = NULL;
	const struct sl_access *access = exchange->shard->settings->access;
	/* Known early, so that even a refusal in this call can be read by an allowed page. */
	sl_access_origin_allowed(access, get_span(exchange, "Origin"), &request->cors);
	exchange->body_max = exchange->route && exchange->route->handle == sl_api_publish ?
		sl_api_publish_max_body(exchange->shard->config,
			sl_exchange_get_header(exchange, "Content-Type")) :
		exchange->shard->config->max_message_bytes;
	judge_body(exchange);
}

int
sl_dispatch_add_body(struct sl_exchange *exchange, const char *bytes, size_t len)
{
	exchange->body_bytes += len;
	if (exchange->body_bytes > max_swallowed(exchange))
		return SL_ETOOBIG;
	if (exchange->body_bytes <= exchange->body_max)
		sl_buffer_append(&exchange->body, bytes, len);
	return 0;
}

/* ---- the whole request ---- */

/* A page's own files are no secret, and browsers send Origin with some requests for them
 * (module scripts): behind a proxy that is one we do not know. */
static bool
is_for_anybody(const struct sl_exchange *exchange)
{
	return exchange->route && exchange->route->handle == sl_static_serve;
}

/* The header's value where it is fit for a sentence, or `otherwise`. */
static const char *
quote_header(const struct sl_exchange *exchange, const char *name, const char *otherwise)
{
	const char *value = sl_exchange_get_header(exchange, name);
	size_t len = 0;
	while (value && value[len] > ' ' && value[len] <= '~')
		len++;
	return len > 0 && len <= QUOTED_MAX && value[len] == '\0' ? value : otherwise;
}

/* A page may read that it is refused, and why, whatever its origin: nothing else tells whoever
 * wrote it. It learns that a gateway is here, and no more. */
static void
refuse_access(struct sl_exchange *exchange, const char *code, const char *message)
{
	refuse(exchange, 403, code, message);
	if (exchange->request.cors.origin)
		return;
	sl_reply_add_header(&exchange->reply, "Access-Control-Allow-Origin", "*");
	sl_reply_add_header(&exchange->reply, "Access-Control-Expose-Headers", "Sluice");
}

static void
refuse_host(struct sl_exchange *exchange)
{
	char message[2 * QUOTED_MAX];
	snprintf(message, sizeof message, "the gateway does not answer to the Host %s: start it "
		"with --public-origin and the origin of its pages, or let the proxy before it send "
		"a loopback name", quote_header(exchange, "Host", "of this request"));
	refuse_access(exchange, "bad_host", message);
}

static void
refuse_origin(struct sl_exchange *exchange)
{
	char message[4 * QUOTED_MAX];
	const char *origin = quote_header(exchange, "Origin", "ORIGIN");
	if (strcmp(origin, "null") == 0)
		snprintf(message, sizeof message, "the gateway does not allow pages without an "
			"origin, as those of a file: serve the page from a server");
	else
		snprintf(message, sizeof message, "the gateway does not allow pages of %s: start it "
			"with --public-origin %s (or --allow-origin %s)", origin, origin, origin);
	refuse_access(exchange, "bad_origin", message);
}

static bool
judge_access(struct sl_exchange *exchange)
{
	const struct sl_access *access = exchange->shard->settings->access;
	struct sl_metrics *metrics = &exchange->shard->metrics;
	if (sl_exchange_count_header(exchange, "Host") > 1 ||
			sl_exchange_count_header(exchange, "Origin") > 1) {
		refuse(exchange, 400, "bad_request", "Host and Origin may each be there once");
		return false;
	}
	if (!sl_access_host_allowed(access, get_span(exchange, "Host"))) {
		sl_metrics_add(metrics, SL_COUNTER_HOST_REFUSED, 1);
		refuse_host(exchange);
		return false;
	}
	if (!sl_access_origin_allowed(access, get_span(exchange, "Origin"),
			&exchange->request.cors) && !is_for_anybody(exchange)) {
		sl_metrics_add(metrics, SL_COUNTER_ORIGIN_REFUSED, 1);
		refuse_origin(exchange);
		return false;
	}
	return true;
}

static void
answer_preflight(struct sl_exchange *exchange)
{
	struct sl_reply *reply = &exchange->reply;
	reply->status = 204;
	sl_reply_add_header(reply, "Allow", exchange->route->methods);
	if (!exchange->request.cors.origin)
		return;
	sl_reply_add_header(reply, "Access-Control-Allow-Methods", exchange->route->methods);
	sl_reply_add_fixed_header(reply, "Access-Control-Allow-Headers", SL_CORS_ALLOWED);
	sl_reply_add_header(reply, "Access-Control-Max-Age", PREFLIGHT_MAX_AGE_S);
	/* A page of the internet asks for a gateway in a private network (WICG, Private Network
	 * Access); whoever listed its origin has allowed that. */
	if (sl_span_equals(get_span(exchange, "Access-Control-Request-Private-Network"), "true"))
		sl_reply_add_header(reply, "Access-Control-Allow-Private-Network", "true");
}

static bool
judge_route(struct sl_exchange *exchange)
{
	if (!exchange->route) {
		refuse(exchange, 404, "not_found", "there is nothing at this path");
		return false;
	}
	if (strcmp(exchange->method, "OPTIONS") == 0) {
		answer_preflight(exchange);
		return false;
	}
	if (!sl_router_allows(exchange->route, exchange->method)) {
		refuse_method(exchange);
		return false;
	}
	return true;
}

static void
refuse_for_room(struct sl_exchange *exchange, const char *code, const char *message)
{
	const struct sl_transport *transport = exchange->route->handle ? NULL :
		sl_router_get_transport(exchange->route, &exchange->request);
	if (transport && transport->refuse_for_room)
		transport->refuse_for_room(&exchange->reply, code);
	else
		refuse(exchange, 429, code, message);
	/* Makes room, and lets a client that tries again be judged anew. */
	sl_reply_add_header(&exchange->reply, "Connection", "close");
}

/* New work is refused above a limit and while draining; questions of health are not. */
static bool
judge_room(struct sl_exchange *exchange)
{
	bool is_work = !exchange->route->handle || exchange->route->takes_body;
	if (!is_work)
		return true;
	if (exchange->socket->over_limit)
		refuse_for_room(exchange, "too_many_connections",
			"the limit of connections is reached, try again later");
	else if (exchange->shard->draining)
		refuse_for_room(exchange, "draining", "the gateway is shutting down");
	else
		return true;
	return false;
}

static bool
read_params(struct sl_exchange *exchange)
{
	struct sl_params_error error = { 0 };
	struct sl_params *params = &exchange->request.params;
	char none[1] = "";
	int err = sl_params_parse(params, exchange->query ? exchange->query : none,
		exchange->query_len, (unsigned)exchange->shard->config->max_channels, &error);
	if (err == 0 && !exchange->route->handle)
		err = sl_params_require_channels(params, &error);
	if (err != 0)
		refuse(exchange, 400, error.code, error.message);
	return err == 0;
}

static bool
judge_demo(struct sl_exchange *exchange, const struct sl_transport *transport)
{
	bool is_watched = transport || exchange->route->handle == sl_api_publish;
	return !is_watched || sl_demo_judge(exchange, transport ? transport->class : SL_CLASS_HTTP);
}

static void
judge_content_line(void *arg, const char *name, const char *value)
{
	struct sl_exchange *exchange = arg;
	if (strcasecmp(name, "Content-Encoding") == 0 && !sl_content_is_identity(value))
		refuse(exchange, 415, "bad_content_encoding",
			"the gateway does not decode bodies: Content-Encoding must be identity");
	else if (strcasecmp(name, "Content-Range") == 0)
		refuse(exchange, 400, "bad_content_range", "a publish needs the whole body, not a part of it");
}

/* A message is what the body says, or it is none: each line counts, where a header that is
 * asked for is the first of its name. */
static bool
judge_content(struct sl_exchange *exchange)
{
	if (exchange->route->handle != sl_api_publish)
		return true;
	if (sl_exchange_count_header(exchange, "Content-Type") > 1 ||
			sl_exchange_count_header(exchange, "Idempotency-Key") > 1)
		refuse(exchange, 400, "bad_request",
			"Content-Type and Idempotency-Key must not be repeated");
	else
		sl_exchange_each_header(exchange, judge_content_line, exchange);
	return exchange->reply.status == 0;
}

static void
deliver(struct sl_exchange *exchange, const struct sl_transport *transport)
{
	if (transport->capabilities & SL_HAS_LAST_EVENT_ID)
		sl_params_set_last_event_id(&exchange->request.params,
			get_span(exchange, "Last-Event-ID"));
	if (transport->check &&
			transport->check(exchange->shard, &exchange->request, &exchange->reply) != 0)
		return;
	if (sl_handover_take(exchange, transport) == 0)
		sl_metrics_add(&exchange->shard->metrics, SL_COUNTER_REQUESTS_2XX, 1);
}

/* A client that keeps its connection after a publish will publish again: the socket is
 * taken over, so that the next one costs less (http/kept.h). */
static bool
is_kept(struct sl_exchange *exchange)
{
	return exchange->route->handle == sl_api_publish && !exchange->socket->prefers_front;
}

int
sl_dispatch(struct sl_exchange *exchange)
{
	if (!judge_access(exchange) || !judge_route(exchange))
		return 0;
	const struct sl_transport *transport = NULL;
	if (!judge_room(exchange) || !read_params(exchange))
		return 0;
	if (!exchange->route->handle)
		transport = sl_router_get_transport(exchange->route, &exchange->request);
	if (exchange->body_bytes > 0 && !exchange->route->takes_body) {
		/* It came in chunks; without one of them it would have been no body. */
		refuse(exchange, 400, "body_not_allowed", "this path takes no body");
		return 0;
	}
	exchange->request.body = (struct sl_span){ exchange->body.bytes, exchange->body.len };
	if (exchange->shard->app->demo && !judge_demo(exchange, transport))
		return 0;
	if (exchange->body_bytes > exchange->body_max) {
		refuse_size(exchange);
		return 0;
	}
	if (!judge_content(exchange))
		return 0;
	if (is_kept(exchange) && sl_handover_take(exchange, &sl_kept_transport) == 0)
		return 0;
	if (exchange->route->handle)
		return exchange->route->handle(exchange);
	deliver(exchange, transport);
	return 0;
}
