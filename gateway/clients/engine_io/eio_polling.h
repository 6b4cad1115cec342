/* Polling: requests of a family's path that are no WebSocket: the handshake, GET and POST of a session. The slots of its
 * transport and visits (eio_family.h).
 * Owner: as http/transport.h and http/visit.h say. Thread: as they say. Errors: answers of the protocol. */
#ifndef SL_CLIENTS_EIO_POLLING_H
#define SL_CLIENTS_EIO_POLLING_H

#include <stdint.h>

struct sl_config;
struct sl_connection;
struct sl_eio_family;
struct sl_reply;
struct sl_request;
struct sl_route;
struct sl_shard;
struct sl_transport;
struct sl_visit;

/* Of a route: by `transport=`; for one that is unknown, polling, which refuses it. */
const struct sl_transport *sl_eio_polling_choose(const struct sl_route *route, const struct sl_request *request);

/* For both transports. */
int sl_eio_polling_check(struct sl_connection *connection, const struct sl_request *request,
	struct sl_reply *refusal);
uint64_t sl_eio_polling_get_body_max(const struct sl_config *config);

int sl_eio_polling_open(struct sl_connection *connection, const struct sl_request *request);
void sl_eio_polling_arrive(struct sl_visit *visit, struct sl_shard *owner);
void sl_eio_polling_leave(struct sl_visit *visit, struct sl_shard *owner);

/* For a request for a WebSocket that asks for none, of a session that is there or not: it must not take messages. */
int sl_eio_polling_mismatch(struct sl_connection *connection, const struct sl_eio_family *family,
	const struct sl_request *request);

/* Answers a request with an error of the protocol. */
void sl_eio_polling_send_error(struct sl_connection *connection, int error);

#endif
