#include "http/reply.h"

#include <stdio.h>
#include <string.h>

#include "util/err.h"
#include "util/http_date.h"

#define RETRY_AFTER_S "2"

void
sl_reply_finish(struct sl_reply *reply)
{
	sl_buffer_finish(&reply->body);
}

void
sl_reply_set_json(struct sl_reply *reply)
{
	reply->status = 200;
	reply->content_type = "application/json";
}

void
sl_reply_set_error(struct sl_reply *reply, unsigned status, const char *code,
	const char *message)
{
	reply->status = status;
	reply->content_type = "application/json";
	sl_buffer_clear(&reply->body);
	sl_buffer_printf(&reply->body, "{\"error\":{\"code\":\"%s\",\"message\":", code);
	sl_buffer_append_json_string(&reply->body, message, strlen(message));
	sl_buffer_append_str(&reply->body, "}}\n");
	if (status == 429)
		sl_reply_add_header(reply, "Retry-After", RETRY_AFTER_S);
}

void
sl_reply_set_err(struct sl_reply *reply, int err)
{
	sl_reply_set_error(reply, sl_err_http_status(err), sl_err_code(err), sl_strerror(err));
}

void
sl_reply_add_header(struct sl_reply *reply, const char *name, const char *value)
{
	if (reply->header_count == SL_REPLY_HEADERS_MAX)
		return;
	struct sl_reply_header *header = &reply->headers[reply->header_count++];
	header->name = name;
	snprintf(header->value, sizeof header->value, "%s", value);
}

static const char *
get_reason(unsigned status)
{
	switch (status) {
	case 200: return "200 OK";
	case 400: return "400 Bad Request";
	case 413: return "413 Content Too Large";
	case 415: return "415 Unsupported Media Type";
	case 429: return "429 Too Many Requests";
	default: return "500 Internal Server Error";
	}
}

void
sl_reply_append_response(const struct sl_reply *reply, struct sl_buffer *out,
	const char *headers, bool keep_alive)
{
	out->failed |= reply->body.failed;
	sl_buffer_append_str(out, "HTTP/1.1 ");
	sl_buffer_append_str(out, get_reason(reply->status));
	sl_buffer_append_str(out, "\r\nSluice: " SLUICE_VERSION "\r\nDate: ");
	sl_http_date_append(out);
	sl_buffer_append_str(out, "\r\nCache-Control: no-store\r\nContent-Type: ");
	sl_buffer_append_str(out, reply->content_type);
	sl_buffer_append_str(out, "\r\nContent-Length: ");
	sl_buffer_append_u64(out, reply->body.len);
	sl_buffer_append_str(out, keep_alive ? "\r\n" : "\r\nConnection: close\r\n");
	for (unsigned i = 0; i < reply->header_count; i++) {
		sl_buffer_append_str(out, reply->headers[i].name);
		sl_buffer_append_str(out, ": ");
		sl_buffer_append_str(out, reply->headers[i].value);
		sl_buffer_append_str(out, "\r\n");
	}
	if (headers)
		sl_buffer_append_str(out, headers);
	sl_buffer_append_str(out, "\r\n");
	sl_buffer_append(out, reply->body.bytes, reply->body.len);
}
