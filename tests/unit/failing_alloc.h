/* An allocator that fails at the n-th call, for programs linked with $(failing_ldflags).
 * Owner: static. Thread: any; a thread of the code under test is counted too. Errors: the test
 * fails when memory is left behind.
 *
 *	for_each_failing_allocation(failing) {
 *		struct sl_message *message = NULL;
 *		int err = sl_message_create(&message, ...);
 *		failing_expect(err);
 *		sl_message_unref(message);
 *	}
 *
 * runs the body with its first allocation failing, then its second, until none fails any more;
 * and once again with every allocation failing from the first on, from the second on, and so on.
 * What the body allocates it must free again: after each round as many allocations must be live
 * as before (and LeakSanitizer looks on). Only calls of the code that is linked in count: what
 * shared libraries allocate for themselves neither fails nor counts. */
#ifndef SL_TESTS_FAILING_ALLOC_H
#define SL_TESTS_FAILING_ALLOC_H

#include <stdbool.h>

/* Counts from now on, and lets the `n`-th allocation fail, 1 the next; 0 none. If `is_lasting`
 * all after it fail too. */
void failing_alloc_set(unsigned n, bool is_lasting);

/* No allocation fails from now on; what was counted stays. */
void failing_alloc_off(void);

/* Allocations since failing_alloc_set(), those that failed among them. */
unsigned failing_alloc_count(void);

/* Whether one has failed since failing_alloc_set(). */
bool failing_alloc_has_failed(void);

/* Allocations that have not been freed, since the program began. */
long failing_alloc_live(void);

struct failing {
	unsigned n;      /* the allocation that fails; 0 before the first round */
	bool is_lasting; /* all after it fail too */
	long live;       /* before the round */
};

#define for_each_failing_allocation(failing) \
	for (struct failing failing = { 0 }; failing_next(&failing);)

/* Ends a round and begins the next. False when all are over. */
bool failing_next(struct failing *failing);

/* Counts anew from here, for a body that first turned failing off to make what it needs. */
void failing_again(const struct failing *failing);

/* Turns failing off and asserts the outcome: SL_ENOMEM if an allocation failed, else 0. */
void failing_expect(int result);

#endif
