#include "config/options.h"

#include <string.h>

#include "config/config.h"
#include "config/value.h"
#include "util/buffer.h"
#include "util/digits.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/limits.h"

#define K UINT64_C(1024)
#define M (1024 * K)
#define G (1024 * M)
#define FIELD(name) offsetof(struct sl_config, name)

/* Behind the help other fields may follow: `.needs_restart = true`. */
#define HEADING(text) { .kind = SL_CONFIG_HEADING, .help = text }
#define COUNT(option, member, word, low, high, standard, ...) \
	{ .name = option, .kind = SL_CONFIG_COUNT, .arg = word, .field = FIELD(member), \
	  .min = low, .max = high, .fallback = standard, .help = __VA_ARGS__ }
#define RATE(option, member, standard, text) \
	COUNT(option, member, "N", 0, 1000000000, standard, text "; 0 means no limit")
#define SIZE(option, member, low, high, standard, ...) \
	{ .name = option, .kind = SL_CONFIG_SIZE, .arg = "BYTES", .field = FIELD(member), \
	  .min = low, .max = high, .fallback = standard, .help = __VA_ARGS__ }
#define DURATION(option, member, low, high, standard, ...) \
	{ .name = option, .kind = SL_CONFIG_DURATION, .arg = "SECONDS", .field = FIELD(member), \
	  .min = low, .max = high, .fallback = standard, .help = __VA_ARGS__ }
#define FLAG(option, member, ...) \
	{ .name = option, .kind = SL_CONFIG_FLAG, .field = FIELD(member), .help = __VA_ARGS__ }
#define TEXT(type, option, member, word, standard, ...) \
	{ .name = option, .kind = SL_CONFIG_##type, .arg = word, .field = FIELD(member), \
	  .fallback = standard, .help = __VA_ARGS__ }
#define FILES(option, member, ...) \
	{ .name = option, .kind = SL_CONFIG_FILES, .arg = "FILE", .field = FIELD(member), \
	  .help = __VA_ARGS__ }
#define PATTERNS(option, member, ...) \
	{ .name = option, .kind = SL_CONFIG_PATTERNS, .arg = "PATTERN", .field = FIELD(member), \
	  .help = __VA_ARGS__ }
#define ORIGIN(option, member, schemes, ...) \
	{ .name = option, .kind = SL_CONFIG_ORIGIN, .arg = "URL", .field = FIELD(member), \
	  .min = schemes, .help = __VA_ARGS__ }
#define ACTION(option, short_form, what, ...) \
	{ .name = option, .kind = SL_CONFIG_ACTION, .letter = short_form, .min = what, \
	  .help = __VA_ARGS__ }

const struct sl_config_option sl_config_options[] = {
	HEADING("Serving:"),
	TEXT(LISTEN, "listen", listen, "ADDRESS", "127.0.0.1:8080",
		"Listen at ADDRESS: host:port, [v6]:port or unix:/path; with port 0 the system chooses; "
		"repeatable",
		.needs_restart = true),
	COUNT("shards", shards, "N", 1, SL_SHARDS_MAX, NULL,
		"Serve with N threads; by default one per core", .needs_restart = true),
	TEXT(PATH, "base-path", base_path, "PATH", "/", "Serve all URLs below PATH",
		.needs_restart = true),
	TEXT(TEXT, "web", web, "DIR", SLUICE_WEB_DIR,
		"Serve the pages and the browser client from the folder DIR"),
	FLAG("demo", demo,
		"Serve the demo page with its feeds demo.clock, demo.ticker and demo.tokens, six more "
		"loopback listeners, and traces of connections", .needs_restart = true),
	{ .name = "check", .kind = SL_CONFIG_FLAG, .field = FIELD(check), .fallback = "true",
	  .help = "Do not serve the check page", .needs_restart = true },
	TEXT(TEXT, "check-reports", check_reports, "DIR", NULL,
		"Store the reports of the check page in the existing folder DIR; by default the page "
		"cannot send reports", .needs_restart = true),
	TEXT(TEXT, "obstacle", obstacle, "PROGRAM", NULL,
		"Break the demo's connections with the sluice-obstacle at the path PROGRAM, or with none; "
		"by default the one beside this program",
		.needs_restart = true),
	TEXT(TEXT, "demo-cluster", demo_cluster, "FILE", NULL,
		"Show the processes of a cluster in the demo, with buttons to kill and start them; the "
		"script of the cluster demo writes FILE",
		.needs_restart = true),
	DURATION("drain", drain_ms, 0, 600000, "10",
		"Give connections this time to leave after SIGTERM"),
	TEXT(LEVEL, "log-level", log_level, "LEVEL", "info", "Set the minimum severity to log",
		.choices = "error|warning|info|debug"),
	TEXT(TEXT, "config", config, "FILE", NULL,
		"Read options from the JSON file FILE; the command line overrides them",
		.needs_restart = true),

	HEADING("Who may connect:"),
	FLAG("allow-anonymous", allow_anonymous,
		"Listen on public addresses without authentication", .needs_restart = true),
	ORIGIN("public-origin", public_origin, SL_ORIGIN_WEB,
		"Declare the gateway's URL as browsers see it (scheme://host[:port]); repeatable"),
	ORIGIN("allow-origin", allow_origin, SL_ORIGIN_APP,
		"Let pages of URL use the gateway, or an app's pages such as capacitor://localhost; "
		"repeatable"),
	FLAG("allow-credentials", allow_credentials,
		"Let pages of the allowed origins send credentials such as cookies"),
	TEXT(NETWORK, "trust-proxy", trust_proxy, "CIDR", NULL,
		"Trust proxies in CIDR (or unix, for all Unix sockets) to report the client's address and "
		"scheme: X-Forwarded-For, X-Forwarded-Proto, Forwarded, PROXY protocol; repeatable"),

	HEADING("TLS:"),
	TEXT(LISTEN, "tls-listen", tls_listen, "ADDRESS", NULL,
		"Listen at ADDRESS for https and wss; the forms are those of --listen; repeatable",
		.needs_restart = true),
	FILES("tls-cert", tls_cert,
		"Use the certificate chain in FILE (PEM); repeatable: the server name that a client sends "
		"(SNI) selects the certificate, the first one is the default"),
	FILES("tls-key", tls_key,
		"Use the private key in FILE (PEM); the n-th key belongs to the n-th certificate; "
		"repeatable"),
	TEXT(TEXT, "tls-ticket-keys", tls_ticket_keys, "FILE", NULL,
		"Share the keys of session tickets between gateways: one key of 160 hex digits per line of "
		"FILE; by default each gateway makes its own every 12 hours"),

	HEADING("Tokens:"),
	FILES("token-key", token_key,
		"Require tokens signed with a key in FILE: an HMAC secret, a public key in PEM, or a JWKS; "
		"repeatable"),
	TEXT(TEXT, "token-issuer", token_issuer, "TEXT", NULL, "Accept only tokens whose iss is TEXT"),
	TEXT(TEXT, "token-audience", token_audience, "TEXT", NULL,
		"Accept only tokens whose aud contains TEXT"),
	DURATION("token-max-age", token_max_age_ms, 1000, 315360000000, "86400",
		"Reject tokens with a longer lifetime (from iat to exp)"),
	TEXT(TEXT, "token-cookie", token_cookie, "NAME", NULL,
		"Accept the token from the cookie NAME too"),
	PATTERNS("anonymous-subscribe", anonymous_subscribe,
		"Let requests without a token read channels that match PATTERN: a name, prefix.* or *; "
		"repeatable"),
	PATTERNS("anonymous-publish", anonymous_publish,
		"Let requests without a token publish to channels that match PATTERN; repeatable"),
	TEXT(TEXT, "secret", secret, "FILE", NULL,
		"Sign tickets and the check page's channels with the secret in FILE; the gateway creates a "
		"missing FILE; use the same secret on all nodes"),
	TEXT(LISTEN, "admin-listen", admin_listen, "ADDRESS", NULL,
		"Listen at ADDRESS for /stats, /metrics and /admin, without tokens; repeatable",
		.needs_restart = true),
	TEXT(TEXT, "revocations", revocations, "FILE", NULL,
		"Store revocations in FILE so that they survive a restart", .needs_restart = true),
	COUNT("max-revocations", max_revocations, "N", 1, 10000000, "10000",
		"Limit the number of revoked subjects"),

	HEADING("Times:"),
	COUNT("heartbeat", heartbeat_s, "SECONDS", 4, 60, "15",
		"Send a heartbeat after this much silence"),
	DURATION("request-timeout", request_timeout_ms, 100, 600000, "10",
		"Limit the time from a request's first byte to its last"),

	HEADING("Messages:"),
	TEXT(CHOICE, "backend", backend, "NAME", "memory", "Store messages in this process or on NATS",
		.choices = sl_config_backends, .needs_restart = true),
	COUNT("history-messages", history_messages, "N", 0, 1000000, "1000",
		"Limit the messages kept per channel"),
	SIZE("history-bytes", history_bytes, 0, 64 * G, "1M", "Limit the bytes kept per channel"),
	DURATION("history-age", history_age_ms, 0, 31536000000, "300", "Keep messages for this time"),
	SIZE("history-total", history_total_bytes, 0, 1024 * G, "256M",
		"Limit the bytes kept for all channels"),
	COUNT("max-channels-total", max_channels_total, "N", 1, 100000000, "1000000",
		"Limit the channels that the gateway remembers"),
	COUNT("mailbox", mailbox_messages, "MESSAGES", 64, 1048576, "16384",
		"Limit the messages that wait for a shard; above it, its connections catch up from "
		"history", .needs_restart = true),
	COUNT("idempotency-keys", idempotency_keys, "N", 0, 100000000, "100000",
		"Limit the idempotency keys kept, each for two minutes"),

	HEADING("Many gateways:"),
	TEXT(SERVERS, "nats", nats, "URL", "nats://127.0.0.1:4222",
		"Connect --backend nats to these servers: nats://host:port or tls://host:port, separated "
		"by commas; repeatable",
		.needs_restart = true),
	TEXT(NAME, "nats-bus", nats_bus, "NAME", "main",
		"Share the stream sluice-NAME with all gateways that have the same NAME",
		.needs_restart = true),
	TEXT(TEXT, "nats-user", nats_user, "NAME", NULL, "Log in to the NATS servers as the user NAME",
		.needs_restart = true),
	TEXT(TEXT, "nats-password", nats_password, "FILE", NULL, "Read the user's password from FILE",
		.needs_restart = true),
	TEXT(TEXT, "nats-token", nats_token, "FILE", NULL,
		"Log in to the NATS servers with the token in FILE",
		.needs_restart = true),
	TEXT(TEXT, "nats-nkey", nats_nkey, "FILE", NULL,
		"Log in to the NATS servers with the nkey seed in FILE",
		.needs_restart = true),
	TEXT(TEXT, "nats-creds", nats_creds, "FILE", NULL,
		"Log in to the NATS servers with the JWT and the seed in FILE",
		.needs_restart = true),
	TEXT(TEXT, "nats-ca", nats_ca, "FILE", NULL,
		"Trust only the CA certificates in FILE for TLS to the NATS servers; by default those that "
		"the system trusts", .needs_restart = true),
	TEXT(TEXT, "nats-cert", nats_cert, "FILE", NULL,
		"Authenticate to the NATS servers with the client certificate in FILE",
		.needs_restart = true),
	TEXT(TEXT, "nats-key", nats_key, "FILE", NULL,
		"Use the private key in FILE for --nats-cert", .needs_restart = true),
	COUNT("nats-replicas", nats_replicas, "N", 0, 5, "0",
		"Create a new stream with N replicas; 0 means 3 with three or more servers, otherwise 1", .needs_restart = true),
	DURATION("nats-connect-timeout", nats_connect_timeout_ms, 1000, 3600000, "30",
		"Limit the time to connect and to read the stream at the start", .needs_restart = true),
	DURATION("publish-timeout", publish_timeout_ms, 1000, 110000, "20",
		"Limit the time that a publish waits for the NATS server's answer", .needs_restart = true),
	COUNT("pending-publishes", pending_publishes, "N", 1, 10000000, "20000",
		"Limit the publishes that wait for the NATS server", .needs_restart = true),
	SIZE("pending-bytes", pending_bytes, 64 * K, 64 * G, "64M",
		"Limit the bytes of the publishes that wait for the NATS server", .needs_restart = true),

	HEADING("Clients of other libraries:"),
	{ .name = "engine-io", .kind = SL_CONFIG_FLAG, .field = FIELD(engine_io), .fallback = "true",
	  .help = "Do not serve clients of Engine.IO and Socket.IO", .needs_restart = true },
	DURATION("engineio-ping-interval", engineio_ping_interval_ms, 100, 300000, "25",
		"Send each Engine.IO client a ping at this interval"),
	DURATION("engineio-ping-timeout", engineio_ping_timeout_ms, 100, 300000, "20",
		"Disconnect an Engine.IO client that does not answer a ping within this time"),
	DURATION("engineio-upgrade-timeout", engineio_upgrade_timeout_ms, 100, 300000, "10",
		"Limit the time of an upgrade from polling to WebSocket"),
	SIZE("engineio-max-payload", engineio_max_payload, 1 * K, 16 * M, "1000000",
		"Limit the body of an Engine.IO POST"),
	DURATION("socketio-connect-timeout", socketio_connect_timeout_ms, 100, 600000, "45",
		"Disconnect a Socket.IO client that joins no namespace within this time"),
	TEXT(TEXT, "socketio-channel", socketio_channel, "NAME", NULL,
		"Connect Socket.IO's namespace / to the channel NAME; by default that namespace has no "
		"channel"),
	FLAG("socketio-recovery", socketio_recovery,
		"Offer connection state recovery to all Socket.IO clients; by default only to those with "
		"recovery=1 in their query"),
	PATTERNS("client-publish", client_publish,
		"Let clients of other libraries publish without a token to channels that match PATTERN; "
		"repeatable"),
	COUNT("max-sessions", max_sessions, "N", 1, 10000000, "100000",
		"Limit the Engine.IO sessions of all clients that poll"),

	HEADING("Limits:"),
	SIZE("max-message", max_message_bytes, 1, 16 * M, "64K", "Limit a message's payload"),
	SIZE("max-batch", max_batch_bytes, 1 * K, 64 * M, "1M",
		"Limit the body of a batch of messages"),
	COUNT("max-json-depth", max_json_depth, "N", 1, SL_JSON_DEPTH_MAX, "256",
		"Limit the levels of arrays and objects in a JSON payload"),
	COUNT("max-fragments", max_fragments, "N", 1, 1000000, "1024",
		"Limit the frames of a WebSocket message"),
	COUNT("max-channels", max_channels, "N", 1, SL_CHANNELS_MAX, SL_DIGITS(SL_CHANNELS_MAX),
		"Limit the channels of a connection"),
	SIZE("max-header", max_header_bytes, 4 * K, 64 * K, "16K", "Limit a request's head",
		.needs_restart = true),
	SIZE("outbox", outbox_bytes, 1 * K, 1 * G, "256K",
		"Limit the bytes that wait for one connection"),
	SIZE("outbox-total", outbox_total_bytes, 64 * K, 1024 * G, "256M",
		"Limit the bytes that wait for all connections"),
	SIZE("kernel-memory", kernel_memory, 0, 1024 * G, "256M",
		"Limit the bytes that the kernel holds for clients that do not read; 0 means no limit"),
	COUNT("max-connections", max_connections, "N", 1, 10000000, "100000",
		"Limit the number of connections"),
	COUNT("reserved-connections", reserved_connections, "PERCENT", 0, 90, "10",
		"Reserve this share of --max-connections for addresses that have no connection"),
	FLAG("deflate", deflate,
		"Compress messages for WebSocket clients that offer permessage-deflate"),
	SIZE("deflate-threshold", deflate_threshold, 0, 16 * M, "512",
		"Compress payloads of at least this size"),

	HEADING("Limits of one client (its token's subject, or its address):"),
	TEXT(CHOICE, "limits", limits, "on|off", "on", "Apply the limits of this section",
		.choices = "on|off"),
	RATE("request-rate", request_rate, "2000", "Limit requests per second, publishes not included"),
	RATE("publish-rate", publish_rate, "10000", "Limit published messages per second"),
	SIZE("publish-bytes", publish_bytes_rate, 0, 64 * G, "8M",
		"Limit published bytes per second; 0 means no limit"),
	RATE("delivery-rate", delivery_rate, "100000",
		"Limit deliveries per second: published messages times receivers; each KiB of payload "
		"counts as one more delivery"),
	RATE("subscribe-rate", subscribe_rate, "5000", "Limit subscriptions per second"),
	SIZE("history-rate", history_rate, 0, 64 * G, "32M",
		"Limit bytes read from history per second; 0 means no limit"),
	RATE("token-failure-rate", token_failure_rate, "20",
		"Limit tokens per second and address that fail verification"),
	COUNT("max-connections-per-address", max_connections_per_address, "N", 0, 10000000, "1000",
		"Limit the connections of one address; 0 means no limit"),
	COUNT("max-connections-per-subject", max_connections_per_subject, "N", 0, 10000000, "1000",
		"Limit the streams and held polls of one subject; 0 means no limit"),
	COUNT("max-sessions-per-client", max_sessions_per_client, "N", 0, 10000000, "1000",
		"Limit the Engine.IO sessions of one client that polls; 0 means no limit"),
	TEXT(RAISES, "raise-limits", raise_limits, "WHO=FACTOR", NULL,
		"Multiply the limits of WHO by FACTOR (1 to 1000000), or remove them with off. WHO is an "
		"address, a CIDR or subject:NAME, where NAME may end in *; the first match counts; repeatable"),

	HEADING("Other:"),
	ACTION("check-config", 0, SL_CONFIG_CHECKED, "Check the options and the file, then exit"),
	ACTION("usage", 0, SL_CONFIG_PRINTED, "Print a short list of the options and exit"),
	ACTION("help", 'h', SL_CONFIG_PRINTED, "Print this help and exit"),
	ACTION("version", 'V', SL_CONFIG_PRINTED, "Print the version and exit"),
};
const size_t sl_config_option_count = sizeof sl_config_options / sizeof *sl_config_options;
_Static_assert(sizeof sl_config_options / sizeof *sl_config_options <=
	SL_CONFIG_OPTIONS_MAX, "struct sl_config has room for each");

const struct sl_config_option *
sl_config_option_find(const char *name)
{
	for (size_t i = 0; i < sl_config_option_count; i++)
		if (sl_config_options[i].name && strcmp(sl_config_options[i].name, name) == 0)
			return &sl_config_options[i];
	return NULL;
}

bool
sl_config_option_is_list(const struct sl_config_option *option)
{
	return option->kind == SL_CONFIG_LISTEN || option->kind == SL_CONFIG_FILES ||
		option->kind == SL_CONFIG_PATTERNS || option->kind == SL_CONFIG_ORIGIN ||
		option->kind == SL_CONFIG_NETWORK || option->kind == SL_CONFIG_RAISES ||
		option->kind == SL_CONFIG_SERVERS;
}

static void
append_range(struct sl_buffer *out, const struct sl_config_option *option)
{
	if (option->kind == SL_CONFIG_SIZE) {
		sl_config_value_append_size(out, option->min);
		sl_buffer_append_str(out, " to ");
		sl_config_value_append_size(out, option->max);
	} else if (option->kind == SL_CONFIG_DURATION) {
		sl_buffer_printf(out, "%.10g to %.10g", (double)option->min / 1000,
			(double)option->max / 1000);
	} else if (option->kind == SL_CONFIG_COUNT) {
		sl_buffer_printf(out, "%llu to %llu", (unsigned long long)option->min,
			(unsigned long long)option->max);
	} else if (option->choices) {
		sl_buffer_append_str(out, option->choices);
	}
}

char *
sl_config_option_range(const struct sl_config_option *option)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	append_range(&text, option);
	return sl_buffer_take_string(&text);
}

/* What is right for an option, up to the range that follows it. */
static const char *const expectations[] = {
	[SL_CONFIG_COUNT] = "a whole number from ",
	[SL_CONFIG_SIZE] = "a whole number, or one with K, M or G behind it, from ",
	[SL_CONFIG_DURATION] = "a number with at most three decimals from ",
	[SL_CONFIG_CHOICE] = "one of ",
	[SL_CONFIG_LEVEL] = "one of ",
	[SL_CONFIG_FLAG] = "true or false",
	[SL_CONFIG_TEXT] = "a text that is not empty",
	[SL_CONFIG_FILES] = "the path of a file",
	[SL_CONFIG_PATTERNS] = "the name of a channel, prefix.* or *",
	[SL_CONFIG_PATH] = "a path such as /push/ (letters, digits, - . _ ~)",
	[SL_CONFIG_LISTEN] = SL_LISTEN_ADDRESS_FORMS,
	[SL_CONFIG_NETWORK] = "a network such as 10.0.0.0/8 or fd00::/8, one address, or unix",
	[SL_CONFIG_RAISES] = "WHO=FACTOR, where WHO is an address, a CIDR or subject:NAME, and FACTOR a whole "
		"number from 1 to 1000000, or off",
	[SL_CONFIG_NAME] = "1 to 32 of a-z, A-Z, 0-9, _ and -",
	[SL_CONFIG_SERVERS] = "at most 64 of nats://HOST:PORT or tls://HOST:PORT with commas between, perhaps "
		"with user:password@ or token@ before HOST",
	[SL_CONFIG_ORIGIN] = "http://HOST or https://HOST, perhaps with :PORT, and no path",
};

/* Of a number; a count may have none. */
static const char *
get_unit(const struct sl_config_option *option)
{
	static const char *const units[][2] = {
		{ "SECONDS", " (seconds)" }, { "PERCENT", " (percent)" }, { "MESSAGES", " (messages)" },
		{ "BYTES", " (bytes)" },
	};
	for (size_t i = 0; option->arg && i < sizeof units / sizeof *units; i++)
		if (strcmp(option->arg, units[i][0]) == 0)
			return units[i][1];
	return "";
}

char *
sl_config_option_expects(const struct sl_config_option *option, bool is_range)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	bool is_number = option->kind == SL_CONFIG_COUNT || option->kind == SL_CONFIG_SIZE ||
		option->kind == SL_CONFIG_DURATION;
	if (option->kind == SL_CONFIG_ORIGIN && option->min == SL_ORIGIN_APP)
		sl_buffer_append_str(&text, "http://HOST, https://HOST or the scheme of an app such as"
			" capacitor://HOST, perhaps with :PORT, and no path");
	else if (!is_number || !is_range)
		sl_buffer_append_str(&text, expectations[option->kind]);
	append_range(&text, option);
	sl_buffer_append_str(&text, get_unit(option));
	if (option->choices == sl_config_backends)
		sl_buffer_append_str(&text, sl_config_backends_note);
	return sl_buffer_take_string(&text);
}
