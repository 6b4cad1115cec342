/* Verbs that change what a subscriber has: subscribe, unsubscribe, relabel. */
#include <assert.h>

#include "bus/bus.h"
#include "config/config.h"
#include "core/owners.h"
#include "live/fanout.h"
#include "live/lease.h"
#include "live/permit.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/err.h"

static const struct sl_span no_label = { NULL, 0 };

const struct sl_refusal sl_verbs_too_many_channels = {
	"too_many_channels", "the connection has too many channels; see limits.channels in /transports",
};

int
sl_verbs_pay_for_channels(struct sl_subscriber *s, unsigned added, struct sl_refusal *refusal)
{
	if (added == 0) {
		if (sl_verbs_ask(s, 1))
			return 0;
		sl_refusal_set_err(refusal, SL_ELIMITED);
		return SL_ELIMITED;
	}
	uint64_t wait_ms = sl_owner_take(s->owner, SL_LIMIT_SUBSCRIBES, added, s->shard->loop.now_ms);
	if (wait_ms == 0)
		return 0;
	sl_metrics_add(&s->shard->metrics, sl_limit_counter(SL_LIMIT_SUBSCRIBES), 1);
	sl_refusal_set_limit(refusal, SL_LIMIT_SUBSCRIBES, wait_ms);
	return SL_ELIMITED;
}

/* May it have these too? Pays for those that are new. */
static int
check(struct sl_subscriber *s, const struct sl_verbs_subscription *what, struct sl_refusal *refusal)
{
	unsigned added = 0;
	for (unsigned i = 0; i < what->count; i++)
		added += sl_fanout_find_as(s, what->channels[i].bytes, what->channels[i].len, what->label) < 0;
	if (s->subscription_count + added > s->shard->config->max_channels) {
		*refusal = sl_verbs_too_many_channels;
		return SL_EFULL;
	}
	int err = sl_permit_check_subscribe(s->shard, s->holder.principal, what->channels, what->count, refusal);
	return err != 0 || what->is_paid ? err : sl_verbs_pay_for_channels(s, added, refusal);
}

static void
cut_back(struct sl_subscriber *s, unsigned count)
{
	while (s->subscription_count > count)
		sl_fanout_unsubscribe(s, s->subscription_count - 1u);
}

/* All of them or none. */
static int
add_all(struct sl_subscriber *s, const struct sl_span *channels, unsigned count, struct sl_span label,
	struct sl_refusal *refusal)
{
	unsigned before = s->subscription_count;
	int err = 0;
	for (unsigned i = 0; i < count && err == 0; i++)
		err = sl_fanout_subscribe_as(s, channels[i].bytes, channels[i].len, label, 0);
	if (err == 0)
		return 0;
	cut_back(s, before);
	sl_refusal_set_err(refusal, err);
	return err;
}

int
sl_verbs_subscribe(struct sl_subscriber *s, const struct sl_span *channels, unsigned count,
	struct sl_refusal *refusal)
{
	const struct sl_verbs_subscription what = { .channels = channels, .count = count };
	int err = check(s, &what, refusal);
	if (err != 0)
		return err;
	err = sl_lease_find_all(s->shard, channels, count);
	if (err != 0) {
		sl_refusal_set_err(refusal, err);
		return err;
	}
	if (s->state == SL_SUBSCRIBER_LIVE)
		sl_subscriber_fall_behind(s, sl_subscriber_get_cursor(s).seq);
	return add_all(s, channels, count, no_label, refusal);
}

void
sl_verbs_unsubscribe(struct sl_subscriber *s, const struct sl_span *channels, unsigned count)
{
	sl_verbs_unsubscribe_as(s, channels, count, no_label);
}

/* ---- from where ---- */

/* Where the new subscriptions begin, before what history turns out to have lost; `*lost` is set where the cursor
 * alone shows it. `head` was read after interest began. */
static uint64_t
find_start(struct sl_subscriber *s, const struct sl_verbs_subscription *what, struct sl_cursor head,
	bool *lost)
{
	*lost = false;
	if (what->since_kind == SL_SINCE_NOW)
		return head.seq;
	if (what->since_kind == SL_SINCE_ALL)
		return 0;
	*lost = true;
	if (what->since_kind != SL_SINCE_CURSOR || what->since.epoch != head.epoch)
		return 0;
	if (what->since.seq > head.seq && sl_bus_is_above_log(s->shard->bus, what->since.seq))
		return head.seq;
	*lost = false;
	return what->since.seq;
}

/* The subscriptions from index `first` on begin above `start`, or above what is lost of them. True where something
 * is. */
static bool
start_above(struct sl_subscriber *s, unsigned first, uint64_t start)
{
	struct sl_read_channel channels[SL_CHANNELS_MAX];
	struct sl_read read = { .channels = channels, .epoch = s->epoch };
	for (unsigned i = first; i < s->subscription_count; i++)
		channels[read.channel_count++] = (struct sl_read_channel){
			.channel = sl_fanout_get_record(s->subscriptions[i].channel), .after = start };
	sl_bus_read(s->shard->bus, &read);
	bool lost = false;
	for (unsigned i = 0; i < read.channel_count; i++) {
		uint64_t resumed = channels[i].gap_resumed;
		sl_fanout_raise_after(s, first + i, resumed > start ? resumed : start);
		lost |= resumed > start;
	}
	return lost;
}

/* The subscriptions from index `first` on have started at `start`. If that is below the position, the position goes
 * back, and those before keep what they had. */
static void
replay(struct sl_subscriber *s, unsigned first, uint64_t start)
{
	uint64_t position = sl_subscriber_get_cursor(s).seq;
	for (unsigned i = 0; i < first && start < position; i++)
		sl_fanout_raise_after(s, i, position);
	if (start < position)
		position = start;
	if (s->state == SL_SUBSCRIBER_LIVE)
		sl_subscriber_fall_behind(s, position);
	else
		s->position = position;
}

int
sl_verbs_subscribe_as(struct sl_subscriber *s, const struct sl_verbs_subscription *what,
	bool must_reach, bool *lost, struct sl_refusal *refusal)
{
	assert(lost || !must_reach);
	unsigned first = s->subscription_count;
	bool is_lost;
	int err = check(s, what, refusal);
	if (err == 0)
		err = add_all(s, what->channels, what->count, what->label, refusal);
	if (lost)
		*lost = false;
	if (err != 0 || s->subscription_count == first)
		return err;
	struct sl_cursor head = sl_bus_head(s->shard->bus);
	if (head.epoch != s->epoch) /* and so it ends: nothing of this log comes any more */
		head = sl_subscriber_get_cursor(s);
	uint64_t start = find_start(s, what, head, &is_lost);
	bool has_losses = start_above(s, first, start);
	is_lost |= has_losses && what->since_kind == SL_SINCE_CURSOR;
	if (lost)
		*lost = is_lost;
	if (is_lost && must_reach)
		cut_back(s, first);
	else if (start < head.seq)
		replay(s, first, start);
	return 0;
}

/* ---- without, and under another label ---- */

void
sl_verbs_unsubscribe_as(struct sl_subscriber *s, const struct sl_span *channels, unsigned count,
	struct sl_span label)
{
	if (!sl_verbs_ask(s, 1))
		return;
	for (unsigned i = 0; i < count; i++) {
		int index = sl_fanout_find_as(s, channels[i].bytes, channels[i].len, label);
		if (index >= 0)
			sl_fanout_unsubscribe(s, (size_t)index);
	}
}

/* The framing of a label, or SL_ENOENT. */
static int
find_framing(const struct sl_subscriber *s, struct sl_span label)
{
	return label.bytes ? sl_framer_find(&s->shard->framer, s->encoder, label) : s->framing;
}

void
sl_verbs_unsubscribe_label(struct sl_subscriber *s, struct sl_span label)
{
	if (!sl_verbs_ask(s, 1))
		return;
	int framing = find_framing(s, label);
	for (size_t i = s->subscription_count; framing >= 0 && i-- > 0;)
		if (s->subscriptions[i].framing == (uint32_t)framing)
			sl_fanout_unsubscribe(s, i);
}

static int
acquire(struct sl_subscriber *s, struct sl_span label)
{
	return label.bytes ? sl_framer_acquire(&s->shard->framer, s->encoder, label) : s->framing;
}

int
sl_verbs_relabel(struct sl_subscriber *s, struct sl_span from, struct sl_span to)
{
	int old = find_framing(s, from), new = acquire(s, to);
	if (new < 0)
		return new;
	for (size_t i = s->subscription_count; old >= 0 && old != new && i-- > 0;) {
		if (s->subscriptions[i].framing != (uint32_t)old)
			continue;
		struct sl_span name = sl_fanout_get_span(s->subscriptions[i].channel);
		if (sl_fanout_find_as(s, name.bytes, name.len, to) >= 0)
			sl_fanout_unsubscribe(s, i);
		else
			sl_fanout_relabel(s, i, (unsigned)acquire(s, to)); /* it is there: that cannot fail */
	}
	sl_framer_release(&s->shard->framer, (unsigned)new);
	return 0;
}
