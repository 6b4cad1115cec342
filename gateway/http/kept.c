#include "http/kept.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "app.h"
#include "config/config.h"
#include "demo/api.h"
#include "demo/tap.h"
#include "http/access.h"
#include "http/api_publish.h"
#include "http/front.h"
#include "http/plain_request.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/router.h"
#include "live/fanout.h"
#include "http/settings.h"
#include "shard.h"
#include "util/buffer.h"
#include "util/err.h"

#define PARKED_MS 65000 /* kept without a next request */
#define HEADER_MAX 256  /* of a value that publish looks at */

struct sl_kept_publish {
	struct sl_posting posting;  /* first: on_done gets it */
	struct sl_kept *kept;       /* NULL once the client has left */
};

/* What a header getter finds in a request that was peeked at. */
struct headers {
	char content_type[HEADER_MAX], idempotency_key[HEADER_MAX];
	bool has_content_type, has_idempotency_key;
};

int
sl_kept_begin(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_kept *kept = sl_kept_from(connection);
	kept->keep_alive = request->keep_alive;
	if (!request->cors.origin)
		return 0;
	struct sl_buffer lines = SL_BUFFER_INIT;
	sl_request_append_cors(request, &lines);
	sl_buffer_append_char(&lines, '\0');
	kept->headers = lines.bytes;
	return sl_buffer_status(&lines);
}

void
sl_kept_conclude(struct sl_connection *connection)
{
	struct sl_kept *kept = sl_kept_from(connection);
	free(kept->headers);
	free(kept->n);
	kept->headers = kept->n = NULL;
	if (connection->state >= SL_ENDING)
		return;
	if (!kept->keep_alive) {
		sl_connection_end_quietly(connection);
		return;
	}
	sl_fanout_unsubscribe_all(connection);
	connection->state = SL_PARKED;
	sl_connection_set_timer(connection, connection->shard->loop.now_ms + PARKED_MS);
}

void
sl_kept_finish(struct sl_connection *connection)
{
	struct sl_kept *kept = sl_kept_from(connection);
	free(kept->headers);
	free(kept->n);
	if (kept->publish)
		kept->publish->kept = NULL;
}

/* ---- publish ---- */

static void
send_reply(struct sl_connection *connection, const struct sl_reply *reply)
{
	struct sl_kept *kept = sl_kept_from(connection);
	struct sl_buffer bytes = SL_BUFFER_INIT;
	if (sl_reply_closes(reply))
		kept->keep_alive = false;
	sl_reply_append_response(reply, &bytes, kept->headers, kept->keep_alive);
	sl_metrics_add(&connection->shard->metrics, sl_counter_of_status(reply->status), 1);
	if (sl_buffer_status(&bytes) == 0)
		sl_connection_send(connection, bytes.bytes, bytes.len);
	else
		sl_connection_close(connection);
	sl_buffer_finish(&bytes);
	sl_kept_conclude(connection);
}

static void
on_published(struct sl_posting *posting)
{
	struct sl_kept_publish *pending = (struct sl_kept_publish *)posting;
	struct sl_kept *kept = pending->kept;
	struct sl_reply reply = { 0 };
	sl_api_publish_end(posting, kept ? &reply : NULL);
	if (kept) {
		kept->publish = NULL;
		send_reply(&kept->base, &reply);
	}
	sl_reply_finish(&reply);
	free(pending);
}

static int
open_publish(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_kept *kept = sl_kept_from(connection);
	struct sl_reply reply = { 0 };
	int err = sl_kept_begin(connection, request);
	if (err != 0)
		return err;
	struct sl_kept_publish *pending = calloc(1, sizeof *pending);
	if (!pending)
		return SL_ENOMEM;
	pending->posting.on_done = on_published;
	pending->kept = kept;
	connection->state = SL_OPENING;
	sl_timer_cancel(&connection->shard->loop.timers, &connection->timer);
	if (sl_api_publish_begin(&pending->posting, connection->shard, request, &reply) ==
			SL_PENDING) {
		kept->publish = pending;
		return 0;
	}
	free(pending);
	send_reply(connection, &reply);
	sl_reply_finish(&reply);
	return 0;
}

static int
open_answer(struct sl_connection *connection, const struct sl_request *request)
{
	int err = sl_kept_begin(connection, request);
	if (err == 0)
		send_reply(connection, request->reply);
	return err;
}

/* Draining: a publish that waits is answered when its backend does, then it is over. */
static void
answer_last(struct sl_connection *connection, const struct sl_answer *answer)
{
	(void)answer;
	sl_kept_from(connection)->keep_alive = false;
}

/* ---- the next request ---- */

static const char *
get_header(const struct sl_request *request, const char *name)
{
	const struct headers *headers = request->arg;
	if (strcasecmp(name, "Content-Type") == 0)
		return headers->has_content_type ? headers->content_type : NULL;
	if (strcasecmp(name, "Idempotency-Key") == 0)
		return headers->has_idempotency_key ? headers->idempotency_key : NULL;
	return NULL;
}

/* False when the value is longer than anything publish takes. */
static bool
copy_header(struct sl_span value, char out[HEADER_MAX], bool *is_there)
{
	*is_there = value.bytes != NULL;
	if (!value.bytes)
		return true;
	if (value.len >= HEADER_MAX)
		return false;
	memcpy(out, value.bytes, value.len);
	out[value.len] = '\0';
	return true;
}

/* True when the request will do without libmicrohttpd's help: allowed, and its parameters
 * right. It is refused there otherwise, so that there is one place for refusals. */
static bool
understand(struct sl_connection *connection, enum sl_plain_verdict verdict,
	struct sl_plain_request *head, struct sl_request *request, struct headers *headers)
{
	const struct sl_shard *shard = connection->shard;
	const struct sl_access *access = shard->settings->access;
	struct sl_params_error error = { 0 };
	if (shard->draining || !sl_access_host_allowed(access, head->host) ||
			!sl_access_origin_allowed(access, head->origin, &request->cors) ||
			!copy_header(head->content_type, headers->content_type,
				&headers->has_content_type) ||
			!copy_header(head->idempotency_key, headers->idempotency_key,
				&headers->has_idempotency_key))
		return false;
	request->http_minor = head->is_http_1_1 ? 1 : 0;
	request->keep_alive = head->keep_alive && head->is_http_1_1;
	request->get_header = get_header;
	request->arg = headers;
	request->body = head->body;
	if (sl_params_parse(&request->params, head->query, head->query_len,
			(unsigned)shard->config->max_channels, &error) != 0)
		return false;
	if (verdict == SL_PLAIN_PUBLISH)
		return head->body.len <= sl_api_publish_max_body(shard->config,
			get_header(request, "Content-Type"));
	return sl_params_require_channels(&request->params, &error) == 0;
}

/* Under --demo: false when the request is refused. */
static bool
note(struct sl_connection *connection, enum sl_plain_verdict verdict,
	const struct sl_plain_request *head, const struct sl_request *request)
{
	const struct sl_transport *transport = verdict == SL_PLAIN_PUBLISH ? &sl_kept_transport :
		sl_router_get_poll_transport(request);
	return sl_demo_judge_unread(connection->shard, connection->socket, request,
		transport->class, head->len - head->body.len);
}

static void
give_back(struct sl_connection *connection, bool prefers_front)
{
	struct sl_socket *socket = sl_connection_release_socket(connection);
	socket->prefers_front = prefers_front;
	sl_front_take_back(connection->shard->front, socket);
}

static void
serve_next(struct sl_connection *connection)
{
	struct sl_shard *shard = connection->shard;
	const struct sl_plain_paths *paths = &shard->app->plain_paths;
	struct sl_plain_request head;
	struct sl_request request;
	struct headers headers;
	char *bytes = shard->read_buffer;
	memset(&request, 0, offsetof(struct sl_request, params));
	ssize_t got = sl_socket_peek(connection->socket, bytes, SL_READ_BUFFER);
	if (got == SL_EAGAIN)
		return;
	if (got < 0) {
		sl_connection_close(connection);
		return;
	}
	if (shard->app->demo)
		sl_tap_see_head(shard, connection->socket, bytes, (size_t)got);
	enum sl_plain_verdict verdict = sl_plain_request_parse(&head, bytes, (size_t)got, paths);
	if (verdict == SL_PLAIN_NOT_OURS || !understand(connection, verdict, &head, &request,
			&headers) || (shard->app->demo && !note(connection, verdict, &head, &request))) {
		/* A client that sends its bodies apart would be handed to and fro. */
		give_back(connection, sl_plain_request_lacks_body(bytes, (size_t)got, paths));
		return;
	}
	const struct sl_transport *transport = verdict == SL_PLAIN_PUBLISH ? &sl_kept_transport :
		sl_router_get_poll_transport(&request);
	sl_connection_change_transport(connection, transport);
	sl_connection_discard(connection, head.len); /* leaves the spans as they are */
	if (verdict == SL_PLAIN_POLL)
		sl_metrics_add(&shard->metrics, SL_COUNTER_REQUESTS_2XX, 1);
	int err = transport->open(connection, &request);
	if (err != 0)
		sl_connection_refuse(connection, &request, err);
}

/* While a request is answered only the client's leaving is news: the next may wait. */
static void
watch_held(struct sl_connection *connection)
{
	char byte;
	ssize_t got = sl_socket_peek(connection->socket, &byte, 1);
	if (got > 0 && (connection->watch.events & EPOLLIN))
		sl_loop_change(&connection->shard->loop, &connection->watch,
			EPOLLRDHUP | (connection->outbox.queued_bytes ? EPOLLOUT : 0));
	else if (got != SL_EAGAIN)
		sl_connection_close(connection);
}

void
sl_kept_on_readable(struct sl_connection *connection)
{
	if (connection->state == SL_PARKED && !connection->outbox.queued_bytes)
		serve_next(connection);
	else
		watch_held(connection);
}

const struct sl_transport sl_kept_transport = {
	.name = "http",
	.path = "publish",
	.class = SL_CLASS_HTTP,
	.capabilities = SL_ONLY_KEPT,
	.connection_size = sizeof(struct sl_kept),
	.open = open_publish,
	.on_readable = sl_kept_on_readable,
	.answer = answer_last,
	.on_timer = sl_connection_close, /* parked for too long */
	.finish = sl_kept_finish,
};

const struct sl_transport sl_kept_answer_transport = {
	.name = "http",
	.path = "",
	.class = SL_CLASS_HTTP,
	.capabilities = SL_ONLY_KEPT,
	.connection_size = sizeof(struct sl_kept),
	.open = open_answer,
	.on_readable = sl_kept_on_readable,
	.answer = answer_last,
	.on_timer = sl_connection_close,
	.finish = sl_kept_finish,
};
