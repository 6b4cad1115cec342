#include "demo/lobby.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "app.h"
#include "config/config.h"
#include "core/loop.h"
#include "core/socket.h"
#include "demo/tap.h"
#include "http/front.h"
#include "shard.h"
#include "util/err.h"

#define HEAD_MS 1000

struct waiting {
	struct sl_watch watch; /* first: on_ready gets it */
	struct sl_timer timer;
	struct sl_deferred deferred;
	struct sl_lobby *lobby;
	struct sl_socket *socket; /* owns; NULL once it has gone on */
	struct waiting *next, **prev;
	bool has_bytes;
};

struct sl_lobby {
	struct sl_shard *shard;
	struct waiting *first;
};

#define from_member(pointer, member) \
	((struct waiting *)((char *)(pointer) - offsetof(struct waiting, member)))

int
sl_lobby_create(struct sl_lobby **out, struct sl_shard *shard)
{
	struct sl_lobby *lobby = calloc(1, sizeof *lobby);
	if (!lobby)
		return SL_ENOMEM;
	lobby->shard = shard;
	*out = lobby;
	return 0;
}

static void
free_waiting(struct sl_deferred *deferred)
{
	free(from_member(deferred, deferred));
}

/* Returns the socket, which is the caller's now. */
static struct sl_socket *
leave(struct waiting *waiting)
{
	struct sl_shard *shard = waiting->lobby->shard;
	struct sl_socket *socket = waiting->socket;
	waiting->socket = NULL;
	sl_loop_remove(&shard->loop, &waiting->watch);
	sl_timer_cancel(&shard->loop.timers, &waiting->timer);
	*waiting->prev = waiting->next;
	if (waiting->next)
		waiting->next->prev = waiting->prev;
	waiting->deferred.run = free_waiting;
	sl_loop_defer(&shard->loop, &waiting->deferred);
	return socket;
}

static void
go_on(struct waiting *waiting)
{
	struct sl_shard *shard = waiting->lobby->shard;
	sl_front_add(shard->front, leave(waiting));
}

static void
look(struct waiting *waiting, bool is_last)
{
	struct sl_shard *shard = waiting->lobby->shard;
	size_t max = shard->config->max_header_bytes < SL_READ_BUFFER ?
		shard->config->max_header_bytes : SL_READ_BUFFER;
	ssize_t got = sl_socket_peek(waiting->socket, shard->read_buffer, max);
	if (got == SL_EAGAIN && !is_last)
		return;
	if (got > 0)
		sl_tap_see_head(shard, waiting->socket, shard->read_buffer, (size_t)got);
	if (got <= 0 || is_last || (size_t)got == max ||
			sl_tap_find_head_end(shard->read_buffer, (size_t)got)) {
		go_on(waiting);
	} else if (!waiting->has_bytes) {
		waiting->has_bytes = true;
		sl_timer_set(&shard->loop.timers, &waiting->timer, shard->loop.now_ms + HEAD_MS);
	}
}

static void
on_ready(struct sl_watch *watch, uint32_t events)
{
	look(from_member(watch, watch), events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

static void
on_timer(struct sl_timer *timer)
{
	struct waiting *waiting = from_member(timer, timer);
	if (waiting->has_bytes)
		look(waiting, true);
	else
		sl_app_release_socket(waiting->lobby->shard->app, leave(waiting));
}

void
sl_lobby_enter(struct sl_lobby *lobby, struct sl_socket *socket)
{
	struct sl_shard *shard = lobby->shard;
	struct waiting *waiting = calloc(1, sizeof *waiting);
	uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLET;
	if (waiting) {
		waiting->watch.fd = -1;
		waiting->watch.on_ready = on_ready;
	}
	if (!waiting || sl_loop_add(&shard->loop, &waiting->watch, socket->fd, events) != 0) {
		free(waiting);
		sl_front_add(shard->front, socket);
		return;
	}
	waiting->lobby = lobby;
	waiting->socket = socket;
	waiting->next = lobby->first;
	waiting->prev = &lobby->first;
	if (waiting->next)
		waiting->next->prev = &waiting->next;
	lobby->first = waiting;
	sl_timer_init(&waiting->timer, on_timer);
	sl_timer_set(&shard->loop.timers, &waiting->timer, shard->loop.now_ms + SL_FRONT_IDLE_S * 1000);
}

void
sl_lobby_destroy(struct sl_lobby *lobby)
{
	if (!lobby)
		return;
	while (lobby->first)
		sl_app_release_socket(lobby->shard->app, leave(lobby->first));
	free(lobby);
}
