#include "util/redact.h"

#define STAR '*'
#define BEARER "bearer." /* http/credentials.h */

static void
cover(char *at, const char *end)
{
	if (at < end)
		memset(at, STAR, (size_t)(end - at));
}

static bool
is_word_end(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

/* ---- targets ---- */

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character at `*at`, which may be escaped; moves on behind it. */
static char
take_char(const char **at, const char *end)
{
	const char *text = *at;
	bool is_escaped = *text == '%' && end - text >= 3 && hex_value(text[1]) >= 0 &&
		hex_value(text[2]) >= 0;
	*at += is_escaped ? 3 : 1;
	return is_escaped ? (char)(hex_value(text[1]) << 4 | hex_value(text[2])) : *text;
}

/* What stands behind `name` and '=', or NULL. */
static char *
skip_name(char *text, const char *end, const char *name)
{
	const char *at = text;
	for (; *name; name++)
		if (at == end || (take_char(&at, end) | 0x20) != *name)
			return NULL;
	return at < end && *at == '=' ? text + (at + 1 - text) : NULL;
}

/* Whoever knows a `sid` has the session of its client (clients/engine_io). */
static char *
skip_secret(char *text, const char *end)
{
	static const char *const names[] = { "token", "ticket", "sid" };
	char *value = NULL;
	for (size_t i = 0; i < sizeof names / sizeof *names && !value; i++)
		value = skip_name(text, end, names[i]);
	return value;
}

void
sl_redact_target(char *text, size_t len)
{
	char *end = text + len;
	for (char *at = text; at < end; at++) {
		if (*at != '?' && *at != '&')
			continue;
		char *value = skip_secret(at + 1, end);
		if (!value)
			continue;
		char *value_end = value;
		while (value_end < end && *value_end != '&' && !is_word_end(*value_end))
			value_end++;
		cover(value, value_end);
		at = value_end - 1; /* which may be '&', the beginning of the next one */
	}
}

/* ---- fields ---- */

bool
sl_redact_is_secret(struct sl_span name)
{
	static const char *const names[] = {
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (sl_span_is_word(name, names[i]))
			return true;
	return false;
}

/* In any case, though only lower case counts. */
static void
redact_protocols(char *value, size_t len)
{
	const size_t prefix_len = sizeof BEARER - 1;
	char *end = value + len;
	for (char *at = value; (size_t)(end - at) >= prefix_len; at++) {
		if (strncasecmp(at, BEARER, prefix_len) != 0)
			continue;
		char *token = at + prefix_len, *token_end = token;
		while (token_end < end && *token_end != ',' && !is_word_end(*token_end))
			token_end++;
		cover(token, token_end);
		at = token_end - 1;
	}
}

void
sl_redact_value(struct sl_span name, char *value, size_t len)
{
	if (sl_redact_is_secret(name))
		cover(value, value + len);
	else if (sl_span_is_word(name, "Sec-WebSocket-Protocol"))
		redact_protocols(value, len);
	else
		sl_redact_target(value, len);
}

/* ---- heads ---- */

static char *
find_line_end(char *at, const char *end)
{
	while (at < end && *at != '\r' && *at != '\n')
		at++;
	return at;
}

/* A line that begins with a blank continues the field before it (RFC 9112, section 5.2), whose name
 * is kept in `*name`. */
static void
redact_line(char *line, char *end, struct sl_span *name)
{
	bool is_folded = line < end && sl_is_blank(*line) && name->bytes;
	char *colon = is_folded ? NULL : memchr(line, ':', (size_t)(end - line));
	if (colon)
		*name = sl_span_trim(line, colon);
	else if (!is_folded)
		*name = (struct sl_span){ 0 };
	char *value = colon ? colon + 1 : line;
	while (value < end && sl_is_blank(*value))
		value++;
	if (sl_redact_is_secret(*name) || sl_span_is_word(*name, "Sec-WebSocket-Protocol"))
		sl_redact_value(*name, value, (size_t)(end - value));
	else
		sl_redact_target(line, (size_t)(end - line));
}

void
sl_redact_head(char *bytes, size_t len)
{
	char *end = bytes + len;
	struct sl_span name = { 0 };
	for (char *line = bytes; line < end;) {
		char *line_end = find_line_end(line, end);
		if (line_end > line) /* an empty line ends nothing: CR and LF are looked at one by one */
			redact_line(line, line_end, &name);
		line = line_end + 1;
	}
}
