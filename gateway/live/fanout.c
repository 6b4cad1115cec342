#include "live/fanout_channel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/records.h"
#include "config/config.h"
#include "core/owners.h"
#include "live/lease.h"
#include "live/permit.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "util/err.h"
#include "util/limits.h"
#include "util/table.h"

#define IDLE_CHANNEL_MS 10000
#define SWEEP_CHANNELS 1000 /* dropped in one sweep */
#define IDLE_DROPS 16 /* for one that comes; each makes room, unless another shard wants the channel */

void
sl_fanout_init(struct sl_fanout *fanout)
{
	*fanout = (struct sl_fanout){ 0 };
	TAILQ_INIT(&fanout->idle);
}

const char *
sl_fanout_get_name(const struct sl_fanout_channel *channel)
{
	return channel->name;
}

struct sl_span
sl_fanout_get_span(const struct sl_fanout_channel *channel)
{
	return (struct sl_span){ channel->name, channel->hh.keylen };
}

struct sl_channel *
sl_fanout_get_record(const struct sl_fanout_channel *channel)
{
	return channel->channel;
}

/* ---- channels of this shard ---- */

static void
unlink_idle(struct sl_shard *shard, struct sl_fanout_channel *channel)
{
	TAILQ_REMOVE(&shard->fanout.idle, channel, idle);
	shard->fanout.idle_count--;
}

static void
drop_channel(struct sl_shard *shard, struct sl_fanout_channel *channel)
{
	unlink_idle(shard, channel);
	HASH_DEL(shard->fanout.channels, channel);
	sl_bus_unwant(shard->bus, shard->index, channel->channel);
	free(channel->receivers);
	free(channel);
}

/* A quarter of all records may be held by interest that nobody has any more, so that whoever comes and goes
 * does not keep them from others. */
static void
link_idle(struct sl_shard *shard, struct sl_fanout_channel *channel)
{
	struct sl_fanout *fanout = &shard->fanout;
	channel->idle_since_ms = shard->loop.now_ms;
	TAILQ_INSERT_TAIL(&fanout->idle, channel, idle);
	fanout->idle_count++;
	if (fanout->idle_count > 1 + shard->config->max_channels_total / (4 * shard->count))
		drop_channel(shard, TAILQ_FIRST(&fanout->idle));
}

/* Where the bus has no room, interest that nobody has any more goes: whoever comes counts more than whoever
 * may come back. */
static int
want(struct sl_shard *shard, struct sl_fanout_channel *channel, size_t name_len, uint64_t owner)
{
	for (unsigned tries = IDLE_DROPS;; tries--) {
		int err = sl_bus_want(shard->bus, shard->index, channel->name, name_len, owner,
			&channel->channel, &channel->since_seq);
		if (err != SL_EFULL || tries == 0 || TAILQ_EMPTY(&shard->fanout.idle))
			return err;
		drop_channel(shard, TAILQ_FIRST(&shard->fanout.idle));
	}
}

static int
add_channel(struct sl_subscriber *subscriber, const char *name, size_t name_len,
	struct sl_fanout_channel **out)
{
	struct sl_shard *shard = subscriber->shard;
	struct sl_fanout_channel *channel = calloc(1, sizeof *channel + name_len + 1);
	if (!channel)
		return SL_ENOMEM;
	memcpy(channel->name, name, name_len);
	int err = want(shard, channel, name_len, sl_owner_get_id(subscriber->owner));
	if (err != 0) {
		free(channel);
		return err;
	}
	HASH_ADD_KEYPTR(hh, shard->fanout.channels, channel->name, (unsigned)name_len, channel);
	if (!sl_table_holds(channel, hh)) {
		sl_bus_unwant(shard->bus, shard->index, channel->channel);
		free(channel);
		return SL_ENOMEM;
	}
	link_idle(shard, channel);
	*out = channel;
	return 0;
}

void
sl_fanout_sweep(struct sl_shard *shard)
{
	/* Interest outlives the last subscriber for a while: a long-poll comes back. */
	for (unsigned i = 0; i < SWEEP_CHANNELS; i++) {
		struct sl_fanout_channel *channel = TAILQ_FIRST(&shard->fanout.idle);
		if (!channel || shard->loop.now_ms - channel->idle_since_ms < IDLE_CHANNEL_MS)
			return;
		drop_channel(shard, channel);
	}
}

void
sl_fanout_finish(struct sl_shard *shard)
{
	while (!TAILQ_EMPTY(&shard->fanout.idle))
		drop_channel(shard, TAILQ_FIRST(&shard->fanout.idle));
	assert(!shard->fanout.channels);
}

/* ---- subscriptions ---- */

static int
grow_subscriptions(struct sl_subscriber *subscriber)
{
	unsigned cap = subscriber->subscription_cap ? subscriber->subscription_cap * 4u : 1;
	if (cap > SL_CHANNELS_MAX)
		cap = SL_CHANNELS_MAX;
	if (cap == 1) {
		subscriber->subscriptions = &subscriber->one;
	} else {
		struct sl_subscription *old = subscriber->subscriptions;
		struct sl_subscription *more = malloc(cap * sizeof *more);
		if (!more)
			return SL_ENOMEM;
		memcpy(more, old, subscriber->subscription_count * sizeof *more);
		if (old != &subscriber->one)
			free(old);
		subscriber->subscriptions = more;
	}
	subscriber->subscription_cap = (uint8_t)cap;
	return 0;
}

static int
grow_receivers(struct sl_fanout_channel *channel)
{
	uint32_t cap = channel->cap ? channel->cap * 2 : 1;
	struct sl_receiver *more = realloc(channel->receivers, cap * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	channel->receivers = more;
	channel->cap = cap;
	return 0;
}

/* Of the subscriptions with this framing. */
static int
find(const struct sl_subscriber *subscriber, const char *name, size_t name_len, uint32_t framing)
{
	for (size_t i = 0; i < subscriber->subscription_count; i++) {
		const struct sl_subscription *subscription = &subscriber->subscriptions[i];
		if (subscription->framing == framing && subscription->channel->hh.keylen == name_len &&
				memcmp(subscription->channel->name, name, name_len) == 0)
			return (int)i;
	}
	return SL_ENOENT;
}

int
sl_fanout_find(const struct sl_subscriber *subscriber, const char *name, size_t name_len)
{
	return find(subscriber, name, name_len, subscriber->framing);
}

int
sl_fanout_find_as(const struct sl_subscriber *subscriber, const char *name, size_t name_len,
	struct sl_span label)
{
	if (!label.bytes)
		return sl_fanout_find(subscriber, name, name_len);
	int framing = sl_framer_find(&subscriber->shard->framer, subscriber->encoder, label);
	return framing < 0 ? framing : find(subscriber, name, name_len, (uint32_t)framing);
}

struct sl_span
sl_fanout_get_label(const struct sl_subscriber *subscriber, size_t index)
{
	const struct sl_framer *framer = &subscriber->shard->framer;
	const struct sl_label *label = framer->framings[subscriber->subscriptions[index].framing].label;
	return label ? label->text : (struct sl_span){ NULL, 0 };
}

static struct sl_receiver *
get_receiver(struct sl_subscription *subscription)
{
	return &subscription->channel->receivers[subscription->slot];
}

/* Notes which of the subscriber's subscriptions share the channel. */
static void
mark_twins(struct sl_subscriber *subscriber, const struct sl_fanout_channel *channel)
{
	unsigned count = 0;
	for (size_t i = 0; i < subscriber->subscription_count; i++)
		count += subscriber->subscriptions[i].channel == channel;
	for (size_t i = 0; i < subscriber->subscription_count; i++)
		if (subscriber->subscriptions[i].channel == channel)
			get_receiver(&subscriber->subscriptions[i])->has_twin = count > 1;
}

static void
link_receiver(struct sl_fanout_channel *channel, struct sl_subscriber *subscriber, uint32_t framing,
	uint64_t after)
{
	uint8_t index = subscriber->subscription_count++;
	subscriber->subscriptions[index] = (struct sl_subscription){
		.channel = channel,
		.after = after,
		.slot = channel->count,
		.framing = framing,
	};
	channel->receivers[channel->count++] = (struct sl_receiver){
		.subscriber = subscriber,
		.framing = framing,
		.index = index,
		.has_after = after > 0,
	};
	sl_records_count_receiver(channel->channel, 1);
	subscriber->has_labels |= framing != subscriber->framing;
	if (subscriber->has_labels)
		mark_twins(subscriber, channel);
}

static int
subscribe(struct sl_subscriber *subscriber, struct sl_span name, uint32_t framing, uint64_t after)
{
	struct sl_shard *shard = subscriber->shard;
	struct sl_fanout_channel *channel;
	HASH_FIND(hh, shard->fanout.channels, name.bytes, (unsigned)name.len, channel);
	if (!channel) {
		int err = add_channel(subscriber, name.bytes, name.len, &channel);
		if (err != 0)
			return err;
	}
	if (subscriber->subscription_count == SL_CHANNELS_MAX)
		return SL_EFULL;
	if (subscriber->subscription_count == subscriber->subscription_cap &&
			grow_subscriptions(subscriber) != 0)
		return SL_ENOMEM;
	if (channel->count == channel->cap && grow_receivers(channel) != 0)
		return SL_ENOMEM;
	if (channel->count == 0)
		unlink_idle(shard, channel);
	link_receiver(channel, subscriber, framing, after);
	return 0;
}

/* Takes the reference of the framing's label. */
static int
subscribe_framed(struct sl_subscriber *subscriber, struct sl_span name, uint32_t framing,
	uint64_t after)
{
	bool is_leased = sl_channel_name_is_leased(name.bytes);
	int err = is_leased ? sl_lease_join(subscriber->shard, name) : 0;
	if (err == 0) {
		err = subscribe(subscriber, name, framing, after);
		if (err != 0 && is_leased)
			sl_lease_leave(subscriber->shard, name);
	}
	if (err != 0)
		sl_framer_release(&subscriber->shard->framer, framing);
	return err;
}

int
sl_fanout_subscribe_as(struct sl_subscriber *subscriber, const char *name, size_t name_len,
	struct sl_span label, uint64_t after)
{
	struct sl_span span = { name, name_len };
	if (!sl_permit_allows(subscriber->holder.principal, SL_ACT_SUBSCRIBE, span)) {
		sl_metrics_add(&subscriber->shard->metrics, SL_COUNTER_FORBIDDEN_SUBSCRIBE, 1);
		return SL_EFORBIDDEN;
	}
	if (sl_fanout_find_as(subscriber, name, name_len, label) >= 0)
		return 0;
	int framing = subscriber->framing;
	if (label.bytes)
		framing = sl_framer_acquire(&subscriber->shard->framer, subscriber->encoder, label);
	return framing < 0 ? framing : subscribe_framed(subscriber, span, (uint32_t)framing, after);
}

int
sl_fanout_subscribe(struct sl_subscriber *subscriber, const char *name, size_t name_len)
{
	return sl_fanout_subscribe_as(subscriber, name, name_len, (struct sl_span){ NULL, 0 }, 0);
}

void
sl_fanout_raise_after(struct sl_subscriber *subscriber, size_t index, uint64_t after)
{
	struct sl_subscription *subscription = &subscriber->subscriptions[index];
	if (after <= subscription->after)
		return;
	subscription->after = after;
	get_receiver(subscription)->has_after = true;
}

void
sl_fanout_relabel(struct sl_subscriber *subscriber, size_t index, unsigned framing)
{
	struct sl_subscription *subscription = &subscriber->subscriptions[index];
	sl_framer_release(&subscriber->shard->framer, subscription->framing);
	subscription->framing = framing;
	get_receiver(subscription)->framing = framing;
	subscriber->has_labels = true;
}

void
sl_fanout_unsubscribe(struct sl_subscriber *subscriber, size_t index)
{
	struct sl_subscription *subscription = &subscriber->subscriptions[index];
	struct sl_fanout_channel *channel = subscription->channel;
	bool has_twin = get_receiver(subscription)->has_twin;
	struct sl_receiver *last = &channel->receivers[--channel->count];
	if (subscription->slot != channel->count) {
		channel->receivers[subscription->slot] = *last;
		last->subscriber->subscriptions[last->index].slot = subscription->slot;
	}
	sl_records_count_receiver(channel->channel, -1);
	if (channel->count == 0)
		link_idle(subscriber->shard, channel);
	sl_framer_release(&subscriber->shard->framer, subscription->framing);
	size_t final = (size_t)--subscriber->subscription_count;
	if (index != final) {
		*subscription = subscriber->subscriptions[final];
		get_receiver(subscription)->index = (uint8_t)index;
	}
	if (has_twin)
		mark_twins(subscriber, channel);
	if (sl_channel_name_is_leased(channel->name))
		sl_lease_leave(subscriber->shard, sl_fanout_get_span(channel));
}

void
sl_fanout_unsubscribe_all(struct sl_subscriber *subscriber)
{
	while (subscriber->subscription_count)
		sl_fanout_unsubscribe(subscriber, subscriber->subscription_count - 1u);
	if (subscriber->subscriptions != &subscriber->one)
		free(subscriber->subscriptions);
	subscriber->subscriptions = NULL;
	subscriber->subscription_cap = 0;
}

void
sl_fanout_end_channel(struct sl_shard *shard, const char *name, size_t name_len,
	enum sl_end_reason reason)
{
	struct sl_fanout_channel *channel;
	HASH_FIND(hh, shard->fanout.channels, name, (unsigned)name_len, channel);
	/* From the end: whoever ends leaves its slots to the last ones, which have had their turn. */
	for (uint32_t i = channel ? channel->count : 0; i-- > 0;)
		if (i < channel->count) /* else one that left had several */
			sl_subscriber_end(channel->receivers[i].subscriber, reason);
}
