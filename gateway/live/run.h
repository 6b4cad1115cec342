/* Run and wire: consecutive messages of one channel, and their bytes in one wire format.
 * Owner: a run lives on the stack of its maker for one turn; wires are counted, by the run
 * and by each outbox slice. Thread: one shard's. Errors: SL_ENOMEM.
 *
 * Law 3: a run is framed once for each format somebody needs, whatever the number of its
 * subscribers; they hold references. */
#ifndef SL_LIVE_RUN_H
#define SL_LIVE_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "transport.h"

struct sl_buffer;
struct sl_message;

/* What a wire without messages says about those before it (live/outbox.h). */
enum sl_wire_kind {
	SL_WIRE_PLAIN,    /* nothing: a head, an ack, an error, a mark, bye; and messages */
	SL_WIRE_POSITION, /* a cursor or a count */
	SL_WIRE_GAP,      /* a cursor; the gap itself is counted as a message is */
};

/* Bytes ready to be sent. */
struct sl_wire {
	uint32_t refs;
	uint32_t len;
	uint32_t count;    /* messages inside; 0 for heads and control objects */
	uint32_t kind;     /* enum sl_wire_kind */
	uint64_t *pinned;  /* the shard's sum of wire bytes alive */
	const char *bytes; /* behind the ends */
	uint32_t ends[];   /* `count` offsets, each just behind a message */
};

#define SL_WIRE_FORMATS (SL_CLASS_COUNT * SL_ENCODINGS_MAX)

struct sl_run {
	struct sl_message *const *messages; /* borrows */
	size_t count;
	uint64_t first_seq, last_seq;
	uint64_t payload_bytes;
	struct sl_wire *wires[SL_WIRE_FORMATS]; /* owns a reference each; NULL until needed */
};

/* What framing needs beside its arguments; one a shard. */
struct sl_framer {
	struct sl_buffer *scratch;
	uint32_t *ends; /* room for SL_RUN_MAX */
	uint64_t pinned_bytes;
};

#define SL_RUN_MAX 512 /* messages of a run; longer ones are cut into several */

int sl_framer_init(struct sl_framer *framer);
void sl_framer_finish(struct sl_framer *framer);

void sl_run_init(struct sl_run *run, struct sl_message *const *messages, size_t count);
void sl_run_finish(struct sl_run *run);

/* Payload bytes of `count` messages. */
uint64_t sl_run_sum_payload(struct sl_message *const *messages, size_t count);

/* The wire of the whole run in `encoding` of `transport`: borrowed, NULL without memory. */
struct sl_wire *sl_run_get_wire(struct sl_run *run, struct sl_framer *framer,
	const struct sl_transport *transport, unsigned encoding);

/* Frames messages for one subscriber alone: returns new, NULL without memory. For replay
 * and for runs that straddle a position; live traffic shares. */
struct sl_wire *sl_wire_create_messages(struct sl_framer *framer,
	const struct sl_transport *transport, unsigned encoding,
	struct sl_message *const *messages, size_t count);

/* Copies bytes that belong to one client: returns new, NULL without memory. */
struct sl_wire *sl_wire_create(struct sl_framer *framer, const char *bytes, size_t len);

struct sl_wire *sl_wire_ref(struct sl_wire *wire);
void sl_wire_unref(struct sl_wire *wire);

#endif
