/* longpoll and poll: a request is answered with what came after its cursor, at once if
 * there is something, else when something comes or the hold runs out; a short poll does not
 * hold. The next request's cursor is the acknowledgement. */
#include <string.h>

#include "bus/bus.h"
#include "bus/message.h"
#include "http/connection.h"
#include "http/request.h"
#include "http/response.h"
#include "live/control.h"
#include "live/shard.h"
#include "transports/poll_reply.h"
#include "transports/registry.h"
#include "util/buffer.h"

#define WAIT_DEFAULT_S 25
#define N_MAX 64

/* What is kept for a connection. */
struct poll {
	char n[N_MAX]; /* the request's nonce, to be echoed; of HEAD, the cursor that it is told */
	uint8_t n_len;
};

/* ---- encoders ---- */

/* Most answers to one run are the same to the byte, head included. */
enum { WHOLE_KEPT, BODY, RAW, VARIANTS };

static void
append_whole(struct sl_buffer *out, const struct sl_response *response,
	const struct sl_buffer *body)
{
	sl_response_append_head(response, out);
	sl_buffer_append(out, body->bytes, body->len);
	out->failed |= body->failed;
}

static size_t
frame_messages(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	char text[SL_CURSOR_MAX];
	size_t fit = sl_poll_reply_fit(messages, count);
	const struct sl_message *last = messages[fit - 1];
	struct sl_poll_body shared = {
		.cursor = { last->epoch, last->seq },
		.messages = messages,
		.count = fit,
	};
	if (encoder->variant == WHOLE_KEPT) {
		struct sl_response response = { .status = 0 };
		struct sl_buffer body = SL_BUFFER_INIT;
		sl_poll_reply_append_body(&body, &shared);
		sl_poll_reply_fill_response(&response, shared.cursor, text);
		response.length = body.len;
		append_whole(out, &response, &body);
		sl_buffer_finish(&body);
	} else {
		sl_poll_reply_append_body(out, &shared);
	}
	for (size_t i = 0; i < fit; i++)
		ends[i] = (uint32_t)out->len;
	return fit;
}

#define ENCODER(its_variant, name, its_class) \
	[its_variant] = { \
		.transport = name, \
		.class = its_class, \
		.capabilities = SL_ONE_SHOT | SL_CAN_TELL_GAP, \
		.variant = its_variant, \
		.frame_messages = frame_messages, \
	}
#define ENCODERS(name, its_class) { \
	ENCODER(WHOLE_KEPT, name, its_class), \
	ENCODER(BODY, name, its_class), \
	ENCODER(RAW, name, its_class), \
}

static const struct sl_encoder longpoll_encoders[VARIANTS] =
	ENCODERS("longpoll", SL_CLASS_LONGPOLL);
static const struct sl_encoder poll_encoders[VARIANTS] = ENCODERS("poll", SL_CLASS_POLL);

/* ---- answering ---- */

/* Sends a head, with a body where it is this client's own. */
static void
send_answer(struct sl_connection *connection, struct sl_response *response,
	const struct sl_buffer *body)
{
	static const struct sl_buffer none = SL_BUFFER_INIT;
	struct sl_buffer *out = sl_framer_get_scratch(&connection->link.shard->framer);
	sl_connection_fill_response(connection, response);
	append_whole(out, response, body ? body : &none);
	sl_link_send_buffer(&connection->link, out);
}

static struct sl_cursor
cursor_at(const struct sl_connection *connection, uint64_t seq)
{
	return (struct sl_cursor){ connection->subscriber.epoch, seq };
}

/* A run that came while polls were held: framed once for all who get it. */
static void
answer_shared(struct sl_connection *connection, const struct sl_answer *answer)
{
	struct sl_subscriber *subscriber = &connection->subscriber;
	struct sl_wire *wire = sl_run_get_wire(answer->run, &subscriber->shard->framer,
		subscriber->framing);
	if (!wire) {
		sl_link_close(&connection->link);
		return;
	}
	if (subscriber->encoder->variant == BODY) {
		char text[SL_CURSOR_MAX];
		struct sl_response response = { .length = wire->len };
		sl_poll_reply_fill_response(&response,
			cursor_at(connection, answer->messages[wire->count - 1]->seq), text);
		send_answer(connection, &response, NULL);
	}
	if (sl_link_push(&connection->link, wire, 0))
		sl_subscriber_count_messages(subscriber, wire->count,
			sl_run_sum_payload(answer->messages, wire->count));
}

/* From history, with gaps, or nothing at all: this client's own. */
static void
answer_alone(struct sl_connection *connection, const struct sl_answer *answer)
{
	const struct poll *poll = sl_connection_get_extra(connection);
	char text[SL_CURSOR_MAX];
	struct sl_response response = { .status = 0 };
	struct sl_buffer bytes = SL_BUFFER_INIT;
	size_t count = sl_poll_reply_fit(answer->messages, answer->count);
	struct sl_poll_body body = {
		.cursor = cursor_at(connection, count ? answer->messages[count - 1]->seq :
			answer->through),
		.messages = answer->messages,
		.count = count,
		.gaps = answer->gaps,
		.gap_count = answer->gap_count,
		.config = connection->link.shard->config,
		.n = { poll->n, poll->n_len },
	};
	sl_poll_reply_append_body(&bytes, &body);
	sl_poll_reply_fill_response(&response, body.cursor, text);
	response.length = bytes.len;
	send_answer(connection, &response, &bytes);
	sl_subscriber_count_messages(&connection->subscriber, count,
		sl_run_sum_payload(answer->messages, count));
	sl_buffer_finish(&bytes);
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
	char text[SL_CURSOR_MAX];
	struct sl_response response = { .status = 0 };
	struct sl_buffer gap = SL_BUFFER_INIT;
	sl_poll_reply_fill_response(&response,
		cursor_at(connection, message ? message->seq : answer->through), text);
	response.status = message ? 200 : 204;
	response.content_type = message ? content_types[message->type] : NULL;
	response.length = message ? message->payload_len : 0;
	if (answer->gap_count) {
		sl_control_append_gap_header(&gap, &answer->gaps[0]);
		sl_response_add(&response, "Sluice-Gap", (struct sl_span){ gap.bytes, gap.len });
	}
	if (sl_buffer_status(&gap) == 0)
		send_answer(connection, &response, NULL);
	else
		sl_link_close(&connection->link);
	if (message) {
		sl_link_send(&connection->link, message->payload, message->payload_len);
		sl_subscriber_count_messages(&connection->subscriber, 1, message->payload_len);
	}
	sl_buffer_finish(&gap);
}

static void
answer(struct sl_subscriber *subscriber, const struct sl_answer *what)
{
	struct sl_connection *connection = sl_connection_of_subscriber(subscriber);
	if (what->is_last)
		connection->keep_alive = false;
	sl_metrics_add(&subscriber->shard->metrics, SL_COUNTER_GAPS_TOLD, what->gap_count);
	if (subscriber->encoder->variant == RAW)
		answer_raw(connection, what);
	else if (what->run)
		answer_shared(connection, what);
	else
		answer_alone(connection, what);
	sl_connection_conclude(connection);
}

static const struct sl_subscriber_ops subscriber_ops = { .answer = answer };

static void
answer_nothing(struct sl_connection *connection)
{
	struct sl_answer nothing = {
		.through = sl_subscriber_get_cursor(&connection->subscriber).seq,
	};
	answer(&connection->subscriber, &nothing);
}

/* ---- a request ---- */

static int
serve(struct sl_connection *connection, const struct sl_request *request,
	const struct sl_encoder encoders[VARIANTS])
{
	struct sl_subscriber *subscriber = &connection->subscriber;
	const struct sl_params *params = &request->params;
	struct poll *poll = sl_connection_get_extra(connection);
	struct sl_gap gaps[SL_CHANNELS_MAX];
	size_t gap_count;
	unsigned variant = params->format == SL_FORMAT_RAW ? RAW :
		sl_connection_shares_answers(connection) ? WHOLE_KEPT : BODY;
	poll->n_len = (uint8_t)(params->n.len < N_MAX ? params->n.len : N_MAX);
	if (params->n.len)
		memcpy(poll->n, params->n.bytes, poll->n_len);
	int err = sl_subscriber_init(subscriber, &connection->link, &encoders[variant],
		&subscriber_ops);
	if (err != 0)
		return err;
	if (params->join.since_kind == SL_SINCE_NOW) {
		sl_join_nothing(subscriber);
		answer_nothing(connection);
		return 0;
	}
	err = sl_join_channels(subscriber, &params->join, gaps, &gap_count);
	if (err != 0 || !sl_subscriber_begin_one_shot(subscriber, gaps, gap_count))
		return err;
	unsigned wait_s = params->wait_s < 0 ? WAIT_DEFAULT_S : (unsigned)params->wait_s;
	if (wait_s == 0)
		answer_nothing(connection);
	else
		sl_link_set_timer(&connection->link, subscriber->shard->loop.now_ms + wait_s * 1000u);
	return 0;
}

static int
open_longpoll(struct sl_connection *connection, const struct sl_request *request)
{
	return serve(connection, request, longpoll_encoders);
}

static int
open_poll(struct sl_connection *connection, const struct sl_request *request)
{
	return serve(connection, request, poll_encoders);
}

static void
describe(struct sl_connection *connection, const struct sl_request *request,
	struct sl_response *response)
{
	struct poll *poll = sl_connection_get_extra(connection);
	sl_poll_reply_fill_response(response, sl_bus_head(connection->link.shard->bus), poll->n);
	response->body = SL_RESPONSE_UNTIL_CLOSE;
}

const struct sl_transport sl_transport_longpoll = {
	.name = "longpoll",
	.path = "poll",
	.class = SL_CLASS_LONGPOLL,
	.capabilities = SL_HOLDS | SL_ANSWERS_ONCE,
	.extra_size = sizeof(struct poll),
	.describe = describe,
	.open = open_longpoll,
	.on_timer = answer_nothing,
};

const struct sl_transport sl_transport_poll = {
	.name = "poll",
	.path = "poll",
	.class = SL_CLASS_POLL,
	.capabilities = SL_ANSWERS_ONCE,
	.extra_size = sizeof(struct poll),
	.describe = describe,
	.open = open_poll,
	.on_timer = answer_nothing,
};
