/* WebSocket: a socket that came on one, or one that has moved there from polling; and the WebSocket that probes whether
 * it may. The slots of its transport and visits (eio_family.h).
 * Owner: as http/transport.h and http/visit.h say. Thread: as they say. Errors: answers of the protocol, or the end. */
#ifndef SL_CLIENTS_EIO_WEBSOCKET_H
#define SL_CLIENTS_EIO_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "transports/ws_message.h"

struct sl_connection;
struct sl_eio_probe;
struct sl_eio_socket;
struct sl_request;
struct sl_shard;
struct sl_visit;

/* What is kept for a connection. */
struct sl_eio_websocket {
	struct sl_ws_reader reader;
	uint8_t phase;
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

void sl_eio_websocket_arrive(struct sl_visit *visit, struct sl_shard *owner);
void sl_eio_websocket_leave(struct sl_visit *visit, struct sl_shard *owner);
void sl_eio_websocket_on_answer(struct sl_visit *visit, struct sl_connection *connection);
void sl_eio_websocket_drop(struct sl_visit *visit);

#endif
