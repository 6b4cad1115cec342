#include "http/respond.h"

#include <microhttpd.h>

#include "core/socket.h"
#include "http/exchange.h"
#include "shard.h"
#include "util/err.h"

static bool
add(struct MHD_Response *response, const char *name, const char *value)
{
	return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool
add_headers(struct MHD_Response *response, const struct sl_exchange *exchange)
{
	const struct sl_reply *reply = &exchange->reply;
	const struct sl_cors *cors = &exchange->request.cors;
	bool ok = (reply->is_foreign || add(response, "Sluice", SLUICE_VERSION)) &&
		add(response, "Cache-Control", reply->cache_control ? reply->cache_control :
			"no-store");
	if (reply->content_type)
		ok = ok && add(response, "Content-Type", reply->content_type);
	if (reply->policy)
		ok = ok && add(response, "Content-Security-Policy", reply->policy);
	if (cors->origin)
		ok = ok && add(response, "Access-Control-Allow-Origin", cors->origin) &&
			add(response, "Access-Control-Expose-Headers", SL_CORS_EXPOSED) &&
			add(response, "Vary", "Origin");
	if (cors->credentials)
		ok = ok && add(response, "Access-Control-Allow-Credentials", "true");
	for (unsigned i = 0; i < reply->header_count; i++)
		ok = ok && add(response, reply->headers[i].name,
			sl_reply_get_value(&reply->headers[i]));
	return ok;
}

int
sl_respond(struct sl_exchange *exchange)
{
	struct sl_reply *reply = &exchange->reply;
	struct sl_buffer *body = &reply->body;
	if (sl_buffer_status(body) != 0)
		return SL_ENOMEM;
	/* The bytes move to the response, which frees them. */
	struct MHD_Response *response = MHD_create_response_from_buffer(body->len, body->bytes,
		body->bytes ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response)
		return SL_ENOMEM;
	sl_buffer_init(body);
	int err = SL_EIO;
	if (add_headers(response, exchange) &&
			MHD_queue_response(exchange->mhd, reply->status, response) == MHD_YES)
		err = 0;
	MHD_destroy_response(response);
	if (err == 0)
		sl_metrics_add(&exchange->shard->metrics, sl_counter_of_status(reply->status), 1);
	return err;
}

void
sl_respond_canned_413(struct sl_exchange *exchange)
{
	struct sl_buffer lines = SL_BUFFER_INIT, answer = SL_BUFFER_INIT;
	sl_reply_set_error(&exchange->reply, 413, "too_large",
		"the body exceeds its limit, see /transports");
	sl_request_append_cors(&exchange->request, &lines);
	sl_buffer_append_char(&lines, '\0');
	if (sl_buffer_status(&lines) == 0)
		sl_reply_append_response(&exchange->reply, &answer, lines.bytes, false);
	struct iovec slice = { answer.bytes, answer.len };
	ssize_t sent = sl_buffer_status(&answer) == 0 && answer.len ?
		sl_socket_write(exchange->socket, &slice, 1) : 0;
	sl_buffer_finish(&lines);
	sl_buffer_finish(&answer);
	struct sl_metrics *metrics = &exchange->shard->metrics;
	sl_metrics_add(metrics, SL_COUNTER_REQUESTS_4XX, 1);
	if (sent > 0)
		sl_metrics_add_class(metrics, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_OUT, (uint64_t)sent);
}
