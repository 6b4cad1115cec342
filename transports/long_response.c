#include "transports/long_response.h"

#include "http/connection.h"
#include "http/request.h"
#include "http/response.h"

void
sl_long_response_fill(struct sl_response *out, const struct sl_request *request,
	const char *content_type)
{
	out->status = 200;
	out->body = request->head->version >= SL_HTTP_1_1 ? SL_RESPONSE_CHUNKED :
		SL_RESPONSE_UNTIL_CLOSE;
	out->content_type = content_type;
	out->cache_control = "no-store, no-transform";
	out->closes = true;
	sl_response_add_text(out, "X-Accel-Buffering", "no");
}

int
sl_long_response_join(struct sl_connection *connection, const struct sl_request *request,
	const struct sl_encoder encoders[SL_LONG_RESPONSE_VARIANTS], struct sl_gap *gaps,
	size_t *gap_count)
{
	static const struct sl_subscriber_ops ops = { .ping = NULL };
	struct sl_subscriber *subscriber = &connection->subscriber;
	unsigned variant = (request->head->version >= SL_HTTP_1_1 ? SL_LONG_RESPONSE_CHUNKED : 0u) |
		(request->params.format == SL_FORMAT_RAW ? SL_LONG_RESPONSE_RAW : 0u);
	int err = sl_subscriber_init(subscriber, &connection->link, &encoders[variant], &ops);
	if (err == 0)
		err = sl_join_channels(subscriber, &request->params.join, gaps, gap_count);
	if (err == 0)
		sl_socket_set_user_timeout(&connection->link.socket, subscriber->beat_interval_ms / 2 * 5);
	return err;
}

int
sl_long_response_begin(struct sl_connection *connection, const struct sl_request *request,
	struct sl_response *response, const struct sl_gap *gaps, size_t gap_count)
{
	struct sl_buffer head = SL_BUFFER_INIT;
	sl_connection_fill_response(connection, response);
	sl_response_append_head(response, &head);
	int err = sl_buffer_status(&head);
	if (err == 0)
		sl_subscriber_begin(&connection->subscriber, &request->params.join, &head, gaps,
			gap_count);
	sl_buffer_finish(&head);
	return err;
}

void
sl_long_response_append_chunk_start(struct sl_buffer *out, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char digits[16];
	size_t at = sizeof digits;
	do {
		digits[--at] = hex[len & 15];
		len >>= 4;
	} while (len);
	sl_buffer_append(out, digits + at, sizeof digits - at);
	sl_buffer_append(out, "\r\n", 2);
}

void
sl_long_response_append_chunk_end(struct sl_buffer *out)
{
	sl_buffer_append(out, "\r\n", 2);
}

void
sl_long_response_frame_end(const struct sl_encoder *encoder, enum sl_end_reason reason,
	unsigned code, struct sl_buffer *out)
{
	if (encoder->variant & SL_LONG_RESPONSE_CHUNKED)
		sl_buffer_append(out, "0\r\n\r\n", 5);
}
