/* What Engine.IO wants of a query: `EIO`, `transport`, `sid`. The client puts what its page adds before its own
 * parameters, and repeats all of it with each request, so the last of several counts.
 * Owner: what comes out borrows the query. Thread: any. Errors: none; what is missing is absent. */
#ifndef SL_CLIENTS_EIO_QUERY_H
#define SL_CLIENTS_EIO_QUERY_H

#include "util/span.h"

struct sl_eio_query {
	struct sl_span revision;  /* `EIO` */
	struct sl_span transport;
	struct sl_span id;        /* `sid`; absent: this is a handshake */
};

/* `target` is a request's, or what follows a path in it. Values are as they were sent: ours have no escapes. */
void sl_eio_query_read(struct sl_eio_query *out, struct sl_span target);

#endif
