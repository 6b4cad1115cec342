/* A stretch of somebody else's bytes.
 * Owner: whoever owns the bytes. Thread: theirs. Errors: none. `bytes` is NULL where a
 * thing is absent, and not NULL where it is there but empty. */
#ifndef SL_UTIL_SPAN_H
#define SL_UTIL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct sl_span {
	const char *bytes;
	size_t len;
};

/* True when the span is there and holds exactly `text`. */
static inline bool
sl_span_equals(struct sl_span span, const char *text)
{
	size_t len = strlen(text);
	return span.bytes && span.len == len && memcmp(span.bytes, text, len) == 0;
}

/* True for digits only, with the number of at most `max` that they make in `*out`. */
static inline bool
sl_span_to_number(struct sl_span digits, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	for (size_t i = 0; i < digits.len; i++)
		if (digits.bytes[i] < '0' || digits.bytes[i] > '9'
			|| __builtin_mul_overflow(value, 10u, &value)
			|| __builtin_add_overflow(value, (uint64_t)(digits.bytes[i] - '0'), &value))
			return false;
	*out = value;
	return digits.len > 0 && value <= max;
}

/* sl_span_equals() where case does not matter. */
static inline bool
sl_span_is_word(struct sl_span span, const char *word)
{
	size_t len = strlen(word);
	return span.bytes && span.len == len && strncasecmp(span.bytes, word, len) == 0;
}

/* What HTTP calls whitespace within a line (OWS: RFC 9110, section 5.6.3). */
static inline bool
sl_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What lies between `at` and `end`, without blanks around it. */
static inline struct sl_span
sl_span_trim(const char *at, const char *end)
{
	while (at < end && sl_is_blank(*at))
		at++;
	while (end > at && sl_is_blank(end[-1]))
		end--;
	return (struct sl_span){ at, (size_t)(end - at) };
}

/* The digits of `number`, in `room`. */
static inline struct sl_span
sl_span_of_number(uint64_t number, char room[20])
{
	size_t at = 20;
	do
		room[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return (struct sl_span){ room + at, 20 - at };
}

#endif
