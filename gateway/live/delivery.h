/* Delivery: moves messages from a shard's mailbox to its subscribers, and moves the shard from one log to the
 * next.
 * Owner: the shard. Thread: its own. Errors: none; a subscriber without memory has its link closed.
 *
 * A shard is in one log: that of its fan-out's epoch. It follows a new log once its mailbox holds nothing of
 * the old one (sl_bus_take_reset). A subscriber stays for good in the log that its shard had when it joined.
 * Its position and all reports to it belong to that log. After that log it is outdated
 * (sl_subscriber_is_outdated): nothing is delivered to it or read for it, and the gateway ends it. */
#ifndef SL_LIVE_DELIVERY_H
#define SL_LIVE_DELIVERY_H

#include <stdbool.h>

#include "bus/cursor.h"

struct sl_shard;

/* Delivers the messages in the mailbox to the live subscribers. True if there is more than one turn should
 * carry. */
bool sl_delivery_drain(struct sl_shard *shard);

/* Makes the shard follow the bus to its log; returns the bus's head. This delivers messages of an earlier log
 * from the mailbox, so do not call it while an operation of the shard is half done. */
struct sl_cursor sl_delivery_follow(struct sl_shard *shard);

#endif
