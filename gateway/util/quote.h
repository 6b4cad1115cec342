/* Quote: a value that somebody else wrote, as a message may show it.
 * Owner: the caller's bytes. Thread: any. Errors: none.
 * Only for values that are no secret and no payload. */
#ifndef SL_UTIL_QUOTE_H
#define SL_UTIL_QUOTE_H

#include "util/span.h"

#define SL_QUOTE_MAX 40                    /* bytes of a value that are shown */
#define SL_QUOTED_SIZE (SL_QUOTE_MAX + 6)  /* quotes, an ellipsis, NUL */

/* Writes the value in double quotes, and NUL. A byte that is no visible ASCII character or blank, or is a quote
 * itself, becomes '?'. "..." stands for the rest of a longer value. */
void sl_quote(char out[SL_QUOTED_SIZE], struct sl_span value);

#endif
