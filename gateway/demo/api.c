#include "demo/api.h"

#include "demo/blocks.h"
#include "demo/cluster.h"
#include "demo/demo.h"
#include "demo/names.h"
#include "demo/obstacle.h"
#include "demo/wanted.h"
#include "http/exchange.h"
#include "live/refusal.h"
#include "live/shard.h"
#include "util/clock.h"
#include "util/err.h"

static void
refuse_value(struct sl_reply *reply, const char *code, const char *where, struct sl_span value, const char *right)
{
	struct sl_refusal refusal;
	sl_refusal_set_value(&refusal, code, where, value, right);
	sl_reply_set_error(reply, 400, refusal.code, refusal.message);
}

static void
answer_origins(struct sl_exchange *exchange)
{
	const struct sl_demo *demo = sl_demo_of(exchange->shard);
	struct sl_reply *reply = &exchange->reply;
	sl_reply_set_json(reply);
	sl_buffer_printf(&reply->body, "{\"origins\":%s,\"obstacle\":%s,\"cluster\":%s,\"time\":%lld}\n",
		demo->origins, sl_obstacle_is_there(demo->obstacle) ? "true" : "false", demo->cluster ? "true" : "false",
		(long long)sl_clock_wall_us());
}

static void
answer_obstacle(struct sl_exchange *exchange)
{
	const struct sl_obstacle *obstacle = sl_demo_of(exchange->shard)->obstacle;
	struct sl_reply *reply = &exchange->reply;
	if (!sl_obstacle_is_there(obstacle)) {
		sl_reply_set_error(reply, 404, "not_found", "this demo has no obstacle; start it with --obstacle PROGRAM");
		return;
	}
	sl_reply_set_json(reply);
	sl_obstacle_append_json(obstacle, &reply->body);
	sl_buffer_append_char(&reply->body, '\n');
}

static void
answer_trace(struct sl_exchange *exchange)
{
	const struct sl_params *params = &exchange->params;
	struct sl_names *names = sl_demo_of(exchange->shard)->names;
	struct sl_reply *reply = &exchange->reply;
	struct sl_buffer *body = &reply->body;
	struct sl_wanted wanted[SL_NAMES_MAX];
	unsigned count;
	if (sl_wanted_parse(wanted, &count, params->of, params->show) != 0) {
		refuse_value(reply, "bad_of", "of", params->of, "NAME:AFTER,... with 1 to 64 different names, each " SL_NAME_FORM);
		return;
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
}

static void
answer_blocked(struct sl_exchange *exchange)
{
	struct sl_shard *shard = exchange->shard;
	struct sl_names *names = sl_demo_of(shard)->names;
	struct sl_span text = exchange->params.name;
	struct sl_reply *reply = &exchange->reply;
	struct sl_span body = { exchange->body.bytes, exchange->body.len };
	unsigned classes, dropped = 0;
	if (!sl_name_valid(text)) {
		refuse_value(reply, "bad_name", "name", text, SL_NAME_FORM);
		return;
	}
	if (sl_blocks_parse(body, &classes) != 0) {
		sl_reply_set_error(reply, 400, "bad_transports",
			"the body is not valid; use a JSON array of transports, such as [\"websocket\",\"sse\"]");
		return;
	}
	struct sl_name *name = sl_names_get(names, text, shard->loop.now_ms, &dropped);
	sl_metrics_add(&shard->metrics, SL_COUNTER_DEMO_NAMES_DROPPED, dropped);
	if (!name) {
		sl_reply_set_err(reply, SL_ENOMEM);
		return;
	}
	/* Told first, so that no request comes between: one judged before this runs already. */
	sl_names_block(names, name, classes);
	sl_names_unref(names, name, shard->loop.now_ms);
	sl_blocks_cut(exchange->http, text, classes);
	sl_reply_set_json(reply);
	sl_buffer_append_str(&reply->body, "{\"blocked\":");
	sl_names_append_classes(&reply->body, classes);
	sl_buffer_append_str(&reply->body, "}\n");
}

static void
answer_cluster(struct sl_exchange *exchange)
{
	const struct sl_cluster *cluster = sl_demo_of(exchange->shard)->cluster;
	struct sl_reply *reply = &exchange->reply;
	if (!cluster) {
		sl_reply_set_error(reply, 404, "not_found", "this demo has one gateway only; use scripts/demo --cluster for more");
		return;
	}
	sl_reply_set_json(reply);
	sl_cluster_append_json(cluster, &reply->body);
	sl_buffer_append_char(&reply->body, '\n');
}

static void
want(struct sl_exchange *exchange, bool runs)
{
	struct sl_cluster *cluster = sl_demo_of(exchange->shard)->cluster;
	int err = cluster ? sl_cluster_want(cluster, exchange->params.name, runs) : SL_ENOENT;
	if (err == 0)
		answer_cluster(exchange);
	else if (err == SL_EFULL)
		sl_reply_set_error(&exchange->reply, 409, "last_gateway",
			"this is the last gateway, which no other could start again; start another one first");
	else
		sl_reply_set_error(&exchange->reply, 404, "not_found", "name: there is no process of this name; use one that /demo/api/cluster lists");
}

static void
answer_kill(struct sl_exchange *exchange)
{
	want(exchange, false);
}

static void
answer_start(struct sl_exchange *exchange)
{
	want(exchange, true);
}

#define READ "GET, HEAD, OPTIONS"

const struct sl_route sl_demo_routes[] = {
	{ .path = "demo/api/origins", .methods = READ, .needs = SL_NEEDS_NOTHING, .handle = answer_origins },
	{ .path = "demo/api/obstacle", .methods = READ, .needs = SL_NEEDS_NOTHING, .handle = answer_obstacle },
	{ .path = "demo/api/trace", .methods = READ, .needs = SL_NEEDS_NOTHING, .handle = answer_trace },
	{ .path = "demo/api/blocked", .methods = "POST, OPTIONS", .needs = SL_NEEDS_NOTHING,
		.takes_body = true, .handle = answer_blocked },
	{ .path = "demo/api/cluster", .methods = READ, .needs = SL_NEEDS_NOTHING, .handle = answer_cluster },
	{ .path = "demo/api/kill", .methods = "POST, OPTIONS", .needs = SL_NEEDS_NOTHING, .handle = answer_kill },
	{ .path = "demo/api/start", .methods = "POST, OPTIONS", .needs = SL_NEEDS_NOTHING, .handle = answer_start },
	{ .path = NULL },
};
