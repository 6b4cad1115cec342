/* What a connection is sent. */
#include "live/connection.h"

#include <sys/epoll.h>

#include "config/config.h"
#include "live/control.h"
#include "live/fanout.h"
#include "shard.h"
#include "util/buffer.h"
#include "util/err.h"

#define SLICES_PER_WRITE 64
#define LINGER_MS 2000    /* to close, once told that nothing more comes */
#define VERIFY_EVERY 1000 /* messages and gaps, then a heartbeat where the client verifies */

static void flush(struct sl_connection *c);

static void
count_sent(struct sl_connection *c, uint64_t count)
{
	uint64_t before = c->sent;
	c->sent += count;
	if (c->verifies && before / VERIFY_EVERY != c->sent / VERIFY_EVERY)
		sl_control_send_heartbeat(c);
}

void
sl_connection_count_messages(struct sl_connection *c, uint64_t count, uint64_t payload_bytes)
{
	sl_metrics_add_class(&c->shard->metrics, c->transport->class, SL_CLASS_MESSAGES_OUT, count);
	sl_metrics_add_class(&c->shard->metrics, c->transport->class, SL_CLASS_PAYLOAD_BYTES_OUT,
		payload_bytes);
	count_sent(c, count);
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

static bool
push(struct sl_connection *c, struct sl_wire *wire, uint32_t at)
{
	if (sl_outbox_push(&c->outbox, wire, at) != 0) {
		sl_connection_close(c);
		return false;
	}
	sl_connection_add_work(c);
	return true;
}

bool
sl_connection_send_wire(struct sl_connection *c, struct sl_wire *wire, uint32_t at)
{
	/* A turn may bring more than an outbox holds: a client is slow only if it does not read. */
	if (!has_room(c, wire, at) && !(c->watch.events & EPOLLOUT))
		flush(c);
	if (c->state == SL_CLOSED)
		return false;
	if (!has_room(c, wire, at)) {
		sl_connection_end(c, SL_END_SLOW_CONSUMER);
		return false;
	}
	return push(c, wire, at);
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

/* A heartbeat is taken as it is: it follows what the outbox had room for. */
static void
send_control_bytes(struct sl_connection *c, enum sl_control_type type,
	const struct sl_buffer *bytes)
{
	static const uint32_t kinds[SL_CONTROL_TYPES] = {
		[SL_CONTROL_OPEN] = SL_WIRE_POSITION,
		[SL_CONTROL_HEARTBEAT] = SL_WIRE_POSITION,
		[SL_CONTROL_STATE] = SL_WIRE_POSITION,
		[SL_CONTROL_GAP] = SL_WIRE_GAP,
	};
	struct sl_wire *wire = sl_wire_create(&c->shard->framer, bytes->bytes, bytes->len);
	if (!wire) {
		sl_connection_close(c);
		return;
	}
	wire->kind = kinds[type];
	bool is_queued = type == SL_CONTROL_HEARTBEAT ? push(c, wire, 0) :
		sl_connection_send_wire(c, wire, 0);
	sl_wire_unref(wire);
	if (is_queued && type == SL_CONTROL_GAP)
		count_sent(c, 1);
}

bool
sl_connection_send_control(struct sl_connection *c, struct sl_control *control)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	c->transport->frame_control(c, control, &out);
	bool has_form = out.len > 0;
	if (sl_buffer_status(&out) != 0)
		sl_connection_close(c);
	else if (has_form && c->state != SL_CLOSED)
		send_control_bytes(c, control->type, &out);
	sl_buffer_finish(&out);
	return has_form;
}

void
sl_connection_send_gap(struct sl_connection *c, const struct sl_gap *gap)
{
	sl_metrics_add(&c->shard->metrics, SL_COUNTER_GAPS_TOLD, 1);
	if (!sl_control_send_gap(c, gap))
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
		if (!c->verifies)
			c->quiet_since_ms = shard->loop.now_ms;
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
	if (c->conclusion && c->state < SL_ENDING)
		sl_connection_conclude(c);
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
