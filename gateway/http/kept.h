/* Kept: a connection that outlives its request, once the socket is ours.
 * Owner: the shard, as any connection. Thread: the shard's. Errors: a connection that
 * fails is closed.
 *
 * Polls and publishes are what clients repeat. Between two of them the connection is
 * parked: what comes next is peeked at, a plain poll or publish is taken off the socket and
 * served here, anything else goes back to libmicrohttpd untouched. A publish
 * served so costs a quarter to a third less than there (ARCHITECTURE.md). */
#ifndef SL_HTTP_KEPT_H
#define SL_HTTP_KEPT_H

#include <stdbool.h>

#include "live/connection.h"

struct sl_kept_publish;

/* What one-shot transports embed first. */
struct sl_kept {
	struct sl_connection base;
	char *headers;   /* owns; lines of this answer alone (CORS), or NULL */
	char *n;         /* owns; a poll's nonce, to be echoed, or NULL */
	bool keep_alive; /* after this answer */
	struct sl_kept_publish *publish; /* waits for its backend; or NULL */
};

static inline struct sl_kept *
sl_kept_from(struct sl_connection *connection)
{
	return (struct sl_kept *)connection;
}

/* The transport of publishes: class http, in no registry. */
extern const struct sl_transport sl_kept_transport;

/* Of requests that are answered with a reply that is there, `request->reply`; the same. */
extern const struct sl_transport sl_kept_answer_transport;

/* For a transport's open(): begins the answer to `request`. Errors: SL_ENOMEM. */
int sl_kept_begin(struct sl_connection *connection, const struct sl_request *request);

/* The answer is queued: what follows it is the next request, or the end. */
void sl_kept_conclude(struct sl_connection *connection);

/* Slots of a transport that embeds struct sl_kept. */
void sl_kept_on_readable(struct sl_connection *connection);
void sl_kept_finish(struct sl_connection *connection);

#endif
