/* Batch: several messages in one POST, one line of NDJSON each (PROTOCOL.md, batches).
 * Owner: the code that began it, until it has its answers. Thread: the shard's. Errors: as each call says; an
 * error of a line is that line's answer. */
#ifndef SL_HTTP_BATCH_H
#define SL_HTTP_BATCH_H

#include "live/publication.h"
#include "util/span.h"

#define SL_BATCH_LINES_MAX 100

struct sl_batch;
struct sl_buffer;
struct sl_principal;
struct sl_shard;

/* Returns the next line of `*rest` that is not blank, without its line feed, and moves `*rest` behind it;
 * absent at the end. The last line may lack a line feed. */
struct sl_span sl_batch_next_line(struct sl_span *rest);

/* Errors: SL_EUTF8; SL_ESYNTAX, it is no JSON object; SL_ETOODEEP. */
int sl_batch_read_line(struct sl_publication_members *out, struct sl_span line,
	unsigned depth_max);

/* Waits for a batch. Embed it; it must live until on_done ran. */
struct sl_batch_waiter {
	/* Called once, like that of struct sl_publish: every line has its answer. */
	void (*on_done)(struct sl_batch_waiter *waiter);
};

/* The body to publish, and its publisher. */
struct sl_batch_order {
	struct sl_span body;
	struct sl_publication_defaults defaults; /* of lines that lack them */
	const struct sl_principal *publisher;
	struct sl_owner *owner; /* borrows: the owner that pays; NULL: nobody */
	bool uncompressed;      /* the default for lines without `compress` */
};

/* Publishes the lines in their order. Returns 0 if every line has its answer, or SL_PENDING, and calls `waiter`
 * later. In both cases `*out` is new. After a line whose owner is over a limit, no further line is tried: each
 * gets the same answer, so that their order stays. Errors, and nothing was published: SL_ETOOBIG, more than
 * SL_BATCH_LINES_MAX lines; SL_ENOENT, no line at all; SL_ENOMEM; SL_ELIMITED, with `*refusal` filled, if it
 * was the first line. */
int sl_batch_publish(struct sl_batch **out, struct sl_shard *shard,
	const struct sl_batch_order *order, struct sl_batch_waiter *waiter, struct sl_refusal *refusal);

/* Appends an answer for each line, in their order: {"id":ID} or {"error":{...}}. Returns the number of errors. */
unsigned sl_batch_append_answers(const struct sl_batch *batch, struct sl_buffer *out);

/* NULL is allowed; not while a line waits. */
void sl_batch_destroy(struct sl_batch *batch);

#endif
