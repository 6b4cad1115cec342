/* Answer: turns the messages of a one-shot subscriber (struct sl_answer) into bytes, and notes what the
 * subscriber then has. It serves subscribers whose subscriptions have labels. Polls of native clients do not
 * need it: their next request brings a cursor.
 * Owner: the subscriber. Thread: the shard's. Errors: those of the buffer. */
#ifndef SL_LIVE_ANSWER_H
#define SL_LIVE_ANSWER_H

#include <stddef.h>

struct sl_answer;
struct sl_buffer;
struct sl_subscriber;
struct sl_wire;

/* Returns the wire of the whole answer, framed once for all subscribers that get it: borrowed. NULL if the
 * answer is for this subscriber alone, or without memory. wire->count may be less than answer->count. */
struct sl_wire *sl_answer_get_wire(struct sl_subscriber *subscriber, const struct sl_answer *answer);

/* Appends the answer's messages, each under its label, to `out`. `out` need not be empty, and is not the
 * framer's scratch. Returns the number of messages: fewer than answer->count only if the encoder takes no more. */
size_t sl_answer_frame(struct sl_subscriber *subscriber, const struct sl_answer *answer,
	struct sl_buffer *out);

/* The first `framed` messages of the answer are on their way: moves the subscriber's position behind them. The
 * rest of the answer comes again. Call it before the subscriptions change. */
void sl_answer_settle(struct sl_subscriber *subscriber, const struct sl_answer *answer, size_t framed);

#endif
