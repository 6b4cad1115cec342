#include "http/handshake.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "config/config.h"
#include "core/tls.h"
#include "core/tls_shard.h"
#include "http/connection.h"
#include "http/front.h"
#include "http/incoming.h"
#include "http/settings.h"
#include "live/shard.h"
#include "util/log.h"

#define INPUT (EPOLLIN | EPOLLRDHUP)

struct sl_handshake {
	struct sl_tls_turn turn; /* first: take_step gets it */
	struct sl_connection *connection;
};

static void
watch(struct sl_connection *c, uint32_t events)
{
	struct sl_link *link = &c->link;
	sl_loop_change(&link->shard->loop, &link->watch, (link->watch.events & EPOLLOUT) | events);
}

/* An alert may be on its way: the link sends it, and waits a while for the client to read it. */
static void
fail(struct sl_connection *c)
{
	const char *why = sl_tls_get_failure(&c->link.socket);
	char client[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&c->link.client, client);
	sl_handshake_drop(c);
	if (!why) { /* somebody looked whether the port is open */
		sl_link_close(&c->link);
		return;
	}
	sl_log_limited(SL_LOG_DEBUG, "tls.failed", "client=%s reason=\"%s\"", client, why);
	sl_link_end(&c->link);
}

static void
take_plain_http(struct sl_connection *c)
{
	char *bytes = c->link.shard->read_buffer;
	size_t len = sl_tls_stop(&c->link.socket, bytes);
	c->is_secure = false;
	c->lacks_tls = true;
	sl_connection_read_requests(c);
	sl_incoming_take(c, bytes, len);
}

static int
start(struct sl_connection *c)
{
	struct sl_shard *shard = c->link.shard;
	if (sl_socket_is_secure(&c->link.socket))
		return 0;
	return sl_tls_start(&c->link.socket, shard->tls, shard->front->settings->tls);
}

static void
take_step(struct sl_tls_turn *turn)
{
	struct sl_connection *c = ((struct sl_handshake *)turn)->connection;
	struct sl_link *link = &c->link;
	if (link->state != SL_LINK_OPEN)
		return;
	/* With the first step, since what OpenSSL needs of a connection takes time and memory. */
	if (start(c) != 0) {
		sl_link_close(link);
		return;
	}
	enum sl_tls_step step = sl_tls_shake_hands(&link->socket);
	if (step == SL_TLS_FAILED) {
		fail(c);
		return;
	}
	watch(c, INPUT);
	if (sl_socket_has_input(&link->socket) || sl_socket_has_unsent(&link->socket))
		sl_link_add_work(link);
	if (step == SL_TLS_WAIT)
		return;
	sl_handshake_drop(c);
	if (step == SL_TLS_PLAIN_HTTP)
		take_plain_http(c);
	else
		sl_connection_read_requests(c);
}

static void
queue(struct sl_connection *c)
{
	sl_tls_shard_queue(c->link.shard->tls, sl_share_get_handshakes(&c->link.steps),
		&c->handshake->turn);
}

void
sl_handshake_begin(struct sl_connection *c, const char *bytes, size_t len)
{
	struct sl_shard *shard = c->link.shard;
	c->handshake = calloc(1, sizeof *c->handshake);
	bool has_memory = c->handshake && (len == 0 || (start(c) == 0 &&
		sl_tls_feed(&c->link.socket, bytes, len) == 0));
	if (!has_memory) {
		sl_link_close(&c->link);
		return;
	}
	c->handshake->connection = c;
	c->handshake->turn.take = take_step;
	sl_link_set_timer(&c->link, shard->loop.now_ms + shard->config->request_timeout_ms);
	if (len)
		queue(c);
}

void
sl_handshake_continue(struct sl_connection *c)
{
	/* The event comes again each turn until it is read. */
	if (sl_tls_shard_is_queued(&c->handshake->turn))
		watch(c, 0);
	queue(c);
}

void
sl_handshake_expire(struct sl_connection *c)
{
	sl_metrics_add(&c->link.shard->metrics, SL_COUNTER_TLS_HANDSHAKES_TIMEOUT, 1);
	sl_log_limited(SL_LOG_DEBUG, "tls.timeout", "waiting=%d", sl_tls_shard_is_queued(&c->handshake->turn));
	sl_link_close(&c->link);
}

void
sl_handshake_drop(struct sl_connection *c)
{
	if (!c->handshake)
		return;
	sl_tls_shard_cancel(c->link.shard->tls, &c->handshake->turn);
	free(c->handshake);
	c->handshake = NULL;
}
