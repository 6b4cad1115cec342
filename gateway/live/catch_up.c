#include "live/catch_up.h"

#include "bus/bus.h"
#include "bus/message.h"
#include "config/config.h"
#include "core/owners.h"
#include "live/answer.h"
#include "live/fanout.h"
#include "live/framing.h"
#include "live/pace.h"
#include "live/shard.h"
#include "live/share.h"
#include "live/subscriber.h"
#include "util/limits.h"

#define PULL_MESSAGES 64
#define PULL_BYTES 65536
#define COMPRESSED_COST 4 /* compressing takes longer than reading, copying and sending together */
#define ANSWER_BYTES 262144 /* of a one-shot transport's answer */

static void
prepare_read(struct sl_subscriber *subscriber, struct sl_read *read,
	struct sl_read_channel *channels)
{
	for (size_t i = 0; i < subscriber->subscription_count; i++) {
		const struct sl_subscription *subscription = &subscriber->subscriptions[i];
		channels[i] = (struct sl_read_channel){
			.channel = sl_fanout_get_record(subscription->channel),
			.after = subscription->after > subscriber->position ?
				subscription->after : subscriber->position,
		};
	}
	read->epoch = subscriber->epoch;
	read->channels = channels;
	read->channel_count = subscriber->subscription_count;
}

void
sl_catch_up_find_losses(struct sl_subscriber *subscriber, uint64_t *resumed)
{
	struct sl_read_channel channels[SL_CHANNELS_MAX];
	struct sl_read read = { 0 };
	prepare_read(subscriber, &read, channels);
	sl_bus_read(subscriber->shard->bus, &read);
	for (size_t i = 0; i < read.channel_count; i++) {
		resumed[i] = channels[i].gap_resumed;
		if (resumed[i])
			subscriber->subscriptions[i].after = resumed[i];
	}
}

/* The losses that a read found, which count as told from here on. */
static size_t
collect_gaps(struct sl_subscriber *subscriber, const struct sl_read *read, struct sl_gap *gaps)
{
	size_t count = 0;
	uint32_t epoch = subscriber->epoch;
	for (size_t i = 0; i < read->channel_count; i++) {
		struct sl_subscription *subscription = &subscriber->subscriptions[i];
		uint64_t resumed = read->channels[i].gap_resumed;
		if (!resumed)
			continue;
		gaps[count++] = (struct sl_gap){
			.channel = sl_fanout_get_name(subscription->channel),
			.after = { epoch, read->channels[i].after },
			.resumed = { epoch, resumed },
		};
		subscription->after = resumed;
	}
	return count;
}

static void
go_live_at_end(struct sl_subscriber *subscriber, const struct sl_read *read)
{
	if (!read->more)
		sl_subscriber_go_live(subscriber);
}

static void
send_messages(struct sl_subscriber *subscriber, const struct sl_read *read,
	const struct sl_answer *answer)
{
	for (size_t i = 0; i < answer->gap_count && !sl_subscriber_is_ending(subscriber); i++)
		sl_subscriber_send_gap(subscriber, &answer->gaps[i]);
	if (sl_subscriber_is_ending(subscriber))
		return;
	if (read->count) {
		struct sl_wire *wire = sl_wire_create_messages(&subscriber->shard->framer,
			subscriber->encoder, answer->labels, read->messages, read->count);
		if (!wire) {
			sl_link_close(subscriber->link);
			return;
		}
		bool is_queued = sl_link_push(subscriber->link, wire, 0);
		sl_wire_unref(wire);
		if (!is_queued)
			return;
	}
	sl_answer_settle(subscriber, answer, read->count);
	go_live_at_end(subscriber, read);
	if (read->count)
		sl_subscriber_count_messages(subscriber, read->count,
			sl_run_sum_payload(read->messages, read->count));
}

static void
answer_or_go_live(struct sl_subscriber *subscriber, const struct sl_read *read,
	const struct sl_answer *answer)
{
	if (answer->count || answer->gap_count) {
		subscriber->ops->answer(subscriber, answer);
		return;
	}
	sl_answer_settle(subscriber, answer, 0);
	go_live_at_end(subscriber, read);
}

/* The labels of what a read found. */
static void
find_labels(const struct sl_subscriber *subscriber, const struct sl_read *read,
	const struct sl_label **labels)
{
	const struct sl_framing *framings = subscriber->shard->framer.framings;
	for (size_t i = 0; i < read->count; i++)
		labels[i] = framings[subscriber->subscriptions[read->sources[i]].framing].label;
}

/* Its log is over, and it will end. Who waits for one answer has it now, with the cursor that it had, or the
 * gaps that are known. */
static void
answer_outdated(struct sl_subscriber *subscriber, const struct sl_gap *gaps, size_t gap_count)
{
	struct sl_answer answer = { .gaps = gaps, .gap_count = gap_count,
		.framing = subscriber->framing, .through = subscriber->position };
	if (subscriber->encoder->capabilities & SL_ONE_SHOT)
		subscriber->ops->answer(subscriber, &answer);
}

/* Reads what its channels have above its position; false when its log is over. */
static bool
read_channels(struct sl_subscriber *subscriber, struct sl_read *read,
	struct sl_read_channel *channels)
{
	struct sl_bus *bus = subscriber->shard->bus;
	prepare_read(subscriber, read, channels);
	if (read->channel_count) {
		sl_bus_read(bus, read);
		return !read->is_outdated;
	}
	struct sl_cursor head = sl_bus_head(bus);
	read->through = head.seq;
	return head.epoch == subscriber->epoch;
}

/* What a read costs the subscriber's owner. Live traffic is compressed once for many, this for one. */
static uint64_t
get_cost(const struct sl_subscriber *subscriber, const struct sl_read *read)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < read->count; i++)
		bytes += read->messages[i]->object_len;
	return subscriber->encoder->window_bits ? COMPRESSED_COST * bytes : bytes;
}

/* What a read found is the subscriber's. */
static void
hand_over(struct sl_subscriber *subscriber, const struct sl_read *read, const struct sl_gap *gaps,
	size_t gap_count)
{
	const struct sl_label *labels[SL_RUN_MAX];
	struct sl_answer answer = {
		.messages = read->messages,
		.count = read->count,
		.gaps = gaps,
		.gap_count = gap_count,
		.framing = subscriber->framing,
		.through = read->through,
	};
	if (subscriber->has_labels) {
		find_labels(subscriber, read, labels);
		answer.labels = labels;
		answer.sources = read->sources;
	}
	if (subscriber->encoder->capabilities & SL_ONE_SHOT)
		answer_or_go_live(subscriber, read, &answer);
	else
		send_messages(subscriber, read, &answer);
}

void
sl_catch_up(struct sl_subscriber *subscriber, const struct sl_gap *known, size_t known_count)
{
	struct sl_shard *shard = subscriber->shard;
	bool one_shot = subscriber->encoder->capabilities & SL_ONE_SHOT;
	struct sl_read_channel channels[SL_CHANNELS_MAX];
	struct sl_message *messages[SL_RUN_MAX];
	uint8_t sources[SL_RUN_MAX];
	struct sl_gap gaps[2 * SL_CHANNELS_MAX];
	struct sl_read read = {
		.max_messages = one_shot ? SL_RUN_MAX : PULL_MESSAGES,
		.max_bytes = one_shot ? ANSWER_BYTES : PULL_BYTES,
		.messages = messages,
		.sources = sources,
	};
	if (!one_shot && !sl_pace_may_read(subscriber))
		return;
	if (!one_shot && read.max_bytes > shard->config->outbox_bytes)
		read.max_bytes = shard->config->outbox_bytes;
	sl_metrics_add(&shard->metrics, SL_COUNTER_BEHIND_READS, 1);
	if (!read_channels(subscriber, &read, channels)) {
		answer_outdated(subscriber, known, known_count);
		return;
	}
	for (size_t i = 0; i < known_count; i++)
		gaps[i] = known[i];
	uint64_t cost = get_cost(subscriber, &read);
	sl_owner_spend(subscriber->owner, SL_LIMIT_HISTORY_BYTES, cost, shard->loop.now_ms);
	if (one_shot && subscriber->link)
		sl_share_take_answer(&subscriber->link->steps, cost);
	size_t gap_count = known_count + collect_gaps(subscriber, &read, gaps + known_count);
	hand_over(subscriber, &read, gaps, gap_count);
	for (size_t i = 0; i < read.count; i++)
		sl_message_unref(messages[i]);
}
