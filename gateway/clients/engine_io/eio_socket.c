#include "clients/engine_io/eio_socket.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "auth/principal.h"
#include "clients/engine_io/eio_carrier.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"

/* ---- for its user ---- */

struct sl_shard *
sl_eio_socket_get_shard(const struct sl_eio_socket *socket)
{
	return socket->subscriber->shard;
}

struct sl_subscriber *
sl_eio_socket_get_subscriber(const struct sl_eio_socket *socket)
{
	return socket->subscriber;
}

struct sl_owner *
sl_eio_socket_get_address(const struct sl_eio_socket *socket)
{
	return socket->carrier->get_address(socket);
}

void *
sl_eio_socket_get_state(struct sl_eio_socket *socket)
{
	return socket->state;
}

const char *
sl_eio_socket_get_id(const struct sl_eio_socket *socket)
{
	return socket->id;
}

bool
sl_eio_socket_is_closing(const struct sl_eio_socket *socket)
{
	return socket->is_closing || sl_subscriber_is_ending(socket->subscriber);
}

bool
sl_eio_socket_send(struct sl_eio_socket *socket, const char *bytes, size_t len, bool is_binary)
{
	return !sl_eio_socket_is_closing(socket) &&
		socket->carrier->send(socket, (struct sl_span){ bytes, len }, is_binary);
}

void
sl_eio_socket_close(struct sl_eio_socket *socket, enum sl_end_reason reason)
{
	if (!sl_eio_socket_is_closing(socket))
		socket->carrier->close(socket, reason);
}

int
sl_eio_carrier_set_principal(const struct sl_eio_carrier *carrier, struct sl_subscriber *subscriber,
	struct sl_principal *principal)
{
	int err = carrier->enter ? carrier->enter(subscriber, sl_principal_get_owner(principal)) : 0;
	if (err == 0)
		sl_subscriber_set_principal(subscriber, principal);
	return err;
}

int
sl_eio_socket_set_principal(struct sl_eio_socket *socket, struct sl_principal *principal)
{
	return sl_eio_carrier_set_principal(socket->carrier, socket->subscriber, principal);
}

/* ---- its user's timer ---- */

static void
start_timer(struct sl_eio_socket *socket)
{
	struct sl_timer_wheel *timers = &socket->subscriber->shard->loop.timers;
	if (socket->user_due_ms)
		sl_timer_set(timers, &socket->user_timer, socket->user_due_ms);
	else
		sl_timer_cancel(timers, &socket->user_timer);
}

void
sl_eio_socket_set_user_timer(struct sl_eio_socket *socket, uint64_t due_ms)
{
	socket->user_due_ms = due_ms;
	start_timer(socket);
}

static void
on_due(struct sl_timer *timer)
{
	struct sl_eio_socket *socket = (struct sl_eio_socket *)
		((char *)timer - offsetof(struct sl_eio_socket, user_timer));
	socket->user_due_ms = 0;
	if (socket->user->on_timer && !sl_eio_socket_is_closing(socket))
		socket->user->on_timer(socket);
}

/* ---- for its carriers ---- */

struct sl_eio_socket *
sl_eio_socket_create(const struct sl_eio_user *user, const char *id)
{
	struct sl_eio_socket *socket = calloc(1, sizeof *socket + user->state_size);
	if (!socket)
		return NULL;
	socket->user = user;
	memcpy(socket->id, id, SL_SESSION_ID_LEN);
	sl_timer_init(&socket->user_timer, on_due);
	return socket;
}

void
sl_eio_socket_put(struct sl_eio_socket *socket, const struct sl_eio_carrier *carrier,
	struct sl_subscriber *subscriber)
{
	socket->carrier = carrier;
	socket->subscriber = subscriber;
	if (socket->user_due_ms)
		start_timer(socket);
}

void
sl_eio_socket_lift(struct sl_eio_socket *socket)
{
	sl_timer_cancel(&socket->subscriber->shard->loop.timers, &socket->user_timer);
	socket->subscriber = NULL;
}

static void
free_socket(struct sl_deferred *deferred)
{
	free((char *)deferred - offsetof(struct sl_eio_socket, deferred));
}

void
sl_eio_socket_destroy(struct sl_eio_socket *socket, struct sl_shard *shard, bool was_opened)
{
	if (!socket)
		return;
	socket->is_closing = true;
	sl_timer_cancel(&shard->loop.timers, &socket->user_timer);
	if (was_opened && socket->user->on_close)
		socket->user->on_close(socket);
	socket->deferred.run = free_socket;
	sl_loop_defer(&shard->loop, &socket->deferred); /* its user may be at work on it */
}

void
sl_eio_socket_take(struct sl_eio_socket *socket, const struct sl_eio_packet *packet)
{
	switch (packet->type) {
	case SL_EIO_MESSAGE:
		socket->user->on_message(socket, packet->data.bytes, packet->data.len, packet->is_binary);
		break;
	case SL_EIO_PONG:
		if (sl_verbs_beat(socket->subscriber))
			socket->carrier->on_pong(socket);
		break;
	case SL_EIO_CLOSE:
		sl_eio_socket_close(socket, SL_END_CLIENT);
		break;
	case SL_EIO_PING: /* of the third revision, or a probe on the socket that counts */
		sl_eio_socket_close(socket, SL_END_PROTOCOL);
		break;
	default: /* nothing that a client has to say here; the reference ignores it as well */
		sl_verbs_ask(socket->subscriber, 1);
	}
}
