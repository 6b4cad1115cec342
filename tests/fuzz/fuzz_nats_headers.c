/* Whatever stands where headers do: a value lies within it, on one line. The first byte says where the block is
 * taken to end. */
#include "bus/nats_headers.h"

#include "tests/fuzz/fuzz.h"

static void
expect_value(struct sl_span block, const char *name)
{
	struct sl_span value = sl_nats_headers_get(block, name);
	if (!value.bytes)
		return;
	FUZZ_EXPECT(value.bytes >= block.bytes && value.bytes + value.len <= block.bytes + block.len);
	FUZZ_EXPECT(value.len == 0 || !memchr(value.bytes, '\n', value.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = fuzz_copy(bytes, len);
	struct sl_span block = { text, len };
	expect_value(block, "Nats-Msg-Id");
	expect_value(block, "Sluice-Type");
	free(text);
	if (len < 2)
		return 0;
	/* reply, NUL, the bytes, with a payload somewhere in them */
	char *piece = malloc(len + 2);
	FUZZ_EXPECT(piece);
	memcpy(piece, "r\0", 2);
	memcpy(piece + 2, bytes, len);
	struct sl_span found = sl_nats_headers_between(piece, piece + 2 + bytes[0] % len);
	if (found.bytes) {
		FUZZ_EXPECT(found.bytes == piece + 2 && found.len < len);
		expect_value(found, "Nats-Msg-Id");
	}
	free(piece);
	return 0;
}
