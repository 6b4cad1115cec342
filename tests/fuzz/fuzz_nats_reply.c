/* A reply subject that is read names its numbers, and nothing is read behind its end. */
#include "bus/nats_reply.h"

#include "tests/fuzz/fuzz.h"

static void
expect_within(struct sl_span part, const char *text, size_t len)
{
	FUZZ_EXPECT(part.len > 0 && part.bytes >= text && part.bytes + part.len <= text + len);
	FUZZ_EXPECT(!memchr(part.bytes, '.', part.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = fuzz_copy(bytes, len);
	struct sl_nats_reply reply;
	if (sl_nats_reply_parse(&reply, (struct sl_span){ text, len }) == 0) {
		expect_within(reply.stream, text, len);
		expect_within(reply.consumer, text, len);
		FUZZ_EXPECT(reply.sseq > 0 && reply.dseq > 0 && reply.time_ns >= 0);
	}
	free(text);
	return 0;
}
