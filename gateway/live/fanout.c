#include "live/fanout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/message.h"
#include "config/config.h"
#include "http/params.h"
#include "live/connection.h"
#include "live/run.h"
#include "shard.h"
#include "util/err.h"
#include "util/table.h"

#define BATCHES_PER_TURN 16
#define PULL_MESSAGES 64
#define PULL_BYTES 65536
#define ANSWER_BYTES 262144 /* of a one-shot transport's answer */
#define IDLE_CHANNEL_MS 10000
#define SWEEP_CHANNELS 1000 /* dropped in one sweep */
#define PREFETCH_AHEAD 4

struct subscriber {
	struct sl_connection *connection;
	uint32_t index; /* in the connection's subscriptions */
};

struct sl_fanout_channel {
	struct sl_channel *channel; /* the bus's record, while this shard wants it */
	uint64_t since_seq;         /* messages above it come through the mailbox */
	struct subscriber *subscribers;
	uint32_t count, cap;
	uint64_t idle_since_ms;
	struct sl_fanout_channel *idle_next, *idle_prev;
	UT_hash_handle hh;
	char name[];
};

void
sl_fanout_init(struct sl_fanout *fanout)
{
	*fanout = (struct sl_fanout){ 0 };
}

const char *
sl_fanout_get_name(const struct sl_fanout_channel *channel)
{
	return channel->name;
}

/* ---- channels of this shard ---- */

static void
unlink_idle(struct sl_fanout *fanout, struct sl_fanout_channel *channel)
{
	if (channel->idle_prev)
		channel->idle_prev->idle_next = channel->idle_next;
	else
		fanout->idle = channel->idle_next;
	if (channel->idle_next)
		channel->idle_next->idle_prev = channel->idle_prev;
	else
		fanout->idle_last = channel->idle_prev;
	channel->idle_next = channel->idle_prev = NULL;
}

static void
link_idle(struct sl_shard *shard, struct sl_fanout_channel *channel)
{
	struct sl_fanout *fanout = &shard->fanout;
	channel->idle_since_ms = shard->loop.now_ms;
	channel->idle_next = NULL;
	channel->idle_prev = fanout->idle_last;
	if (fanout->idle_last)
		fanout->idle_last->idle_next = channel;
	else
		fanout->idle = channel;
	fanout->idle_last = channel;
}

static int
add_channel(struct sl_shard *shard, const char *name, size_t name_len,
	struct sl_fanout_channel **out)
{
	struct sl_fanout_channel *channel = calloc(1, sizeof *channel + name_len + 1);
	if (!channel)
		return SL_ENOMEM;
	memcpy(channel->name, name, name_len);
	int err = sl_bus_want(shard->bus, shard->index, name, name_len, &channel->channel,
		&channel->since_seq);
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

static void
drop_channel(struct sl_shard *shard, struct sl_fanout_channel *channel)
{
	unlink_idle(&shard->fanout, channel);
	HASH_DEL(shard->fanout.channels, channel);
	sl_bus_unwant(shard->bus, shard->index, channel->channel);
	free(channel->subscribers);
	free(channel);
}

void
sl_fanout_sweep(struct sl_shard *shard)
{
	/* Interest outlives the last subscriber for a while: a long-poll comes back. */
	for (unsigned i = 0; i < SWEEP_CHANNELS; i++) {
		struct sl_fanout_channel *channel = shard->fanout.idle;
		if (!channel || shard->loop.now_ms - channel->idle_since_ms < IDLE_CHANNEL_MS)
			return;
		drop_channel(shard, channel);
	}
}

void
sl_fanout_finish(struct sl_shard *shard)
{
	while (shard->fanout.idle)
		drop_channel(shard, shard->fanout.idle);
	assert(!shard->fanout.channels);
}

/* ---- subscriptions ---- */

static int
grow_subscriptions(struct sl_connection *connection)
{
	unsigned cap = connection->subscription_cap ? connection->subscription_cap * 4u : 1;
	if (cap > SL_PARAMS_CHANNELS_MAX)
		cap = SL_PARAMS_CHANNELS_MAX;
	if (cap == 1) {
		connection->subscriptions = &connection->one;
	} else {
		struct sl_subscription *old = connection->subscriptions;
		struct sl_subscription *more = malloc(cap * sizeof *more);
		if (!more)
			return SL_ENOMEM;
		memcpy(more, old, connection->subscription_count * sizeof *more);
		if (old != &connection->one)
			free(old);
		connection->subscriptions = more;
	}
	connection->subscription_cap = (uint8_t)cap;
	return 0;
}

static int
grow_subscribers(struct sl_fanout_channel *channel)
{
	uint32_t cap = channel->cap ? channel->cap * 2 : 1;
	struct subscriber *more = realloc(channel->subscribers, cap * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	channel->subscribers = more;
	channel->cap = cap;
	return 0;
}

int
sl_fanout_find(const struct sl_connection *connection, const char *name, size_t name_len)
{
	for (size_t i = 0; i < connection->subscription_count; i++) {
		const struct sl_fanout_channel *channel = connection->subscriptions[i].channel;
		if (channel->hh.keylen == name_len && memcmp(channel->name, name, name_len) == 0)
			return (int)i;
	}
	return SL_ENOENT;
}

int
sl_fanout_subscribe(struct sl_connection *connection, const char *name, size_t name_len,
	size_t *out)
{
	struct sl_shard *shard = connection->shard;
	int found = sl_fanout_find(connection, name, name_len);
	if (found >= 0) {
		*out = (size_t)found;
		return 0;
	}
	struct sl_fanout_channel *channel;
	HASH_FIND(hh, shard->fanout.channels, name, (unsigned)name_len, channel);
	if (!channel) {
		int err = add_channel(shard, name, name_len, &channel);
		if (err != 0)
			return err;
	}
	if (connection->subscription_count == connection->subscription_cap &&
			grow_subscriptions(connection) != 0)
		return SL_ENOMEM;
	if (channel->count == channel->cap && grow_subscribers(channel) != 0)
		return SL_ENOMEM;
	if (channel->count == 0)
		unlink_idle(&shard->fanout, channel);
	*out = connection->subscription_count++;
	connection->subscriptions[*out] = (struct sl_subscription){
		.channel = channel,
		.slot = channel->count,
	};
	channel->subscribers[channel->count++] = (struct subscriber){
		.connection = connection,
		.index = (uint32_t)*out,
	};
	return 0;
}

void
sl_fanout_unsubscribe(struct sl_connection *connection, size_t index)
{
	struct sl_subscription *subscription = &connection->subscriptions[index];
	struct sl_fanout_channel *channel = subscription->channel;
	struct subscriber *last = &channel->subscribers[--channel->count];
	if (subscription->slot != channel->count) {
		channel->subscribers[subscription->slot] = *last;
		last->connection->subscriptions[last->index].slot = subscription->slot;
	}
	if (channel->count == 0)
		link_idle(connection->shard, channel);
	size_t final = (size_t)--connection->subscription_count;
	if (index != final) {
		*subscription = connection->subscriptions[final];
		subscription->channel->subscribers[subscription->slot].index = (uint32_t)index;
	}
}

void
sl_fanout_unsubscribe_all(struct sl_connection *connection)
{
	while (connection->subscription_count)
		sl_fanout_unsubscribe(connection, connection->subscription_count - 1u);
	if (connection->subscriptions != &connection->one)
		free(connection->subscriptions);
	connection->subscriptions = NULL;
	connection->subscription_cap = 0;
}

/* ---- live ---- */

static void
deliver_wire(struct sl_connection *connection, struct sl_run *run, size_t first)
{
	struct sl_wire *wire = sl_run_get_wire(run, &connection->shard->framer,
		connection->transport, connection->encoding);
	if (!wire) {
		sl_connection_close(connection);
		return;
	}
	if (!sl_connection_send_wire(connection, wire, first ? wire->ends[first - 1] : 0))
		return;
	connection->position = run->last_seq;
	if (first == 0)
		sl_connection_count_messages(connection, run->count, run->payload_bytes);
	else
		sl_connection_count_messages(connection, run->count - first,
			sl_run_sum_payload(run->messages + first, run->count - first));
}

static void
deliver_answer(struct sl_connection *connection, struct sl_run *run, size_t first)
{
	struct sl_answer answer = {
		.run = first == 0 ? run : NULL,
		.messages = run->messages + first,
		.count = run->count - first,
		.through = run->last_seq,
	};
	connection->transport->answer(connection, &answer);
}

static void
deliver_run(struct sl_shard *shard, struct sl_fanout_channel *channel, struct sl_run *run)
{
	sl_metrics_add(&shard->metrics, SL_COUNTER_RUNS, 1);
	sl_metrics_add(&shard->metrics, SL_COUNTER_RUN_MESSAGES, run->count);
	/* From the end: whoever is answered or closed here leaves its slot to the last one,
	 * which has had its turn. */
	for (uint32_t i = channel->count; i-- > 0;) {
		if (i >= PREFETCH_AHEAD)
			__builtin_prefetch(channel->subscribers[i - PREFETCH_AHEAD].connection);
		struct sl_connection *connection = channel->subscribers[i].connection;
		if (connection->state != SL_LIVE || connection->position >= run->last_seq)
			continue;
		size_t first = 0;
		while (run->messages[first]->seq <= connection->position)
			first++;
		if (connection->transport->answer)
			deliver_answer(connection, run, first);
		else
			deliver_wire(connection, run, first);
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
			sl_run_init(&run, messages + first, end - first);
			deliver_run(shard, channel, &run);
			sl_run_finish(&run);
		}
		shard->fanout.position = messages[end - 1]->seq;
		first = end;
	}
}

/* The mailbox has lost messages: everybody catches up from history instead. */
static void
recover_overrun(struct sl_shard *shard, uint64_t lost_after, uint64_t resumed)
{
	for (struct sl_connection *c = shard->connections; c; c = c->next) {
		if (c->state != SL_LIVE)
			continue;
		if (c->position < lost_after)
			c->position = lost_after;
		c->state = SL_BEHIND;
		sl_connection_add_work(c);
	}
	shard->fanout.position = resumed;
}

bool
sl_fanout_drain(struct sl_shard *shard)
{
	struct sl_message *messages[SL_RUN_MAX];
	uint64_t head = sl_bus_head(shard->bus).seq; /* before the mailbox is found empty */
	for (unsigned batch = 0;; batch++) {
		if (batch == BATCHES_PER_TURN)
			return true;
		size_t count = sl_mailbox_pop(&shard->mailbox, messages, SL_RUN_MAX);
		if (!count)
			break;
		deliver_batch(shard, messages, count);
		for (size_t i = 0; i < count; i++)
			sl_message_unref(messages[i]);
	}
	uint64_t lost_after, resumed;
	if (sl_bus_take_overrun(shard->bus, shard->index, &lost_after, &resumed))
		recover_overrun(shard, lost_after, resumed);
	else if (shard->fanout.position < head)
		shard->fanout.position = head;
	return false;
}

/* ---- behind ---- */

static void
prepare_read(struct sl_connection *connection, struct sl_read *read,
	struct sl_read_channel *channels)
{
	for (size_t i = 0; i < connection->subscription_count; i++)
		channels[i] = (struct sl_read_channel){
			.channel = connection->subscriptions[i].channel->channel,
			.after = connection->position,
		};
	read->channels = channels;
	read->channel_count = connection->subscription_count;
}

void
sl_fanout_find_losses(struct sl_connection *connection, uint64_t *resumed)
{
	struct sl_read_channel channels[SL_PARAMS_CHANNELS_MAX];
	struct sl_read read = { 0 };
	prepare_read(connection, &read, channels);
	sl_bus_read(connection->shard->bus, &read);
	for (size_t i = 0; i < read.channel_count; i++) {
		resumed[i] = channels[i].gap_resumed;
		if (resumed[i] > connection->subscriptions[i].gap_told)
			connection->subscriptions[i].gap_told = resumed[i];
	}
}

/* Which of the losses that a read found have not been told yet. */
static size_t
collect_gaps(struct sl_connection *connection, const struct sl_read *read, struct sl_gap *gaps)
{
	size_t count = 0;
	uint32_t epoch = sl_bus_head(connection->shard->bus).epoch;
	for (size_t i = 0; i < read->channel_count; i++) {
		struct sl_subscription *subscription = &connection->subscriptions[i];
		uint64_t resumed = read->channels[i].gap_resumed;
		if (resumed <= subscription->gap_told)
			continue;
		uint64_t after = subscription->gap_told > connection->position ?
			subscription->gap_told : connection->position;
		gaps[count++] = (struct sl_gap){
			.channel = subscription->channel->name,
			.after = { epoch, after },
			.resumed = { epoch, resumed },
		};
		subscription->gap_told = resumed;
	}
	return count;
}

static void
advance(struct sl_connection *connection, const struct sl_read *read)
{
	/* A cursor may lie above the head of a node that lags behind the others. */
	if (connection->position < read->through)
		connection->position = read->through;
	if (!read->more) {
		assert(connection->position >= connection->shard->fanout.position);
		connection->state = SL_LIVE;
	}
}

static void
pull_stream(struct sl_connection *connection, const struct sl_read *read,
	const struct sl_gap *gaps, size_t gap_count)
{
	for (size_t i = 0; i < gap_count && connection->state < SL_ENDING; i++)
		sl_connection_send_gap(connection, &gaps[i]);
	if (connection->state >= SL_ENDING)
		return;
	if (read->count) {
		struct sl_wire *wire = sl_wire_create_messages(&connection->shard->framer,
			connection->transport, connection->encoding, read->messages, read->count);
		if (!wire) {
			sl_connection_close(connection);
			return;
		}
		bool queued = sl_connection_send_wire(connection, wire, 0);
		sl_wire_unref(wire);
		if (!queued)
			return;
	}
	advance(connection, read);
	if (read->count)
		sl_connection_count_messages(connection, read->count,
			sl_run_sum_payload(read->messages, read->count));
}

static void
pull_answer(struct sl_connection *connection, const struct sl_read *read,
	const struct sl_gap *gaps, size_t gap_count)
{
	if (read->count || gap_count) {
		struct sl_answer answer = {
			.messages = read->messages,
			.count = read->count,
			.gaps = gaps,
			.gap_count = gap_count,
			.through = read->through,
		};
		connection->transport->answer(connection, &answer);
	} else {
		advance(connection, read);
	}
}

void
sl_fanout_pull(struct sl_connection *connection, const struct sl_gap *known, size_t known_count)
{
	bool one_shot = connection->transport->answer != NULL;
	struct sl_read_channel channels[SL_PARAMS_CHANNELS_MAX];
	struct sl_message *messages[SL_RUN_MAX];
	struct sl_gap gaps[2 * SL_PARAMS_CHANNELS_MAX];
	struct sl_read read = {
		.max_messages = one_shot ? SL_RUN_MAX : PULL_MESSAGES,
		.max_bytes = one_shot ? ANSWER_BYTES : PULL_BYTES,
		.messages = messages,
	};
	uint64_t outbox_bytes = connection->shard->config->outbox_bytes;
	if (!one_shot && read.max_bytes > outbox_bytes)
		read.max_bytes = outbox_bytes;
	sl_metrics_add(&connection->shard->metrics, SL_COUNTER_BEHIND_READS, 1);
	prepare_read(connection, &read, channels);
	if (read.channel_count)
		sl_bus_read(connection->shard->bus, &read);
	else
		read.through = sl_bus_head(connection->shard->bus).seq;
	for (size_t i = 0; i < known_count; i++)
		gaps[i] = known[i];
	size_t gap_count = known_count + collect_gaps(connection, &read, gaps + known_count);
	if (one_shot)
		pull_answer(connection, &read, gaps, gap_count);
	else
		pull_stream(connection, &read, gaps, gap_count);
	for (size_t i = 0; i < read.count; i++)
		sl_message_unref(messages[i]);
}
