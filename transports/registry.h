/* Registry: the transports there are, in the order that is the same everywhere, and their routes.
 * Owner: constants. Thread: any. Errors: none. */
#ifndef SL_TRANSPORTS_REGISTRY_H
#define SL_TRANSPORTS_REGISTRY_H

#include "http/route.h"
#include "http/transport.h"

extern const struct sl_transport sl_transport_websocket;
extern const struct sl_transport sl_transport_sse;
extern const struct sl_transport sl_transport_stream;
extern const struct sl_transport sl_transport_longpoll;
extern const struct sl_transport sl_transport_poll;

/* Ended by NULL. */
extern const struct sl_transport *const sl_transports[];

/* Where they are asked for; ended by a route without a path. */
extern const struct sl_route sl_transport_routes[];

#endif
