#include "http/relay.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/front.h"
#include "http/respond.h"
#include "http/route.h"
#include "http/serve.h"
#include "live/shard.h"
#include "util/err.h"
#include "util/log.h"

#define RUNS_PER_TURN 8
#define MEMORY_BYTES 8192 /* of libmicrohttpd for a connection, beside the head: it clears them each time */

struct pair {
	struct sl_relay *relay;
	int fd;      /* ours; -1: the pair could not be made */
	int mhd_fd;  /* libmicrohttpd's, to know its connection by; -1 once it is known */
	struct sl_exchange *exchange; /* being answered; NULL: the pair is free */
	bool has_answered;            /* libmicrohttpd has written the last byte */
	bool has_closed;              /* libmicrohttpd has closed its end */
	bool has_begun;               /* a byte of the answer has been passed on */
};

struct sl_relay {
	struct sl_front *front;
	struct MHD_Daemon *daemon;
	struct sl_watch watch; /* of libmicrohttpd's own epoll */
	struct pair pairs[SL_RELAY_PAIRS];
	STAILQ_HEAD(, sl_exchange) queue;
	unsigned busy; /* queued ones too */
	bool needs_run;
};

static struct sl_metrics *
get_metrics(const struct sl_relay *relay)
{
	return &relay->front->shard->metrics;
}

/* ---- libmicrohttpd's notices ---- */

static void
on_connection(void *arg, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct sl_relay *relay = arg;
	struct pair *pair = *context;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (pair)
			pair->has_closed = true;
		relay->needs_run = true;
		return;
	}
	/* It begins a connection as it is added, or from 1.0 on the next time it runs, when others
	 * may have been added too: what both know of it is the descriptor. */
	int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	for (unsigned i = 0; i < SL_RELAY_PAIRS; i++)
		if (relay->pairs[i].mhd_fd == fd)
			*context = &relay->pairs[i];
	if (*context)
		((struct pair *)*context)->mhd_fd = -1;
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct pair *pair =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	(void)arg, (void)url, (void)method, (void)version, (void)upload;
	if (!pair || !pair->exchange)
		return MHD_NO;
	if (!*state) { /* an answer in the first call would end the pair */
		*state = pair;
		return MHD_YES;
	}
	*upload_size = 0;
	struct sl_exchange *exchange = pair->exchange;
	exchange->route->handle(exchange);
	return sl_respond(exchange, mhd) == 0 ? MHD_YES : MHD_NO;
}

static void
on_completed(void *arg, struct MHD_Connection *mhd, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct pair *pair = *state;
	(void)arg, (void)mhd;
	if (pair && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		pair->has_answered = true;
}

static void
drop_log(void *arg, const char *format, va_list args)
{
	(void)arg, (void)format, (void)args;
}

/* ---- pairs ---- */

static void
close_pair(struct pair *pair)
{
	if (pair->fd >= 0)
		close(pair->fd);
	pair->fd = pair->mhd_fd = -1;
}

static int
open_pair(struct sl_relay *relay, struct pair *pair)
{
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	int fds[2];
	*pair = (struct pair){ .relay = relay, .fd = -1, .mhd_fd = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
		return SL_EIO;
	pair->fd = fds[0];
	pair->mhd_fd = fds[1];
	relay->needs_run = true;
	/* Takes fds[1], whatever comes of it. */
	if (MHD_add_connection(relay->daemon, fds[1], (struct sockaddr *)&address,
			sizeof address.ss_family) == MHD_YES)
		return 0;
	close_pair(pair);
	return SL_EIO;
}

static void
replace(struct pair *pair)
{
	close_pair(pair);
	if (open_pair(pair->relay, pair) != 0)
		sl_log_limited(SL_LOG_WARNING, "relay.pair", "error=\"%s\"", strerror(errno));
}

/* ---- exchanges ---- */

static void
end_exchange(struct sl_relay *relay, struct sl_exchange *exchange)
{
	relay->busy--;
	sl_exchange_destroy(exchange);
}

/* There is no answer, or a part of one. */
static void
fail(struct sl_connection *c, bool has_begun)
{
	c->exchange = NULL;
	if (has_begun)
		sl_link_abort(&c->link);
	else
		sl_serve_failed(c, SL_ENOMEM);
}

static void
finish(struct pair *pair)
{
	struct sl_exchange *exchange = pair->exchange;
	struct sl_connection *c = exchange->connection;
	pair->exchange = NULL;
	if (c && pair->has_answered)
		sl_connection_end_answer(c, exchange->closes);
	else if (c)
		fail(c, pair->has_begun);
	if (pair->has_closed || !pair->has_answered)
		replace(pair);
	pair->has_answered = pair->has_begun = false;
	end_exchange(pair->relay, exchange);
}

/* Passes on what there is of an answer. */
static void
pump(struct pair *pair)
{
	struct sl_relay *relay = pair->relay;
	char *bytes = relay->front->shard->read_buffer;
	ssize_t got;
	do {
		got = recv(pair->fd, bytes, SL_READ_BUFFER, 0);
		if (got <= 0)
			break;
		if (pair->exchange && pair->exchange->connection)
			sl_link_send(&pair->exchange->connection->link, bytes, (size_t)got);
		pair->has_begun = true;
		relay->needs_run |= !pair->has_answered; /* there is room again */
	} while (got == SL_READ_BUFFER);
	if (got == 0)
		pair->has_closed = true;
	if (pair->exchange && (pair->has_answered || pair->has_closed))
		finish(pair);
	else if (!pair->exchange && pair->has_closed)
		replace(pair);
}

static void
begin(struct pair *pair, struct sl_exchange *exchange)
{
	size_t len = exchange->head_len;
	pair->exchange = exchange;
	sl_metrics_add(get_metrics(pair->relay), SL_COUNTER_RELAYED, 1);
	pair->relay->needs_run = true;
	/* The pair is empty, and takes some 200 KB. */
	if (send(pair->fd, exchange->text, len, MSG_NOSIGNAL) != (ssize_t)len)
		pair->has_closed = true;
}

static void
begin_queued(struct sl_relay *relay)
{
	for (unsigned i = 0; !STAILQ_EMPTY(&relay->queue) && i < SL_RELAY_PAIRS; i++) {
		struct sl_exchange *exchange = STAILQ_FIRST(&relay->queue);
		if (relay->pairs[i].exchange || relay->pairs[i].fd < 0)
			continue;
		STAILQ_REMOVE_HEAD(&relay->queue, queued);
		begin(&relay->pairs[i], exchange);
	}
}

void
sl_relay_begin(struct sl_relay *relay, struct sl_exchange *exchange)
{
	const struct sl_shard *shard = relay->front->shard;
	exchange->deadline_ms = shard->loop.now_ms + shard->config->request_timeout_ms;
	STAILQ_INSERT_TAIL(&relay->queue, exchange, queued);
	relay->busy++;
	begin_queued(relay);
	if (!STAILQ_EMPTY(&relay->queue))
		sl_metrics_add(get_metrics(relay), SL_COUNTER_RELAY_QUEUED, 1);
}

/* ---- work ---- */

static void
on_ready(struct sl_watch *watch, uint32_t events)
{
	struct sl_relay *relay =
		(struct sl_relay *)((char *)watch - offsetof(struct sl_relay, watch));
	(void)events;
	relay->needs_run = true;
}

bool
sl_relay_run(struct sl_relay *relay)
{
	for (unsigned i = 0; i < RUNS_PER_TURN; i++) {
		MHD_UNSIGNED_LONG_LONG wait_ms = 1;
		if (!relay->needs_run)
			return false;
		relay->needs_run = false;
		MHD_run(relay->daemon);
		for (unsigned j = 0; j < SL_RELAY_PAIRS; j++)
			if (relay->pairs[j].exchange || relay->pairs[j].has_closed)
				pump(&relay->pairs[j]);
		begin_queued(relay);
		if (MHD_get_timeout(relay->daemon, &wait_ms) == MHD_YES && wait_ms == 0)
			relay->needs_run = true;
	}
	return relay->needs_run;
}

bool
sl_relay_has_work(const struct sl_relay *relay)
{
	return relay->needs_run;
}

void
sl_relay_sweep(struct sl_relay *relay)
{
	uint64_t now_ms = relay->front->shard->loop.now_ms;
	struct sl_exchange *exchange;
	for (unsigned i = 0; i < SL_RELAY_PAIRS; i++)
		if (relay->pairs[i].fd < 0)
			replace(&relay->pairs[i]);
	while ((exchange = STAILQ_FIRST(&relay->queue)) && exchange->deadline_ms <= now_ms) {
		STAILQ_REMOVE_HEAD(&relay->queue, queued);
		sl_metrics_add(get_metrics(relay), SL_COUNTER_RELAY_REFUSED, 1);
		if (exchange->connection) {
			exchange->connection->exchange = NULL;
			sl_serve_failed(exchange->connection, SL_EFULL);
		}
		end_exchange(relay, exchange);
	}
	begin_queued(relay);
	relay->needs_run = true; /* libmicrohttpd wants to run now and then */
}

unsigned
sl_relay_count_busy(const struct sl_relay *relay)
{
	return relay->busy;
}

/* ---- life ---- */

static size_t
keep_escapes(void *arg, struct MHD_Connection *mhd, char *text)
{
	/* Paths and queries are read by ourselves. */
	(void)arg, (void)mhd;
	return strlen(text);
}

static struct MHD_Daemon *
start_daemon(struct sl_relay *relay)
{
	size_t memory = (size_t)relay->front->shard->config->max_header_bytes + MEMORY_BYTES;
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, handle, relay,
		MHD_OPTION_EXTERNAL_LOGGER, drop_log, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)INT_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, relay,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, relay,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_END);
}

static int
open_all(struct sl_relay *relay)
{
	relay->daemon = start_daemon(relay);
	if (!relay->daemon)
		return SL_EIO;
	const union MHD_DaemonInfo *epoll =
		MHD_get_daemon_info(relay->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!epoll || sl_loop_add(&relay->front->shard->loop, &relay->watch, epoll->epoll_fd,
			EPOLLIN) != 0)
		return SL_EIO;
	for (unsigned i = 0; i < SL_RELAY_PAIRS; i++)
		if (open_pair(relay, &relay->pairs[i]) != 0)
			return SL_EIO;
	return 0;
}

int
sl_relay_create(struct sl_relay **out, struct sl_front *front)
{
	struct sl_relay *relay = calloc(1, sizeof *relay);
	if (!relay)
		return SL_ENOMEM;
	relay->front = front;
	STAILQ_INIT(&relay->queue);
	relay->watch = (struct sl_watch){ .on_ready = on_ready, .fd = -1 };
	for (unsigned i = 0; i < SL_RELAY_PAIRS; i++)
		relay->pairs[i].fd = relay->pairs[i].mhd_fd = -1;
	int err = open_all(relay);
	if (err != 0) {
		sl_relay_destroy(relay);
		return err;
	}
	*out = relay;
	return 0;
}

void
sl_relay_destroy(struct sl_relay *relay)
{
	if (!relay)
		return;
	struct sl_exchange *exchange;
	sl_loop_remove(&relay->front->shard->loop, &relay->watch);
	if (relay->daemon)
		MHD_stop_daemon(relay->daemon);
	while ((exchange = STAILQ_FIRST(&relay->queue))) {
		STAILQ_REMOVE_HEAD(&relay->queue, queued);
		sl_exchange_destroy(exchange);
	}
	for (unsigned i = 0; i < SL_RELAY_PAIRS; i++) {
		if (relay->pairs[i].exchange)
			sl_exchange_destroy(relay->pairs[i].exchange);
		close_pair(&relay->pairs[i]);
	}
	free(relay);
}
