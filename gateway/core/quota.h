/* Quota: how many connections there are, in all and from one address.
 * Owner: the app. Thread: any, under a lock of its own. Errors: none, verdicts.
 *
 * The one table beside the bus that shards share (law 1): a limit a shard could not be
 * kept, since the kernel spreads connections by a hash. It is touched at accept and close, and where
 * a proxy is trusted (http/trust.h) when one of its clients begins and ends a request. */
#ifndef SL_CORE_QUOTA_H
#define SL_CORE_QUOTA_H

#include <stdint.h>

struct sl_address;
struct sl_quota;

enum sl_quota_verdict {
	SL_QUOTA_OK,
	SL_QUOTA_TOTAL,   /* above the limit in all: to be answered with a refusal */
	SL_QUOTA_ADDRESS, /* above the address's limit: the same */
	SL_QUOTA_HARD,    /* above even the room for refusals: not counted, close it */
};

/* Returns new, or NULL without memory. 0 a connection limit per address is none. */
struct sl_quota *sl_quota_create(uint64_t max_total, uint64_t max_per_address);
void sl_quota_destroy(struct sl_quota *quota);

/* New limits, for connections to come. */
void sl_quota_set_limits(struct sl_quota *quota, uint64_t max_total, uint64_t max_per_address);

/* Counts a connection, unless the verdict is SL_QUOTA_HARD. Unix sockets have no address
 * and count in all only, as does a connection whose `address` is NULL. */
enum sl_quota_verdict sl_quota_take(struct sl_quota *quota, const struct sl_address *address);

/* Counts it out again. */
void sl_quota_release(struct sl_quota *quota, const struct sl_address *address);

/* Counts a client of a connection that is counted already, in its address alone, unless the verdict
 * is SL_QUOTA_HARD; and counts it out again. */
enum sl_quota_verdict sl_quota_take_address(struct sl_quota *quota,
	const struct sl_address *address);
void sl_quota_release_address(struct sl_quota *quota, const struct sl_address *address);

/* How many connections refusals may hold above a limit of `max`. */
uint64_t sl_quota_get_slack(uint64_t max);

#endif
