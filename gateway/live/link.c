#include "live/link.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "config/config.h"
#include "live/intake.h"
#include "live/outage.h"
#include "live/shard.h"
#include "util/err.h"

#define INPUT (EPOLLIN | EPOLLRDHUP)
#define SLICES_PER_WRITE 64
#define POSTPONED_BYTES 4096
#define END_MS 5000          /* to take the last bytes, else RST */
#define LINGER_MS 2000       /* to close, once told that nothing more comes */
#define LINGER_LONG_MS 10000 /* the same where a body is still on its way */
#define UNTAKEN_MS 10000     /* in which a client takes none of the bytes that the kernel has for it, else RST */

#define from_member(pointer, member) \
	((struct sl_link *)((char *)(pointer) - offsetof(struct sl_link, member)))

/* ---- open and close ---- */

static void
on_ready(struct sl_watch *watch, uint32_t events)
{
	struct sl_link *link = from_member(watch, watch);
	if ((events & (INPUT | EPOLLHUP | EPOLLERR)) && !sl_intake_rests(link, events)) {
		if (link->state == SL_LINK_OPEN)
			link->ops->on_readable(link, events);
		else if (events & INPUT)
			sl_intake_discard(link);
		else
			sl_link_close(link);
	}
	if (events & EPOLLOUT)
		sl_link_add_work(link);
}

/* Closed in order, the kernel would keep what a client does not take for minutes, where nobody counts it. So
 * one that still takes some is waited for, and one that does not is reset. */
static void
end_lingering(struct sl_link *link)
{
	uint64_t now_ms = link->shard->loop.now_ms;
	sl_kernel_memory_ask(link);
	if (!link->kernel.bytes || link->shard->draining) {
		sl_link_close(link);
		return;
	}
	if (now_ms - link->last_write_ms >= UNTAKEN_MS && now_ms - link->kernel.fell_ms >= UNTAKEN_MS)
		sl_link_abort(link);
	else
		sl_link_set_timer(link, now_ms + LINGER_MS);
}

static void
on_timer(struct sl_timer *timer)
{
	struct sl_link *link = from_member(timer, timer);
	if (link->state == SL_LINK_OPEN)
		link->ops->on_timer(link);
	else if (link->state == SL_LINK_ENDING)
		sl_link_abort(link); /* it would not take its last bytes */
	else
		end_lingering(link);
}

int
sl_link_open(struct sl_link *link, struct sl_shard *shard, const struct sl_link_ops *ops,
	enum sl_class class, int fd, const struct sockaddr_storage *peer)
{
	link->watch = (struct sl_watch){ .on_ready = on_ready, .fd = -1 };
	sl_socket_init(&link->socket, fd, peer);
	int err = sl_share_join(&shard->shares, &link->steps, &link->socket.peer);
	if (err == 0)
		err = sl_loop_add(&shard->loop, &link->watch, fd, INPUT);
	if (err != 0) {
		sl_share_leave(&link->steps);
		return err;
	}
	link->client = link->socket.peer;
	link->ops = ops;
	link->shard = shard;
	link->class = (uint8_t)class;
	link->last_write_ms = link->last_read_ms = shard->loop.now_ms;
	sl_timer_init(&link->timer, on_timer);
	link->next = shard->links;
	link->prev = &shard->links;
	if (link->next)
		link->next->prev = &link->next;
	shard->links = link;
	sl_metrics_add_class(&shard->metrics, class, SL_CLASS_OPENED, 1);
	return 0;
}

void
sl_link_set_class(struct sl_link *link, enum sl_class class)
{
	if (link->class == class)
		return;
	sl_metrics_add_class(&link->shard->metrics, link->class, SL_CLASS_CLOSED, 1);
	sl_metrics_add_class(&link->shard->metrics, class, SL_CLASS_OPENED, 1);
	link->class = (uint8_t)class;
}

static void
free_closed(struct sl_deferred *deferred)
{
	struct sl_link *link = from_member(deferred, deferred);
	sl_share_leave(&link->steps);
	sl_socket_finish(&link->socket);
	if (link->shard->on_released)
		link->shard->on_released(link->shard, link);
	free(link);
}

void
sl_link_count_secure(struct sl_link *link)
{
	struct sl_metrics *metrics = &link->shard->metrics;
	struct sl_socket_secure *secure = link->socket.secure;
	sl_metrics_add(metrics, SL_COUNTER_SENDS, secure->uncounted_sends);
	sl_metrics_add_class(metrics, link->class, SL_CLASS_WIRE_BYTES_OUT, secure->uncounted_out);
	secure->uncounted_out = secure->uncounted_sends = 0;
}

static void
leave(struct sl_link *link, bool aborts)
{
	sl_socket_leave(&link->socket, aborts);
	sl_link_count_in(link, link->class, 0);
	sl_link_count_secure(link);
}

void
sl_link_close(struct sl_link *link)
{
	if (link->state == SL_LINK_CLOSED)
		return;
	link->state = SL_LINK_CLOSED;
	struct sl_shard *shard = link->shard;
	link->ops->on_close(link);
	sl_intake_drop(link);
	if (sl_socket_is_secure(&link->socket))
		leave(link, false);
	sl_outbox_clear(&link->outbox);
	sl_timer_cancel(&shard->loop.timers, &link->timer);
	sl_loop_remove(&shard->loop, &link->watch);
	if (link->has_work)
		STAILQ_REMOVE(link->is_late ? &shard->late : &shard->work, link, sl_link, work);
	link->has_work = false;
	sl_kernel_memory_forget(link);
	sl_outage_forget(link);
	*link->prev = link->next;
	if (link->next)
		link->next->prev = link->prev;
	sl_metrics_add_class(&shard->metrics, link->class, SL_CLASS_CLOSED, 1);
	link->deferred.run = free_closed;
	sl_loop_defer(&shard->loop, &link->deferred);
}

void
sl_link_abort(struct sl_link *link)
{
	if (link->state == SL_LINK_CLOSED)
		return;
	sl_socket_set_abort(&link->socket);
	if (sl_socket_is_secure(&link->socket))
		leave(link, true);
	sl_link_close(link);
}

void
sl_link_end(struct sl_link *link)
{
	if (link->state != SL_LINK_OPEN)
		return;
	link->state = SL_LINK_ENDING;
	sl_intake_drop(link);
	sl_loop_change(&link->shard->loop, &link->watch, link->watch.events | INPUT);
	sl_link_set_timer(link, link->shard->loop.now_ms + END_MS);
	sl_link_add_work(link);
}

void
sl_link_set_timer(struct sl_link *link, uint64_t due_ms)
{
	sl_timer_set(&link->shard->loop.timers, &link->timer, due_ms);
}

/* ---- reading ---- */

void
sl_link_count_in(struct sl_link *link, enum sl_class class, uint64_t len)
{
	sl_metrics_add_class(&link->shard->metrics, class, SL_CLASS_WIRE_BYTES_IN,
		sl_socket_take_wire_in(&link->socket, len));
}

/* ---- writing ---- */

uint64_t
sl_link_count_pinned(const struct sl_link *link)
{
	return (uint64_t)sl_link_count_output(link) + (link->kept ? link->kept->len : 0) +
		link->request_bytes;
}

bool
sl_link_is_blocked(const struct sl_link *link)
{
	return link->watch.events & EPOLLOUT;
}

void
sl_link_add_work(struct sl_link *link)
{
	if (link->has_work || link->state == SL_LINK_CLOSED)
		return;
	link->has_work = true;
	STAILQ_INSERT_TAIL(&link->shard->work, link, work);
}

bool
sl_link_push(struct sl_link *link, struct sl_wire *wire, uint32_t at)
{
	if (link->state == SL_LINK_CLOSED)
		return false;
	if (sl_outbox_push(&link->outbox, wire, at) != 0) {
		sl_link_close(link);
		return false;
	}
	sl_link_add_work(link);
	return true;
}

void
sl_link_send(struct sl_link *link, const char *bytes, size_t len)
{
	if (link->state == SL_LINK_CLOSED || len == 0)
		return;
	struct sl_wire *wire = sl_wire_create(&link->shard->framer, bytes, len);
	if (wire)
		sl_link_push(link, wire, 0);
	else
		sl_link_close(link);
	sl_wire_unref(wire);
}

void
sl_link_send_buffer(struct sl_link *link, const struct sl_buffer *buffer)
{
	if (sl_buffer_status(buffer) == 0)
		sl_link_send(link, buffer->bytes, buffer->len);
	else
		sl_link_close(link);
}

/* What was committed before goes out first. False as flush() says. */
static bool
push(struct sl_link *link)
{
	int err = sl_socket_push(&link->socket);
	sl_link_count_secure(link);
	if (err == 0 || err == SL_EAGAIN)
		return true;
	sl_link_close(link);
	return false;
}

static void
count_sent(struct sl_link *link, size_t sent)
{
	struct sl_metrics *metrics = &link->shard->metrics;
	link->last_write_ms = link->shard->loop.now_ms;
	sl_kernel_memory_note_write(link, sent);
	if (sl_socket_is_secure(&link->socket)) {
		sl_link_count_secure(link);
		return;
	}
	sl_metrics_add(metrics, SL_COUNTER_SENDS, 1);
	sl_metrics_add_class(metrics, link->class, SL_CLASS_WIRE_BYTES_OUT, sent);
}

/* False when the socket failed, and the link was closed. */
static bool
flush(struct sl_link *link)
{
	struct sl_shard *shard = link->shard;
	struct iovec slices[SLICES_PER_WRITE];
	size_t offered = 0, sent = 0;
	if (sl_socket_has_unsent(&link->socket) && !push(link))
		return false;
	while (link->outbox.queued_bytes && sent == offered && !sl_socket_has_unsent(&link->socket)) {
		int count = sl_outbox_gather(&link->outbox, slices, SLICES_PER_WRITE);
		offered = 0;
		for (int i = 0; i < count; i++)
			offered += slices[i].iov_len;
		ssize_t result = sl_socket_write(&link->socket, slices, count);
		if (result < 0 && result != SL_EAGAIN) {
			sl_link_close(link);
			return false;
		}
		sent = result > 0 ? (size_t)result : 0;
		if (sent == 0)
			break;
		count_sent(link, sent);
		sl_outbox_consume(&link->outbox, sent);
	}
	if (sl_link_has_output(link) && !sl_link_is_blocked(link))
		sl_kernel_memory_ask(link);
	uint32_t others = link->watch.events & ~(uint32_t)EPOLLOUT;
	sl_loop_change(&shard->loop, &link->watch,
		sl_link_has_output(link) ? others | EPOLLOUT : others);
	return true;
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

/* One object always fits, however large: what is before it must keep the limit. */
static bool
has_room(const struct sl_link *link, const struct sl_wire *wire, uint32_t at)
{
	if (!link->outbox.queued_bytes)
		return true;
	uint32_t start = last_object_start(wire);
	uint32_t before = link->outbox.queued_bytes + (start > at ? start - at : 0);
	return before <= link->shard->config->outbox_bytes;
}

bool
sl_link_send_wire(struct sl_link *link, struct sl_wire *wire, uint32_t at)
{
	if (!has_room(link, wire, at)) {
		/* A turn may bring more than an outbox holds: a client is slow only if it does not
		 * read. */
		if (!sl_link_is_blocked(link) && !flush(link))
			return false;
		if (!has_room(link, wire, at)) {
			link->ops->end(link, SL_END_SLOW_CONSUMER);
			return false;
		}
	}
	return sl_link_push(link, wire, at);
}

static void
linger(struct sl_link *link)
{
	uint32_t events = link->watch.events | INPUT;
	if (sl_socket_shut(&link->socket) == SL_EAGAIN) {
		sl_loop_change(&link->shard->loop, &link->watch, events | EPOLLOUT);
		return;
	}
	link->state = SL_LINK_LINGERING;
	sl_loop_change(&link->shard->loop, &link->watch, events & ~(uint32_t)EPOLLOUT);
	sl_link_set_timer(link, link->shard->loop.now_ms +
		(link->lingers_long ? LINGER_LONG_MS : LINGER_MS));
}

/* As an event would. Whoever does not read now finds it here later: its on_idle asks. */
static void
take_input(struct sl_link *link)
{
	uint32_t events = EPOLLIN | (link->socket.secure->has_left ? EPOLLRDHUP : 0);
	if (link->state == SL_LINK_OPEN)
		link->ops->on_readable(link, events);
	else if (link->state != SL_LINK_CLOSED)
		sl_intake_discard(link);
}

/* A client that says more than a turn takes gets its answers in one write for some turns, as it would for one
 * read, while nobody else has to wait; its next turn adds the work again (live/intake.c). */
static bool
postpones(const struct sl_link *link)
{
	return link->kept && link->outbox.queued_bytes < POSTPONED_BYTES &&
		link->last_write_ms == link->shard->loop.now_ms &&
		sl_share_is_waiting_alone(&link->steps);
}

void
sl_link_do_work(struct sl_link *link)
{
	if (postpones(link))
		return;
	if (sl_link_has_output(link) && !flush(link))
		return;
	/* At once: what is read from history for many links must not pile up. */
	if (!sl_link_has_output(link) && link->state == SL_LINK_OPEN) {
		link->ops->on_idle(link);
		if (link->outbox.queued_bytes && !flush(link))
			return;
	}
	if (sl_socket_has_input(&link->socket) && !link->has_work) /* else soon */
		take_input(link);
	if (!sl_link_has_output(link) && link->state == SL_LINK_ENDING)
		linger(link);
}
