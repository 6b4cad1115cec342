/* Lease: permission to use a channel whose name begins with '~', which a lender lends for a while (to the check
 * page). Clients use it by its exact name, during the lease, within limits. Code that joins or publishes asks
 * here; this asks the lender that the app installs (check/channels.h).
 * Owner: the lender's. Thread: each call on the shard's; the lender has locks of its own. Errors: SL_ENOLEASE,
 * the channel is not lent, or no longer; SL_ELEASEFULL; SL_ELEASESPENT.
 *
 * An ordinary channel costs one comparison of a byte. */
#ifndef SL_LIVE_LEASE_H
#define SL_LIVE_LEASE_H

#include <stddef.h>

#include "bus/message.h"
#include "util/span.h"

struct sl_lender;
struct sl_shard;

/* All mandatory. `name` begins with '~'. */
struct sl_lender_ops {
	/* Returns 0 while the channel is lent. */
	int (*find)(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name);
	/* A subscriber joins. It takes one of the channel's connections until it leaves. */
	int (*join)(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name);
	void (*leave)(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name);
	/* A client publishes a message with `bytes` bytes of payload. */
	int (*spend)(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name, size_t bytes);
};

/* Embed it first. A shard without one (shard->lender NULL) has no leased channels. */
struct sl_lender {
	const struct sl_lender_ops *ops;
};

/* Returns 0 if each of the names is ordinary or lent. */
int sl_lease_find_all(struct sl_shard *shard, const struct sl_span *names, unsigned count);

/* Call the slots above for a leased name. */
int sl_lease_join(struct sl_shard *shard, struct sl_span name);
void sl_lease_leave(struct sl_shard *shard, struct sl_span name);
int sl_lease_spend(struct sl_shard *shard, const struct sl_message *message);

#endif
