/* Framing, run and wire: how consecutive messages of one channel become bytes that many share.
 * Owner: a framer belongs to its shard; a run lives on the stack of its maker for one turn; wires
 * are counted, by the framing of the current run and by each outbox slice. Thread: one shard's.
 * Errors: SL_ENOMEM.
 *
 * Law 3: a run is framed once for each framing that somebody needs. A framing is an encoder and a
 * label; it holds the wire of the run in work, and that run's number, so that the look-up is one
 * comparison. */
#ifndef SL_LIVE_FRAMING_H
#define SL_LIVE_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include "live/encoder.h"
#include "util/buffer.h"

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

struct sl_framing {
	const struct sl_encoder *encoder;
	const struct sl_label *label; /* NULL: none */
	uint64_t run;                 /* the number of the run that `wire` is of */
	struct sl_wire *wire;         /* owns a reference while that run is in work; else NULL */
};

#define SL_FRAMINGS_MAX 256 /* encoders of all transports; labels will be counted here too */

/* One a shard. */
struct sl_framer {
	struct sl_framing *framings; /* owns; SL_FRAMINGS_MAX */
	uint16_t framing_count;
	uint16_t used_count;         /* framings that hold a wire of this run */
	uint16_t used[SL_FRAMINGS_MAX];
	uint64_t run;                /* number of the run in work */
	struct sl_buffer scratch;    /* for whoever frames right now */
	struct sl_buffer object;     /* the same for control objects (live/control.c) */
	uint32_t *ends;              /* owns; room for SL_RUN_MAX */
	struct sl_compression compression; /* its metrics and threshold are the shard's to set */
	uint64_t pinned_bytes;
};

struct sl_run {
	struct sl_message *const *messages; /* borrows */
	size_t count;
	uint64_t last_seq;
	uint64_t payload_bytes;
};

#define SL_RUN_MAX 512 /* messages of a run; longer ones are cut into several */

int sl_framer_init(struct sl_framer *framer);
void sl_framer_finish(struct sl_framer *framer);

/* The framing's index, made the first time. Errors: SL_EFULL. */
int sl_framer_intern(struct sl_framer *framer, const struct sl_encoder *encoder,
	const struct sl_label *label);

/* Makes what encoders compress with, unless it is there. Errors: SL_ENOMEM. */
int sl_framer_need_deflater(struct sl_framer *framer);

/* The scratch buffer, empty: until the next call that frames something. */
struct sl_buffer *sl_framer_get_scratch(struct sl_framer *framer);

/* Begins a run, which is the framer's current one until sl_run_finish(). */
void sl_run_begin(struct sl_run *run, struct sl_framer *framer, struct sl_message *const *messages,
	size_t count);
void sl_run_finish(struct sl_framer *framer);

/* Payload bytes of `count` messages. */
uint64_t sl_run_sum_payload(struct sl_message *const *messages, size_t count);

/* The wire of the whole current run in a framing: borrowed, NULL without memory. */
struct sl_wire *sl_run_get_wire(const struct sl_run *run, struct sl_framer *framer, unsigned framing);

/* Frames messages for one subscriber alone: returns new, NULL without memory. For replay and for
 * runs that straddle a position; live traffic shares. */
struct sl_wire *sl_wire_create_messages(struct sl_framer *framer, const struct sl_encoder *encoder,
	const struct sl_label *label, struct sl_message *const *messages, size_t count);

/* Copies bytes that belong to one client: returns new, NULL without memory. */
struct sl_wire *sl_wire_create(struct sl_framer *framer, const char *bytes, size_t len);

struct sl_wire *sl_wire_ref(struct sl_wire *wire);
void sl_wire_unref(struct sl_wire *wire);

#endif
