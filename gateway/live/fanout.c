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

int
sl_fanout_find(const struct sl_subscriber *subscriber, const char *name, size_t name_len)
{
	for (size_t i = 0; i < subscriber->subscription_count; i++) {
		const struct sl_fanout_channel *channel = subscriber->subscriptions[i].channel;
		if (channel->hh.keylen == name_len && memcmp(channel->name, name, name_len) == 0)
			return (int)i;
	}
	return SL_ENOENT;
}

static void
link_receiver(struct sl_fanout_channel *channel, struct sl_subscriber *subscriber)
{
	uint8_t index = subscriber->subscription_count++;
	subscriber->subscriptions[index] = (struct sl_subscription){
		.channel = channel,
		.slot = channel->count,
		.framing = subscriber->framing,
	};
	channel->receivers[channel->count++] = (struct sl_receiver){
		.subscriber = subscriber,
		.index = index,
		.framing = subscriber->framing,
	};
	sl_records_count_receiver(channel->channel, 1);
}

static int
subscribe(struct sl_subscriber *subscriber, const char *name, size_t name_len)
{
	struct sl_shard *shard = subscriber->shard;
	struct sl_fanout_channel *channel;
	HASH_FIND(hh, shard->fanout.channels, name, (unsigned)name_len, channel);
	if (!channel) {
		int err = add_channel(subscriber, name, name_len, &channel);
		if (err != 0)
			return err;
	}
	if (subscriber->subscription_count == subscriber->subscription_cap &&
			grow_subscriptions(subscriber) != 0)
		return SL_ENOMEM;
	if (channel->count == channel->cap && grow_receivers(channel) != 0)
		return SL_ENOMEM;
	if (channel->count == 0)
		unlink_idle(shard, channel);
	link_receiver(channel, subscriber);
	return 0;
}

int
sl_fanout_subscribe(struct sl_subscriber *subscriber, const char *name, size_t name_len)
{
	struct sl_span span = { name, name_len };
	bool is_leased = sl_channel_name_is_leased(name);
	if (!sl_permit_allows(subscriber->holder.principal, SL_ACT_SUBSCRIBE, span)) {
		sl_metrics_add(&subscriber->shard->metrics, SL_COUNTER_FORBIDDEN_SUBSCRIBE, 1);
		return SL_EFORBIDDEN;
	}
	if (sl_fanout_find(subscriber, name, name_len) >= 0)
		return 0;
	int err = is_leased ? sl_lease_join(subscriber->shard, span) : 0;
	if (err != 0)
		return err;
	err = subscribe(subscriber, name, name_len);
	if (err != 0 && is_leased)
		sl_lease_leave(subscriber->shard, span);
	return err;
}

void
sl_fanout_unsubscribe(struct sl_subscriber *subscriber, size_t index)
{
	struct sl_subscription *subscription = &subscriber->subscriptions[index];
	struct sl_fanout_channel *channel = subscription->channel;
	struct sl_receiver *last = &channel->receivers[--channel->count];
	if (subscription->slot != channel->count) {
		channel->receivers[subscription->slot] = *last;
		last->subscriber->subscriptions[last->index].slot = subscription->slot;
	}
	sl_records_count_receiver(channel->channel, -1);
	if (channel->count == 0)
		link_idle(subscriber->shard, channel);
	size_t final = (size_t)--subscriber->subscription_count;
	if (index != final) {
		*subscription = subscriber->subscriptions[final];
		subscription->channel->receivers[subscription->slot].index = (uint32_t)index;
	}
	if (sl_channel_name_is_leased(channel->name))
		sl_lease_leave(subscriber->shard, (struct sl_span){ channel->name, channel->hh.keylen });
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
	/* From the end: whoever ends leaves its slot to the last one, which has had its turn. */
	for (uint32_t i = channel ? channel->count : 0; i-- > 0;)
		sl_subscriber_end(channel->receivers[i].subscriber, reason);
}
