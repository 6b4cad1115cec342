/* Probe: a WebSocket with the id of a session, until the socket is on it: it knocks, is told to go on, says `2probe`,
 * and with `5` takes the socket over. What the session's shard does meanwhile is in eio_upgrade.c.
 * Owner: the connection (eio_websocket.h). Thread: the WebSocket's, but for arrive() and leave(), which are called on the
 * session's. Errors: answers of the protocol, or the end. */
#ifndef SL_CLIENTS_EIO_PROBE_H
#define SL_CLIENTS_EIO_PROBE_H

#include "live/encoder.h"
#include "util/span.h"

struct sl_connection;
struct sl_request;
struct sl_shard;
struct sl_visit;
struct sl_ws_event;

/* Asks for the session. Errors: SL_ENOMEM; an id that is none is answered. */
int sl_eio_probe_open(struct sl_connection *connection, const struct sl_request *request, struct sl_span id);

/* What its client says. Anything but `2probe` and `5` ends the WebSocket alone. */
void sl_eio_probe_take(struct sl_connection *connection, const struct sl_ws_event *event);

/* It will not take the socket: the session's shard is told. Whatever it is. */
void sl_eio_probe_give_up(struct sl_connection *connection);

/* It ends, and the session goes on. */
void sl_eio_probe_end(struct sl_connection *connection, enum sl_end_reason reason);

/* The connection is closed before the socket was on it: the session's shard is told, if need be. */
void sl_eio_probe_finish(struct sl_connection *connection);
/* The same after it was: nobody needs to remember the id. */
void sl_eio_probe_forget(struct sl_connection *connection, const char *id);

/* Slots of visits. */
void sl_eio_probe_arrive(struct sl_visit *visit, struct sl_shard *owner);
void sl_eio_probe_leave(struct sl_visit *visit, struct sl_shard *owner);
void sl_eio_probe_on_answer(struct sl_visit *visit, struct sl_connection *connection);
void sl_eio_probe_drop(struct sl_visit *visit);

#endif
