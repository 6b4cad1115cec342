/* Preface: what comes before a connection's first request: from a trusted peer perhaps a PROXY
 * header (http/proxy_header.h).
 * Owner: the connection; memory is held while a header is incomplete, which counts in
 * --outbox-total, and where one named a client. Thread: the shard's. Errors: a connection whose
 * header is malformed, or that has no memory, is closed. */
#ifndef SL_HTTP_PREFACE_H
#define SL_HTTP_PREFACE_H

#include <stdbool.h>
#include <stddef.h>

struct sl_address;
struct sl_connection;
struct sl_owner;

/* Takes what was read in the phase PREFACE; begins with what stands behind the header
 * (sl_connection_begin). `bytes` are changed. */
void sl_preface_take(struct sl_connection *connection, char *bytes, size_t len);

/* How many bytes of an incomplete header are kept. */
size_t sl_preface_get_held(const struct sl_connection *connection);

/* Who is at the other end: the client of a PROXY header, else the socket's peer. Borrowed. */
const struct sl_address *sl_preface_get_source(const struct sl_connection *connection);

/* Whom limits count there; NULL: nobody. Borrowed. */
struct sl_owner *sl_preface_get_owner(const struct sl_connection *connection);

/* The connection closes: counts the header's client out, forgets everything. */
void sl_preface_drop(struct sl_connection *connection);

#endif
