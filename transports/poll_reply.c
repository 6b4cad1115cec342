#include "transports/poll_reply.h"

#include "bus/message.h"
#include "http/response.h"
#include "live/control.h"

#define ENVELOPE_BYTES 256 /* around the messages of a body without gaps */

void
sl_poll_reply_fill_response(struct sl_response *out, struct sl_cursor cursor,
	char text[SL_CURSOR_MAX])
{
	out->status = 200;
	out->content_type = "application/json";
	out->cache_control = "no-store, no-transform";
	sl_response_add(out, "Sluice-Cursor",
		(struct sl_span){ text, sl_cursor_format(cursor, text) });
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
	sl_control_append_cursor(out, body->cursor);
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
	if (body->n.len) {
		sl_buffer_append_str(out, ",\"n\":\"");
		sl_buffer_append(out, body->n.bytes, body->n.len);
		sl_buffer_append_char(out, '"');
	}
	sl_buffer_append_char(out, '}');
}
