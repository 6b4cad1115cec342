/* Fan-out: the channels of a shard, and their subscribers.
 * Owner: the shard. Thread: its own. Errors: as each call says.
 *
 * The shard's position is the number up to which it has drained its mailbox. The subscribers that were live
 * have got every message of its channels at or below that number (live/delivery.h). */
#ifndef SL_LIVE_FANOUT_H
#define SL_LIVE_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bus/cursor.h"
#include "live/encoder.h"
#include "util/span.h"

struct sl_channel;
struct sl_fanout_channel;
struct sl_shard;
struct sl_subscriber;

struct sl_fanout {
	struct sl_fanout_channel *channels; /* by name */
	TAILQ_HEAD(, sl_fanout_channel) idle; /* without subscribers, longest first */
	size_t idle_count;
	uint32_t epoch;        /* of the log that the shard is in (live/delivery.h) */
	uint64_t position;
	struct sl_cursor last; /* the position at which it left the log before */
};

void sl_fanout_init(struct sl_fanout *fanout);
void sl_fanout_finish(struct sl_shard *shard);

/* Adds a channel to the subscriber's list, unless it is there. Errors: SL_ENOMEM, SL_EFULL; SL_EFORBIDDEN,
 * counted, if the principal has no permission; for a leased channel those of live/lease.h. */
int sl_fanout_subscribe(struct sl_subscriber *subscriber, const char *name, size_t name_len);

/* The same under a label (absent: without one, as above): a subscription is a channel and a label. The
 * subscription gets no message at or below `after`. */
int sl_fanout_subscribe_as(struct sl_subscriber *subscriber, const char *name, size_t name_len,
	struct sl_span label, uint64_t after);

/* Gives subscription `index` another label. `framing` is that label's framing (a reference, taken). */
void sl_fanout_relabel(struct sl_subscriber *subscriber, size_t index, unsigned framing);

/* Subscription `index` gets no message at or below `after` from now on. A higher `after` that it already has
 * stays. */
void sl_fanout_raise_after(struct sl_subscriber *subscriber, size_t index, uint64_t after);

/* Removes subscription `index`; the last one takes its place. */
void sl_fanout_unsubscribe(struct sl_subscriber *subscriber, size_t index);
void sl_fanout_unsubscribe_all(struct sl_subscriber *subscriber);

/* Returns the index of the subscription to a name without a label, or SL_ENOENT. */
int sl_fanout_find(const struct sl_subscriber *subscriber, const char *name, size_t name_len);
/* The same for a name and a label. */
int sl_fanout_find_as(const struct sl_subscriber *subscriber, const char *name, size_t name_len,
	struct sl_span label);
/* Returns its label, absent if it has none. Borrowed until the subscription is removed or relabelled. */
struct sl_span sl_fanout_get_label(const struct sl_subscriber *subscriber, size_t index);
const char *sl_fanout_get_name(const struct sl_fanout_channel *channel);
struct sl_span sl_fanout_get_span(const struct sl_fanout_channel *channel);
/* Returns the bus's record of the channel. */
struct sl_channel *sl_fanout_get_record(const struct sl_fanout_channel *channel);

/* Ends each subscriber of the channel. */
void sl_fanout_end_channel(struct sl_shard *shard, const char *name, size_t name_len,
	enum sl_end_reason reason);

/* Drops interest in channels that have had no subscriber for some seconds. */
void sl_fanout_sweep(struct sl_shard *shard);

#endif
