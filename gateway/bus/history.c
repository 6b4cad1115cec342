#include "bus/history.h"

#include <assert.h>
#include <stdlib.h>

#include "bus/message.h"
#include "util/err.h"

#define FIRST_CAPACITY 4

/* Copies the ring, oldest first, into one of `capacity`. */
static int
resize(struct sl_history *history, size_t capacity)
{
	struct sl_message **ring = malloc(capacity * sizeof(*ring));
	if (!ring)
		return SL_ENOMEM;
	for (size_t i = 0; i < history->count; i++)
		ring[i] = sl_history_at(history, i);
	free(history->ring);
	history->ring = ring;
	history->capacity = capacity;
	history->first = 0;
	return 0;
}

int
sl_history_push(struct sl_history *history, struct sl_message *message)
{
	if (history->count == history->capacity) {
		size_t capacity = history->capacity ? history->capacity * 2 : FIRST_CAPACITY;
		int err = resize(history, capacity);
		if (err)
			return err;
	}
	history->ring[(history->first + history->count) & (history->capacity - 1)] = message;
	history->count++;
	history->bytes += sl_message_bytes(message);
	return 0;
}

struct sl_message *
sl_history_evict(struct sl_history *history)
{
	assert(history->count > 0);
	struct sl_message *message = history->ring[history->first];
	history->first = (history->first + 1) & (history->capacity - 1);
	history->count--;
	history->bytes -= sl_message_bytes(message);
	history->last_evicted = message->seq;
	if (history->count == 0) {
		free(history->ring);
		history->ring = NULL;
		history->capacity = history->first = 0;
	} else if (history->capacity > FIRST_CAPACITY && history->count <= history->capacity / 4) {
		resize(history, history->capacity / 2); /* without memory it stays large */
	}
	return message;
}

struct sl_message *
sl_history_at(const struct sl_history *history, size_t index)
{
	return history->ring[(history->first + index) & (history->capacity - 1)];
}

/* Most readers miss only the newest few, and a message looked at is a cache line: so the
 * search gallops from the end before it halves. */
size_t
sl_history_find_after(const struct sl_history *history, uint64_t after)
{
	size_t low = 0, high = history->count; /* the answer is in [low, high] */
	for (size_t step = 1; step <= high; step *= 2) {
		if (sl_history_at(history, high - step)->seq <= after) {
			low = high - step + 1;
			break;
		}
		high -= step;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sl_history_at(history, middle)->seq <= after)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
