#include "util/base64.h"

#include <ctype.h>
#include <stdint.h>

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
