/* Packet: the text of one Socket.IO packet (protocol 5), read and written without I/O: type, attachments,
 * namespace, ack id, JSON.
 * Owner: what is read borrows the text. Thread: any. Errors: SL_EPROTO, after which the reference server closes the
 * transport; SL_ETOODEEP; a buffer remembers its own. */
#ifndef SL_SOCKET_IO_SIO_PACKET_H
#define SL_SOCKET_IO_SIO_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/span.h"

#define SL_SIO_ATTACHMENTS_MAX 10
#define SL_SIO_NAMESPACE_MAX 1024 /* bytes; of those that have no legal name too */
#define SL_SIO_ID_MAX 999999999   /* nine digits */
#define SL_SIO_NO_ID (-1)

/* The digits of the wire. */
enum sl_sio_type {
	SL_SIO_CONNECT, SL_SIO_DISCONNECT, SL_SIO_EVENT, SL_SIO_ACK, SL_SIO_CONNECT_ERROR,
	SL_SIO_BINARY_EVENT, SL_SIO_BINARY_ACK,
};

struct sl_sio_packet {
	enum sl_sio_type type;
	unsigned attachments;     /* binary messages that follow */
	int32_t id;               /* the client's, for an ack; SL_SIO_NO_ID: it wants none */
	struct sl_span nsp;       /* "/" or "/x" */
	struct sl_span json;      /* an object (CONNECT) or an array; absent where the packet has none */
};

/* Reads a whole packet. An event's JSON is an array that begins with a name that is not reserved, or a number; its
 * arguments may nest `depth_max` levels deep. Errors: SL_EPROTO; SL_ETOODEEP, with `*out` filled. */
int sl_sio_packet_read(struct sl_sio_packet *out, struct sl_span text, unsigned depth_max);

/* True for a name that the client's library keeps for itself: who sends an event of that name has its
 * transport closed, by either side. */
bool sl_sio_packet_is_reserved(struct sl_span name);

/* What stands before the JSON. `nsp` is left out where it is "/", the id where it is SL_SIO_NO_ID, the number of
 * attachments where the type has none. */
void sl_sio_packet_append_head(struct sl_buffer *out, enum sl_sio_type type, unsigned attachments,
	struct sl_span nsp, int32_t id);

#endif
