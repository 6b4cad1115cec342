/* Dispatch: what is done with a request, from its first line to its answer.
 * Owner: the exchange. Thread: the shard's. Errors: answered in `exchange->reply`; a
 * status other than 0 there is an answer.
 *
 * libmicrohttpd calls a handler first with the head, then with pieces of the body, last
 * with none. An answer queued in the first call forces `Connection: close`, in mid-body
 * none can be queued: so only bodies nobody wants are refused at once, and everything else
 * is answered or handed over in the last call. */
#ifndef SL_HTTP_DISPATCH_H
#define SL_HTTP_DISPATCH_H

#include <stddef.h>

struct sl_exchange;

/* Notes the request's target, before any other call. */
void sl_dispatch_set_uri(struct sl_exchange *exchange, const char *uri);

/* First call: the head is there. */
void sl_dispatch_begin(struct sl_exchange *exchange, const char *method, const char *version);

/* A piece of the body. What is too long is counted and dropped, to be answered at its end.
 * Errors: SL_ETOOBIG, there is no end in sight: the connection is to be cut. */
int sl_dispatch_add_body(struct sl_exchange *exchange, const char *bytes, size_t len);

/* Last call. Returns 0 with an answer, 0 without the socket (handed over), or SL_PENDING. */
int sl_dispatch(struct sl_exchange *exchange);

#endif
