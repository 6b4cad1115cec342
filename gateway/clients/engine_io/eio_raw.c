#include "clients/engine_io/eio_raw.h"

#include <string.h>

#include "bus/message.h"
#include "clients/engine_io/eio_encoders.h"
#include "clients/engine_io/eio_socket.h"
#include "config/config.h"
#include "http/request.h"
#include "live/fanout.h"
#include "live/refusal.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/err.h"

static int
open_raw(struct sl_eio_socket *socket, const struct sl_request *request)
{
	const struct sl_join *join = &request->params.join;
	struct sl_refusal refusal;
	if (join->channel_count == 0)
		return 0;
	return sl_verbs_subscribe(sl_eio_socket_get_subscriber(socket), join->channels, join->channel_count,
		&refusal);
}

/* There is no way to say that a message was not taken, but the end. */
static void
on_published(struct sl_subscriber *subscriber, struct sl_span ref, const struct sl_refusal *refusal,
	struct sl_cursor id)
{
	(void)ref;
	(void)id;
	if (refusal)
		sl_subscriber_end(subscriber, refusal->is_final ? SL_END_FORBIDDEN : SL_END_REFUSED);
}

static void
publish(struct sl_subscriber *subscriber, enum sl_payload_type type, const char *bytes, size_t len)
{
	const char *channel = sl_fanout_get_name(subscriber->subscriptions[0].channel);
	struct sl_publication publication = { .message = NULL };
	struct sl_refusal refusal;
	int err = len > subscriber->shard->config->max_message_bytes ? SL_ETOOBIG :
		sl_message_create(&publication.message, channel, strlen(channel), type, bytes, len);
	if (err == 0) {
		sl_verbs_publish(subscriber, &publication, (struct sl_span){ 0 }, on_published);
		return;
	}
	sl_refusal_set_err(&refusal, err);
	on_published(subscriber, (struct sl_span){ 0 }, &refusal, (struct sl_cursor){ 0 });
}

static void
on_message(struct sl_eio_socket *socket, const char *bytes, size_t len, bool is_binary)
{
	struct sl_subscriber *subscriber = sl_eio_socket_get_subscriber(socket);
	if (subscriber->subscription_count == 1)
		publish(subscriber, is_binary ? SL_BINARY : SL_TEXT, bytes, len);
	else if (subscriber->subscription_count > 1) /* which of them is meant, nobody knows */
		sl_eio_socket_close(socket, SL_END_PROTOCOL);
	else if (sl_verbs_ask(subscriber, 1))
		sl_eio_socket_send(socket, bytes, len, is_binary);
}

static const struct sl_eio_user user = {
	.get_encoder = sl_eio_encoders_get_raw,
	.open = open_raw,
	.on_message = on_message,
};

const struct sl_eio_family sl_eio_raw_family = SL_EIO_FAMILY(&user, "engine.io/");
