#include "bench/obstacle/exchange.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bench/obstacle/active.h"
#include "bench/obstacle/connection.h"
#include "util/err.h"

#define TLS_HANDSHAKE 0x16 /* first byte of a TLS connection (RFC 8446, section 5.1) */

void
ob_exchange_init(struct ob_exchange *exchange)
{
	ob_head_init(&exchange->request, OB_REQUEST, OB_HEAD_MAX);
	ob_head_init(&exchange->response, OB_RESPONSE, OB_HEAD_MAX);
	sl_buffer_init(&exchange->sent);
}

void
ob_exchange_finish(struct ob_exchange *exchange)
{
	ob_head_finish(&exchange->request);
	ob_head_finish(&exchange->response);
	sl_buffer_finish(&exchange->sent);
}

static void
reset(struct ob_exchange *exchange)
{
	ob_head_reset(&exchange->request);
	ob_head_reset(&exchange->response);
	sl_buffer_clear(&exchange->sent);
	exchange->transport = NULL;
	exchange->is_connect = exchange->is_http10 = exchange->is_begun = false;
	exchange->holds_head = exchange->is_rewritten = exchange->is_last = false;
	exchange->is_repeatable = false;
}

/* ---- what the request is ---- */

struct sl_span
ob_exchange_target(const struct ob_exchange *exchange)
{
	struct sl_span target = ob_head_part(&exchange->request, OB_TARGET);
	if (target.len > 7 && strncasecmp(target.bytes, "http://", 7) == 0) {
		const char *slash = memchr(target.bytes + 7, '/', target.len - 7);
		if (!slash)
			return (struct sl_span){ "/", 1 };
		target.len -= (size_t)(slash - target.bytes);
		target.bytes = slash;
	}
	return target;
}

struct sl_span
ob_exchange_path(const struct ob_exchange *exchange)
{
	struct sl_span target = ob_exchange_target(exchange);
	const char *query = target.len ? memchr(target.bytes, '?', target.len) : NULL;
	if (query)
		target.len = (size_t)(query - target.bytes);
	return target;
}

static bool
ends_with(struct sl_span text, const char *end)
{
	size_t len = strlen(end);
	return text.len >= len && memcmp(text.bytes + text.len - len, end, len) == 0;
}

static bool
has_parameter(struct sl_span target, const char *parameter)
{
	size_t len = strlen(parameter);
	const char *end = target.bytes + target.len;
	for (const char *at = memchr(target.bytes, '?', target.len); at && at < end;
		at = memchr(at, '&', (size_t)(end - at))) {
		at++;
		if ((size_t)(end - at) >= len && memcmp(at, parameter, len) == 0
			&& (at + len == end || at[len] == '&'))
			return true;
	}
	return false;
}

static const char *
transport_of(const struct ob_exchange *exchange)
{
	static const char *const names[][2] = { { "/ws", "websocket" }, { "/sse", "sse" },
		{ "/stream", "stream" }, { "/publish", "publish" } };
	struct sl_span path = ob_exchange_path(exchange);
	if (exchange->is_connect)
		return "tunnel";
	if (ob_head_has_token(&exchange->request, "Upgrade", "websocket"))
		return "websocket";
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (ends_with(path, names[i][0]))
			return names[i][1];
	if (ends_with(path, "/poll"))
		return has_parameter(ob_exchange_target(exchange), "wait=0") ? "poll" : "longpoll";
	return "other";
}

/* ---- answers of our own ---- */

static const char *
reason_of(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" }, { 302, "Found" }, { 400, "Bad Request" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 407, "Proxy Authentication Required" }, { 408, "Request Timeout" },
		{ 411, "Length Required" }, { 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 417, "Expectation Failed" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
		{ 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};
	for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Obstacle";
}

void
ob_exchange_answer_bytes(struct ob_connection *conn, const char *bytes, size_t len)
{
	ob_connection_send(conn, OB_DOWN, bytes, len);
	conn->exchange.is_begun = true;
	ob_connection_end(conn, OB_END_FIN);
}

void
ob_exchange_answer(struct ob_connection *conn, unsigned status, const char *lines,
	const char *body)
{
	char page[256];
	struct sl_buffer *wire = &conn->proxy->wire;
	if (!body) {
		snprintf(page, sizeof page, "<html><head><title>%u %s</title></head><body>"
			"<h1>%u %s</h1></body></html>\n", status, reason_of(status), status, reason_of(status));
		body = page;
	}
	sl_buffer_clear(wire);
	sl_buffer_printf(wire, "HTTP/1.1 %u %s\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n"
		"%sConnection: close\r\n\r\n", status, reason_of(status), strlen(body), lines);
	if (!sl_span_equals(ob_head_part(&conn->exchange.request, OB_METHOD), "HEAD"))
		sl_buffer_append_str(wire, body);
	ob_exchange_answer_bytes(conn, wire->bytes, wire->len);
}

/* ---- the request ---- */

static void
take_head(struct ob_connection *conn)
{
	struct ob_exchange *exchange = &conn->exchange;
	size_t used;
	if (conn->in.bytes[0] == TLS_HANDSHAKE && exchange->request.text.len == 0) {
		ob_connection_start_tunnel(conn);
		return;
	}
	int err = ob_head_feed(&exchange->request, conn->in.bytes, conn->in.len, &used);
	sl_buffer_consume(&conn->in, used);
	if (err == SL_EAGAIN)
		return;
	exchange->is_connect = !err
		&& sl_span_equals(ob_head_part(&exchange->request, OB_METHOD), "CONNECT");
	conn->proxy->counts.requests++;
	if (err) {
		ob_connection_end(conn, err == SL_ETOOBIG ? 431 : 400);
	} else if (ob_body_of_request(&exchange->up, &exchange->request) != 0) {
		ob_connection_end(conn, 400);
	} else if (exchange->is_connect && !conn->proxy->settings.is_forward) {
		ob_connection_end(conn, 405);
	} else {
		exchange->is_http10 = ob_head_is_http10(&exchange->request);
		exchange->transport = transport_of(exchange);
		ob_actives_match(conn);
		conn->stage = OB_STAGE_JUDGING;
		ob_exchange_judge(conn, 0);
	}
}

static void
take_body(struct ob_connection *conn)
{
	struct ob_exchange *exchange = &conn->exchange;
	struct sl_buffer *content = &conn->proxy->content;
	size_t used;
	sl_buffer_clear(content);
	if (ob_body_feed(&exchange->up, conn->in.bytes, conn->in.len, &used, content) != 0) {
		ob_connection_end(conn, 400);
		return;
	}
	sl_buffer_consume(&conn->in, used);
	ob_actives_take(conn, &(struct ob_piece){ OB_UP, content->bytes, content->len,
		exchange->up.is_done });
}

void
ob_exchange_advance(struct ob_connection *conn)
{
	if (conn->in.len == 0)
		return;
	if (conn->stage == OB_STAGE_READING)
		take_head(conn);
	else if (conn->stage == OB_STAGE_FORWARDING && !conn->exchange.up.is_done)
		take_body(conn);
}

static bool
some_fault_repeats(const struct ob_connection *conn)
{
	for (unsigned i = 0; i < conn->active_count; i++)
		if (conn->actives[i].fault->type->repeats && conn->actives[i].is_matched
			&& conn->actives[i].is_hit)
			return true;
	return false;
}

static void
send_request(struct ob_connection *conn, const char *bytes, size_t len)
{
	struct ob_exchange *exchange = &conn->exchange;
	if (exchange->is_repeatable && exchange->sent.len + len <= OB_REPEAT_MAX)
		sl_buffer_append(&exchange->sent, bytes, len);
	else
		exchange->is_repeatable = false;
	ob_connection_send(conn, OB_UP, bytes, len);
}

/* An origin is asked for a path (RFC 9112, section 3.2.1). */
static void
make_target_plain(struct ob_exchange *exchange)
{
	struct sl_span target = ob_exchange_target(exchange);
	if (sl_span_equals(target, "/"))
		ob_head_set_part(&exchange->request, OB_TARGET, "/", 1);
	else
		ob_head_trim_target(&exchange->request,
			ob_head_part(&exchange->request, OB_TARGET).len - target.len);
}

static void
forward(struct ob_connection *conn)
{
	struct ob_exchange *exchange = &conn->exchange;
	struct sl_buffer *wire = &conn->proxy->wire;
	conn->stage = OB_STAGE_FORWARDING;
	conn->read_ms[OB_UP] = conn->read_ms[OB_DOWN] = conn->proxy->loop.now_ms;
	if (conn->origin.watch.fd < 0 && !ob_connection_open_origin(conn)) {
		ob_connection_end(conn, 502);
		return;
	}
	if (exchange->is_connect)
		return; /* goes on once the origin is connected */
	make_target_plain(exchange);
	if (conn->proxy->settings.is_forward) {
		ob_head_remove(&exchange->request, "Proxy-Connection");
		ob_head_remove(&exchange->request, "Proxy-Authorization");
	}
	exchange->is_repeatable = some_fault_repeats(conn);
	sl_buffer_clear(wire);
	ob_head_write(&exchange->request, wire);
	send_request(conn, wire->bytes, wire->len);
	ob_actives_begin(conn);
}

void
ob_exchange_judge(struct ob_connection *conn, unsigned from)
{
	for (unsigned i = from; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		const struct ob_fault_type *type = active->fault->type;
		enum ob_verdict (*hook)(struct ob_active *) = type->on_request_head;
		if (!hook && ob_fault_is_of_requests(active->fault))
			hook = type->on_open;
		if (hook && ob_active_is_on(active) && hook(active) != OB_GO)
			return;
	}
	forward(conn);
}

bool
ob_exchange_repeat(struct ob_connection *conn)
{
	struct ob_exchange *exchange = &conn->exchange;
	if (!exchange->is_repeatable || !exchange->up.is_done || exchange->is_begun)
		return false;
	ob_connection_close_origin(conn);
	ob_head_reset(&exchange->response);
	if (!ob_connection_open_origin(conn))
		return false;
	ob_connection_send(conn, OB_UP, exchange->sent.bytes, exchange->sent.len);
	return true;
}

/* ---- the response ---- */

static enum ob_verdict
ask_about_response(struct ob_connection *conn)
{
	for (unsigned i = 0; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		enum ob_verdict (*hook)(struct ob_active *) = active->fault->type->on_response_head;
		if (hook && ob_active_is_on(active) && hook(active) != OB_GO)
			return OB_TAKEN;
	}
	return OB_GO;
}

/* The framing towards the client, which a fault may have changed. */
static void
settle_framing(struct ob_exchange *exchange)
{
	struct ob_head *head = &exchange->response;
	if (exchange->down_out == OB_LENGTH && exchange->is_rewritten) {
		ob_head_remove(head, "Content-Length");
		exchange->down_out = OB_CHUNKED;
	}
	if (exchange->down_out == OB_NO_BODY) {
		exchange->is_last = exchange->is_last || ob_head_has_token(head, "Connection", "close");
		return;
	}
	if (exchange->down_out == OB_CHUNKED && (exchange->is_http10 || ob_head_is_http10(head)))
		exchange->down_out = OB_UNTIL_CLOSE;
	if (exchange->down_out == OB_CHUNKED)
		ob_head_set(head, "Transfer-Encoding", "chunked");
	else
		ob_head_remove(head, "Transfer-Encoding");
	if (exchange->down_out == OB_UNTIL_CLOSE || exchange->down.framing == OB_UNTIL_CLOSE
		|| ob_head_has_token(head, "Connection", "close")
		|| (ob_head_is_http10(head) && !ob_head_has_token(head, "Connection", "keep-alive")))
		exchange->is_last = true;
}

static void
pass_down(struct ob_connection *conn, const char *bytes, size_t len, bool end)
{
	ob_actives_take(conn, &(struct ob_piece){ OB_DOWN, bytes, len, end });
}

/* The response's head is complete. */
static void
begin_response(struct ob_connection *conn)
{
	struct ob_exchange *exchange = &conn->exchange;
	unsigned status = ob_head_status(&exchange->response);
	if (status < 200 && status != 101) { /* RFC 9110, section 15.2 */
		sl_buffer_clear(&conn->proxy->wire);
		ob_head_write(&exchange->response, &conn->proxy->wire);
		ob_connection_send(conn, OB_DOWN, conn->proxy->wire.bytes, conn->proxy->wire.len);
		ob_head_reset(&exchange->response);
		return;
	}
	if (ob_body_of_response(&exchange->down, &exchange->response,
		ob_head_part(&exchange->request, OB_METHOD)) != 0) {
		ob_connection_end(conn, 502);
		return;
	}
	exchange->down_out = exchange->down.framing;
	ob_events_begin(&exchange->events, &exchange->response, exchange->transport);
	ob_actives_follow(conn);
	if (ask_about_response(conn) != OB_GO)
		return;
	if (status == 101) {
		exchange->holds_head = false;
		ob_exchange_release_head(conn);
		ob_connection_start_tunnel(conn);
		return;
	}
	settle_framing(exchange);
	if (!exchange->holds_head)
		ob_exchange_release_head(conn);
	if (exchange->down.is_done)
		pass_down(conn, NULL, 0, true);
}

static void
take_response_body(struct ob_connection *conn, const char *bytes, size_t len)
{
	struct ob_exchange *exchange = &conn->exchange;
	struct sl_buffer *content = &conn->proxy->content;
	size_t used;
	sl_buffer_clear(content);
	if (ob_body_feed(&exchange->down, bytes, len, &used, content) != 0)
		ob_connection_end(conn, OB_END_FIN);
	else if (content->len || exchange->down.is_done)
		pass_down(conn, content->bytes, content->len, exchange->down.is_done);
}

void
ob_exchange_take(struct ob_connection *conn, const char *bytes, size_t len)
{
	struct ob_exchange *exchange = &conn->exchange;
	while (len && conn->stage == OB_STAGE_FORWARDING && !exchange->response.is_complete) {
		size_t used;
		int err = ob_head_feed(&exchange->response, bytes, len, &used);
		bytes += used;
		len -= used;
		if (err == SL_EAGAIN)
			return;
		if (err) {
			ob_connection_end(conn, 502);
			return;
		}
		begin_response(conn);
		if (conn->is_dead[OB_DOWN])
			return;
		if (conn->origin.is_connecting)
			return; /* it is asked again: what is left belonged to the answer before */
	}
	if (len == 0)
		return;
	if (conn->stage == OB_STAGE_TUNNEL)
		pass_down(conn, bytes, len, false);
	else if (conn->stage == OB_STAGE_FORWARDING && !exchange->down.is_done)
		take_response_body(conn, bytes, len);
}

static bool
some_fault_takes_over(struct ob_connection *conn)
{
	for (unsigned i = 0; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		if (active->fault->type->on_origin_gone && ob_active_is_on(active)
			&& active->fault->type->on_origin_gone(active) != OB_GO)
			return true;
	}
	return false;
}

void
ob_exchange_origin_gone(struct ob_connection *conn)
{
	struct ob_exchange *exchange = &conn->exchange;
	if (conn->stage == OB_STAGE_TUNNEL) {
		pass_down(conn, NULL, 0, true);
		ob_connection_end(conn, OB_END_FIN);
	} else if (conn->stage == OB_STAGE_READING) {
		ob_connection_end(conn, OB_END_FIN);
	} else if (conn->stage != OB_STAGE_FORWARDING) {
		return; /* nothing has been asked of it: another is opened when it is needed */
	} else if (!exchange->response.is_complete) {
		ob_connection_end(conn, 502);
	} else if (exchange->down.framing == OB_UNTIL_CLOSE && !exchange->down.is_done) {
		exchange->down.is_done = true;
		pass_down(conn, NULL, 0, true);
	} else if (!some_fault_takes_over(conn) && !exchange->down.is_done) {
		ob_connection_end(conn, OB_END_FIN);
	}
}

static void
finish_response(struct ob_connection *conn)
{
	struct ob_exchange *exchange = &conn->exchange;
	struct ob_head *request = &exchange->request;
	bool is_kept = exchange->is_http10 ? ob_head_has_token(request, "Connection", "keep-alive")
		: !ob_head_has_token(request, "Connection", "close");
	if (exchange->is_last || !is_kept || !exchange->up.is_done || conn->origin.watch.fd < 0) {
		ob_connection_end(conn, OB_END_FIN);
		return;
	}
	reset(exchange);
	conn->stage = OB_STAGE_READING;
}

void
ob_exchange_release_head(struct ob_connection *conn)
{
	struct ob_exchange *exchange = &conn->exchange;
	if (exchange->is_begun || !exchange->response.is_complete)
		return;
	exchange->is_begun = true;
	sl_buffer_clear(&conn->proxy->wire);
	ob_head_write(&exchange->response, &conn->proxy->wire);
	ob_connection_send(conn, OB_DOWN, conn->proxy->wire.bytes, conn->proxy->wire.len);
}

void
ob_exchange_emit(struct ob_connection *conn, const struct ob_piece *piece)
{
	struct ob_exchange *exchange = &conn->exchange;
	struct sl_buffer *wire = &conn->proxy->wire;
	if (conn->stage == OB_STAGE_TUNNEL) {
		ob_connection_send(conn, piece->way, piece->bytes, piece->len);
		return;
	}
	if (conn->stage != OB_STAGE_FORWARDING)
		return;
	sl_buffer_clear(wire);
	if (piece->way == OB_UP) {
		ob_body_write(exchange->up.framing, wire, piece->bytes, piece->len, piece->end);
		send_request(conn, wire->bytes, wire->len);
		return;
	}
	if (!exchange->is_begun)
		ob_head_write(&exchange->response, wire);
	exchange->is_begun = true;
	ob_body_write(exchange->down_out, wire, piece->bytes, piece->len, piece->end);
	ob_connection_send(conn, OB_DOWN, wire->bytes, wire->len);
	if (piece->end)
		finish_response(conn);
}
