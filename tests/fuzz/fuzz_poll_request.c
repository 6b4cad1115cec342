/* A head that is taken ends at its first empty line, lies inside the bytes, is not taken
 * with a byte less, and is read the same without what follows. */
#include "transports/poll_request.h"

#include "tests/fuzz/fuzz.h"

static void
expect_inside(struct sl_span span, const char *bytes, size_t len)
{
	FUZZ_EXPECT(!span.bytes || (span.bytes >= bytes && span.bytes + span.len <= bytes + len));
	for (size_t i = 0; i < span.len; i++)
		FUZZ_EXPECT((unsigned char)span.bytes[i] >= 0x20 || span.bytes[i] == '\t');
}

static void
expect_sound(const struct sl_poll_request *request, char *bytes, size_t len,
	struct sl_span path)
{
	size_t head_len = request->head_len;
	FUZZ_EXPECT(head_len <= len);
	const char *empty_line = memmem(bytes, len, "\r\n\r\n", 4);
	FUZZ_EXPECT(empty_line && empty_line + 4 == bytes + head_len);
	expect_inside((struct sl_span){ request->query, request->query_len }, bytes, head_len);
	expect_inside(request->host, bytes, head_len);
	expect_inside(request->origin, bytes, head_len);
	expect_inside(request->authorization, bytes, head_len);
	FUZZ_EXPECT(!request->is_http_1_1 || request->host.bytes);

	struct sl_poll_request again;
	char *head = fuzz_copy(bytes, head_len);
	FUZZ_EXPECT(sl_poll_request_parse(&again, head, head_len, path) == SL_POLL_COMPLETE);
	FUZZ_EXPECT(again.head_len == head_len && again.keep_alive == request->keep_alive);
	free(head);
	head = fuzz_copy(bytes, head_len - 1);
	FUZZ_EXPECT(sl_poll_request_parse(&again, head, head_len - 1, path) == SL_POLL_NOT_OURS);
	free(head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct sl_span path = { "/poll", 5 };
	struct sl_poll_request request;
	char *copy = fuzz_copy(bytes, len);
	if (sl_poll_request_parse(&request, copy, len, path) == SL_POLL_COMPLETE)
		expect_sound(&request, copy, len, path);
	FUZZ_EXPECT(len == 0 || memcmp(copy, bytes, len) == 0);
	free(copy);
	return 0;
}
