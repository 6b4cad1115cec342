/* Framing, run and wire: turns consecutive messages of one channel into bytes that many subscribers share.
 * Owner: a framer belongs to its shard. A run lives on the stack of its maker for one turn. Wires have counted
 * references: of the framing of the current run, and of each outbox slice. Thread: one shard's. Errors:
 * SL_ENOMEM.
 *
 * Law 3: a run is framed once for each framing in use. A framing is an encoder and a label. It holds the wire
 * of the current run, so that the look-up is one comparison. The framing of an encoder without a label stays
 * for good. A framing with a label is counted by its subscriptions, so there are at most as many as
 * subscriptions. Each run has at most one wire for each framing, and every subscription needs that wire anyway. */
#ifndef SL_LIVE_FRAMING_H
#define SL_LIVE_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include "live/encoder.h"
#include "util/buffer.h"

struct sl_message;

/* What a wire without messages tells the client about earlier messages (live/outbox.h). */
enum sl_wire_kind {
	SL_WIRE_PLAIN,    /* nothing: a head, an ack, an error, a mark, bye; messages too */
	SL_WIRE_POSITION, /* a cursor or a count */
	SL_WIRE_GAP,      /* a cursor; the gap itself counts as a message does */
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
	const struct sl_encoder *encoder; /* NULL: it is free */
	const struct sl_label *label;     /* NULL: none */
	struct sl_wire *wire;             /* owns a reference during a run that was framed for it; else NULL */
	uint32_t refs;                    /* subscriptions under the label */
	uint32_t next;                    /* next framing of its list: those that hold a wire, or those that are free */
};

#define SL_ENCODERS_MAX 256 /* of all transports; the framings behind them have labels */
#define SL_LABEL_MAX 300    /* bytes */

struct sl_labelled;

/* One per shard. */
struct sl_framer {
	struct sl_framing *framings; /* owns */
	struct sl_labelled *labels;  /* owns; those with a label, by encoder and text */
	uint32_t cap, count;         /* room for framings; framings ever used */
	uint32_t encoder_count;
	uint32_t first_used;         /* list of those that hold a wire of this run */
	uint32_t first_free;         /* list of free ones, which had a label */
	struct sl_buffer scratch;    /* for the code that frames at the moment */
	struct sl_buffer object;     /* the same for control objects (live/control.c) */
	uint32_t *ends;              /* owns; room for SL_RUN_MAX */
	struct sl_compression compression; /* the shard sets its metrics and threshold */
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

/* Returns the index of an encoder's framing without a label. The first call makes the framing, which stays.
 * Errors: SL_EFULL. */
int sl_framer_intern(struct sl_framer *framer, const struct sl_encoder *encoder);

/* Returns the index of the framing of an encoder and a label (at most SL_LABEL_MAX bytes, copied), with a
 * reference. sl_framer_release() drops the reference. Errors: SL_ENOMEM. */
int sl_framer_acquire(struct sl_framer *framer, const struct sl_encoder *encoder, struct sl_span label);
void sl_framer_release(struct sl_framer *framer, unsigned framing);

/* The same without a reference. Errors: SL_ENOENT, there is no such framing. */
int sl_framer_find(const struct sl_framer *framer, const struct sl_encoder *encoder, struct sl_span label);

/* Makes the deflater for the encoders, unless it is there. Errors: SL_ENOMEM. */
int sl_framer_need_deflater(struct sl_framer *framer);

/* Returns the scratch buffer, empty. It is valid until the next call that frames. */
struct sl_buffer *sl_framer_get_scratch(struct sl_framer *framer);

/* Begins a run, which is the framer's current one until sl_run_finish(). */
void sl_run_begin(struct sl_run *run, struct sl_framer *framer, struct sl_message *const *messages,
	size_t count);
void sl_run_finish(struct sl_framer *framer);

/* Payload bytes of `count` messages. */
uint64_t sl_run_sum_payload(struct sl_message *const *messages, size_t count);

/* For sl_run_get_wire(): frames the run in a framing without a wire. */
struct sl_wire *sl_run_make_wire(const struct sl_run *run, struct sl_framer *framer, unsigned framing);

/* The wire of the whole current run in a framing: borrowed, NULL without memory. */
static inline struct sl_wire *
sl_run_get_wire(const struct sl_run *run, struct sl_framer *framer, unsigned framing)
{
	struct sl_wire *wire = framer->framings[framing].wire;
	return wire ? wire : sl_run_make_wire(run, framer, framing);
}

/* Frames messages for one subscriber alone: returns new, NULL without memory. This is for replay, and for runs
 * that straddle a position; live traffic shares wires. `labels` is as for sl_framer_frame(). */
struct sl_wire *sl_wire_create_messages(struct sl_framer *framer, const struct sl_encoder *encoder,
	const struct sl_label *const *labels, struct sl_message *const *messages, size_t count);

/* Appends messages to `out`, each under its label in `labels` (NULL: no message has one). `out` need not be
 * empty. Notes the offset behind each message in `ends`. Returns the number of framed messages: fewer than
 * `count` only if the encoder takes no more. */
size_t sl_framer_frame(struct sl_framer *framer, const struct sl_encoder *encoder,
	const struct sl_label *const *labels, struct sl_message *const *messages, size_t count,
	struct sl_buffer *out, uint32_t *ends);

/* The same if all messages have one label (NULL: none). */
size_t sl_framer_frame_alike(struct sl_framer *framer, const struct sl_encoder *encoder,
	const struct sl_label *label, struct sl_message *const *messages, size_t count,
	struct sl_buffer *out, uint32_t *ends);

/* Copies bytes that belong to one client: returns new, NULL without memory. */
struct sl_wire *sl_wire_create(struct sl_framer *framer, const char *bytes, size_t len);

struct sl_wire *sl_wire_ref(struct sl_wire *wire);
void sl_wire_unref(struct sl_wire *wire);

#endif
