/* Registry: the transports there are, in the order that is the same everywhere.
 * Owner: constants. Thread: any. Errors: none. */
#ifndef SL_TRANSPORTS_REGISTRY_H
#define SL_TRANSPORTS_REGISTRY_H

#include "transport.h"

extern const struct sl_transport sl_transport_websocket;
extern const struct sl_transport sl_transport_sse;
extern const struct sl_transport sl_transport_stream;
extern const struct sl_transport sl_transport_longpoll;
extern const struct sl_transport sl_transport_poll;

/* Ended by NULL. */
extern const struct sl_transport *const sl_transports[];

#endif
