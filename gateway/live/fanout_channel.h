/* Fan-out channel: one channel of a shard, and its subscribers. Only live/fanout.c, which keeps these, and
 * live/delivery.c, which delivers to them, include this.
 * Owner: the shard. Thread: its own. Errors: none. */
#ifndef SL_LIVE_FANOUT_CHANNEL_H
#define SL_LIVE_FANOUT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "live/fanout.h"
#include "util/table.h"

/* One subscription to a channel: the facts that a delivery needs before it touches the subscriber. */
struct sl_receiver {
	struct sl_subscriber *subscriber;
	uint32_t framing; /* of the subscription */
	uint8_t index;    /* in the subscriber's subscriptions */
	bool has_after;   /* its `after` may lie above the subscriber's position */
	bool has_twin;    /* the subscriber has the channel under another label too */
};

struct sl_fanout_channel {
	struct sl_channel *channel; /* the bus's record, while this shard wants it */
	uint64_t since_seq;         /* messages above it come through the mailbox */
	struct sl_receiver *receivers;
	uint32_t count, cap;
	uint64_t idle_since_ms;
	TAILQ_ENTRY(sl_fanout_channel) idle; /* while it has no receivers */
	UT_hash_handle hh;
	char name[];
};

#endif
