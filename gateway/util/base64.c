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

/* 64 for what is no character of the alphabet. */
static unsigned
get_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : 64;
}

/* The length without the padding, where that is what the length asks for. Errors: SL_EINVAL. */
static int
drop_padding(struct sl_span *text)
{
	size_t padding = 0;
	while (padding < 2 && padding < text->len && text->bytes[text->len - 1 - padding] == '=')
		padding++;
	if (padding && text->len % 4 != 0)
		return SL_EINVAL;
	text->len -= padding;
	return text->len % 4 == 1 ? SL_EINVAL : 0;
}

int
sl_base64_decode(struct sl_buffer *out, struct sl_span text)
{
	int err = drop_padding(&text);
	if (err == 0 && text.len > 0)
		err = sl_buffer_reserve(out, text.len / 4 * 3 + 3);
	if (err != 0)
		return err;
	size_t start = out->len;
	uint32_t bits = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned value = get_value(text.bytes[i]);
		if (value == 64) {
			out->len = start;
			return SL_EINVAL;
		}
		bits = bits << 6 | value;
		if (i % 4 != 0)
			out->bytes[out->len++] = (char)(uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	return 0;
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
