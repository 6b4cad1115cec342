/* Kernel memory: the bytes that the kernel holds for the links of a shard. Clients have not taken some of them
 * yet, and the gateway has not read the others.
 * Owner: the shard. Thread: its own. Errors: none.
 *
 * The shard asks the kernel for a link (core/socket.h) when the link becomes blocked, and after each further 16
 * KiB written. Once per second it also walks over all links. The walk skips links for which nothing was held,
 * written or left unread since the last question. --kernel-memory limits the sum; each shard has its part.
 * Above the limit the links with most bytes end as slow consumers, with RST: only then does the kernel drop its
 * bytes at once. */
#ifndef SL_LIVE_KERNEL_MEMORY_H
#define SL_LIVE_KERNEL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/timer.h"
#include "util/scale.h"

struct sl_link;
struct sl_shard;

/* Of a link. All zero: no held bytes are known. */
struct sl_kernel_part {
	struct sl_scale_node weight; /* on the shard's scale while the kernel holds bytes */
	uint64_t bytes, asked_ms;
	uint64_t fell_ms; /* the last time that the held bytes fell: the client takes some */
	size_t unasked; /* bytes written since the last question */
};

struct sl_kernel_memory {
	struct sl_scale scale; /* of links, by bytes */
	uint64_t held;         /* the sum */
	struct sl_link *at;    /* the next link of the walk; NULL: the walk begins */
	uint64_t began_ms;     /* the walk */
	struct sl_timer timer; /* for its next piece */
};

/* Call it when the shard's loop exists. The walk begins in a second. */
void sl_kernel_memory_init(struct sl_shard *shard);

/* The link becomes blocked: asks for its bytes. */
void sl_kernel_memory_ask(struct sl_link *link);

/* `len` bytes were written to the link: asks now and then. */
void sl_kernel_memory_note_write(struct sl_link *link, size_t len);

/* The link closes, and is still in the shard's list. */
void sl_kernel_memory_forget(struct sl_link *link);

/* If all links together hold too much, ends some of those with most bytes. True if there is more to do. */
bool sl_kernel_memory_limit(struct sl_shard *shard);

#endif
