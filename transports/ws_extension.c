#include "transports/ws_extension.h"

#include <stdio.h>
#include <string.h>

#include "http/head.h"
#include "util/deflate.h"

#define NAME "permessage-deflate"
#define FIELD "Sec-WebSocket-Extensions"

/* As much of a parameter's value as any of ours has, and one more. */
struct value {
	size_t len; /* of all of it; 0: it has none */
	char bytes[3];
};

enum wants { NO_VALUE, BITS, BITS_OR_NO_VALUE };

/* RFC 7692, section 7.1. */
static const struct {
	const char *name;
	enum wants wants;
} parameters[] = {
	{ "server_no_context_takeover", NO_VALUE },
	{ "client_no_context_takeover", NO_VALUE },
	{ "server_max_window_bits", BITS },
	{ "client_max_window_bits", BITS_OR_NO_VALUE },
};

enum { SERVER_BITS = 2 }; /* its place in the table */

struct offer {
	bool is_acceptable;
	unsigned seen; /* a bit for each parameter */
	unsigned server_bits;
};

/* ---- grammar ---- */

/* Drops what `chars` has from the front. */
static void
skip(struct sl_span *rest, const char *chars)
{
	while (rest->len && strchr(chars, *rest->bytes)) {
		rest->bytes++;
		rest->len--;
	}
}

/* Drops `c` from the front; false when it is not there. */
static bool
take_char(struct sl_span *rest, char c)
{
	if (!rest->len || *rest->bytes != c)
		return false;
	rest->bytes++;
	rest->len--;
	return true;
}

/* RFC 9110, section 5.6.2; false when there is none. */
static bool
take_token(struct sl_span *rest, struct sl_span *token)
{
	*token = *rest;
	while (rest->len && sl_head_is_token_char((unsigned char)*rest->bytes)) {
		rest->bytes++;
		rest->len--;
	}
	token->len -= rest->len;
	return token->len > 0;
}

static void
add_to_value(struct value *value, char c)
{
	if (value->len < sizeof value->bytes)
		value->bytes[value->len] = c;
	value->len++;
}

/* Behind the first quote. What it stands for has to be a token: quotes and backslashes are only another
 * way to write it. */
static bool
take_quoted(struct sl_span *rest, struct value *value)
{
	while (!take_char(rest, '"')) {
		take_char(rest, '\\');
		if (!rest->len || !sl_head_is_token_char((unsigned char)*rest->bytes))
			return false;
		add_to_value(value, *rest->bytes);
		take_char(rest, *rest->bytes);
	}
	return value->len > 0;
}

static bool
take_value(struct sl_span *rest, struct value *value)
{
	struct sl_span token;
	skip(rest, " \t");
	if (take_char(rest, '"'))
		return take_quoted(rest, value);
	if (!take_token(rest, &token))
		return false;
	for (size_t i = 0; i < token.len; i++)
		add_to_value(value, token.bytes[i]);
	return true;
}

/* ---- permessage-deflate ---- */

/* 8 to 15 without leading zeros, or 0: it is none of these. */
static unsigned
read_bits(const struct value *value)
{
	if (value->len == 1 && (value->bytes[0] == '8' || value->bytes[0] == '9'))
		return (unsigned)(value->bytes[0] - '0');
	if (value->len == 2 && value->bytes[0] == '1' && value->bytes[1] >= '0' && value->bytes[1] <= '5')
		return 10u + (unsigned)(value->bytes[1] - '0');
	return 0;
}

static bool
suits(enum wants wants, const struct value *value)
{
	if (value->len == 0)
		return wants != BITS;
	return wants != NO_VALUE && read_bits(value) > 0;
}

static void
note_parameter(struct offer *offer, struct sl_span name, const struct value *value)
{
	for (unsigned i = 0; i < sizeof parameters / sizeof *parameters; i++) {
		if (!sl_span_equals(name, parameters[i].name))
			continue;
		if (offer->seen & 1u << i || !suits(parameters[i].wants, value))
			offer->is_acceptable = false;
		offer->seen |= 1u << i;
		if (i == SERVER_BITS)
			offer->server_bits = read_bits(value);
		return;
	}
	offer->is_acceptable = false;
}

static void
accept_offer(const struct offer *offer, struct sl_ws_agreement *out)
{
	if (!offer->is_acceptable || out->window_bits)
		return;
	out->names_window = offer->seen & 1u << SERVER_BITS;
	out->window_bits = (uint8_t)(out->names_window ? offer->server_bits : SL_DEFLATE_BITS_MAX);
}

/* ---- the field ---- */

/* token *( ";" token [ "=" value ] ) */
static bool
take_extension(struct sl_span *rest, struct sl_ws_agreement *out)
{
	struct sl_span name;
	if (!take_token(rest, &name))
		return false;
	struct offer offer = { .is_acceptable = sl_span_equals(name, NAME) };
	skip(rest, " \t");
	while (take_char(rest, ';')) {
		struct value value = { 0 };
		skip(rest, " \t");
		if (!take_token(rest, &name))
			return false;
		skip(rest, " \t");
		if (take_char(rest, '=') && !take_value(rest, &value))
			return false;
		skip(rest, " \t");
		note_parameter(&offer, name, &value);
	}
	accept_offer(&offer, out);
	return true;
}

/* An empty list is fine, since a list may have empty elements. */
static bool
read_line(struct sl_span line, struct sl_ws_agreement *out)
{
	for (;;) {
		skip(&line, ", \t");
		if (line.len == 0)
			return true;
		if (!take_extension(&line, out) || (line.len && *line.bytes != ','))
			return false;
	}
}

bool
sl_ws_extension_read(const struct sl_head *head, struct sl_ws_agreement *out)
{
	struct sl_span rest = head->lines, line;
	*out = (struct sl_ws_agreement){ 0 };
	if (head->count[SL_FIELD_WS_EXTENSIONS] == 0)
		return true;
	while (sl_head_next_of(&rest, FIELD, &line))
		if (!read_line(line, out))
			return false;
	return true;
}

struct sl_span
sl_ws_extension_write(const struct sl_ws_agreement *agreement, char room[SL_WS_EXTENSION_MAX])
{
	int len = snprintf(room, SL_WS_EXTENSION_MAX,
		NAME "; server_no_context_takeover; client_no_context_takeover");
	if (agreement->names_window)
		len += snprintf(room + len, SL_WS_EXTENSION_MAX - (size_t)len,
			"; server_max_window_bits=%u", agreement->window_bits);
	return (struct sl_span){ room, (size_t)len };
}
