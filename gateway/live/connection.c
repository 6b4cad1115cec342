#include "live/connection.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "app.h"
#include "bus/bus.h"
#include "config/config.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/control.h"
#include "live/fanout.h"
#include "live/heartbeat.h"
#include "live/protocol.h"
#include "shard.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/log.h"

#define GARBAGE_BYTES 65536 /* what a client with nothing to say may send */
#define REST_BYTES 1048576  /* the same after the frame that ended its connection */

static void on_ready(struct sl_watch *watch, uint32_t events);
static void on_timer(struct sl_timer *timer);

#define from_member(pointer, member) \
	((struct sl_connection *)((char *)(pointer) - offsetof(struct sl_connection, member)))

/* ---- open and close ---- */

struct sl_connection *
sl_connection_create(struct sl_shard *shard, const struct sl_transport *transport)
{
	struct sl_connection *c = calloc(1, transport->connection_size);
	if (!c)
		return NULL;
	c->transport = transport;
	c->shard = shard;
	c->heartbeat_s = (uint16_t)shard->config->heartbeat_s;
	c->quiet_since_ms = c->last_read_ms = shard->loop.now_ms;
	c->watch.on_ready = on_ready;
	c->watch.fd = -1;
	sl_timer_init(&c->timer, on_timer);
	c->next = shard->connections;
	c->prev = &shard->connections;
	if (c->next)
		c->next->prev = &c->next;
	shard->connections = c;
	sl_metrics_add_class(&shard->metrics, transport->class, SL_CLASS_OPENED, 1);
	return c;
}

void
sl_connection_refuse(struct sl_connection *c, const struct sl_request *request, int err)
{
	struct sl_reply reply = { 0 };
	struct sl_buffer bytes = SL_BUFFER_INIT, lines = SL_BUFFER_INIT;
	if (c->state >= SL_ENDING || c->outbox.queued_bytes || c->watch.fd < 0) {
		sl_connection_close(c);
		return;
	}
	sl_request_append_cors(request, &lines);
	sl_buffer_append_char(&lines, '\0');
	sl_reply_set_err(&reply, err);
	if (sl_buffer_status(&lines) == 0)
		sl_reply_append_response(&reply, &bytes, lines.bytes, false);
	sl_metrics_add(&c->shard->metrics, sl_counter_of_status(reply.status), 1);
	sl_connection_end_quietly(c);
	if (sl_buffer_status(&bytes) == 0)
		sl_connection_send(c, bytes.bytes, bytes.len);
	sl_buffer_finish(&lines);
	sl_buffer_finish(&bytes);
	sl_reply_finish(&reply);
}

void
sl_connection_open(struct sl_connection *c, struct sl_socket *socket,
	const struct sl_request *request)
{
	c->socket = socket;
	if (request->params.heartbeat_s > 0)
		c->heartbeat_s = (uint16_t)request->params.heartbeat_s;
	c->raw = request->params.format == SL_FORMAT_RAW;
	int err = sl_loop_add(&c->shard->loop, &c->watch, socket->fd, EPOLLIN | EPOLLRDHUP);
	if (err == 0)
		err = c->transport->open(c, request);
	if (err == 0)
		return;
	sl_log_limited(SL_LOG_WARNING, "connection.open", "transport=%s error=\"%s\"",
		c->transport->name, sl_strerror(err));
	sl_connection_refuse(c, request, err);
}

static void
free_closed(struct sl_deferred *deferred)
{
	struct sl_connection *c = from_member(deferred, deferred);
	if (c->socket)
		sl_app_release_socket(c->shard->app, c->socket);
	free(c);
}

static void
leave_work(struct sl_connection *c)
{
	if (!c->has_work)
		return;
	c->has_work = false;
	struct sl_shard *shard = c->shard;
	struct sl_connection **at = &shard->work;
	while (*at != c)
		at = &(*at)->next_work;
	*at = c->next_work;
	if (shard->work_end == &c->next_work)
		shard->work_end = at;
}

struct sl_socket *
sl_connection_release_socket(struct sl_connection *c)
{
	struct sl_socket *socket = c->socket;
	sl_loop_remove(&c->shard->loop, &c->watch);
	c->socket = NULL;
	sl_connection_close(c);
	return socket;
}

void
sl_connection_close(struct sl_connection *c)
{
	if (c->state == SL_CLOSED)
		return;
	c->state = SL_CLOSED;
	struct sl_shard *shard = c->shard;
	sl_fanout_unsubscribe_all(c);
	sl_protocol_forget(c);
	if (c->transport->finish)
		c->transport->finish(c);
	sl_outbox_clear(&c->outbox);
	sl_timer_cancel(&shard->loop.timers, &c->timer);
	sl_loop_remove(&shard->loop, &c->watch);
	leave_work(c);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	sl_metrics_add_class(&shard->metrics, c->transport->class, SL_CLASS_CLOSED, 1);
	c->deferred.run = free_closed;
	sl_loop_defer(&shard->loop, &c->deferred);
}

void
sl_connection_change_transport(struct sl_connection *c, const struct sl_transport *transport)
{
	if (c->transport == transport)
		return;
	sl_metrics_add_class(&c->shard->metrics, c->transport->class, SL_CLASS_CLOSED, 1);
	sl_metrics_add_class(&c->shard->metrics, transport->class, SL_CLASS_OPENED, 1);
	c->transport = transport;
}

/* ---- beginning ---- */

int
sl_connection_begin(struct sl_connection *c, const struct sl_request *request,
	const struct sl_buffer *head, const struct sl_gap *gaps, size_t gap_count)
{
	if (sl_buffer_status(head) != 0)
		return SL_ENOMEM;
	c->verifies = request->params.verify;
	sl_connection_send(c, head->bytes, head->len);
	sl_control_send_open(c);
	for (size_t i = 0; i < gap_count && c->state < SL_ENDING; i++)
		sl_connection_send_gap(c, &gaps[i]);
	if (c->state >= SL_ENDING)
		return 0;
	/* "From now" begins at the head: there is nothing to catch up with. */
	bool now = request->params.since_kind == SL_SINCE_NOW;
	c->state = request->params.probe.len ? SL_PROBING : now ? SL_LIVE : SL_BEHIND;
	sl_heartbeat_begin(c);
	if (c->state == SL_BEHIND)
		sl_fanout_pull(c, NULL, 0);
	sl_connection_add_work(c);
	return 0;
}

struct sl_cursor
sl_connection_get_cursor(const struct sl_connection *c)
{
	struct sl_cursor cursor = sl_bus_head(c->shard->bus);
	cursor.seq = c->position;
	if (c->state == SL_LIVE && c->shard->fanout.position > c->position)
		cursor.seq = c->shard->fanout.position;
	return cursor;
}

/* ---- events ---- */

static ssize_t
count_read(struct sl_connection *c, ssize_t got)
{
	if (got > 0) {
		c->last_read_ms = c->shard->loop.now_ms;
		c->pinged = false;
		sl_metrics_add_class(&c->shard->metrics, c->transport->class, SL_CLASS_WIRE_BYTES_IN,
			(uint64_t)got);
	}
	return got;
}

ssize_t
sl_connection_read(struct sl_connection *c, void *bytes, size_t len)
{
	return count_read(c, sl_socket_read(c->socket, bytes, len));
}

ssize_t
sl_connection_discard(struct sl_connection *c, size_t len)
{
	/* The shard's own buffer, since a Unix socket has to be read to be emptied. */
	return count_read(c, sl_socket_discard(c->socket, c->shard->read_buffer, len));
}

void
sl_connection_discard_input(struct sl_connection *c)
{
	ssize_t got = sl_connection_discard(c, SL_READ_BUFFER);
	if (got == SL_EAGAIN)
		return;
	if (got > 0)
		c->garbage_bytes += (uint32_t)got;
	/* The rest of a message that is too large is still on its way when it is refused: after a
	 * reset its sender would not see why. */
	bool is_too_much = c->garbage_bytes > (c->conclusion ? REST_BYTES : GARBAGE_BYTES);
	if (is_too_much)
		sl_metrics_add(&c->shard->metrics, SL_COUNTER_PROTOCOL_ERRORS, 1);
	if (got < 0 || is_too_much)
		sl_connection_close(c);
}

static void
on_ready(struct sl_watch *watch, uint32_t events)
{
	struct sl_connection *c = from_member(watch, watch);
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		if (c->state >= SL_ENDING || c->conclusion)
			sl_connection_discard_input(c);
		else
			c->transport->on_readable(c);
	}
	if (c->state != SL_CLOSED && (events & EPOLLOUT))
		sl_connection_add_work(c);
}

/* ---- time ---- */

void
sl_connection_set_timer(struct sl_connection *c, uint64_t due_ms)
{
	sl_timer_set(&c->shard->loop.timers, &c->timer, due_ms);
}

static void
on_timer(struct sl_timer *timer)
{
	struct sl_connection *c = from_member(timer, timer);
	if (c->state == SL_ENDING)
		sl_socket_set_abort(c->socket); /* it would not take its last bytes */
	if (c->state >= SL_ENDING)
		sl_connection_close(c);
	else if (c->conclusion)
		sl_connection_end(c, (enum sl_end_reason)(c->conclusion - 1));
	else if (c->transport->on_timer)
		c->transport->on_timer(c);
	else
		sl_heartbeat_on_timer(c);
}
