/* Numbers that look random and are the same in every run: for tests against a simple model.
 * Owner: the caller's state. Thread: any. Errors: none. */
#ifndef SL_TESTS_DRAW_H
#define SL_TESTS_DRAW_H

#include <stdint.h>

/* xorshift64 (Marsaglia, 2003): 0 <= the result < below. `*state` is not 0. */
static inline unsigned
draw(uint64_t *state, unsigned below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (unsigned)(*state >> 32) % below;
}

#endif
