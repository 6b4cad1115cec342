#include "bench/obstacle/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/obstacle/active.h"
#include "util/err.h"

#define LINGER_MS 2000  /* a client that was told the end may still send */
#define DRAIN_MS 5000   /* for what is queued to go out at the end */
#define ORPHAN_MS 60000 /* an origin that is not told of the end */

static uint64_t
now_ms(const struct ob_connection *conn)
{
	return conn->proxy->loop.now_ms;
}

static void
finish_side(struct ob_side *side, bool tells)
{
	if (side->watch.fd >= 0) {
		int fd = side->watch.fd;
		ob_tls_end_finish(&side->tls, tells);
		sl_loop_forget(&side->watch);
		close(fd);
	}
	side->is_connecting = false;
	ob_queue_clear(&side->out);
}

static void
free_connection(struct sl_deferred *deferred)
{
	struct ob_connection *conn =
		(void *)((char *)deferred - offsetof(struct ob_connection, deferred));
	ob_actives_destroy(conn);
	ob_exchange_finish(&conn->exchange);
	ob_queue_finish(&conn->client.out);
	ob_queue_finish(&conn->origin.out);
	sl_buffer_finish(&conn->in);
	free(conn);
}

static void
close_connection(struct ob_connection *conn, bool tells_client)
{
	if (conn->stage == OB_STAGE_CLOSED)
		return;
	struct ob_proxy *proxy = conn->proxy;
	conn->stage = OB_STAGE_CLOSED;
	sl_timer_cancel(&proxy->loop.timers, &conn->timer);
	for (unsigned i = 0; i < conn->active_count; i++)
		sl_timer_cancel(&proxy->loop.timers, &conn->actives[i].timer);
	finish_side(&conn->client, tells_client);
	finish_side(&conn->origin, true);
	*conn->prev = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	else
		proxy->last = conn->prev;
	proxy->open--;
	conn->deferred.run = free_connection;
	sl_loop_defer(&proxy->loop, &conn->deferred);
}

void
ob_connection_close(struct ob_connection *conn)
{
	close_connection(conn, true);
}

static void
close_with_reset(struct ob_connection *conn)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(conn->client.watch.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close_connection(conn, false);
}

/* ---- ends ---- */

bool
ob_connection_can_answer(const struct ob_connection *conn)
{
	return conn->stage == OB_STAGE_READING || conn->stage == OB_STAGE_JUDGING
		|| (conn->stage == OB_STAGE_FORWARDING && !conn->exchange.is_begun);
}

static void
start_ending(struct ob_connection *conn, bool with_reset)
{
	uint64_t last_ms = ob_queue_last_ms(&conn->client.out);
	conn->stage = OB_STAGE_ENDING;
	conn->ends_with_reset = with_reset;
	conn->deadline_ms = (last_ms > now_ms(conn) ? last_ms : now_ms(conn)) + DRAIN_MS;
	ob_connection_close_origin(conn);
}

static void
start_hole(struct ob_connection *conn, bool up, bool down)
{
	conn->is_dead[OB_UP] |= up;
	conn->is_dead[OB_DOWN] |= down;
	if (conn->stage < OB_STAGE_FORWARDING)
		conn->stage = OB_STAGE_HOLE;
}

void
ob_connection_end(struct ob_connection *conn, uint64_t ending)
{
	if (conn->stage >= OB_STAGE_ENDING)
		return;
	switch (ending) {
	case OB_END_FIN: start_ending(conn, false); break;
	case OB_END_RST: start_ending(conn, true); break;
	case OB_END_HOLE: start_hole(conn, true, true); break;
	case OB_END_HOLE_UP: start_hole(conn, true, false); break;
	case OB_END_HOLE_DOWN: start_hole(conn, false, true); break;
	default:
		if (ob_connection_can_answer(conn))
			ob_exchange_answer(conn, (unsigned)ending, "", NULL);
		else
			start_ending(conn, false);
	}
}

static void
become_orphan(struct ob_connection *conn, uint64_t wait_ms)
{
	finish_side(&conn->client, true);
	conn->stage = OB_STAGE_ORPHAN;
	conn->deadline_ms = now_ms(conn) + wait_ms;
}

static void
handle_client_gone(struct ob_connection *conn)
{
	bool has_origin = conn->origin.watch.fd >= 0;
	if (!has_origin || conn->stage >= OB_STAGE_ENDING) {
		ob_connection_close(conn);
		return;
	}
	for (unsigned i = 0; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		if (active->fault->type->on_client_gone && ob_active_is_on(active)
			&& active->fault->type->on_client_gone(active) == OB_WAIT) {
			become_orphan(conn, UINT32_MAX);
			return;
		}
	}
	if (conn->is_dead[OB_UP])
		become_orphan(conn, ORPHAN_MS);
	else if (ob_queue_len(&conn->origin.out))
		become_orphan(conn, 0);
	else
		ob_connection_close(conn);
}

static void
handle_origin_gone(struct ob_connection *conn)
{
	ob_connection_close_origin(conn);
	if (conn->stage == OB_STAGE_ORPHAN)
		ob_connection_close(conn);
	else if (!conn->is_dead[OB_DOWN])
		ob_exchange_origin_gone(conn);
}

/* ---- reading ---- */

static void
take_from_client(struct ob_connection *conn, const char *bytes, size_t len)
{
	if (conn->is_dead[OB_UP] || conn->stage == OB_STAGE_ENDING)
		return;
	if (conn->stage == OB_STAGE_TUNNEL) {
		ob_actives_take(conn, &(struct ob_piece){ OB_UP, bytes, len, false });
		return;
	}
	sl_buffer_append(&conn->in, bytes, len);
	if (sl_buffer_status(&conn->in) != 0)
		ob_connection_close(conn);
}

static void
take_from_origin(struct ob_connection *conn, const char *bytes, size_t len)
{
	if (!conn->is_dead[OB_DOWN] && conn->stage != OB_STAGE_ORPHAN)
		ob_exchange_take(conn, bytes, len);
}

/* One read, so that what came together passes together. */
static void
read_side(struct ob_connection *conn, enum ob_way way)
{
	struct ob_proxy *proxy = conn->proxy;
	struct ob_side *side = way == OB_UP ? &conn->client : &conn->origin;
	ssize_t len = ob_tls_end_read(&side->tls, side->watch.fd, proxy->bytes, sizeof proxy->bytes);
	if (len == SL_EAGAIN)
		return;
	if (len < 0) {
		if (way == OB_UP)
			handle_client_gone(conn);
		else
			handle_origin_gone(conn);
		return;
	}
	conn->read_ms[way] = now_ms(conn);
	conn->carried += (size_t)len;
	proxy->counts.bytes[way] += (size_t)len;
	if (way == OB_UP)
		take_from_client(conn, proxy->bytes, (size_t)len);
	else
		take_from_origin(conn, proxy->bytes, (size_t)len);
}

/* ---- writing ---- */

static void
flush(struct ob_connection *conn, struct ob_side *side)
{
	while (side->watch.fd >= 0 && !side->is_connecting && !side->tls.is_shaking) {
		struct sl_span due = ob_queue_due(&side->out, now_ms(conn));
		if (due.len == 0)
			return;
		ssize_t sent = ob_tls_end_write(&side->tls, side->watch.fd, due.bytes, due.len);
		if (sent == SL_EAGAIN)
			return;
		if (sent < 0) { /* its own event tells that it has gone */
			ob_queue_clear(&side->out);
			return;
		}
		ob_queue_consume(&side->out, (size_t)sent);
	}
}

/* ---- origin ---- */

static bool
connect_to(struct ob_connection *conn, const struct ob_address *to)
{
	int on = 1;
	int fd = socket(to->sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (const struct sockaddr *)&to->sockaddr, to->len) != 0 && errno != EINPROGRESS)
		goto fail;
	if (sl_loop_add(&conn->proxy->loop, &conn->origin.watch, fd, EPOLLOUT) != 0)
		goto fail;
	conn->origin.is_connecting = true;
	return true;
fail:
	close(fd);
	return false;
}

/* Tries the addresses that are left, one after the other. */
static bool
connect_to_next(struct ob_connection *conn)
{
	const struct ob_addresses *to = &conn->proxy->settings.to;
	while (conn->origin_left > 0) {
		conn->origin_left--;
		conn->origin_at = (conn->origin_at + 1) % to->count;
		if (connect_to(conn, &to->list[conn->origin_at]))
			return true;
	}
	return false;
}

/* Nobody listens there: at another address of the name somebody may. */
static void
handle_not_connected(struct ob_connection *conn)
{
	int fd = conn->origin.watch.fd;
	sl_loop_forget(&conn->origin.watch);
	close(fd);
	if (!connect_to_next(conn))
		handle_origin_gone(conn);
}

/* The origin can be spoken to. */
static void
handle_ready(struct ob_connection *conn)
{
	if (conn->stage == OB_STAGE_FORWARDING && conn->exchange.is_connect) {
		static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
		ob_connection_send(conn, OB_DOWN, established, sizeof established - 1);
		ob_connection_start_tunnel(conn);
	}
}

static void
shake_with_origin(struct ob_connection *conn)
{
	int err = ob_tls_end_shake(&conn->origin.tls);
	if (err == 0)
		handle_ready(conn);
	else if (err != SL_EAGAIN)
		handle_origin_gone(conn);
}

static void
handle_connected(struct ob_connection *conn)
{
	struct ob_proxy *proxy = conn->proxy;
	int error = 0, fd = conn->origin.watch.fd;
	socklen_t len = sizeof error;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	conn->origin.is_connecting = false;
	if (error) {
		handle_not_connected(conn);
		return;
	}
	proxy->to_at = conn->origin_at;
	if (ob_tls_end_begin(&conn->origin.tls, proxy->settings.to_tls, fd) != 0)
		handle_origin_gone(conn);
	else if (conn->origin.tls.is_shaking)
		shake_with_origin(conn);
	else
		handle_ready(conn);
}

static void
handle_origin(struct sl_watch *watch, uint32_t events)
{
	struct ob_connection *conn = ((struct ob_side *)(void *)watch)->conn;
	if (conn->origin.is_connecting)
		handle_connected(conn);
	else if (conn->origin.tls.is_shaking)
		shake_with_origin(conn);
	else if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		read_side(conn, OB_DOWN);
	ob_connection_settle(conn);
}

bool
ob_connection_open_origin(struct ob_connection *conn)
{
	const struct ob_proxy *proxy = conn->proxy;
	conn->origin_left = proxy->settings.to.count;
	conn->origin_at = proxy->to_at + conn->origin_left - 1; /* the next is `to_at` */
	return connect_to_next(conn);
}

void
ob_connection_close_origin(struct ob_connection *conn)
{
	finish_side(&conn->origin, true);
}

void
ob_connection_start_tunnel(struct ob_connection *conn)
{
	conn->stage = OB_STAGE_TUNNEL;
	conn->read_ms[OB_UP] = conn->read_ms[OB_DOWN] = now_ms(conn);
	if (conn->origin.watch.fd < 0 && !ob_connection_open_origin(conn)) {
		ob_connection_end(conn, OB_END_FIN);
		return;
	}
	if (conn->exchange.transport == NULL || conn->exchange.is_connect) {
		conn->exchange.transport = "tunnel";
		ob_actives_match(conn);
		ob_actives_begin(conn);
	}
	if (conn->in.len) {
		ob_actives_take(conn, &(struct ob_piece){ OB_UP, conn->in.bytes, conn->in.len, false });
		sl_buffer_clear(&conn->in);
	}
}

/* ---- events ---- */

static uint32_t
client_events(const struct ob_connection *conn)
{
	uint32_t events = 0;
	bool is_waiting = conn->stage == OB_STAGE_OPENING || conn->stage == OB_STAGE_JUDGING;
	if (!is_waiting && conn->client.tls.is_shaking)
		return ob_tls_end_events(&conn->client.tls);
	if (is_waiting)
		events |= EPOLLRDHUP;
	else if (conn->in.len < OB_QUEUE_MAX && ob_queue_len(&conn->origin.out) < OB_QUEUE_MAX)
		events |= EPOLLIN | EPOLLRDHUP;
	if (ob_queue_due_ms(&conn->client.out) <= now_ms(conn))
		events |= EPOLLOUT;
	return events;
}

static uint32_t
origin_events(const struct ob_connection *conn)
{
	uint32_t events = 0;
	if (conn->origin.is_connecting)
		return EPOLLOUT;
	if (conn->origin.tls.is_shaking)
		return ob_tls_end_events(&conn->origin.tls);
	if (ob_queue_len(&conn->client.out) < OB_QUEUE_MAX)
		events |= EPOLLIN | EPOLLRDHUP;
	if (ob_queue_due_ms(&conn->origin.out) <= now_ms(conn))
		events |= EPOLLOUT;
	return events;
}

static void
continue_ending(struct ob_connection *conn)
{
	if (ob_queue_len(&conn->client.out) == 0) {
		if (conn->ends_with_reset) {
			close_with_reset(conn);
		} else if (!conn->is_shut) {
			conn->is_shut = true;
			ob_tls_end_finish(&conn->client.tls, true);
			shutdown(conn->client.watch.fd, SHUT_WR);
			conn->deadline_ms = now_ms(conn) + LINGER_MS;
		}
	}
	if (conn->stage == OB_STAGE_ENDING && now_ms(conn) >= conn->deadline_ms)
		ob_connection_close(conn);
}

static void
set_timer(struct ob_connection *conn)
{
	struct sl_timer_wheel *timers = &conn->proxy->loop.timers;
	uint64_t due_ms = conn->deadline_ms ? conn->deadline_ms : UINT64_MAX;
	uint64_t client_ms = ob_queue_due_ms(&conn->client.out);
	uint64_t origin_ms = ob_queue_due_ms(&conn->origin.out);
	if (client_ms > now_ms(conn) && client_ms < due_ms)
		due_ms = client_ms;
	if (origin_ms > now_ms(conn) && origin_ms < due_ms)
		due_ms = origin_ms;
	if (due_ms == UINT64_MAX)
		sl_timer_cancel(timers, &conn->timer);
	else if (!sl_timer_is_set(&conn->timer) || conn->timer.due_ms != due_ms)
		sl_timer_set(timers, &conn->timer, due_ms);
}

void
ob_connection_settle(struct ob_connection *conn)
{
	struct sl_loop *loop = &conn->proxy->loop;
	enum ob_stage before;
	do {
		before = conn->stage;
		if (conn->stage == OB_STAGE_READING || conn->stage == OB_STAGE_FORWARDING)
			ob_exchange_advance(conn);
	} while (conn->stage != before && conn->in.len);
	if (conn->stage == OB_STAGE_CLOSED)
		return;
	flush(conn, &conn->client);
	flush(conn, &conn->origin);
	if (conn->stage == OB_STAGE_ENDING)
		continue_ending(conn);
	else if (conn->stage == OB_STAGE_ORPHAN && now_ms(conn) >= conn->deadline_ms
		&& (ob_queue_len(&conn->origin.out) == 0 || now_ms(conn) >= conn->deadline_ms + DRAIN_MS))
		ob_connection_close(conn);
	if (conn->stage == OB_STAGE_CLOSED)
		return;
	sl_loop_change(loop, &conn->client.watch, client_events(conn));
	sl_loop_change(loop, &conn->origin.watch, origin_events(conn));
	set_timer(conn);
}

static void
shake_with_client(struct ob_connection *conn)
{
	int err = ob_tls_end_shake(&conn->client.tls);
	if (err != 0 && err != SL_EAGAIN)
		handle_client_gone(conn);
}

static void
handle_client(struct sl_watch *watch, uint32_t events)
{
	struct ob_connection *conn = ((struct ob_side *)(void *)watch)->conn;
	bool is_waiting = conn->stage == OB_STAGE_OPENING || conn->stage == OB_STAGE_JUDGING;
	if (is_waiting && events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		handle_client_gone(conn);
	else if (!is_waiting && conn->client.tls.is_shaking)
		shake_with_client(conn);
	else if (!is_waiting && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		read_side(conn, OB_UP);
	ob_connection_settle(conn);
}

static void
handle_timer(struct sl_timer *timer)
{
	struct ob_connection *conn = (void *)((char *)timer - offsetof(struct ob_connection, timer));
	ob_connection_settle(conn);
}

/* ---- beginning ---- */

void
ob_connection_begin(struct ob_connection *conn, unsigned from)
{
	for (unsigned i = from; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		if (!active->fault->type->on_open || ob_fault_is_of_requests(active->fault)
			|| !ob_active_is_on(active))
			continue;
		if (active->fault->type->on_open(active) != OB_GO)
			return;
	}
	conn->stage = OB_STAGE_READING;
	if (conn->proxy->settings.is_tcp)
		ob_connection_start_tunnel(conn);
}

static void
init_side(struct ob_side *side, struct ob_connection *conn,
	void (*on_ready)(struct sl_watch *, uint32_t))
{
	side->watch = (struct sl_watch){ .on_ready = on_ready, .fd = -1 };
	side->conn = conn;
	ob_queue_init(&side->out);
}

static void
append_to_list(struct ob_connection *conn)
{
	struct ob_proxy *proxy = conn->proxy;
	conn->prev = proxy->last;
	*proxy->last = conn;
	proxy->last = &conn->next;
	proxy->open++;
}

void
ob_connection_open(struct ob_proxy *proxy, int fd)
{
	struct ob_connection *conn = calloc(1, sizeof *conn);
	int on = 1;
	if (!conn)
		goto fail;
	conn->proxy = proxy;
	conn->opened_ms = conn->read_ms[OB_UP] = conn->read_ms[OB_DOWN] = proxy->loop.now_ms;
	init_side(&conn->client, conn, handle_client);
	init_side(&conn->origin, conn, handle_origin);
	sl_timer_init(&conn->timer, handle_timer);
	ob_exchange_init(&conn->exchange);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (ob_actives_create(conn) != 0)
		goto fail_conn;
	if (ob_tls_end_begin(&conn->client.tls, proxy->settings.tls, fd) != 0)
		goto fail_actives;
	if (sl_loop_add(&proxy->loop, &conn->client.watch, fd, EPOLLRDHUP) != 0)
		goto fail_tls;
	append_to_list(conn);
	ob_connection_begin(conn, 0);
	ob_connection_settle(conn);
	return;
fail_tls:
	ob_tls_end_finish(&conn->client.tls, false);
fail_actives:
	ob_actives_destroy(conn);
fail_conn:
	ob_exchange_finish(&conn->exchange);
	free(conn);
fail:
	close(fd);
}

void
ob_connection_change_faults(struct ob_connection *conn)
{
	if (conn->stage >= OB_STAGE_ENDING || ob_actives_change(conn) != 0)
		return;
	/* A fault that made it wait may be gone: all are asked again. */
	if (conn->stage == OB_STAGE_OPENING) {
		ob_connection_begin(conn, 0);
	} else if (conn->stage == OB_STAGE_JUDGING) {
		ob_actives_match(conn);
		ob_exchange_judge(conn, 0);
	}
	ob_connection_settle(conn);
}
