#include "http/front.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "app.h"
#include "config/config.h"
#include "core/listener.h"
#include "core/quota.h"
#include "core/socket.h"
#include "demo/lobby.h"
#include "http/api_publish.h"
#include "http/dispatch.h"
#include "http/exchange.h"
#include "http/handover.h"
#include "http/kept.h"
#include "http/respond.h"
#include "shard.h"
#include "util/err.h"
#include "util/log.h"

#define ACCEPTS_PER_EVENT 64
#define RUNS_PER_TURN 4
#define MHD_CONNECTIONS INT_MAX /* its limit never bites before ours, which a reload may raise */

/* A connection that libmicrohttpd has. */
struct sl_front_entry {
	struct sl_socket *socket; /* owns; NULL once handed over */
	struct sl_front_entry *next, **prev;
	struct sl_exchange *exchange; /* owns; the request being read or answered */
	uint64_t deadline_ms;     /* 0: no byte of a request has come */
	bool is_answering;        /* the request is complete, its answer or wait has begun */
};

struct accepting {
	struct sl_watch watch; /* first: on_acceptable gets it */
	struct sl_front *front;
	const struct sl_listener *listener;
	uint32_t events;
};

struct sl_front {
	struct sl_shard *shard;
	struct MHD_Daemon *daemon;
	struct sl_watch watch; /* of libmicrohttpd's own epoll */
	struct accepting *accepting;
	size_t accepting_count;
	struct sl_front_entry *entries;
	struct sl_exchange *suspended;
	struct sl_lobby *lobby; /* owns; NULL without --demo */
	struct sl_front_entry *adding; /* given to libmicrohttpd, which has not begun them */
	bool needs_run;
	bool draining;
};

/* ---- libmicrohttpd's notices ---- */

static struct sl_front_entry *
get_entry(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void
charge_http(struct sl_front *front, struct sl_socket *socket)
{
	struct sl_metrics *metrics = &front->shard->metrics;
	struct sl_socket_bytes measured = sl_socket_measure(socket);
	uint64_t in = measured.is_known ? measured.in : socket->parsed_in;
	uint64_t out = measured.is_known ? measured.out : socket->charged_out;
	if (in > socket->charged_in) {
		sl_metrics_add_class(metrics, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_IN,
			in - socket->charged_in);
		socket->charged_in = in;
	}
	if (out > socket->charged_out) {
		sl_metrics_add_class(metrics, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_OUT,
			out - socket->charged_out);
		socket->charged_out = out;
	}
}

static void
unlink_suspended(struct sl_exchange *exchange)
{
	if (!exchange->is_suspended)
		return;
	exchange->is_suspended = false;
	*exchange->prev_suspended = exchange->next_suspended;
	if (exchange->next_suspended)
		exchange->next_suspended->prev_suspended = exchange->prev_suspended;
}

static void
destroy_exchange(struct sl_exchange *exchange)
{
	if (!exchange)
		return;
	exchange->entry->exchange = NULL;
	sl_api_publish_forget(exchange);
	unlink_suspended(exchange);
	sl_reply_finish(&exchange->reply);
	sl_buffer_finish(&exchange->body);
	free(exchange->path);
	free(exchange);
}

static void
link_entry(struct sl_front_entry *entry, struct sl_front_entry **list)
{
	entry->next = *list;
	entry->prev = list;
	if (entry->next)
		entry->next->prev = &entry->next;
	*list = entry;
}

static void
unlink_entry(struct sl_front_entry *entry)
{
	*entry->prev = entry->next;
	if (entry->next)
		entry->next->prev = entry->prev;
}

static void
free_entry(struct sl_front *front, struct sl_front_entry *entry)
{
	/* A request whose head was malformed is never reported as completed. */
	destroy_exchange(entry->exchange);
	if (entry->socket) {
		/* The descriptor is libmicrohttpd's to close. */
		charge_http(front, entry->socket);
		entry->socket->fd = -1;
		sl_metrics_add_class(&front->shard->metrics, SL_CLASS_HTTP, SL_CLASS_CLOSED, 1);
		sl_app_release_socket(front->shard->app, entry->socket);
	}
	unlink_entry(entry);
	free(entry);
}

/* libmicrohttpd begins a connection as it is added, or from 1.0 on the next time it runs, when
 * others may have been added too: what both know of it is the descriptor. */
static struct sl_front_entry *
take_added(struct sl_front *front, struct MHD_Connection *mhd)
{
	int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	struct sl_front_entry *entry = front->adding;
	while (entry && entry->socket->fd != fd)
		entry = entry->next;
	if (entry)
		unlink_entry(entry);
	return entry;
}

static void
on_connection_notice(void *arg, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct sl_front *front = arg;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		struct sl_front_entry *entry = take_added(front, mhd);
		*context = entry;
		link_entry(entry, &front->entries);
		sl_metrics_add_class(&front->shard->metrics, SL_CLASS_HTTP, SL_CLASS_OPENED, 1);
	} else if (*context) {
		free_entry(front, *context);
		*context = NULL;
	}
}

static void *
on_request_line(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct sl_front *front = arg;
	struct sl_front_entry *entry = get_entry(mhd);
	struct sl_exchange *exchange = entry && entry->socket ? calloc(1, sizeof *exchange) : NULL;
	if (!exchange)
		return NULL;
	exchange->shard = front->shard;
	exchange->mhd = mhd;
	exchange->entry = entry;
	exchange->socket = entry->socket;
	destroy_exchange(entry->exchange);
	entry->exchange = exchange;
	if (!entry->deadline_ms)
		entry->deadline_ms = front->shard->loop.now_ms +
			front->shard->config->request_timeout_ms;
	sl_dispatch_set_uri(exchange, uri);
	return exchange;
}

/* The request is over: answered, cut, or handed over. */
static void
on_completed(void *arg, struct MHD_Connection *mhd, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct sl_front *front = arg;
	struct sl_exchange *exchange = *state;
	(void)mhd, (void)code;
	if (!exchange)
		return;
	struct sl_socket *socket = exchange->socket;
	if (socket) {
		socket->parsed_in += sl_exchange_get_head_len(exchange) + exchange->body_bytes;
		if (exchange->is_chunked)
			socket->is_opaque = true;
		charge_http(front, socket);
		exchange->entry->deadline_ms = 0;
		exchange->entry->is_answering = false;
	}
	destroy_exchange(exchange);
	*state = NULL;
}

static void
drop_log(void *arg, const char *format, va_list args)
{
	/* Each handover would be logged as an application error. */
	(void)arg, (void)format, (void)args;
}

/* ---- the handler ---- */

/* The demo shows what goes over the wire, which it knows where it writes itself; and the
 * next request, which it sees when a kept socket comes back by way of the lobby. */
static bool
answer_ourselves(struct sl_exchange *exchange)
{
	exchange->request.reply = &exchange->reply;
	exchange->reply.is_for_head = strcmp(exchange->method, "HEAD") == 0;
	return sl_handover_take(exchange, &sl_kept_answer_transport) == 0;
}

static enum MHD_Result
respond(struct sl_front *front, struct sl_exchange *exchange)
{
	exchange->entry->is_answering = true;
	if (exchange->is_complete && front->lobby && answer_ourselves(exchange))
		return MHD_NO;
	return sl_respond(exchange) == 0 ? MHD_YES : MHD_NO;
}

static enum MHD_Result
suspend(struct sl_front *front, struct sl_exchange *exchange)
{
	exchange->entry->is_answering = true;
	exchange->is_suspended = true;
	exchange->next_suspended = front->suspended;
	exchange->prev_suspended = &front->suspended;
	if (exchange->next_suspended)
		exchange->next_suspended->prev_suspended = &exchange->next_suspended;
	front->suspended = exchange;
	MHD_suspend_connection(exchange->mhd);
	return MHD_YES;
}

static enum MHD_Result
handle_complete(struct sl_front *front, struct sl_exchange *exchange)
{
	exchange->is_complete = true;
	/* An answer that is there already belongs to a request that was suspended. */
	if (!exchange->reply.status && sl_dispatch(exchange) == SL_PENDING)
		return suspend(front, exchange);
	return exchange->socket ? respond(front, exchange) : MHD_NO;
}

static enum MHD_Result
handle_request(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct sl_front *front = arg;
	struct sl_exchange *exchange = *state;
	(void)mhd, (void)url;
	if (!exchange)
		return MHD_NO;
	if (!exchange->started) {
		exchange->started = true;
		sl_dispatch_begin(exchange, method, version);
		return exchange->reply.status ? respond(front, exchange) : MHD_YES;
	}
	if (*upload_size == 0)
		return handle_complete(front, exchange);
	if (sl_dispatch_add_body(exchange, upload, *upload_size) != 0) {
		sl_respond_canned_413(exchange);
		return MHD_NO;
	}
	*upload_size = 0;
	return MHD_YES;
}

void
sl_front_forget_socket(struct sl_exchange *exchange)
{
	exchange->entry->socket = NULL;
	exchange->socket = NULL;
	sl_metrics_add_class(&exchange->shard->metrics, SL_CLASS_HTTP, SL_CLASS_CLOSED, 1);
}

void
sl_exchange_resume(struct sl_exchange *exchange)
{
	unlink_suspended(exchange);
	MHD_resume_connection(exchange->mhd);
	exchange->shard->front->needs_run = true;
}

/* ---- sockets in ---- */

/* What libmicrohttpd did not begin it has closed. */
static void
drop_refused(struct sl_front *front, struct sl_front_entry *entry)
{
	sl_log_limited(SL_LOG_WARNING, "front.add", "error=\"%s\"", strerror(errno));
	entry->socket->fd = -1;
	sl_app_release_socket(front->shard->app, entry->socket);
	unlink_entry(entry);
	free(entry);
}

static void
run_daemon(struct sl_front *front)
{
	MHD_run(front->daemon);
	while (front->adding)
		drop_refused(front, front->adding);
}

void
sl_front_add(struct sl_front *front, struct sl_socket *socket)
{
	struct sockaddr_storage address;
	socklen_t len = sl_socket_get_sockaddr(socket, &address);
	struct sl_front_entry *entry = calloc(1, sizeof *entry);
	if (!entry) {
		sl_app_release_socket(front->shard->app, socket);
		return;
	}
	entry->socket = socket;
	link_entry(entry, &front->adding);
	front->needs_run = true;
	if (MHD_add_connection(front->daemon, socket->fd, (struct sockaddr *)&address, len) !=
			MHD_YES && front->adding == entry)
		drop_refused(front, entry);
}

/* Before the first request or between two. */
static void
begin(struct sl_front *front, struct sl_socket *socket)
{
	if (front->lobby)
		sl_lobby_enter(front->lobby, socket);
	else
		sl_front_add(front, socket);
}

void
sl_front_take_back(struct sl_front *front, struct sl_socket *socket)
{
	sl_metrics_add(&front->shard->metrics, SL_COUNTER_GIVEN_BACK, 1);
	begin(front, socket);
}

static bool
admit(struct sl_front *front, struct sl_socket *socket)
{
	struct sl_metrics *metrics = &front->shard->metrics;
	enum sl_quota_verdict verdict = sl_quota_take(front->shard->app->quota, &socket->peer);
	if (verdict == SL_QUOTA_HARD) {
		sl_metrics_add(metrics, SL_COUNTER_REFUSED_HARD, 1);
		sl_socket_set_abort(socket);
		sl_socket_destroy(socket);
		return false;
	}
	socket->over_limit = verdict != SL_QUOTA_OK;
	if (verdict == SL_QUOTA_TOTAL)
		sl_metrics_add(metrics, SL_COUNTER_REFUSED_LIMIT_TOTAL, 1);
	else if (verdict == SL_QUOTA_ADDRESS)
		sl_metrics_add(metrics, SL_COUNTER_REFUSED_LIMIT_ADDRESS, 1);
	return true;
}

static void
on_acceptable(struct sl_watch *watch, uint32_t events)
{
	struct accepting *accepting = (struct accepting *)watch;
	struct sl_front *front = accepting->front;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS_PER_EVENT; i++) {
		struct sl_socket *socket = sl_listener_accept(accepting->listener, front->shard->index);
		if (socket) {
			sl_metrics_add(&front->shard->metrics, SL_COUNTER_ACCEPTED, 1);
			if (admit(front, socket))
				begin(front, socket);
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
watch_listener(struct accepting *accepting)
{
	struct sl_shard *shard = accepting->front->shard;
	int fd = sl_listener_get_fd(accepting->listener, shard->index);
	if (sl_loop_add(&shard->loop, &accepting->watch, fd, accepting->events) != 0)
		sl_log(SL_LOG_ERROR, "accept.watch", "error=\"%s\"", strerror(errno));
}

/* ---- life ---- */

static void
on_daemon_ready(struct sl_watch *watch, uint32_t events)
{
	struct sl_front *front = (struct sl_front *)((char *)watch - offsetof(struct sl_front, watch));
	(void)events;
	front->needs_run = true;
}

static size_t
keep_escapes(void *arg, struct MHD_Connection *mhd, char *text)
{
	/* Paths and queries are read by ourselves, off the request line. */
	(void)arg, (void)mhd;
	return strlen(text);
}

static struct MHD_Daemon *
start_daemon(struct sl_front *front)
{
	const struct sl_config *config = front->shard->config;
	return MHD_start_daemon(sl_handover_get_daemon_flags(), 0, NULL, NULL, handle_request, front,
		MHD_OPTION_EXTERNAL_LOGGER, drop_log, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)MHD_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SL_FRONT_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)config->max_header_bytes,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, front,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection_notice, front,
		MHD_OPTION_URI_LOG_CALLBACK, on_request_line, front,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_END);
}

static int
start_accepting(struct sl_front *front)
{
	struct sl_app *app = front->shard->app;
	front->accepting = calloc(app->listener_count, sizeof *front->accepting);
	if (!front->accepting)
		return SL_ENOMEM;
	front->accepting_count = app->listener_count;
	for (size_t i = 0; i < front->accepting_count; i++) {
		struct accepting *accepting = &front->accepting[i];
		accepting->front = front;
		accepting->listener = &app->listeners[i];
		accepting->watch.on_ready = on_acceptable;
		accepting->events = EPOLLIN | (accepting->listener->is_shared ? EPOLLEXCLUSIVE : 0);
		watch_listener(accepting);
	}
	return 0;
}

int
sl_front_create(struct sl_front **out, struct sl_shard *shard)
{
	struct sl_front *front = calloc(1, sizeof *front);
	if (!front)
		return SL_ENOMEM;
	front->shard = shard;
	front->watch.fd = -1;
	front->watch.on_ready = on_daemon_ready;
	int err = shard->app->demo ? sl_lobby_create(&front->lobby, shard) : 0;
	if (err != 0)
		goto fail;
	err = SL_EIO;
	front->daemon = start_daemon(front);
	if (!front->daemon)
		goto fail;
	const union MHD_DaemonInfo *epoll =
		MHD_get_daemon_info(front->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!epoll || sl_loop_add(&shard->loop, &front->watch, epoll->epoll_fd, EPOLLIN) != 0)
		goto fail;
	err = start_accepting(front);
	if (err != 0)
		goto fail;
	*out = front;
	return 0;
fail:
	sl_front_destroy(front);
	return err;
}

bool
sl_front_run(struct sl_front *front)
{
	for (unsigned i = 0; i < RUNS_PER_TURN; i++) {
		MHD_UNSIGNED_LONG_LONG wait_ms = 1;
		if (!front->needs_run)
			return false;
		front->needs_run = false;
		run_daemon(front);
		if (MHD_get_timeout(front->daemon, &wait_ms) == MHD_YES && wait_ms == 0)
			front->needs_run = true;
	}
	return front->needs_run;
}

/* A byte a second lives for ever in libmicrohttpd, whose timeout is an idle one: a request
 * has its time from its first byte. */
static void
check_deadline(struct sl_front *front, struct sl_front_entry *entry)
{
	uint64_t now_ms = front->shard->loop.now_ms;
	if (!entry->socket || entry->is_answering)
		return;
	if (!entry->deadline_ms) {
		if (sl_socket_measure(entry->socket).in > entry->socket->charged_in)
			entry->deadline_ms = now_ms + front->shard->config->request_timeout_ms;
	} else if (now_ms >= entry->deadline_ms) {
		sl_metrics_add(&front->shard->metrics, SL_COUNTER_REQUEST_TIMEOUTS, 1);
		entry->deadline_ms = now_ms + front->shard->config->request_timeout_ms;
		sl_socket_break(entry->socket);
	}
}

void
sl_front_sweep(struct sl_front *front)
{
	for (struct sl_front_entry *entry = front->entries; entry; entry = entry->next)
		check_deadline(front, entry);
	for (size_t i = 0; !front->draining && i < front->accepting_count; i++)
		if (front->accepting[i].watch.fd < 0)
			watch_listener(&front->accepting[i]);
	front->needs_run = true; /* libmicrohttpd's own time-outs */
}

void
sl_front_drain(struct sl_front *front)
{
	front->draining = true;
	for (size_t i = 0; i < front->accepting_count; i++)
		sl_loop_remove(&front->shard->loop, &front->accepting[i].watch);
}

bool
sl_front_has_work(const struct sl_front *front)
{
	return front->needs_run;
}

unsigned
sl_front_count_busy(const struct sl_front *front)
{
	unsigned busy = 0;
	for (const struct sl_front_entry *entry = front->entries; entry; entry = entry->next)
		busy += entry->is_answering;
	return busy;
}

void
sl_front_destroy(struct sl_front *front)
{
	if (!front)
		return;
	/* MHD_stop_daemon with a suspended connection aborts the process. */
	while (front->suspended) {
		struct sl_exchange *exchange = front->suspended;
		sl_api_publish_forget(exchange);
		sl_reply_set_error(&exchange->reply, 500, "unknown_outcome",
			"the gateway stopped before the backend answered");
		sl_exchange_resume(exchange);
	}
	if (front->daemon) {
		for (unsigned i = 0; i < RUNS_PER_TURN; i++)
			run_daemon(front);
		sl_loop_remove(&front->shard->loop, &front->watch);
		MHD_stop_daemon(front->daemon);
	}
	for (size_t i = 0; i < front->accepting_count; i++)
		sl_loop_remove(&front->shard->loop, &front->accepting[i].watch);
	sl_lobby_destroy(front->lobby);
	free(front->accepting);
	free(front);
}
