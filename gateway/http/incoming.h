/* Incoming: from a connection's bytes to judged requests, one at a time.
 * Owner: the connection; memory is held only while a request is incomplete, or waits behind another
 * one, and counts in --outbox-total. Thread: the shard's. Errors: answered; a connection without
 * memory is closed. */
#ifndef SL_HTTP_INCOMING_H
#define SL_HTTP_INCOMING_H

#include <stdbool.h>
#include <stddef.h>

struct sl_connection;

/* Takes what was read from the socket while the connection reads requests; serves what is complete.
 * `bytes` are changed. */
void sl_incoming_take(struct sl_connection *connection, char *bytes, size_t len);

/* Goes on with what was kept, once an answer is with the kernel. */
void sl_incoming_go_on(struct sl_connection *connection);

/* True while a request has begun and is not complete. */
bool sl_incoming_is_partial(const struct sl_connection *connection);

/* What came behind a request that is served now goes to its transport, which reads on. */
void sl_incoming_release(struct sl_connection *connection);

/* Forgets what is kept. */
void sl_incoming_drop(struct sl_connection *connection);

#endif
