#include "http/reply.h"

#include <stdio.h>
#include <string.h>

#include "util/err.h"

void
sl_reply_finish(struct sl_reply *reply)
{
	sl_buffer_finish(&reply->body);
}

void
sl_reply_set_json(struct sl_reply *reply)
{
	reply->head.status = 200;
	reply->head.content_type = "application/json";
}

void
sl_reply_set_error(struct sl_reply *reply, unsigned status, const char *code, const char *message)
{
	struct sl_buffer *body = &reply->body;
	sl_reply_set_json(reply);
	reply->head.status = status;
	sl_buffer_clear(body);
	sl_buffer_append_str(body, "{\"error\":{\"code\":\"");
	sl_buffer_append_str(body, code);
	sl_buffer_append_str(body, "\",\"message\":");
	sl_buffer_append_json_string(body, message, strlen(message));
	sl_buffer_append_str(body, "}}\n");
	if (status == 429)
		sl_response_add_text(&reply->head, "Retry-After", SL_REPLY_RETRY_AFTER_S);
}

void
sl_reply_set_retry_after(struct sl_reply *reply, uint64_t seconds)
{
	struct sl_response *head = &reply->head;
	snprintf(reply->retry_after, sizeof reply->retry_after, "%llu", (unsigned long long)seconds);
	for (unsigned i = 0; i < head->field_count; i++)
		if (strcmp(head->fields[i].name, "Retry-After") == 0)
			head->fields[i].value = (struct sl_span){ reply->retry_after, strlen(reply->retry_after) };
}

void
sl_reply_set_err(struct sl_reply *reply, int err)
{
	sl_reply_set_error(reply, sl_err_http_status(err), sl_err_code(err), sl_strerror(err));
}

void
sl_reply_append_response(struct sl_reply *reply, struct sl_buffer *out, bool for_head)
{
	out->failed |= reply->body.failed;
	reply->head.length = reply->body.len + reply->more_len;
	sl_response_append_head(&reply->head, out);
	if (!for_head && sl_response_has_body(&reply->head))
		sl_buffer_append(out, reply->body.bytes, reply->body.len);
}
