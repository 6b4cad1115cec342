/* POST /publish?channel=C: the body becomes one message, or each line of NDJSON becomes one (PROTOCOL.md,
 * publishing).
 * Owner: the struct that embeds a posting. Thread: the shard's. Errors: answered. */
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

/* Returns the most bytes of a publish's body, by its Content-Type (may be absent). */
uint64_t sl_api_publish_max_body(const struct sl_config *config, struct sl_span content_type);

/* One request under way. Embed it; it must live until on_done ran, or begin has returned 0. */
struct sl_posting {
	struct sl_publishing publishing; /* of its one message */
	struct sl_batch *batch;         /* owns; of several, or NULL */
	struct sl_batch_waiter waiter;  /* for those */
	struct sl_shard *shard;
	/* Called once, like that of `publishing`: call end now. */
	void (*on_done)(struct sl_posting *posting);
};

/* Publishes the request's body. `posting` is all zero except for on_done. Returns 0 with `reply` filled, or
 * SL_PENDING, and on_done follows. */
int sl_api_publish_begin(struct sl_posting *posting, struct sl_shard *shard,
	const struct sl_request *request, struct sl_reply *reply);

/* Call it once, after on_done. Fills `reply`, which is NULL if no client waits for it. */
void sl_api_publish_end(struct sl_posting *posting, struct sl_reply *reply);

#endif
