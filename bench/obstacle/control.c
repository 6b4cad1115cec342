#include "bench/obstacle/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/obstacle/body.h"
#include "bench/obstacle/control_json.h"
#include "bench/obstacle/head.h"
#include "bench/obstacle/tls.h"
#include "util/err.h"

#define CONTROL_HEAD_MAX (16 << 10)

struct ob_control_connection {
	struct sl_watch watch;
	struct ob_tls_end tls;
	struct ob_control *control;
	struct ob_control_connection *next, **prev;
	struct ob_head head;
	struct ob_body body;
	struct sl_buffer content, answer;
	size_t sent;
	bool is_answered;
	struct sl_timer timer;
	struct sl_deferred deferred;
};

static void
free_connection(struct sl_deferred *deferred)
{
	struct ob_control_connection *conn =
		(void *)((char *)deferred - offsetof(struct ob_control_connection, deferred));
	ob_head_finish(&conn->head);
	sl_buffer_finish(&conn->content);
	sl_buffer_finish(&conn->answer);
	free(conn);
}

static void
close_connection(struct ob_control_connection *conn)
{
	struct sl_loop *loop = &conn->control->proxy->loop;
	int fd = conn->watch.fd;
	ob_tls_end_finish(&conn->tls, true);
	sl_loop_forget(&conn->watch);
	close(fd);
	sl_timer_cancel(&loop->timers, &conn->timer);
	*conn->prev = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	conn->control->open--;
	conn->deferred.run = free_connection;
	sl_loop_defer(loop, &conn->deferred);
}

static void
handle_timer(struct sl_timer *timer)
{
	close_connection((void *)((char *)timer - offsetof(struct ob_control_connection, timer)));
}

/* ---- who may ask ---- */

/* The host of an authority, without its port. */
static bool
is_loopback_host(struct sl_span host)
{
	const char *colon = host.len && host.bytes[0] != '[' ? memchr(host.bytes, ':', host.len) : NULL;
	size_t len = colon ? (size_t)(colon - host.bytes) : host.len;
	return (len == 9 && strncasecmp(host.bytes, "localhost", 9) == 0)
		|| (len == 9 && memcmp(host.bytes, "127.0.0.1", 9) == 0)
		|| (len >= 5 && memcmp(host.bytes, "[::1]", 5) == 0);
}

static bool
is_allowed_origin(const struct ob_control *control, struct sl_span origin)
{
	for (const char *const *allowed = control->origins; *allowed; allowed++)
		if (sl_span_equals(origin, *allowed))
			return true;
	return false;
}

/* ---- answers ---- */

static void
answer(struct ob_control_connection *conn, const char *status, const char *body)
{
	struct sl_span origin = ob_head_get(&conn->head, "Origin");
	struct sl_buffer *out = &conn->answer;
	sl_buffer_printf(out, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n", status, strlen(body));
	if (origin.bytes && is_allowed_origin(conn->control, origin))
		sl_buffer_printf(out, "Access-Control-Allow-Origin: %.*s\r\nVary: Origin\r\n"
			"Access-Control-Allow-Methods: GET, PUT, POST\r\n"
			"Access-Control-Allow-Headers: Content-Type\r\n", (int)origin.len, origin.bytes);
	sl_buffer_append_str(out, "\r\n");
	sl_buffer_append_str(out, body);
	conn->is_answered = true;
}

static void
answer_error(struct ob_control_connection *conn, const char *status, const char *code,
	const char *message)
{
	struct sl_buffer body = SL_BUFFER_INIT;
	sl_buffer_append_str(&body, "{\"error\":{\"code\":");
	sl_buffer_append_json_string(&body, code, strlen(code));
	sl_buffer_append_str(&body, ",\"message\":");
	sl_buffer_append_json_string(&body, message, strlen(message));
	sl_buffer_append(&body, "}}", 3);
	answer(conn, status, sl_buffer_status(&body) == 0 ? body.bytes : "{}");
	sl_buffer_finish(&body);
}

/* Takes `text`. */
static void
answer_json(struct ob_control_connection *conn, char *text)
{
	if (text)
		answer(conn, "200 OK", text);
	else
		answer_error(conn, "500 Internal Server Error", "internal", "out of memory; try again later");
	free(text);
}

static void
change_faults(struct ob_control_connection *conn)
{
	struct ob_proxy *proxy = conn->control->proxy;
	struct ob_fault_set *set;
	char why[256] = "";
	if (ob_faults_read_json(&set, conn->content.bytes, conn->content.len, proxy->faults,
		proxy->loop.now_ms, why, sizeof why) != 0) {
		answer_error(conn, "400 Bad Request", "bad_fault", why);
		return;
	}
	ob_proxy_set_faults(proxy, set);
	answer_json(conn, ob_faults_write_json(proxy->faults));
}

static void
answer_request(struct ob_control_connection *conn)
{
	const struct ob_proxy *proxy = conn->control->proxy;
	struct sl_span method = ob_head_part(&conn->head, OB_METHOD);
	struct sl_span target = ob_head_part(&conn->head, OB_TARGET);
	struct sl_span origin = ob_head_get(&conn->head, "Origin");
	bool is_get = sl_span_equals(method, "GET");
	if (!is_loopback_host(ob_head_get(&conn->head, "Host")))
		answer_error(conn, "403 Forbidden", "bad_host", "Host is not a loopback name; use 127.0.0.1 or localhost");
	else if (origin.bytes && !is_allowed_origin(conn->control, origin))
		answer_error(conn, "403 Forbidden", "bad_origin", "no --allow-origin names the origin of this page; start sluice-obstacle with it");
	else if (sl_span_equals(method, "OPTIONS"))
		answer(conn, "204 No Content", "");
	else if (sl_span_equals(target, "/faults") && is_get)
		answer_json(conn, ob_faults_write_json(proxy->faults));
	else if (sl_span_equals(target, "/faults")
		&& (sl_span_equals(method, "PUT") || sl_span_equals(method, "POST")))
		change_faults(conn);
	else if (sl_span_equals(target, "/counts") && is_get)
		answer_json(conn, ob_counts_write_json(proxy));
	else if (sl_span_equals(target, "/list") && is_get)
		answer_json(conn, ob_types_write_json());
	else
		answer_error(conn, "404 Not Found", "not_found",
			"there is nothing at this path for this method; use GET, PUT or POST /faults, GET /counts or GET /list");
}

/* ---- events ---- */

static void
take(struct ob_control_connection *conn, const char *bytes, size_t len)
{
	size_t used = 0;
	if (!conn->head.is_complete) {
		int err = ob_head_feed(&conn->head, bytes, len, &used);
		if (err == SL_EAGAIN)
			return;
		if (err || ob_body_of_request(&conn->body, &conn->head) != 0) {
			answer_error(conn, "400 Bad Request", "bad_request", "this is not an HTTP request; use HTTP/1.1");
			return;
		}
	}
	bytes += used;
	len -= used;
	if (ob_body_feed(&conn->body, bytes, len, &used, &conn->content) != 0)
		answer_error(conn, "400 Bad Request", "bad_request", "the chunks of the body are malformed; use those of RFC 9112, section 7.1");
	else if (conn->content.len > OB_CONTROL_BODY_MAX)
		answer_error(conn, "413 Content Too Large", "too_large", "the body is too long; use a shorter list of faults");
	else if (conn->body.is_done)
		answer_request(conn);
}

static void
send_answer(struct ob_control_connection *conn)
{
	ssize_t sent = ob_tls_end_write(&conn->tls, conn->watch.fd, conn->answer.bytes + conn->sent,
		conn->answer.len - conn->sent);
	if (sent > 0)
		conn->sent += (size_t)sent;
	if (conn->sent == conn->answer.len || (sent < 0 && sent != SL_EAGAIN)) {
		ob_tls_end_finish(&conn->tls, true);
		shutdown(conn->watch.fd, SHUT_WR);
		close_connection(conn);
	} else {
		sl_loop_change(&conn->control->proxy->loop, &conn->watch, EPOLLOUT);
	}
}

/* True when the handshake is over. */
static bool
shake(struct ob_control_connection *conn)
{
	int err = ob_tls_end_shake(&conn->tls);
	if (err != 0 && err != SL_EAGAIN)
		close_connection(conn);
	else
		sl_loop_change(&conn->control->proxy->loop, &conn->watch,
			err == 0 ? EPOLLIN : ob_tls_end_events(&conn->tls));
	return err == 0;
}

static void
handle_connection(struct sl_watch *watch, uint32_t events)
{
	struct ob_control_connection *conn = (void *)watch;
	struct ob_proxy *proxy = conn->control->proxy;
	if (conn->tls.is_shaking && !shake(conn))
		return;
	if (!conn->is_answered) {
		ssize_t len = ob_tls_end_read(&conn->tls, watch->fd, proxy->bytes, sizeof proxy->bytes);
		if (len == SL_EAGAIN)
			return;
		if (len < 0) {
			close_connection(conn);
			return;
		}
		take(conn, proxy->bytes, (size_t)len);
	}
	if (conn->is_answered)
		send_answer(conn);
}

static void
open_connection(struct ob_control *control, int fd)
{
	struct sl_loop *loop = &control->proxy->loop;
	struct ob_control_connection *conn = calloc(1, sizeof *conn);
	if (!conn)
		goto fail;
	conn->watch = (struct sl_watch){ .on_ready = handle_connection, .fd = -1 };
	conn->control = control;
	ob_head_init(&conn->head, OB_REQUEST, CONTROL_HEAD_MAX);
	if (ob_tls_end_begin(&conn->tls, control->proxy->settings.tls, fd) != 0)
		goto fail_conn;
	if (sl_loop_add(loop, &conn->watch, fd, EPOLLIN) != 0)
		goto fail_tls;
	conn->next = control->first;
	conn->prev = &control->first;
	if (conn->next)
		conn->next->prev = &conn->next;
	control->first = conn;
	control->open++;
	sl_timer_init(&conn->timer, handle_timer);
	sl_timer_set(&loop->timers, &conn->timer, loop->now_ms + OB_CONTROL_MS);
	return;
fail_tls:
	ob_tls_end_finish(&conn->tls, false);
fail_conn:
	free(conn);
fail:
	close(fd);
}

static void
handle_accept(struct sl_watch *watch, uint32_t events)
{
	struct ob_control *control = (void *)((char *)watch - offsetof(struct ob_control, listener));
	int fd;
	while ((fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (control->open >= OB_CONTROL_CONNECTIONS)
			close(fd);
		else
			open_connection(control, fd);
	}
}

int
ob_control_open(struct ob_control *control, struct ob_proxy *proxy,
	const struct ob_addresses *addresses, const char *const *origins)
{
	int fds[OB_ADDRESSES_MAX];
	unsigned count;
	*control = (struct ob_control){ .proxy = proxy, .origins = origins };
	control->listener = (struct sl_watch){ .on_ready = handle_accept, .fd = -1 };
	if (ob_addresses_listen(addresses, fds, &count) != 0)
		return SL_EIO;
	return sl_loop_add(&proxy->loop, &control->listener, fds[0], EPOLLIN);
}

void
ob_control_close(struct ob_control *control)
{
	if (!control->proxy)
		return;
	while (control->first)
		close_connection(control->first);
	if (control->listener.fd >= 0)
		close(control->listener.fd);
}
