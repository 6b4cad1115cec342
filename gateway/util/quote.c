#include "util/quote.h"

#include <stdbool.h>
#include <string.h>

static bool
is_of_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* No further than to know that the word is too long. */
static size_t
measure_word(const char *bytes, size_t len)
{
	size_t count = 0;
	while (count < len && count <= SL_QUOTE_WORD_MAX && is_of_word(bytes[count]))
		count++;
	return count;
}

void
sl_quote(char out[SL_QUOTED_SIZE], struct sl_span value)
{
	size_t len = value.len < SL_QUOTE_MAX ? value.len : SL_QUOTE_MAX, word = 0;
	char *at = out;
	*at++ = '"';
	for (size_t i = 0; i < len; i++) {
		char c = value.bytes[i];
		if (word == 0)
			word = measure_word(value.bytes + i, value.len - i);
		if (word > SL_QUOTE_WORD_MAX) {
			strcpy(at, "***...\"");
			return;
		}
		word -= word > 0;
		*at++ = c < ' ' || c > '~' || strchr("\"\\<>", c) ? '?' : c;
	}
	strcpy(at, value.len > len ? "...\"" : "\"");
}
