/* Outbox: what a link still has to send, as references to wires.
 * Owner: its link; it owns a reference to each wire inside. Thread: the shard's.
 * Errors: SL_ENOMEM from push, the outbox unchanged. Limits are its user's to check
 * against `queued_bytes`.
 *
 * The first slice stands in the struct: most outboxes never hold a second one, so that
 * fan-out allocates nothing a subscriber. */
#ifndef SL_LIVE_OUTBOX_H
#define SL_LIVE_OUTBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "live/framing.h"

struct sl_slice {
	struct sl_wire *wire;
	uint32_t at, end; /* offsets into the wire: the next byte to send, and the end */
};

struct sl_outbox {
	struct sl_slice first;
	struct sl_slice *more; /* owns; slices behind the first, oldest at `more_at` */
	uint16_t more_at, more_count, more_cap;
	uint32_t queued_bytes;
};

/* Queues wire bytes from `at` to their end; takes a reference of its own. */
int sl_outbox_push(struct sl_outbox *outbox, struct sl_wire *wire, uint32_t at);

/* Fills up to `max` slices, oldest first; returns how many. */
int sl_outbox_gather(const struct sl_outbox *outbox, struct iovec *slices, int max);

/* `len` bytes have been sent, at most queued_bytes. */
void sl_outbox_consume(struct sl_outbox *outbox, size_t len);

/* Drops the messages of which no byte was sent, and every control object behind the first of
 * them that carries a cursor or a count: a client that believed it would miss the dropped
 * messages. Keeps the rest of a message that was begun, heads, acks and errors. Returns how
 * many messages and gaps were dropped. */
uint32_t sl_outbox_drop_unbegun(struct sl_outbox *outbox);

void sl_outbox_clear(struct sl_outbox *outbox);

#endif
