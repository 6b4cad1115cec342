#include "live/subscriber.h"

#include "bus/bus.h"
#include "live/control.h"
#include "live/shard.h"
#include "util/buffer.h"
#include "util/log.h"

#define CONCLUDE_MS 5000 /* to end in order */
#define RETRY_MAX_MS 3600000u

static void
log_end(const struct sl_subscriber *s, enum sl_end_reason reason)
{
	char client[SL_ADDRESS_TEXT_MAX] = "-";
	if (s->link)
		sl_address_format(&s->link->client, client);
	bool usual = reason == SL_END_DRAINING || reason == SL_END_CLIENT ||
		reason == SL_END_EXPIRED || reason == SL_END_TOKEN_EXPIRED ||
		reason == SL_END_TOKEN_REVOKED || reason == SL_END_EPOCH || reason == SL_END_SILENT;
	sl_log_limited(usual ? SL_LOG_DEBUG : SL_LOG_INFO, "connection.end",
		"transport=%s client=%s reason=%s queued=%u", s->encoder->transport, client,
		sl_control_get_reason(reason), s->link ? s->link->outbox.queued_bytes : 0);
}

static void
count_end(struct sl_subscriber *s, enum sl_end_reason reason)
{
	static const enum sl_counter counters[SL_END_REASONS] = {
		[SL_END_DRAINING] = SL_COUNTER_COUNT,
		[SL_END_SLOW_CONSUMER] = SL_COUNTER_SLOW_CONSUMERS,
		[SL_END_GAP] = SL_COUNTER_COUNT,
		[SL_END_EXPIRED] = SL_COUNTER_COUNT,
		[SL_END_TOKEN_EXPIRED] = SL_COUNTER_STREAMS_EXPIRED,
		[SL_END_TOKEN_REVOKED] = SL_COUNTER_STREAMS_REVOKED,
		[SL_END_EPOCH] = SL_COUNTER_COUNT,
		[SL_END_LIMIT] = SL_COUNTER_STREAMS_LIMITED,
		[SL_END_REFUSED] = SL_COUNTER_PROTOCOL_ERRORS,
		[SL_END_FORBIDDEN] = SL_COUNTER_PROTOCOL_ERRORS,
		[SL_END_PROTOCOL] = SL_COUNTER_PROTOCOL_ERRORS,
		[SL_END_CLIENT] = SL_COUNTER_COUNT,
		[SL_END_SILENT] = SL_COUNTER_SILENT_DROPPED,
	};
	if (counters[reason] != SL_COUNTER_COUNT)
		sl_metrics_add(&s->shard->metrics, counters[reason], 1);
	if (reason == SL_END_LIMIT) /* whoever may speak is on a WebSocket */
		sl_metrics_add(&s->shard->metrics, SL_COUNTER_LIMIT_CLOSES, 1);
}

/* A held request is answered, with nothing. One that is being answered has told a cursor in its
 * head already: shortened it must not look complete. */
static void
end_one_shot(struct sl_subscriber *s, enum sl_end_reason reason)
{
	struct sl_answer nothing = {
		.framing = s->framing,
		.through = sl_subscriber_get_cursor(s).seq,
		.is_last = true,
	};
	if (reason == SL_END_SLOW_CONSUMER)
		sl_link_abort(s->link);
	else
		s->ops->answer(s, &nothing);
}

void
sl_subscriber_end(struct sl_subscriber *s, enum sl_end_reason reason)
{
	if (sl_subscriber_is_ending(s))
		return;
	bool is_silent = reason == SL_END_PROTOCOL || reason == SL_END_CLIENT ||
		reason == SL_END_REFUSED || reason == SL_END_FORBIDDEN || reason == SL_END_SILENT;
	log_end(s, reason);
	count_end(s, reason);
	if (!s->link) {
		s->ops->end(s, reason);
		return;
	}
	if (s->encoder->capabilities & SL_ONE_SHOT) {
		end_one_shot(s, reason);
		return;
	}
	/* It would not take more; or may not have more from now on. */
	if (reason == SL_END_SLOW_CONSUMER || reason == SL_END_TOKEN_REVOKED)
		s->sent -= sl_outbox_drop_unbegun(&s->link->outbox);
	sl_subscriber_leave(s);
	if (!is_silent)
		sl_control_send_bye(s, reason);
	struct sl_buffer *out = sl_framer_get_scratch(&s->shard->framer);
	s->encoder->frame_end(s->encoder, reason, s->end_code, out);
	if (sl_buffer_status(out) == 0)
		sl_link_send(s->link, out->bytes, out->len);
	sl_link_end(s->link);
}

/* True when the client has the acks and the messages of what it published. One without a link has the acks; for its
 * messages it would have to come again. */
static bool
is_concluded(const struct sl_subscriber *s)
{
	return LIST_EMPTY(&s->pending) && (!s->link ||
		sl_subscriber_is_outdated(s) || sl_subscriber_get_cursor(s).seq >= s->published);
}

bool
sl_subscriber_try_conclude(struct sl_subscriber *s)
{
	if (!s->conclusion || !is_concluded(s))
		return false;
	sl_subscriber_end(s, (enum sl_end_reason)(s->conclusion - 1));
	return true;
}

void
sl_subscriber_end_in_order(struct sl_subscriber *s, enum sl_end_reason reason, unsigned code)
{
	if (sl_subscriber_is_ending(s) || s->conclusion)
		return;
	s->conclusion = (uint8_t)(reason + 1);
	s->end_code = (uint16_t)code;
	if (is_concluded(s)) {
		sl_subscriber_end(s, reason);
		return;
	}
	if (s->state == SL_SUBSCRIBER_PROBING) /* nobody will tell what came of the probe */
		sl_subscriber_fall_behind(s, s->position);
	s->concludes_ms = s->shard->loop.now_ms + CONCLUDE_MS;
	sl_subscriber_set_timer(s, s->concludes_ms);
	sl_subscriber_add_work(s);
}

/* What its client publishes may be on its way: after a reset it would not see the bye. */
static void
linger_long(struct sl_subscriber *s)
{
	if (s->link)
		s->link->lingers_long = true;
}

void
sl_subscriber_end_limited(struct sl_subscriber *s, uint64_t wait_ms)
{
	if (sl_subscriber_is_ending(s) || s->conclusion)
		return;
	s->retry_ms = wait_ms < RETRY_MAX_MS ? (uint32_t)wait_ms : RETRY_MAX_MS;
	linger_long(s);
	sl_subscriber_end_in_order(s, SL_END_LIMIT, 0);
}

void
sl_subscriber_end_leave(struct sl_holder *holder, enum sl_leave leave)
{
	struct sl_subscriber *s = (struct sl_subscriber *)
		((char *)holder - offsetof(struct sl_subscriber, holder));
	if (sl_subscriber_is_ending(s))
		return;
	linger_long(s);
	if (leave == SL_LEAVE_REVOKED)
		sl_subscriber_end(s, SL_END_TOKEN_REVOKED);
	else
		sl_subscriber_end_in_order(s, SL_END_TOKEN_EXPIRED, 0);
}
