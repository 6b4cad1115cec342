#include "clients/engine_io/eio_moved.h"

#include <stdlib.h>
#include <string.h>

#include "auth/principals.h"
#include "clients/engine_io/eio_carrier.h"
#include "clients/engine_io/eio_packet.h"
#include "clients/engine_io/eio_session.h"
#include "config/config.h"
#include "live/delivery.h"
#include "live/fanout.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "transports/ws_encoders.h"
#include "util/clock.h"
#include "util/err.h"

/* Its texts stand one behind the other in `texts`. */
struct channel {
	uint64_t after;
	size_t name_len, label_len;
	bool has_label;
};

struct sl_eio_moved {
	struct sl_eio_socket *socket; /* owns; NULL until it is lifted */
	struct sl_cursor position;
	uint64_t last_beat_ms;
	struct sl_buffer queue;       /* packets, as polling has them */
	struct sl_buffer texts;
	struct channel channels[SL_CHANNELS_MAX];
	unsigned channel_count;
	bool has_claims;              /* a token's: the connection's own principal may be another */
	struct sl_claims claims;
};

/* ---- packing ---- */

static void
copy_channels(struct sl_eio_moved *moved, const struct sl_subscriber *subscriber)
{
	for (size_t i = 0; i < subscriber->subscription_count; i++) {
		const struct sl_subscription *subscription = &subscriber->subscriptions[i];
		const char *name = sl_fanout_get_name(subscription->channel);
		struct sl_span label = sl_fanout_get_label(subscriber, i);
		moved->channels[i] = (struct channel){ subscription->after, strlen(name), label.len,
			label.bytes != NULL };
		sl_buffer_append(&moved->texts, name, strlen(name));
		sl_buffer_append(&moved->texts, label.bytes, label.len);
	}
	moved->channel_count = subscriber->subscription_count;
}

static int
copy_claims(struct sl_eio_moved *moved, const struct sl_principal *principal)
{
	moved->has_claims = principal && principal != &sl_principal_everybody &&
		!sl_principal_is_anonymous(principal);
	return moved->has_claims ? sl_principal_copy_claims(principal, &moved->claims) : 0;
}

/* The beat before the next one, which keeps the time that its client knows. */
static uint64_t
get_last_beat(const struct sl_eio_session *s, const struct sl_config *config)
{
	return s->pong_by_ms ? s->pong_by_ms - config->engineio_ping_timeout_ms :
		s->ping_ms - config->engineio_ping_interval_ms;
}

struct sl_eio_moved *
sl_eio_moved_create(struct sl_eio_session *s)
{
	const struct sl_subscriber *subscriber = &s->session.subscriber;
	struct sl_span queue = sl_session_get_queue(&s->session);
	struct sl_eio_moved *moved = calloc(1, sizeof *moved);
	if (!moved)
		return NULL;
	moved->position = sl_subscriber_get_cursor(subscriber);
	moved->last_beat_ms = get_last_beat(s, subscriber->shard->config);
	sl_buffer_append(&moved->queue, queue.bytes, queue.len);
	copy_channels(moved, subscriber);
	if (copy_claims(moved, subscriber->holder.principal) == 0 && sl_buffer_status(&moved->queue) == 0 &&
			sl_buffer_status(&moved->texts) == 0)
		return moved;
	sl_eio_moved_abandon(moved);
	return NULL;
}

void
sl_eio_moved_abandon(struct sl_eio_moved *moved)
{
	if (!moved)
		return;
	sl_buffer_finish(&moved->queue);
	sl_buffer_finish(&moved->texts);
	sl_claims_finish(&moved->claims);
	free(moved);
}

void
sl_eio_moved_lift(struct sl_eio_moved *moved, struct sl_eio_session *s)
{
	moved->socket = s->socket;
	s->socket = NULL;
	sl_eio_socket_lift(moved->socket);
}

/* ---- unpacking ---- */

void
sl_eio_moved_drop(struct sl_eio_moved *moved, struct sl_shard *shard)
{
	sl_eio_socket_destroy(moved->socket, shard, true);
	sl_eio_moved_abandon(moved);
}

uint64_t
sl_eio_moved_get_last_beat_ms(const struct sl_eio_moved *moved)
{
	return moved->last_beat_ms;
}

/* A frame for each packet. */
static int
frame_queue(const struct sl_eio_moved *moved, struct sl_buffer *frames)
{
	struct sl_span rest = { moved->queue.bytes, moved->queue.len }, text;
	struct sl_buffer decoded = SL_BUFFER_INIT;
	int err = 0;
	while (err == 0 && rest.len > 0 && sl_eio_packet_next(&rest, &text)) {
		struct sl_eio_packet packet;
		err = sl_eio_packet_read(&packet, text, &decoded);
		if (err == 0 && packet.is_binary)
			sl_ws_encoders_append_frame(frames, SL_WS_OPCODE_BINARY, packet.data.bytes, packet.data.len);
		else if (err == 0)
			sl_ws_encoders_append_frame(frames, SL_WS_OPCODE_TEXT, text.bytes, text.len);
	}
	sl_buffer_finish(&decoded);
	return err != 0 ? err : sl_buffer_status(frames);
}

static int
subscribe(const struct sl_eio_moved *moved, struct sl_subscriber *subscriber)
{
	const char *at = moved->texts.bytes;
	int err = 0;
	for (unsigned i = 0; i < moved->channel_count && err == 0; i++) {
		const struct channel *channel = &moved->channels[i];
		struct sl_span label = { channel->has_label ? at + channel->name_len : NULL, channel->label_len };
		err = sl_fanout_subscribe_as(subscriber, at, channel->name_len, label, channel->after);
		at += channel->name_len + channel->label_len;
	}
	return err;
}

/* The claims were checked where the token came; only whether they count still is asked again. */
static int
identify(struct sl_eio_moved *moved, const struct sl_eio_carrier *carrier, struct sl_subscriber *subscriber)
{
	struct sl_auth_refusal refusal;
	if (!moved->has_claims)
		return 0;
	struct sl_principal *principal = sl_principals_adopt(subscriber->shard->principals, &moved->claims,
		sl_clock_wall_us() / 1000000, &refusal);
	if (!principal)
		return SL_EFORBIDDEN;
	int err = sl_eio_carrier_set_principal(carrier, subscriber, principal);
	sl_principal_unref(principal);
	return err;
}

int
sl_eio_moved_join(struct sl_eio_moved *moved, const struct sl_eio_carrier *carrier,
	struct sl_subscriber *subscriber, struct sl_buffer *frames, struct sl_eio_socket **out)
{
	struct sl_eio_socket *socket = moved->socket;
	sl_delivery_follow(subscriber->shard);
	subscriber->epoch = moved->position.epoch;
	int err = identify(moved, carrier, subscriber);
	if (err == 0)
		err = subscribe(moved, subscriber);
	if (err == 0)
		err = frame_queue(moved, frames);
	if (err != 0) {
		sl_eio_moved_drop(moved, subscriber->shard);
		return err;
	}
	sl_subscriber_fall_behind(subscriber, moved->position.seq);
	sl_eio_socket_put(socket, carrier, subscriber);
	sl_eio_moved_abandon(moved);
	*out = socket;
	return 0;
}
