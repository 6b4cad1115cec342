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
	if (!outbox->more_count && outbox->more) {
		free(outbox->more);
		outbox->more = NULL;
		outbox->more_at = outbox->more_cap = 0;
	}
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

/* The first slice becomes the last of `to`; without memory for that it is dropped. */
static void
move_first(struct sl_outbox *outbox, struct sl_outbox *to)
{
	struct sl_slice slice = outbox->first;
	if (sl_outbox_push(to, slice.wire, slice.at) == 0) {
		struct sl_slice *last = to->more_count ?
			slice_behind_first(to, (uint16_t)(to->more_count - 1)) : &to->first;
		to->queued_bytes -= last->end - slice.end;
		last->end = slice.end;
	}
	drop_first(outbox);
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

void
sl_outbox_drop_unbegun(struct sl_outbox *outbox)
{
	struct sl_outbox kept = { 0 };
	if (outbox->first.wire && outbox->first.wire->count) {
		struct sl_slice begun = outbox->first;
		uint32_t end = object_end(&begun);
		outbox->queued_bytes -= begun.end - end;
		outbox->first.end = end;
		if (end == begun.at)
			drop_first(outbox);
		else
			move_first(outbox, &kept);
	}
	while (outbox->first.wire) {
		if (outbox->first.wire->count)
			drop_first(outbox);
		else
			move_first(outbox, &kept);
	}
	*outbox = kept;
}

void
sl_outbox_clear(struct sl_outbox *outbox)
{
	while (outbox->first.wire)
		drop_first(outbox);
}
