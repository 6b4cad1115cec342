#include "demo/watch.h"

#include "demo/blocks.h"
#include "demo/demo.h"
#include "demo/names.h"
#include "demo/tap.h"
#include "http/connection.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/refusal.h"
#include "live/shard.h"

static void
on_head(struct sl_connection *connection, const char *bytes, size_t len)
{
	struct sl_link *link = &connection->link;
	sl_tap_rest(link->shard, &link->socket, bytes, len);
}

static void
on_request(struct sl_connection *connection, const struct sl_request *request,
	enum sl_class class, uint64_t body_len, int64_t began_us)
{
	struct sl_link *link = &connection->link;
	const struct sl_head *head = request->head;
	if (!sl_name_valid(request->params.demo)) {
		sl_tap_pass(&link->socket);
		return;
	}
	sl_tap_begin(link->shard, &link->socket, &(struct sl_tapped_request){
		.name = request->params.demo,
		.class = class,
		.head_len = head->bytes.len,
		.body = head->is_chunked ? (struct sl_span){ 0 } : request->body,
		.body_len = body_len,
		.began_us = began_us,
	});
}

static bool
may_serve(struct sl_connection *connection, const struct sl_request *request,
	enum sl_class class, struct sl_reply *reply)
{
	struct sl_shard *shard = connection->link.shard;
	struct sl_span name = request->params.demo;
	if (!name.bytes)
		return true;
	if (!sl_name_valid(name)) {
		struct sl_refusal refusal;
		sl_refusal_set_value(&refusal, "bad_demo", "demo", name, SL_NAME_FORM);
		sl_reply_set_error(reply, 400, refusal.code, refusal.message);
		return false;
	}
	if (!sl_names_is_blocked(sl_demo_of(shard)->names, name, class))
		return true;
	sl_metrics_add(&shard->metrics, SL_COUNTER_DEMO_REFUSED, 1);
	sl_blocks_set_reply(reply);
	return false;
}

const struct sl_observer sl_watch_observer = {
	.on_head = on_head,
	.on_request = on_request,
	.may_serve = may_serve,
};
