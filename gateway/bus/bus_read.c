/* Reading history, merged over channels. */
#include <assert.h>

#include "bus/backend.h"
#include "bus/bus_state.h"
#include "bus/message.h"

/* One channel's messages that are still to be returned: `index` up to history's end. */
struct source {
	const struct sl_history *history;
	size_t index;
	uint64_t next_seq;
	uint8_t wanted; /* which of the read's channels */
};

/* A heap: the source whose next message is the lowest is the first. */
struct merge {
	struct source sources[SL_CHANNELS_MAX];
	size_t count; /* sources with something left */
};

static void
sift_down(struct merge *merge, size_t at)
{
	struct source sinking = merge->sources[at];
	for (size_t child; (child = 2 * at + 1) < merge->count; at = child) {
		if (child + 1 < merge->count
				&& merge->sources[child + 1].next_seq < merge->sources[child].next_seq)
			child++;
		if (merge->sources[child].next_seq >= sinking.next_seq)
			break;
		merge->sources[at] = merge->sources[child];
	}
	merge->sources[at] = sinking;
}

static void
add_source(struct merge *merge, const struct sl_records *records, struct sl_read *read, size_t at)
{
	struct sl_read_channel *wanted = &read->channels[at];
	const struct sl_history *history = &wanted->channel->history;
	uint64_t lost = sl_records_get_lost(records, wanted->channel);
	wanted->gap_resumed = wanted->after < lost ? lost : 0;
	if (!sl_records_is_of_log(records, wanted->channel))
		return;
	size_t index = sl_history_find_after(history, wanted->after < lost ? lost : wanted->after);
	if (index < history->count)
		merge->sources[merge->count++] = (struct source){
			history, index, sl_history_at(history, index)->seq, (uint8_t)at };
}

static void
advance_first(struct merge *merge)
{
	struct source *first = &merge->sources[0];
	if (++first->index < first->history->count)
		first->next_seq = sl_history_at(first->history, first->index)->seq;
	else
		*first = merge->sources[--merge->count];
	if (merge->count > 1)
		sift_down(merge, 0);
}

static void
take_messages(struct merge *merge, struct sl_read *read)
{
	size_t bytes = 0;
	while (merge->count && read->count < read->max_messages) {
		const struct source *first = &merge->sources[0];
		struct sl_message *message = sl_history_at(first->history, first->index);
		bytes += message->object_len;
		if (read->count && bytes > read->max_bytes)
			return;
		if (read->sources)
			read->sources[read->count] = first->wanted;
		read->messages[read->count++] = sl_message_ref(message);
		advance_first(merge);
	}
}

/* Up to where a read that a limit cut short is complete. */
static uint64_t
find_through(const struct merge *merge, const struct sl_read *read)
{
	uint64_t last = read->count ? read->messages[read->count - 1]->seq : 0;
	return last && merge->sources[0].next_seq == last ? last - 1 : last;
}

void
sl_bus_read(struct sl_bus *bus, struct sl_read *read)
{
	assert(read->channel_count <= SL_CHANNELS_MAX);
	struct merge merge;
	merge.count = 0;
	read->count = 0;
	sl_bus_lock(bus);
	read->is_outdated = read->epoch && read->epoch != sl_bus_get_epoch(bus);
	for (size_t i = 0; i < read->channel_count; i++)
		read->channels[i].gap_resumed = 0;
	for (size_t i = 0; i < read->channel_count && !read->is_outdated; i++)
		add_source(&merge, &bus->records, read, i);
	for (size_t at = merge.count / 2; at-- > 0;)
		sift_down(&merge, at);
	take_messages(&merge, read);
	read->more = merge.count > 0;
	if (read->is_outdated)
		read->through = 0;
	else if (!read->more)
		read->through = sl_bus_get_seq(bus);
	else
		read->through = find_through(&merge, read);
	sl_bus_unlock(bus, -1);
}
