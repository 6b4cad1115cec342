/* Answer: messages that a one-shot subscriber is handed (struct sl_answer), as bytes, and what it has of them then.
 * For those whose subscriptions have labels; the polls of native clients, whose next request brings a
 * cursor, need none of this.
 * Owner: the subscriber. Thread: the shard's. Errors: those of the buffer. */
#ifndef SL_LIVE_ANSWER_H
#define SL_LIVE_ANSWER_H

#include <stddef.h>

struct sl_answer;
struct sl_buffer;
struct sl_subscriber;
struct sl_wire;

/* The wire of the whole answer, framed once for all who get it: borrowed. NULL where the answer is this subscriber's
 * alone, or without memory. wire->count may be less than answer->count. */
struct sl_wire *sl_answer_get_wire(struct sl_subscriber *subscriber, const struct sl_answer *answer);

/* Appends the answer's messages, each under its label, to `out`, which may hold something and is not the framer's
 * scratch. Returns how many: fewer than answer->count only where the encoder takes no more. */
size_t sl_answer_frame(struct sl_subscriber *subscriber, const struct sl_answer *answer,
	struct sl_buffer *out);

/* The first `framed` messages of the answer are on their way: the subscriber's position is behind them. What is left
 * of the answer comes again. Before its subscriptions change. */
void sl_answer_settle(struct sl_subscriber *subscriber, const struct sl_answer *answer, size_t framed);

#endif
