/* Pattern: which channels somebody may use: an exact name, `prefix.*` (every name that begins with
 * "prefix."), or `*` (every name).
 * Owner: a list owns its texts. Thread: any once made. Errors: as each call says.
 *
 * No pattern stands for a leased channel (a name that begins with '~'): the lease is the permission
 * (live/lease.h). */
#ifndef SL_AUTH_PATTERN_H
#define SL_AUTH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

#define SL_PATTERNS_MAX 256 /* of one list */

/* All zero: nothing is allowed. */
struct sl_patterns {
	char *texts; /* owns: each ends in NUL */
	size_t size; /* bytes of `texts` */
	size_t count;
};

/* True for a legal name of a channel, such a name with `.*` behind it, or `*`. */
bool sl_pattern_is_valid(struct sl_span pattern);

/* True when the pattern, which is valid and ends in NUL, stands for `channel`, a legal name. */
bool sl_pattern_matches(const char *pattern, struct sl_span channel);

/* Appends a copy. Errors: SL_EINVAL for what is no pattern, SL_EFULL above SL_PATTERNS_MAX, SL_ENOMEM. */
int sl_patterns_add(struct sl_patterns *patterns, struct sl_span pattern);
/* `out` is all zero. Errors: SL_ENOMEM. */
int sl_patterns_copy(struct sl_patterns *out, const struct sl_patterns *from);
void sl_patterns_finish(struct sl_patterns *patterns);

/* True when one of them stands for `channel`, a legal name. */
bool sl_patterns_match(const struct sl_patterns *patterns, struct sl_span channel);

#endif
