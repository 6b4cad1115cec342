/* A stretch of somebody else's bytes.
 * Owner: whoever owns the bytes. Thread: theirs. Errors: none. `bytes` is NULL where a
 * thing is absent, and not NULL where it is there but empty. */
#ifndef SL_UTIL_SPAN_H
#define SL_UTIL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
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

/* The same where case does not matter. */
static inline bool
sl_span_is_word(struct sl_span span, const char *word)
{
	size_t len = strlen(word);
	return span.bytes && span.len == len && strncasecmp(span.bytes, word, len) == 0;
}

#endif
