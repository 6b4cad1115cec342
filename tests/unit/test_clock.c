#include "util/clock.h"

#include <time.h>

#include "tests/unit/unit.h"

/* The kernel's clocks as set here, for what is rounded. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

static struct timespec monotonic, wall;

int
__wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
	*out = clock == CLOCK_MONOTONIC ? monotonic : wall;
	return 0;
}

static void
test_clock_counts_whole_milliseconds_since_the_machine_began(void)
{
	monotonic = (struct timespec){ .tv_sec = 0, .tv_nsec = 999999 };
	CU_ASSERT_EQUAL(sl_clock_monotonic_ms(), 0);
	monotonic = (struct timespec){ .tv_sec = 12, .tv_nsec = 345999999 };
	CU_ASSERT_EQUAL(sl_clock_monotonic_ms(), 12345);
	monotonic = (struct timespec){ .tv_sec = 5000000000, .tv_nsec = 0 }; /* more than 32 bits */
	CU_ASSERT_EQUAL(sl_clock_monotonic_ms(), 5000000000000);
}

static void
test_clock_tells_microseconds_since_the_epoch(void)
{
	wall = (struct timespec){ .tv_sec = 1790000000, .tv_nsec = 123456789 };
	CU_ASSERT_EQUAL(sl_clock_wall_us(), 1790000000123456);
	wall = (struct timespec){ .tv_sec = -1, .tv_nsec = 500000000 }; /* before 1970 */
	CU_ASSERT_EQUAL(sl_clock_wall_us(), -500000);
}

static void
test_clock_keeps_both_apart(void)
{
	monotonic = (struct timespec){ .tv_sec = 1 };
	wall = (struct timespec){ .tv_sec = 2 };
	CU_ASSERT_EQUAL(sl_clock_monotonic_ms(), 1000);
	CU_ASSERT_EQUAL(sl_clock_wall_us(), 2000000);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_clock_counts_whole_milliseconds_since_the_machine_began),
		UNIT_TEST(test_clock_tells_microseconds_since_the_epoch),
		UNIT_TEST(test_clock_keeps_both_apart),
		{ NULL, NULL },
	};
	return unit_main("clock", tests);
}
