/* What tests of deflate share: a judge of compressed messages that is not the code under test, texts to
 * compress, and a bomb.
 * Owner: the caller frees what is returned new. Thread: main. Errors: abort where zlib fails. */
#ifndef SL_TESTS_DEFLATE_PARTS_H
#define SL_TESTS_DEFLATE_PARTS_H

#define ZLIB_CONST /* its input is not changed */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static inline void
deflate_require(bool promise)
{
	if (!promise)
		abort();
}

/* True when a receiver whose window has 2^`window_bits` bytes reads `text` out of the message. zlib gets room for
 * one byte at a time: so all that it can look back to is its window, and a distance beyond it is an error. */
static inline bool
deflate_fits_window(unsigned window_bits, const char *bytes, size_t len, const char *text,
	size_t text_len)
{
	static const unsigned char tail[] = { 0, 0, 0xff, 0xff };
	z_stream stream = { 0 };
	size_t got = 0;
	bool is_right = true;
	deflate_require(inflateInit2(&stream, -(int)window_bits) == Z_OK);
	for (unsigned piece = 0; piece < 2 && is_right; piece++) {
		stream.next_in = piece ? tail : (const Bytef *)bytes;
		stream.avail_in = piece ? sizeof tail : (unsigned)len;
		for (;;) {
			Bytef out;
			stream.next_out = &out;
			stream.avail_out = 1;
			int result = inflate(&stream, Z_SYNC_FLUSH);
			if (result != Z_OK && result != Z_BUF_ERROR)
				is_right = false;
			if (!is_right || stream.avail_out)
				break;
			is_right = got < text_len && out == (Bytef)text[got];
			got++;
		}
	}
	inflateEnd(&stream);
	return is_right && got == text_len;
}

/* Fills `out` with JSON that repeats itself at distances of all sizes. */
static inline void
deflate_fill_json(char *out, size_t len, uint32_t seed)
{
	static const char *const parts[] = { "{\"symbol\":\"", "\",\"price\":", ",\"time\":179000000",
		",\"note\":\"an order of ", "\"},", "filled", "open", "[1,2,3]", "null," };
	size_t at = 0;
	while (at < len) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		const char *part = parts[(seed >> 8) % (sizeof parts / sizeof *parts)];
		for (; *part && at < len; part++)
			out[at++] = *part;
		for (unsigned digits = seed >> 28; digits && at < len; digits--)
			out[at++] = (char)('0' + (seed >> digits & 7));
	}
}

/* A message of `len` or fewer bytes that stands for as many zeros as go into it. Returns new; `*zeros` is how many. */
static inline char *
deflate_make_bomb(size_t len, size_t *bomb_len, size_t *zeros)
{
	static const char nothing[1 << 16];
	char *bomb = malloc(len);
	z_stream stream = { 0 };
	deflate_require(bomb && deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	stream.next_out = (Bytef *)bomb;
	stream.avail_out = (unsigned)len;
	*zeros = 0;
	while (stream.total_out + 4500 < len) { /* it comes in blocks of some 4 KiB */
		stream.next_in = (const Bytef *)nothing;
		stream.avail_in = sizeof nothing;
		deflate_require(deflate(&stream, Z_NO_FLUSH) == Z_OK && stream.avail_in == 0);
		*zeros += sizeof nothing;
	}
	deflate_require(deflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_out > 0);
	*bomb_len = stream.total_out - 4;
	deflateEnd(&stream);
	return bomb;
}

#endif
