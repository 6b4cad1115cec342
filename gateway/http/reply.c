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

/* NULL when there is no more room. */
static struct sl_reply_header *
add_header(struct sl_reply *reply, const char *name)
{
	if (reply->header_count == SL_REPLY_HEADERS_MAX)
		return NULL;
	struct sl_reply_header *header = &reply->headers[reply->header_count++];
	header->name = name;
	header->fixed = NULL;
	return header;
}

void
sl_reply_add_header(struct sl_reply *reply, const char *name, const char *value)
{
	struct sl_reply_header *header = add_header(reply, name);
	if (header)
		snprintf(header->value, sizeof header->value, "%s", value);
}

void
sl_reply_add_fixed_header(struct sl_reply *reply, const char *name, const char *value)
{
	struct sl_reply_header *header = add_header(reply, name);
	if (header)
		header->fixed = value;
}

const char *
sl_reply_get_value(const struct sl_reply_header *header)
{
	return header->fixed ? header->fixed : header->value;
}

static const char *
get_reason(unsigned status)
{
	switch (status) {
	case 200: return "200 OK";
	case 204: return "204 No Content";
	case 304: return "304 Not Modified";
	case 400: return "400 Bad Request";
	case 403: return "403 Forbidden";
	case 404: return "404 Not Found";
	case 405: return "405 Method Not Allowed";
	case 413: return "413 Content Too Large";
	case 415: return "415 Unsupported Media Type";
	case 426: return "426 Upgrade Required";
	case 429: return "429 Too Many Requests";
	case 503: return "503 Service Unavailable";
	default: return "500 Internal Server Error";
	}
}

bool
sl_reply_closes(const struct sl_reply *reply)
{
	for (unsigned i = 0; i < reply->header_count; i++)
		if (strcmp(reply->headers[i].name, "Connection") == 0 &&
				strcmp(sl_reply_get_value(&reply->headers[i]), "close") == 0)
			return true;
	return false;
}

/* Nothing without a value. */
static void
append_header(struct sl_buffer *out, const char *name, const char *value)
{
	if (!value)
		return;
	sl_buffer_append_str(out, name);
	sl_buffer_append_str(out, ": ");
	sl_buffer_append_str(out, value);
	sl_buffer_append_str(out, "\r\n");
}

void
sl_reply_append_response(const struct sl_reply *reply, struct sl_buffer *out,
	const char *headers, bool keep_alive)
{
	bool can_have_body = reply->status != 204 && reply->status != 304;
	out->failed |= reply->body.failed;
	sl_buffer_append_str(out, "HTTP/1.1 ");
	sl_buffer_append_str(out, get_reason(reply->status));
	sl_buffer_append_str(out, reply->is_foreign ? "\r\n" :
		"\r\nSluice: " SLUICE_VERSION "\r\n");
	sl_buffer_append_str(out, "Date: ");
	sl_http_date_append(out);
	sl_buffer_append_str(out, "\r\n");
	append_header(out, "Cache-Control", reply->cache_control ? reply->cache_control : "no-store");
	append_header(out, "Content-Type", reply->content_type);
	append_header(out, "Content-Security-Policy", reply->policy);
	if (can_have_body) {
		sl_buffer_append_str(out, "Content-Length: ");
		sl_buffer_append_u64(out, reply->body.len);
		sl_buffer_append_str(out, "\r\n");
	}
	if (!keep_alive && !sl_reply_closes(reply))
		append_header(out, "Connection", "close");
	for (unsigned i = 0; i < reply->header_count; i++)
		append_header(out, reply->headers[i].name, sl_reply_get_value(&reply->headers[i]));
	if (headers)
		sl_buffer_append_str(out, headers);
	sl_buffer_append_str(out, "\r\n");
	if (can_have_body && !reply->is_for_head)
		sl_buffer_append(out, reply->body.bytes, reply->body.len);
}
