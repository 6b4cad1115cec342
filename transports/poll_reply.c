#include "transports/poll_reply.h"

#include "bus/message.h"
#include "live/control.h"
#include "util/http_date.h"

#define ENVELOPE_BYTES 256 /* around the messages of a body without gaps */

static void
append_cursor(struct sl_buffer *out, struct sl_cursor cursor)
{
	char text[SL_CURSOR_MAX];
	size_t len = sl_cursor_format(cursor, text);
	sl_buffer_append(out, text, len);
}

void
sl_poll_reply_append_head(struct sl_buffer *out, const struct sl_poll_head *head)
{
	sl_buffer_append_str(out, head->status == 204 ? "HTTP/1.1 204 No Content\r\n" :
		"HTTP/1.1 200 OK\r\n");
	sl_buffer_append_str(out, "Sluice: " SLUICE_VERSION "\r\nDate: ");
	sl_http_date_append(out);
	sl_buffer_append_str(out, "\r\nCache-Control: no-store, no-transform\r\nSluice-Cursor: ");
	append_cursor(out, head->cursor);
	if (head->status != 204) {
		sl_buffer_append_str(out, "\r\nContent-Type: ");
		sl_buffer_append_str(out, head->content_type);
		sl_buffer_append_str(out, "\r\nContent-Length: ");
		sl_buffer_append_u64(out, head->body_len);
	}
	sl_buffer_append_str(out, head->keep_alive ? "\r\n" : "\r\nConnection: close\r\n");
	if (head->headers)
		sl_buffer_append_str(out, head->headers);
	sl_buffer_append_str(out, "\r\n");
}

size_t
sl_poll_reply_fit(struct sl_message *const *messages, size_t count)
{
	size_t bytes = ENVELOPE_BYTES, fit = 0;
	while (fit < count) {
		bytes += messages[fit]->object_len + 1u;
		if (bytes > SL_POLL_REPLY_MAX && fit > 0)
			break;
		fit++;
	}
	return fit;
}

void
sl_poll_reply_append_body(struct sl_buffer *out, const struct sl_poll_body *body)
{
	sl_buffer_append_str(out, "{\"cursor\":\"");
	append_cursor(out, body->cursor);
	sl_buffer_append_str(out, "\",\"messages\":[");
	for (size_t i = 0; i < body->count; i++) {
		if (i)
			sl_buffer_append_char(out, ',');
		sl_buffer_append(out, body->messages[i]->object, body->messages[i]->object_len);
	}
	sl_buffer_append_str(out, "],\"gaps\":[");
	for (size_t i = 0; i < body->gap_count; i++) {
		if (i)
			sl_buffer_append_char(out, ',');
		sl_control_append_gap(out, &body->gaps[i]);
	}
	sl_buffer_append_char(out, ']');
	if (body->config)
		sl_control_append_limits(out, body->config);
	if (body->n) {
		sl_buffer_append_str(out, ",\"n\":\"");
		sl_buffer_append_str(out, body->n);
		sl_buffer_append_char(out, '"');
	}
	sl_buffer_append_char(out, '}');
}
