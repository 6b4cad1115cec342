/* Events: what a client emits: `subscribe`, `unsubscribe`, `publish`, and anything else, which is relayed to the channel
 * of its namespace, its sender included.
 * Owner: nobody. Thread: the socket's. Errors: acks {"error":{"code","message"}}, where the client wants one; counted. */
#ifndef SL_SOCKET_IO_SIO_EVENTS_H
#define SL_SOCKET_IO_SIO_EVENTS_H

#include <stdbool.h>

#include "util/span.h"

struct sl_eio_socket;
struct sl_sio_namespace;
struct sl_sio_packet;

/* `packet` is an event with its attachments, as many as it says. */
void sl_sio_events_handle(struct sl_eio_socket *socket, struct sl_sio_namespace *ns,
	const struct sl_sio_packet *packet, const struct sl_span *attachments, bool is_too_deep);

#endif
