/* Tail: reads the whole log from NATS JetStream and delivers it to the bus, one consumer after the other
 * (bus/nats_resync.h).
 * Owner: the backend. Thread: the worker's, except for calls that name another; the loop's thread reads.
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
	uint64_t lag_now; /* messages of the log that were not read yet, by the last report */
	uint64_t foreign; /* messages that were refused: a hole in the bus's numbers */
	uint64_t lost;    /* numbers that were gone before they were read */
	uint64_t resyncs; /* consumers given up */
	uint64_t resets;  /* logs begun after the first */
};

/* Errors: SL_ENOMEM. */
int sl_nats_tail_create(struct sl_nats_tail **out, const struct sl_nats_tail_config *config);

/* NULL is allowed. No connection may be in use. */
void sl_nats_tail_destroy(struct sl_nats_tail *tail);

/* Call it at start, and after each verdict except SL_NATS_SAME: the log is this one, and none of it was read.
 * The bus already has its epoch, and a head of 0. Nothing is delivered between the verdict and this call. */
void sl_nats_tail_begin(struct sl_nats_tail *tail, const struct sl_nats_stream_state *state);

/* Uses this connection from now on, or none (NULL). Returns when no message of the old one is delivered any
 * more. Borrows it until then. */
void sl_nats_tail_use(struct sl_nats_tail *tail, natsConnection *connection, jsCtx *js);

/* Delivers the messages that the connection has read. Call it on the thread that reads the connection, after
 * each read: then no other thread must be woken for a message. Any thread may call it. */
void sl_nats_tail_read(struct sl_nats_tail *tail);

/* Call it each tick: makes a consumer if one is needed, which blocks for two seconds at most. A verdict stays
 * until the next begin. */
enum sl_nats_verdict sl_nats_tail_run(struct sl_nats_tail *tail, uint64_t now_ms);

/* Takes the stream's description: after each connection, once per second, and when it is wanted. A purge may
 * make it drop much history. */
void sl_nats_tail_tell_stream(struct sl_nats_tail *tail, const struct sl_nats_stream_state *state,
	uint64_t now_ms);

/* True if a decision waits for the stream's description: ask for it at once. */
bool sl_nats_tail_wants_stream(struct sl_nats_tail *tail);

/* Returns the generation of the log. After SL_NATS_ROLLED_BACK the next one is this + 1, whatever the stream's
 * description says: it may be old as well. */
uint64_t sl_nats_tail_get_generation(struct sl_nats_tail *tail);

/* Any thread: true if the last heartbeat or message is younger than two seconds. */
bool sl_nats_tail_is_live(const struct sl_nats_tail *tail, uint64_t now_ms);

/* Any thread. is_same_log: the present connection leads to the log that was read so far. has_caught_up: the
 * tail has read every message that the log held when the connection began. */
bool sl_nats_tail_is_same_log(const struct sl_nats_tail *tail);
bool sl_nats_tail_has_caught_up(const struct sl_nats_tail *tail);

/* Any thread. */
void sl_nats_tail_get_stats(const struct sl_nats_tail *tail, struct sl_nats_tail_stats *out);

#endif
