/* Delivery: from a shard's mailbox to its subscribers, and from one log to the next.
 * Owner: the shard. Thread: its own. Errors: a subscriber without memory has its link closed.
 *
 * A shard is in one log, that of its fan-out's epoch, and changes over when it has emptied its mailbox of what
 * the log before had (sl_bus_take_reset). A subscriber is in the log that its shard was in when it joined, for good:
 * its position and whatever is told of it are of that log. One whose log is over is outdated
 * (sl_subscriber_is_outdated): nothing is delivered to it or read for it, and it is ended. */
#ifndef SL_LIVE_DELIVERY_H
#define SL_LIVE_DELIVERY_H

#include <stdbool.h>

#include "bus/cursor.h"

struct sl_shard;

/* Hands what is in the mailbox to the live subscribers; true when there is more than one
 * turn should carry. */
bool sl_delivery_drain(struct sl_shard *shard);

/* Makes sure that the shard is in the log that the bus is in; returns the bus's head. Delivers what the
 * mailbox has of a log before, so not while something of the shard is half done. */
struct sl_cursor sl_delivery_follow(struct sl_shard *shard);

#endif
