#include "live/subscriber.h"

#include <assert.h>

#include "auth/principals.h"
#include "bus/bus.h"
#include "config/config.h"
#include "core/owners.h"
#include "live/catch_up.h"
#include "live/control.h"
#include "live/fanout.h"
#include "live/heartbeat.h"
#include "live/outage.h"
#include "live/pace.h"
#include "live/permit.h"
#include "live/shard.h"
#include "live/verbs.h"
#include "util/buffer.h"
#include "util/clock.h"
#include "util/log.h"

#define CONCLUDE_MS 5000  /* to end in order */
#define PASSING_MS 10     /* between two looks at how far the shard is, where it alone is waited for */
#define RETRY_MAX_MS 3600000u
#define VERIFY_EVERY 1000 /* messages and gaps, then a heartbeat where the client verifies */

/* ---- life ---- */

void
sl_subscriber_admit(struct sl_subscriber *s, struct sl_shard *shard, struct sl_principal *principal,
	const struct sl_link *link)
{
	/* Everybody may for ever: the time is not asked for. */
	int64_t now_s = principal == &sl_principal_everybody ? 0 : sl_clock_wall_us() / 1000000;
	s->shard = shard;
	s->owner = sl_owner_ref(sl_permit_get_owner(principal, link));
	if (principal)
		sl_holder_join(shard->principals, &s->holder, principal, shard->loop.now_ms, now_s);
}

/* Also where none was taken. */
static void
let_go(struct sl_subscriber *s)
{
	if (s->holder.principal)
		sl_holder_leave(s->shard->principals, &s->holder);
	sl_owner_unref(s->owner);
	s->owner = NULL;
}

int
sl_subscriber_init(struct sl_subscriber *s, struct sl_link *link,
	const struct sl_encoder *encoder, const struct sl_subscriber_ops *ops)
{
	int framing = sl_framer_intern(&link->shard->framer, encoder);
	if (framing < 0)
		return framing;
	s->link = link;
	s->shard = link->shard;
	s->encoder = encoder;
	s->framing = (uint16_t)framing;
	s->epoch = s->shard->fanout.epoch;
	s->ops = ops;
	s->heartbeat_s = (uint16_t)s->shard->config->heartbeat_s;
	s->last_beat_ms = s->shard->loop.now_ms;
	return 0;
}

void
sl_subscriber_begin(struct sl_subscriber *s, const struct sl_join *join,
	const struct sl_buffer *head, const struct sl_gap *gaps, size_t gap_count)
{
	s->verifies = join->verify;
	sl_control_send_open(s, head);
	sl_outage_tell(s);
	for (size_t i = 0; i < gap_count && !sl_subscriber_is_ending(s); i++)
		sl_subscriber_send_gap(s, &gaps[i]);
	if (sl_subscriber_is_ending(s))
		return;
	/* "From now" begins at the head: there is nothing to catch up with. */
	bool now = join->since_kind == SL_SINCE_NOW;
	s->state = join->probes ? SL_SUBSCRIBER_PROBING :
		now ? SL_SUBSCRIBER_LIVE : SL_SUBSCRIBER_BEHIND;
	sl_heartbeat_begin(s);
	if (s->state == SL_SUBSCRIBER_BEHIND)
		sl_catch_up(s, NULL, 0);
	sl_link_add_work(s->link);
}

bool
sl_subscriber_begin_one_shot(struct sl_subscriber *s, const struct sl_gap *gaps,
	size_t gap_count)
{
	s->state = SL_SUBSCRIBER_BEHIND;
	sl_catch_up(s, gaps, gap_count);
	return s->state == SL_SUBSCRIBER_LIVE;
}

void
sl_subscriber_leave(struct sl_subscriber *s)
{
	sl_subscriber_park(s);
	sl_verbs_forget(s);
	let_go(s);
}

/* ---- states ---- */

void
sl_subscriber_fall_behind(struct sl_subscriber *s, uint64_t position)
{
	s->position = position;
	s->state = SL_SUBSCRIBER_BEHIND;
	sl_link_add_work(s->link);
}

void
sl_subscriber_go_live(struct sl_subscriber *s)
{
	assert(s->position >= s->shard->fanout.position);
	s->state = SL_SUBSCRIBER_LIVE;
}

void
sl_subscriber_park(struct sl_subscriber *s)
{
	if (s->state == SL_SUBSCRIBER_LIVE)
		s->position = sl_subscriber_get_cursor(s).seq;
	s->state = SL_SUBSCRIBER_PARKED;
	sl_pace_leave(s);
	sl_fanout_unsubscribe_all(s);
}

bool
sl_subscriber_is_outdated(const struct sl_subscriber *s)
{
	return s->epoch != s->shard->fanout.epoch;
}

bool
sl_subscriber_is_ending(const struct sl_subscriber *s)
{
	return !s->link || s->link->state != SL_LINK_OPEN;
}

/* ---- the end ---- */

static void
log_end(const struct sl_subscriber *s, enum sl_end_reason reason)
{
	char client[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&s->link->client, client);
	bool usual = reason == SL_END_DRAINING || reason == SL_END_CLIENT ||
		reason == SL_END_EXPIRED || reason == SL_END_TOKEN_EXPIRED ||
		reason == SL_END_TOKEN_REVOKED || reason == SL_END_EPOCH;
	sl_log_limited(usual ? SL_LOG_DEBUG : SL_LOG_INFO, "connection.end",
		"transport=%s client=%s reason=%s queued=%u", s->encoder->transport, client,
		sl_control_get_reason(reason), s->link->outbox.queued_bytes);
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
		reason == SL_END_REFUSED || reason == SL_END_FORBIDDEN;
	log_end(s, reason);
	count_end(s, reason);
	if (s->encoder->capabilities & SL_ONE_SHOT) {
		end_one_shot(s, reason);
		return;
	}
	/* It would not take more; or may not have more from now on. */
	if (reason == SL_END_SLOW_CONSUMER || reason == SL_END_TOKEN_REVOKED)
		s->sent -= sl_outbox_drop_unbegun(&s->link->outbox);
	sl_subscriber_park(s);
	let_go(s);
	if (!is_silent)
		sl_control_send_bye(s, reason);
	struct sl_buffer *out = sl_framer_get_scratch(&s->shard->framer);
	s->encoder->frame_end(s->encoder, reason, s->end_code, out);
	if (sl_buffer_status(out) == 0)
		sl_link_send(s->link, out->bytes, out->len);
	sl_link_end(s->link);
}

/* True when the client has the acks and the messages of what it published. */
static bool
is_concluded(const struct sl_subscriber *s)
{
	return LIST_EMPTY(&s->pending) &&
		(sl_subscriber_is_outdated(s) || sl_subscriber_get_cursor(s).seq >= s->published);
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
	sl_link_set_timer(s->link, s->concludes_ms);
	sl_link_add_work(s->link);
}

void
sl_subscriber_end_limited(struct sl_subscriber *s, uint64_t wait_ms)
{
	if (sl_subscriber_is_ending(s) || s->conclusion)
		return;
	s->retry_ms = wait_ms < RETRY_MAX_MS ? (uint32_t)wait_ms : RETRY_MAX_MS;
	s->link->lingers_long = true; /* as below */
	sl_subscriber_end_in_order(s, SL_END_LIMIT, 0);
}

void
sl_subscriber_end_leave(struct sl_holder *holder, enum sl_leave leave)
{
	struct sl_subscriber *s = (struct sl_subscriber *)
		((char *)holder - offsetof(struct sl_subscriber, holder));
	if (sl_subscriber_is_ending(s))
		return;
	/* What its client publishes may be on its way: after a reset it would not see the bye. */
	s->link->lingers_long = true;
	if (leave == SL_LEAVE_REVOKED)
		sl_subscriber_end(s, SL_END_TOKEN_REVOKED);
	else
		sl_subscriber_end_in_order(s, SL_END_TOKEN_EXPIRED, 0);
}

/* ---- what it is told ---- */

struct sl_cursor
sl_subscriber_get_cursor(const struct sl_subscriber *s)
{
	const struct sl_fanout *fanout = &s->shard->fanout;
	struct sl_cursor cursor = { s->epoch, s->position };
	uint64_t live = s->epoch == fanout->epoch ? fanout->position :
		s->epoch == fanout->last.epoch ? fanout->last.seq : 0;
	if (s->state == SL_SUBSCRIBER_LIVE && live > s->position)
		cursor.seq = live;
	return cursor;
}

static void
count_sent(struct sl_subscriber *s, uint64_t count)
{
	uint64_t before = s->sent;
	s->sent += count;
	if (s->verifies && before / VERIFY_EVERY != s->sent / VERIFY_EVERY)
		sl_control_send_heartbeat(s);
}

void
sl_subscriber_count_messages(struct sl_subscriber *s, uint64_t count, uint64_t payload_bytes)
{
	struct sl_metrics *metrics = &s->shard->metrics;
	sl_metrics_add_class(metrics, s->encoder->class, SL_CLASS_MESSAGES_OUT, count);
	sl_metrics_add_class(metrics, s->encoder->class, SL_CLASS_PAYLOAD_BYTES_OUT, payload_bytes);
	count_sent(s, count);
}

/* A heartbeat is taken as it is, since it follows what the outbox had room for; so are the first
 * object and the last. */
static bool
push_control(struct sl_subscriber *s, enum sl_control_type type, struct sl_wire *wire)
{
	if (type == SL_CONTROL_HEARTBEAT || type == SL_CONTROL_OPEN || type == SL_CONTROL_BYE)
		return sl_link_push(s->link, wire, 0);
	return sl_link_send_wire(s->link, wire, 0);
}

void
sl_subscriber_send_control(struct sl_subscriber *s, const struct sl_buffer *before,
	const struct sl_control *control)
{
	static const uint8_t kinds[SL_CONTROL_TYPES] = {
		[SL_CONTROL_OPEN] = SL_WIRE_POSITION,
		[SL_CONTROL_HEARTBEAT] = SL_WIRE_POSITION,
		[SL_CONTROL_STATE] = SL_WIRE_POSITION,
		[SL_CONTROL_GAP] = SL_WIRE_GAP,
	};
	if (sl_subscriber_is_ending(s))
		return;
	struct sl_buffer *out = sl_framer_get_scratch(&s->shard->framer);
	if (before)
		sl_buffer_append(out, before->bytes, before->len);
	s->encoder->frame_control(s->encoder, control, out);
	if (sl_buffer_status(out) == 0 && out->len == 0)
		return; /* the format has no such thing */
	struct sl_wire *wire = NULL;
	if (sl_buffer_status(out) == 0)
		wire = sl_wire_create(&s->shard->framer, out->bytes, out->len);
	if (!wire) {
		sl_link_close(s->link);
		return;
	}
	wire->kind = kinds[control->type];
	bool is_queued = push_control(s, control->type, wire);
	sl_wire_unref(wire);
	if (is_queued && control->type == SL_CONTROL_GAP)
		count_sent(s, 1);
}

void
sl_subscriber_send_gap(struct sl_subscriber *s, const struct sl_gap *gap)
{
	sl_metrics_add(&s->shard->metrics, SL_COUNTER_GAPS_TOLD, 1);
	if (s->encoder->capabilities & SL_CAN_TELL_GAP)
		sl_control_send_gap(s, gap);
	else
		sl_subscriber_end(s, SL_END_GAP);
}

/* ---- what its link tells ---- */

/* A log may acknowledge a message before the bus has it, and then nothing of this client need come: so the shard's
 * position is looked at now and then. */
static void
await_shard(struct sl_subscriber *s)
{
	uint64_t next_ms = s->shard->loop.now_ms + PASSING_MS;
	sl_link_set_timer(s->link, next_ms < s->concludes_ms ? next_ms : s->concludes_ms);
}

void
sl_subscriber_on_idle(struct sl_subscriber *s)
{
	if (s->conclusion && is_concluded(s)) {
		sl_subscriber_end(s, (enum sl_end_reason)(s->conclusion - 1));
		return;
	}
	sl_outage_tell(s);
	if (s->state == SL_SUBSCRIBER_BEHIND)
		sl_catch_up(s, NULL, 0);
	if (s->pace || sl_subscriber_is_ending(s) || sl_link_has_output(s->link))
		return;
	if (s->conclusion && !LIST_EMPTY(&s->pending)) /* whose answers are work */
		return;
	if (s->state == SL_SUBSCRIBER_BEHIND)
		sl_link_add_work(s->link);
	else if (s->conclusion)
		await_shard(s);
}

void
sl_subscriber_on_timer(struct sl_subscriber *s)
{
	if (!s->conclusion) {
		sl_heartbeat_on_timer(s);
	} else if (s->shard->loop.now_ms >= s->concludes_ms) {
		sl_subscriber_end(s, (enum sl_end_reason)(s->conclusion - 1));
	} else { /* after the mailbox, in this turn */
		sl_link_set_timer(s->link, s->concludes_ms);
		sl_link_add_work(s->link);
	}
}
