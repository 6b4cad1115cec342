/* Stay: the time at one server of NATS, from the connection to leaving it, and what is known of the log.
 * Owner: embedded in the worker. Thread: the worker's, unless a call says otherwise. Errors: SL_EINVAL and a sentence,
 * the stream or the server refuses, SL_EIO and a sentence, SL_ENOMEM.
 *
 * A server is left when its connection ends, when it is silent, or when it cannot say what the log is like or stores
 * nothing: a node that is cut off from the others lives, and is of no use. */
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

/* What all stays have in common; borrowed. */
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
	uint64_t useless_ms;           /* for how long a server may be of no use */
	bool has_begun;                /* the epoch is known */
	bool is_cut_off;               /* so says the server of the log's leader */
	struct sl_nats_stream_state state;
	char error[SL_NATS_ERROR_SIZE]; /* why the last one ended, or could not begin */
	_Atomic uint64_t known_last, known_ms; /* the log's last number, and when it was that; any thread */
};

void sl_nats_stay_init(struct sl_nats_stay *stay, const struct sl_nats_parts *parts);

/* At the server of `client` (takes it, also when it fails: the stay has ended then). The first one makes the stream where
 * it is missing, and checks it. */
int sl_nats_stay_begin(struct sl_nats_stay *stay, struct sl_nats_client *client);

/* Each tick, at a server. False: it was left. */
bool sl_nats_stay_run(struct sl_nats_stay *stay, uint64_t now_ms);

/* Nothing uses the connection any more. Does nothing at no server. */
void sl_nats_stay_end(struct sl_nats_stay *stay);

/* Connected, the log has a leader, the tail is live, and all is read that the log held, and heard that nodes had
 * announced, when the connection began. */
bool sl_nats_stay_is_fit(struct sl_nats_stay *stay, uint64_t now_ms);

/* It is fit: servers are judged as at first again. */
void sl_nats_stay_settle(struct sl_nats_stay *stay);

/* Any thread: a number that the log cannot have passed. */
uint64_t sl_nats_stay_get_bound(const struct sl_nats_stay *stay, uint64_t now_ms);

#endif
