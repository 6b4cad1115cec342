/* Incoming: turns a connection's bytes into judged requests, one at a time.
 * Owner: the connection. It holds memory only while a request is incomplete, or waits behind another one; these
 * bytes count in --outbox-total. Thread: the shard's. Errors: answered; a connection without memory is closed. */
#ifndef SL_HTTP_INCOMING_H
#define SL_HTTP_INCOMING_H

#include <stdbool.h>
#include <stddef.h>

struct sl_connection;

/* Takes bytes from the socket while the connection reads requests; serves complete ones. Changes `bytes`. */
void sl_incoming_take(struct sl_connection *connection, char *bytes, size_t len);

/* Continues with the kept bytes, once the kernel has an answer. */
void sl_incoming_go_on(struct sl_connection *connection);

/* True while a request has begun and is incomplete. */
bool sl_incoming_is_partial(const struct sl_connection *connection);

/* Passes the bytes behind the present request to its transport, which reads on. */
void sl_incoming_release(struct sl_connection *connection);

/* Drops the kept bytes. */
void sl_incoming_drop(struct sl_connection *connection);

#endif
