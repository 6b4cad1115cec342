#include "http/metrics_rows.h"

#include <stddef.h>
#include <string.h>

#include "bus/bus.h"

#define BUS(member, metric, label, kind, text) \
	{ offsetof(struct sl_bus_stats, member), \
	  { .key = #member, .name = metric, .labels = label, .help = text, .type = kind } }
#define EVICTED_HELP "Messages that history evicted, by limit"

const struct sl_bus_row sl_bus_rows[] = {
	BUS(published, "bus_published", NULL, SL_METRIC_COUNTER, "Messages that the bus took"),
	BUS(duplicates, "bus_duplicates", NULL, SL_METRIC_COUNTER,
		"Publishes that the gateway answered with the id of an earlier message"),
	BUS(failed, "bus_failed", NULL, SL_METRIC_COUNTER, "Publishes that the bus could not take"),
	BUS(pending_now, "bus_pending", NULL, SL_METRIC_GAUGE, "Publishes that wait for the backend"),
	BUS(channels_now, "bus_channels", NULL, SL_METRIC_GAUGE, "Channels that the bus remembers"),
	BUS(history_messages_now, "bus_history_messages", NULL, SL_METRIC_GAUGE, "Messages in history"),
	BUS(history_bytes_now, "bus_history_bytes", NULL, SL_METRIC_GAUGE, "Bytes in history"),
	BUS(leased_messages_now, "bus_leased_messages", NULL, SL_METRIC_GAUGE,
		"Messages in the history of channels of the check page"),
	BUS(leased_bytes_now, "bus_leased_bytes", NULL, SL_METRIC_GAUGE,
		"Bytes in the history of channels of the check page"),
	BUS(evicted_count, "bus_evicted", "limit=\"count\"", SL_METRIC_COUNTER, EVICTED_HELP),
	BUS(evicted_bytes, "bus_evicted", "limit=\"bytes\"", SL_METRIC_COUNTER, EVICTED_HELP),
	BUS(evicted_age, "bus_evicted", "limit=\"age\"", SL_METRIC_COUNTER, EVICTED_HELP),
	BUS(evicted_total, "bus_evicted", "limit=\"total\"", SL_METRIC_COUNTER, EVICTED_HELP),
	BUS(evicted_log, "bus_evicted", "limit=\"log\"", SL_METRIC_COUNTER, EVICTED_HELP),
	BUS(channels_forgotten, "bus_channels_forgotten", NULL, SL_METRIC_COUNTER,
		"Channels that the bus forgot to make room"),
	BUS(mailbox_overruns, "bus_mailbox_overruns", NULL, SL_METRIC_COUNTER,
		"Times that the mailbox of a shard was full"),
	BUS(dedupe_now, "bus_idempotency_keys", NULL, SL_METRIC_GAUGE, "Idempotency keys that the bus remembers"),
	BUS(dedupe_refused, "bus_idempotency_keys_refused", NULL, SL_METRIC_COUNTER,
		"Publishes that the gateway refused because it could remember no more keys"),
	BUS(dedupe_evicted, "idempotency_keys_evicted", NULL, SL_METRIC_COUNTER,
		"Idempotency keys that the bus evicted early to make room"),
	BUS(channels_evicted, "channels_evicted", NULL, SL_METRIC_COUNTER,
		"Channels that the bus evicted early to make room"),
	{ .row.name = NULL },
};

#define BACKEND(member, metric, kind, text) \
	{ offsetof(struct sl_bus_stats, backend.member), \
	  { .key = #member, .name = metric, .help = text, .type = kind } }

const struct sl_bus_row sl_backend_rows[] = {
	BACKEND(away_ms, "backend_away_seconds", SL_METRIC_COUNTER, "Seconds in which the gateway could not use the log"),
	BACKEND(reconnects, "backend_reconnects", SL_METRIC_COUNTER, "Connections to the log after the first one"),
	BACKEND(resyncs, "backend_resyncs", SL_METRIC_COUNTER,
		"Times that the gateway read the log again from its own position"),
	BACKEND(retries, "backend_retries", SL_METRIC_COUNTER, "Publishes that the gateway sent to the log again"),
	BACKEND(lag, "backend_lag", SL_METRIC_GAUGE,
		"Messages of the log that this gateway has not read yet"),
	BACKEND(foreign, "backend_foreign", SL_METRIC_COUNTER,
		"Messages in the log that the gateway cannot deliver because another program wrote them"),
	BACKEND(lost, "backend_lost", SL_METRIC_COUNTER, "Messages of the log that this gateway lost"),
	BACKEND(resets, "backend_resets", SL_METRIC_COUNTER, "Times that the log was replaced or restored from an older state"),
	BACKEND(pending_full, "backend_pending_refused", SL_METRIC_COUNTER,
		"Publishes that the gateway refused because too many waited for the log"),
	BACKEND(unknown, "backend_unknown_outcomes", SL_METRIC_COUNTER,
		"Publishes whose outcome the gateway does not know"),
	{ .row.name = NULL },
};

uint64_t
sl_bus_row_get(const struct sl_bus_stats *stats, const struct sl_bus_row *row)
{
	uint64_t value;
	memcpy(&value, (const char *)stats + row->field, sizeof value);
	return value;
}

bool
sl_bus_row_is_time(const struct sl_bus_row *row)
{
	return row->field == offsetof(struct sl_bus_stats, backend.away_ms);
}
