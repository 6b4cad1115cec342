/* Compressing and inflating single messages. What was compressed for any window inflates to the same, and
 * within that window. Any bytes inflate to what zlib makes of them in one go, or to an error, and never take more room
 * than they may. Input: a byte for the limit, then the message. */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/deflate_parts.h"
#include "util/buffer.h"
#include "util/deflate.h"
#include "util/err.h"

#define MAX_BYTES 16384

static void
check_both_ways(struct sl_deflater *deflater, const char *text, size_t len)
{
	for (unsigned bits = SL_DEFLATE_BITS_MIN; bits <= SL_DEFLATE_BITS_MAX; bits++) {
		struct sl_buffer out = SL_BUFFER_INIT;
		struct sl_span made;
		int err = sl_deflater_compress(deflater, bits, text, len, &made);
		FUZZ_EXPECT(err == 0 || err == SL_ETOOBIG);
		if (err)
			continue;
		FUZZ_EXPECT(made.len < len);
		FUZZ_EXPECT(deflate_fits_window(bits, made.bytes, made.len, text, len));
		FUZZ_EXPECT(sl_deflater_inflate(deflater, made.bytes, made.len, len, &out) == 0);
		FUZZ_EXPECT(out.len == len && memcmp(out.bytes, text, len) == 0);
		sl_buffer_finish(&out);
	}
}

/* All in one go, into room for one byte more than there may be. */
static int
inflate_at_once(const char *bytes, size_t len, size_t max, char *out, size_t *out_len)
{
	z_stream stream = { 0 };
	char *whole = malloc(len + 4);
	int result = Z_OK;
	bool is_between = false;
	FUZZ_EXPECT(whole && inflateInit2(&stream, -15) == Z_OK);
	if (len)
		memcpy(whole, bytes, len);
	memcpy(whole + len, "\0\0\xff\xff", 4);
	stream.next_in = (const Bytef *)whole;
	stream.avail_in = (unsigned)len + 4;
	stream.next_out = (Bytef *)out;
	stream.avail_out = (unsigned)max + 1;
	do {
		result = inflate(&stream, Z_SYNC_FLUSH);
		is_between = result == Z_STREAM_END || (stream.data_type & 255) == 128;
		if (result == Z_STREAM_END)
			inflateReset(&stream);
	} while ((result == Z_OK || result == Z_STREAM_END) && stream.avail_in && stream.avail_out);
	*out_len = max + 1 - stream.avail_out;
	inflateEnd(&stream);
	free(whole);
	if (*out_len > max)
		return SL_ETOOBIG;
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		return SL_EINVAL;
	return is_between ? 0 : SL_EINVAL;
}

static void
check_inflating(struct sl_deflater *deflater, const char *bytes, size_t len, size_t max)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	char *expected = malloc(max + 1);
	size_t expected_len;
	FUZZ_EXPECT(expected);
	int err = sl_deflater_inflate(deflater, bytes, len, max, &out);
	FUZZ_EXPECT(out.len <= max && out.cap <= 2 * (max > 512 ? max : 512));
	FUZZ_EXPECT(err == inflate_at_once(bytes, len, max, expected, &expected_len));
	if (err == 0) {
		FUZZ_EXPECT(out.len == expected_len);
		FUZZ_EXPECT(out.len == 0 || memcmp(out.bytes, expected, out.len) == 0);
	}
	free(expected);
	sl_buffer_finish(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_deflater *deflater;
	if (len == 0 || len > MAX_BYTES)
		return 0;
	size_t max = bytes[0] < 128 ? (size_t)bytes[0] : (size_t)bytes[0] << 9;
	char *message = fuzz_copy(bytes + 1, --len);
	FUZZ_EXPECT(sl_deflater_create(&deflater) == 0);
	check_inflating(deflater, message, len, max);
	check_both_ways(deflater, message, len);
	check_inflating(deflater, message, len, max); /* whatever came before */
	sl_deflater_destroy(deflater);
	free(message);
	return 0;
}
