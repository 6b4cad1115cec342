#define ZLIB_CONST /* its input is not changed */
#include "util/deflate.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "util/buffer.h"
#include "util/err.h"

/* JSON of 16 KiB takes 96 us and becomes 3588 bytes; with level 6, zlib's default, 116 us and 3550. Up to
 * 1 KiB all levels take the same time, 7 to 12 us. */
#define LEVEL 5
#define MEM_LEVEL 8 /* 268 KB for each size of a window that somebody has; 5 saves half and takes a third longer */
#define ROOM_MIN 512

/* What ends a flush, and is left out of a message (RFC 7692, section 7.2.1). */
#define TAIL "\0\0\xff\xff"
#define TAIL_LEN 4

struct sl_deflater {
	z_stream compressing[SL_DEFLATE_WINDOWS]; /* one for each size of a window, where `has` says so */
	bool has[SL_DEFLATE_WINDOWS];
	z_stream inflating;
	bool inflates;
	struct sl_buffer compressed; /* owns: the last result */
};

static void *
allocate(void *opaque, unsigned count, unsigned size)
{
	return calloc(count, size);
}

static void
release(void *opaque, void *memory)
{
	free(memory);
}

int
sl_deflater_create(struct sl_deflater **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : SL_ENOMEM;
}

void
sl_deflater_destroy(struct sl_deflater *deflater)
{
	if (!deflater)
		return;
	for (unsigned i = 0; i < SL_DEFLATE_WINDOWS; i++)
		if (deflater->has[i])
			deflateEnd(&deflater->compressing[i]);
	if (deflater->inflates)
		inflateEnd(&deflater->inflating);
	sl_buffer_finish(&deflater->compressed);
	free(deflater);
}

/* ---- compressing ---- */

/* zlib makes raw data from 9 bits on. What looks back by one byte alone fits into any window, so that is
 * what 8 bits get: Z_RLE promises it, while the distances that a window of 9 bits allows are zlib's own
 * affair. */
static int
begin_compressing(struct sl_deflater *deflater, unsigned window_bits)
{
	unsigned index = window_bits - SL_DEFLATE_BITS_MIN;
	z_stream *stream = &deflater->compressing[index];
	if (deflater->has[index])
		return deflateReset(stream) == Z_OK ? 0 : SL_ENOMEM;
	bool is_least = window_bits == SL_DEFLATE_BITS_MIN;
	*stream = (z_stream){ .zalloc = allocate, .zfree = release };
	int result = deflateInit2(stream, LEVEL, Z_DEFLATED, -(int)(window_bits + is_least), MEM_LEVEL,
		is_least ? Z_RLE : Z_DEFAULT_STRATEGY);
	deflater->has[index] = result == Z_OK;
	return result == Z_OK ? 0 : SL_ENOMEM;
}

int
sl_deflater_compress(struct sl_deflater *deflater, unsigned window_bits, const char *bytes,
	size_t len, struct sl_span *out)
{
	struct sl_buffer *to = &deflater->compressed;
	assert(window_bits >= SL_DEFLATE_BITS_MIN && window_bits <= SL_DEFLATE_BITS_MAX);
	assert(len <= UINT_MAX - TAIL_LEN);
	sl_buffer_clear(to);
	if (begin_compressing(deflater, window_bits) != 0 ||
			sl_buffer_reserve(to, len + TAIL_LEN) != 0)
		return SL_ENOMEM;
	z_stream *stream = &deflater->compressing[window_bits - SL_DEFLATE_BITS_MIN];
	stream->next_in = (const Bytef *)bytes;
	stream->avail_in = (unsigned)len;
	stream->next_out = (Bytef *)to->bytes;
	stream->avail_out = (unsigned)len + TAIL_LEN;
	/* While the room is used up there may be more to come: then it is not smaller. */
	if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_in || !stream->avail_out)
		return SL_ETOOBIG;
	to->len = len + TAIL_LEN - stream->avail_out;
	assert(to->len > TAIL_LEN && memcmp(to->bytes + to->len - TAIL_LEN, TAIL, TAIL_LEN) == 0);
	*out = (struct sl_span){ to->bytes, to->len - TAIL_LEN };
	return 0;
}

/* ---- inflating ---- */

struct inflation {
	z_stream *stream;
	struct sl_buffer *out;
	size_t start, max;     /* where the message begins in `out`, and its most bytes */
	bool is_between_blocks;
};

static int
begin_inflating(struct sl_deflater *deflater)
{
	z_stream *stream = &deflater->inflating;
	if (deflater->inflates)
		return inflateReset(stream) == Z_OK ? 0 : SL_ENOMEM;
	*stream = (z_stream){ .zalloc = allocate, .zfree = release };
	deflater->inflates = inflateInit2(stream, -SL_DEFLATE_BITS_MAX) == Z_OK;
	return deflater->inflates ? 0 : SL_ENOMEM;
}

/* Room for the next bytes: it doubles. Once there are as many as may be, one more byte of room tells
 * if there are more. */
static int
make_room(struct inflation *i, Bytef *last)
{
	size_t have = i->out->len - i->start, room = have > ROOM_MIN ? have : ROOM_MIN;
	if (room > i->max - have)
		room = i->max - have;
	if (sl_buffer_reserve(i->out, room) != 0)
		return SL_ENOMEM;
	i->stream->next_out = room ? (Bytef *)i->out->bytes + i->out->len : last;
	i->stream->avail_out = room ? (unsigned)room : 1;
	return 0;
}

/* zlib says where it stands: 128 between two blocks, and how many bits of the last byte are left. */
static int
note_result(struct inflation *i, int result)
{
	if (result == Z_STREAM_END) {
		/* A block may say that it is the last one; what follows is a stream of its own (section 7.2.3.5). */
		i->is_between_blocks = true;
		return inflateReset(i->stream) == Z_OK ? 0 : SL_ENOMEM;
	}
	if (result == Z_MEM_ERROR)
		return SL_ENOMEM;
	if (result != Z_OK && result != Z_BUF_ERROR)
		return SL_EINVAL;
	i->is_between_blocks = (i->stream->data_type & 255) == 128;
	return 0;
}

static int
inflate_piece(struct inflation *i, const char *bytes, size_t len)
{
	z_stream *stream = i->stream;
	stream->next_in = (const Bytef *)bytes;
	stream->avail_in = (unsigned)len;
	for (;;) {
		Bytef last;
		int err = make_room(i, &last);
		if (err)
			return err;
		unsigned room = stream->avail_out;
		bool is_last = stream->next_out == &last;
		int result = inflate(stream, Z_SYNC_FLUSH);
		if (is_last && stream->avail_out == 0)
			return SL_ETOOBIG;
		bool is_starved = stream->avail_in == 0 && stream->avail_out > 0;
		if (!is_last)
			i->out->len += room - stream->avail_out;
		err = note_result(i, result);
		if (err || is_starved)
			return err;
	}
}

int
sl_deflater_inflate(struct sl_deflater *deflater, const char *bytes, size_t len, size_t max,
	struct sl_buffer *out)
{
	struct inflation inflation = { &deflater->inflating, out, out->len, max, false };
	assert(len <= UINT_MAX && max <= UINT_MAX);
	int err = begin_inflating(deflater);
	if (!err && len)
		err = inflate_piece(&inflation, bytes, len);
	if (!err)
		err = inflate_piece(&inflation, TAIL, TAIL_LEN);
	if (!err && !inflation.is_between_blocks)
		err = SL_EINVAL;
	return err;
}
