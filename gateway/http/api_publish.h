/* POST /publish?channel=C: the body becomes one message; or, as NDJSON, each line of it does
 * (PROTOCOL.md, publishing).
 * Owner: whoever embeds a posting. Thread: the shard's. Errors: answered. */
#ifndef SL_HTTP_API_PUBLISH_H
#define SL_HTTP_API_PUBLISH_H

#include <stdint.h>

#include "bus/bus.h"
#include "http/batch.h"
#include "util/span.h"

struct sl_config;
struct sl_reply;
struct sl_request;
struct sl_shard;

/* Bytes that the body of a publish may have, by its Content-Type (maybe absent). */
uint64_t sl_api_publish_max_body(const struct sl_config *config, struct sl_span content_type);

/* One request under way. Embed it; it must live until on_done ran, or begin has returned 0. */
struct sl_posting {
	struct sl_publishing publishing; /* of its one message */
	struct sl_batch *batch;         /* owns; of several, or NULL */
	struct sl_batch_waiter waiter;  /* for those */
	struct sl_shard *shard;
	/* Called once, as the one of `publishing` is: end can be called. */
	void (*on_done)(struct sl_posting *posting);
};

/* What it is about: publishes the request's body. `posting` is all zero but for on_done. Returns
 * 0 with `reply` filled, or SL_PENDING, and on_done follows. */
int sl_api_publish_begin(struct sl_posting *posting, struct sl_shard *shard,
	const struct sl_request *request, struct sl_reply *reply);

/* Once, after on_done: fills `reply`, which is NULL when nobody wants it. */
void sl_api_publish_end(struct sl_posting *posting, struct sl_reply *reply);

#endif
