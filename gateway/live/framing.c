#include "live/framing.h"

#include <stdlib.h>
#include <string.h>

#include "bus/message.h"
#include "util/buffer.h"
#include "util/deflate.h"
#include "util/err.h"

#define SCRATCH_KEEP_BYTES 262144 /* a larger scratch is given back after use */

/* ---- framings ---- */

int
sl_framer_init(struct sl_framer *framer)
{
	*framer = (struct sl_framer){ 0 };
	framer->framings = calloc(SL_FRAMINGS_MAX, sizeof *framer->framings);
	framer->ends = calloc(SL_RUN_MAX, sizeof *framer->ends);
	if (framer->framings && framer->ends)
		return 0;
	sl_framer_finish(framer);
	return SL_ENOMEM;
}

void
sl_framer_finish(struct sl_framer *framer)
{
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
sl_framer_intern(struct sl_framer *framer, const struct sl_encoder *encoder,
	const struct sl_label *label)
{
	for (int i = 0; i < framer->framing_count; i++)
		if (framer->framings[i].encoder == encoder && framer->framings[i].label == label)
			return i;
	if (framer->framing_count == SL_FRAMINGS_MAX)
		return SL_EFULL;
	framer->framings[framer->framing_count] = (struct sl_framing){ encoder, label, 0, NULL };
	return framer->framing_count++;
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

struct sl_wire *
sl_wire_create_messages(struct sl_framer *framer, const struct sl_encoder *encoder,
	const struct sl_label *label, struct sl_message *const *messages, size_t count)
{
	struct sl_buffer *scratch = sl_framer_get_scratch(framer);
	size_t most = count < SL_RUN_MAX ? count : SL_RUN_MAX;
	size_t framed = encoder->frame_compressed ?
		encoder->frame_compressed(encoder, &framer->compression, messages, most, scratch,
			framer->ends) :
		encoder->frame_messages(encoder, label, messages, most, scratch, framer->ends);
	struct sl_wire *wire = NULL;
	if (sl_buffer_status(scratch) == 0)
		wire = create_wire(framer, scratch->bytes, scratch->len, framer->ends, framed);
	if (scratch->cap > SCRATCH_KEEP_BYTES)
		sl_buffer_finish(scratch);
	return wire;
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
	framer->run++;
}

void
sl_run_finish(struct sl_framer *framer)
{
	while (framer->used_count) {
		struct sl_framing *framing = &framer->framings[framer->used[--framer->used_count]];
		sl_wire_unref(framing->wire);
		framing->wire = NULL;
	}
}

struct sl_wire *
sl_run_get_wire(const struct sl_run *run, struct sl_framer *framer, unsigned framing)
{
	struct sl_framing *used = &framer->framings[framing];
	if (used->run == framer->run)
		return used->wire;
	used->wire = sl_wire_create_messages(framer, used->encoder, used->label, run->messages,
		run->count);
	if (used->wire) {
		used->run = framer->run;
		framer->used[framer->used_count++] = (uint16_t)framing;
	}
	return used->wire;
}
