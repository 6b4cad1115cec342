#include "http/front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/listener.h"
#include "core/quota.h"
#include "http/connection.h"
#include "http/http.h"
#include "http/relay.h"
#include "http/settings.h"
#include "http/trust.h"
#include "live/shard.h"
#include "util/err.h"
#include "util/log.h"

#define ACCEPTS_PER_EVENT 64

struct sl_accepting {
	struct sl_watch watch; /* first: on_acceptable gets it */
	struct sl_front *front;
	const struct sl_listener *listener;
	uint32_t events;
};

/* ---- accepting ---- */

static void
count_out(struct sl_shard *shard, const struct sl_link *link)
{
	const struct sl_connection *c = (const struct sl_connection *)link;
	sl_quota_release(shard->front->http->quota, c->counts_peer ? &link->socket.peer : NULL);
}

/* False when there is not even room for a refusal. A peer that is NULL is counted in all only. */
static bool
admit(struct sl_front *front, const struct sl_address *peer, bool *is_full)
{
	static const int counters[] = {
		[SL_QUOTA_OK] = -1,
		[SL_QUOTA_TOTAL] = SL_COUNTER_REFUSED_LIMIT_TOTAL,
		[SL_QUOTA_ADDRESS] = SL_COUNTER_REFUSED_LIMIT_ADDRESS,
		[SL_QUOTA_HARD] = SL_COUNTER_REFUSED_HARD,
	};
	enum sl_quota_verdict verdict = sl_quota_take(front->http->quota, peer);
	if (counters[verdict] >= 0)
		sl_metrics_add(&front->shard->metrics, (enum sl_counter)counters[verdict], 1);
	*is_full = verdict != SL_QUOTA_OK;
	return verdict != SL_QUOTA_HARD;
}

static void
take(struct sl_accepting *accepting, int fd, const struct sockaddr_storage *peer)
{
	struct sl_front *front = accepting->front;
	struct sl_arrival arrival = { .fd = fd, .peer = peer,
		.speaks_tls = accepting->listener->is_secure, .is_admin = accepting->listener->is_admin };
	struct sl_socket socket;
	sl_socket_init(&socket, fd, peer);
	const struct sl_address *counted = sl_trust_has(front, &socket.peer) ? NULL : &socket.peer;
	sl_metrics_add(&front->shard->metrics, SL_COUNTER_ACCEPTED, 1);
	if (!admit(front, counted, &arrival.is_full)) {
		sl_socket_set_abort(&socket);
		close(fd);
	} else if (!sl_connection_create(front, &arrival)) {
		sl_quota_release(front->http->quota, counted);
		close(fd);
	}
}

static void
on_acceptable(struct sl_watch *watch, uint32_t events)
{
	struct sl_accepting *accepting = (struct sl_accepting *)watch;
	struct sl_front *front = accepting->front;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS_PER_EVENT; i++) {
		struct sockaddr_storage peer;
		int fd = sl_listener_accept(accepting->listener, front->shard->index, &peer);
		if (fd >= 0) {
			take(accepting, fd, &peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			/* It would be readable for ever: it rests until the next sweep. */
			sl_log_limited(SL_LOG_ERROR, "accept.failed", "error=\"%s\"", strerror(errno));
			sl_loop_remove(&front->shard->loop, watch);
		} else if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) {
			continue;
		}
		return;
	}
}

static void
watch_listener(struct sl_accepting *accepting)
{
	struct sl_shard *shard = accepting->front->shard;
	int fd = sl_listener_get_fd(accepting->listener, shard->index);
	if (sl_loop_add(&shard->loop, &accepting->watch, fd, accepting->events) != 0)
		sl_log(SL_LOG_ERROR, "accept.watch", "error=\"%s\"", strerror(errno));
}

static int
start_accepting(struct sl_front *front)
{
	const struct sl_http *http = front->http;
	front->accepting = calloc(http->listener_count + 1, sizeof *front->accepting);
	if (!front->accepting)
		return SL_ENOMEM;
	front->accepting_count = http->listener_count;
	for (size_t i = 0; i < front->accepting_count; i++) {
		struct sl_accepting *accepting = &front->accepting[i];
		accepting->front = front;
		accepting->listener = &http->listeners[i];
		accepting->watch = (struct sl_watch){ .on_ready = on_acceptable, .fd = -1 };
		accepting->events = EPOLLIN | (accepting->listener->is_shared ? EPOLLEXCLUSIVE : 0);
		watch_listener(accepting);
	}
	return 0;
}

/* ---- life ---- */

int
sl_front_init(struct sl_front *front, struct sl_http *http, struct sl_shard *shard,
	struct sl_settings *settings)
{
	*front = (struct sl_front){
		.http = http,
		.shard = shard,
		.settings = sl_settings_ref(settings),
	};
	shard->front = front;
	shard->on_released = count_out;
	int err = sl_relay_create(&front->relay, front);
	if (err == 0)
		err = start_accepting(front);
	if (err != 0)
		sl_front_finish(front);
	return err;
}

void
sl_front_finish(struct sl_front *front)
{
	sl_front_drain(front);
	sl_relay_destroy(front->relay);
	free(front->accepting);
	sl_settings_unref(front->settings);
	*front = (struct sl_front){ .shard = front->shard };
}

void
sl_front_set_settings(struct sl_front *front, struct sl_settings *settings)
{
	sl_settings_unref(front->settings);
	front->settings = settings;
	front->shard->config = &settings->config;
}

void
sl_front_sweep(struct sl_front *front)
{
	for (size_t i = 0; !front->shard->draining && i < front->accepting_count; i++)
		if (front->accepting[i].watch.fd < 0)
			watch_listener(&front->accepting[i]);
	sl_relay_sweep(front->relay);
}

void
sl_front_drain(struct sl_front *front)
{
	for (size_t i = 0; i < front->accepting_count; i++)
		sl_loop_remove(&front->shard->loop, &front->accepting[i].watch);
}
