/* Metrics: what a shard counts.
 * Owner: each shard has one struct sl_metrics. Thread: only its shard adds; any reads.
 * Errors: none.
 *
 * A new counter is an enumerator here and a row in metrics.c; it then shows in /metrics and
 * /stats. Counters only rise: what is there "now" is a difference of two of them. */
#ifndef SL_UTIL_METRICS_H
#define SL_UTIL_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "util/span.h"

/* Whom bytes and messages are accounted to: a transport, or any other request. */
enum sl_class {
	SL_CLASS_WEBSOCKET, SL_CLASS_SSE, SL_CLASS_STREAM, SL_CLASS_LONGPOLL, SL_CLASS_POLL,
	SL_CLASS_ENGINEIO_WEBSOCKET, SL_CLASS_ENGINEIO_POLLING, /* Socket.IO too */
	SL_CLASS_HTTP,
	SL_CLASS_COUNT,
	SL_CLASS_NATIVE_COUNT = SL_CLASS_ENGINEIO_WEBSOCKET /* our own transports come first */
};

/* Counted for each class. `closed` stands before `opened` so that a sum read while both
 * rise never shows more closed than opened. */
enum sl_class_counter {
	SL_CLASS_CLOSED, SL_CLASS_OPENED,
	SL_CLASS_MESSAGES_IN, SL_CLASS_MESSAGES_OUT,
	SL_CLASS_PAYLOAD_BYTES_IN, SL_CLASS_PAYLOAD_BYTES_OUT,
	SL_CLASS_WIRE_BYTES_IN,
	SL_CLASS_WIRE_BYTES_OUT,
	SL_CLASS_COUNTER_COUNT
};

/* Why a client is on its transport, by its own account (PROTOCOL.md, reason). */
enum sl_reason {
	SL_REASON_FIRST, SL_REASON_ONLY, SL_REASON_REMEMBERED, SL_REASON_REFUSED,
	SL_REASON_UNPROVED, SL_REASON_DIED, SL_REASON_PROMOTED,
	SL_REASON_OTHER, /* none of these */
	SL_REASON_COUNT,
	SL_REASON_NONE = SL_REASON_COUNT /* not said: nothing is counted */
};

/* What a report of the check page says of a transport (PROTOCOL.md, checking a path). */
enum sl_verdict { SL_VERDICT_WORKS, SL_VERDICT_DEGRADED, SL_VERDICT_DEAD, SL_VERDICT_COUNT };

enum sl_counter {
	SL_COUNTER_ACCEPTED,
	SL_COUNTER_REFUSED_LIMIT_TOTAL,
	SL_COUNTER_REFUSED_LIMIT_ADDRESS,
	SL_COUNTER_REFUSED_HARD,
	SL_COUNTER_RELAYED,
	SL_COUNTER_RELAY_QUEUED,
	SL_COUNTER_RELAY_REFUSED,
	SL_COUNTER_REQUESTS_1XX, SL_COUNTER_REQUESTS_2XX, SL_COUNTER_REQUESTS_3XX,
	SL_COUNTER_REQUESTS_4XX, SL_COUNTER_REQUESTS_5XX,
	SL_COUNTER_REQUEST_TIMEOUTS,
	SL_COUNTER_ORIGIN_REFUSED,
	SL_COUNTER_HOST_REFUSED,
	SL_COUNTER_PRINCIPALS_VERIFIED, SL_COUNTER_PRINCIPALS_CACHED, SL_COUNTER_PRINCIPALS_ANONYMOUS,
	SL_COUNTER_PRINCIPALS_MISSING, SL_COUNTER_PRINCIPALS_REFUSED, SL_COUNTER_PRINCIPALS_EXPIRED,
	SL_COUNTER_PRINCIPALS_REVOKED,
	SL_COUNTER_FORBIDDEN_SUBSCRIBE, SL_COUNTER_FORBIDDEN_PUBLISH, SL_COUNTER_FORBIDDEN_ADMIN,
	SL_COUNTER_TICKETS_ISSUED,
	SL_COUNTER_REVOCATIONS_REFUSED,
	SL_COUNTER_PUBLISHES,
	SL_COUNTER_PUBLISH_ERRORS,
	SL_COUNTER_PROBES,
	SL_COUNTER_SLOW_CONSUMERS,
	SL_COUNTER_OUTBOX_PINNED_EVICTIONS,
	SL_COUNTER_SILENT_DROPPED,
	SL_COUNTER_PROTOCOL_ERRORS,
	SL_COUNTER_HEARTBEATS,
	SL_COUNTER_PINGS,
	SL_COUNTER_GAPS_TOLD,
	SL_COUNTER_BEHIND_READS,
	SL_COUNTER_RUNS,
	SL_COUNTER_RUN_MESSAGES,
	SL_COUNTER_SENDS,
	SL_COUNTER_TLS_HANDSHAKES_FULL, SL_COUNTER_TLS_HANDSHAKES_RESUMED,
	SL_COUNTER_TLS_HANDSHAKES_FAILED, SL_COUNTER_TLS_HANDSHAKES_TIMEOUT,
	SL_COUNTER_TLS_HANDSHAKE_BYTES_IN, SL_COUNTER_TLS_HANDSHAKE_BYTES_OUT,
	SL_COUNTER_TLS_PLAIN_HTTP,
	SL_COUNTER_TLS_KEY_UPDATES_REFUSED,
	SL_COUNTER_DEMO_NAMES_DROPPED,
	SL_COUNTER_DEMO_EVENTS_DROPPED,
	SL_COUNTER_DEMO_REFUSED,
	SL_COUNTER_DEMO_CUT,
	SL_COUNTER_DEMO_OBSTACLE_ENDED,
	SL_COUNTER_CHECK_EXPIRED, /* before those issued, as `closed` stands before `opened` */
	SL_COUNTER_CHECK_ISSUED,
	SL_COUNTER_CHECK_REFUSED_ADDRESS, SL_COUNTER_CHECK_REFUSED_TOTAL,
	SL_COUNTER_CHECK_REFUSED_UNKNOWN, SL_COUNTER_CHECK_REFUSED_FULL,
	SL_COUNTER_CHECK_REFUSED_USED_UP,
	SL_COUNTER_CHECK_REPORTS_ACCEPTED,
	SL_COUNTER_CHECK_REPORTS_BAD,
	SL_COUNTER_CHECK_REPORTS_LIMITED,
	SL_COUNTER_CHECK_REPORTS_BUSY,
	SL_COUNTER_CHECK_REPORT_ADDRESSES_DROPPED,
	SL_COUNTER_CHECK_REPORT_WRITES_FAILED,
	SL_COUNTER_CHECK_REPORT_FILES_REMOVED, /* before `added`, as `closed` before `opened` */
	SL_COUNTER_CHECK_REPORT_FILES_ADDED,
	SL_COUNTER_PROXY_V1, SL_COUNTER_PROXY_V2,
	SL_COUNTER_PROXY_FORWARDED, SL_COUNTER_PROXY_X_FORWARDED_FOR,
	SL_COUNTER_PROXY_BAD,
	SL_COUNTER_STREAMS_EXPIRED,
	SL_COUNTER_STREAMS_REVOKED,
	SL_COUNTER_STREAMS_LIMITED,
	/* In the order of enum sl_limit (core/owners.h): see sl_limit_counter(). */
	SL_COUNTER_LIMITED_REQUESTS, SL_COUNTER_LIMITED_PUBLISHES, SL_COUNTER_LIMITED_PUBLISHED_BYTES,
	SL_COUNTER_LIMITED_DELIVERIES, SL_COUNTER_LIMITED_SUBSCRIBES, SL_COUNTER_LIMITED_HISTORY_BYTES,
	SL_COUNTER_LIMITED_TOKEN_FAILURES, SL_COUNTER_LIMITED_CONNECTIONS,
	SL_COUNTER_LIMIT_CLOSES,
	SL_COUNTER_REFUSED_RESERVED,
	SL_COUNTER_STEPS_DEFERRED,
	SL_COUNTER_HISTORY_WAITS,
	SL_COUNTER_PROBE_NOTES_EVICTED,
	SL_COUNTER_KERNEL_MEMORY_ENDS,
	SL_COUNTER_DEFLATE_MESSAGES, SL_COUNTER_DEFLATE_BYTES_IN, SL_COUNTER_DEFLATE_BYTES_OUT,
	SL_COUNTER_INFLATE_MESSAGES, SL_COUNTER_INFLATE_REFUSED,
	SL_COUNTER_SESSIONS_CLOSED, SL_COUNTER_SESSIONS_OPENED, /* as `closed` stands before `opened` */
	SL_COUNTER_SESSIONS_EXPIRED, SL_COUNTER_SESSIONS_EVICTED, SL_COUNTER_SESSIONS_LIMITED,
	SL_COUNTER_SESSIONS_MOVED,
	SL_COUNTER_SESSION_REQUESTS_FORWARDED, SL_COUNTER_SESSION_REQUESTS_UNKNOWN,
	SL_COUNTER_EIO_UPGRADES, SL_COUNTER_EIO_UPGRADES_FAILED,
	SL_COUNTER_SIO_CONNECTS, SL_COUNTER_SIO_CONNECT_ERRORS,
	SL_COUNTER_SIO_RECOVERED, SL_COUNTER_SIO_NOT_RECOVERED, SL_COUNTER_SIO_FORGOTTEN,
	SL_COUNTER_SIO_RELAYED, SL_COUNTER_SIO_REFUSED_EVENTS,
	SL_COUNTER_CLIENT_PROTOCOL_ERRORS,
	SL_COUNTER_LABELS_ALONE,
	SL_COUNTER_COUNT
};

/* What is there now, of one shard. */
enum sl_gauge {
	SL_GAUGE_TLS_HANDSHAKES_WAITING,
	SL_GAUGE_PRINCIPALS,        /* known */
	SL_GAUGE_PRINCIPALS_ENDING, /* what they hold open and must end */
	SL_GAUGE_LINKS_WAITING,     /* for their next turn */
	SL_GAUGE_KERNEL_MEMORY,     /* bytes that the kernel holds for connections that do not read */
	/* The most since it was last taken, see sl_metrics_note_longest(). */
	SL_GAUGE_TURN_LONGEST_US,   /* of the shard's turns */
	SL_GAUGE_TURN_STEPS,        /* steps of one connection in a turn */
	SL_GAUGE_TURN_ADDRESS_STEPS, /* of one address */
	SL_GAUGE_COUNT,
	SL_GAUGE_FIRST_LONGEST = SL_GAUGE_TURN_LONGEST_US
};

struct sl_metrics {
	_Atomic uint64_t counters[SL_COUNTER_COUNT];
	_Atomic uint64_t classes[SL_CLASS_COUNT][SL_CLASS_COUNTER_COUNT];
	_Atomic uint64_t clients[SL_CLASS_COUNT][SL_REASON_COUNT];
	_Atomic uint64_t verdicts[SL_CLASS_NATIVE_COUNT][SL_VERDICT_COUNT]; /* of transports */
	_Atomic uint64_t gauges[SL_GAUGE_COUNT];
};

/* The sum over some shards; of what is longest, the longest. */
struct sl_metrics_sum {
	uint64_t counters[SL_COUNTER_COUNT];
	uint64_t classes[SL_CLASS_COUNT][SL_CLASS_COUNTER_COUNT];
	uint64_t clients[SL_CLASS_COUNT][SL_REASON_COUNT];
	uint64_t verdicts[SL_CLASS_NATIVE_COUNT][SL_VERDICT_COUNT];
	uint64_t gauges[SL_GAUGE_COUNT];
};

enum sl_metric_type { SL_METRIC_COUNTER, SL_METRIC_GAUGE, SL_METRIC_HISTOGRAM };

/* How one number is shown. Rows of one metric stand together. */
struct sl_metric_row {
	const char *key;    /* in JSON */
	const char *name;   /* metric without the `sluice_` before and the `_total` behind */
	const char *labels; /* name="value", NULL for none */
	const char *help;   /* a sentence without full stop; that of a metric's first row counts */
	enum sl_metric_type type;
};

extern const struct sl_metric_row sl_counter_rows[SL_COUNTER_COUNT];
extern const struct sl_metric_row sl_class_counter_rows[SL_CLASS_COUNTER_COUNT];

/* One writer, so no locked instruction is needed: a reader sees the old or the new value. */
static inline void
sl_metrics_raise_(_Atomic uint64_t *counter, uint64_t by)
{
	uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, before + by, memory_order_relaxed);
}

static inline void
sl_metrics_add(struct sl_metrics *metrics, enum sl_counter counter, uint64_t by)
{
	sl_metrics_raise_(&metrics->counters[counter], by);
}

static inline void
sl_metrics_add_class(struct sl_metrics *metrics, enum sl_class class_,
	enum sl_class_counter counter, uint64_t by)
{
	sl_metrics_raise_(&metrics->classes[class_][counter], by);
}

static inline void
sl_metrics_raise_gauge(struct sl_metrics *metrics, enum sl_gauge gauge, int64_t by)
{
	sl_metrics_raise_(&metrics->gauges[gauge], (uint64_t)by);
}

/* Something of a turn was so long: for gauges from SL_GAUGE_FIRST_LONGEST on. */
static inline void
sl_metrics_note_longest(struct sl_metrics *metrics, enum sl_gauge gauge, uint64_t value)
{
	_Atomic uint64_t *longest = &metrics->gauges[gauge];
	if (value > atomic_load_explicit(longest, memory_order_relaxed))
		atomic_store_explicit(longest, value, memory_order_relaxed);
}

/* A turn took so long. */
static inline void
sl_metrics_note_turn(struct sl_metrics *metrics, uint64_t turn_us)
{
	sl_metrics_note_longest(metrics, SL_GAUGE_TURN_LONGEST_US, turn_us);
}

/* From here on the longest of turns is looked for anew. Any thread: one that ends just now counts either
 * before or after. */
void sl_metrics_forget_turns(struct sl_metrics *metrics);

/* A client said why it is on this transport. */
static inline void
sl_metrics_add_client(struct sl_metrics *metrics, enum sl_class class_, enum sl_reason reason)
{
	if (reason != SL_REASON_NONE)
		sl_metrics_raise_(&metrics->clients[class_][reason], 1);
}

/* A report that was accepted says so of a transport. */
static inline void
sl_metrics_add_verdict(struct sl_metrics *metrics, enum sl_class class_, enum sl_verdict verdict)
{
	sl_metrics_raise_(&metrics->verdicts[class_][verdict], 1);
}

/* "works", "degraded", "dead". */
const char *sl_verdict_name(enum sl_verdict verdict);

/* "first", "only", "remembered", "refused", "unproved", "died", "promoted", "other". */
const char *sl_reason_name(enum sl_reason reason);

/* SL_REASON_OTHER for a name that is none. */
enum sl_reason sl_reason_parse(struct sl_span name);

/* "websocket", "sse", "stream", "longpoll", "poll", "engineio-websocket", "engineio-polling",
 * "http". */
const char *sl_class_name(enum sl_class class_);

/* The requests_Nxx counter of an HTTP status, 100 to 599. */
enum sl_counter sl_counter_of_status(unsigned status);

/* Adds a shard's numbers to `sum`, which begins as zeros. Any thread. */
void sl_metrics_sum_add(struct sl_metrics_sum *sum, const struct sl_metrics *metrics);

/* Channels of the check page that live now. */
uint64_t sl_metrics_sum_checks(const struct sl_metrics_sum *sum);

/* Sessions that are open now. */
uint64_t sl_metrics_sum_sessions(const struct sl_metrics_sum *sum);

/* Connections of the class that are open now. */
uint64_t sl_metrics_sum_connections(const struct sl_metrics_sum *sum, enum sl_class class_);

/* Files of the check page's reports that are there now. */
uint64_t sl_metrics_sum_report_files(const struct sl_metrics_sum *sum);

#endif
