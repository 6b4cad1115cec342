#include "http/params.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bus/message.h"
#include "util/digits.h"
#include "util/err.h"
#include "util/quote.h"

#define HEARTBEAT_MIN_S 4
#define HEARTBEAT_MAX_S 60
#define WAIT_MAX_S 55
#define NONCE_MIN 8
#define NONCE_MAX 64

struct parse {
	struct sl_params *params;
	struct sl_params_error *error;
	const struct sl_params_rules *rules;
	unsigned seen, own_seen; /* a bit for each row of the table, and for each own name */
};

struct parameter {
	const char *name;
	int (*set)(struct parse *parse, const struct parameter *parameter, struct sl_span value);
	size_t offset; /* of its span in struct sl_params, where it is kept as it is */
	bool may_repeat; /* the last one counts */
	bool is_for_all; /* also where clients send names that others have made up */
};

__attribute__((format(printf, 3, 4))) static int
refuse(struct sl_params_error *error, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error->message, sizeof error->message, format, args);
	va_end(args);
	error->code = code;
	return SL_EINVAL;
}

static int
refuse_channel(struct parse *parse, const char *parameter, struct sl_span name)
{
	char quoted[SL_QUOTED_SIZE];
	sl_quote(quoted, name);
	return refuse(parse->error, "bad_channel", "%s: %s %s; use " SL_CHANNEL_NAME_FORM, parameter, quoted,
		sl_channel_name_explain(name.bytes, name.len));
}

/* Of a parameter whose value is of none of the forms that `right` names. */
static int
refuse_value(struct parse *parse, const char *code, const struct parameter *parameter, struct sl_span value,
	const char *right)
{
	char quoted[SL_QUOTED_SIZE];
	sl_quote(quoted, value);
	return refuse(parse->error, code, "%s: %s is not valid; use %s", parameter->name, quoted, right);
}

static bool
holds_channel(const struct sl_join *join, const char *name, size_t len)
{
	for (unsigned i = 0; i < join->channel_count; i++)
		if (join->channels[i].len == len && memcmp(join->channels[i].bytes, name, len) == 0)
			return true;
	return false;
}

static int
add_channel(struct parse *parse, const struct parameter *parameter, struct sl_span name)
{
	struct sl_join *join = &parse->params->join;
	if (!sl_channel_name_valid(name.bytes, name.len))
		return refuse_channel(parse, parameter->name, name);
	if (holds_channel(join, name.bytes, name.len))
		return 0;
	if (join->channel_count == parse->rules->max_channels)
		return refuse(parse->error, "too_many_channels", "%s: there are too many channels; use at most %u",
			parameter->name, parse->rules->max_channels);
	join->channels[join->channel_count++] = name;
	return 0;
}

static int
set_channels(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	const char *at = value.bytes, *end = at + value.len;
	if (value.len == 0)
		return 0; /* no channels; whether some are needed the caller knows */
	for (;;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t len = (size_t)((comma ? comma : end) - at);
		int err = add_channel(parse, parameter, (struct sl_span){ at, len });
		if (err || !comma)
			return err;
		at = comma + 1;
	}
}

static int
set_text(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	memcpy((char *)parse->params + parameter->offset, &value, sizeof value);
	return 0;
}

static int
set_channel(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	int err = add_channel(parse, parameter, value);
	if (err)
		return err;
	parse->params->repeats_channel = parse->params->channel.bytes != NULL;
	return set_text(parse, parameter, value);
}

static int
set_since(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	struct sl_join *join = &parse->params->join;
	bool is_all = sl_span_equals(value, "0");
	if (!is_all && sl_cursor_parse(value.bytes, value.len, &join->since) != 0)
		return refuse_value(parse, "bad_cursor", parameter, value, "a cursor of this gateway, such as "
			"9f3a1c07-4182, or 0 for all kept messages");
	join->since_kind = is_all ? SL_SINCE_ALL : SL_SINCE_CURSOR;
	return 0;
}

static int
set_format(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	bool is_raw = sl_span_equals(value, "raw");
	if (!is_raw && !sl_span_equals(value, "json"))
		return refuse_value(parse, "bad_format", parameter, value, "json or raw");
	parse->params->format = is_raw ? SL_FORMAT_RAW : SL_FORMAT_JSON;
	return 0;
}

/* One or two digits, or -1. */
static int
parse_seconds(struct sl_span value)
{
	uint64_t seconds;
	return value.len <= 2 && sl_span_to_number(value, 99, &seconds) ? (int)seconds : -1;
}

static int
set_heartbeat(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	int seconds = parse_seconds(value);
	if (seconds < HEARTBEAT_MIN_S || seconds > HEARTBEAT_MAX_S)
		return refuse_value(parse, "bad_heartbeat", parameter, value, "a whole number from "
			SL_DIGITS(HEARTBEAT_MIN_S) " to " SL_DIGITS(HEARTBEAT_MAX_S) " (seconds)");
	parse->params->join.heartbeat_s = seconds;
	return 0;
}

static int
set_wait(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	int seconds = parse_seconds(value);
	if (seconds < 0 || seconds > WAIT_MAX_S)
		return refuse_value(parse, "bad_wait", parameter, value, "a whole number from 0 to "
			SL_DIGITS(WAIT_MAX_S) " (seconds)");
	parse->params->wait_s = seconds;
	return 0;
}

static int
set_verify(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	if (!sl_span_equals(value, "0") && !sl_span_equals(value, "1"))
		return refuse_value(parse, "bad_verify", parameter, value, "0 or 1");
	parse->params->join.verify = value.bytes[0] == '1';
	return 0;
}

static int
set_compress(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	if (!sl_span_equals(value, "0") && !sl_span_equals(value, "1"))
		return refuse_value(parse, "bad_request", parameter, value, "0 or 1");
	parse->params->uncompressed = value.bytes[0] == '0';
	return 0;
}

static bool
is_nonce(struct sl_span value, size_t min)
{
	bool fits = value.len >= min && value.len <= NONCE_MAX;
	for (size_t i = 0; fits && i < value.len; i++) {
		char c = value.bytes[i];
		fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
			|| c == '_' || c == '-';
	}
	return fits;
}

static int
set_n(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	return is_nonce(value, 1) ? set_text(parse, parameter, value) : 0;
}

static int
set_nonce(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	if (!is_nonce(value, NONCE_MIN))
		return refuse_value(parse, "bad_probe", parameter, value, SL_DIGITS(NONCE_MIN) " to " SL_DIGITS(NONCE_MAX)
			" of A-Z a-z 0-9 _ -");
	return set_text(parse, parameter, value);
}

static int
set_reason(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	parse->params->join.reason = sl_reason_parse(value);
	return 0;
}

/* What EventSource libraries call the header where they send it in the query. They write it
 * in any case, and behind what the page's URL says: the last one counts. */
static bool
is_last_event_id(struct sl_span name)
{
	static const char *const names[] = {
		"lastEventId", "last_event_id", "Last-Event-ID", "evs_last_event_id",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (sl_span_is_word(name, names[i]))
			return true;
	return false;
}

#define AT(member) offsetof(struct sl_params, member)

static const struct parameter parameters[] = {
	{ "channels", set_channels, .is_for_all = true },
	{ "since", set_since },
	{ "wait", set_wait },
	{ "format", set_format },
	{ "heartbeat", set_heartbeat },
	{ "verify", set_verify },
	{ "n", set_n, AT(n), .may_repeat = true },
	{ "channel", set_channel, AT(channel), .may_repeat = true, .is_for_all = true },
	{ "event", set_text, AT(event) },
	{ "args", set_text, AT(args) },
	{ "compress", set_compress },
	{ "probe", set_nonce, AT(probe) },
	{ "nonce", set_nonce, AT(nonce) },
	{ "token", set_text, AT(token), .is_for_all = true },
	{ "ticket", set_text, AT(ticket), .is_for_all = true },
	{ "reason", set_reason },
	{ "demo", set_text, AT(demo), .is_for_all = true },
	{ "of", set_text, AT(of) },
	{ "show", set_text, AT(show) },
	{ "name", set_text, AT(name) },
};

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes `bytes` in place; false for a bad escape and for control characters, escaped or
 * not. */
static bool
decode(char *bytes, size_t *len)
{
	size_t out = 0;
	for (size_t i = 0; i < *len; i++) {
		char c = bytes[i];
		if (c == '%') {
			if (*len - i < 3)
				return false;
			int high = hex_value(bytes[i + 1]), low = hex_value(bytes[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return false;
		bytes[out++] = c;
	}
	*len = out;
	return true;
}

static int
refuse_repeated(struct parse *parse, const char *name)
{
	return refuse(parse->error, "bad_parameter", "%s: the parameter is repeated; use it once", name);
}

/* Of the table, by the rules; NULL: the name says nothing here. */
static const struct parameter *
find_parameter(const struct parse *parse, struct sl_span name)
{
	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
		if (sl_span_equals(name, parameters[i].name))
			return parse->rules->bears_others && !parameters[i].is_for_all ? NULL : &parameters[i];
	return NULL;
}

/* -1: it is none. */
static int
find_own(const struct parse *parse, struct sl_span name)
{
	const char *const *own = parse->rules->own;
	for (int i = 0; own && own[i]; i++)
		if (sl_span_equals(name, own[i]))
			return i;
	return -1;
}

static int
set_own(struct parse *parse, int i, struct sl_span value)
{
	if (parse->own_seen & 1u << i)
		return refuse_repeated(parse, parse->rules->own[i]);
	parse->own_seen |= 1u << i;
	parse->params->own[i] = value;
	return 0;
}

static int
set_parameter(struct parse *parse, const struct parameter *parameter, struct sl_span value)
{
	unsigned bit = 1u << (parameter - parameters);
	if (parse->seen & bit && !parameter->may_repeat)
		return refuse_repeated(parse, parameter->name);
	parse->seen |= bit;
	return parameter->set(parse, parameter, value);
}

/* One `name=value`, decoded only now, so that an escaped '&' or '=' separates nothing. */
static int
take_pair(struct parse *parse, char *pair, size_t len)
{
	char *equals = memchr(pair, '=', len);
	size_t name_len = equals ? (size_t)(equals - pair) : len;
	char *value = equals ? equals + 1 : pair + len;
	size_t value_len = (size_t)(pair + len - value);
	bool bears_others = parse->rules->bears_others;
	bool is_name = decode(pair, &name_len);
	struct sl_span name = { pair, name_len };
	const struct parameter *parameter = is_name ? find_parameter(parse, name) : NULL;
	int own = is_name ? find_own(parse, name) : -1;
	if (bears_others && !parameter && own < 0)
		return 0;
	if (!is_name || !decode(value, &value_len))
		return refuse(parse->error, "bad_query", "query string: a %% lacks its two hexadecimal"
			" digits, or there is a control character; use %%25 for %%");
	struct sl_span text = { value, value_len };
	if (own >= 0)
		return set_own(parse, own, text);
	if (parameter)
		return set_parameter(parse, parameter, text);
	if (text.len && is_last_event_id(name))
		parse->params->last_event_id = text;
	return 0;
}

int
sl_params_parse(struct sl_params *out, char *query, size_t len, unsigned max_channels,
	struct sl_params_error *error)
{
	const struct sl_params_rules rules = { .max_channels = max_channels };
	return sl_params_parse_by(out, query, len, &rules, error);
}

int
sl_params_parse_by(struct sl_params *out, char *query, size_t len,
	const struct sl_params_rules *rules, struct sl_params_error *error)
{
	assert(rules->max_channels >= 1 && rules->max_channels <= SL_CHANNELS_MAX);
	/* not the channels: they alone are a kilobyte, and polls come often */
	memset((char *)out + AT(join.channel_count), 0, sizeof *out - AT(join.channel_count));
	out->join.reason = SL_REASON_NONE;
	out->join.heartbeat_s = out->wait_s = -1;

	struct parse parse = { out, error, rules, 0, 0 };
	while (len) {
		char *separator = memchr(query, '&', len);
		size_t pair_len = separator ? (size_t)(separator - query) : len;
		int err = take_pair(&parse, query, pair_len);
		if (err)
			return err;
		if (!separator)
			break;
		query += pair_len + 1;
		len -= pair_len + 1;
	}
	out->join.probes = out->probe.bytes != NULL;
	return 0;
}

void
sl_params_set_last_event_id(struct sl_params *params, struct sl_span header)
{
	struct sl_span value = header.len ? header : params->last_event_id;
	if (value.len == 0)
		return;
	bool is_cursor = sl_cursor_parse(value.bytes, value.len, &params->join.since) == 0;
	params->join.since_kind = is_cursor ? SL_SINCE_CURSOR : SL_SINCE_FOREIGN;
}

int
sl_params_require_channels(const struct sl_params *params, struct sl_params_error *error)
{
	if (params->join.channel_count == 0)
		return refuse(error, "no_channels", "channels: no channel is named; use one or more, as in channels=a,b");
	if (params->format == SL_FORMAT_RAW && params->join.channel_count > 1)
		return refuse(error, "raw_one_channel", "channels: there are %u channels; use exactly one with format=raw",
			params->join.channel_count);
	return 0;
}

int
sl_params_require_one_channel(const struct sl_params *params, struct sl_params_error *error)
{
	return params->repeats_channel
		? refuse(error, "bad_parameter", "channel: the parameter is repeated; use it once in a publish") : 0;
}
