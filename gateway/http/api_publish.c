#include "http/api_publish.h"

#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/message.h"
#include "config.h"
#include "http/content.h"
#include "http/exchange.h"
#include "shard.h"
#include "util/err.h"

struct sl_pending_request {
	struct sl_publish publish; /* first: on_done gets it */
	struct sl_exchange *exchange; /* NULL once the client has left */
};

void
sl_api_publish_set_reply(struct sl_shard *shard, struct sl_reply *reply, int err,
	struct sl_cursor id)
{
	if (err != 0) {
		sl_metrics_add(&shard->metrics, SL_COUNTER_PUBLISH_ERRORS, 1);
		sl_reply_set_err(reply, err);
		return;
	}
	char text[SL_CURSOR_MAX];
	sl_cursor_format(id, text);
	sl_reply_set_json(reply);
	sl_buffer_append_str(&reply->body, "{\"id\":\"");
	sl_buffer_append_str(&reply->body, text);
	sl_buffer_append_str(&reply->body, "\"}\n");
}

static void
on_published(struct sl_publish *publish)
{
	struct sl_pending_request *pending = (struct sl_pending_request *)publish;
	struct sl_exchange *exchange = pending->exchange;
	if (exchange) {
		exchange->pending = NULL;
		sl_api_publish_set_reply(exchange->shard, &exchange->reply, publish->err, publish->id);
		sl_exchange_resume(exchange);
	}
	free(pending);
}

void
sl_api_publish_forget(struct sl_exchange *exchange)
{
	if (exchange->pending)
		exchange->pending->exchange = NULL;
	exchange->pending = NULL;
}

static void
refuse_type(struct sl_reply *reply, int err)
{
	sl_reply_set_error(reply, 415, "bad_content_type", err == SL_EUTF8 ?
		"the charset of text and JSON must be utf-8" :
		"Content-Type must be application/json, text/plain or application/octet-stream");
}

/* Takes `message`. */
static int
publish(struct sl_shard *shard, struct sl_message *message, const char *key,
	struct sl_publish *pending, struct sl_reply *reply)
{
	struct sl_cursor id = { 0 };
	sl_metrics_add(&shard->metrics, SL_COUNTER_PUBLISHES, 1);
	sl_metrics_add_class(&shard->metrics, SL_CLASS_HTTP, SL_CLASS_MESSAGES_IN, 1);
	sl_metrics_add_class(&shard->metrics, SL_CLASS_HTTP, SL_CLASS_PAYLOAD_BYTES_IN,
		message->payload_len);
	int result = sl_bus_publish(shard->bus, shard->index, message, key, key ? strlen(key) : 0,
		pending, &id);
	if (result == SL_PENDING)
		return SL_PENDING;
	sl_api_publish_set_reply(shard, reply, result, id);
	return 0;
}

int
sl_api_publish_begin(struct sl_shard *shard, const struct sl_request *request,
	struct sl_publish *pending, struct sl_reply *reply)
{
	struct sl_span channel = request->params.channel;
	const char *key = request->get_header(request, "Idempotency-Key");
	enum sl_payload_type type;
	struct sl_message *message;
	if (!channel.bytes) {
		sl_reply_set_error(reply, 400, "no_channel", "channel= is missing in the query");
		return 0;
	}
	int err = sl_content_read_type(request->get_header(request, "Content-Type"), &type);
	if (err != 0) {
		refuse_type(reply, err);
		return 0;
	}
	if (key && !sl_bus_key_valid(key, strlen(key))) {
		sl_reply_set_error(reply, 400, "bad_key",
			"Idempotency-Key must be 8 to 64 visible ASCII characters");
		return 0;
	}
	err = sl_message_create_from(&message, channel, &(struct sl_payload){ type,
		request->body.bytes ? request->body.bytes : "", request->body.len,
		(unsigned)shard->config->max_json_depth });
	if (err != 0) {
		sl_api_publish_set_reply(shard, reply, err, (struct sl_cursor){ 0 });
		return 0;
	}
	return publish(shard, message, key, pending, reply);
}

int
sl_api_publish(struct sl_exchange *exchange)
{
	struct sl_pending_request *pending = calloc(1, sizeof *pending);
	if (!pending) {
		sl_reply_set_err(&exchange->reply, SL_ENOMEM);
		return 0;
	}
	pending->publish.on_done = on_published;
	pending->exchange = exchange;
	int result = sl_api_publish_begin(exchange->shard, &exchange->request, &pending->publish,
		&exchange->reply);
	if (result == SL_PENDING)
		exchange->pending = pending;
	else
		free(pending);
	return result;
}
