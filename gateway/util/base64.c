#include "util/base64.h"

#include <ctype.h>
#include <stdint.h>

#include "util/err.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
sl_base64_encoded_len(size_t len)
{
	return (len + 2) / 3 * 4;
}

void
sl_base64_encode(char *out, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	for (; len >= 3; len -= 3, at += 3) {
		*out++ = alphabet[at[0] >> 2];
		*out++ = alphabet[(at[0] & 3) << 4 | at[1] >> 4];
		*out++ = alphabet[(at[1] & 15) << 2 | at[2] >> 6];
		*out++ = alphabet[at[2] & 63];
	}
	if (len == 0)
		return;
	uint8_t second = len == 2 ? at[1] : 0;
	*out++ = alphabet[at[0] >> 2];
	*out++ = alphabet[(at[0] & 3) << 4 | second >> 4];
	*out++ = len == 2 ? alphabet[(second & 15) << 2] : '=';
	*out = '=';
}

void
sl_base64_append(struct sl_buffer *buf, const void *bytes, size_t len)
{
	size_t encoded_len = sl_base64_encoded_len(len);
	if (len == 0 || sl_buffer_reserve(buf, encoded_len) != 0)
		return;
	sl_base64_encode(buf->bytes + buf->len, bytes, len);
	buf->len += encoded_len;
}

/* -1: it is no character of the alphabet. */
static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Four characters of which the last `padding` are '='. */
static bool
decode_group(const char *text, size_t padding, uint8_t out[3])
{
	uint32_t bits = 0;
	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - padding ? value_of(text[i]) : 0;
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	for (size_t i = 0; i < 3; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return padding == 0 || (bits & ((1u << (8 * padding)) - 1)) == 0;
}

int
sl_base64_decode(struct sl_buffer *out, struct sl_span text)
{
	size_t before = out->len, padding = 0;
	if (text.len % 4 != 0)
		return SL_EINVAL;
	if (text.len > 0 && text.bytes[text.len - 1] == '=')
		padding = text.bytes[text.len - 2] == '=' ? 2 : 1;
	if (text.len > 0 && sl_buffer_reserve(out, text.len / 4 * 3) != 0)
		return SL_ENOMEM;
	for (size_t i = 0; i < text.len; i += 4) {
		uint8_t bytes[3];
		size_t lacking = i + 4 == text.len ? padding : 0;
		if (!decode_group(text.bytes + i, lacking, bytes)) {
			out->len = before;
			return SL_EINVAL;
		}
		sl_buffer_append(out, bytes, 3 - lacking);
	}
	return sl_buffer_status(out);
}

bool
sl_base64_is_key16(const char *text, size_t len)
{
	if (len != 24 || text[22] != '=' || text[23] != '=')
		return false;
	for (size_t i = 0; i < 22; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '+' && text[i] != '/')
			return false;
	return true;
}
