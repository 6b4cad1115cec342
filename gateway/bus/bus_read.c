/* Reading history, merged over channels. */
#include <assert.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "bus/message.h"
#include "bus/records.h"

#define CHANNELS_MAX 64

/* One channel's messages that are still to be returned: `index` up to history's end. */
struct source {
	const struct sl_history *history;
	size_t index;
	uint64_t next_seq;
};

struct merge {
	struct source sources[CHANNELS_MAX];
	size_t count; /* sources with something left */
};

static void
add_source(struct merge *merge, struct sl_read_channel *wanted)
{
	const struct sl_history *history = &wanted->channel->history;
	wanted->gap_resumed = wanted->after < history->last_evicted ? history->last_evicted : 0;
	size_t index = sl_history_find_after(history, wanted->after);
	if (index < history->count)
		merge->sources[merge->count++] = (struct source){
			history, index, sl_history_at(history, index)->seq };
}

/* At most 64 sources whose numbers lie side by side: a scan beats a heap. */
static struct source *
lowest(struct merge *merge)
{
	struct source *found = &merge->sources[0];
	for (size_t i = 1; i < merge->count; i++)
		if (merge->sources[i].next_seq < found->next_seq)
			found = &merge->sources[i];
	return found;
}

static void
advance(struct merge *merge, struct source *source)
{
	if (++source->index < source->history->count)
		source->next_seq = sl_history_at(source->history, source->index)->seq;
	else
		*source = merge->sources[--merge->count];
}

static void
take_messages(struct merge *merge, struct sl_read *read)
{
	size_t bytes = 0;
	while (merge->count && read->count < read->max_messages) {
		struct source *source = lowest(merge);
		struct sl_message *message = sl_history_at(source->history, source->index);
		bytes += message->object_len;
		if (read->count && bytes > read->max_bytes)
			return;
		read->messages[read->count++] = sl_message_ref(message);
		advance(merge, source);
	}
}

void
sl_bus_read(struct sl_bus *bus, struct sl_read *read)
{
	assert(read->channel_count <= CHANNELS_MAX && read->max_messages > 0);
	struct merge merge;
	merge.count = 0;
	read->count = 0;
	sl_bus_lock(bus);
	for (size_t i = 0; i < read->channel_count; i++)
		add_source(&merge, &read->channels[i]);
	take_messages(&merge, read);
	read->more = merge.count > 0;
	read->through = read->more ? read->messages[read->count - 1]->seq : sl_bus_head(bus).seq;
	sl_bus_unlock(bus, -1);
}
