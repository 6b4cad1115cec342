#include "http/front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "auth/principals.h"
#include "core/listener.h"
#include "core/owners.h"
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
	sl_owners_disconnect(shard->front->http->owners, c->peer_owner);
	sl_owner_unref(c->peer_owner);
	sl_owner_unref(link->owner);
}

/* False when there is not even room for a refusal. */
static bool
admit(struct sl_front *front, struct sl_owner *peer, bool *is_full)
{
	static const int counters[] = {
		[SL_OWNER_OK] = -1,
		[SL_OWNER_TOTAL] = SL_COUNTER_REFUSED_LIMIT_TOTAL,
		[SL_OWNER_RESERVED] = SL_COUNTER_REFUSED_RESERVED,
		[SL_OWNER_FULL] = SL_COUNTER_REFUSED_LIMIT_ADDRESS,
		[SL_OWNER_HARD] = SL_COUNTER_REFUSED_HARD,
	};
	enum sl_owner_verdict verdict = sl_owners_connect(front->http->owners, peer);
	if (counters[verdict] >= 0)
		sl_metrics_add(&front->shard->metrics, (enum sl_counter)counters[verdict], 1);
	if (verdict == SL_OWNER_FULL)
		sl_metrics_add(&front->shard->metrics, SL_COUNTER_LIMITED_CONNECTIONS, 1);
	*is_full = verdict != SL_OWNER_OK;
	return verdict != SL_OWNER_HARD;
}

static void
take(struct sl_accepting *accepting, int fd, const struct sockaddr_storage *peer)
{
	struct sl_front *front = accepting->front;
	struct sl_arrival arrival = { .fd = fd, .peer = peer,
		.speaks_tls = accepting->listener->is_secure, .is_admin = accepting->listener->is_admin };
	struct sl_socket socket;
	sl_socket_init(&socket, fd, peer);
	if (!sl_trust_has(front, &socket.peer))
		arrival.owner = sl_owners_get_address(front->http->owners, &socket.peer);
	sl_metrics_add(&front->shard->metrics, SL_COUNTER_ACCEPTED, 1);
	if (!admit(front, arrival.owner, &arrival.is_full)) {
		sl_socket_set_abort(&socket);
	} else if (sl_connection_create(front, &arrival)) {
		return;
	} else {
		sl_owners_disconnect(front->http->owners, arrival.owner);
	}
	sl_owner_unref(arrival.owner);
	close(fd);
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
	shard->owners = http->owners;
	sl_principals_set_owners(shard->principals, http->owners);
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
	sl_shard_set_config(front->shard, &settings->config);
}

void
sl_front_sweep(struct sl_front *front)
{
	for (size_t i = 0; !front->shard->draining && i < front->accepting_count; i++)
		if (front->accepting[i].watch.fd < 0)
			watch_listener(&front->accepting[i]);
	if (front->shard->index == 0)
		sl_owners_sweep(front->http->owners, front->shard->loop.now_ms);
	sl_relay_sweep(front->relay);
}

void
sl_front_drain(struct sl_front *front)
{
	for (size_t i = 0; i < front->accepting_count; i++)
		sl_loop_remove(&front->shard->loop, &front->accepting[i].watch);
}
