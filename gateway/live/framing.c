#include "live/framing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bus/message.h"
#include "util/buffer.h"
#include "util/deflate.h"
#include "util/err.h"
#include "util/table.h"

#define SCRATCH_KEEP_BYTES 262144 /* a larger scratch is given back after use */

/* ---- framings ---- */

#define NONE UINT32_MAX
#define ROOM_KEPT 4096 /* framings */

/* What finds the framing of a label. */
struct sl_labelled {
	UT_hash_handle hh;
	struct sl_label label; /* its text is at the end of `key` */
	uint32_t framing;
	char key[];            /* the encoder's address and the label's text */
};

int
sl_framer_init(struct sl_framer *framer)
{
	*framer = (struct sl_framer){ .cap = SL_ENCODERS_MAX, .count = SL_ENCODERS_MAX,
		.first_used = NONE, .first_free = NONE };
	framer->framings = calloc(framer->cap, sizeof *framer->framings);
	framer->ends = calloc(SL_RUN_MAX, sizeof *framer->ends);
	if (framer->framings && framer->ends)
		return 0;
	sl_framer_finish(framer);
	return SL_ENOMEM;
}

void
sl_framer_finish(struct sl_framer *framer)
{
	assert(!framer->labels);
	sl_buffer_finish(&framer->scratch);
	sl_buffer_finish(&framer->object);
	sl_deflater_destroy(framer->compression.deflater);
	free(framer->framings);
	free(framer->ends);
	framer->compression.deflater = NULL;
	framer->framings = NULL;
	framer->ends = NULL;
}

int
sl_framer_intern(struct sl_framer *framer, const struct sl_encoder *encoder)
{
	for (unsigned i = 0; i < framer->encoder_count; i++)
		if (framer->framings[i].encoder == encoder)
			return (int)i;
	if (framer->encoder_count == SL_ENCODERS_MAX)
		return SL_EFULL;
	framer->framings[framer->encoder_count] = (struct sl_framing){ .encoder = encoder };
	return (int)framer->encoder_count++;
}

static size_t
make_key(char key[sizeof(void *) + SL_LABEL_MAX], const struct sl_encoder *encoder,
	struct sl_span label)
{
	assert(label.len <= SL_LABEL_MAX);
	memcpy(key, &encoder, sizeof encoder);
	if (label.len)
		memcpy(key + sizeof encoder, label.bytes, label.len);
	return sizeof encoder + label.len;
}

static struct sl_labelled *
find_labelled(const struct sl_framer *framer, const char *key, size_t key_len)
{
	struct sl_labelled *labelled;
	HASH_FIND(hh, framer->labels, key, (unsigned)key_len, labelled);
	return labelled;
}

int
sl_framer_find(const struct sl_framer *framer, const struct sl_encoder *encoder, struct sl_span label)
{
	char key[sizeof(void *) + SL_LABEL_MAX];
	size_t key_len = make_key(key, encoder, label);
	const struct sl_labelled *labelled = find_labelled(framer, key, key_len);
	return labelled ? (int)labelled->framing : SL_ENOENT;
}

/* Room for one more at `first_free` or `count`. */
static int
make_room(struct sl_framer *framer)
{
	if (framer->first_free != NONE || framer->count < framer->cap)
		return 0;
	uint32_t cap = framer->cap * 2;
	struct sl_framing *more = realloc(framer->framings, cap * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	framer->framings = more;
	framer->cap = cap;
	return 0;
}

static struct sl_labelled *
create_labelled(struct sl_framer *framer, const char *key, size_t key_len)
{
	struct sl_labelled *labelled = malloc(sizeof *labelled + key_len);
	if (!labelled)
		return NULL;
	memcpy(labelled->key, key, key_len);
	labelled->label.text = (struct sl_span){ labelled->key + sizeof(void *),
		key_len - sizeof(void *) };
	HASH_ADD_KEYPTR(hh, framer->labels, labelled->key, (unsigned)key_len, labelled);
	if (sl_table_holds(labelled, hh))
		return labelled;
	free(labelled);
	return NULL;
}

int
sl_framer_acquire(struct sl_framer *framer, const struct sl_encoder *encoder, struct sl_span label)
{
	char key[sizeof(void *) + SL_LABEL_MAX];
	size_t key_len = make_key(key, encoder, label);
	struct sl_labelled *labelled = find_labelled(framer, key, key_len);
	if (labelled) {
		framer->framings[labelled->framing].refs++;
		return (int)labelled->framing;
	}
	if (make_room(framer) != 0)
		return SL_ENOMEM;
	labelled = create_labelled(framer, key, key_len);
	if (!labelled)
		return SL_ENOMEM;
	uint32_t index = framer->first_free;
	if (index == NONE)
		index = framer->count++;
	else
		framer->first_free = framer->framings[index].next;
	framer->framings[index] = (struct sl_framing){ encoder, &labelled->label, NULL, 1, NONE };
	labelled->framing = index;
	return (int)index;
}

/* No label is left: what there was room for is given back. */
static void
give_room_back(struct sl_framer *framer)
{
	struct sl_framing *fewer = realloc(framer->framings, SL_ENCODERS_MAX * sizeof *fewer);
	framer->first_free = NONE;
	framer->count = SL_ENCODERS_MAX;
	if (!fewer)
		return;
	framer->framings = fewer;
	framer->cap = SL_ENCODERS_MAX;
}

/* Nobody has it, and it holds no wire. */
static void
recycle(struct sl_framer *framer, uint32_t index)
{
	struct sl_framing *framing = &framer->framings[index];
	struct sl_span text = framing->label->text; /* behind the encoder's address */
	struct sl_labelled *labelled = find_labelled(framer, text.bytes - sizeof framing->encoder,
		text.len + sizeof framing->encoder);
	HASH_DEL(framer->labels, labelled);
	free(labelled);
	*framing = (struct sl_framing){ .next = framer->first_free };
	framer->first_free = index;
	if (!framer->labels && framer->cap > ROOM_KEPT)
		give_room_back(framer);
}

void
sl_framer_release(struct sl_framer *framer, unsigned index)
{
	struct sl_framing *framing = &framer->framings[index];
	/* One that holds a wire goes when the run is over (sl_run_finish). */
	if (framing->label && --framing->refs == 0 && !framing->wire)
		recycle(framer, index);
}

int
sl_framer_need_deflater(struct sl_framer *framer)
{
	return framer->compression.deflater ? 0 : sl_deflater_create(&framer->compression.deflater);
}

struct sl_buffer *
sl_framer_get_scratch(struct sl_framer *framer)
{
	sl_buffer_clear(&framer->scratch);
	return &framer->scratch;
}

/* ---- wires ---- */

static struct sl_wire *
create_wire(struct sl_framer *framer, const char *bytes, size_t len, const uint32_t *ends,
	size_t count)
{
	size_t head = sizeof(struct sl_wire) + count * sizeof *ends;
	struct sl_wire *wire = malloc(head + len);
	if (!wire)
		return NULL;
	char *copy = (char *)wire + head;
	*wire = (struct sl_wire){
		.refs = 1,
		.len = (uint32_t)len,
		.count = (uint32_t)count,
		.pinned = &framer->pinned_bytes,
		.bytes = copy,
	};
	if (count)
		memcpy(wire->ends, ends, count * sizeof *ends);
	if (len)
		memcpy(copy, bytes, len);
	framer->pinned_bytes += len;
	return wire;
}

struct sl_wire *
sl_wire_create(struct sl_framer *framer, const char *bytes, size_t len)
{
	return create_wire(framer, bytes, len, NULL, 0);
}

size_t
sl_framer_frame_alike(struct sl_framer *framer, const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	if (encoder->frame_compressed)
		return encoder->frame_compressed(encoder, &framer->compression, messages, count, out, ends);
	return encoder->frame_messages(encoder, label, messages, count, out, ends);
}

size_t
sl_framer_frame(struct sl_framer *framer, const struct sl_encoder *encoder,
	const struct sl_label *const *labels, struct sl_message *const *messages, size_t count,
	struct sl_buffer *out, uint32_t *ends)
{
	if (!labels)
		return sl_framer_frame_alike(framer, encoder, NULL, messages, count, out, ends);
	for (size_t first = 0; first < count;) {
		size_t end = first + 1;
		while (end < count && labels[end] == labels[first])
			end++;
		size_t framed = sl_framer_frame_alike(framer, encoder, labels[first], messages + first, end - first,
			out, ends + first);
		if (framed < end - first)
			return first + framed;
		first = end;
	}
	return count;
}

/* The wire of what somebody has just framed into the scratch buffer. */
static struct sl_wire *
create_from_scratch(struct sl_framer *framer, size_t framed)
{
	struct sl_buffer *scratch = &framer->scratch;
	struct sl_wire *wire = NULL;
	if (sl_buffer_status(scratch) == 0)
		wire = create_wire(framer, scratch->bytes, scratch->len, framer->ends, framed);
	if (scratch->cap > SCRATCH_KEEP_BYTES)
		sl_buffer_finish(scratch);
	return wire;
}

struct sl_wire *
sl_wire_create_messages(struct sl_framer *framer, const struct sl_encoder *encoder,
	const struct sl_label *const *labels, struct sl_message *const *messages, size_t count)
{
	struct sl_buffer *scratch = sl_framer_get_scratch(framer);
	size_t framed = sl_framer_frame(framer, encoder, labels, messages,
		count < SL_RUN_MAX ? count : SL_RUN_MAX, scratch, framer->ends);
	return create_from_scratch(framer, framed);
}

struct sl_wire *
sl_wire_ref(struct sl_wire *wire)
{
	wire->refs++;
	return wire;
}

void
sl_wire_unref(struct sl_wire *wire)
{
	if (!wire || --wire->refs > 0)
		return;
	*wire->pinned -= wire->len;
	free(wire);
}

/* ---- runs ---- */

uint64_t
sl_run_sum_payload(struct sl_message *const *messages, size_t count)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < count; i++)
		bytes += messages[i]->payload_len;
	return bytes;
}

void
sl_run_begin(struct sl_run *run, struct sl_framer *framer, struct sl_message *const *messages,
	size_t count)
{
	*run = (struct sl_run){
		.messages = messages,
		.count = count,
		.last_seq = messages[count - 1]->seq,
		.payload_bytes = sl_run_sum_payload(messages, count),
	};
}

void
sl_run_finish(struct sl_framer *framer)
{
	while (framer->first_used != NONE) {
		uint32_t index = framer->first_used;
		struct sl_framing *framing = &framer->framings[index];
		framer->first_used = framing->next;
		sl_wire_unref(framing->wire);
		framing->wire = NULL;
		if (framing->label && framing->refs == 0)
			recycle(framer, index);
	}
}

struct sl_wire *
sl_run_make_wire(const struct sl_run *run, struct sl_framer *framer, unsigned index)
{
	struct sl_framing *framing = &framer->framings[index];
	size_t count = run->count < SL_RUN_MAX ? run->count : SL_RUN_MAX;
	size_t framed = sl_framer_frame_alike(framer, framing->encoder, framing->label, run->messages, count,
		sl_framer_get_scratch(framer), framer->ends);
	framing->wire = create_from_scratch(framer, framed);
	if (framing->label && framing->refs == 1 && framer->compression.metrics)
		sl_metrics_add(framer->compression.metrics, SL_COUNTER_LABELS_ALONE, 1);
	if (framing->wire) {
		framing->next = framer->first_used;
		framer->first_used = index;
	}
	return framing->wire;
}
