#include "bus/records.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "bus/message.h"
#include "util/err.h"

/* Messages that one append may drop: with a large one that comes many small ones go, and a limit
 * that was lowered is no reason to hold the lock for long. */
#define EVICT_PER_APPEND 1024

static void
discard(struct sl_records *records, struct sl_message *message)
{
	if (records->trash_count < SL_TRASH_MAX)
		records->trash[records->trash_count++] = message;
	else
		sl_message_unref(message);
}

/* ---- who has what ---- */

#define from_member(pointer, member) \
	((struct sl_channel *)((char *)(pointer) - offsetof(struct sl_channel, member)))

/* Has its place among those that may have to go: after an append, and where interest or history changed
 * from none or to none. */
static void
note_use(struct sl_records *records, struct sl_channel *channel)
{
	if (channel->is_leased)
		return;
	if (channel->history.count && !channel->interest)
		sl_tally_list(&records->unwanted, &channel->tally);
	else
		sl_tally_unlist(&records->unwanted, &channel->tally);
}

/* A channel whose appends push out as much as they bring stays where it is on the scale: only what it
 * gains beyond its weight counts at once. */
static void
weigh_more(struct sl_records *records, struct sl_channel *channel)
{
	if (!channel->is_leased)
		sl_scale_raise(&records->scale, &channel->weight, channel->history.bytes);
}

/* The first one whose weight is what it holds, since no other weighs or holds more. */
static struct sl_channel *
find_fullest(struct sl_records *records)
{
	for (;;) {
		struct sl_scale_node *node = sl_scale_get_first(&records->scale);
		if (!node)
			return NULL;
		struct sl_channel *channel = from_member(node, weight);
		if (sl_scale_weighs(node, channel->history.bytes))
			return channel;
		sl_scale_put(&records->scale, node, channel->history.bytes);
	}
}

static struct sl_channel *
find_unwanted(const struct sl_records *records)
{
	struct sl_tally_entry *oldest = sl_tally_get_oldest_of_most(&records->unwanted);
	return oldest ? from_member(oldest, tally) : NULL;
}

/* ---- what is held ---- */

static void
count_held(struct sl_records *records, const struct sl_channel *channel, size_t messages,
	size_t bytes)
{
	struct sl_bus_stats *stats = &records->stats;
	*(channel->is_leased ? &stats->leased_messages_now : &stats->history_messages_now) += messages;
	*(channel->is_leased ? &stats->leased_bytes_now : &stats->history_bytes_now) += bytes;
}

/* ---- forgetting ---- */

static uint64_t *
floor_of(struct sl_records *records, bool is_leased)
{
	return is_leased ? &records->leased_floor : &records->floor;
}

static void
raise_floor(struct sl_records *records, bool is_leased, uint64_t seq)
{
	uint64_t *floor = floor_of(records, is_leased);
	if (*floor < seq)
		*floor = seq;
}

static void
forget_if_idle(struct sl_records *records, struct sl_channel *channel)
{
	if (channel->interest || channel->history.count)
		return;
	if (sl_records_is_of_log(records, channel))
		raise_floor(records, channel->is_leased, channel->history.last_evicted);
	if (records->sweep_at == channel)
		records->sweep_at = channel->hh.next;
	HASH_DEL(records->table, channel);
	sl_tally_leave(&records->unwanted, &channel->tally);
	records->leased_count -= channel->is_leased;
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
	count_held(records, channel, (size_t)-1, channel->history.bytes - before);
	(*counter)++;
	if (channel->history.count == 0) {
		sl_scale_remove(&records->scale, &channel->weight);
		note_use(records, channel);
	}
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
	sl_tally_init(&records->unwanted);
	sl_scale_init(&records->scale);
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
		sl_tally_leave(&records->unwanted, &channel->tally);
		free(channel);
	}
	while (records->trash_count)
		sl_message_unref(records->trash[--records->trash_count]);
}

/* Of those that channels_max limits. */
static size_t
count_channels(const struct sl_records *records)
{
	return HASH_COUNT(records->table) - records->leased_count;
}

static int
make_room(struct sl_records *records)
{
	if (count_channels(records) < records->config->channels_max)
		return 0;
	struct sl_channel *oldest = find_unwanted(records);
	if (!oldest)
		return SL_EFULL;
	evict_all(records, oldest, &records->stats.evicted_total);
	records->stats.channels_evicted++;
	forget_if_idle(records, oldest);
	return 0;
}

/* Nobody makes room for one: each of them is gone in two minutes. */
static int
check_leased(const struct sl_records *records)
{
	return records->leased_count < SL_LEASED_CHANNELS_MAX ? 0 : SL_EFULL;
}

int
sl_records_get(struct sl_records *records, const char *name, size_t len,
	uint64_t owner, struct sl_channel **out)
{
	HASH_FIND(hh, records->table, name, len, *out);
	if (*out)
		return 0;
	bool is_leased = sl_channel_name_is_leased(name);
	int err = is_leased ? check_leased(records) : make_room(records);
	if (err)
		return err;
	struct sl_channel *channel = calloc(1, sizeof *channel + len + 1);
	if (!channel)
		return SL_ENOMEM;
	memcpy(channel->name, name, len);
	channel->name_len = (uint32_t)len;
	channel->is_leased = is_leased;
	channel->log = records->log;
	channel->history.last_evicted = *floor_of(records, is_leased);
	if (!is_leased && sl_tally_join(&records->unwanted, &channel->tally, owner) != 0) {
		free(channel);
		return SL_ENOMEM;
	}
	HASH_ADD_KEYPTR(hh, records->table, channel->name, len, channel);
	if (!sl_table_holds(channel, hh)) {
		sl_tally_leave(&records->unwanted, &channel->tally);
		free(channel);
		return SL_ENOMEM;
	}
	records->leased_count += is_leased;
	records->stats.channels_now++;
	*out = channel;
	return 0;
}

/* Its oldest message does not count as held any more. Looks at that only once after a loss. */
static bool
is_lost(const struct sl_records *records, struct sl_history *history)
{
	if (history->last_evicted >= records->lost_through)
		return false;
	if (sl_history_at(history, 0)->seq <= records->lost_through)
		return true;
	history->last_evicted = records->lost_through;
	return false;
}

/* Drops the channel's oldest message if a limit of the channel demands it, or the log has lost it. */
static bool
evict_if_due(struct sl_records *records, struct sl_channel *channel, uint64_t now_ms)
{
	static const struct sl_bus_config leased = { .history_messages = SL_LEASED_MESSAGES_MAX,
		.history_bytes = SL_LEASED_BYTES_MAX, .history_age_ms = SL_LEASED_AGE_MS };
	const struct sl_bus_config *limits = channel->is_leased ? &leased : records->config;
	struct sl_history *history = &channel->history;
	struct sl_bus_stats *stats = &records->stats;
	uint64_t *counter = NULL;
	if (history->count && (!sl_records_is_of_log(records, channel) || is_lost(records, history)))
		counter = &stats->evicted_log;
	else if (history->count > limits->history_messages)
		counter = &stats->evicted_count;
	else if (history->bytes > limits->history_bytes)
		counter = &stats->evicted_bytes;
	else if (channel->is_leased && history->count && stats->leased_bytes_now > SL_LEASED_TOTAL_BYTES)
		counter = &stats->evicted_total;
	else if (history->count && now_ms > limits->history_age_ms &&
			sl_history_at(history, 0)->arrived_ms < now_ms - limits->history_age_ms)
		counter = &stats->evicted_age;
	if (counter)
		evict(records, channel, counter);
	return counter != NULL;
}

/* Drops a message of the channel that holds most if all hold too much. The record of `kept` stays. */
static bool
evict_of_all(struct sl_records *records, const struct sl_channel *kept)
{
	if (records->stats.history_bytes_now <= records->config->history_total_bytes)
		return false;
	struct sl_channel *fullest = find_fullest(records);
	evict(records, fullest, &records->stats.evicted_total);
	if (fullest->history.count)
		sl_scale_put(&records->scale, &fullest->weight, fullest->history.bytes);
	if (fullest != kept)
		forget_if_idle(records, fullest);
	return true;
}

/* Drops a message of a channel that nobody wants if there are too many channels. */
static bool
evict_of_surplus(struct sl_records *records)
{
	struct sl_channel *oldest = find_unwanted(records);
	if (!oldest || count_channels(records) <= records->config->channels_max)
		return false;
	evict(records, oldest, &records->stats.evicted_total);
	records->stats.channels_evicted += oldest->history.count == 0;
	forget_if_idle(records, oldest);
	return true;
}

/* What lowered limits leave beyond the budget, the sweep does. */
static void
apply_limits(struct sl_records *records, struct sl_channel *channel)
{
	for (size_t left = EVICT_PER_APPEND; left > 0; left--)
		if (!evict_if_due(records, channel, 0) && !evict_of_all(records, channel))
			break;
	forget_if_idle(records, channel);
}

/* What it holds of a log before has numbers that mean nothing now. */
static void
join_log(struct sl_records *records, struct sl_channel *channel)
{
	evict_all(records, channel, &records->stats.evicted_log);
	channel->history.last_evicted = records->lost_through;
	channel->log = records->log;
}

void
sl_records_append(struct sl_records *records, struct sl_channel *channel,
	struct sl_message *message)
{
	struct sl_history *history = &channel->history;
	if (!sl_records_is_of_log(records, channel))
		join_log(records, channel);
	if (sl_history_push(history, sl_message_ref(message)) == 0) {
		count_held(records, channel, 1, sl_message_bytes(message));
		weigh_more(records, channel);
		note_use(records, channel);
	} else {
		evict_all(records, channel, &records->stats.evicted_total);
		history->last_evicted = message->seq;
		discard(records, message);
	}
	apply_limits(records, channel);
}

void
sl_records_lose(struct sl_records *records, const struct sl_message *message)
{
	raise_floor(records, sl_channel_name_is_leased(message->channel), message->seq);
}

void
sl_records_lose_through(struct sl_records *records, uint64_t through)
{
	if (records->lost_through < through)
		records->lost_through = through;
	raise_floor(records, false, through);
	raise_floor(records, true, through);
}

void
sl_records_begin_log(struct sl_records *records)
{
	records->floor = records->leased_floor = records->lost_through = 0;
	records->log++;
}

uint64_t
sl_records_get_lost(const struct sl_records *records, const struct sl_channel *channel)
{
	uint64_t evicted = channel->history.last_evicted;
	if (!sl_records_is_of_log(records, channel) || evicted < records->lost_through)
		return records->lost_through;
	return evicted;
}

void
sl_records_forget(struct sl_records *records, const char *name, size_t len)
{
	struct sl_channel *channel;
	HASH_FIND(hh, records->table, name, len, channel);
	if (!channel)
		return;
	evict_all(records, channel, &records->stats.evicted_age);
	channel->history.last_evicted = 0;
	forget_if_idle(records, channel);
}

uint32_t
sl_records_count_receivers(const struct sl_records *records, const struct sl_message *message)
{
	struct sl_channel *channel;
	HASH_FIND(hh, records->table, message->channel, message->channel_len, channel);
	return channel ? atomic_load_explicit(&channel->receivers, memory_order_relaxed) : 0;
}

static void
set_interest(struct sl_records *records, struct sl_channel *channel, uint64_t interest)
{
	channel->interest = interest;
	note_use(records, channel);
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
sl_records_sweep(struct sl_records *records, uint64_t now_ms, size_t *budget)
{
	while (*budget && records->trash_count < SL_TRASH_MAX
		&& (evict_of_all(records, NULL) || evict_of_surplus(records)))
		--*budget;
	struct sl_channel *channel = records->sweep_at ? records->sweep_at : records->table;
	while (channel && *budget && records->trash_count < SL_TRASH_MAX) {
		--*budget;
		if (evict_if_due(records, channel, now_ms) && channel->history.count)
			continue;
		struct sl_channel *next = channel->hh.next;
		forget_if_idle(records, channel);
		channel = next;
	}
	records->sweep_at = channel;
	return channel == NULL;
}
