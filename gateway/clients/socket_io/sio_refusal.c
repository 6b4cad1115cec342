#include "clients/socket_io/sio_refusal.h"

#include <string.h>

#include "clients/socket_io/sio_client.h"
#include "live/refusal.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/buffer.h"
#include "util/err.h"

bool
sl_sio_refusal_is_passing(const struct sl_refusal *refusal, int err)
{
	switch (err) {
	case SL_ELIMITED:
	case SL_ENOMEM:
	case SL_EIO:
	case SL_EAGAIN:
	case SL_EBACKEND:
	case SL_EDRAINING:
	case SL_ELEASEFULL:
		return !refusal->is_final;
	case SL_EFULL: /* of a table; how many channels it asks for is the client's own doing */
		return !refusal->code || strcmp(refusal->code, sl_verbs_too_many_channels.code) != 0;
	default:
		return false;
	}
}

static void
send_error(struct sl_eio_socket *socket, struct sl_span name, const struct sl_refusal *refusal, bool is_passing)
{
	struct sl_buffer json = SL_BUFFER_INIT;
	uint32_t retry_ms = is_passing && refusal->retry_ms == 0 ? SL_SIO_RETRY_MS : refusal->retry_ms;
	sl_buffer_append_str(&json, "{\"message\":");
	sl_buffer_append_json_string(&json, refusal->message, strlen(refusal->message));
	if (refusal->code) {
		sl_buffer_printf(&json, ",\"data\":{\"code\":\"%s\"", refusal->code);
		if (retry_ms)
			sl_buffer_printf(&json, ",\"retry\":%u", retry_ms);
		sl_buffer_append_char(&json, '}');
	}
	sl_buffer_append_char(&json, '}');
	sl_sio_client_send(socket, SL_SIO_CONNECT_ERROR, name, SL_SIO_NO_ID, &json);
	sl_buffer_finish(&json);
}

void
sl_sio_refusal_send(struct sl_eio_socket *socket, struct sl_span name, const struct sl_refusal *refusal, int err)
{
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(socket);
	bool is_passing = sl_sio_refusal_is_passing(refusal, err);
	if (sl_eio_socket_is_closing(socket) || s->conclusion) /* it comes back, unless it is told something else */
		return;
	sl_metrics_add(&s->shard->metrics, SL_COUNTER_SIO_CONNECT_ERRORS, 1);
	if (is_passing && sl_sio_client_of(socket)->count == 0) {
		sl_eio_socket_close(socket, SL_END_REFUSED);
		return;
	}
	send_error(socket, name, refusal, is_passing);
	sl_verbs_ask(s, 1);
}
