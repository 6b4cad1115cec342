/* What /demo/api/trace is asked for: `of=NAME:AFTER,NAME:AFTER&show=NAME`.
 * Owner: what comes out borrows the parameters. Thread: any. Errors: SL_EINVAL. */
#ifndef SL_DEMO_WANTED_H
#define SL_DEMO_WANTED_H

#include <stdbool.h>
#include <stdint.h>

#include "demo/names.h"

struct sl_wanted {
	struct sl_span name;
	uint64_t after;   /* 0 where none is said */
	bool shows_bytes; /* the name is one of show's */
};

/* Reads 1 to SL_NAMES_MAX different names with numbers of at most 18 digits into `out`, and
 * how many into `*count`. `show` may be absent or empty; names in it that are not wanted are
 * ignored. Errors: SL_EINVAL. */
int sl_wanted_parse(struct sl_wanted out[SL_NAMES_MAX], unsigned *count, struct sl_span of,
	struct sl_span show);

#endif
