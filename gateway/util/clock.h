/* What time it is.
 * Owner: nobody. Thread: any. Errors: none.
 * Code that waits takes its time from its loop (core/loop.h), which a test may set by
 * hand; only the loop, the backend and the log ask here. */
#ifndef SL_UTIL_CLOCK_H
#define SL_UTIL_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t sl_clock_monotonic_ms(void);

/* Microseconds of the same clock. */
uint64_t sl_clock_monotonic_us(void);

/* Microseconds since the epoch. */
int64_t sl_clock_wall_us(void);

#endif
