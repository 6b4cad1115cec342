#include "http/metrics_text.h"

#include <stdio.h>
#include <string.h>

#include "http/metrics_rows.h"

/* ---- Prometheus and OpenMetrics ---- */

struct writer {
	struct sl_buffer *out;
	enum sl_metrics_format format;
	const char *family; /* the metric whose head was written last */
};

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);
	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* HELP, TYPE and UNIT, once a metric. In OpenMetrics a counter's metric lacks `_total`. */
static void
append_head(struct writer *writer, const struct sl_metric_row *row)
{
	bool open = writer->format == SL_METRICS_OPENMETRICS;
	bool counter = row->type == SL_METRIC_COUNTER;
	const char *suffix = counter && !open ? "_total" : "";
	if (writer->family && strcmp(writer->family, row->name) == 0)
		return;
	writer->family = row->name;
	sl_buffer_printf(writer->out, "# HELP sluice_%s%s %s.\n", row->name, suffix, row->help);
	static const char *const types[] = { [SL_METRIC_COUNTER] = "counter", [SL_METRIC_GAUGE] = "gauge",
		[SL_METRIC_HISTOGRAM] = "histogram" };
	sl_buffer_printf(writer->out, "# TYPE sluice_%s%s %s\n", row->name, suffix, types[row->type]);
	if (open && ends_with(row->name, "_bytes"))
		sl_buffer_printf(writer->out, "# UNIT sluice_%s bytes\n", row->name);
	if (open && ends_with(row->name, "_seconds"))
		sl_buffer_printf(writer->out, "# UNIT sluice_%s seconds\n", row->name);
}

/* Everything of a sample up to its value. */
static void
append_name(struct writer *writer, const struct sl_metric_row *row, const char *transport)
{
	append_head(writer, row);
	sl_buffer_printf(writer->out, "sluice_%s%s", row->name,
		row->type == SL_METRIC_COUNTER ? "_total" : "");
	if (transport || row->labels) {
		sl_buffer_append_char(writer->out, '{');
		if (transport)
			sl_buffer_printf(writer->out, "transport=\"%s\"%s", transport, row->labels ? "," : "");
		sl_buffer_append_str(writer->out, row->labels ? row->labels : "");
		sl_buffer_append_char(writer->out, '}');
	}
	sl_buffer_append_char(writer->out, ' ');
}

static void
append_sample(struct writer *writer, const struct sl_metric_row *row, const char *transport,
	uint64_t value)
{
	append_name(writer, row, transport);
	sl_buffer_append_u64(writer->out, value);
	sl_buffer_append_char(writer->out, '\n');
}

static const struct sl_metric_row build_row = { .name = "build_info", .help = "Version of the gateway",
	.type = SL_METRIC_GAUGE };
static const struct sl_metric_row uptime_row = { .name = "uptime_seconds",
	.help = "Seconds since the start of the gateway", .type = SL_METRIC_GAUGE };
static const struct sl_metric_row shards_row = { .name = "shards", .help = "Threads that serve clients",
	.type = SL_METRIC_GAUGE };
static const struct sl_metric_row head_row = { .name = "bus_head_sequence",
	.help = "Sequence number of the last message, in the life of the log that the label epoch names",
	.type = SL_METRIC_GAUGE };
static const struct sl_metric_row checks_row = { .name = "check_channels",
	.help = "Channels of the check page that have not expired", .type = SL_METRIC_GAUGE };
static const struct sl_metric_row connections_row = { .name = "connections",
	.help = "Connections that are open", .type = SL_METRIC_GAUGE };
static const struct sl_metric_row report_files_row = { .name = "check_report_files",
	.help = "Files of reports in the folder of --check-reports", .type = SL_METRIC_GAUGE };

static const struct sl_metric_row token_keys_row = { .name = "token_keys",
	.help = "Keys that verify tokens", .type = SL_METRIC_GAUGE };
static const struct sl_metric_row token_reload_row = { .name = "token_reload_failed",
	.help = "1 while the gateway uses older keys because it refused the newest key files, else 0",
	.type = SL_METRIC_GAUGE };
static const struct sl_metric_row revocations_row = { .name = "revocations",
	.help = "Subjects whose older tokens the gateway refuses", .type = SL_METRIC_GAUGE };
static const struct sl_metric_row owners_row = { .key = "owners", .name = "owners",
	.help = "Clients that limits count, by subject or address, connected or seen lately",
	.type = SL_METRIC_GAUGE };

#define GAUGE(json_key, metric, text) \
	{ .key = json_key, .name = metric, .help = text, .type = SL_METRIC_GAUGE }

/* A key is that at the top of /stats, NULL where it stands elsewhere. */
static const struct sl_metric_row gauge_rows[SL_GAUGE_COUNT] = {
	[SL_GAUGE_TLS_HANDSHAKES_WAITING] = GAUGE(NULL, "tls_handshakes_waiting",
		"TLS handshakes that wait for their next step"),
	[SL_GAUGE_PRINCIPALS] = GAUGE(NULL, "principals_known",
		"Tokens that a shard knows, since a client holds them or used them lately"),
	[SL_GAUGE_PRINCIPALS_ENDING] = GAUGE(NULL, "principals_ending",
		"Clients that the gateway has still to end, since their token expired or was revoked"),
	[SL_GAUGE_LINKS_WAITING] = GAUGE("links_waiting", "links_waiting",
		"Connections that wait for their next turn"),
	[SL_GAUGE_KERNEL_MEMORY] = GAUGE("kernel_memory_bytes", "kernel_memory_bytes",
		"Bytes that the kernel holds for clients that do not read"),
	[SL_GAUGE_TURN_LONGEST_US] = GAUGE("turn_longest_us", "turn_longest_seconds",
		"Longest turn of a shard since somebody last read this metric"),
	[SL_GAUGE_TURN_STEPS] = GAUGE("turn_steps_longest", "turn_steps_longest",
		"Most steps of a connection in one turn since somebody last read this metric"),
	[SL_GAUGE_TURN_ADDRESS_STEPS] = GAUGE("turn_address_steps_longest", "turn_address_steps_longest",
		"Most steps of an address in one turn since somebody last read this metric"),
};

static const struct sl_metric_row sessions_row = { .key = "sessions_now", .name = "sessions",
	.help = "Sessions of polling clients that are open", .type = SL_METRIC_GAUGE };

static void
append_gauges(struct writer *writer, const struct sl_metrics_report *report)
{
	append_sample(writer, &owners_row, NULL, report->owners);
	append_sample(writer, &sessions_row, NULL, sl_metrics_sum_sessions(&report->sum));
	for (int i = 0; i < SL_GAUGE_COUNT; i++) {
		uint64_t value = report->sum.gauges[i];
		if (i != SL_GAUGE_TURN_LONGEST_US) {
			append_sample(writer, &gauge_rows[i], NULL, value);
			continue;
		}
		append_name(writer, &gauge_rows[i], NULL);
		sl_buffer_printf(writer->out, "%llu.%06u\n", (unsigned long long)(value / 1000000),
			(unsigned)(value % 1000000));
	}
}

/* ---- the bus and its backend ---- */

static const struct sl_metric_row connected_row = { .key = "connected", .name = "backend_connected",
	.help = "1 while the gateway can use the log, else 0", .type = SL_METRIC_GAUGE };

static void
append_rows(struct writer *writer, const struct sl_bus_stats *bus, const struct sl_bus_row *rows)
{
	for (; rows->row.name; rows++) {
		uint64_t value = sl_bus_row_get(bus, rows);
		append_name(writer, &rows->row, NULL);
		if (sl_bus_row_is_time(rows))
			sl_buffer_printf(writer->out, "%llu.%03u\n", (unsigned long long)(value / 1000),
				(unsigned)(value % 1000));
		else
			sl_buffer_printf(writer->out, "%llu\n", (unsigned long long)value);
	}
}

/* Each bucket counts all that took at most as long as its bound. */
static void
append_latency(struct writer *writer, const struct sl_latency *latency)
{
	static const struct sl_metric_row row = { .name = "publish_seconds", .type = SL_METRIC_HISTOGRAM,
		.help = "Time that publishes took until the bus had given them an id" };
	uint64_t count = 0;
	append_head(writer, &row);
	for (unsigned i = 0; i < SL_LATENCY_BUCKETS; i++) {
		count += latency->counts[i];
		sl_buffer_printf(writer->out, "sluice_publish_seconds_bucket{le=\"%g\"} %llu\n",
			sl_latency_bounds_us[i] / 1e6, (unsigned long long)count);
	}
	count += latency->counts[SL_LATENCY_BUCKETS];
	sl_buffer_printf(writer->out, "sluice_publish_seconds_bucket{le=\"+Inf\"} %llu\n"
		"sluice_publish_seconds_sum %llu.%06u\nsluice_publish_seconds_count %llu\n",
		(unsigned long long)count, (unsigned long long)(latency->sum_us / 1000000),
		(unsigned)(latency->sum_us % 1000000), (unsigned long long)count);
}

static void
append_bus(struct writer *writer, const struct sl_bus_stats *bus)
{
	append_rows(writer, bus, sl_bus_rows);
	append_latency(writer, &bus->latency);
	append_sample(writer, &connected_row, NULL, bus->backend.connected);
	append_rows(writer, bus, sl_backend_rows);
}

static void
append_tokens(struct writer *writer, const struct sl_metrics_report *report)
{
	append_sample(writer, &token_keys_row, NULL, report->token_keys);
	append_sample(writer, &token_reload_row, NULL, report->token_reload_failed);
	append_sample(writer, &revocations_row, NULL, report->revocations);
}

static void
append_gateway(struct writer *writer, const struct sl_metrics_report *report)
{
	append_head(writer, &build_row);
	sl_buffer_append_str(writer->out, "sluice_build_info{version=");
	/* The three escapes of a label's value are among those of a JSON string. */
	sl_buffer_append_json_string(writer->out, report->version, strlen(report->version));
	sl_buffer_append_str(writer->out, "} 1\n");
	append_name(writer, &uptime_row, NULL);
	sl_buffer_printf(writer->out, "%llu.%03u\n", (unsigned long long)(report->uptime_ms / 1000),
		(unsigned)(report->uptime_ms % 1000));
	append_sample(writer, &shards_row, NULL, report->shards);
	append_head(writer, &head_row);
	sl_buffer_printf(writer->out, "sluice_bus_head_sequence{epoch=\"%08x\"} %llu\n",
		report->head.epoch, (unsigned long long)report->head.seq);
}

static void
append_clients(struct writer *writer, const struct sl_metrics_sum *sum)
{
	for (int class_ = 0; class_ < SL_CLASS_NATIVE_COUNT; class_++)
		for (int reason = 0; reason < SL_REASON_COUNT; reason++) {
			char label[32];
			snprintf(label, sizeof label, "reason=\"%s\"", sl_reason_name((enum sl_reason)reason));
			struct sl_metric_row row = { .name = "clients", .labels = label,
				.help = "Clients that said why they are on their transport", .type = SL_METRIC_COUNTER };
			append_sample(writer, &row, sl_class_name((enum sl_class)class_), sum->clients[class_][reason]);
		}
}

static void
append_verdicts(struct writer *writer, const struct sl_metrics_sum *sum)
{
	for (int class_ = 0; class_ < SL_CLASS_NATIVE_COUNT; class_++)
		for (int verdict = 0; verdict < SL_VERDICT_COUNT; verdict++) {
			char label[32];
			snprintf(label, sizeof label, "state=\"%s\"", sl_verdict_name((enum sl_verdict)verdict));
			struct sl_metric_row row = { .name = "check_verdicts", .labels = label,
				.help = "What accepted reports say of a transport", .type = SL_METRIC_COUNTER };
			append_sample(writer, &row, sl_class_name((enum sl_class)class_),
				sum->verdicts[class_][verdict]);
		}
}

/* ---- certificates ---- */

static const struct sl_metric_row reload_row = { .name = "tls_reload_failed",
	.help = "1 while the gateway uses older certificates because it refused the newest ones, else 0",
	.type = SL_METRIC_GAUGE };
static const struct sl_metric_row expiry_row = { .name = "tls_certificate_expiry_seconds",
	.help = "Seconds until a certificate expires, by its first name and its kind of key",
	.type = SL_METRIC_GAUGE };

/* A sample may come once: where two certificates have the same labels, the one that expires first
 * counts. */
static bool
is_first_to_expire(const struct sl_metrics_report *report, size_t place)
{
	const struct sl_tls_certificate *one = &report->certificates[place];
	for (size_t i = 0; i < report->certificate_count; i++) {
		const struct sl_tls_certificate *other = &report->certificates[i];
		bool is_same = strcmp(one->name, other->name) == 0 && strcmp(one->key, other->key) == 0;
		if (is_same && (other->expires_s < one->expires_s ||
				(other->expires_s == one->expires_s && i < place)))
			return false;
	}
	return true;
}

/* A label's value; JSON would write control characters with escapes that labels do not have. */
static void
append_label(struct sl_buffer *out, const char *text)
{
	sl_buffer_append_char(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			sl_buffer_append_char(out, '\\');
		sl_buffer_append_char(out, (unsigned char)*text < ' ' ? ' ' : *text);
	}
	sl_buffer_append_char(out, '"');
}

static void
append_certificates(struct writer *writer, const struct sl_metrics_report *report)
{
	append_sample(writer, &reload_row, NULL, report->tls_reload_failed);
	for (size_t i = 0; i < report->certificate_count; i++) {
		const struct sl_tls_certificate *certificate = &report->certificates[i];
		if (!is_first_to_expire(report, i))
			continue;
		append_head(writer, &expiry_row);
		sl_buffer_append_str(writer->out, "sluice_tls_certificate_expiry_seconds{name=");
		append_label(writer->out, certificate->name);
		sl_buffer_printf(writer->out, ",key=\"%s\"} %lld\n", certificate->key,
			(long long)(certificate->expires_s - report->now_s));
	}
}

void
sl_metrics_text_append(struct sl_buffer *out, const struct sl_metrics_report *report,
	enum sl_metrics_format format)
{
	struct writer writer = { .out = out, .format = format };
	append_gateway(&writer, report);
	for (int class_ = 0; class_ < SL_CLASS_COUNT; class_++)
		append_sample(&writer, &connections_row, sl_class_name((enum sl_class)class_),
			sl_metrics_sum_connections(&report->sum, (enum sl_class)class_));
	/* All samples of a metric must stand together, so both directions before the next. */
	for (int first = 0, next; first < SL_CLASS_COUNTER_COUNT; first = next) {
		const char *name = sl_class_counter_rows[first].name;
		for (next = first; next < SL_CLASS_COUNTER_COUNT; next++)
			if (strcmp(sl_class_counter_rows[next].name, name) != 0)
				break;
		for (int class_ = 0; class_ < SL_CLASS_COUNT; class_++)
			for (int i = first; i < next; i++)
				append_sample(&writer, &sl_class_counter_rows[i],
					sl_class_name((enum sl_class)class_), report->sum.classes[class_][i]);
	}
	append_clients(&writer, &report->sum);
	append_sample(&writer, &checks_row, NULL, sl_metrics_sum_checks(&report->sum));
	append_verdicts(&writer, &report->sum);
	append_sample(&writer, &report_files_row, NULL, sl_metrics_sum_report_files(&report->sum));
	for (int i = 0; i < SL_COUNTER_COUNT; i++)
		append_sample(&writer, &sl_counter_rows[i], NULL, report->sum.counters[i]);
	append_gauges(&writer, report);
	append_bus(&writer, &report->bus);
	append_tokens(&writer, report);
	append_certificates(&writer, report);
	if (format == SL_METRICS_OPENMETRICS)
		sl_buffer_append_str(out, "# EOF\n");
}

enum sl_metrics_format
sl_metrics_text_negotiate(const char *accept)
{
	return accept && strcasestr(accept, "application/openmetrics-text")
		? SL_METRICS_OPENMETRICS : SL_METRICS_PROMETHEUS;
}

/* ---- JSON ---- */

static void
append_member(struct sl_buffer *out, const char *comma, const char *key, uint64_t value)
{
	sl_buffer_printf(out, "%s\"%s\":%llu", comma, key, (unsigned long long)value);
}

static void
append_members(struct sl_buffer *out, const char *comma, const struct sl_bus_stats *bus,
	const struct sl_bus_row *rows)
{
	for (; rows->row.name; rows++, comma = ",")
		append_member(out, comma, rows->row.key, sl_bus_row_get(bus, rows));
}

/* What clients and reports say is there of transports alone. */
static void
append_class(struct sl_buffer *out, const struct sl_metrics_report *report, enum sl_class class_)
{
	sl_buffer_printf(out, "%s\"%s\":{", class_ ? "," : "", sl_class_name(class_));
	append_member(out, "", "connections", sl_metrics_sum_connections(&report->sum, class_));
	for (int i = 0; i < SL_CLASS_COUNTER_COUNT; i++)
		append_member(out, ",", sl_class_counter_rows[i].key, report->sum.classes[class_][i]);
	if (class_ < SL_CLASS_NATIVE_COUNT) {
		sl_buffer_append_str(out, ",\"clients\":{");
		for (int i = 0; i < SL_REASON_COUNT; i++)
			append_member(out, i ? "," : "", sl_reason_name((enum sl_reason)i),
				report->sum.clients[class_][i]);
		sl_buffer_append_str(out, "},\"verdicts\":{");
		for (int i = 0; i < SL_VERDICT_COUNT; i++)
			append_member(out, i ? "," : "", sl_verdict_name((enum sl_verdict)i),
				report->sum.verdicts[class_][i]);
		sl_buffer_append_char(out, '}');
	}
	sl_buffer_append_char(out, '}');
}

static void
append_tls(struct sl_buffer *out, const struct sl_metrics_report *report)
{
	sl_buffer_printf(out, "},\"tls\":{\"reload_failed\":%d", report->tls_reload_failed);
	append_member(out, ",", "handshakes_waiting",
		report->sum.gauges[SL_GAUGE_TLS_HANDSHAKES_WAITING]);
	sl_buffer_append_str(out, ",\"certificates\":[");
	for (size_t i = 0; i < report->certificate_count; i++) {
		const struct sl_tls_certificate *certificate = &report->certificates[i];
		sl_buffer_append_str(out, i ? ",{\"name\":" : "{\"name\":");
		sl_buffer_append_json_string(out, certificate->name, strlen(certificate->name));
		sl_buffer_printf(out, ",\"key\":\"%s\",\"expires_in_s\":%lld}", certificate->key,
			(long long)(certificate->expires_s - report->now_s));
	}
	sl_buffer_append_char(out, ']');
}

static void
append_token_members(struct sl_buffer *out, const struct sl_metrics_report *report)
{
	sl_buffer_append_str(out, "},\"tokens\":{");
	append_member(out, "", "principals", report->sum.gauges[SL_GAUGE_PRINCIPALS]);
	append_member(out, ",", "ending", report->sum.gauges[SL_GAUGE_PRINCIPALS_ENDING]);
	append_member(out, ",", "keys", report->token_keys);
	append_member(out, ",", "reload_failed", report->token_reload_failed);
	append_member(out, ",", "revocations", report->revocations);
}

void
sl_metrics_text_append_json(struct sl_buffer *out, const struct sl_metrics_report *report)
{
	char cursor[SL_CURSOR_MAX];
	sl_cursor_format(report->head, cursor);
	sl_buffer_append_str(out, "{\"version\":");
	sl_buffer_append_json_string(out, report->version, strlen(report->version));
	sl_buffer_printf(out, ",\"uptime_s\":%llu.%03u,\"shards\":%u", (unsigned long long)
		(report->uptime_ms / 1000), (unsigned)(report->uptime_ms % 1000), report->shards);
	append_member(out, ",", owners_row.key, report->owners);
	append_member(out, ",", sessions_row.key, sl_metrics_sum_sessions(&report->sum));
	for (int i = 0; i < SL_GAUGE_COUNT; i++)
		if (gauge_rows[i].key)
			append_member(out, ",", gauge_rows[i].key, report->sum.gauges[i]);
	sl_buffer_printf(out, ",\"cursor\":\"%s\",\"transports\":{", cursor);
	for (int class_ = 0; class_ < SL_CLASS_COUNT; class_++)
		append_class(out, report, (enum sl_class)class_);
	sl_buffer_append_str(out, "},\"bus\":{");
	append_members(out, "", &report->bus, sl_bus_rows);
	sl_buffer_printf(out, "},\"backend\":{\"connected\":%s",
		report->bus.backend.connected ? "true" : "false");
	append_members(out, ",", &report->bus, sl_backend_rows);
	append_tls(out, report);
	append_token_members(out, report);
	sl_buffer_append_str(out, "},\"limits\":{");
	for (int i = 0; i < SL_COUNTER_COUNT; i++)
		append_member(out, i ? "," : "", sl_counter_rows[i].key, report->sum.counters[i]);
	sl_buffer_append_str(out, "}}");
}
