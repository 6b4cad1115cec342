/* Registry: all transports, in the usual order, and their routes.
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

/* The last one is NULL. */
extern const struct sl_transport *const sl_transports[];

/* Their routes; the last one has no path. */
extern const struct sl_route sl_transport_routes[];

#endif
