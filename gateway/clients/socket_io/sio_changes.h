/* Changes: how far a namespace is, and that its channels are others than at CONNECT: its client is told so, with an
 * offset that says it too, and the memory knows which (clients/socket_io/sio_memory.h).
 * Owner: nobody. Thread: the socket's. Errors: none; without memory the namespace is not recovered. */
#ifndef SL_SOCKET_IO_SIO_CHANGES_H
#define SL_SOCKET_IO_SIO_CHANGES_H

#include <stdbool.h>

#include "bus/cursor.h"
#include "util/span.h"

struct sl_eio_socket;
struct sl_sio_names;
struct sl_sio_namespace;
struct sl_subscriber;

/* Its client has everything of the label's channels until there. While another namespace catches up, that is more
 * than the subscriber's position. */
struct sl_cursor sl_sio_changes_get_progress(const struct sl_subscriber *subscriber, struct sl_span label);

/* How many channels it has under the label. */
unsigned sl_sio_changes_count(const struct sl_subscriber *subscriber, struct sl_span label);

/* The namespace has joined, or left, `names` after CONNECT. Does nothing without recovery. */
void sl_sio_changes_note(struct sl_eio_socket *socket, struct sl_sio_namespace *ns,
	const struct sl_sio_names *names, bool has_joined);

/* Tells its client ["subscribed",[names],OFFSET], or "unsubscribed": whatever ends in a text moves its offset. */
void sl_sio_changes_tell(struct sl_eio_socket *socket, const struct sl_sio_namespace *ns,
	const struct sl_sio_names *names, bool has_joined);

#endif
