/* The WebSocket reader must make the same events and the same close code of a client's
 * bytes however they are chopped. Input: a byte for the chopping (and, in its highest bit, whether
 * compressed messages are agreed on), one for the limits, then what the client sends. */
#include "tests/unit/ws_transcript.h"
#include "util/deflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

/* Masking twice, the second time in two pieces, gives the bytes back. */
static void
check_mask(const char *bytes, size_t len, size_t cut)
{
	if (len < 4)
		return;
	uint8_t mask[4];
	char *copy = malloc(len);
	ws_require(copy != NULL);
	memcpy(mask, bytes, sizeof mask);
	memcpy(copy, bytes, len);
	cut %= len;
	sl_ws_frame_mask(copy, len, mask, 0);
	sl_ws_frame_mask(copy, cut, mask, 0);
	sl_ws_frame_mask(copy + cut, len - cut, mask, cut);
	ws_require(memcmp(copy, bytes, len) == 0);
	free(copy);
}

static void
check_same(const struct ws_transcript *one, const struct ws_transcript *other)
{
	ws_require(one->events == other->events);
	ws_require(one->text.len == other->text.len);
	ws_require(one->text.len == 0 ||
		memcmp(one->text.bytes, other->text.bytes, one->text.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	if (len < 2)
		return 0;
	struct sl_ws_limits limits = {
		.max_message_bytes = (size_t)1 << (input[1] & 15),
		.max_fragments = 1 + (input[1] >> 4),
	};
	if (input[0] & 0x80)
		ws_require(sl_deflater_create(&limits.deflater) == 0);
	const unsigned modes[] = { WS_BYTEWISE, 2u + input[0], 258u + input[0] };
	const char *wire = (const char *)input + 2;
	struct ws_transcript whole = { 0 };
	ws_read(wire, len - 2, &limits, WS_WHOLE, &whole);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		struct ws_transcript chopped = { 0 };
		ws_read(wire, len - 2, &limits, modes[i], &chopped);
		check_same(&whole, &chopped);
		sl_buffer_finish(&chopped.text);
	}
	sl_buffer_finish(&whole.text);
	sl_deflater_destroy(limits.deflater);
	check_mask(wire, len - 2, input[0]);
	return 0;
}
