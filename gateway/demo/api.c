#include "demo/api.h"

#include "app.h"
#include "core/socket.h"
#include "demo/blocks.h"
#include "demo/demo.h"
#include "demo/names.h"
#include "demo/obstacle.h"
#include "demo/tap.h"
#include "demo/wanted.h"
#include "http/exchange.h"
#include "shard.h"
#include "util/clock.h"
#include "util/err.h"

#define NAME_FORM "4 to 64 of A-Z a-z 0-9 _ -"

/* ---- its own requests ---- */

int
sl_demo_api_origins(struct sl_exchange *exchange)
{
	const struct sl_demo *demo = exchange->shard->app->demo;
	struct sl_reply *reply = &exchange->reply;
	sl_reply_set_json(reply);
	sl_buffer_printf(&reply->body, "{\"origins\":%s,\"obstacle\":%s,\"time\":%lld}\n",
		demo->origins, sl_obstacle_is_there(demo->obstacle) ? "true" : "false",
		(long long)sl_clock_wall_us());
	return 0;
}

int
sl_demo_api_obstacle(struct sl_exchange *exchange)
{
	const struct sl_obstacle *obstacle = exchange->shard->app->demo->obstacle;
	struct sl_reply *reply = &exchange->reply;
	if (!sl_obstacle_is_there(obstacle)) {
		sl_reply_set_error(reply, 404, "not_found", "this demo has no obstacle");
		return 0;
	}
	sl_reply_set_json(reply);
	sl_obstacle_append_json(obstacle, &reply->body);
	sl_buffer_append_char(&reply->body, '\n');
	return 0;
}

int
sl_demo_api_trace(struct sl_exchange *exchange)
{
	const struct sl_params *params = &exchange->request.params;
	struct sl_names *names = exchange->shard->app->demo->names;
	struct sl_reply *reply = &exchange->reply;
	struct sl_buffer *body = &reply->body;
	struct sl_wanted wanted[SL_NAMES_MAX];
	unsigned count;
	if (sl_wanted_parse(wanted, &count, params->of, params->show) != 0) {
		sl_reply_set_error(reply, 400, "bad_of", "of: NAME:AFTER,... with 1 to 64 different "
			"names, each " NAME_FORM);
		return 0;
	}
	sl_reply_set_json(reply);
	sl_buffer_printf(body, "{\"time\":%lld,\"names\":{", (long long)sl_clock_wall_us());
	for (unsigned i = 0; i < count; i++) {
		sl_buffer_append_str(body, i ? ",\"" : "\"");
		sl_buffer_append(body, wanted[i].name.bytes, wanted[i].name.len);
		sl_buffer_append_str(body, "\":");
		sl_names_append(names, body, wanted[i].name, wanted[i].after, wanted[i].shows_bytes,
			exchange->shard->loop.now_ms);
	}
	sl_buffer_append_str(body, "}}\n");
	return 0;
}

int
sl_demo_api_blocked(struct sl_exchange *exchange)
{
	struct sl_shard *shard = exchange->shard;
	struct sl_names *names = shard->app->demo->names;
	struct sl_span text = exchange->request.params.name;
	struct sl_reply *reply = &exchange->reply;
	unsigned classes, dropped = 0;
	if (!sl_name_valid(text)) {
		sl_reply_set_error(reply, 400, "bad_name", "name: " NAME_FORM);
		return 0;
	}
	if (sl_blocks_parse(exchange->request.body, &classes) != 0) {
		sl_reply_set_error(reply, 400, "bad_transports",
			"the body is a JSON array of transports, such as [\"websocket\",\"sse\"]");
		return 0;
	}
	struct sl_name *name = sl_names_get(names, text, shard->loop.now_ms, &dropped);
	sl_metrics_add(&shard->metrics, SL_COUNTER_DEMO_NAMES_DROPPED, dropped);
	if (!name) {
		sl_reply_set_err(reply, SL_ENOMEM);
		return 0;
	}
	/* Told first, so that no request comes between: one judged before this runs already. */
	sl_names_block(names, name, classes);
	sl_names_unref(names, name, shard->loop.now_ms);
	sl_blocks_cut(shard->app, text, classes);
	sl_reply_set_json(reply);
	sl_buffer_append_str(&reply->body, "{\"blocked\":");
	sl_names_append_classes(&reply->body, classes);
	sl_buffer_append_str(&reply->body, "}\n");
	return 0;
}

/* ---- the requests of others ---- */

/* A chunked body's length on the wire is what the kernel saw beyond the head. */
static uint64_t
get_body_len(const struct sl_exchange *exchange, size_t head_len)
{
	const struct sl_socket *socket = exchange->socket;
	struct sl_socket_bytes measured = sl_socket_measure(socket);
	uint64_t before = socket->parsed_in + head_len;
	if (!exchange->is_chunked || !measured.is_known || measured.in < before)
		return exchange->body_bytes;
	return measured.in - before;
}

bool
sl_demo_judge(struct sl_exchange *exchange, enum sl_class class_)
{
	struct sl_shard *shard = exchange->shard;
	struct sl_span name = exchange->request.params.demo;
	if (!name.bytes)
		return true;
	if (!sl_name_valid(name)) {
		sl_reply_set_error(&exchange->reply, 400, "bad_demo", "demo: " NAME_FORM);
		return false;
	}
	size_t head_len = sl_exchange_get_head_len(exchange);
	exchange->is_watched = true;
	sl_tap_begin(shard, exchange->socket, &(struct sl_tapped_request){
		.name = name,
		.class = class_,
		.head_len = head_len,
		.body = exchange->is_chunked ? (struct sl_span){ 0 } : exchange->request.body,
		.body_len = get_body_len(exchange, head_len),
	});
	if (!sl_names_is_blocked(shard->app->demo->names, name, class_))
		return true;
	sl_metrics_add(&shard->metrics, SL_COUNTER_DEMO_REFUSED, 1);
	exchange->request.cors = (struct sl_cors){ 0 }; /* a proxy knows nothing of CORS */
	sl_blocks_set_reply(&exchange->reply);
	return false;
}

bool
sl_demo_judge_unread(struct sl_shard *shard, struct sl_socket *socket,
	const struct sl_request *request, enum sl_class class_, size_t head_len)
{
	struct sl_span name = request->params.demo;
	sl_tap_rest(socket);
	if (!name.bytes)
		return true;
	if (!sl_name_valid(name) || sl_names_is_blocked(shard->app->demo->names, name, class_))
		return false;
	sl_tap_begin(shard, socket, &(struct sl_tapped_request){
		.name = name,
		.class = class_,
		.head_len = head_len,
		.body = request->body,
		.body_len = request->body.len,
		.is_unread = true,
	});
	return true;
}
