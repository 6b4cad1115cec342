#include "http/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "http/connection.h"
#include "http/front.h"
#include "http/request.h"
#include "http/route.h"
#include "http/settings.h"
#include "live/shard.h"
#include "util/buffer.h"

static void
append_span(struct sl_buffer *out, struct sl_span span)
{
	sl_buffer_append(out, span.bytes, span.len);
}

void
sl_exchange_append_head(struct sl_buffer *out, const struct sl_request *request, bool closes)
{
	const struct sl_head *head = request->head;
	const char *query = memchr(head->target.bytes, '?', head->target.len);
	size_t path_len = query ? (size_t)(query - head->target.bytes) : head->target.len;
	append_span(out, head->method);
	sl_buffer_append_char(out, ' ');
	sl_buffer_append(out, head->target.bytes, path_len);
	sl_buffer_append_str(out, " HTTP/1.1\r\nHost: ");
	if (head->authority.len)
		append_span(out, head->authority);
	else
		sl_buffer_append_str(out, "localhost");
	sl_buffer_append_str(out, closes ? "\r\nConnection: close\r\n" : "\r\n");
	if (sl_head_is_method(head, "POST"))
		sl_buffer_append_str(out, "Content-Length: 0\r\n");
	sl_buffer_append_str(out, "\r\n");
}

/* The same span of a copy of the bytes that it was in. */
static void
rebase(struct sl_span *span, struct sl_span old, const char *copy)
{
	if (span->bytes)
		span->bytes = copy + (span->bytes - old.bytes);
}

/* The head for libmicrohttpd, the path as a string, and a copy of the target for the parameters. */
static bool
fill_text(struct sl_exchange *exchange, const struct sl_request *request)
{
	struct sl_params *params = &exchange->params;
	struct sl_span target = request->head->target;
	struct sl_buffer text = SL_BUFFER_INIT;
	sl_exchange_append_head(&text, request, exchange->closes);
	exchange->head_len = text.len;
	sl_buffer_append(&text, request->path, request->path_len);
	sl_buffer_append_char(&text, '\0');
	size_t copy_at = text.len;
	append_span(&text, target);
	if (sl_buffer_status(&text) != 0) {
		sl_buffer_finish(&text);
		return false;
	}
	exchange->text = text.bytes;
	exchange->path = text.bytes + exchange->head_len;
	struct sl_span *spans[] = { &params->nonce, &params->of, &params->show, &params->name };
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
		rebase(spans[i], target, text.bytes + copy_at);
	return true;
}

struct sl_exchange *
sl_exchange_create(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_exchange *exchange = calloc(1, sizeof *exchange);
	if (!exchange)
		return NULL;
	exchange->shard = connection->link.shard;
	exchange->front = exchange->shard->front;
	exchange->http = exchange->front->http;
	exchange->connection = connection;
	exchange->route = request->route;
	exchange->params.nonce = request->params.nonce;
	exchange->params.of = request->params.of;
	exchange->params.show = request->params.show;
	exchange->params.name = request->params.name;
	exchange->closes = !connection->keep_alive;
	if (request->body.len)
		sl_buffer_append(&exchange->body, request->body.bytes, request->body.len);
	if (request->route->prepare)
		request->route->prepare(exchange, request);
	if (sl_buffer_status(&exchange->body) == 0 && fill_text(exchange, request))
		return exchange;
	sl_exchange_destroy(exchange);
	return NULL;
}

void
sl_exchange_destroy(struct sl_exchange *exchange)
{
	sl_settings_unref(exchange->settings);
	sl_reply_finish(&exchange->reply);
	sl_buffer_finish(&exchange->body);
	free(exchange->text);
	free(exchange);
}
