/* Handshake: the time of a connection of a TLS listener until it has keys, or turns out to speak plain HTTP.
 * Owner: the connection; the memory is freed when the handshake is over. Thread: the shard's. Errors: none; the
 * connection ends.
 *
 * It has --request-timeout, and takes its steps in the shard's line (core/tls_shard.h). */
#ifndef SL_HTTP_HANDSHAKE_H
#define SL_HTTP_HANDSHAKE_H

#include <stddef.h>

struct sl_connection;

/* Begins with bytes that were read before. May close the connection. */
void sl_handshake_begin(struct sl_connection *connection, const char *bytes, size_t len);

/* The socket is readable. */
void sl_handshake_continue(struct sl_connection *connection);

/* Its time is over: closes the connection. */
void sl_handshake_expire(struct sl_connection *connection);

/* Forgets it; allowed when there is none. */
void sl_handshake_drop(struct sl_connection *connection);

#endif
