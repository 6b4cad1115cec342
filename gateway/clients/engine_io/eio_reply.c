#include "clients/engine_io/eio_reply.h"

#include <string.h>

#include "http/gate.h"
#include "http/reply.h"

static const char *const messages[SL_EIO_ERRORS] = {
	[SL_EIO_TRANSPORT_UNKNOWN] = "Transport unknown",
	[SL_EIO_SESSION_UNKNOWN] = "Session ID unknown",
	[SL_EIO_BAD_METHOD] = "Bad handshake method",
	[SL_EIO_BAD_REQUEST] = "Bad request",
	[SL_EIO_FORBIDDEN] = "Forbidden",
	[SL_EIO_BAD_REVISION] = "Unsupported protocol version",
};

static void
set(struct sl_reply *reply, unsigned status, enum sl_eio_error error, const char *message)
{
	reply->head.status = status;
	reply->head.content_type = "application/json";
	sl_buffer_printf(&reply->body, "{\"code\":%d,\"message\":", error);
	sl_buffer_append_json_string(&reply->body, message, strlen(message));
	sl_buffer_append_char(&reply->body, '}');
}

void
sl_eio_reply_set_error(struct sl_reply *reply, enum sl_eio_error error)
{
	set(reply, error == SL_EIO_FORBIDDEN ? 403 : 400, error, messages[error]);
}

void
sl_eio_reply_set_payload(struct sl_reply *reply)
{
	reply->head.status = 200;
	reply->head.content_type = "text/plain; charset=UTF-8";
}

void
sl_eio_reply_set_ok(struct sl_reply *reply)
{
	/* The reference's type, which browsers of old needed. */
	reply->head.status = 200;
	reply->head.content_type = "text/html";
	sl_buffer_append_str(&reply->body, "ok");
}

bool
sl_eio_reply_refuse(struct sl_reply *reply, const struct sl_request *request,
	const struct sl_gate_refusal *refusal)
{
	(void)request;
	switch (refusal->status) {
	case 401:
	case 403:
		set(reply, 403, SL_EIO_FORBIDDEN, refusal->message);
		break;
	case 404:
	case 405:
		set(reply, 400, SL_EIO_BAD_REQUEST, refusal->message);
		break;
	default:
		set(reply, refusal->status, SL_EIO_BAD_REQUEST, refusal->message);
	}
	return true;
}
