/* Tail: reads the whole log from NATS JetStream and delivers it to the bus.
 * Owner: the backend. Thread: the worker's, unless a call says otherwise; messages come on the library's.
 * Errors: as each call says. */
#ifndef SL_BUS_NATS_TAIL_H
#define SL_BUS_NATS_TAIL_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"
#include "bus/nats_resync.h"

struct sl_nats_tail;

struct sl_nats_tail_config {
	struct sl_bus *bus;           /* borrows */
	const char *bus_name, *stream; /* borrows: outlive the tail */
	unsigned json_depth_max;
	size_t message_max;
	/* A message with one of our own ids has been delivered. */
	void (*on_own)(void *arg, const char *msg_id, struct sl_cursor id, uint32_t receivers);
	void *arg;
};

/* Counters since the start unless it says "now". */
struct sl_nats_tail_stats {
	uint64_t lag_now; /* of the log's last number to the head */
	uint64_t foreign, lost, resyncs, resets;
};

/* Errors: SL_ENOMEM. */
int sl_nats_tail_create(struct sl_nats_tail **out, const struct sl_nats_tail_config *config);

/* NULL is allowed. No connection may be in use. */
void sl_nats_tail_destroy(struct sl_nats_tail *tail);

/* From now on this connection, or NULL for none; returns when nothing of the old one is delivered any more. A new
 * inbox and a consumer from the head itself. */
void sl_nats_tail_use(struct sl_nats_tail *tail, natsConnection *connection, jsCtx *js);

/* Each tick: makes the consumer again where it must (blocking calls), takes in what StreamInfo said. */
enum sl_nats_verdict sl_nats_tail_run(struct sl_nats_tail *tail, uint64_t now_ms);

/* What the stream says of itself: after each connection, and once a second. */
void sl_nats_tail_tell_stream(struct sl_nats_tail *tail, const struct sl_nats_stream_state *state);

/* Any thread: a heartbeat or a message is younger than two seconds. */
bool sl_nats_tail_is_live(const struct sl_nats_tail *tail, uint64_t now_ms);

/* Any thread: everything is read that the log held when the connection began. */
bool sl_nats_tail_has_caught_up(const struct sl_nats_tail *tail);

/* Any thread. */
void sl_nats_tail_get_stats(struct sl_nats_tail *tail, struct sl_nats_tail_stats *out);

#endif
