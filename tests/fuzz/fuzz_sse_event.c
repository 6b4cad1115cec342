/* Whatever the payload, a client that follows WHATWG HTML, section 9.2.6 gets one message
 * with our id and the payload's lines. */
#include "transports/sse_event.h"

#include "tests/fuzz/fuzz.h"

static void
expect_next(const char **at, const char *end, const char *text, size_t len)
{
	FUZZ_EXPECT((size_t)(end - *at) >= len);
	FUZZ_EXPECT(len == 0 || memcmp(*at, text, len) == 0);
	*at += len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_buffer event = SL_BUFFER_INIT, joined = SL_BUFFER_INIT, wanted = SL_BUFFER_INIT;
	char *payload = fuzz_copy(bytes, len);
	sl_sse_append_message(&event, (struct sl_cursor){ 0x9f3a1c07, 4182 }, payload, len);

	const char *at = event.bytes, *end = at + event.len;
	expect_next(&at, end, "id: 9f3a1c07-4182\n", 18);
	FUZZ_EXPECT(!memchr(at, '\r', (size_t)(end - at)));
	while (at < end && *at != '\n') {
		expect_next(&at, end, "data: ", 6);
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		FUZZ_EXPECT(stop);
		sl_buffer_append(&joined, at, (size_t)(stop + 1 - at));
		at = stop + 1;
	}
	expect_next(&at, end, "\n", 1);
	FUZZ_EXPECT(at == end && joined.len > 0);

	for (size_t i = 0; i < len; i++) {
		if (payload[i] == '\n' && i > 0 && payload[i - 1] == '\r')
			continue;
		sl_buffer_append_char(&wanted, payload[i] == '\r' ? '\n' : payload[i]);
	}
	FUZZ_EXPECT(wanted.len == joined.len - 1);
	FUZZ_EXPECT(wanted.len == 0 || memcmp(wanted.bytes, joined.bytes, wanted.len) == 0);
	free(payload);
	sl_buffer_finish(&event);
	sl_buffer_finish(&joined);
	sl_buffer_finish(&wanted);
	return 0;
}
