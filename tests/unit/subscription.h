/* What a reader saw of one channel, and whether it is what the bus promises: each message
 * between its cursors exactly once and in order, or in a gap that was told.
 * Owner: the test. Thread: one at a time. Errors: check_subscription() names the fault. */
#ifndef SL_TESTS_SUBSCRIPTION_H
#define SL_TESTS_SUBSCRIPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct numbers {
	uint64_t *at;
	size_t len, cap;
};

static inline void
add_number(struct numbers *numbers, uint64_t number)
{
	if (numbers->len == numbers->cap) {
		numbers->cap = numbers->cap ? numbers->cap * 2 : 8;
		numbers->at = realloc(numbers->at, numbers->cap * sizeof *numbers->at);
	}
	numbers->at[numbers->len++] = number;
}

/* From subscribing to unsubscribing. */
struct subscription {
	struct subscription *next;
	unsigned channel;
	uint64_t start, end;  /* cursors: delivery was promised above start, up to end */
	uint64_t after;       /* the last gap told ends here */
	struct numbers seen;
	struct numbers gaps;  /* pairs: after, resumed */
};

static inline bool
is_in_gap(const struct subscription *subscription, uint64_t seq)
{
	for (size_t i = 0; i < subscription->gaps.len; i += 2)
		if (seq > subscription->gaps.at[i] && seq <= subscription->gaps.at[i + 1])
			return true;
	return false;
}

/* NULL when the promise was kept. `published` is sorted, of this channel. */
static inline const char *
check_subscription(const struct subscription *subscription, const struct numbers *published)
{
	size_t seen = 0;
	for (size_t i = 0; i < published->len; i++) {
		uint64_t seq = published->at[i];
		if (seq <= subscription->start || seq > subscription->end)
			continue;
		if (i > 0 && published->at[i - 1] == seq)
			continue; /* a repeated key */
		bool was_seen = seen < subscription->seen.len && subscription->seen.at[seen] == seq;
		seen += was_seen;
		if (was_seen == is_in_gap(subscription, seq))
			return was_seen ? "delivered although told lost" : "lost without being told";
	}
	return seen == subscription->seen.len ? NULL : "delivered twice, out of order or unpublished";
}

#endif
