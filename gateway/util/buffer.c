#include "util/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"
#include "util/span.h"

void
sl_buffer_init(struct sl_buffer *buf)
{
	*buf = (struct sl_buffer)SL_BUFFER_INIT;
}

void
sl_buffer_finish(struct sl_buffer *buf)
{
	free(buf->bytes);
	sl_buffer_init(buf);
}

void
sl_buffer_clear(struct sl_buffer *buf)
{
	buf->len = 0;
	buf->failed = false;
}

int
sl_buffer_reserve(struct sl_buffer *buf, size_t more)
{
	if (buf->failed)
		return SL_ENOMEM;
	if (more <= buf->cap - buf->len)
		return 0;
	size_t cap = buf->cap ? buf->cap : 64;
	while (cap - buf->len < more) {
		if (cap > SIZE_MAX / 2)
			goto fail;
		cap *= 2;
	}
	char *bytes = realloc(buf->bytes, cap);
	if (!bytes)
		goto fail;
	buf->bytes = bytes;
	buf->cap = cap;
	return 0;
fail:
	buf->failed = true;
	return SL_ENOMEM;
}

void
sl_buffer_append(struct sl_buffer *buf, const void *bytes, size_t len)
{
	if (len == 0 || sl_buffer_reserve(buf, len) != 0)
		return;
	memcpy(buf->bytes + buf->len, bytes, len);
	buf->len += len;
}

void
sl_buffer_append_str(struct sl_buffer *buf, const char *str)
{
	sl_buffer_append(buf, str, strlen(str));
}

void
sl_buffer_append_char(struct sl_buffer *buf, char c)
{
	sl_buffer_append(buf, &c, 1);
}

void
sl_buffer_append_u64(struct sl_buffer *buf, uint64_t value)
{
	char room[20];
	struct sl_span digits = sl_span_of_number(value, room);
	sl_buffer_append(buf, digits.bytes, digits.len);
}

void
sl_buffer_printf(struct sl_buffer *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len >= 0 && sl_buffer_reserve(buf, (size_t)len + 1) == 0) {
		vsnprintf(buf->bytes + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

void
sl_buffer_append_json_string(struct sl_buffer *buf, const char *bytes, size_t len)
{
	sl_buffer_append_char(buf, '"');
	size_t plain = 0; /* start of the stretch that needs no escape */
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		sl_buffer_append(buf, bytes + plain, i - plain);
		plain = i + 1;
		switch (c) {
		case '"': sl_buffer_append(buf, "\\\"", 2); break;
		case '\\': sl_buffer_append(buf, "\\\\", 2); break;
		case '\n': sl_buffer_append(buf, "\\n", 2); break;
		case '\r': sl_buffer_append(buf, "\\r", 2); break;
		case '\t': sl_buffer_append(buf, "\\t", 2); break;
		default: sl_buffer_printf(buf, "\\u%04x", c);
		}
	}
	sl_buffer_append(buf, bytes + plain, len - plain);
	sl_buffer_append_char(buf, '"');
}

void
sl_buffer_consume(struct sl_buffer *buf, size_t len)
{
	if (len >= buf->len) {
		buf->len = 0;
		return;
	}
	memmove(buf->bytes, buf->bytes + len, buf->len - len);
	buf->len -= len;
}

char *
sl_buffer_take_string(struct sl_buffer *buf)
{
	sl_buffer_append_char(buf, '\0');
	if (buf->failed)
		sl_buffer_finish(buf);
	char *text = buf->bytes;
	sl_buffer_init(buf);
	return text;
}

int
sl_buffer_status(const struct sl_buffer *buf)
{
	return buf->failed ? SL_ENOMEM : 0;
}
