#include "util/metrics.h"

#include <assert.h>

#define ROW(json_key, metric, label, text) \
	{ .key = json_key, .name = metric, .labels = label, .help = text, .type = SL_METRIC_COUNTER }
#define LIMIT(which) "limit=\"" which "\""
#define PLAIN(key, text) ROW(key, key, NULL, text)
#define REQUESTS(status) ROW("requests_" status, "requests", "status=\"" status "\"", \
	"Requests that the gateway answered, by status")
#define CHECK_REFUSED(which) ROW("check_refused_" which, "check_refused", "reason=\"" which "\"", \
	"Requests for a channel of the check page that the gateway refused, by reason")
#define REPORTS(result) ROW("check_reports_" result, "check_reports", "result=\"" result "\"", \
	"Reports of the check page, by result")
#define PRINCIPALS(result) ROW("principals_" result, "principals", "result=\"" result "\"", \
	"Requests whose sender the gateway looked up, by result")
#define LIMITED(which) ROW("limited_" which, "limited", LIMIT(which), \
	"Times that the gateway refused or delayed a client above a limit of one client, by limit")
#define FORBIDDEN(act) ROW("forbidden_" act, "forbidden", "act=\"" act "\"", \
	"Times that the gateway refused an act that the client may not do")
#define PROXY(which) ROW("proxy_headers_" which, "proxy_headers", "kind=\"" which "\"", \
	"Times that a trusted proxy named its client, by kind of header")
#define HANDSHAKES(result) ROW("tls_handshakes_" result, "tls_handshakes", \
	"result=\"" result "\"", "TLS handshakes, by result")
#define HANDSHAKE_BYTES(which) ROW("tls_handshake_bytes_" which, "tls_handshake_bytes", \
	DIRECTION(which), "Bytes of TLS handshakes, which the wire bytes of http include")
#define DIRECTION(which) "direction=\"" which "\""

const struct sl_metric_row sl_counter_rows[SL_COUNTER_COUNT] = {
	[SL_COUNTER_ACCEPTED] = PLAIN("accepted", "Sockets that the gateway accepted"),
	[SL_COUNTER_REFUSED_LIMIT_TOTAL] = ROW("refused_limit_total", "refused", LIMIT("total"),
		"Connections that the gateway refused because of a limit"),
	[SL_COUNTER_REFUSED_LIMIT_ADDRESS] = ROW("refused_limit_address", "refused", LIMIT("address"),
		"Connections that the gateway refused because of a limit"),
	[SL_COUNTER_REFUSED_HARD] = ROW("refused_hard", "refused", LIMIT("hard"),
		"Connections that the gateway refused because of a limit"),
	[SL_COUNTER_RELAYED] = PLAIN("relayed_requests", "Requests that libmicrohttpd answered"),
	[SL_COUNTER_RELAY_QUEUED] = PLAIN("relay_queued",
		"Requests that waited for libmicrohttpd"),
	[SL_COUNTER_RELAY_REFUSED] = PLAIN("relay_refused",
		"Requests that the gateway refused because they had waited for libmicrohttpd for too long"),
	[SL_COUNTER_REQUESTS_1XX] = REQUESTS("1xx"),
	[SL_COUNTER_REQUESTS_2XX] = REQUESTS("2xx"),
	[SL_COUNTER_REQUESTS_3XX] = REQUESTS("3xx"),
	[SL_COUNTER_REQUESTS_4XX] = REQUESTS("4xx"),
	[SL_COUNTER_REQUESTS_5XX] = REQUESTS("5xx"),
	[SL_COUNTER_REQUEST_TIMEOUTS] = PLAIN("request_timeouts",
		"Requests that the gateway cut off because they took too long to arrive"),
	[SL_COUNTER_ORIGIN_REFUSED] = PLAIN("origin_refused", "Requests that the gateway refused because of their Origin"),
	[SL_COUNTER_HOST_REFUSED] = PLAIN("host_refused", "Requests that the gateway refused because of their Host"),
	[SL_COUNTER_PRINCIPALS_VERIFIED] = PRINCIPALS("verified"),
	[SL_COUNTER_PRINCIPALS_CACHED] = PRINCIPALS("cached"),
	[SL_COUNTER_PRINCIPALS_ANONYMOUS] = PRINCIPALS("anonymous"),
	[SL_COUNTER_PRINCIPALS_MISSING] = PRINCIPALS("missing"),
	[SL_COUNTER_PRINCIPALS_REFUSED] = PRINCIPALS("refused"),
	[SL_COUNTER_PRINCIPALS_EXPIRED] = PRINCIPALS("expired"),
	[SL_COUNTER_PRINCIPALS_REVOKED] = PRINCIPALS("revoked"),
	[SL_COUNTER_FORBIDDEN_SUBSCRIBE] = FORBIDDEN("subscribe"),
	[SL_COUNTER_FORBIDDEN_PUBLISH] = FORBIDDEN("publish"),
	[SL_COUNTER_FORBIDDEN_ADMIN] = FORBIDDEN("admin"),
	[SL_COUNTER_TICKETS_ISSUED] = PLAIN("tickets_issued", "Tickets that the gateway issued for tokens"),
	[SL_COUNTER_REVOCATIONS_REFUSED] = PLAIN("revocations_refused",
		"Revocations that the gateway refused because its list was full"),
	[SL_COUNTER_PUBLISHES] = PLAIN("publishes", "Messages that the gateway took from clients"),
	[SL_COUNTER_PUBLISH_ERRORS] = PLAIN("publish_errors", "Messages of clients that the gateway refused"),
	[SL_COUNTER_PROBES] = PLAIN("probes", "Requests of clients that diagnosed their path"),
	[SL_COUNTER_SLOW_CONSUMERS] = PLAIN("slow_consumers",
		"Connections that the gateway closed because their outbox was full"),
	[SL_COUNTER_OUTBOX_PINNED_EVICTIONS] = PLAIN("outbox_pinned_evictions",
		"Connections that the gateway closed because all outboxes together held too much"),
	[SL_COUNTER_SILENT_DROPPED] = PLAIN("silent_dropped",
		"Connections that the gateway dropped because the client was silent"),
	[SL_COUNTER_PROTOCOL_ERRORS] = PLAIN("protocol_errors",
		"Connections that the gateway ended because the client broke the protocol or one of its limits"),
	[SL_COUNTER_HEARTBEATS] = PLAIN("heartbeats", "Heartbeats that the gateway sent"),
	[SL_COUNTER_PINGS] = PLAIN("pings", "WebSocket pings that the gateway sent"),
	[SL_COUNTER_GAPS_TOLD] = PLAIN("gaps_told", "Gaps that the gateway reported to clients"),
	[SL_COUNTER_BEHIND_READS] = PLAIN("behind_reads",
		"Reads of history for connections that catch up"),
	[SL_COUNTER_RUNS] = PLAIN("runs", "Runs (consecutive messages of one channel) that a shard handed to its subscribers"),
	[SL_COUNTER_RUN_MESSAGES] = PLAIN("run_messages", "Messages in the runs that sluice_runs_total counts"),
	[SL_COUNTER_SENDS] = PLAIN("sends", "System calls that wrote to a socket"),
	[SL_COUNTER_TLS_HANDSHAKES_FULL] = HANDSHAKES("full"),
	[SL_COUNTER_TLS_HANDSHAKES_RESUMED] = HANDSHAKES("resumed"),
	[SL_COUNTER_TLS_HANDSHAKES_FAILED] = HANDSHAKES("failed"),
	[SL_COUNTER_TLS_HANDSHAKES_TIMEOUT] = HANDSHAKES("timeout"),
	[SL_COUNTER_TLS_HANDSHAKE_BYTES_IN] = HANDSHAKE_BYTES("in"),
	[SL_COUNTER_TLS_HANDSHAKE_BYTES_OUT] = HANDSHAKE_BYTES("out"),
	[SL_COUNTER_TLS_PLAIN_HTTP] = PLAIN("tls_plain_http",
		"Connections that spoke HTTP without TLS to a listener that speaks TLS"),
	[SL_COUNTER_TLS_KEY_UPDATES_REFUSED] = PLAIN("tls_key_updates_refused",
		"Connections that the gateway closed because the client changed its TLS keys again and again"),
	[SL_COUNTER_DEMO_NAMES_DROPPED] = PLAIN("demo_names_dropped",
		"Names of the demo that the gateway dropped to make room, or beyond the limit of a connection"),
	[SL_COUNTER_DEMO_EVENTS_DROPPED] = PLAIN("demo_events_dropped",
		"Events of the demo's traces that the gateway dropped to make room"),
	[SL_COUNTER_DEMO_REFUSED] = PLAIN("demo_refused", "Requests that the demo's blocks refused"),
	[SL_COUNTER_DEMO_CUT] = PLAIN("demo_cut", "Connections that the demo's blocks cut"),
	[SL_COUNTER_DEMO_OBSTACLE_ENDED] = PLAIN("demo_obstacle_ended",
		"Times that the demo's sluice-obstacle ended by itself"),
	[SL_COUNTER_CHECK_ISSUED] = PLAIN("check_issued", "Channels that the gateway lent to the check page"),
	[SL_COUNTER_CHECK_EXPIRED] = PLAIN("check_expired", "Channels of the check page that expired"),
	[SL_COUNTER_CHECK_REFUSED_ADDRESS] = CHECK_REFUSED("address"),
	[SL_COUNTER_CHECK_REFUSED_TOTAL] = CHECK_REFUSED("total"),
	[SL_COUNTER_CHECK_REFUSED_UNKNOWN] = CHECK_REFUSED("unknown"),
	[SL_COUNTER_CHECK_REFUSED_FULL] = CHECK_REFUSED("full"),
	[SL_COUNTER_CHECK_REFUSED_USED_UP] = CHECK_REFUSED("used_up"),
	[SL_COUNTER_CHECK_REPORTS_ACCEPTED] = REPORTS("accepted"),
	[SL_COUNTER_CHECK_REPORTS_BAD] = REPORTS("bad"),
	[SL_COUNTER_CHECK_REPORTS_LIMITED] = REPORTS("limited"),
	[SL_COUNTER_CHECK_REPORTS_BUSY] = REPORTS("busy"),
	[SL_COUNTER_CHECK_REPORT_ADDRESSES_DROPPED] = PLAIN("check_report_addresses_dropped",
		"Addresses that the gateway forgot to make room, with the count of their reports"),
	[SL_COUNTER_CHECK_REPORT_WRITES_FAILED] = PLAIN("check_report_writes_failed",
		"Times that the gateway could not write a report"),
	[SL_COUNTER_CHECK_REPORT_FILES_REMOVED] = PLAIN("check_report_files_removed",
		"Files of reports that the gateway or somebody else removed"),
	[SL_COUNTER_CHECK_REPORT_FILES_ADDED] = PLAIN("check_report_files_added",
		"Files of reports that the gateway found at the start or wrote since"),
	[SL_COUNTER_PROXY_V1] = PROXY("v1"),
	[SL_COUNTER_PROXY_V2] = PROXY("v2"),
	[SL_COUNTER_PROXY_FORWARDED] = PROXY("forwarded"),
	[SL_COUNTER_PROXY_X_FORWARDED_FOR] = PROXY("x_forwarded_for"),
	[SL_COUNTER_PROXY_BAD] = PLAIN("proxy_headers_bad",
		"Malformed headers in which a trusted proxy named its client"),
	[SL_COUNTER_STREAMS_EXPIRED] = PLAIN("streams_expired",
		"Streams and held polls that the gateway ended because their token expired"),
	[SL_COUNTER_STREAMS_REVOKED] = PLAIN("streams_revoked",
		"Streams and held polls that the gateway ended because their token was revoked"),
	[SL_COUNTER_STREAMS_LIMITED] = PLAIN("streams_limited",
		"Streams that the gateway ended because their client ignored its refusals"),
	[SL_COUNTER_LIMITED_REQUESTS] = LIMITED("requests"),
	[SL_COUNTER_LIMITED_PUBLISHES] = LIMITED("publishes"),
	[SL_COUNTER_LIMITED_PUBLISHED_BYTES] = LIMITED("published_bytes"),
	[SL_COUNTER_LIMITED_DELIVERIES] = LIMITED("deliveries"),
	[SL_COUNTER_LIMITED_SUBSCRIBES] = LIMITED("subscribes"),
	[SL_COUNTER_LIMITED_HISTORY_BYTES] = LIMITED("history_bytes"),
	[SL_COUNTER_LIMITED_TOKEN_FAILURES] = LIMITED("token_failures"),
	[SL_COUNTER_LIMITED_CONNECTIONS] = LIMITED("connections"),
	[SL_COUNTER_LIMIT_CLOSES] = PLAIN("limit_closes",
		"WebSockets that the gateway closed with 1008 because their client stayed above its limits"),
	[SL_COUNTER_REFUSED_RESERVED] = PLAIN("refused_reserved",
		"Connections that the gateway refused to keep the last places for addresses without one"),
	[SL_COUNTER_STEPS_DEFERRED] = PLAIN("steps_deferred",
		"Times that a connection had more work than fits in one turn, and waited for the next turn"),
	[SL_COUNTER_HISTORY_WAITS] = PLAIN("history_waits",
		"Times that a connection waited for more of its history"),
	[SL_COUNTER_PROBE_NOTES_EVICTED] = PLAIN("probe_notes_evicted",
		"Notes of probes that the gateway evicted to make room"),
	[SL_COUNTER_KERNEL_MEMORY_ENDS] = PLAIN("kernel_memory_ends",
		"Connections that the gateway closed because the kernel held too much for clients that do not read"),
	[SL_COUNTER_DEFLATE_MESSAGES] = PLAIN("deflate_messages", "Messages that the gateway compressed"),
	[SL_COUNTER_DEFLATE_BYTES_IN] = PLAIN("deflate_bytes_in", "Bytes of these messages before compression"),
	[SL_COUNTER_DEFLATE_BYTES_OUT] = PLAIN("deflate_bytes_out", "Bytes of these messages after compression"),
	[SL_COUNTER_INFLATE_MESSAGES] = PLAIN("inflate_messages", "Compressed messages that the gateway received"),
	[SL_COUNTER_INFLATE_REFUSED] = PLAIN("inflate_refused",
		"Compressed messages that the gateway refused as malformed or too large"),
	[SL_COUNTER_SESSIONS_CLOSED] = PLAIN("sessions_closed", "Sessions of polling clients that ended"),
	[SL_COUNTER_SESSIONS_OPENED] = PLAIN("sessions_opened", "Sessions of polling clients that began"),
	[SL_COUNTER_SESSIONS_EXPIRED] = PLAIN("sessions_expired",
		"Sessions that ended because their client did not come back in time"),
	[SL_COUNTER_SESSIONS_EVICTED] = PLAIN("sessions_evicted",
		"Sessions that the gateway ended to make room for those of other clients"),
	[SL_COUNTER_SESSIONS_LIMITED] = PLAIN("sessions_limited",
		"Sessions that the gateway refused because their client had too many"),
	[SL_COUNTER_SESSIONS_MOVED] = PLAIN("sessions_moved",
		"Sessions that moved to the shard of their WebSocket"),
	[SL_COUNTER_SESSION_REQUESTS_FORWARDED] = PLAIN("session_requests_forwarded",
		"Requests that reached another shard than that of their session"),
	[SL_COUNTER_SESSION_REQUESTS_UNKNOWN] = PLAIN("session_requests_unknown",
		"Requests for a session that does not exist"),
	[SL_COUNTER_EIO_UPGRADES] = PLAIN("eio_upgrades",
		"Clients of Engine.IO that upgraded from polling to WebSocket"),
	[SL_COUNTER_EIO_UPGRADES_FAILED] = PLAIN("eio_upgrades_failed",
		"Upgrades of Engine.IO from polling to WebSocket that failed"),
	[SL_COUNTER_SIO_CONNECTS] = PLAIN("sio_connects", "Namespaces of Socket.IO that clients joined"),
	[SL_COUNTER_SIO_CONNECT_ERRORS] = PLAIN("sio_connect_errors",
		"Namespaces of Socket.IO that the gateway refused to a client"),
	[SL_COUNTER_SIO_RECOVERED] = PLAIN("sio_recovered",
		"Connections of Socket.IO whose state the gateway recovered"),
	[SL_COUNTER_SIO_NOT_RECOVERED] = PLAIN("sio_not_recovered",
		"Connections of Socket.IO whose state the gateway could not recover"),
	[SL_COUNTER_SIO_FORGOTTEN] = PLAIN("sio_forgotten",
		"Changed channels of Socket.IO namespaces that the gateway evicted to make room"),
	[SL_COUNTER_SIO_RELAYED] = PLAIN("sio_relayed",
		"Events of Socket.IO that the gateway published to the channel of their namespace"),
	[SL_COUNTER_SIO_REFUSED_EVENTS] = PLAIN("sio_refused_events",
		"Events of Socket.IO that the gateway refused"),
	[SL_COUNTER_CLIENT_PROTOCOL_ERRORS] = PLAIN("client_protocol_errors",
		"Clients of other libraries that the gateway ended because they broke their protocol or one of its limits"),
	[SL_COUNTER_LABELS_ALONE] = PLAIN("labels_alone",
		"Runs that the gateway framed for one client alone, since no other has the label of its subscription"),
};

const struct sl_metric_row sl_class_counter_rows[SL_CLASS_COUNTER_COUNT] = {
	[SL_CLASS_CLOSED] = ROW("closed", "connections_closed", NULL, "Connections that ended"),
	[SL_CLASS_OPENED] = ROW("opened", "connections_opened", NULL, "Connections that began"),
	[SL_CLASS_MESSAGES_IN] = ROW("messages_in", "messages", DIRECTION("in"),
		"Messages that the gateway received from clients and sent to them"),
	[SL_CLASS_MESSAGES_OUT] = ROW("messages_out", "messages", DIRECTION("out"),
		"Messages that the gateway received from clients and sent to them"),
	[SL_CLASS_PAYLOAD_BYTES_IN] = ROW("payload_bytes_in", "payload_bytes", DIRECTION("in"),
		"Payload bytes of the messages from clients and to them"),
	[SL_CLASS_PAYLOAD_BYTES_OUT] = ROW("payload_bytes_out", "payload_bytes", DIRECTION("out"),
		"Payload bytes of the messages from clients and to them"),
	[SL_CLASS_WIRE_BYTES_IN] = ROW("wire_bytes_in", "wire_bytes", DIRECTION("in"),
		"Bytes that sockets carried, including heads and framing"),
	[SL_CLASS_WIRE_BYTES_OUT] = ROW("wire_bytes_out", "wire_bytes", DIRECTION("out"),
		"Bytes that sockets carried, including heads and framing"),
};

const char *
sl_class_name(enum sl_class class_)
{
	static const char *const names[SL_CLASS_COUNT] = {
		[SL_CLASS_WEBSOCKET] = "websocket", [SL_CLASS_SSE] = "sse",
		[SL_CLASS_STREAM] = "stream", [SL_CLASS_LONGPOLL] = "longpoll",
		[SL_CLASS_POLL] = "poll", [SL_CLASS_ENGINEIO_WEBSOCKET] = "engineio-websocket",
		[SL_CLASS_ENGINEIO_POLLING] = "engineio-polling", [SL_CLASS_HTTP] = "http",
	};
	return names[class_];
}

const char *
sl_reason_name(enum sl_reason reason)
{
	static const char *const names[SL_REASON_COUNT] = {
		[SL_REASON_FIRST] = "first", [SL_REASON_ONLY] = "only",
		[SL_REASON_REMEMBERED] = "remembered", [SL_REASON_REFUSED] = "refused",
		[SL_REASON_UNPROVED] = "unproved", [SL_REASON_DIED] = "died",
		[SL_REASON_PROMOTED] = "promoted", [SL_REASON_OTHER] = "other",
	};
	return names[reason];
}

enum sl_reason
sl_reason_parse(struct sl_span name)
{
	for (int i = 0; i < SL_REASON_COUNT; i++)
		if (sl_span_equals(name, sl_reason_name((enum sl_reason)i)))
			return (enum sl_reason)i;
	return SL_REASON_OTHER;
}

const char *
sl_verdict_name(enum sl_verdict verdict)
{
	static const char *const names[SL_VERDICT_COUNT] = {
		[SL_VERDICT_WORKS] = "works", [SL_VERDICT_DEGRADED] = "degraded", [SL_VERDICT_DEAD] = "dead",
	};
	return names[verdict];
}

enum sl_counter
sl_counter_of_status(unsigned status)
{
	assert(status >= 100 && status <= 599);
	return (enum sl_counter)(SL_COUNTER_REQUESTS_1XX + status / 100 - 1);
}

static void
sum_gauges(struct sl_metrics_sum *sum, const struct sl_metrics *metrics)
{
	for (size_t i = 0; i < SL_GAUGE_COUNT; i++) {
		uint64_t value = atomic_load_explicit(&metrics->gauges[i], memory_order_relaxed);
		if (i < SL_GAUGE_FIRST_LONGEST)
			sum->gauges[i] += value;
		else if (value > sum->gauges[i])
			sum->gauges[i] = value;
	}
}

void
sl_metrics_sum_add(struct sl_metrics_sum *sum, const struct sl_metrics *metrics)
{
	for (size_t i = 0; i < SL_COUNTER_COUNT; i++)
		sum->counters[i] += atomic_load_explicit(&metrics->counters[i], memory_order_relaxed);
	for (size_t i = 0; i < SL_CLASS_COUNT; i++) {
		for (size_t j = 0; j < SL_CLASS_COUNTER_COUNT; j++)
			sum->classes[i][j] +=
				atomic_load_explicit(&metrics->classes[i][j], memory_order_relaxed);
		for (size_t j = 0; j < SL_REASON_COUNT; j++)
			sum->clients[i][j] +=
				atomic_load_explicit(&metrics->clients[i][j], memory_order_relaxed);
	}
	for (size_t i = 0; i < SL_CLASS_NATIVE_COUNT; i++)
		for (size_t j = 0; j < SL_VERDICT_COUNT; j++)
			sum->verdicts[i][j] +=
				atomic_load_explicit(&metrics->verdicts[i][j], memory_order_relaxed);
	sum_gauges(sum, metrics);
}

void
sl_metrics_forget_turns(struct sl_metrics *metrics)
{
	for (int i = SL_GAUGE_FIRST_LONGEST; i < SL_GAUGE_COUNT; i++)
		atomic_store_explicit(&metrics->gauges[i], 0, memory_order_relaxed);
}

static uint64_t
subtract(uint64_t begun, uint64_t ended)
{
	return begun > ended ? begun - ended : 0;
}

uint64_t
sl_metrics_sum_checks(const struct sl_metrics_sum *sum)
{
	return subtract(sum->counters[SL_COUNTER_CHECK_ISSUED], sum->counters[SL_COUNTER_CHECK_EXPIRED]);
}

uint64_t
sl_metrics_sum_sessions(const struct sl_metrics_sum *sum)
{
	return subtract(sum->counters[SL_COUNTER_SESSIONS_OPENED],
		sum->counters[SL_COUNTER_SESSIONS_CLOSED]);
}

uint64_t
sl_metrics_sum_connections(const struct sl_metrics_sum *sum, enum sl_class class_)
{
	uint64_t opened = sum->classes[class_][SL_CLASS_OPENED];
	uint64_t closed = sum->classes[class_][SL_CLASS_CLOSED];
	return subtract(opened, closed);
}

uint64_t
sl_metrics_sum_report_files(const struct sl_metrics_sum *sum)
{
	return subtract(sum->counters[SL_COUNTER_CHECK_REPORT_FILES_ADDED],
		sum->counters[SL_COUNTER_CHECK_REPORT_FILES_REMOVED]);
}
