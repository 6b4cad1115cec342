/* Limits: numbers that several folders must agree on, each in this one place.
 * Owner: constants. Thread: any. Errors: none. */
#ifndef SL_UTIL_LIMITS_H
#define SL_UTIL_LIMITS_H

/* Threads that serve: interest in a channel is a bit for each (bus/records.h). */
#define SL_SHARDS_MAX 64

/* Channels of a connection, and so of one read of history. */
#define SL_CHANNELS_MAX 64

#endif
