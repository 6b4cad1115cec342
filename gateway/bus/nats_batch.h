/* Batch: a consumer's messages, made ready for the bus, which takes them together.
 * Owner: the caller's; call finish after adding; all zero is an empty batch. Thread: one at a time. Errors:
 * none; each item has a kind. */
#ifndef SL_BUS_NATS_BATCH_H
#define SL_BUS_NATS_BATCH_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/message.h"
#include "bus/nats_arrival.h"
#include "bus/nats_names.h"
#include "bus/nats_reply.h"
#include "bus/nats_waste.h"

#define SL_NATS_BATCH_MAX 64 /* one hold of the bus's lock */

enum sl_nats_item_kind {
	SL_NATS_ITEM_MESSAGE,
	SL_NATS_ITEM_HEARTBEAT,
	SL_NATS_ITEM_FLOW,       /* the server asks whether it may continue to send */
	SL_NATS_ITEM_HIDDEN,     /* a message that the library does not pass on */
	SL_NATS_ITEM_UNREADABLE, /* unreadable, or memory ran out: the consumer must send it again */
};

struct sl_nats_item {
	enum sl_nats_item_kind kind;
	natsMsg *raw;               /* owns */
	struct sl_nats_reply reply; /* of a message; for a heartbeat only `dseq`: the last number it gave */
	struct sl_message *message; /* owns; NULL if it was refused */
	int err;                    /* the reason */
	char msg_id[SL_NATS_ID_MAX + 1]; /* empty: it has no id that could be ours */
	const char *answer_to;      /* borrowed from `raw`: the server waits there for an empty message */
	/* For the reader. */
	bool is_next, is_delivered;
	struct sl_cursor id;
};

struct sl_nats_batch {
	size_t count;
	struct sl_nats_item items[SL_NATS_BATCH_MAX];
	struct sl_nats_waste waste; /* for the library's messages */
};

/* Takes the subscription's messages, as many as fit, into an empty batch. Does not wait. */
void sl_nats_batch_fetch(struct sl_nats_batch *batch, natsSubscription *subscription,
	const struct sl_nats_arrival_limits *limits);

/* Empties it; its messages may stay in its waste for a while. */
void sl_nats_batch_clear(struct sl_nats_batch *batch);

/* Empties it and its waste. */
void sl_nats_batch_finish(struct sl_nats_batch *batch);

#endif
