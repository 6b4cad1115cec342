/* Families: the client libraries of others that the gateway serves, each in a folder of its own: their
 * transports and routes. They are not among those that native clients choose from (transports/registry.h).
 * Owner: constants. Thread: any. Errors: none. */
#ifndef SL_CLIENTS_FAMILIES_H
#define SL_CLIENTS_FAMILIES_H

#include "http/route.h"
#include "http/transport.h"

/* Ended by NULL. */
extern const struct sl_transport *const sl_client_transports[];

/* Where they are asked for; ended by a route without a path. */
extern const struct sl_route sl_client_routes[];

#endif
