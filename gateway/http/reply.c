#include "http/reply.h"

#include <stdio.h>
#include <string.h>

#include "util/err.h"

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
