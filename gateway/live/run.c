#include "live/run.h"

#include <stdlib.h>
#include <string.h>

#include "bus/message.h"
#include "util/buffer.h"
#include "util/err.h"

#define SCRATCH_KEEP_BYTES 262144 /* a larger scratch is given back after use */

int
sl_framer_init(struct sl_framer *framer)
{
	framer->pinned_bytes = 0;
	framer->scratch = calloc(1, sizeof *framer->scratch);
	framer->ends = calloc(SL_RUN_MAX, sizeof *framer->ends);
	if (framer->scratch && framer->ends)
		return 0;
	sl_framer_finish(framer);
	return SL_ENOMEM;
}

void
sl_framer_finish(struct sl_framer *framer)
{
	if (framer->scratch)
		sl_buffer_finish(framer->scratch);
	free(framer->scratch);
	free(framer->ends);
	framer->scratch = NULL;
	framer->ends = NULL;
}

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
sl_wire_create_messages(struct sl_framer *framer, const struct sl_transport *transport,
	unsigned encoding, struct sl_message *const *messages, size_t count)
{
	struct sl_buffer *scratch = framer->scratch;
	sl_buffer_clear(scratch);
	size_t framed = transport->frame_messages(encoding, messages,
		count < SL_RUN_MAX ? count : SL_RUN_MAX, scratch, framer->ends);
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

void
sl_run_init(struct sl_run *run, struct sl_message *const *messages, size_t count)
{
	*run = (struct sl_run){
		.messages = messages,
		.count = count,
		.first_seq = messages[0]->seq,
		.last_seq = messages[count - 1]->seq,
		.payload_bytes = sl_run_sum_payload(messages, count),
	};
}

uint64_t
sl_run_sum_payload(struct sl_message *const *messages, size_t count)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < count; i++)
		bytes += messages[i]->payload_len;
	return bytes;
}

void
sl_run_finish(struct sl_run *run)
{
	for (size_t i = 0; i < SL_WIRE_FORMATS; i++)
		sl_wire_unref(run->wires[i]);
}

struct sl_wire *
sl_run_get_wire(struct sl_run *run, struct sl_framer *framer,
	const struct sl_transport *transport, unsigned encoding)
{
	size_t format = (size_t)transport->class * SL_ENCODINGS_MAX + encoding;
	if (!run->wires[format])
		run->wires[format] = sl_wire_create_messages(framer, transport, encoding,
			run->messages, run->count);
	return run->wires[format];
}
