/* Answers that a cache gives again, a fixed number of them, the oldest replaced.
 * Owner: the proxy. Thread: one. Errors: none; what does not fit is not kept. */
#ifndef SL_BENCH_OBSTACLE_CACHE_H
#define SL_BENCH_OBSTACLE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/span.h"

#define OB_CACHE_ENTRIES 64
#define OB_CACHE_BYTES (256 << 10) /* of an answer with its key */

struct ob_cache_entry {
	struct sl_buffer key, answer;
	uint64_t stored_ms;
};

struct ob_cache {
	struct ob_cache_entry entries[OB_CACHE_ENTRIES];
	unsigned next; /* to be replaced */
};

void ob_cache_finish(struct ob_cache *cache);

/* Keeps a copy of `answer` under `key`, in the place of an older one. */
void ob_cache_store(struct ob_cache *cache, struct sl_span key, struct sl_span answer,
	uint64_t now_ms);

/* Returns borrowed, NULL when there is none. */
const struct ob_cache_entry *ob_cache_find(const struct ob_cache *cache, struct sl_span key);

#endif
