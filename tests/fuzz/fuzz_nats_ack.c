/* What a log answers to a publish: the number that is read stands in a JSON object that names the stream, by
 * jansson's reading as well; whatever else comes, its kind and its error belong together. */
#include "bus/nats_ack.h"

#include <jansson.h>

#include "tests/fuzz/fuzz.h"
#include "util/err.h"

#define STREAM "sluice-main"

/* jansson's integers have a sign. */
static void
expect_number(const struct sl_nats_ack *ack, const char *body, size_t len)
{
	json_t *root = json_loadb(body, len, JSON_ALLOW_NUL, NULL);
	if (!root) { /* too large for jansson, or an escape that it refuses */
		return;
	}
	const json_t *seq = json_object_get(root, "seq");
	const char *stream = json_string_value(json_object_get(root, "stream"));
	FUZZ_EXPECT(stream && strcmp(stream, STREAM) == 0);
	FUZZ_EXPECT(json_is_integer(seq) && (uint64_t)json_integer_value(seq) == ack->seq);
	json_decref(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_nats_ack ack;
	char *body = fuzz_copy(bytes, len);
	/* The first byte chooses the status. */
	const char *status = len > 0 && body[0] == '5' ? "503" : NULL;
	sl_nats_ack_read(&ack, status, (struct sl_span){ body, len }, STREAM);
	FUZZ_EXPECT((ack.kind == SL_NATS_ACK_REFUSED) == (ack.err != 0));
	FUZZ_EXPECT(!ack.why.bytes || (ack.why.bytes >= body && ack.why.bytes + ack.why.len <= body + len));
	if (ack.kind == SL_NATS_ACK_STORED) {
		FUZZ_EXPECT(ack.seq > 0 && !status);
		expect_number(&ack, body, len);
	}
	free(body);
	return 0;
}
