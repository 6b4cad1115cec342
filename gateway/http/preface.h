/* Preface: the bytes before a connection's first request: a trusted peer may send a PROXY header
 * (http/proxy_header.h).
 * Owner: the connection. It holds memory for an incomplete header, which counts in --outbox-total, and for a
 * client that a header named. Thread: the shard's. Errors: none; a connection with a malformed header, or
 * without memory, is closed. */
#ifndef SL_HTTP_PREFACE_H
#define SL_HTTP_PREFACE_H

#include <stdbool.h>
#include <stddef.h>

struct sl_address;
struct sl_connection;
struct sl_owner;

/* Takes bytes in the phase PREFACE; begins with the bytes behind the header (sl_connection_begin). Changes
 * `bytes`. */
void sl_preface_take(struct sl_connection *connection, char *bytes, size_t len);

/* Returns the number of kept bytes of an incomplete header. */
size_t sl_preface_get_held(const struct sl_connection *connection);

/* Returns the address at the other end: the client of a PROXY header, or else the socket's peer. Borrowed. */
const struct sl_address *sl_preface_get_source(const struct sl_connection *connection);

/* Returns the owner that limits count there; NULL: nobody. Borrowed. */
struct sl_owner *sl_preface_get_owner(const struct sl_connection *connection);

/* The connection closes: counts the header's client out, and frees everything. */
void sl_preface_drop(struct sl_connection *connection);

#endif
