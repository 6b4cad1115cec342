/* Tail: reads the whole log from NATS JetStream and delivers it to the bus, one consumer after the other
 * (bus/nats_resync.h).
 * Owner: the backend. Thread: the worker's, unless a call says otherwise; reading is done on the loop's.
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
	uint64_t lag_now; /* messages of the log that were not read yet, as last told */
	uint64_t foreign; /* messages that were refused: a hole in the bus's numbers */
	uint64_t lost;    /* numbers that were gone before they were read */
	uint64_t resyncs; /* consumers given up */
	uint64_t resets;  /* logs begun after the first */
};

/* Errors: SL_ENOMEM. */
int sl_nats_tail_create(struct sl_nats_tail **out, const struct sl_nats_tail_config *config);

/* NULL is allowed. No connection may be in use. */
void sl_nats_tail_destroy(struct sl_nats_tail *tail);

/* At start, and after each verdict but SL_NATS_SAME: the log is this one, and nothing of it has been read. The
 * bus has its epoch already, and a head of 0. Nothing is delivered between the verdict and this. */
void sl_nats_tail_begin(struct sl_nats_tail *tail, const struct sl_nats_stream_state *state);

/* From now on this connection, or NULL for none; returns when nothing of the old one is delivered any more.
 * It is borrowed until then. */
void sl_nats_tail_use(struct sl_nats_tail *tail, natsConnection *connection, jsCtx *js);

/* Delivers what the connection has read by now. For the thread that reads the connection, after each read: one thread
 * less is woken for each message. Any thread may do it. */
void sl_nats_tail_read(struct sl_nats_tail *tail);

/* Each tick: makes a consumer where it must, which blocks for two seconds at most. A verdict stays until the next
 * begin. */
enum sl_nats_verdict sl_nats_tail_run(struct sl_nats_tail *tail, uint64_t now_ms);

/* What the stream says of itself: after each connection, once a second, and when it is wanted. May drop much
 * history where a purge left a mark. */
void sl_nats_tail_tell_stream(struct sl_nats_tail *tail, const struct sl_nats_stream_state *state,
	uint64_t now_ms);

/* True when something waits for what the stream says: ask it at once. */
bool sl_nats_tail_wants_stream(struct sl_nats_tail *tail);

/* That of the log which is read. After SL_NATS_ROLLED_BACK the next one is this + 1, whatever the stream says:
 * its description may be old as well. */
uint64_t sl_nats_tail_get_generation(struct sl_nats_tail *tail);

/* Any thread: a heartbeat or a message is younger than two seconds. */
bool sl_nats_tail_is_live(const struct sl_nats_tail *tail, uint64_t now_ms);

/* Any thread: everything is read that the log held when the connection began. */
bool sl_nats_tail_is_same_log(const struct sl_nats_tail *tail); /* that was read so far, is what the present
                                                                 * connection leads to */
bool sl_nats_tail_has_caught_up(const struct sl_nats_tail *tail);

/* Any thread. */
void sl_nats_tail_get_stats(const struct sl_nats_tail *tail, struct sl_nats_tail_stats *out);

#endif
