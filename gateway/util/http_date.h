/* The header Date (RFC 9110, sections 5.6.7 and 6.6.1).
 * Owner: the buffer is the caller's. Thread: any. Errors: those of the buffer. */
#ifndef SL_UTIL_HTTP_DATE_H
#define SL_UTIL_HTTP_DATE_H

#include "util/buffer.h"

/* Appends the present time as IMF-fixdate, e.g. Sun, 06 Nov 1994 08:49:37 GMT. */
void sl_http_date_append(struct sl_buffer *out);

#endif
