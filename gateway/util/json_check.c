#include "util/json_check.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "util/err.h"

#define REPEAT(byte) (0x0101010101010101u * (byte))

/* Nonzero if any byte of the word is zero ("Bit Twiddling Hacks", Anderson). */
static inline uint64_t
any_zero(uint64_t word)
{
	return (word - REPEAT(0x01)) & ~word & REPEAT(0x80);
}

static inline bool
is_plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

size_t
sl_json_plain_len(const void *bytes, size_t len)
{
	const uint8_t *start = bytes;
	size_t at = 0;
	for (; len - at >= 8; at += 8) {
		uint64_t word;
		memcpy(&word, start + at, sizeof word);
		uint64_t control = (word - REPEAT(0x20)) & ~word & REPEAT(0x80);
		if (control | any_zero(word ^ REPEAT('"')) | any_zero(word ^ REPEAT('\\')))
			break;
	}
	while (at < len && is_plain(start[at]))
		at++;
	return at;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

const char *
sl_json_pass_space(const char *at, const char *end)
{
	while (at < end && is_space(*at))
		at++;
	return at;
}

const char *
sl_json_pass_string(const char *at, const char *end)
{
	for (;;) {
		at += sl_json_plain_len(at, (size_t)(end - at));
		if (at < end && *at == '"')
			return at + 1;
		if (end - at < 2 || *at++ != '\\' || !*at || !strchr("\"\\/bfnrtu", *at))
			return NULL;
		for (int digits = *at++ == 'u' ? 4 : 0; digits > 0; digits--)
			if (at == end || !isxdigit((unsigned char)*at++))
				return NULL;
	}
}

static const char *
pass_nested(const char *at, const char *end)
{
	size_t depth = 0;
	while (at && at < end) {
		char c = *at++;
		if (c == '"')
			at = sl_json_pass_string(at, end);
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return at;
		else if (!is_space(c) && (c <= ' ' || c >= 0x7f))
			return NULL;
	}
	return NULL;
}

/* At least one. */
static const char *
pass_digits(const char *at, const char *end)
{
	const char *start = at;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at > start ? at : NULL;
}

/* RFC 8259, section 6. */
static const char *
pass_number(const char *at, const char *end)
{
	at += *at == '-';
	at = at < end && *at == '0' ? at + 1 : pass_digits(at, end);
	if (at && at < end && *at == '.')
		at = pass_digits(at + 1, end);
	if (at && at < end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < end && (*at == '+' || *at == '-');
		at = pass_digits(at, end);
	}
	return at;
}

static const char *
pass_word(const char *at, const char *end, const char *word)
{
	size_t len = strlen(word);
	return (size_t)(end - at) >= len && memcmp(at, word, len) == 0 ? at + len : NULL;
}

const char *
sl_json_pass_value(const char *at, const char *end)
{
	switch (*at) {
	case '{': case '[': return pass_nested(at, end);
	case '"': return sl_json_pass_string(at + 1, end);
	case 't': return pass_word(at, end, "true");
	case 'f': return pass_word(at, end, "false");
	case 'n': return pass_word(at, end, "null");
	default: return pass_number(at, end);
	}
}

/* From a member's name to its value. */
static const char *
pass_name(const char *at, const char *end)
{
	at = at < end && *at == '"' ? sl_json_pass_string(at + 1, end) : NULL;
	at = at ? sl_json_pass_space(at, end) : NULL;
	return at && at < end && *at == ':' ? sl_json_pass_space(at + 1, end) : NULL;
}

/* Calls itself `depth_left` times at most. */
static const char *
check_value(const char *at, const char *end, unsigned depth_left, bool *is_too_deep)
{
	if (at == end)
		return NULL;
	bool is_object = *at == '{', nests = is_object || *at == '[';
	if (nests && depth_left == 0)
		*is_too_deep = true;
	if (!nests || depth_left == 0)
		return sl_json_pass_value(at, end);
	char closing = is_object ? '}' : ']';
	at = sl_json_pass_space(at + 1, end);
	if (at < end && *at == closing)
		return at + 1;
	for (;;) {
		at = is_object ? pass_name(at, end) : at;
		at = at ? check_value(at, end, depth_left - 1, is_too_deep) : NULL;
		at = at ? sl_json_pass_space(at, end) : NULL;
		if (at && at < end && *at == closing)
			return at + 1;
		if (!at || at == end || *at != ',')
			return NULL;
		at = sl_json_pass_space(at + 1, end);
	}
}

int
sl_json_check(const char *text, size_t len, unsigned depth_max)
{
	const char *end = len ? text + len : text;
	bool is_too_deep = false;
	assert(depth_max <= SL_JSON_DEPTH_MAX + 1);
	const char *at = check_value(sl_json_pass_space(text, end), end, depth_max, &is_too_deep);
	if (!at || sl_json_pass_space(at, end) != end)
		return SL_ESYNTAX;
	return is_too_deep ? SL_ETOODEEP : 0;
}
