/* Heartbeat: the timer of a stream or WebSocket. It times the silence of a probe, heartbeats and pings
 * (PROTOCOL.md, heartbeats).
 * Owner: the subscriber. Thread: the shard's. Errors: none; it may close the link. */
#ifndef SL_LIVE_HEARTBEAT_H
#define SL_LIVE_HEARTBEAT_H

struct sl_subscriber;

/* Sets the timer for the first time. The subscriber's state is set before. */
void sl_heartbeat_begin(struct sl_subscriber *subscriber);

/* The timer is due. */
void sl_heartbeat_on_timer(struct sl_subscriber *subscriber);

#endif
