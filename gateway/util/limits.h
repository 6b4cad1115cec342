/* Limits that several parts have to agree on.
 * Owner: constants. Thread: any. Errors: none. */
#ifndef SL_UTIL_LIMITS_H
#define SL_UTIL_LIMITS_H

#define SL_CHANNELS_MAX 64 /* of one subscriber, and so of a request and of a read of history */
#define SL_SHARDS_MAX 64

#endif
