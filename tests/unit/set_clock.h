/* Both clocks as the test sets them: a wall clock that steps, and one that only the test lets
 * run. For programs linked with --wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms.
 * Owner: static. Thread: any; a backend may ask on its own. Errors: none. */
#ifndef SL_TESTS_SET_CLOCK_H
#define SL_TESTS_SET_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define SET_CLOCK_START_US 1790000000000000
#define SET_CLOCK_DAY_US (24 * INT64_C(3600000000))

static _Atomic int64_t set_wall_us = SET_CLOCK_START_US;
static _Atomic uint64_t set_monotonic_ms = 1000000;

/* While it is set the clocks are the system's, for what waits for others. */
static _Atomic bool set_clock_is_off;

/* Weak: programs that wrap one of the clocks have no other of this name. */
int64_t __real_sl_clock_wall_us(void) __attribute__((weak));
uint64_t __real_sl_clock_monotonic_ms(void) __attribute__((weak));
int64_t __wrap_sl_clock_wall_us(void);
uint64_t __wrap_sl_clock_monotonic_ms(void);

int64_t
__wrap_sl_clock_wall_us(void)
{
	return set_clock_is_off ? __real_sl_clock_wall_us() : set_wall_us;
}

uint64_t
__wrap_sl_clock_monotonic_ms(void)
{
	return set_clock_is_off ? __real_sl_clock_monotonic_ms() : set_monotonic_ms;
}

#endif
