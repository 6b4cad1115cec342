#include "live/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "app.h"
#include "bus/bus.h"
#include "config.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/control.h"
#include "live/fanout.h"
#include "live/protocol.h"
#include "shard.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/log.h"

#define SLICES_PER_WRITE 64
#define END_MS 5000         /* to take the last bytes, else RST */
#define LINGER_MS 2000      /* to close, once told that nothing more comes */
#define GARBAGE_BYTES 65536 /* what a client with nothing to say may send */
#define PROBE_MARK_MS 150
#define PROBE_SILENCE_MS 2000

static void on_ready(struct sl_watch *watch, uint32_t events);
static void on_timer(struct sl_timer *timer);
static void flush(struct sl_connection *c);

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
	c->last_write_ms = c->last_read_ms = shard->loop.now_ms;
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
	sl_connection_send(c, head->bytes, head->len);
	sl_control_send_open(c);
	for (size_t i = 0; i < gap_count && c->state < SL_ENDING; i++)
		sl_connection_send_gap(c, &gaps[i]);
	if (c->state >= SL_ENDING)
		return 0;
	uint64_t now_ms = c->shard->loop.now_ms;
	if (request->params.probe.len) {
		c->state = SL_PROBING;
		sl_connection_set_timer(c, now_ms + PROBE_MARK_MS);
	} else {
		/* "From now" begins at the head: there is nothing to catch up with. */
		bool now = request->params.since_kind == SL_SINCE_NOW;
		c->state = now ? SL_LIVE : SL_BEHIND;
		sl_connection_set_timer(c, now_ms + c->heartbeat_s * 1000u);
		if (!now)
			sl_fanout_pull(c, NULL, 0);
	}
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

/* ---- sending ---- */

void
sl_connection_count_messages(struct sl_connection *c, uint64_t count, uint64_t payload_bytes)
{
	sl_metrics_add_class(&c->shard->metrics, c->transport->class, SL_CLASS_MESSAGES_OUT, count);
	sl_metrics_add_class(&c->shard->metrics, c->transport->class, SL_CLASS_PAYLOAD_BYTES_OUT,
		payload_bytes);
}

/* Where the last object of a wire begins: one without ends, or an answer, is one object. */
static uint32_t
last_object_start(const struct sl_wire *wire)
{
	for (uint32_t i = wire->count; i-- > 0;)
		if (wire->ends[i] < wire->len)
			return wire->ends[i];
	return 0;
}

/* One object always fits, however large: what is before it must keep the limit. Answers
 * and what is read from history are of a bounded size already. */
static bool
has_room(const struct sl_connection *c, const struct sl_wire *wire, uint32_t at)
{
	bool is_replay = wire->count && c->state == SL_BEHIND;
	if (!c->outbox.queued_bytes || c->transport->answer || is_replay || c->state >= SL_ENDING)
		return true;
	uint32_t start = last_object_start(wire);
	uint32_t before = c->outbox.queued_bytes + (start > at ? start - at : 0);
	return before <= c->shard->config->outbox_bytes;
}

bool
sl_connection_send_wire(struct sl_connection *c, struct sl_wire *wire, uint32_t at)
{
	/* A turn may bring more than an outbox holds: slow is only who does not take it. */
	if (!has_room(c, wire, at) && !(c->watch.events & EPOLLOUT))
		flush(c);
	if (c->state == SL_CLOSED)
		return false;
	if (!has_room(c, wire, at)) {
		sl_connection_end(c, SL_END_SLOW_CONSUMER);
		return false;
	}
	if (sl_outbox_push(&c->outbox, wire, at) != 0) {
		sl_connection_close(c);
		return false;
	}
	sl_connection_add_work(c);
	return true;
}

void
sl_connection_send(struct sl_connection *c, const char *bytes, size_t len)
{
	if (c->state == SL_CLOSED || len == 0)
		return;
	struct sl_wire *wire = sl_wire_create(&c->shard->framer, bytes, len);
	if (!wire) {
		sl_connection_close(c);
		return;
	}
	sl_connection_send_wire(c, wire, 0);
	sl_wire_unref(wire);
}

void
sl_connection_send_control(struct sl_connection *c, struct sl_control *control)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	c->transport->frame_control(c, control, &out);
	if (sl_buffer_status(&out) == 0)
		sl_connection_send(c, out.bytes, out.len);
	else
		sl_connection_close(c);
	sl_buffer_finish(&out);
}

void
sl_connection_send_gap(struct sl_connection *c, const struct sl_gap *gap)
{
	uint32_t before = c->outbox.queued_bytes;
	sl_metrics_add(&c->shard->metrics, SL_COUNTER_GAPS_TOLD, 1);
	sl_control_send_gap(c, gap);
	if (c->state < SL_ENDING && c->outbox.queued_bytes == before)
		sl_connection_end(c, SL_END_GAP);
}

void
sl_connection_add_work(struct sl_connection *c)
{
	if (c->has_work || c->state == SL_CLOSED)
		return;
	struct sl_shard *shard = c->shard;
	c->has_work = true;
	c->next_work = NULL;
	*shard->work_end = c;
	shard->work_end = &c->next_work;
}

static void
finish_sending(struct sl_connection *c)
{
	sl_socket_shut(c->socket);
	c->state = SL_LINGERING;
	sl_connection_set_timer(c, c->shard->loop.now_ms + LINGER_MS);
}

/* Everything queued is with the kernel. */
static void
handle_flushed(struct sl_connection *c)
{
	sl_loop_change(&c->shard->loop, &c->watch, EPOLLIN | EPOLLRDHUP);
	if (c->state == SL_ENDING)
		finish_sending(c);
	else if (c->transport->on_flushed)
		c->transport->on_flushed(c);
}

static void
flush(struct sl_connection *c)
{
	struct sl_shard *shard = c->shard;
	struct iovec slices[SLICES_PER_WRITE];
	while (c->outbox.queued_bytes) {
		int count = sl_outbox_gather(&c->outbox, slices, SLICES_PER_WRITE);
		size_t offered = 0;
		for (int i = 0; i < count; i++)
			offered += slices[i].iov_len;
		ssize_t sent = sl_socket_write(c->socket, slices, count);
		if (sent == SL_EAGAIN) {
			sl_loop_change(&shard->loop, &c->watch, EPOLLIN | EPOLLRDHUP | EPOLLOUT);
			return;
		}
		if (sent < 0) {
			sl_connection_close(c);
			return;
		}
		sl_metrics_add(&shard->metrics, SL_COUNTER_SENDS, 1);
		sl_metrics_add_class(&shard->metrics, c->transport->class, SL_CLASS_WIRE_BYTES_OUT,
			(uint64_t)sent);
		c->last_write_ms = shard->loop.now_ms;
		sl_outbox_consume(&c->outbox, (size_t)sent);
		if ((size_t)sent < offered) {
			sl_loop_change(&shard->loop, &c->watch, EPOLLIN | EPOLLRDHUP | EPOLLOUT);
			return;
		}
	}
	handle_flushed(c);
}

void
sl_connection_do_work(struct sl_connection *c)
{
	if (c->outbox.queued_bytes)
		flush(c);
	else if (c->state == SL_ENDING)
		finish_sending(c);
	if (c->state != SL_BEHIND || c->outbox.queued_bytes)
		return;
	sl_fanout_pull(c, NULL, 0);
	if (c->outbox.queued_bytes && c->state != SL_CLOSED)
		flush(c);
	if (c->state == SL_BEHIND && !c->outbox.queued_bytes)
		sl_connection_add_work(c);
}

/* ---- ending ---- */

void
sl_connection_end_quietly(struct sl_connection *c)
{
	if (c->state >= SL_ENDING)
		return;
	sl_fanout_unsubscribe_all(c);
	c->state = SL_ENDING;
	sl_connection_set_timer(c, c->shard->loop.now_ms + END_MS);
	sl_connection_add_work(c);
}

/* A held request is answered, with nothing; between two there is nothing to say. */
static void
end_one_shot(struct sl_connection *c)
{
	struct sl_answer nothing = {
		.through = sl_connection_get_cursor(c).seq,
		.is_last = true,
	};
	if (c->state == SL_PARKED)
		sl_connection_end_quietly(c);
	else
		c->transport->answer(c, &nothing);
}

void
sl_connection_end(struct sl_connection *c, enum sl_end_reason reason)
{
	if (c->state >= SL_ENDING)
		return;
	char peer[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&c->socket->peer, peer);
	bool usual = reason == SL_END_DRAINING || reason == SL_END_CLIENT;
	sl_log_limited(usual ? SL_LOG_DEBUG : SL_LOG_INFO, "connection.end",
		"transport=%s peer=%s reason=%s queued=%u", c->transport->name, peer,
		sl_control_get_reason(reason), c->outbox.queued_bytes);
	if (reason == SL_END_SLOW_CONSUMER) {
		sl_metrics_add(&c->shard->metrics, SL_COUNTER_SLOW_CONSUMERS, 1);
		sl_outbox_drop_unbegun(&c->outbox);
	}
	if (reason == SL_END_PROTOCOL)
		sl_metrics_add(&c->shard->metrics, SL_COUNTER_PROTOCOL_ERRORS, 1);
	if (c->transport->answer) {
		end_one_shot(c);
		return;
	}
	sl_connection_end_quietly(c);
	struct sl_buffer out = SL_BUFFER_INIT;
	if (reason != SL_END_PROTOCOL && reason != SL_END_CLIENT)
		sl_control_send_bye(c, reason);
	c->transport->frame_end(c, reason, &out);
	if (c->state != SL_CLOSED && sl_buffer_status(&out) == 0)
		sl_connection_send(c, out.bytes, out.len);
	sl_buffer_finish(&out);
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
	if (c->garbage_bytes > GARBAGE_BYTES)
		sl_metrics_add(&c->shard->metrics, SL_COUNTER_PROTOCOL_ERRORS, 1);
	if (got < 0 || c->garbage_bytes > GARBAGE_BYTES)
		sl_connection_close(c);
}

static void
on_ready(struct sl_watch *watch, uint32_t events)
{
	struct sl_connection *c = from_member(watch, watch);
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		if (c->state >= SL_ENDING)
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
go_on_probing(struct sl_connection *c)
{
	uint64_t now_ms = c->shard->loop.now_ms;
	if (!c->probe_marked) {
		c->probe_marked = true;
		sl_control_send_mark(c);
		if (c->state == SL_PROBING)
			sl_connection_set_timer(c, now_ms + PROBE_SILENCE_MS);
		return;
	}
	c->state = SL_BEHIND;
	sl_connection_set_timer(c, now_ms + c->heartbeat_s * 1000u);
	sl_connection_add_work(c);
}

/* Silence of one interval is broken: by a heartbeat when we have not written, by a ping
 * when the client has not. */
static void
beat(struct sl_connection *c)
{
	uint64_t now_ms = c->shard->loop.now_ms;
	uint64_t interval_ms = c->heartbeat_s * 1000u;
	uint64_t next_ms = now_ms + interval_ms;
	bool is_blocked = c->outbox.queued_bytes > 0; /* asked before a ping is queued */
	if (c->transport->ping) {
		uint64_t drop_ms = c->last_read_ms + interval_ms * 5 / 2;
		if (now_ms >= drop_ms) {
			sl_metrics_add(&c->shard->metrics, SL_COUNTER_SILENT_DROPPED, 1);
			sl_socket_set_abort(c->socket);
			sl_connection_close(c);
			return;
		}
		if (now_ms >= c->last_read_ms + interval_ms && !c->pinged) {
			c->pinged = true;
			c->transport->ping(c);
		}
		uint64_t due_ms = c->pinged ? drop_ms : c->last_read_ms + interval_ms;
		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	if (c->state < SL_ENDING && !is_blocked) {
		uint64_t due_ms = c->last_write_ms + interval_ms;
		if (now_ms >= due_ms)
			sl_control_send_heartbeat(c);
		else if (due_ms < next_ms)
			next_ms = due_ms;
	}
	if (c->state < SL_ENDING)
		sl_connection_set_timer(c, next_ms > now_ms ? next_ms : now_ms + 1);
}

static void
on_timer(struct sl_timer *timer)
{
	struct sl_connection *c = from_member(timer, timer);
	if (c->state == SL_ENDING)
		sl_socket_set_abort(c->socket); /* it would not take its last bytes */
	if (c->state >= SL_ENDING)
		sl_connection_close(c);
	else if (c->state == SL_PROBING)
		go_on_probing(c);
	else if (c->transport->on_timer)
		c->transport->on_timer(c);
	else
		beat(c);
}
