/* Join: from a request's channels and cursor to a subscriber's position.
 * Owner: the subscriber. Thread: the shard's. Errors: as said. The rules are those of
 * PROTOCOL.md, cursors and gaps. */
#ifndef SL_LIVE_JOIN_H
#define SL_LIVE_JOIN_H

#include <stdbool.h>
#include <stddef.h>

#include "bus/cursor.h"
#include "util/limits.h"
#include "util/metrics.h"
#include "util/span.h"

struct sl_gap;
struct sl_subscriber;

enum sl_since {
	SL_SINCE_NOW,     /* no cursor: from now on */
	SL_SINCE_ALL,     /* since=0: everything history holds */
	SL_SINCE_CURSOR,  /* resume after `since` */
	SL_SINCE_FOREIGN, /* counts as a cursor of another epoch */
};

/* What a client asks for, whatever its protocol. */
struct sl_join {
	struct sl_span channels[SL_CHANNELS_MAX]; /* legal names, each once */
	unsigned channel_count;
	enum sl_since since_kind;
	struct sl_cursor since; /* for SL_SINCE_CURSOR */
	int heartbeat_s;        /* -1: the configured one */
	bool verify;
	bool probes;            /* silence first: the client wants to see if a mark comes through */
	enum sl_reason reason;
};

/* Subscribes to the channels and finds the position that the cursor asks for. `gaps` (room for
 * SL_CHANNELS_MAX) are those known without looking at history: a cursor of another epoch, or beyond
 * the log. Errors: SL_ENOMEM, SL_EFULL, SL_EFORBIDDEN; of leased channels those of live/lease.h. */
int sl_join_channels(struct sl_subscriber *subscriber, const struct sl_join *join,
	struct sl_gap *gaps, size_t *gap_count);

/* A subscription that goes on with another subscriber, perhaps of another shard. */
struct sl_joined {
	struct sl_span channel, label; /* label absent: none */
	uint64_t after;
};

/* Subscription `index` of a subscriber; its spans are borrowed. */
struct sl_joined sl_join_describe(const struct sl_subscriber *subscriber, unsigned index);

/* Subscribes to what another one had at `position`: nothing is lost and nothing comes twice. The subscriber has no
 * channels; one that is live catches up, of another the state is its user's. Errors: SL_ENOENT, the position is of
 * another log; those of sl_fanout_subscribe(). Then it has no channels. */
int sl_join_again(struct sl_subscriber *subscriber, const struct sl_joined *joined, unsigned count,
	struct sl_cursor position);

/* At the head, without channels: for a client that asks where that is. */
void sl_join_nothing(struct sl_subscriber *subscriber);

#endif
