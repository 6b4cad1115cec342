#include "live/join.h"

#include "bus/bus.h"
#include "live/catch_up.h"
#include "live/fanout.h"
#include "live/shard.h"
#include "live/subscriber.h"

static size_t
add_gaps(struct sl_subscriber *s, struct sl_cursor after, const uint64_t *resumed,
	struct sl_gap *gaps)
{
	uint32_t epoch = sl_bus_head(s->shard->bus).epoch;
	for (size_t i = 0; i < s->subscription_count; i++)
		gaps[i] = (struct sl_gap){
			.channel = sl_fanout_get_name(s->subscriptions[i].channel),
			.after = after,
			.resumed = { epoch, resumed[i] },
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

static size_t
place(struct sl_subscriber *s, const struct sl_join *join, struct sl_gap *gaps)
{
	struct sl_cursor head = sl_bus_head(s->shard->bus);
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

int
sl_join_channels(struct sl_subscriber *s, const struct sl_join *join, struct sl_gap *gaps,
	size_t *gap_count)
{
	for (unsigned i = 0; i < join->channel_count; i++) {
		int err = sl_fanout_subscribe(s, join->channels[i].bytes, join->channels[i].len);
		if (err != 0)
			return err;
	}
	if (join->heartbeat_s > 0)
		s->heartbeat_s = (uint16_t)join->heartbeat_s;
	sl_metrics_add_client(&s->shard->metrics, s->encoder->class, join->reason);
	/* The head is read after interest began: nothing lies between the two. */
	*gap_count = place(s, join, gaps);
	return 0;
}
