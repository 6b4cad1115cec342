/* Kernel memory: what the kernel holds for the links of a shard: bytes that their clients do not take, and
 * bytes that nobody has read from them yet.
 * Owner: the shard. Thread: its own. Errors: none.
 *
 * A link is asked for (core/socket.h) when it becomes blocked, each time that 16 KiB more were written, and in a walk
 * over all links once a second: where something was held, written or left unread since it was asked last. The sum is limited by --kernel-memory,
 * a shard's part of it here. Above that, those for which most is held end as slow consumers, with RST: only then does
 * the kernel drop what it holds at once. */
#ifndef SL_LIVE_KERNEL_MEMORY_H
#define SL_LIVE_KERNEL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/timer.h"
#include "util/scale.h"

struct sl_link;
struct sl_shard;

/* Of a link; all zero: nothing is known to be held. */
struct sl_kernel_part {
	struct sl_scale_node weight; /* on the shard's scale while something is held */
	uint64_t bytes, asked_ms;
	uint64_t fell_ms; /* when fewer bytes were held than before: its client takes some */
	size_t unasked; /* bytes written since it was asked for */
};

struct sl_kernel_memory {
	struct sl_scale scale; /* of links, by bytes */
	uint64_t held;         /* the sum */
	struct sl_link *at;    /* the walk goes on here; NULL: at the start */
	uint64_t began_ms;     /* the walk */
	struct sl_timer timer; /* for its next piece */
};

/* The shard's loop is there. The walk begins in a second. */
void sl_kernel_memory_init(struct sl_shard *shard);

/* The link becomes blocked: asks how much is held for it. */
void sl_kernel_memory_ask(struct sl_link *link);

/* So much was written to it: asks now and then. */
void sl_kernel_memory_note_write(struct sl_link *link, size_t len);

/* The link closes, and is still in the shard's list. */
void sl_kernel_memory_forget(struct sl_link *link);

/* Ends at most some of those for which most is held, if all together it is too much. True when there is more
 * to do. */
bool sl_kernel_memory_limit(struct sl_shard *shard);

#endif
