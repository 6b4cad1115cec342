#include "live/join.h"

#include "bus/bus.h"
#include "http/request.h"
#include "live/connection.h"
#include "live/fanout.h"
#include "shard.h"

static size_t
add_gaps(struct sl_connection *c, struct sl_cursor after, const uint64_t *resumed,
	struct sl_gap *gaps)
{
	uint32_t epoch = sl_bus_head(c->shard->bus).epoch;
	for (size_t i = 0; i < c->subscription_count; i++)
		gaps[i] = (struct sl_gap){
			.channel = sl_fanout_get_name(c->subscriptions[i].channel),
			.after = after,
			.resumed = { epoch, resumed[i] },
		};
	return c->subscription_count;
}

/* A cursor of this epoch above the head: a node that lags, or numbers that never were. */
static size_t
place_above_head(struct sl_connection *c, struct sl_cursor asked, uint64_t head,
	struct sl_gap *gaps)
{
	c->position = asked.seq;
	if (!sl_bus_is_above_log(c->shard->bus, asked.seq))
		return 0;
	uint64_t resumed[SL_PARAMS_CHANNELS_MAX];
	c->position = head;
	sl_fanout_find_losses(c, resumed);
	for (size_t i = 0; i < c->subscription_count; i++)
		resumed[i] = head;
	return add_gaps(c, asked, resumed, gaps);
}

static size_t
place(struct sl_connection *c, const struct sl_params *params, struct sl_gap *gaps)
{
	struct sl_cursor head = sl_bus_head(c->shard->bus);
	uint64_t resumed[SL_PARAMS_CHANNELS_MAX];
	if (params->since_kind == SL_SINCE_NOW) {
		c->position = head.seq;
		return 0;
	}
	if (params->since_kind == SL_SINCE_CURSOR && params->since.epoch == head.epoch) {
		if (params->since.seq > head.seq)
			return place_above_head(c, params->since, head.seq, gaps);
		c->position = params->since.seq;
		return 0;
	}
	/* Everything that history holds; of an unknown past a gap is told, of none not. */
	c->position = 0;
	sl_fanout_find_losses(c, resumed);
	if (params->since_kind == SL_SINCE_ALL)
		return 0;
	struct sl_cursor asked = { 0 };
	if (params->since_kind == SL_SINCE_CURSOR)
		asked = params->since;
	return add_gaps(c, asked, resumed, gaps);
}

int
sl_join_channels(struct sl_connection *c, const struct sl_request *request,
	struct sl_gap *gaps, size_t *gap_count)
{
	const struct sl_params *params = &request->params;
	for (unsigned i = 0; i < params->channel_count; i++) {
		size_t index;
		int err = sl_fanout_subscribe(c, params->channels[i].bytes, params->channels[i].len,
			&index);
		if (err != 0)
			return err;
	}
	sl_metrics_add_client(&c->shard->metrics, c->transport->class, params->reason);
	/* The head is read after interest began: nothing lies between the two. */
	*gap_count = place(c, params, gaps);
	return 0;
}
