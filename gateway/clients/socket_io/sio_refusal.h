/* Refusal of a CONNECT: for good, or for a passing reason. A client does not connect again by itself after
 * CONNECT_ERROR, but it does after its transport has closed.
 * Owner: nobody. Thread: the socket's. Errors: none. */
#ifndef SL_SOCKET_IO_SIO_REFUSAL_H
#define SL_SOCKET_IO_SIO_REFUSAL_H

#include <stdbool.h>

#include "util/span.h"

struct sl_eio_socket;
struct sl_refusal;

/* When to connect again, where no limit says when it pays again. */
#define SL_SIO_RETRY_MS 5000u

/* True where the same CONNECT may be accepted later: `err` is that of the refusal. */
bool sl_sio_refusal_is_passing(const struct sl_refusal *refusal, int err);

/* Refuses the namespace `name`, counted. For a passing reason the transport closes, unless other namespaces are
 * connected, which would be lost with it; else the client is sent CONNECT_ERROR. */
void sl_sio_refusal_send(struct sl_eio_socket *socket, struct sl_span name, const struct sl_refusal *refusal, int err);

#endif
