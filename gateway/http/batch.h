/* Batch: several messages in one POST, a line of NDJSON each (PROTOCOL.md, batches).
 * Owner: whoever began it, until it has its answers. Thread: the shard's. Errors: as each call
 * says; what is wrong with a line is that line's answer. */
#ifndef SL_HTTP_BATCH_H
#define SL_HTTP_BATCH_H

#include "live/publication.h"
#include "util/span.h"

#define SL_BATCH_LINES_MAX 100

struct sl_batch;
struct sl_buffer;
struct sl_principal;
struct sl_shard;

/* The next line of `*rest` that is not blank, without its line feed, and moves `*rest` behind
 * it; absent when there is none. The last line may do without a line feed. */
struct sl_span sl_batch_next_line(struct sl_span *rest);

/* Errors: SL_EUTF8; SL_ESYNTAX, it is no JSON object; SL_ETOODEEP. */
int sl_batch_read_line(struct sl_publication_members *out, struct sl_span line,
	unsigned depth_max);

/* Who waits for a batch. Embed it; it must live until on_done ran. */
struct sl_batch_waiter {
	/* Called once, as the one of struct sl_publish is: every line has its answer. */
	void (*on_done)(struct sl_batch_waiter *waiter);
};

/* What is to be published, and by whom. */
struct sl_batch_order {
	struct sl_span body;
	struct sl_publication_defaults defaults; /* of lines that lack them */
	const struct sl_principal *publisher;
	struct sl_owner *owner; /* borrows: at whose cost; NULL: nobody's */
	bool uncompressed;      /* of lines that do not say whether they may be compressed */
};

/* Publishes the lines in their order. Returns 0, every line has its answer, or SL_PENDING, `waiter` is told of that later;
 * either way `*out` is new. Behind a line for which its owner is over a limit none is tried: each has
 * the same answer, so that their order stays. Errors, nothing has been published: SL_ETOOBIG, more than
 * SL_BATCH_LINES_MAX lines; SL_ENOENT, no line at all; SL_ENOMEM; SL_ELIMITED, with `*refusal` filled, that line
 * was the first. */
int sl_batch_publish(struct sl_batch **out, struct sl_shard *shard,
	const struct sl_batch_order *order, struct sl_batch_waiter *waiter, struct sl_refusal *refusal);

/* Appends a line for each, in their order: {"id":ID} or {"error":{...}}. Returns how many are
 * errors. */
unsigned sl_batch_append_answers(const struct sl_batch *batch, struct sl_buffer *out);

/* NULL is allowed; not while a line waits. */
void sl_batch_destroy(struct sl_batch *batch);

#endif
