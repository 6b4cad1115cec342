/* A head and its body, cut anywhere: the same comes of it; written again it reads the same. */
#include "bench/obstacle/body.h"
#include "bench/obstacle/head.h"
#include "tests/fuzz/fuzz.h"
#include "util/err.h"

#define HEAD_MAX 4096

struct result {
	struct ob_head head;
	struct ob_body body;
	struct sl_buffer content;
	int err;
};

static void
run(struct result *result, const char *bytes, size_t len, enum ob_head_kind kind, size_t step)
{
	size_t at = 0, used;
	result->err = SL_EAGAIN;
	sl_buffer_init(&result->content);
	ob_head_init(&result->head, kind, HEAD_MAX);
	while (result->err == SL_EAGAIN && at < len) {
		size_t part = len - at < step ? len - at : step;
		result->err = ob_head_feed(&result->head, bytes + at, part, &used);
		at += used;
	}
	if (result->err)
		return;
	result->err = kind == OB_REQUEST ? ob_body_of_request(&result->body, &result->head)
		: ob_body_of_response(&result->body, &result->head, (struct sl_span){ "GET", 3 });
	while (!result->err && !result->body.is_done && at < len) {
		size_t part = len - at < step ? len - at : step;
		result->err = ob_body_feed(&result->body, bytes + at, part, &used, &result->content);
		at += used;
	}
}

static void
finish(struct result *result)
{
	ob_head_finish(&result->head);
	sl_buffer_finish(&result->content);
}

static void
expect_same_again(const struct ob_head *head)
{
	struct sl_buffer once = SL_BUFFER_INIT, twice = SL_BUFFER_INIT;
	struct ob_head again;
	size_t used;
	ob_head_write(head, &once);
	ob_head_init(&again, head->kind, 2 * HEAD_MAX);
	FUZZ_EXPECT(ob_head_feed(&again, once.bytes, once.len, &used) == 0 && used == once.len);
	ob_head_write(&again, &twice);
	FUZZ_EXPECT(once.len == twice.len && memcmp(once.bytes, twice.bytes, once.len) == 0);
	ob_head_set(&again, "Host", "x");
	ob_head_remove(&again, "Connection");
	ob_head_lower_names(&again);
	FUZZ_EXPECT(again.count == OB_HEAD_LINES || sl_span_equals(ob_head_get(&again, "host"), "x"));
	ob_head_finish(&again);
	sl_buffer_finish(&once);
	sl_buffer_finish(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct result whole, parts;
	if (len < 2)
		return 0;
	enum ob_head_kind kind = bytes[0] & 1 ? OB_REQUEST : OB_RESPONSE;
	size_t step = 1 + bytes[1] % 16;
	char *text = fuzz_copy(bytes + 2, len - 2);
	run(&whole, text, len - 2, kind, len);
	run(&parts, text, len - 2, kind, step);
	FUZZ_EXPECT(whole.err == parts.err || whole.err == SL_ETOOBIG || parts.err == SL_ETOOBIG);
	if (whole.err == 0 && parts.err == 0) {
		FUZZ_EXPECT(whole.content.len == parts.content.len);
		FUZZ_EXPECT(whole.content.len == 0
			|| memcmp(whole.content.bytes, parts.content.bytes, whole.content.len) == 0);
		FUZZ_EXPECT(whole.body.is_done == parts.body.is_done);
		expect_same_again(&whole.head);
	}
	finish(&whole);
	finish(&parts);
	free(text);
	return 0;
}
