/* Pace: makes streams and sessions that catch up from history wait while their owner's SL_LIMIT_HISTORY_BYTES
 * does not pay (core/owners.h). The subscribers of one owner take turns, one read each.
 * Owner: the shard, which has a line for each owner with waiting subscribers. Thread: the shard's. Errors:
 * none; without memory for a line a subscriber does not wait.
 *
 * A stream that waits is still behind: its heartbeats go out, and every kind of end ends it. Each line has one
 * timer, so waiting costs no turns. */
#ifndef SL_LIVE_PACE_H
#define SL_LIVE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct sl_pace;
struct sl_subscriber;

/* True if the subscriber may read now. It is behind, and not the poll of a native client. Otherwise it waits.
 * When its turn comes, sl_subscriber_on_idle() is called; a subscriber without a link gets work instead. */
bool sl_pace_may_read(struct sl_subscriber *subscriber);

/* Ends its wait, if it waits. */
void sl_pace_leave(struct sl_subscriber *subscriber);

#endif
