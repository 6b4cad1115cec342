/* longpoll and poll: a request is answered with what came after its cursor, at once if
 * there is something, else when something comes or the hold runs out; a short poll does not
 * hold. The next request's cursor is the acknowledgement.
 *
 * Between two polls the connection is parked. What comes next is peeked at: a plain poll is
 * taken off the socket and served here, anything else goes back to the front untouched. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "app.h"
#include "bus/bus.h"
#include "bus/message.h"
#include "config.h"
#include "http/access.h"
#include "http/front.h"
#include "http/request.h"
#include "live/connection.h"
#include "live/control.h"
#include "live/fanout.h"
#include "settings.h"
#include "shard.h"
#include "transports/poll_reply.h"
#include "transports/poll_request.h"
#include "transports/registry.h"
#include "util/buffer.h"
#include "util/err.h"

/* Encodings. Most answers to one run are the same to the byte, head included. */
enum { WHOLE_KEPT, BODY };

#define WAIT_DEFAULT_S 25
#define PARKED_MS 65000 /* kept without a next request */

struct longpoll {
	struct sl_connection base;
	char *headers;   /* owns; lines of this answer alone (CORS), or NULL */
	bool keep_alive; /* after this answer */
};

static struct longpoll *
from_base(struct sl_connection *connection)
{
	return (struct longpoll *)connection;
}

static void
finish(struct sl_connection *connection)
{
	free(from_base(connection)->headers);
}

/* ---- answering ---- */

static void
append_answer(struct sl_buffer *out, unsigned encoding, struct sl_message *const *messages,
	size_t count)
{
	const struct sl_message *last = messages[count - 1];
	struct sl_cursor cursor = { last->epoch, last->seq };
	struct sl_buffer body = SL_BUFFER_INIT;
	struct sl_buffer *into = encoding == BODY ? out : &body;
	sl_poll_reply_append_body(into, cursor, messages, count, NULL, 0);
	if (encoding == WHOLE_KEPT) {
		struct sl_poll_head head = {
			.status = 200,
			.content_type = "application/json",
			.cursor = cursor,
			.body_len = body.len,
			.keep_alive = true,
		};
		sl_poll_reply_append_head(out, &head);
		sl_buffer_append(out, body.bytes, body.len);
		out->failed |= body.failed;
	}
	sl_buffer_finish(&body);
}

static size_t
frame_messages(unsigned encoding, struct sl_message *const *messages, size_t count,
	struct sl_buffer *out, uint32_t *ends)
{
	size_t fit = sl_poll_reply_fit(messages, count);
	append_answer(out, encoding, messages, fit);
	for (size_t i = 0; i < fit; i++)
		ends[i] = (uint32_t)out->len;
	return fit;
}

/* The answer is queued: what follows it is the next request or the end. */
static void
conclude(struct sl_connection *connection)
{
	struct longpoll *poll = from_base(connection);
	free(poll->headers);
	poll->headers = NULL;
	if (connection->state >= SL_ENDING)
		return;
	if (!poll->keep_alive) {
		sl_connection_end_quietly(connection);
		return;
	}
	sl_fanout_unsubscribe_all(connection);
	connection->state = SL_PARKED;
	sl_connection_set_timer(connection, connection->shard->loop.now_ms + PARKED_MS);
}

static void
send_head(struct sl_connection *connection, struct sl_poll_head *head)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	head->keep_alive = from_base(connection)->keep_alive;
	head->headers = from_base(connection)->headers;
	sl_poll_reply_append_head(&bytes, head);
	if (sl_buffer_status(&bytes) == 0)
		sl_connection_send(connection, bytes.bytes, bytes.len);
	else
		sl_connection_close(connection);
	sl_buffer_finish(&bytes);
}

static struct sl_cursor
cursor_at(const struct sl_connection *connection, uint64_t seq)
{
	return (struct sl_cursor){ sl_bus_head(connection->shard->bus).epoch, seq };
}

/* Messages and no gaps: framed once for all who get this run. */
static void
answer_shared(struct sl_connection *connection, const struct sl_answer *answer)
{
	struct longpoll *poll = from_base(connection);
	struct sl_framer *framer = &connection->shard->framer;
	unsigned encoding = poll->keep_alive && !poll->headers ? WHOLE_KEPT : BODY;
	struct sl_wire *wire = answer->run ?
		sl_run_get_wire(answer->run, framer, connection->transport, encoding) :
		sl_wire_create_messages(framer, connection->transport, encoding, answer->messages,
			answer->count);
	if (!wire) {
		sl_connection_close(connection);
		return;
	}
	if (encoding == BODY) {
		struct sl_poll_head head = {
			.status = 200,
			.content_type = "application/json",
			.cursor = cursor_at(connection, answer->messages[wire->count - 1]->seq),
			.body_len = wire->len,
		};
		send_head(connection, &head);
	}
	if (connection->state < SL_ENDING && sl_connection_send_wire(connection, wire, 0))
		sl_connection_count_messages(connection, wire->count,
			sl_run_sum_payload(answer->messages, wire->count));
	if (!answer->run)
		sl_wire_unref(wire);
}

/* Gaps, or nothing at all. */
static void
answer_alone(struct sl_connection *connection, const struct sl_answer *answer)
{
	struct sl_buffer body = SL_BUFFER_INIT;
	size_t count = sl_poll_reply_fit(answer->messages, answer->count);
	uint64_t seq = count ? answer->messages[count - 1]->seq : answer->through;
	struct sl_poll_head head = {
		.status = 200,
		.content_type = "application/json",
		.cursor = cursor_at(connection, seq),
	};
	sl_poll_reply_append_body(&body, head.cursor, answer->messages, count, answer->gaps,
		answer->gap_count);
	head.body_len = body.len;
	if (sl_buffer_status(&body) == 0) {
		send_head(connection, &head);
		sl_connection_send(connection, body.bytes, body.len);
		sl_connection_count_messages(connection, count,
			sl_run_sum_payload(answer->messages, count));
	} else {
		sl_connection_close(connection);
	}
	sl_buffer_finish(&body);
}

static void
add_gap_header(struct sl_connection *connection, const struct sl_gap *gap)
{
	struct longpoll *poll = from_base(connection);
	struct sl_buffer lines = SL_BUFFER_INIT;
	if (poll->headers)
		sl_buffer_append_str(&lines, poll->headers);
	sl_buffer_append_str(&lines, "Sluice-Gap: ");
	sl_control_append_gap_header(&lines, gap);
	sl_buffer_append(&lines, "\r\n", 3); /* with the NUL */
	if (sl_buffer_status(&lines) == 0) {
		free(poll->headers);
		poll->headers = lines.bytes;
	}
}

/* raw: the first message is the whole answer. */
static void
answer_raw(struct sl_connection *connection, const struct sl_answer *answer)
{
	static const char *const content_types[] = {
		[SL_JSON] = "application/json",
		[SL_TEXT] = "text/plain; charset=utf-8",
		[SL_BINARY] = "application/octet-stream",
	};
	const struct sl_message *message = answer->count ? answer->messages[0] : NULL;
	struct sl_poll_head head = {
		.status = message ? 200 : 204,
		.cursor = cursor_at(connection, message ? message->seq : answer->through),
	};
	if (answer->gap_count)
		add_gap_header(connection, &answer->gaps[0]);
	if (message) {
		head.content_type = content_types[message->type];
		head.body_len = message->payload_len;
	}
	send_head(connection, &head);
	if (message) {
		sl_connection_send(connection, message->payload, message->payload_len);
		sl_connection_count_messages(connection, 1, message->payload_len);
	}
}

static void
answer(struct sl_connection *connection, const struct sl_answer *what)
{
	if (what->is_last)
		from_base(connection)->keep_alive = false;
	if (connection->raw)
		answer_raw(connection, what);
	else if (what->count && !what->gap_count)
		answer_shared(connection, what);
	else
		answer_alone(connection, what);
	conclude(connection);
}

static void
answer_nothing(struct sl_connection *connection)
{
	struct sl_answer nothing = { .through = sl_connection_get_cursor(connection).seq };
	answer(connection, &nothing);
}

/* ---- a request ---- */

static int
serve(struct sl_connection *connection, const struct sl_request *request)
{
	struct longpoll *poll = from_base(connection);
	struct sl_gap gaps[SL_PARAMS_CHANNELS_MAX];
	size_t gap_count;
	struct sl_buffer lines = SL_BUFFER_INIT;
	poll->keep_alive = request->keep_alive;
	connection->raw = request->params.format == SL_FORMAT_RAW;
	if (request->origin) {
		sl_request_append_cors(request, &lines);
		sl_buffer_append_char(&lines, '\0');
		if (sl_buffer_status(&lines) != 0)
			return SL_ENOMEM;
		poll->headers = lines.bytes;
	}
	if (request->params.since_kind == SL_SINCE_NOW) {
		connection->position = sl_bus_head(connection->shard->bus).seq;
		answer_nothing(connection);
		return 0;
	}
	int err = sl_connection_join(connection, request, gaps, &gap_count);
	if (err != 0)
		return err;
	connection->state = SL_BEHIND;
	sl_fanout_pull(connection, gaps, gap_count);
	if (connection->state != SL_LIVE)
		return 0;
	int wait_s = request->params.wait_s < 0 ? WAIT_DEFAULT_S : request->params.wait_s;
	if (wait_s == 0)
		answer_nothing(connection);
	else
		sl_connection_set_timer(connection,
			connection->shard->loop.now_ms + (uint64_t)wait_s * 1000);
	return 0;
}

static const struct sl_transport *
transport_for(const struct sl_request *request)
{
	return request->params.wait_s == 0 ? &sl_transport_poll : &sl_transport_longpoll;
}

/* What a header getter can find in a request that was peeked at. */
static const char *
get_no_header(const struct sl_request *request, const char *name)
{
	(void)request;
	(void)name;
	return NULL;
}

/* Reads what waits on a parked connection; true when it is a poll that will do. */
static bool
understand(struct sl_connection *connection, char *bytes, size_t len,
	struct sl_poll_request *head, struct sl_request *request)
{
	const struct sl_shard *shard = connection->shard;
	const struct sl_access *access = shard->settings->access;
	struct sl_params_error error;
	if (shard->draining || sl_poll_request_parse(head, bytes, len, shard->app->poll_path) !=
			SL_POLL_COMPLETE)
		return false;
	if (!sl_access_host_allowed(access, head->host) ||
			!sl_access_origin_allowed(access, head->origin, &request->origin))
		return false;
	request->http_minor = head->is_http_1_1 ? 1 : 0;
	request->keep_alive = head->keep_alive && head->is_http_1_1;
	request->get_header = get_no_header;
	return sl_params_parse(&request->params, head->query, head->query_len,
			(unsigned)shard->config->max_channels, &error) == 0 &&
		sl_params_require_channels(&request->params, &error) == 0;
}

static void
serve_next(struct sl_connection *connection)
{
	struct sl_shard *shard = connection->shard;
	struct sl_poll_request head;
	struct sl_request request = { 0 };
	char *bytes = shard->read_buffer;
	ssize_t got = sl_socket_peek(connection->socket, bytes, SL_READ_BUFFER);
	if (got == SL_EAGAIN)
		return;
	if (got < 0) {
		sl_connection_close(connection);
		return;
	}
	if (!understand(connection, bytes, (size_t)got, &head, &request)) {
		struct sl_socket *socket = sl_connection_release_socket(connection);
		sl_front_take_back(shard->front, socket);
		return;
	}
	sl_connection_change_transport(connection, transport_for(&request));
	sl_connection_read(connection, NULL, head.head_len);
	sl_metrics_add(&shard->metrics, SL_COUNTER_REQUESTS_2XX, 1);
	if (serve(connection, &request) != 0)
		sl_connection_close(connection);
}

/* While a request is held only the client's leaving is news: a next request may wait. */
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

static void
on_readable(struct sl_connection *connection)
{
	if (connection->state == SL_PARKED && !connection->outbox.queued_bytes)
		serve_next(connection);
	else
		watch_held(connection);
}

static void
on_timer(struct sl_connection *connection)
{
	if (connection->state == SL_PARKED)
		sl_connection_close(connection);
	else
		answer_nothing(connection);
}

const struct sl_transport sl_transport_longpoll = {
	.name = "longpoll",
	.path = "poll",
	.class = SL_CLASS_LONGPOLL,
	.capabilities = SL_HOLDS,
	.connection_size = sizeof(struct longpoll),
	.open = serve,
	.on_readable = on_readable,
	.frame_messages = frame_messages,
	.answer = answer,
	.on_timer = on_timer,
	.finish = finish,
};

const struct sl_transport sl_transport_poll = {
	.name = "poll",
	.path = "poll",
	.class = SL_CLASS_POLL,
	.connection_size = sizeof(struct longpoll),
	.open = serve,
	.on_readable = on_readable,
	.frame_messages = frame_messages,
	.answer = answer,
	.on_timer = on_timer,
	.finish = finish,
};
