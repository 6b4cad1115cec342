/* Batch: what a consumer has sent, made ready for the bus, to be taken in together.
 * Owner: the caller's; finish what was added; all zero is an empty one. Thread: one at a time. Errors: none;
 * each item says what it is. */
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
	SL_NATS_ITEM_FLOW,       /* the server asks whether it may send on */
	SL_NATS_ITEM_HIDDEN,     /* a message that the library keeps to itself */
	SL_NATS_ITEM_UNREADABLE, /* nobody knows, or memory ran out: the consumer must be asked again */
};

struct sl_nats_item {
	enum sl_nats_item_kind kind;
	natsMsg *raw;               /* owns */
	struct sl_nats_reply reply; /* of a message; of a heartbeat `dseq` alone: the last number it gave */
	struct sl_message *message; /* owns; NULL where it was refused */
	int err;                    /* why it was */
	char msg_id[SL_NATS_ID_MAX + 1]; /* empty: it has none that could be ours */
	const char *answer_to;      /* borrowed from `raw`: where the server waits for an empty message */
	/* The reader's. */
	bool is_next, is_delivered;
	struct sl_cursor id;
};

struct sl_nats_batch {
	size_t count;
	struct sl_nats_item items[SL_NATS_BATCH_MAX];
	struct sl_nats_waste waste; /* of the library's messages */
};

/* Takes what the subscription holds, as much as fits, into an empty batch. Does not wait. */
void sl_nats_batch_fetch(struct sl_nats_batch *batch, natsSubscription *subscription,
	const struct sl_nats_arrival_limits *limits);

/* Empties it; its messages may lie in its waste for a while. */
void sl_nats_batch_clear(struct sl_nats_batch *batch);

/* Empties it and its waste. */
void sl_nats_batch_finish(struct sl_nats_batch *batch);

#endif
