/* Etag: decides whether a client already has the content that it asks for (RFC 9110, section 13.1.2).
 * Owner: nobody. Thread: any. Errors: none; a text that is no list of tags matches nothing. */
#ifndef SL_HTTP_ETAG_H
#define SL_HTTP_ETAG_H

#include "util/span.h"

/* `list` is a value of If-None-Match, or absent; `etag` is a strong tag with its quotes. Weak tags
 * match it too. */
bool sl_etag_matches(struct sl_span list, const char *etag);

#endif
