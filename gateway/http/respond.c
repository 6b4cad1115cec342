#include "http/respond.h"

#include <microhttpd.h>
#include <string.h>

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
	bool ok = add(response, "Sluice", SLUICE_VERSION) &&
		add(response, "Cache-Control", reply->cache_control ? reply->cache_control :
			"no-store");
	if (reply->content_type)
		ok = ok && add(response, "Content-Type", reply->content_type);
	if (exchange->request.origin)
		ok = ok && add(response, "Access-Control-Allow-Origin", exchange->request.origin) &&
			add(response, "Access-Control-Expose-Headers", SL_CORS_EXPOSED) &&
			add(response, "Vary", "Origin");
	for (unsigned i = 0; i < reply->header_count; i++)
		ok = ok && add(response, reply->headers[i].name, reply->headers[i].value);
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
	static const char answer[] =
		"HTTP/1.1 413 Content Too Large\r\n"
		"Sluice: " SLUICE_VERSION "\r\n"
		"Content-Type: application/json\r\n"
		"Connection: close\r\n\r\n"
		"{\"error\":{\"code\":\"too_large\",\"message\":\"the body is too large\"}}\n";
	struct iovec slice = { .iov_len = sizeof answer - 1 };
	const char *bytes = answer;
	memcpy(&slice.iov_base, &bytes, sizeof bytes);
	ssize_t sent = sl_socket_write(exchange->socket, &slice, 1);
	struct sl_metrics *metrics = &exchange->shard->metrics;
	sl_metrics_add(metrics, SL_COUNTER_REQUESTS_4XX, 1);
	if (sent > 0)
		sl_metrics_add_class(metrics, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_OUT, (uint64_t)sent);
}
