#include "http/api_info.h"

#include "auth/auth.h"
#include "auth/revocations.h"
#include "bus/bus.h"
#include "config/config.h"
#include "core/owners.h"
#include "http/batch.h"
#include "http/exchange.h"
#include "http/front.h"
#include "http/http.h"
#include "http/metrics_text.h"
#include "http/request.h"
#include "http/settings.h"
#include "http/transport.h"
#include "live/shard.h"
#include "util/clock.h"

void
sl_api_transports(struct sl_exchange *exchange)
{
	const struct sl_config *config = exchange->shard->config;
	const struct sl_transport *const *transports = exchange->http->transports;
	struct sl_buffer *body = &exchange->reply.body;
	char cursor[SL_CURSOR_MAX];
	sl_cursor_format(sl_bus_head(exchange->shard->bus), cursor);
	sl_reply_set_json(&exchange->reply);
	sl_buffer_append_str(body, "{\"version\":\"" SLUICE_VERSION "\",\"transports\":[");
	for (size_t i = 0; transports[i]; i++)
		sl_buffer_printf(body, "%s\"%s\"", i ? "," : "", transports[i]->name);
	sl_buffer_printf(body, "],%s\"cursor\":\"%s\",\"heartbeat\":%u,\"limits\":{"
		"\"message_bytes\":%llu,\"batch_messages\":%u,\"batch_bytes\":%llu,"
		"\"json_depth\":%llu,\"channels\":%llu,\"wait_s\":55,\"heartbeat_min_s\":4,"
		"\"heartbeat_max_s\":60,\"history_messages\":%llu,\"history_age_s\":%llu}}\n",
		exchange->http->observer ? "\"demo\":true," : "", cursor,
		(unsigned)config->heartbeat_s, (unsigned long long)config->max_message_bytes,
		SL_BATCH_LINES_MAX, (unsigned long long)config->max_batch_bytes,
		(unsigned long long)config->max_json_depth,
		(unsigned long long)config->max_channels,
		(unsigned long long)config->history_messages,
		(unsigned long long)(config->history_age_ms / 1000));
}

static void
collect(const struct sl_exchange *exchange, struct sl_metrics_report *report)
{
	const struct sl_http *http = exchange->http;
	const struct sl_settings *settings = exchange->front->settings;
	struct sl_bus *bus = exchange->shard->bus;
	*report = (struct sl_metrics_report){
		.head = sl_bus_head(bus),
		.uptime_ms = exchange->shard->loop.now_ms - http->started_ms,
		.shards = http->shard_count,
		.version = SLUICE_VERSION,
		.tls_reload_failed = settings->is_tls_stale,
		.token_keys = settings->auth ? sl_auth_count_keys(settings->auth) : 0,
		.token_reload_failed = settings->is_auth_stale,
		.revocations = http->revocations ? sl_revocations_count(http->revocations) : 0,
		.owners = http->owners ? sl_owners_count(http->owners) : 0,
		.now_s = sl_clock_wall_us() / 1000000,
	};
	for (unsigned i = 0; i < http->shard_count; i++) {
		sl_metrics_sum_add(&report->sum, &http->shards[i]->metrics);
		sl_metrics_forget_turns(&http->shards[i]->metrics);
	}
	sl_metrics_sum_add(&report->sum, http->metrics);
	sl_bus_get_stats(bus, &report->bus);
	if (settings->tls)
		report->certificates =
			sl_tls_context_certificates(settings->tls, &report->certificate_count);
}

void
sl_api_stats(struct sl_exchange *exchange)
{
	struct sl_metrics_report report;
	collect(exchange, &report);
	sl_reply_set_json(&exchange->reply);
	sl_metrics_text_append_json(&exchange->reply.body, &report);
}

void
sl_api_metrics_prepare(struct sl_exchange *exchange, const struct sl_request *request)
{
	struct sl_span rest = request->head->lines, value;
	while (sl_head_next_of(&rest, "Accept", &value)) {
		sl_buffer_append(&exchange->body, value.bytes, value.len);
		sl_buffer_append_char(&exchange->body, ',');
	}
	sl_buffer_append_char(&exchange->body, '\0');
}

void
sl_api_metrics(struct sl_exchange *exchange)
{
	struct sl_metrics_report report;
	enum sl_metrics_format format =
		sl_metrics_text_negotiate(exchange->body.bytes);
	collect(exchange, &report);
	exchange->reply.head.status = 200;
	exchange->reply.head.content_type = format == SL_METRICS_OPENMETRICS ?
		SL_METRICS_TYPE_OPENMETRICS : SL_METRICS_TYPE_PROMETHEUS;
	sl_metrics_text_append(&exchange->reply.body, &report, format);
}

void
sl_api_healthz(struct sl_exchange *exchange)
{
	sl_reply_set_json(&exchange->reply);
	sl_buffer_append_str(&exchange->reply.body, "{\"status\":\"ok\"}\n");
}

void
sl_api_readyz(struct sl_exchange *exchange)
{
	struct sl_reply *reply = &exchange->reply;
	bool draining = exchange->shard->draining;
	if (!draining && sl_bus_ready(exchange->shard->bus)) {
		sl_reply_set_json(reply);
		sl_buffer_append_str(&reply->body, "{\"status\":\"ready\"}\n");
	} else {
		sl_reply_set_error(reply, 503, draining ? "draining" : "backend",
			draining ? "the gateway is shutting down" : "the backend is not ready");
	}
}
