/* Metrics text: the gateway's numbers as Prometheus text, OpenMetrics and the JSON of /stats.
 * Owner: the caller's buffer and report. Thread: any. Errors: the buffer's.
 * Sources: Prometheus text format 0.0.4; OpenMetrics 1.0.0. */
#ifndef SL_HTTP_METRICS_TEXT_H
#define SL_HTTP_METRICS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"
#include "core/tls_context.h"
#include "util/buffer.h"
#include "util/metrics.h"

#define SL_METRICS_TYPE_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define SL_METRICS_TYPE_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum sl_metrics_format { SL_METRICS_PROMETHEUS, SL_METRICS_OPENMETRICS };

/* Everything that is shown, as of one moment. */
struct sl_metrics_report {
	struct sl_metrics_sum sum;
	struct sl_bus_stats bus;
	struct sl_cursor head;
	uint64_t uptime_ms;
	unsigned shards;
	const char *version; /* borrows */
	const struct sl_tls_certificate *certificates; /* borrows */
	size_t certificate_count;
	bool tls_reload_failed;
	uint64_t token_keys, revocations;
	uint64_t owners; /* known now */
	bool token_reload_failed;
	int64_t now_s; /* since the epoch */
};

/* OpenMetrics when the Accept header (RFC 9110, section 12.5.1; NULL for none) asks for it. */
enum sl_metrics_format sl_metrics_text_negotiate(const char *accept);

void sl_metrics_text_append(struct sl_buffer *out, const struct sl_metrics_report *report,
	enum sl_metrics_format format);

/* One JSON object:
 * {"version","uptime_s","shards","owners",...,"cursor","transports":{NAME:{"connections",...}},
 *  "bus":{...},"backend":{...},"tls":{"reload_failed","certificates":[{"name","key","expires_in_s"}]},
 *  "tokens":{"principals","ending","keys","reload_failed","revocations"},"limits":{...}} */
void sl_metrics_text_append_json(struct sl_buffer *out, const struct sl_metrics_report *report);

#endif
