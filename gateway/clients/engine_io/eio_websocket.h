/* WebSocket: a socket that came on one, or has moved there from polling, or may yet (eio_probe.h). The slots of its
 * transport (eio_family.h).
 * Owner: as http/transport.h and http/visit.h say. Thread: as they say. Errors: answers of the protocol, or the end. */
#ifndef SL_CLIENTS_EIO_WEBSOCKET_H
#define SL_CLIENTS_EIO_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "transports/ws_message.h"

struct sl_buffer;
struct sl_connection;
struct sl_eio_carrier;
struct sl_eio_family;
struct sl_eio_probe;
struct sl_eio_socket;
struct sl_request;

/* KNOCKING: whether the session is there is asked. PROBING: it is. TAKING: the socket is asked for. UP: it is here. */
enum sl_eio_websocket_phase { SL_EIO_KNOCKING, SL_EIO_PROBING, SL_EIO_TAKING, SL_EIO_UP };

/* What is kept for a connection. */
struct sl_eio_websocket {
	struct sl_ws_reader reader;
	uint8_t phase;               /* enum sl_eio_websocket_phase */
	bool has_moved;              /* its session's shard remembers the id */
	union {
		struct sl_eio_probe *probe;   /* owns, until it is the socket */
		struct sl_eio_socket *socket; /* owns */
	};
};

int sl_eio_websocket_open(struct sl_connection *connection, const struct sl_request *request);
size_t sl_eio_websocket_receive(struct sl_connection *connection, char *bytes, size_t len);
void sl_eio_websocket_on_timer(struct sl_connection *connection);
void sl_eio_websocket_finish(struct sl_connection *connection);

/* ---- for one that probes (eio_probe.h) ---- */

/* What a socket on a WebSocket is carried by. */
extern const struct sl_eio_carrier sl_eio_websocket_carrier;

const struct sl_eio_family *sl_eio_websocket_get_family(const struct sl_connection *connection);

/* The 101. Its client asks for a subprotocol only where its user had it do so, and then fails without one: it gets the
 * first. Errors: SL_ENOMEM. */
int sl_eio_websocket_append_head(struct sl_buffer *out, const struct sl_request *request);

/* Its client has broken the protocol. `code` 0: of Engine.IO. */
void sl_eio_websocket_close_with(struct sl_connection *connection, unsigned code);

#endif
