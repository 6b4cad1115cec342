/* longpoll and poll: a request is answered with what came after its cursor, at once if
 * there is something, else when something comes or the hold runs out; a short poll does not
 * hold. The next request's cursor is the acknowledgement.
 * Between two polls the connection is kept (http/kept.h). */
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/message.h"
#include "http/kept.h"
#include "http/request.h"
#include "live/connection.h"
#include "live/control.h"
#include "live/fanout.h"
#include "live/join.h"
#include "shard.h"
#include "transports/poll_reply.h"
#include "transports/registry.h"
#include "util/buffer.h"
#include "util/err.h"

/* Encodings. Most answers to one run are the same to the byte, head included. */
enum { WHOLE_KEPT, BODY };

#define WAIT_DEFAULT_S 25

/* ---- answering ---- */

static void
append_answer(struct sl_buffer *out, unsigned encoding, struct sl_message *const *messages,
	size_t count)
{
	const struct sl_message *last = messages[count - 1];
	struct sl_cursor cursor = { last->epoch, last->seq };
	struct sl_buffer body = SL_BUFFER_INIT;
	struct sl_poll_body shared = { .cursor = cursor, .messages = messages, .count = count };
	sl_poll_reply_append_body(encoding == BODY ? out : &body, &shared);
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

static void
send_answer(struct sl_connection *connection, struct sl_poll_head *head,
	const struct sl_buffer *body)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	head->keep_alive = sl_kept_from(connection)->keep_alive;
	head->headers = sl_kept_from(connection)->headers;
	sl_poll_reply_append_head(&bytes, head);
	if (body) {
		sl_buffer_append(&bytes, body->bytes, body->len);
		bytes.failed |= body->failed;
	}
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

/* A run that came while polls were held: framed once for all who get it. */
static void
answer_shared(struct sl_connection *connection, const struct sl_answer *answer)
{
	struct sl_kept *poll = sl_kept_from(connection);
	unsigned encoding = poll->keep_alive && !poll->headers ? WHOLE_KEPT : BODY;
	struct sl_wire *wire = sl_run_get_wire(answer->run, &connection->shard->framer,
		connection->transport, encoding);
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
		send_answer(connection, &head, NULL);
	}
	if (connection->state < SL_ENDING && sl_connection_send_wire(connection, wire, 0))
		sl_connection_count_messages(connection, wire->count,
			sl_run_sum_payload(answer->messages, wire->count));
}

/* From history, with gaps, or nothing at all: this client's own. */
static void
answer_alone(struct sl_connection *connection, const struct sl_answer *answer)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	size_t count = sl_poll_reply_fit(answer->messages, answer->count);
	struct sl_cursor cursor = cursor_at(connection,
		count ? answer->messages[count - 1]->seq : answer->through);
	struct sl_poll_body body = {
		.cursor = cursor,
		.messages = answer->messages,
		.count = count,
		.gaps = answer->gaps,
		.gap_count = answer->gap_count,
		.config = connection->shard->config,
		.n = sl_kept_from(connection)->n,
	};
	sl_poll_reply_append_body(&bytes, &body);
	struct sl_poll_head head = {
		.status = 200,
		.content_type = "application/json",
		.cursor = cursor,
		.body_len = bytes.len,
	};
	send_answer(connection, &head, &bytes);
	sl_connection_count_messages(connection, count,
		sl_run_sum_payload(answer->messages, count));
	sl_buffer_finish(&bytes);
}

static void
add_gap_header(struct sl_connection *connection, const struct sl_gap *gap)
{
	struct sl_kept *poll = sl_kept_from(connection);
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
	send_answer(connection, &head, NULL);
	if (message) {
		sl_connection_send(connection, message->payload, message->payload_len);
		sl_connection_count_messages(connection, 1, message->payload_len);
	}
}

static void
answer(struct sl_connection *connection, const struct sl_answer *what)
{
	if (what->is_last)
		sl_kept_from(connection)->keep_alive = false;
	sl_metrics_add(&connection->shard->metrics, SL_COUNTER_GAPS_TOLD, what->gap_count);
	if (connection->raw)
		answer_raw(connection, what);
	else if (what->run)
		answer_shared(connection, what);
	else
		answer_alone(connection, what);
	sl_kept_conclude(connection);
}

static void
answer_nothing(struct sl_connection *connection)
{
	struct sl_answer nothing = { .through = sl_connection_get_cursor(connection).seq };
	answer(connection, &nothing);
}

/* ---- a request ---- */

static int
remember_n(struct sl_kept *poll, struct sl_span n)
{
	if (n.len == 0)
		return 0;
	poll->n = strndup(n.bytes, n.len);
	return poll->n ? 0 : SL_ENOMEM;
}

static int
serve(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_gap gaps[SL_PARAMS_CHANNELS_MAX];
	size_t gap_count;
	int err = sl_kept_begin(connection, request);
	if (err != 0)
		return err;
	err = remember_n(sl_kept_from(connection), request->params.n);
	if (err != 0)
		return err;
	connection->raw = request->params.format == SL_FORMAT_RAW;
	if (request->params.since_kind == SL_SINCE_NOW) {
		connection->position = sl_bus_head(connection->shard->bus).seq;
		answer_nothing(connection);
		return 0;
	}
	err = sl_join_channels(connection, request, gaps, &gap_count);
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
	.connection_size = sizeof(struct sl_kept),
	.open = serve,
	.on_readable = sl_kept_on_readable,
	.frame_messages = frame_messages,
	.answer = answer,
	.on_timer = on_timer,
	.finish = sl_kept_finish,
};

const struct sl_transport sl_transport_poll = {
	.name = "poll",
	.path = "poll",
	.class = SL_CLASS_POLL,
	.connection_size = sizeof(struct sl_kept),
	.open = serve,
	.on_readable = sl_kept_on_readable,
	.frame_messages = frame_messages,
	.answer = answer,
	.on_timer = on_timer,
	.finish = sl_kept_finish,
};
