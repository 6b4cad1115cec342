/* Join: finds a subscriber's position from a request's channels and cursor.
 * Owner: the subscriber. Thread: the shard's. Errors: as each call says. PROTOCOL.md has the rules, under
 * cursors and gaps. */
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
	SL_SINCE_FOREIGN, /* treat it as a cursor of another epoch */
};

/* A client's request to join, in any protocol. */
struct sl_join {
	struct sl_span channels[SL_CHANNELS_MAX]; /* legal names, each once */
	unsigned channel_count;
	enum sl_since since_kind;
	struct sl_cursor since; /* for SL_SINCE_CURSOR */
	int heartbeat_s;        /* -1: the configured one */
	bool verify;
	bool probes;            /* begin with silence: the client tests whether a mark comes through */
	enum sl_reason reason;
};

/* Subscribes to the channels and finds the position for the cursor. `gaps` (room for SL_CHANNELS_MAX) gets the
 * gaps that are known without history: for a cursor of another epoch, or beyond the log. Errors: SL_ENOMEM,
 * SL_EFULL, SL_EFORBIDDEN; for leased channels those of live/lease.h. */
int sl_join_channels(struct sl_subscriber *subscriber, const struct sl_join *join,
	struct sl_gap *gaps, size_t *gap_count);

/* A subscription that moves to another subscriber, perhaps of another shard. */
struct sl_joined {
	struct sl_span channel, label; /* label absent: none */
	uint64_t after;
};

/* Subscription `index` of a subscriber; its spans are borrowed. */
struct sl_joined sl_join_describe(const struct sl_subscriber *subscriber, unsigned index);

/* Subscribes to the channels that another subscriber had at `position`. No message is lost, and none comes
 * twice. The subscriber has no channels yet. A live subscriber catches up; in another state its user decides.
 * Errors: SL_ENOENT, the position is of another log; those of sl_fanout_subscribe(). After an error it has no
 * channels. */
int sl_join_again(struct sl_subscriber *subscriber, const struct sl_joined *joined, unsigned count,
	struct sl_cursor position);

/* Places the subscriber at the head, without channels, for a client that asks for the head's number. */
void sl_join_nothing(struct sl_subscriber *subscriber);

#endif
