/* Pace: streams and sessions that catch up from history wait while their owner's SL_LIMIT_HISTORY_BYTES does not pay
 * (core/owners.h). Those of one owner take turns, a read each.
 * Owner: the shard has a line for each owner of which a stream waits. Thread: the shard's. Errors: none; without
 * memory for a line a stream does not wait.
 *
 * A stream that waits is behind, as before: its heartbeats go out, and what ends it ends it. Each line has one
 * timer, so that waiting costs no turns. */
#ifndef SL_LIVE_PACE_H
#define SL_LIVE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct sl_pace;
struct sl_subscriber;

/* True when the subscriber, behind and not the poll of a native client, may read now. Else it waits: when its turn has
 * come sl_subscriber_on_idle() is called, or without a link it has work. */
bool sl_pace_may_read(struct sl_subscriber *subscriber);

/* It waits no longer. Also for one that does not wait. */
void sl_pace_leave(struct sl_subscriber *subscriber);

#endif
