/* Heartbeat: what the timer of a stream or WebSocket does while it is served: the silence
 * of a probe, heartbeats, pings (PROTOCOL.md, heartbeats).
 * Owner: the connection. Thread: the shard's. Errors: none; it may close the connection. */
#ifndef SL_LIVE_HEARTBEAT_H
#define SL_LIVE_HEARTBEAT_H

struct sl_connection;

/* Sets the timer for the first time; the state is known. */
void sl_heartbeat_begin(struct sl_connection *connection);

/* It is due. */
void sl_heartbeat_on_timer(struct sl_connection *connection);

#endif
