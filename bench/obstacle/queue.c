#include "bench/obstacle/queue.h"

#include <stdlib.h>
#include <string.h>

#include "util/err.h"

/* Room at the front is taken back once it is worth the copy. */
#define COMPACT_BYTES (64 << 10)

void
ob_queue_init(struct ob_queue *queue)
{
	*queue = (struct ob_queue){ .bytes = SL_BUFFER_INIT };
}

void
ob_queue_finish(struct ob_queue *queue)
{
	sl_buffer_finish(&queue->bytes);
	free(queue->segments);
	ob_queue_init(queue);
}

void
ob_queue_clear(struct ob_queue *queue)
{
	sl_buffer_clear(&queue->bytes);
	queue->sent = queue->first = queue->count = 0;
}

size_t
ob_queue_len(const struct ob_queue *queue)
{
	return queue->bytes.len - queue->sent;
}

static int
reserve_segment(struct ob_queue *queue)
{
	if (queue->first + queue->count < queue->cap)
		return 0;
	if (queue->first >= queue->cap / 2 && queue->first > 0) {
		memmove(queue->segments, queue->segments + queue->first,
			queue->count * sizeof *queue->segments);
		queue->first = 0;
		return 0;
	}
	size_t cap = queue->cap ? queue->cap * 2 : 8;
	struct ob_segment *segments = realloc(queue->segments, cap * sizeof *segments);
	if (!segments)
		return SL_ENOMEM;
	queue->segments = segments;
	queue->cap = cap;
	return 0;
}

int
ob_queue_push(struct ob_queue *queue, const void *bytes, size_t len, uint64_t due_ms)
{
	if (len == 0)
		return 0;
	if (reserve_segment(queue) != 0 || sl_buffer_reserve(&queue->bytes, len) != 0)
		return SL_ENOMEM;
	sl_buffer_append(&queue->bytes, bytes, len);
	struct ob_segment *last = NULL;
	if (queue->count)
		last = &queue->segments[queue->first + queue->count - 1];
	if (last && due_ms <= last->due_ms) {
		last->len += len;
		return 0;
	}
	queue->segments[queue->first + queue->count++] = (struct ob_segment){ due_ms, len };
	return 0;
}

struct sl_span
ob_queue_due(const struct ob_queue *queue, uint64_t now_ms)
{
	struct sl_span due = { NULL, 0 };
	for (size_t i = 0; i < queue->count && queue->segments[queue->first + i].due_ms <= now_ms; i++)
		due.len += queue->segments[queue->first + i].len;
	if (due.len)
		due.bytes = queue->bytes.bytes + queue->sent;
	return due;
}

uint64_t
ob_queue_due_ms(const struct ob_queue *queue)
{
	return queue->count ? queue->segments[queue->first].due_ms : UINT64_MAX;
}

uint64_t
ob_queue_last_ms(const struct ob_queue *queue)
{
	return queue->count ? queue->segments[queue->first + queue->count - 1].due_ms : 0;
}

void
ob_queue_consume(struct ob_queue *queue, size_t len)
{
	queue->sent += len;
	while (len && queue->count) {
		struct ob_segment *front = &queue->segments[queue->first];
		size_t part = front->len < len ? front->len : len;
		front->len -= part;
		len -= part;
		if (front->len)
			break;
		queue->first++;
		queue->count--;
	}
	if (queue->count == 0)
		queue->first = 0;
	if (queue->sent == queue->bytes.len || queue->sent >= COMPACT_BYTES) {
		sl_buffer_consume(&queue->bytes, queue->sent);
		queue->sent = 0;
	}
}
