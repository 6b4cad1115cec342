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

#define PASSING_MS 10     /* between two looks at how far the shard is, where it alone is waited for */
#define VERIFY_EVERY 1000 /* messages and gaps, then a heartbeat where the client verifies */

/* ---- what its link does, or its ops without one ---- */

void
sl_subscriber_add_work(struct sl_subscriber *s)
{
	if (s->link)
		sl_link_add_work(s->link);
	else
		s->ops->add_work(s);
}

void
sl_subscriber_set_timer(struct sl_subscriber *s, uint64_t due_ms)
{
	if (s->link)
		sl_link_set_timer(s->link, due_ms);
	else
		s->ops->set_timer(s, due_ms);
}

/* ---- life ---- */

void
sl_subscriber_admit(struct sl_subscriber *s, struct sl_shard *shard, struct sl_principal *principal,
	const struct sl_link *link)
{
	sl_subscriber_admit_without_link(s, shard, principal, link ? link->owner : NULL);
}

static void
join_holder(struct sl_subscriber *s, struct sl_principal *principal)
{
	/* Everybody may for ever: the time is not asked for. */
	int64_t now_s = principal == &sl_principal_everybody ? 0 : sl_clock_wall_us() / 1000000;
	if (principal)
		sl_holder_join(s->shard->principals, &s->holder, principal, s->shard->loop.now_ms, now_s);
}

void
sl_subscriber_admit_without_link(struct sl_subscriber *s, struct sl_shard *shard,
	struct sl_principal *principal, struct sl_owner *address)
{
	s->shard = shard;
	s->owner = sl_owner_ref(sl_permit_choose_owner(principal, address));
	join_holder(s, principal);
}

void
sl_subscriber_set_principal(struct sl_subscriber *s, struct sl_principal *principal)
{
	struct sl_owner *owner = sl_owner_ref(sl_permit_choose_owner(principal, s->owner));
	sl_principal_ref(principal); /* it may be the one that is left */
	sl_holder_leave(s->shard->principals, &s->holder);
	join_holder(s, principal);
	sl_principal_unref(principal);
	sl_pace_leave(s); /* whose line is the owner's; it joins another when it next reads */
	sl_owner_unref(s->owner);
	s->owner = owner;
	if (s->state == SL_SUBSCRIBER_BEHIND)
		sl_subscriber_add_work(s);
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

static int
init(struct sl_subscriber *s, const struct sl_encoder *encoder, const struct sl_subscriber_ops *ops)
{
	int framing = sl_framer_intern(&s->shard->framer, encoder);
	if (framing < 0)
		return framing;
	s->encoder = encoder;
	s->framing = (uint16_t)framing;
	s->epoch = s->shard->fanout.epoch;
	s->ops = ops;
	s->beat_interval_ms = (uint32_t)s->shard->config->heartbeat_s * 1000u;
	s->last_beat_ms = s->shard->loop.now_ms;
	return 0;
}

int
sl_subscriber_init(struct sl_subscriber *s, struct sl_link *link,
	const struct sl_encoder *encoder, const struct sl_subscriber_ops *ops)
{
	s->shard = link->shard;
	int err = init(s, encoder, ops);
	if (err == 0)
		s->link = link;
	return err;
}

int
sl_subscriber_init_detached(struct sl_subscriber *s, const struct sl_encoder *encoder,
	const struct sl_subscriber_ops *ops)
{
	int err = init(s, encoder, ops);
	if (err != 0)
		return err;
	sl_join_nothing(s);
	s->state = SL_SUBSCRIBER_DETACHED;
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
	sl_subscriber_add_work(s);
}

void
sl_subscriber_go_live(struct sl_subscriber *s)
{
	assert(s->position >= s->shard->fanout.position);
	s->state = SL_SUBSCRIBER_LIVE;
}

void
sl_subscriber_attach(struct sl_subscriber *s)
{
	s->state = SL_SUBSCRIBER_BEHIND;
	sl_subscriber_pull(s);
}

void
sl_subscriber_pull(struct sl_subscriber *s)
{
	if (s->state == SL_SUBSCRIBER_BEHIND && sl_pace_may_read(s))
		sl_catch_up(s, NULL, 0);
}

static void
fix_position(struct sl_subscriber *s)
{
	if (s->state == SL_SUBSCRIBER_LIVE)
		s->position = sl_subscriber_get_cursor(s).seq;
}

void
sl_subscriber_detach(struct sl_subscriber *s)
{
	fix_position(s);
	s->state = SL_SUBSCRIBER_DETACHED;
	sl_pace_leave(s);
}

void
sl_subscriber_park(struct sl_subscriber *s)
{
	fix_position(s);
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
	return s->link ? s->link->state != SL_LINK_OPEN : s->state == SL_SUBSCRIBER_PARKED;
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
	if (sl_subscriber_try_conclude(s))
		return;
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
		sl_subscriber_set_timer(s, s->concludes_ms);
		sl_subscriber_add_work(s);
	}
}
