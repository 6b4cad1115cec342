/* Outbox: the bytes that a link still has to send, as references to wires.
 * Owner: its link. The outbox owns a reference to each wire inside. Thread: the shard's. Errors: SL_ENOMEM from
 * push, the outbox unchanged. The user checks its limits against `queued_bytes`.
 *
 * The struct has room for the first slice. Most outboxes never hold a second one, so fan-out allocates nothing
 * per subscriber. */
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

/* Queues the wire's bytes from `at` to its end; takes a reference of its own. */
int sl_outbox_push(struct sl_outbox *outbox, struct sl_wire *wire, uint32_t at);

/* Fills up to `max` slices, oldest first; returns their number. */
int sl_outbox_gather(const struct sl_outbox *outbox, struct iovec *slices, int max);

/* `len` bytes have been sent, at most queued_bytes. */
void sl_outbox_consume(struct sl_outbox *outbox, size_t len);

/* Drops the messages with no byte sent yet. Also drops each later control object that carries a cursor or a
 * count: a client that resumed there would miss the dropped messages. Keeps the rest of a message that was
 * begun, heads, acks and errors. Returns the number of dropped messages and gaps. */
uint32_t sl_outbox_drop_unbegun(struct sl_outbox *outbox);

void sl_outbox_clear(struct sl_outbox *outbox);

#endif
