/* Stay: the time at one server of NATS, from the connection to leaving it, and the known state of the log.
 * Owner: embedded in the worker. Thread: the worker's, except for calls that name another. Errors: SL_EINVAL
 * and a sentence, the stream or the server refuses; SL_EIO and a sentence; SL_ENOMEM.
 *
 * The worker leaves a server when its connection ends, when it is silent, when it does not know the log's
 * state, or when it stores nothing. A node that is cut off from the others lives, but is useless. */
#ifndef SL_BUS_NATS_STAY_H
#define SL_BUS_NATS_STAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/nats_client.h"
#include "bus/nats_inquiry.h"
#include "bus/nats_resync.h"
#include "bus/nats_stream.h"

struct sl_bus;
struct sl_config;
struct sl_nats_notices;
struct sl_nats_publisher;
struct sl_nats_tail;

#define SL_NATS_ERROR_SIZE 512

/* The shared parts of all stays; borrowed. */
struct sl_nats_parts {
	const struct sl_config *config;
	struct sl_bus *bus;
	struct sl_nats_publisher *publisher;
	struct sl_nats_notices *notices;
	struct sl_nats_tail *tail;
};

struct sl_nats_stay {
	struct sl_nats_parts parts;
	char stream[SL_NATS_STREAM_NAME_MAX];
	struct sl_nats_client *client; /* owns; NULL: at no server */
	struct sl_nats_inquiry *inquiry;
	uint64_t useless_ms;           /* the time that a server may be useless */
	bool has_begun;                /* the epoch is known */
	bool is_cut_off;               /* the server of the log's leader reports that it is cut off */
	struct sl_nats_stream_state state;
	char error[SL_NATS_ERROR_SIZE]; /* the reason for which the last stay ended, or could not begin */
	_Atomic uint64_t known_last, known_ms; /* the log's last number, and the time of that report; any thread */
};

void sl_nats_stay_init(struct sl_nats_stay *stay, const struct sl_nats_parts *parts);

/* Begins a stay at the server of `client`. Takes `client`, also on failure: the stay has ended then. The first
 * stay makes a missing stream, and checks it. */
int sl_nats_stay_begin(struct sl_nats_stay *stay, struct sl_nats_client *client);

/* Call it each tick, at a server. False: the server was left. */
bool sl_nats_stay_run(struct sl_nats_stay *stay, uint64_t now_ms);

/* Ends the stay: nothing uses the connection any more. Does nothing without a stay. */
void sl_nats_stay_end(struct sl_nats_stay *stay);

/* True if it is connected, the log has a leader, and the tail is live. The tail has also read all messages, and
 * heard all notices, from before the connection. */
bool sl_nats_stay_is_fit(struct sl_nats_stay *stay, uint64_t now_ms);

/* It is fit: servers get their first patience again. */
void sl_nats_stay_settle(struct sl_nats_stay *stay);

/* Any thread: returns a number that the log cannot have passed. */
uint64_t sl_nats_stay_get_bound(const struct sl_nats_stay *stay, uint64_t now_ms);

#endif
