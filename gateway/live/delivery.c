#include "live/delivery.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/message.h"
#include "live/fanout_channel.h"
#include "live/framing.h"
#include "live/outage.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "util/table.h"

#define BATCHES_PER_TURN 16
#define PREFETCH_AHEAD 4

/* ---- messages ---- */

/* The first of the run's messages that is above `after`; `count` where none is. */
static size_t
find_above(const struct sl_run *run, uint64_t after)
{
	size_t first = 0;
	while (first < run->count && run->messages[first]->seq <= after)
		first++;
	return first;
}

/* A part of a run that straddles a position: cut at a message's end. False when nothing more can be queued. */
static inline bool
send_wire(struct sl_subscriber *subscriber, struct sl_run *run, unsigned framing, size_t first)
{
	struct sl_wire *wire = sl_run_get_wire(run, &subscriber->shard->framer, framing);
	if (!wire) {
		sl_link_close(subscriber->link);
		return false;
	}
	return sl_link_send_wire(subscriber->link, wire, first ? wire->ends[first - 1] : 0);
}

static void
deliver_wire(struct sl_subscriber *subscriber, struct sl_run *run, unsigned framing, size_t first)
{
	if (!send_wire(subscriber, run, framing, first))
		return;
	subscriber->position = run->last_seq;
	sl_subscriber_count_messages(subscriber, run->count - first, first == 0 ?
		run->payload_bytes : sl_run_sum_payload(run->messages + first, run->count - first));
}

static void
deliver_answer(struct sl_subscriber *subscriber, struct sl_run *run, unsigned framing, size_t first)
{
	struct sl_answer answer = {
		.run = first == 0 ? run : NULL,
		.messages = run->messages + first,
		.count = run->count - first,
		.framing = framing,
		.through = run->last_seq,
	};
	subscriber->ops->answer(subscriber, &answer);
}

/* All subscriptions to the channel, each from a message of its own on. The position rises once all have theirs. */
static void
deliver_twins(struct sl_subscriber *subscriber, struct sl_run *run,
	const struct sl_fanout_channel *channel)
{
	uint64_t count = 0, bytes = 0;
	for (size_t i = 0; i < subscriber->subscription_count; i++) {
		const struct sl_subscription *subscription = &subscriber->subscriptions[i];
		size_t first = subscription->channel == channel ? find_above(run,
			subscription->after > subscriber->position ? subscription->after :
			subscriber->position) : run->count;
		if (first == run->count)
			continue;
		if (!send_wire(subscriber, run, subscription->framing, first))
			return;
		count += run->count - first;
		bytes += sl_run_sum_payload(run->messages + first, run->count - first);
	}
	subscriber->position = run->last_seq;
	sl_subscriber_count_messages(subscriber, count, bytes);
}

/* The same for one answer: each message once for each of them. */
static void
answer_twins(struct sl_subscriber *subscriber, struct sl_run *run,
	const struct sl_fanout_channel *channel)
{
	const struct sl_framing *framings = subscriber->shard->framer.framings;
	struct sl_message *messages[SL_RUN_MAX];
	const struct sl_label *labels[SL_RUN_MAX];
	uint8_t sources[SL_RUN_MAX];
	struct sl_answer answer = { .messages = messages, .labels = labels, .sources = sources,
		.framing = subscriber->framing, .through = run->last_seq };
	for (size_t at = 0; at < run->count; at++) {
		struct sl_message *message = run->messages[at];
		if (answer.count + subscriber->subscription_count > SL_RUN_MAX) {
			answer.through = message->seq - 1;
			break;
		}
		for (uint8_t i = 0; i < subscriber->subscription_count; i++) {
			const struct sl_subscription *subscription = &subscriber->subscriptions[i];
			if (subscription->channel != channel || message->seq <= subscription->after ||
					message->seq <= subscriber->position)
				continue;
			messages[answer.count] = message;
			labels[answer.count] = framings[subscription->framing].label;
			sources[answer.count++] = i;
		}
	}
	if (answer.count)
		subscriber->ops->answer(subscriber, &answer);
}

/* One that has the channel more than once, or from another number on than its position. True when it is to have the
 * run from message `*first` on, and nothing has been done about it. */
static bool
begin_apart(struct sl_subscriber *subscriber, struct sl_run *run, struct sl_fanout_channel *channel,
	struct sl_receiver *receiver, size_t *first)
{
	uint64_t after = subscriber->subscriptions[receiver->index].after;
	if (receiver->has_twin) {
		if (subscriber->encoder->capabilities & SL_ONE_SHOT)
			answer_twins(subscriber, run, channel);
		else
			deliver_twins(subscriber, run, channel);
		return false;
	}
	receiver->has_after = after > run->last_seq;
	*first = find_above(run, after > subscriber->position ? after : subscriber->position);
	return *first < run->count;
}

static void
prefetch_receiver(const struct sl_receiver *receiver)
{
	const char *bytes = (const char *)receiver->subscriber;
	__builtin_prefetch(bytes);
	__builtin_prefetch(bytes + 64);
}

static void
deliver_run(struct sl_shard *shard, struct sl_fanout_channel *channel, struct sl_run *run)
{
	sl_metrics_add(&shard->metrics, SL_COUNTER_RUNS, 1);
	sl_metrics_add(&shard->metrics, SL_COUNTER_RUN_MESSAGES, run->count);
	/* From the end: whoever is answered or closed here leaves its slots to the last ones, which have had
	 * their turn. */
	for (uint32_t i = channel->count; i-- > 0;) {
		if (i >= channel->count) /* one that left had several */
			continue;
		if (i >= PREFETCH_AHEAD)
			prefetch_receiver(&channel->receivers[i - PREFETCH_AHEAD]);
		struct sl_receiver receiver = channel->receivers[i];
		struct sl_subscriber *subscriber = receiver.subscriber;
		if (subscriber->state != SL_SUBSCRIBER_LIVE || subscriber->position >= run->last_seq ||
				subscriber->epoch != shard->fanout.epoch)
			continue;
		size_t first = 0;
		if (receiver.has_after || receiver.has_twin) {
			if (!begin_apart(subscriber, run, channel, &channel->receivers[i], &first))
				continue;
		} else {
			while (run->messages[first]->seq <= subscriber->position)
				first++;
		}
		if (subscriber->encoder->capabilities & SL_ONE_SHOT)
			deliver_answer(subscriber, run, receiver.framing, first);
		else
			deliver_wire(subscriber, run, receiver.framing, first);
	}
}

static void
deliver_batch(struct sl_shard *shard, struct sl_message *const *messages, size_t count)
{
	for (size_t first = 0; first < count;) {
		const char *name = messages[first]->channel;
		size_t end = first + 1;
		while (end < count && strcmp(messages[end]->channel, name) == 0)
			end++;
		struct sl_fanout_channel *channel;
		HASH_FIND(hh, shard->fanout.channels, name, messages[first]->channel_len, channel);
		if (channel && channel->count) {
			struct sl_run run;
			sl_run_begin(&run, &shard->framer, messages + first, end - first);
			deliver_run(shard, channel, &run);
			sl_run_finish(&shard->framer);
		}
		shard->fanout.position = messages[end - 1]->seq;
		first = end;
	}
}

/* False when more is left than a turn should carry. */
static bool
empty_mailbox(struct sl_shard *shard, unsigned batches)
{
	struct sl_message *messages[SL_RUN_MAX];
	for (unsigned batch = 0; batch < batches; batch++) {
		size_t count = sl_mailbox_pop(&shard->mailbox, messages, SL_RUN_MAX);
		if (!count)
			return true;
		assert(messages[0]->epoch == shard->fanout.epoch);
		deliver_batch(shard, messages, count);
		for (size_t i = 0; i < count; i++)
			sl_message_unref(messages[i]);
	}
	return false;
}

/* ---- what the mailbox lacks ---- */

/* The mailbox has lost messages: everybody catches up from history instead. */
static void
recover_overrun(struct sl_shard *shard, uint64_t lost_after, uint64_t resumed)
{
	struct sl_fanout_channel *channel = shard->fanout.channels;
	for (; channel; channel = channel->hh.next)
		for (uint32_t i = 0; i < channel->count; i++) {
			struct sl_subscriber *subscriber = channel->receivers[i].subscriber;
			if (subscriber->state == SL_SUBSCRIBER_LIVE && !sl_subscriber_is_outdated(subscriber))
				sl_subscriber_fall_behind(subscriber, subscriber->position > lost_after ?
					subscriber->position : lost_after);
		}
	shard->fanout.position = resumed;
}

/* Whoever is there is outdated by this, gets nothing any more, and is ended in one of the next turns. */
static void
begin_log(struct sl_shard *shard, struct sl_cursor place)
{
	struct sl_fanout *fanout = &shard->fanout;
	fanout->last = (struct sl_cursor){ fanout->epoch, fanout->position };
	fanout->epoch = place.epoch;
	fanout->position = place.seq;
	sl_outage_tell_all(shard);
}

bool
sl_delivery_drain(struct sl_shard *shard)
{
	struct sl_cursor head = sl_bus_head(shard->bus); /* before the mailbox is found empty */
	struct sl_fanout *fanout = &shard->fanout;
	if (!empty_mailbox(shard, BATCHES_PER_TURN))
		return true;
	struct sl_cursor place;
	uint64_t lost_after, resumed;
	if (sl_bus_take_reset(shard->bus, shard->index, &place))
		begin_log(shard, place);
	else if (sl_bus_take_overrun(shard->bus, shard->index, &lost_after, &resumed))
		recover_overrun(shard, lost_after, resumed);
	else if (head.epoch == fanout->epoch && fanout->position < head.seq)
		fanout->position = head.seq;
	return false;
}

struct sl_cursor
sl_delivery_follow(struct sl_shard *shard)
{
	for (;;) {
		struct sl_cursor head = sl_bus_head(shard->bus), place;
		if (head.epoch == shard->fanout.epoch)
			return head;
		/* What was pushed before the log changed; nothing is pushed now. */
		if (empty_mailbox(shard, UINT_MAX) &&
				sl_bus_take_reset(shard->bus, shard->index, &place))
			begin_log(shard, place);
	}
}
