/* Fan-out: the channels of a shard, and who has them.
 * Owner: the shard. Thread: its own. Errors: as each call says.
 *
 * The shard's position is the number up to which its mailbox has been drained: everything
 * of its channels at or below it has been handed to the subscribers that were live (live/delivery.h). */
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
	struct sl_cursor last; /* where it was when it left the log before */
};

void sl_fanout_init(struct sl_fanout *fanout);
void sl_fanout_finish(struct sl_shard *shard);

/* Adds a channel to the subscriber's list, unless it is there. Errors: SL_ENOMEM, SL_EFULL; of a
 * leased one those of live/lease.h; SL_EFORBIDDEN, counted: its principal may not have it. */
int sl_fanout_subscribe(struct sl_subscriber *subscriber, const char *name, size_t name_len);

/* The same under a label (absent: without one, as above): a subscription is a channel and a label. Messages at or
 * below `after` do not come by it. */
int sl_fanout_subscribe_as(struct sl_subscriber *subscriber, const char *name, size_t name_len,
	struct sl_span label, uint64_t after);

/* Subscription `index` is another label's from now on, whose framing (a reference, taken) this is. */
void sl_fanout_relabel(struct sl_subscriber *subscriber, size_t index, unsigned framing);

/* No message at or below `after` comes by subscription `index`; what it had before counts if it is higher. */
void sl_fanout_raise_after(struct sl_subscriber *subscriber, size_t index, uint64_t after);

/* Removes subscription `index`; the last one takes its place. */
void sl_fanout_unsubscribe(struct sl_subscriber *subscriber, size_t index);
void sl_fanout_unsubscribe_all(struct sl_subscriber *subscriber);

/* The subscription's index for a name without a label, or SL_ENOENT. */
int sl_fanout_find(const struct sl_subscriber *subscriber, const char *name, size_t name_len);
/* The same for a name and a label. */
int sl_fanout_find_as(const struct sl_subscriber *subscriber, const char *name, size_t name_len,
	struct sl_span label);
/* Its label; absent where it has none. Borrowed until the subscription goes or is relabelled. */
struct sl_span sl_fanout_get_label(const struct sl_subscriber *subscriber, size_t index);
const char *sl_fanout_get_name(const struct sl_fanout_channel *channel);
struct sl_span sl_fanout_get_span(const struct sl_fanout_channel *channel);
/* The bus's record of it. */
struct sl_channel *sl_fanout_get_record(const struct sl_fanout_channel *channel);

/* Ends each subscriber that has the channel. */
void sl_fanout_end_channel(struct sl_shard *shard, const char *name, size_t name_len,
	enum sl_end_reason reason);

/* Drops interest in channels that have had no subscriber for some seconds. */
void sl_fanout_sweep(struct sl_shard *shard);

#endif
