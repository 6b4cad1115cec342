#include "util/json_check.h"

#include <assert.h>
#include <string.h>

#include "util/err.h"

enum state {
	VALUE,          /* a value must come */
	VALUE_OR_CLOSE, /* behind '[' */
	NAME,           /* behind ',' in an object */
	NAME_OR_CLOSE,  /* behind '{' */
	COLON,
	AFTER,          /* behind a value */
	STRING,
	ESCAPE,         /* behind a backslash */
	HEX_4, HEX_3, HEX_2, HEX_1, /* hexadecimal digits missing */
	LITERAL,
	/* numbers: what was read last */
	MINUS, ZERO, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGIT,
	FAILED,
};

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

static inline bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
open_level(struct sl_json_check *check, bool is_object)
{
	if (check->depth >= check->depth_max) {
		check->is_too_deep = true;
		check->depth++;
		return true;
	}
	uint64_t *objects = &check->objects[check->depth / 64], bit = UINT64_C(1) << check->depth % 64;
	*objects = is_object ? *objects | bit : *objects & ~bit;
	check->depth++;
	check->state = is_object ? NAME_OR_CLOSE : VALUE_OR_CLOSE;
	return true;
}

static bool
in_object(const struct sl_json_check *check)
{
	unsigned level = check->depth - 1u;
	return check->objects[level / 64] >> level % 64 & 1;
}

static bool
close_level(struct sl_json_check *check)
{
	check->depth--;
	check->state = AFTER;
	return true;
}

static bool
begin_literal(struct sl_json_check *check, const char *rest)
{
	check->literal = rest;
	check->state = LITERAL;
	return true;
}

static bool
begin_string(struct sl_json_check *check, bool is_name)
{
	check->in_name = is_name;
	check->state = STRING;
	return true;
}

static bool
begin_value(struct sl_json_check *check, uint8_t c)
{
	switch (c) {
	case '"': return begin_string(check, false);
	case '{': return open_level(check, true);
	case '[': return open_level(check, false);
	case 't': return begin_literal(check, "rue");
	case 'f': return begin_literal(check, "alse");
	case 'n': return begin_literal(check, "ull");
	case '-': check->state = MINUS; return true;
	case '0': check->state = ZERO; return true;
	default: check->state = INTEGER; return is_digit(c);
	}
}

/* A byte outside strings where it is too deep: only the way out is looked for. */
static bool
take_loosely(struct sl_json_check *check, uint8_t c)
{
	switch (c) {
	case '"': return begin_string(check, false);
	case '{': case '[': return open_level(check, false);
	case '}': case ']': return close_level(check);
	default: return is_space(c) || (c > ' ' && c < 0x7f);
	}
}

/* A byte between values. */
static bool
take_token(struct sl_json_check *check, uint8_t c)
{
	if (check->depth > check->depth_max)
		return take_loosely(check, c);
	if (is_space(c))
		return true;
	switch (check->state) {
	case VALUE_OR_CLOSE:
		return c == ']' ? close_level(check) : begin_value(check, c);
	case VALUE:
		return begin_value(check, c);
	case NAME_OR_CLOSE:
		if (c == '}')
			return close_level(check);
		return c == '"' && begin_string(check, true);
	case NAME:
		return c == '"' && begin_string(check, true);
	case COLON:
		check->state = VALUE;
		return c == ':';
	default: /* AFTER */
		if (check->depth == 0)
			return false;
		if (c == (in_object(check) ? '}' : ']'))
			return close_level(check);
		check->state = in_object(check) ? NAME : VALUE;
		return c == ',';
	}
}

/* The byte that ended a plain stretch of a string. */
static bool
take_in_string(struct sl_json_check *check, uint8_t c)
{
	if (c == '"')
		check->state = check->in_name ? COLON : AFTER;
	else
		check->state = ESCAPE;
	return c == '"' || c == '\\';
}

static bool
take_escape(struct sl_json_check *check, uint8_t c)
{
	check->state = c == 'u' ? HEX_4 : STRING;
	return c && strchr("\"\\/bfnrtu", c);
}

static bool
take_hex(struct sl_json_check *check, uint8_t c)
{
	check->state = check->state == HEX_1 ? STRING : check->state + 1;
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool
take_literal(struct sl_json_check *check, uint8_t c)
{
	bool fits = c == (uint8_t)*check->literal++;
	if (*check->literal == '\0')
		check->state = AFTER;
	return fits;
}

/* The state of a number behind `c`, AFTER if `c` is no part of it, FAILED if it must be
 * (RFC 8259, section 6). */
static enum state
next_in_number(enum state state, uint8_t c)
{
	bool exponent = (c | 0x20) == 'e';
	switch (state) {
	case MINUS:
		return c == '0' ? ZERO : is_digit(c) ? INTEGER : FAILED;
	case INTEGER:
		if (is_digit(c))
			return INTEGER;
		return c == '.' ? POINT : exponent ? EXPONENT : AFTER;
	case ZERO:
		return c == '.' ? POINT : exponent ? EXPONENT : AFTER;
	case POINT:
		return is_digit(c) ? FRACTION : FAILED;
	case FRACTION:
		return is_digit(c) ? FRACTION : exponent ? EXPONENT : AFTER;
	case EXPONENT:
		if (c == '+' || c == '-')
			return EXPONENT_SIGN;
		return is_digit(c) ? EXPONENT_DIGIT : FAILED;
	case EXPONENT_SIGN:
		return is_digit(c) ? EXPONENT_DIGIT : FAILED;
	default: /* EXPONENT_DIGIT */
		return is_digit(c) ? EXPONENT_DIGIT : AFTER;
	}
}

/* Returns where the number ends, or `end`. */
static const uint8_t *
take_number(struct sl_json_check *check, const uint8_t *at, const uint8_t *end)
{
	enum state state = check->state;
	while (at < end && state >= MINUS && state <= EXPONENT_DIGIT) {
		state = next_in_number(state, *at);
		at += state != AFTER;
	}
	check->state = (uint8_t)state;
	return at;
}

void
sl_json_check_init(struct sl_json_check *check, unsigned depth_max)
{
	assert(depth_max <= SL_JSON_DEPTH_MAX + 1);
	*check = (struct sl_json_check){ .state = VALUE, .depth_max = (uint16_t)depth_max };
}

int
sl_json_check_feed(struct sl_json_check *check, const void *bytes, size_t len)
{
	const uint8_t *at = bytes, *end = len ? at + len : at;
	bool fits = true;
	while (fits && at < end) {
		switch (check->state) {
		case STRING:
			at += sl_json_plain_len(at, (size_t)(end - at));
			if (at < end)
				fits = take_in_string(check, *at++);
			break;
		case ESCAPE:
			fits = take_escape(check, *at++);
			break;
		case HEX_4: case HEX_3: case HEX_2: case HEX_1:
			fits = take_hex(check, *at++);
			break;
		case LITERAL:
			fits = take_literal(check, *at++);
			break;
		case MINUS: case ZERO: case INTEGER: case POINT: case FRACTION:
		case EXPONENT: case EXPONENT_SIGN: case EXPONENT_DIGIT:
			at = take_number(check, at, end);
			fits = check->state != FAILED;
			break;
		case FAILED:
			fits = false;
			break;
		default:
			fits = take_token(check, *at++);
		}
	}
	if (fits)
		return 0;
	check->state = FAILED;
	return SL_ESYNTAX;
}

int
sl_json_check_finish(const struct sl_json_check *check)
{
	if (check->depth > 0)
		return SL_ESYNTAX;
	switch (check->state) {
	case AFTER: case ZERO: case INTEGER: case FRACTION: case EXPONENT_DIGIT:
		return check->is_too_deep ? SL_ETOODEEP : 0;
	default:
		return SL_ESYNTAX;
	}
}
