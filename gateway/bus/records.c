#include "bus/records.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bus/message.h"
#include "util/err.h"

static void
discard(struct sl_records *records, struct sl_message *message)
{
	if (records->trash_count < SL_TRASH_MAX)
		records->trash[records->trash_count++] = message;
	else
		sl_message_unref(message);
}

/* ---- order of use ---- */

static struct sl_use_order *
order_of(struct sl_records *records, const struct sl_channel *channel)
{
	return channel->interest ? &records->wanted : &records->unwanted;
}

static void
unlink_use(struct sl_records *records, struct sl_channel *channel)
{
	struct sl_use_order *order = order_of(records, channel);
	*(channel->older ? &channel->older->newer : &order->oldest) = channel->newer;
	*(channel->newer ? &channel->newer->older : &order->newest) = channel->older;
	channel->older = channel->newer = NULL;
}

static void
link_newest(struct sl_records *records, struct sl_channel *channel)
{
	struct sl_use_order *order = order_of(records, channel);
	channel->older = order->newest;
	channel->newer = NULL;
	*(order->newest ? &order->newest->newer : &order->oldest) = channel;
	order->newest = channel;
	channel->used_at = ++records->use_clock;
}

static struct sl_channel *
least_recently_used(struct sl_records *records)
{
	struct sl_channel *wanted = records->wanted.oldest, *unwanted = records->unwanted.oldest;
	if (!wanted || !unwanted)
		return wanted ? wanted : unwanted;
	return wanted->used_at < unwanted->used_at ? wanted : unwanted;
}

/* ---- forgetting ---- */

static void
forget_if_idle(struct sl_records *records, struct sl_channel *channel)
{
	if (channel->interest || channel->history.count)
		return;
	sl_records_lose(records, channel->history.last_evicted);
	if (records->sweep_at == channel)
		records->sweep_at = channel->hh.next;
	HASH_DEL(records->table, channel);
	records->stats.channels_now--;
	records->stats.channels_forgotten++;
	free(channel);
}

/* Drops the oldest message of a channel, counting it in `counter`. The record stays. */
static void
evict(struct sl_records *records, struct sl_channel *channel, uint64_t *counter)
{
	size_t before = channel->history.bytes;
	discard(records, sl_history_evict(&channel->history));
	records->stats.history_bytes_now -= before - channel->history.bytes;
	records->stats.history_messages_now--;
	(*counter)++;
	if (channel->history.count == 0)
		unlink_use(records, channel);
}

static void
evict_all(struct sl_records *records, struct sl_channel *channel, uint64_t *counter)
{
	while (channel->history.count)
		evict(records, channel, counter);
}

/* ---- the calls ---- */

void
sl_records_init(struct sl_records *records, const struct sl_bus_config *config)
{
	*records = (struct sl_records){ .config = config };
}

void
sl_records_finish(struct sl_records *records)
{
	struct sl_channel *channel, *next;
	HASH_ITER(hh, records->table, channel, next) {
		/* cppcheck-suppress uninitvar; it does not see through HASH_ITER */
		while (channel->history.count)
			sl_message_unref(sl_history_evict(&channel->history));
		HASH_DEL(records->table, channel);
		free(channel);
	}
	while (records->trash_count)
		sl_message_unref(records->trash[--records->trash_count]);
}

struct sl_channel *
sl_records_find(struct sl_records *records, const char *name, size_t len)
{
	struct sl_channel *channel;
	HASH_FIND(hh, records->table, name, len, channel);
	return channel;
}

static int
make_room(struct sl_records *records)
{
	if (HASH_COUNT(records->table) < records->config->channels_max)
		return 0;
	struct sl_channel *oldest = records->unwanted.oldest;
	if (!oldest)
		return SL_EFULL;
	evict_all(records, oldest, &records->stats.evicted_total);
	forget_if_idle(records, oldest);
	return 0;
}

int
sl_records_get(struct sl_records *records, const char *name, size_t len,
	struct sl_channel **out)
{
	*out = sl_records_find(records, name, len);
	if (*out)
		return 0;
	int err = make_room(records);
	if (err)
		return err;
	struct sl_channel *channel = calloc(1, sizeof *channel + len + 1);
	if (!channel)
		return SL_ENOMEM;
	memcpy(channel->name, name, len);
	channel->name_len = (uint32_t)len;
	channel->history.last_evicted = records->floor;
	HASH_ADD_KEYPTR(hh, records->table, channel->name, len, channel);
	if (!sl_table_holds(channel, hh)) {
		free(channel);
		return SL_ENOMEM;
	}
	records->stats.channels_now++;
	*out = channel;
	return 0;
}

static void
apply_limits(struct sl_records *records, struct sl_channel *channel)
{
	const struct sl_bus_config *config = records->config;
	struct sl_bus_stats *stats = &records->stats;
	while (channel->history.count > config->history_messages)
		evict(records, channel, &stats->evicted_count);
	while (channel->history.bytes > config->history_bytes)
		evict(records, channel, &stats->evicted_bytes);
	while (stats->history_bytes_now > config->history_total_bytes) {
		struct sl_channel *oldest = least_recently_used(records);
		evict(records, oldest, &stats->evicted_total);
		if (oldest != channel)
			forget_if_idle(records, oldest);
	}
	forget_if_idle(records, channel);
}

void
sl_records_append(struct sl_records *records, struct sl_channel *channel,
	struct sl_message *message)
{
	struct sl_history *history = &channel->history;
	if (history->count)
		unlink_use(records, channel);
	if (sl_history_push(history, sl_message_ref(message)) == 0) {
		link_newest(records, channel);
		records->stats.history_messages_now++;
		records->stats.history_bytes_now += sl_message_bytes(message);
	} else {
		if (history->count)
			link_newest(records, channel);
		evict_all(records, channel, &records->stats.evicted_total);
		history->last_evicted = message->seq;
		discard(records, message);
	}
	apply_limits(records, channel);
}

void
sl_records_lose(struct sl_records *records, uint64_t seq)
{
	if (records->floor < seq)
		records->floor = seq;
}

static void
set_interest(struct sl_records *records, struct sl_channel *channel, uint64_t interest)
{
	if (channel->history.count)
		unlink_use(records, channel);
	channel->interest = interest;
	if (channel->history.count)
		link_newest(records, channel);
}

void
sl_records_want(struct sl_records *records, struct sl_channel *channel, unsigned shard)
{
	uint64_t bit = UINT64_C(1) << shard;
	assert(!(channel->interest & bit));
	set_interest(records, channel, channel->interest | bit);
}

void
sl_records_unwant(struct sl_records *records, struct sl_channel *channel, unsigned shard)
{
	uint64_t bit = UINT64_C(1) << shard;
	assert(channel->interest & bit);
	set_interest(records, channel, channel->interest & ~bit);
	forget_if_idle(records, channel);
}

bool
sl_records_sweep(struct sl_records *records, uint64_t oldest_ms, size_t *budget)
{
	struct sl_channel *channel = records->sweep_at ? records->sweep_at : records->table;
	while (channel && *budget && records->trash_count < SL_TRASH_MAX) {
		struct sl_history *history = &channel->history;
		--*budget;
		if (history->count && sl_history_at(history, 0)->arrived_ms < oldest_ms) {
			evict(records, channel, &records->stats.evicted_age);
			if (history->count)
				continue;
		}
		struct sl_channel *next = channel->hh.next;
		forget_if_idle(records, channel);
		channel = next;
	}
	records->sweep_at = channel;
	return channel == NULL;
}
