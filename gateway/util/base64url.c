#include "util/base64url.h"

#include <stdint.h>

#include "util/err.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
sl_base64url_append(struct sl_buffer *out, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	if (sl_buffer_reserve(out, (len + 2) / 3 * 4) != 0)
		return;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)at[i] << 16;
		group |= left > 1 ? (uint32_t)at[i + 1] << 8 : 0;
		group |= left > 2 ? at[i + 2] : 0;
		for (size_t j = 0; j <= left; j++)
			out->bytes[out->len++] = alphabet[group >> (18 - 6 * j) & 63];
	}
}

/* 0 to 63, or -1. */
static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

int
sl_base64url_decode(struct sl_buffer *out, struct sl_span text)
{
	uint32_t group = 0;
	unsigned bits = 0;
	if (text.len % 4 == 1)
		return SL_EINVAL;
	if (sl_buffer_reserve(out, text.len / 4 * 3 + 3) != 0)
		return SL_ENOMEM;
	size_t len = out->len;
	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(text.bytes[i]);
		if (value < 0)
			return SL_EINVAL;
		group = group << 6 | (uint32_t)value;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		out->bytes[len++] = (char)(group >> bits);
		group &= (1u << bits) - 1;
	}
	if (group != 0)
		return SL_EINVAL;
	out->len = len;
	return 0;
}
