/* A request that is taken has its head end at its first empty line, lies inside the bytes, is
 * not taken with a byte less, and is read the same without what follows. */
#include "http/plain_request.h"

#include "tests/fuzz/fuzz.h"

static void
expect_inside(struct sl_span span, const char *bytes, size_t len)
{
	FUZZ_EXPECT(!span.bytes || (span.bytes >= bytes && span.bytes + span.len <= bytes + len));
	for (size_t i = 0; i < span.len; i++)
		FUZZ_EXPECT((unsigned char)span.bytes[i] >= 0x20 || span.bytes[i] == '\t');
}

static const struct sl_plain_paths paths = { { "/poll", 5 }, { "/publish", 8 } };

static void
expect_sound(enum sl_plain_verdict verdict, const struct sl_plain_request *request, char *bytes,
	size_t len)
{
	size_t head_len = request->len - request->body.len;
	FUZZ_EXPECT(request->len <= len);
	const char *empty_line = memmem(bytes, len, "\r\n\r\n", 4);
	FUZZ_EXPECT(empty_line && empty_line + 4 == bytes + head_len);
	FUZZ_EXPECT(request->body.bytes == bytes + head_len);
	FUZZ_EXPECT(verdict == SL_PLAIN_PUBLISH || request->body.len == 0);
	expect_inside((struct sl_span){ request->query, request->query_len }, bytes, head_len);
	expect_inside(request->host, bytes, head_len);
	expect_inside(request->origin, bytes, head_len);
	expect_inside(request->authorization, bytes, head_len);
	expect_inside(request->content_type, bytes, head_len);
	expect_inside(request->idempotency_key, bytes, head_len);
	FUZZ_EXPECT(!request->is_http_1_1 || request->host.bytes);

	struct sl_plain_request again;
	char *copy = fuzz_copy(bytes, request->len);
	FUZZ_EXPECT(sl_plain_request_parse(&again, copy, request->len, &paths) == verdict);
	FUZZ_EXPECT(again.len == request->len && again.keep_alive == request->keep_alive);
	FUZZ_EXPECT(!sl_plain_request_lacks_body(copy, request->len, &paths));
	free(copy);
	copy = fuzz_copy(bytes, request->len - 1);
	FUZZ_EXPECT(sl_plain_request_parse(&again, copy, request->len - 1, &paths) ==
		SL_PLAIN_NOT_OURS);
	FUZZ_EXPECT(sl_plain_request_lacks_body(copy, request->len - 1, &paths) ==
		(request->body.len > 0));
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_plain_request request;
	char *copy = fuzz_copy(bytes, len);
	enum sl_plain_verdict verdict = sl_plain_request_parse(&request, copy, len, &paths);
	if (verdict != SL_PLAIN_NOT_OURS)
		expect_sound(verdict, &request, copy, len);
	FUZZ_EXPECT(len == 0 || memcmp(copy, bytes, len) == 0);
	free(copy);
	return 0;
}
