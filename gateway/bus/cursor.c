#include "bus/cursor.h"

#include <string.h>

#include "util/err.h"
#include "util/span.h"

#define EPOCH_DIGITS 8

static const char hex[] = "0123456789abcdef";

size_t
sl_cursor_format(struct sl_cursor cursor, char out[SL_CURSOR_MAX])
{
	char room[20];
	struct sl_span digits = sl_span_of_number(cursor.seq, room);
	size_t len = 0;
	for (int shift = 28; shift >= 0; shift -= 4)
		out[len++] = hex[cursor.epoch >> shift & 15];
	out[len++] = '-';
	memcpy(out + len, digits.bytes, digits.len);
	out[len + digits.len] = '\0';
	return len + digits.len;
}

int
sl_cursor_parse(const char *text, size_t len, struct sl_cursor *out)
{
	struct sl_cursor cursor = { 0 };
	if (len < EPOCH_DIGITS + 2 || text[EPOCH_DIGITS] != '-')
		return SL_EINVAL;
	for (size_t i = 0; i < EPOCH_DIGITS; i++) {
		const char *digit = memchr(hex, text[i], 16);
		if (!digit)
			return SL_EINVAL;
		cursor.epoch = cursor.epoch << 4 | (uint32_t)(digit - hex);
	}
	struct sl_span digits = { text + EPOCH_DIGITS + 1, len - EPOCH_DIGITS - 1 };
	bool is_padded = digits.bytes[0] == '0' && digits.len > 1;
	if (cursor.epoch == 0 || is_padded || !sl_span_to_number(digits, INT64_MAX, &cursor.seq))
		return SL_EINVAL;
	*out = cursor;
	return 0;
}
