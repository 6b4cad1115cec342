#include "transports/long_response.h"

#include "http/request.h"
#include "live/connection.h"
#include "util/http_date.h"

void
sl_long_response_begin(struct sl_connection *connection, const struct sl_request *request)
{
	connection->encoding = (uint8_t)
		((request->http_minor >= 1 ? SL_LONG_RESPONSE_CHUNKED : 0) |
		(connection->raw ? SL_LONG_RESPONSE_RAW : 0));
	sl_socket_set_user_timeout(connection->socket, connection->heartbeat_s * 2500u);
}

void
sl_long_response_append_head(struct sl_buffer *out, const struct sl_request *request,
	const char *content_type, const char *headers)
{
	sl_buffer_append_str(out, "HTTP/1.1 200 OK\r\nSluice: " SLUICE_VERSION "\r\nDate: ");
	sl_http_date_append(out);
	sl_buffer_printf(out,
		"\r\nContent-Type: %s\r\n"
		"Cache-Control: no-store, no-transform\r\n"
		"X-Accel-Buffering: no\r\n"
		"Connection: close\r\n", content_type);
	if (request->http_minor >= 1)
		sl_buffer_append_str(out, "Transfer-Encoding: chunked\r\n");
	sl_request_append_cors(request, out);
	sl_buffer_append_str(out, headers);
	sl_buffer_append_str(out, "\r\n");
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
sl_long_response_append_last_chunk(struct sl_buffer *out)
{
	sl_buffer_append(out, "0\r\n\r\n", 5);
}

void
sl_long_response_frame_end(struct sl_connection *connection, enum sl_end_reason reason,
	struct sl_buffer *out)
{
	(void)reason;
	if (connection->encoding & SL_LONG_RESPONSE_CHUNKED)
		sl_long_response_append_last_chunk(out);
}
