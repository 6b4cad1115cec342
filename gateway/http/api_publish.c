#include "http/api_publish.h"

#include <stddef.h>

#include "bus/message.h"
#include "config/config.h"
#include "core/owners.h"
#include "http/content.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/control.h"
#include "live/publication.h"
#include "live/shard.h"
#include "util/err.h"

#define NDJSON "application/x-ndjson"
#define TYPES "application/json, text/plain, application/octet-stream or " NDJSON

#define from_member(pointer, member) \
	((struct sl_posting *)((char *)(pointer) - offsetof(struct sl_posting, member)))

uint64_t
sl_api_publish_max_body(const struct sl_config *config, struct sl_span content_type)
{
	struct sl_content content;
	bool is_batch = sl_content_read_type(content_type, &content) == 0 && content.is_batch;
	return is_batch ? config->max_batch_bytes : config->max_message_bytes;
}

/* ---- answers ---- */

static int
refuse(struct sl_shard *shard, struct sl_reply *reply, unsigned status,
	const struct sl_refusal *refusal)
{
	sl_metrics_add(&shard->metrics, SL_COUNTER_PUBLISH_ERRORS, 1);
	sl_reply_set_error(reply, status, refusal->code, refusal->message);
	if (refusal->retry_ms)
		sl_reply_set_retry_after(reply, sl_refusal_get_retry_s(refusal));
	return 0;
}

static int
refuse_err(struct sl_shard *shard, struct sl_reply *reply, int err)
{
	struct sl_refusal refusal;
	sl_refusal_set_err(&refusal, err);
	return refuse(shard, reply, sl_err_http_status(err), &refusal);
}

static void
set_id(struct sl_reply *reply, struct sl_cursor id)
{
	sl_reply_set_json(reply);
	sl_buffer_append_str(&reply->body, "{\"id\":\"");
	sl_control_append_cursor(&reply->body, id);
	sl_buffer_append_str(&reply->body, "\"}\n");
}

static void
set_answers(struct sl_shard *shard, struct sl_reply *reply, const struct sl_batch *batch)
{
	sl_reply_set_json(reply);
	reply->head.content_type = NDJSON;
	sl_metrics_add(&shard->metrics, SL_COUNTER_PUBLISH_ERRORS,
		sl_batch_append_answers(batch, &reply->body));
}

void
sl_api_publish_end(struct sl_posting *posting, struct sl_reply *reply)
{
	if (reply && posting->batch)
		set_answers(posting->shard, reply, posting->batch);
	else if (reply && posting->publishing.publish.err != 0)
		refuse_err(posting->shard, reply, posting->publishing.publish.err);
	else if (reply)
		set_id(reply, posting->publishing.publish.id);
	sl_batch_destroy(posting->batch);
}

/* ---- one message, or a batch of them ---- */

static void
on_message_published(struct sl_publishing *publishing)
{
	struct sl_posting *posting = from_member(publishing, publishing);
	posting->on_done(posting);
}

static void
on_batch_published(struct sl_batch_waiter *waiter)
{
	struct sl_posting *posting = from_member(waiter, waiter);
	posting->on_done(posting);
}

/* Errors: any, with `*refusal` filled. */
static int
create_message(struct sl_publication *publication, const struct sl_request *request,
	enum sl_payload_type type, unsigned depth_max, struct sl_refusal *refusal)
{
	const struct sl_params *params = &request->params;
	struct sl_payload payload = { type, request->body.bytes ? request->body.bytes : "",
		request->body.len, depth_max, params->uncompressed };
	int err = sl_publication_set_event(&payload, params->event, params->args, refusal);
	if (err != 0)
		return err;
	err = sl_message_create_from(&publication->message, params->channel, &payload);
	if (err != 0)
		sl_publication_refuse_payload(refusal, err);
	return err;
}

static int
begin_message(struct sl_posting *posting, const struct sl_request *request,
	enum sl_payload_type type, struct sl_reply *reply)
{
	struct sl_shard *shard = posting->shard;
	struct sl_span channel = request->params.channel;
	struct sl_span key = sl_request_get(request, SL_FIELD_IDEMPOTENCY_KEY);
	struct sl_publication publication = { .class = SL_CLASS_HTTP,
		.publisher = request->principal, .owner = request->owner, .key = key };
	if (!channel.bytes)
		return refuse(shard, reply, 400, &(struct sl_refusal){ "no_channel",
			"the query names no channel; use ?channel=NAME" });
	struct sl_refusal refusal;
	if (key.bytes && !sl_publication_key_valid(key)) {
		sl_refusal_set_value(&refusal, "bad_key", "Idempotency-Key", key, SL_KEY_FORM);
		return refuse(shard, reply, 400, &refusal);
	}
	int err = create_message(&publication, request, type,
		(unsigned)shard->config->max_json_depth, &refusal);
	if (err != 0)
		return refuse(shard, reply, sl_err_http_status(err), &refusal);
	posting->publishing.on_done = on_message_published;
	struct sl_cursor id = { 0 };
	err = sl_publication_publish(shard, &publication, &posting->publishing, &id, &refusal);
	if (err == SL_PENDING)
		return SL_PENDING;
	if (err != 0)
		return refuse(shard, reply, sl_err_http_status(err), &refusal);
	set_id(reply, id);
	return 0;
}

static int
begin_batch(struct sl_posting *posting, const struct sl_request *request, struct sl_reply *reply)
{
	struct sl_shard *shard = posting->shard;
	if (sl_request_get(request, SL_FIELD_IDEMPOTENCY_KEY).bytes)
		return refuse(shard, reply, 400, &(struct sl_refusal){ "bad_key",
			"a batch takes no Idempotency-Key; use the member key in each line" });
	posting->waiter.on_done = on_batch_published;
	const struct sl_params *params = &request->params;
	const struct sl_batch_order order = { request->body,
		{ params->channel, params->event, params->args }, request->principal, request->owner,
		params->uncompressed };
	struct sl_refusal refusal;
	int err = sl_batch_publish(&posting->batch, shard, &order, &posting->waiter, &refusal);
	if (err == SL_PENDING)
		return SL_PENDING;
	if (err == SL_ELIMITED)
		return refuse(shard, reply, sl_err_http_status(err), &refusal);
	if (err == SL_ETOOBIG)
		return refuse(shard, reply, 413, &(struct sl_refusal){ "too_many_messages",
			"the batch has more than 100 lines, and nothing was published; use at most 100" });
	if (err == SL_ENOENT)
		return refuse(shard, reply, 400, &(struct sl_refusal){ "no_data",
			"the batch has no lines; use one JSON object per message" });
	if (err != 0)
		return refuse_err(shard, reply, err);
	sl_api_publish_end(posting, reply);
	return 0;
}

static int
begin(struct sl_posting *posting, const struct sl_request *request, struct sl_reply *reply)
{
	struct sl_shard *shard = posting->shard;
	struct sl_content content;
	struct sl_span type = sl_request_get(request, SL_FIELD_CONTENT_TYPE);
	int err = sl_content_read_type(type, &content);
	if (err == SL_EUTF8)
		return refuse(shard, reply, 415, &(struct sl_refusal){ "bad_content_type",
			"the charset of Content-Type is not utf-8; use utf-8 for text and JSON" });
	if (err != 0)
		return refuse(shard, reply, 415, type.bytes ?
			&(struct sl_refusal){ "bad_content_type", "Content-Type is unknown; use " TYPES } :
			&(struct sl_refusal){ "bad_content_type", "Content-Type is missing; use " TYPES });
	if (content.is_batch)
		return begin_batch(posting, request, reply);
	return begin_message(posting, request, content.type, reply);
}

/* The gate takes no request for what will be published; what is refused here is one after all. */
int
sl_api_publish_begin(struct sl_posting *posting, struct sl_shard *shard,
	const struct sl_request *request, struct sl_reply *reply)
{
	posting->shard = shard;
	int result = begin(posting, request, reply);
	if (result == 0 && reply->head.status >= 400)
		sl_owner_take(request->owner, SL_LIMIT_REQUESTS, 1, shard->loop.now_ms);
	return result;
}
