/* Trust: whom limits and logs count: the peer of a connection, or the client that a trusted proxy
 * names in front of the connection (http/preface.h) or in the fields of a request
 * (http/forwarded.h).
 * Owner: the connection. Thread: the shard's. Errors: none. */
#ifndef SL_HTTP_TRUST_H
#define SL_HTTP_TRUST_H

#include <stdbool.h>

#include "core/owners.h"

struct sl_address;
struct sl_connection;
struct sl_front;
struct sl_head;

/* True when what this address says of its clients counts. It belongs to many of them, so that it
 * has no limit of its own. */
bool sl_trust_has(const struct sl_front *front, const struct sl_address *address);

/* A request begins: from here on the connection's `client`, its `owner` and `is_secure` are what its fields
 * say, if they count. Its client is counted until the request ends. */
void sl_trust_begin_request(struct sl_connection *connection, const struct sl_head *head);

/* It is answered, or its connection closes. */
void sl_trust_end_request(struct sl_connection *connection);

/* Counts a client beside the connection, which is counted already, and tells what came of it. `*owner` is a
 * new reference, or NULL; `*is_counted` says if the client is to leave the owner (sl_owner_leave). */
enum sl_owner_verdict sl_trust_count_in(struct sl_connection *connection,
	const struct sl_address *client, struct sl_owner **owner, bool *is_counted);

/* From here on limits count this owner (NULL: nobody). Takes a reference. */
void sl_trust_set_owner(struct sl_connection *connection, struct sl_owner *owner);

#endif
