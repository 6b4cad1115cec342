#include "transports/sse_event.h"

#include <string.h>

static void
append_id(struct sl_buffer *buf, struct sl_cursor id)
{
	char cursor[SL_CURSOR_MAX];
	size_t len = sl_cursor_format(id, cursor);
	sl_buffer_append(buf, "id: ", 4);
	sl_buffer_append(buf, cursor, len);
	sl_buffer_append_char(buf, '\n');
}

static void
append_line(struct sl_buffer *buf, const char *line, size_t len)
{
	sl_buffer_append(buf, "data: ", 6);
	sl_buffer_append(buf, line, len);
	sl_buffer_append_char(buf, '\n');
}

static void
append_lines(struct sl_buffer *buf, const char *payload, size_t len)
{
	size_t start = 0;
	for (size_t at = 0; at < len; at++) {
		if (payload[at] != '\n' && payload[at] != '\r')
			continue;
		append_line(buf, payload + start, at - start);
		if (payload[at] == '\r' && at + 1 < len && payload[at + 1] == '\n')
			at++;
		start = at + 1;
	}
	append_line(buf, payload + start, len - start);
}

void
sl_sse_append_message(struct sl_buffer *buf, struct sl_cursor id, const char *payload,
	size_t len)
{
	append_id(buf, id);
	if (!memchr(payload, '\n', len) && !memchr(payload, '\r', len))
		append_line(buf, payload, len);
	else
		append_lines(buf, payload, len);
	sl_buffer_append_char(buf, '\n');
}

void
sl_sse_append_event(struct sl_buffer *buf, const char *name, const struct sl_cursor *id,
	const char *line, size_t len)
{
	if (id)
		append_id(buf, *id);
	sl_buffer_append(buf, "event: ", 7);
	sl_buffer_append_str(buf, name);
	sl_buffer_append_char(buf, '\n');
	append_line(buf, line, len);
	sl_buffer_append_char(buf, '\n');
}

void
sl_sse_append_retry(struct sl_buffer *buf, uint64_t retry_ms)
{
	sl_buffer_append(buf, "retry: ", 7);
	sl_buffer_append_u64(buf, retry_ms);
	sl_buffer_append_char(buf, '\n');
}
