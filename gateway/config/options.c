#include "config/options.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/value.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/limits.h"

#define K UINT64_C(1024)
#define M (1024 * K)
#define G (1024 * M)
#define FIELD(name) offsetof(struct sl_config, name)
#define DIGITS(number) DIGITS_OF(number)
#define DIGITS_OF(number) #number

/* Behind the help other fields may follow: `.needs_restart = true`. */
#define HEADING(text) { .kind = SL_CONFIG_HEADING, .help = text }
#define COUNT(option, member, word, low, high, standard, ...) \
	{ .name = option, .kind = SL_CONFIG_COUNT, .arg = word, .field = FIELD(member), \
	  .min = low, .max = high, .fallback = standard, .help = __VA_ARGS__ }
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
#define ORIGIN(option, member, schemes, ...) \
	{ .name = option, .kind = SL_CONFIG_ORIGIN, .arg = "URL", .field = FIELD(member), \
	  .min = schemes, .help = __VA_ARGS__ }
#define ACTION(option, short_form, what, ...) \
	{ .name = option, .kind = SL_CONFIG_ACTION, .letter = short_form, .min = what, \
	  .help = __VA_ARGS__ }

const struct sl_config_option sl_config_options[] = {
	HEADING("Serving:"),
	TEXT(LISTEN, "listen", listen, "ADDRESS", "127.0.0.1:8080",
		"Listen here: host:port, [v6]:port or unix:/path; repeatable; port 0 lets the system choose",
		.needs_restart = true),
	COUNT("shards", shards, "N", 1, SL_SHARDS_MAX, NULL,
		"Threads that serve; by default one a core", .needs_restart = true),
	TEXT(PATH, "base-path", base_path, "PATH", "/", "Serve everything below PATH",
		.needs_restart = true),
	TEXT(TEXT, "web", web, "DIR", SLUICE_WEB_DIR, "Folder of the pages and the browser client"),
	FLAG("demo", demo, "Run the demo: feeds demo.clock, demo.ticker and demo.tokens, six more "
		"loopback listeners for the page, traces of what connections carry", .needs_restart = true),
	{ .name = "check", .kind = SL_CONFIG_FLAG, .field = FIELD(check), .fallback = "true",
	  .help = "Do not serve the check page", .needs_restart = true },
	TEXT(TEXT, "check-reports", check_reports, "DIR", NULL,
		"Keep the reports that users of the check page send in DIR, which exists; by default the page "
		"sends none", .needs_restart = true),
	TEXT(TEXT, "obstacle", obstacle, "PROGRAM", NULL, "What the demo breaks itself with: the path of "
		"sluice-obstacle, or none; by default the one beside this program", .needs_restart = true),
	DURATION("drain", drain_ms, 0, 600000, "10", "Time that connections get to leave on SIGTERM"),
	TEXT(LEVEL, "log-level", log_level, "LEVEL", "info", "Log this and worse",
		.choices = "error|warning|info|debug"),
	TEXT(TEXT, "config", config, "FILE", NULL, "Read options from a JSON file; the command line wins",
		.needs_restart = true),

	HEADING("Who may connect:"),
	FLAG("allow-anonymous", allow_anonymous,
		"Serve other addresses than loopback although no token is asked for", .needs_restart = true),
	ORIGIN("public-origin", public_origin, SL_ORIGIN_WEB,
		"The gateway is known to browsers as URL (scheme://host[:port]); repeatable"),
	ORIGIN("allow-origin", allow_origin, SL_ORIGIN_APP,
		"Pages of URL, or an app's such as capacitor://localhost, may use the gateway; repeatable"),
	FLAG("allow-credentials", allow_credentials,
		"Let pages of these origins send credentials such as cookies"),
	TEXT(NETWORK, "trust-proxy", trust_proxy, "CIDR", NULL,
		"Take the client's address and scheme from proxies of CIDR (or unix: of all Unix sockets): "
		"X-Forwarded-For, X-Forwarded-Proto, Forwarded, the PROXY protocol; repeatable"),

	HEADING("TLS:"),
	TEXT(LISTEN, "tls-listen", tls_listen, "ADDRESS", NULL,
		"Listen here for https and wss: as --listen; repeatable", .needs_restart = true),
	FILES("tls-cert", tls_cert, "Certificate in PEM, the chain behind it; repeatable: the client's "
		"SNI chooses among the certificates' own names, the first one is the default"),
	FILES("tls-key", tls_key, "Private key in PEM, the n-th of the n-th certificate; repeatable"),
	TEXT(TEXT, "tls-ticket-keys", tls_ticket_keys, "FILE", NULL, "Keys of session tickets that "
		"several gateways share, a line of 160 hex digits each; by default they are made here and "
		"change every 12 hours"),

	HEADING("Times:"),
	COUNT("heartbeat", heartbeat_s, "SECONDS", 4, 60, "15", "Silence after which a heartbeat is sent"),
	DURATION("request-timeout", request_timeout_ms, 100, 600000, "10",
		"Time a request has from its first byte to its last"),

	HEADING("Messages:"),
	TEXT(CHOICE, "backend", backend, "NAME", "memory", "What keeps the messages",
		.choices = sl_config_backends, .needs_restart = true),
	COUNT("history-messages", history_messages, "N", 0, 1000000, "1000", "Messages kept of a channel"),
	SIZE("history-bytes", history_bytes, 0, 64 * G, "1M", "Bytes kept of a channel"),
	DURATION("history-age", history_age_ms, 0, 31536000000, "300", "Age up to which messages are kept"),
	SIZE("history-total", history_total_bytes, 0, 1024 * G, "256M", "Bytes kept of all channels"),
	COUNT("max-channels-total", max_channels_total, "N", 1, 100000000, "1000000",
		"Channels remembered in all"),
	COUNT("mailbox", mailbox_messages, "MESSAGES", 64, 1048576, "16384",
		"Messages waiting for a shard before its connections fall behind", .needs_restart = true),
	COUNT("idempotency-keys", idempotency_keys, "N", 0, 100000000, "100000",
		"Publish keys remembered for two minutes"),

	HEADING("Limits:"),
	SIZE("max-message", max_message_bytes, 1, 16 * M, "64K", "Largest payload"),
	SIZE("max-batch", max_batch_bytes, 1 * K, 64 * M, "1M", "Limit the body of a batch of messages"),
	COUNT("max-json-depth", max_json_depth, "N", 1, SL_JSON_DEPTH_MAX, "256",
		"Limit the levels of arrays and objects in a JSON payload"),
	COUNT("max-fragments", max_fragments, "N", 1, 1000000, "1024", "Most frames of a WebSocket message"),
	COUNT("max-channels", max_channels, "N", 1, SL_CHANNELS_MAX, DIGITS(SL_CHANNELS_MAX),
		"Channels of a connection"),
	SIZE("max-header", max_header_bytes, 4 * K, 64 * K, "16K", "Largest request head",
		.needs_restart = true),
	SIZE("outbox", outbox_bytes, 1 * K, 1 * G, "256K", "Bytes a connection may have waiting"),
	SIZE("outbox-total", outbox_total_bytes, 64 * K, 1024 * G, "256M", "Bytes waiting in all outboxes"),
	COUNT("max-connections", max_connections, "N", 1, 10000000, "100000", "Connections in all"),
	COUNT("max-connections-per-address", max_connections_per_address, "N", 0, 10000000, "1000",
		"Connections of one address; 0 is no limit"),

	HEADING("Other:"),
	ACTION("check-config", 0, SL_CONFIG_CHECKED, "Check the options and the file, then exit"),
	ACTION("usage", 0, SL_CONFIG_PRINTED, "Print the options in short and exit"),
	ACTION("help", 'h', SL_CONFIG_PRINTED, "Print this and exit"),
	ACTION("version", 'V', SL_CONFIG_PRINTED, "Print the version and exit"),
};
const size_t sl_config_option_count = sizeof sl_config_options / sizeof *sl_config_options;
_Static_assert(sizeof sl_config_options / sizeof *sl_config_options <= 64,
	"struct sl_config has a bit for each");

const struct sl_config_option *
sl_config_option_find(const char *name)
{
	for (size_t i = 0; i < sl_config_option_count; i++)
		if (sl_config_options[i].name && strcmp(sl_config_options[i].name, name) == 0)
			return &sl_config_options[i];
	return NULL;
}

static void *
field_of(struct sl_config *config, const struct sl_config_option *option)
{
	return (char *)config + option->field;
}

static int
set_text(char **field, const char *text)
{
	char *copy = strdup(text);
	if (!copy)
		return SL_ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int
set_choice(char **field, const char *choices, const char *text)
{
	size_t len = strlen(text);
	for (const char *at = choices; *at; at += *at == '|') {
		size_t word = strcspn(at, "|");
		if (word == len && strncmp(at, text, len) == 0)
			return set_text(field, text);
		at += word;
	}
	return SL_EINVAL;
}

/* How many addresses the list at `field` holds. */
static size_t *
listen_count_of(struct sl_config *config, const void *field)
{
	return field == &config->listen ? &config->listen_count : &config->tls_listen_count;
}

static int
add_listen(struct sl_listen_address **list, size_t *count, const char *text)
{
	struct sl_listen_address address;
	int err = sl_listen_address_parse(text, &address);
	if (err)
		return err;
	struct sl_listen_address *more = realloc(*list, (*count + 1) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	*list = more;
	more[(*count)++] = address;
	return 0;
}

static int
add_text(struct sl_text_list *list, const char *text)
{
	if (*text == '\0')
		return SL_EINVAL;
	char **more = realloc(list->texts, (list->count + 1) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	list->texts = more;
	more[list->count] = strdup(text);
	if (!more[list->count])
		return SL_ENOMEM;
	list->count++;
	return 0;
}

static int
add_origin(struct sl_origin_list *list, enum sl_origin_schemes schemes, const char *text)
{
	struct sl_origin *more = realloc(list->origins, (list->count + 1) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	list->origins = more;
	int err = sl_config_value_origin(text, schemes, &more[list->count]);
	if (err == 0)
		list->count++;
	return err;
}

int
sl_config_option_set(struct sl_config *config, const struct sl_config_option *option,
	const char *text)
{
	void *field = field_of(config, option);
	switch (option->kind) {
	case SL_CONFIG_COUNT: return sl_config_value_count(text, option->min, option->max, field);
	case SL_CONFIG_SIZE: return sl_config_value_size(text, option->min, option->max, field);
	case SL_CONFIG_DURATION: return sl_config_value_duration(text, option->min, option->max, field);
	case SL_CONFIG_FLAG: *(bool *)field = strcmp(text, "true") == 0; return 0;
	case SL_CONFIG_TEXT: return *text ? set_text(field, text) : SL_EINVAL;
	case SL_CONFIG_CHOICE: return set_choice(field, option->choices, text);
	case SL_CONFIG_LEVEL: return sl_log_parse_level(text, field);
	case SL_CONFIG_PATH: return sl_config_value_base_path(text, field);
	case SL_CONFIG_LISTEN: return add_listen(field, listen_count_of(config, field), text);
	case SL_CONFIG_FILES: return add_text(field, text);
	case SL_CONFIG_ORIGIN:
		return add_origin(field, (enum sl_origin_schemes)option->min, text);
	case SL_CONFIG_NETWORK: return sl_network_list_add(field, text);
	case SL_CONFIG_ACTION: config->action = (enum sl_config_action)option->min; return 0;
	case SL_CONFIG_HEADING: break;
	}
	return SL_EINVAL;
}

bool
sl_config_option_is_list(const struct sl_config_option *option)
{
	return option->kind == SL_CONFIG_LISTEN || option->kind == SL_CONFIG_FILES ||
		option->kind == SL_CONFIG_ORIGIN || option->kind == SL_CONFIG_NETWORK;
}

void
sl_config_option_clear(struct sl_config *config, const struct sl_config_option *option)
{
	if (option->kind == SL_CONFIG_LISTEN) {
		struct sl_listen_address **list = field_of(config, option);
		free(*list);
		*list = NULL;
		*listen_count_of(config, list) = 0;
	} else if (option->kind == SL_CONFIG_FILES) {
		struct sl_text_list *list = field_of(config, option);
		for (size_t i = 0; i < list->count; i++)
			free(list->texts[i]);
		free(list->texts);
		*list = (struct sl_text_list){ 0 };
	} else if (option->kind == SL_CONFIG_ORIGIN) {
		struct sl_origin_list *list = field_of(config, option);
		for (size_t i = 0; i < list->count; i++)
			free(list->origins[i].url);
		free(list->origins);
		*list = (struct sl_origin_list){ 0 };
	} else if (option->kind == SL_CONFIG_NETWORK) {
		sl_network_list_finish(field_of(config, option));
	}
}

void
sl_config_option_finish(struct sl_config *config, const struct sl_config_option *option)
{
	sl_config_option_clear(config, option);
	if (option->kind == SL_CONFIG_TEXT || option->kind == SL_CONFIG_CHOICE
		|| option->kind == SL_CONFIG_PATH) {
		char **field = field_of(config, option);
		free(*field);
		*field = NULL;
	}
}

static void
append_value(struct sl_buffer *out, const struct sl_config *config,
	const struct sl_config_option *option, size_t index)
{
	const void *field = (const char *)config + option->field;
	char address[SL_LISTEN_ADDRESS_MAX], network[SL_NETWORK_TEXT_MAX];
	switch (option->kind) {
	case SL_CONFIG_COUNT: sl_buffer_append_u64(out, *(const uint64_t *)field); break;
	case SL_CONFIG_SIZE: sl_config_value_append_size(out, *(const uint64_t *)field); break;
	case SL_CONFIG_DURATION:
		sl_buffer_printf(out, "%.12g", (double)*(const uint64_t *)field / 1000);
		break;
	case SL_CONFIG_FLAG: sl_buffer_append_str(out, *(const bool *)field ? "true" : "false"); break;
	case SL_CONFIG_LEVEL:
		sl_buffer_append_str(out, sl_log_level_name(*(const enum sl_log_level *)field));
		break;
	case SL_CONFIG_LISTEN:
		sl_listen_address_format(&(*(struct sl_listen_address *const *)field)[index], address);
		sl_buffer_append_str(out, address);
		break;
	case SL_CONFIG_FILES:
		sl_buffer_append_str(out, ((const struct sl_text_list *)field)->texts[index]);
		break;
	case SL_CONFIG_ORIGIN:
		sl_buffer_append_str(out, ((const struct sl_origin_list *)field)->origins[index].url);
		break;
	case SL_CONFIG_NETWORK:
		sl_network_list_format(field, index, network);
		sl_buffer_append_str(out, network);
		break;
	default: sl_buffer_append_str(out, *(char *const *)field);
	}
}

static size_t
count_values(const struct sl_config *config, const struct sl_config_option *option)
{
	const void *field = (const char *)config + option->field;
	switch (option->kind) {
	case SL_CONFIG_LISTEN:
		return field == &config->listen ? config->listen_count : config->tls_listen_count;
	case SL_CONFIG_FILES: return ((const struct sl_text_list *)field)->count;
	case SL_CONFIG_ORIGIN: return ((const struct sl_origin_list *)field)->count;
	case SL_CONFIG_NETWORK: return sl_network_list_count(field);
	case SL_CONFIG_TEXT: return *(char *const *)field != NULL;
	case SL_CONFIG_ACTION:
	case SL_CONFIG_HEADING: return 0;
	default: return 1;
	}
}

char *
sl_config_option_text(const struct sl_config *config, const struct sl_config_option *option)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	size_t count = count_values(config, option);
	for (size_t i = 0; i < count; i++) {
		sl_buffer_append_str(&text, i ? "," : "");
		append_value(&text, config, option, i);
	}
	return sl_buffer_take_string(&text);
}

int
sl_config_option_copy(struct sl_config *to, const struct sl_config *from,
	const struct sl_config_option *option)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	size_t count = count_values(from, option);
	int err = 0;
	sl_config_option_finish(to, option);
	for (size_t i = 0; err == 0 && i < count; i++) {
		sl_buffer_clear(&text);
		append_value(&text, from, option, i);
		sl_buffer_append_char(&text, '\0');
		err = sl_buffer_status(&text);
		if (err == 0)
			err = sl_config_option_set(to, option, text.bytes);
	}
	sl_buffer_finish(&text);
	if (option->field == FIELD(listen))
		to->listen_given = from->listen_given;
	return err;
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
	[SL_CONFIG_SIZE] = "bytes, K, M and G allowed, from ",
	[SL_CONFIG_DURATION] = "seconds, decimals allowed, from ",
	[SL_CONFIG_CHOICE] = "one of: ",
	[SL_CONFIG_LEVEL] = "one of: ",
	[SL_CONFIG_FLAG] = "true or false",
	[SL_CONFIG_TEXT] = "text that is not empty",
	[SL_CONFIG_FILES] = "the path of a file",
	[SL_CONFIG_PATH] = "a path such as /push/ (letters, digits, - . _ ~)",
	[SL_CONFIG_LISTEN] = SL_LISTEN_ADDRESS_FORMS,
	[SL_CONFIG_NETWORK] = "a network such as 10.0.0.0/8 or fd00::/8, one address, or unix",
	[SL_CONFIG_ORIGIN] = "http:// or https://, a host, perhaps :port, and no path",
};

char *
sl_config_option_expects(const struct sl_config_option *option)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	if (option->kind == SL_CONFIG_ORIGIN && option->min == SL_ORIGIN_APP)
		sl_buffer_append_str(&text, "http://, https:// or the scheme of an app such as"
			" capacitor://, a host, perhaps :port, and no path");
	else
		sl_buffer_append_str(&text, expectations[option->kind]);
	append_range(&text, option);
	return sl_buffer_take_string(&text);
}
