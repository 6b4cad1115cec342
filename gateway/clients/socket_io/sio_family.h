/* The family of Socket.IO, for the list of routes (clients/families.c): Engine.IO, with packets of Socket.IO inside its
 * messages.
 * Owner: constants. Thread: any. Errors: none. */
#ifndef SL_SOCKET_IO_SIO_FAMILY_H
#define SL_SOCKET_IO_SIO_FAMILY_H

#include "clients/engine_io/eio_family.h"

extern const struct sl_eio_family sl_sio_family;

/* For struct sl_route: names in the query, Engine.IO's first. Ends in NULL. */
extern const char *const sl_sio_query_names[];

#endif
