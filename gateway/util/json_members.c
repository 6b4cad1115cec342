#include "util/json_members.h"

#include <ctype.h>
#include <stdint.h>

#include "util/err.h"
#include "util/json_check.h"

static enum sl_json_kind
kind_of(char first)
{
	switch (first) {
	case '"': return SL_JSON_STRING;
	case '{': return SL_JSON_OBJECT;
	case '[': return SL_JSON_ARRAY;
	case 't': return SL_JSON_TRUE;
	case 'f': return SL_JSON_FALSE;
	case 'n': return SL_JSON_NULL;
	default: return SL_JSON_NUMBER;
	}
}

static int
open_walk(struct sl_json_members *members, const char *text, size_t len, char bracket)
{
	const char *end = text + len;
	const char *at = sl_json_pass_space(text, end);
	if (at == end || *at != bracket)
		return SL_EINVAL;
	*members = (struct sl_json_members){ at + 1, end, bracket == '{' };
	return 0;
}

int
sl_json_members_open(struct sl_json_members *members, const char *text, size_t len)
{
	return open_walk(members, text, len, '{');
}

int
sl_json_elements_open(struct sl_json_members *members, const char *text, size_t len)
{
	return open_walk(members, text, len, '[');
}

bool
sl_json_members_next(struct sl_json_members *members, struct sl_json_member *out)
{
	const char *end = members->end;
	const char *at = sl_json_pass_space(members->at, end);
	if (at < end && *at == ',')
		at = sl_json_pass_space(at + 1, end);
	if (at >= end || *at == '}' || *at == ']')
		return false;
	out->name = (struct sl_span){ 0 };
	if (members->named) {
		out->name.bytes = at + 1;
		at = sl_json_pass_string(at + 1, end);
		out->name.len = (size_t)(at - out->name.bytes) - 1;
		at = sl_json_pass_space(at, end);     /* to the colon */
		at = sl_json_pass_space(at + 1, end); /* to the value */
	}
	out->value.bytes = at;
	out->kind = kind_of(*at);
	members->at = sl_json_pass_value(at, end);
	out->value.len = (size_t)(members->at - at);
	return true;
}

struct sl_span
sl_json_unquote(struct sl_span value)
{
	return (struct sl_span){ value.bytes + 1, value.len - 2 };
}

static uint32_t
read_hex4(const char *at)
{
	uint32_t unit = 0;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
		unit = unit << 4 | digit;
	}
	return unit;
}

static size_t
encode_utf8(char out[4], uint32_t point)
{
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 }; /* by length */
	size_t len = 1u + (point >= 0x80) + (point >= 0x800) + (point >= 0x10000);
	for (size_t i = len - 1; i > 0; i--, point >>= 6)
		out[i] = (char)(0x80 | (point & 63));
	out[0] = (char)(leads[len] | point);
	return len;
}

/* Decodes the escape at `*at` (its backslash) and moves on; returns how many bytes it
 * stands for, 0 for a lone surrogate (RFC 8259, section 7). */
static size_t
decode_escape(const char **at, const char *end, char out[4])
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	char c = (*at)[1];
	*at += 2;
	if (c != 'u') {
		const char *letter = memchr(letters, c, sizeof letters - 1);
		out[0] = letter ? meanings[letter - letters] : c;
		return 1;
	}
	uint32_t point = read_hex4(*at);
	*at += 4;
	if (point >= 0xd800 && point <= 0xdbff) {
		if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
			return 0;
		uint32_t low = read_hex4(*at + 2);
		if (low < 0xdc00 || low > 0xdfff)
			return 0;
		*at += 6;
		point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
	} else if (point >= 0xdc00 && point <= 0xdfff) {
		return 0;
	}
	return encode_utf8(out, point);
}

int
sl_json_string_decode(struct sl_buffer *out, const char *raw, size_t len)
{
	const char *at = raw, *end = raw + len;
	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		const char *stop = escape ? escape : end;
		sl_buffer_append(out, at, (size_t)(stop - at));
		at = stop;
		if (!escape)
			break;
		char bytes[4];
		size_t count = decode_escape(&at, end, bytes);
		if (count == 0)
			return SL_EUTF8;
		sl_buffer_append(out, bytes, count);
	}
	return sl_buffer_status(out);
}

bool
sl_json_string_equals(const char *raw, size_t len, const char *text)
{
	const char *at = raw, *end = raw + len;
	const char *text_end = text + strlen(text);
	while (at < end) {
		char bytes[4] = { *at };
		size_t count = 1;
		if (*at == '\\')
			count = decode_escape(&at, end, bytes);
		else
			at++;
		if (count == 0 || count > (size_t)(text_end - text) || memcmp(text, bytes, count) != 0)
			return false;
		text += count;
	}
	return text == text_end;
}
