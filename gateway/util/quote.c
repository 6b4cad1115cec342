#include "util/quote.h"

#include <string.h>

void
sl_quote(char out[SL_QUOTED_SIZE], struct sl_span value)
{
	size_t len = value.len < SL_QUOTE_MAX ? value.len : SL_QUOTE_MAX;
	char *at = out;
	*at++ = '"';
	for (size_t i = 0; i < len; i++) {
		char c = value.bytes[i];
		*at++ = c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c;
	}
	strcpy(at, value.len > len ? "...\"" : "\"");
}
