/* Catching up: a subscriber that is behind is fed from history.
 * Owner: the subscriber. Thread: the shard's. Errors: one without memory has its link closed.
 *
 * Reading history frames for one subscriber alone: a thousand clients that come back at a
 * thousand positions have little to share. */
#ifndef SL_LIVE_CATCH_UP_H
#define SL_LIVE_CATCH_UP_H

#include <stddef.h>
#include <stdint.h>

struct sl_gap;
struct sl_subscriber;

/* Catches up one step: at most 64 messages or 64 KiB, never more than an outbox may hold; or an
 * answer. The subscriber is behind, its outbox empty. `known` are gaps to be told before those that
 * history turns out to have. Its owner pays for what is read (SL_LIMIT_HISTORY_BYTES); where that does
 * not pay, a stream waits instead (live/pace.h), and an answer does not: a session has waited before. */
void sl_catch_up(struct sl_subscriber *subscriber, const struct sl_gap *known,
	size_t known_count);

/* Marks what history has lost of the subscriber's channels above its position as told;
 * `resumed[i]` is 0 or the number up to which messages of subscription i are lost. */
void sl_catch_up_find_losses(struct sl_subscriber *subscriber, uint64_t *resumed);

#endif
