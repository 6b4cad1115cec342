/* Trust: finds the client that limits and logs count. It is the peer of a connection, or the client that a
 * trusted proxy names: in front of the connection (http/preface.h), or in the fields of a request
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

/* True if this address is trusted to name its clients. It stands for many clients, so it has no limit of its
 * own. */
bool sl_trust_has(const struct sl_front *front, const struct sl_address *address);

/* A request begins. Sets the connection's `client`, `owner` and `is_secure` from its fields, if these count.
 * The client is counted until the request ends. */
void sl_trust_begin_request(struct sl_connection *connection, const struct sl_head *head);

/* The request is answered, or its connection closes. */
void sl_trust_end_request(struct sl_connection *connection);

/* Counts a client in addition to the connection, which is counted already. Returns the verdict. `*owner` is a
 * new reference, or NULL. `*is_counted` is true if the client must leave the owner later (sl_owner_leave). */
enum sl_owner_verdict sl_trust_count_in(struct sl_connection *connection,
	const struct sl_address *client, struct sl_owner **owner, bool *is_counted);

/* Limits count this owner from now on (NULL: nobody). Takes a reference. */
void sl_trust_set_owner(struct sl_connection *connection, struct sl_owner *owner);

#endif
