#include "bus/cursor.h"

#include "util/err.h"
#include "util/span.h"

#define EPOCH_DIGITS 8

size_t
sl_cursor_format(struct sl_cursor cursor, char out[SL_CURSOR_MAX])
{
	static const char hex[] = "0123456789abcdef";
	size_t len = 0;
	for (int shift = 28; shift >= 0; shift -= 4)
		out[len++] = hex[cursor.epoch >> shift & 15];
	out[len++] = '-';
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + cursor.seq % 10);
		cursor.seq /= 10;
	} while (cursor.seq);
	while (at < sizeof digits)
		out[len++] = digits[at++];
	out[len] = '\0';
	return len;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
sl_cursor_parse(const char *text, size_t len, struct sl_cursor *out)
{
	struct sl_cursor cursor = { 0 };
	if (len < EPOCH_DIGITS + 2 || text[EPOCH_DIGITS] != '-')
		return SL_EINVAL;
	for (size_t i = 0; i < EPOCH_DIGITS; i++) {
		int value = hex_value(text[i]);
		if (value < 0)
			return SL_EINVAL;
		cursor.epoch = cursor.epoch << 4 | (uint32_t)value;
	}
	struct sl_span digits = { text + EPOCH_DIGITS + 1, len - EPOCH_DIGITS - 1 };
	bool is_padded = digits.bytes[0] == '0' && digits.len > 1;
	if (cursor.epoch == 0 || is_padded || !sl_span_to_number(digits, INT64_MAX, &cursor.seq))
		return SL_EINVAL;
	*out = cursor;
	return 0;
}
