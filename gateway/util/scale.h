/* Scale: the things of a table by their weight, so that the heaviest is known at once.
 * Owner: the table's. Thread: that of the table, or under its lock. Errors: none; it needs no memory.
 *
 * Weights count to a sixteenth; below 32 they count exactly. Things that weigh the same so stand in one line, in
 * the order in which they came to that weight: whoever takes a little from the first each time takes from all of
 * them in turn. Nothing here looks at more than one line, and what does not leave its line costs one comparison. */
#ifndef SL_UTIL_SCALE_H
#define SL_UTIL_SCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* Of 64-bit weights: sixteen for each of their sizes in bits, and those below 32. */
#define SL_SCALE_LINES 976

/* Embed it in what is weighed; all zero: on no scale. */
struct sl_scale_node {
	TAILQ_ENTRY(sl_scale_node) entry;
	unsigned line; /* 0: on none */
};

struct sl_scale {
	TAILQ_HEAD(sl_scale_line, sl_scale_node) lines[SL_SCALE_LINES];
	uint64_t used[(SL_SCALE_LINES + 63) / 64]; /* a bit for each line that has nodes */
};

void sl_scale_init(struct sl_scale *scale);

/* Puts a node, or gives the one that is there another weight, which is not 0. */
void sl_scale_put(struct sl_scale *scale, struct sl_scale_node *node, uint64_t weight);

/* The same, but a node that is there never becomes lighter. */
void sl_scale_raise(struct sl_scale *scale, struct sl_scale_node *node, uint64_t weight);

/* Also for one that is on none. */
void sl_scale_remove(struct sl_scale *scale, struct sl_scale_node *node);

/* The heaviest; NULL: there is none. */
struct sl_scale_node *sl_scale_get_first(const struct sl_scale *scale);

/* True where the node's weight is still this one, to a sixteenth. */
bool sl_scale_weighs(const struct sl_scale_node *node, uint64_t weight);

#endif
