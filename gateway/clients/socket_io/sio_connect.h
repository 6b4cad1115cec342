/* CONNECT: a client joins a namespace: who it is, which channels it gets, and whether it goes on where it was.
 * Owner: nobody. Thread: the socket's. Errors: the client is refused (sio_refusal.h).
 *
 * The namespace `/x` is channel `x`, `/` is --socketio-channel; more come by `auth.channels`, and to the first one by the
 * `channels` of the query. The token of the first one counts for all. */
#ifndef SL_SOCKET_IO_SIO_CONNECT_H
#define SL_SOCKET_IO_SIO_CONNECT_H

struct sl_eio_socket;
struct sl_sio_packet;

/* `packet` is a CONNECT to a namespace that is not connected. */
void sl_sio_connect(struct sl_eio_socket *socket, const struct sl_sio_packet *packet);

#endif
