/* Strict JSON: one object, read so that no two readers can understand it differently.
 * Owner: the caller. Thread: any. Errors: SL_EINVAL with `*why`, a static sentence's end ("is no JSON
 * object"); SL_ENOMEM. */
#ifndef SL_AUTH_STRICT_JSON_H
#define SL_AUTH_STRICT_JSON_H

#include <jansson.h>

#include "util/span.h"

#define SL_STRICT_JSON_DEPTH 16

/* Refuses members that are there twice, NUL within strings, numbers that no double or 64-bit integer
 * holds, text that is no UTF-8, and nesting below SL_STRICT_JSON_DEPTH. Returns new in `*out`. */
int sl_strict_json_load(json_t **out, struct sl_span text, const char **why);

#endif
