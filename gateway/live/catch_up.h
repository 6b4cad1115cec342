/* Catching up: feeds a subscriber that is behind from history.
 * Owner: the subscriber. Thread: the shard's. Errors: none; a subscriber without memory has its link closed.
 *
 * Reading history frames for one subscriber alone. A thousand clients that come back at a thousand positions
 * have little to share. */
#ifndef SL_LIVE_CATCH_UP_H
#define SL_LIVE_CATCH_UP_H

#include <stddef.h>
#include <stdint.h>

struct sl_gap;
struct sl_subscriber;

/* Catches up one step, or answers a one-shot subscriber. A step is at most 64 messages or 64 KiB, and never
 * more than an outbox may hold. The subscriber is behind, and its outbox is empty. `known` are gaps to report
 * before those that history shows. The subscriber's owner pays for the bytes (SL_LIMIT_HISTORY_BYTES). If the
 * owner's bucket is empty, a stream waits (live/pace.h). An answer does not wait here, because a session has
 * waited before. */
void sl_catch_up(struct sl_subscriber *subscriber, const struct sl_gap *known,
	size_t known_count);

/* Marks the losses of the subscriber's channels above its position as reported. `resumed[i]` is 0, or the
 * number up to which messages of subscription i are lost. */
void sl_catch_up_find_losses(struct sl_subscriber *subscriber, uint64_t *resumed);

#endif
