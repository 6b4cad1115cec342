#include "live/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "util/err.h"

static int
grow(struct sl_outbox *outbox)
{
	if (outbox->more_cap > UINT16_MAX / 2)
		return SL_ENOMEM;
	uint16_t cap = (uint16_t)(outbox->more_cap ? outbox->more_cap * 2 : 8);
	struct sl_slice *more = malloc(cap * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	for (uint16_t i = 0; i < outbox->more_count; i++)
		more[i] = outbox->more[(outbox->more_at + i) % outbox->more_cap];
	free(outbox->more);
	outbox->more = more;
	outbox->more_at = 0;
	outbox->more_cap = cap;
	return 0;
}

static struct sl_slice *
slice_behind_first(const struct sl_outbox *outbox, uint16_t index)
{
	return &outbox->more[(outbox->more_at + index) % outbox->more_cap];
}

static struct sl_slice *
get_slice(struct sl_outbox *outbox, uint32_t index)
{
	return index ? slice_behind_first(outbox, (uint16_t)(index - 1)) : &outbox->first;
}

int
sl_outbox_push(struct sl_outbox *outbox, struct sl_wire *wire, uint32_t at)
{
	if (at >= wire->len)
		return 0;
	struct sl_slice slice = { .wire = wire, .at = at, .end = wire->len };
	if (!outbox->first.wire) {
		outbox->first = slice;
	} else {
		if (outbox->more_count == outbox->more_cap && grow(outbox) != 0)
			return SL_ENOMEM;
		*slice_behind_first(outbox, outbox->more_count) = slice;
		outbox->more_count++;
	}
	sl_wire_ref(wire);
	outbox->queued_bytes += slice.end - slice.at;
	return 0;
}

int
sl_outbox_gather(const struct sl_outbox *outbox, struct iovec *slices, int max)
{
	int count = 0;
	const struct sl_slice *slice = &outbox->first;
	while (count < max && slice->wire) {
		/* iovec's field is not const, though writing only reads it. */
		const char *bytes = slice->wire->bytes + slice->at;
		memcpy(&slices[count].iov_base, &bytes, sizeof bytes);
		slices[count].iov_len = slice->end - slice->at;
		if (count == outbox->more_count)
			return count + 1;
		slice = slice_behind_first(outbox, (uint16_t)count);
		count++;
	}
	return count;
}

static void
free_unused(struct sl_outbox *outbox)
{
	if (outbox->more_count || !outbox->more)
		return;
	free(outbox->more);
	outbox->more = NULL;
	outbox->more_at = outbox->more_cap = 0;
}

static void
drop_first(struct sl_outbox *outbox)
{
	outbox->queued_bytes -= outbox->first.end - outbox->first.at;
	sl_wire_unref(outbox->first.wire);
	outbox->first = (struct sl_slice){ 0 };
	if (outbox->more_count) {
		outbox->first = *slice_behind_first(outbox, 0);
		outbox->more_at = (uint16_t)((outbox->more_at + 1) % outbox->more_cap);
		outbox->more_count--;
	}
	free_unused(outbox);
}

void
sl_outbox_consume(struct sl_outbox *outbox, size_t len)
{
	while (len > 0) {
		size_t left = outbox->first.end - outbox->first.at;
		if (len < left) {
			outbox->first.at += (uint32_t)len;
			outbox->queued_bytes -= (uint32_t)len;
			return;
		}
		len -= left;
		drop_first(outbox);
	}
}

/* Where the object ends that the byte before `at` belongs to: `at` itself when that byte
 * was an object's last. */
static uint32_t
object_end(const struct sl_slice *slice)
{
	const struct sl_wire *wire = slice->wire;
	if (slice->at == 0)
		return 0;
	for (uint32_t i = 0; i < wire->count; i++)
		if (wire->ends[i] >= slice->at)
			return wire->ends[i];
	return slice->end;
}

/* How many messages of the wire end behind `at`. */
static uint32_t
count_behind(const struct sl_wire *wire, uint32_t at)
{
	uint32_t i = wire->count;
	while (i > 0 && wire->ends[i - 1] > at)
		i--;
	return wire->count - i;
}

/* Cuts off what is to be dropped of a slice, with `before` dropped in front of it; returns
 * how many messages and gaps that was. */
static uint32_t
cut_unbegun(struct sl_slice *slice, uint32_t before)
{
	const struct sl_wire *wire = slice->wire;
	if (wire->count) {
		slice->end = object_end(slice);
		return count_behind(wire, slice->end);
	}
	if (!before || wire->kind == SL_WIRE_PLAIN)
		return 0;
	slice->end = slice->at;
	return wire->kind == SL_WIRE_GAP;
}

uint32_t
sl_outbox_drop_unbegun(struct sl_outbox *outbox)
{
	uint32_t dropped = 0;
	uint32_t count = outbox->first.wire ? outbox->more_count + 1u : 0, kept = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct sl_slice slice = *get_slice(outbox, i);
		outbox->queued_bytes -= slice.end - slice.at;
		dropped += cut_unbegun(&slice, dropped);
		outbox->queued_bytes += slice.end - slice.at;
		if (slice.at == slice.end)
			sl_wire_unref(slice.wire);
		else
			*get_slice(outbox, kept++) = slice;
	}
	if (kept == 0)
		outbox->first = (struct sl_slice){ 0 };
	outbox->more_count = (uint16_t)(kept > 1 ? kept - 1 : 0);
	free_unused(outbox);
	return dropped;
}

void
sl_outbox_clear(struct sl_outbox *outbox)
{
	while (outbox->first.wire)
		drop_first(outbox);
}
