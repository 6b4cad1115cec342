/* Fan-out: from a shard's mailbox to its connections.
 * Owner: the shard. Thread: its own. Errors: as each call says.
 *
 * The shard's position is the number up to which its mailbox has been drained: everything
 * of its channels at or below it has been handed to the connections that were live. */
#ifndef SL_LIVE_FANOUT_H
#define SL_LIVE_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/timer.h"

struct sl_connection;
struct sl_fanout_channel;
struct sl_gap;
struct sl_shard;

struct sl_fanout {
	struct sl_fanout_channel *channels; /* by name */
	struct sl_fanout_channel *idle;     /* without subscribers, longest first */
	struct sl_fanout_channel *idle_last;
	uint64_t position;
};

void sl_fanout_init(struct sl_fanout *fanout);
void sl_fanout_finish(struct sl_shard *shard);

/* Adds a channel to the connection's list; `*out` is its index there, or that of the
 * subscription it already had. Errors: SL_ENOMEM, SL_EFULL. */
int sl_fanout_subscribe(struct sl_connection *connection, const char *name, size_t name_len,
	size_t *out);

/* Removes subscription `index`; the last one takes its place. */
void sl_fanout_unsubscribe(struct sl_connection *connection, size_t index);
void sl_fanout_unsubscribe_all(struct sl_connection *connection);

/* The subscription's index for a name, or SL_ENOENT. */
int sl_fanout_find(const struct sl_connection *connection, const char *name, size_t name_len);
const char *sl_fanout_get_name(const struct sl_fanout_channel *channel);

/* Marks what history has lost of the connection's channels above its position as told;
 * `resumed[i]` is 0 or the number up to which messages of subscription i are lost. */
void sl_fanout_find_losses(struct sl_connection *connection, uint64_t *resumed);

/* Hands what is in the mailbox to the live connections; true when there is more than one
 * turn should carry. */
bool sl_fanout_drain(struct sl_shard *shard);

/* Catches up one step from history; the connection is behind, its outbox empty. `known`
 * are gaps to be told before those that history turns out to have. */
void sl_fanout_pull(struct sl_connection *connection, const struct sl_gap *known,
	size_t known_count);

/* Drops interest in channels that have had no subscriber for some seconds. */
void sl_fanout_sweep(struct sl_shard *shard);

#endif
