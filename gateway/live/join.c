#include "live/join.h"

#include "bus/bus.h"
#include "live/catch_up.h"
#include "live/delivery.h"
#include "live/fanout.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "util/err.h"

static size_t
add_gaps(struct sl_subscriber *s, struct sl_cursor after, const uint64_t *resumed,
	struct sl_gap *gaps)
{
	for (size_t i = 0; i < s->subscription_count; i++)
		gaps[i] = (struct sl_gap){
			.channel = sl_fanout_get_name(s->subscriptions[i].channel),
			.after = after,
			.resumed = { s->epoch, resumed[i] },
		};
	return s->subscription_count;
}

/* A cursor of this epoch above the head: a node that lags, or numbers that never were. */
static size_t
place_above_head(struct sl_subscriber *s, struct sl_cursor asked, uint64_t head,
	struct sl_gap *gaps)
{
	s->position = asked.seq;
	if (!sl_bus_is_above_log(s->shard->bus, asked.seq))
		return 0;
	uint64_t resumed[SL_CHANNELS_MAX];
	s->position = head;
	sl_catch_up_find_losses(s, resumed);
	for (size_t i = 0; i < s->subscription_count; i++)
		resumed[i] = head;
	return add_gaps(s, asked, resumed, gaps);
}

/* `head` is of the subscriber's log. */
static size_t
place(struct sl_subscriber *s, struct sl_cursor head, const struct sl_join *join,
	struct sl_gap *gaps)
{
	uint64_t resumed[SL_CHANNELS_MAX];
	if (join->since_kind == SL_SINCE_NOW) {
		s->position = head.seq;
		return 0;
	}
	if (join->since_kind == SL_SINCE_CURSOR && join->since.epoch == head.epoch) {
		if (join->since.seq > head.seq)
			return place_above_head(s, join->since, head.seq, gaps);
		s->position = join->since.seq;
		return 0;
	}
	/* Everything that history holds; of an unknown past a gap is told, of none not. */
	s->position = 0;
	sl_catch_up_find_losses(s, resumed);
	if (join->since_kind == SL_SINCE_ALL)
		return 0;
	struct sl_cursor asked = { 0 };
	if (join->since_kind == SL_SINCE_CURSOR)
		asked = join->since;
	return add_gaps(s, asked, resumed, gaps);
}

void
sl_join_nothing(struct sl_subscriber *s)
{
	struct sl_cursor head = sl_delivery_follow(s->shard);
	s->epoch = head.epoch;
	s->position = head.seq;
}

static int
subscribe_all(struct sl_subscriber *s, const struct sl_join *join)
{
	int err = 0;
	for (unsigned i = 0; i < join->channel_count && err == 0; i++)
		err = sl_fanout_subscribe(s, join->channels[i].bytes, join->channels[i].len);
	return err;
}

int
sl_join_channels(struct sl_subscriber *s, const struct sl_join *join, struct sl_gap *gaps,
	size_t *gap_count)
{
	struct sl_bus *bus = s->shard->bus;
	/* Where another log begins meanwhile, what was found is of none: once more. */
	do {
		sl_fanout_unsubscribe_all(s);
		s->epoch = sl_delivery_follow(s->shard).epoch;
		int err = subscribe_all(s, join);
		if (err != 0)
			return err;
		/* The head is read after interest began: nothing lies between the two. */
		struct sl_cursor head = sl_bus_head(bus);
		*gap_count = head.epoch == s->epoch ? place(s, head, join, gaps) : 0;
	} while (sl_bus_head(bus).epoch != s->epoch);
	if (join->heartbeat_s > 0)
		s->beat_interval_ms = (uint32_t)join->heartbeat_s * 1000u;
	sl_metrics_add_client(&s->shard->metrics, s->encoder->class, join->reason);
	return 0;
}

struct sl_joined
sl_join_describe(const struct sl_subscriber *s, unsigned index)
{
	const struct sl_subscription *subscription = &s->subscriptions[index];
	return (struct sl_joined){
		.channel = sl_fanout_get_span(subscription->channel),
		.label = sl_fanout_get_label(s, index),
		.after = subscription->after,
	};
}

int
sl_join_again(struct sl_subscriber *s, const struct sl_joined *joined, unsigned count,
	struct sl_cursor position)
{
	int err = 0;
	s->epoch = sl_delivery_follow(s->shard).epoch;
	for (unsigned i = 0; i < count && err == 0; i++)
		err = sl_fanout_subscribe_as(s, joined[i].channel.bytes, joined[i].channel.len,
			joined[i].label, joined[i].after);
	/* Asked once interest has begun: another log may have come with it. */
	if (err == 0 && (position.epoch != s->epoch || sl_bus_head(s->shard->bus).epoch != s->epoch))
		err = SL_ENOENT;
	if (err != 0)
		sl_fanout_unsubscribe_all(s);
	else if (s->state == SL_SUBSCRIBER_LIVE)
		sl_subscriber_fall_behind(s, position.seq);
	else
		s->position = position.seq;
	return err;
}
