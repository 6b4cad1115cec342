/* A present that stands still: time(2) as the code under test sees it. For programs linked
 * with --wrap=time.
 * Owner: static. Thread: main. Errors: none. */
#ifndef SL_TESTS_FIXED_TIME_H
#define SL_TESTS_FIXED_TIME_H

#include <time.h>

#define FIXED_DATE "Sun, 06 Nov 1994 08:49:37 GMT" /* the example of RFC 9110 */

static time_t fixed_time = 784111777;

time_t __wrap_time(time_t *out);

time_t
__wrap_time(time_t *out)
{
	if (out)
		*out = fixed_time;
	return fixed_time;
}

#endif
