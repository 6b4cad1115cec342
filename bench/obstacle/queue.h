/* Delay queue: bytes that may be sent from a given time on, first in, first out.
 * Owner: the struct is the caller's. Thread: one. Errors: SL_ENOMEM. */
#ifndef SL_BENCH_OBSTACLE_QUEUE_H
#define SL_BENCH_OBSTACLE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/span.h"

struct ob_segment {
	uint64_t due_ms;
	size_t len;
};

struct ob_queue {
	struct sl_buffer bytes;      /* from `sent` on they are queued */
	size_t sent;
	struct ob_segment *segments; /* owns; from `first` on */
	size_t first, count, cap;
};

void ob_queue_init(struct ob_queue *queue);
void ob_queue_finish(struct ob_queue *queue);
void ob_queue_clear(struct ob_queue *queue);

/* Bytes queued, due or not. */
size_t ob_queue_len(const struct ob_queue *queue);

/* Appends bytes due at `due_ms`, or when those before them are, if that is later.
 * Errors: SL_ENOMEM, and nothing was appended. */
int ob_queue_push(struct ob_queue *queue, const void *bytes, size_t len, uint64_t due_ms);

/* The bytes at the front that are due at `now_ms`. */
struct sl_span ob_queue_due(const struct ob_queue *queue, uint64_t now_ms);

/* When the front is due; UINT64_MAX when nothing is queued. */
uint64_t ob_queue_due_ms(const struct ob_queue *queue);

/* When the last byte is due; 0 when nothing is queued. */
uint64_t ob_queue_last_ms(const struct ob_queue *queue);

/* Drops `len` bytes from the front. */
void ob_queue_consume(struct ob_queue *queue, size_t len);

#endif
