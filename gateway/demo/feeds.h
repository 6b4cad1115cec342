/* Feeds: something to look at (--demo).
 * Owner: the app. Thread: made on main's before the shards run, then shard 0's.
 * Errors: SL_ENOMEM.
 *
 * demo.clock: the time, once a second. demo.ticker: a walk of prices, ten a second.
 * demo.tokens: sentences word by word, as a language model streams them. */
#ifndef SL_DEMO_FEEDS_H
#define SL_DEMO_FEEDS_H

struct sl_cluster;
struct sl_feeds;
struct sl_shard;

/* Borrows `cluster`: where it names another gateway as the one that feeds, this one is silent. */
int sl_feeds_create(struct sl_feeds **out, struct sl_shard *shard, const struct sl_cluster *cluster);

/* After the shard has stopped. NULL is allowed. */
void sl_feeds_destroy(struct sl_feeds *feeds);

#endif
