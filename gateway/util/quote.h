/* Quote: a value that somebody else wrote, as a message may show it.
 * Owner: the caller's bytes. Thread: any. Errors: none.
 * Only for values that are no secret and no payload. Clients err, and write a token elsewhere: what looks like one
 * is not shown. */
#ifndef SL_UTIL_QUOTE_H
#define SL_UTIL_QUOTE_H

#include "util/span.h"

#define SL_QUOTE_MAX 40                   /* bytes of a value that are shown */
#define SL_QUOTE_WORD_MAX 19              /* letters, digits, - and _ in a row; the first part of a JWT has more */
#define SL_QUOTED_SIZE (SL_QUOTE_MAX + 9) /* quotes, stars, an ellipsis, NUL */

/* Writes the value in double quotes, and NUL. A byte that is no visible ASCII character or blank, or is a quote,
 * a backslash, < or >, becomes '?'. "..." stands for the rest of a longer value, "***..." for what may be a token and all
 * that follows it. */
void sl_quote(char out[SL_QUOTED_SIZE], struct sl_span value);

#endif
