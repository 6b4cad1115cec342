/* How messages look to clients of Socket.IO: events of a namespace, with an offset where there is recovery
 * (clients/socket_io/sio_label.h), as Engine.IO carries them on each transport.
 * Owner: constant tables. Thread: any. Errors: those of the buffer.
 *
 * A message with an event's name is that event, with the arguments that it brings. One without is an event `message`,
 * whose argument is the whole object of the json format; so is one whose name the client's library keeps for itself,
 * since such a packet would end its connection. */
#ifndef SL_SOCKET_IO_SIO_ENCODERS_H
#define SL_SOCKET_IO_SIO_ENCODERS_H

#include <stdbool.h>

struct sl_encoder;

const struct sl_encoder *sl_sio_encoders_get(bool is_websocket);

#endif
