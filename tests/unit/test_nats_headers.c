#include "bus/nats_headers.h"

#include "tests/unit/unit.h"

#define BLOCK "NATS/1.0\r\nNats-Msg-Id: p/abcdefgh/1\r\nSluice-Type:text \r\nEmpty:\r\n" \
	"X-Nats-Msg-Id: no\r\nNats-Msg-Id: second\r\n\r\n"

static struct sl_span
get(const char *block, const char *name)
{
	return sl_nats_headers_get((struct sl_span){ block, strlen(block) }, name);
}

static void
test_a_header_is_found_by_its_name(void)
{
	CU_ASSERT(sl_span_equals(get(BLOCK, "Nats-Msg-Id"), "p/abcdefgh/1"));
	CU_ASSERT(sl_span_equals(get(BLOCK, "Sluice-Type"), "text"));
	CU_ASSERT(sl_span_equals(get(BLOCK, "Empty"), ""));
	CU_ASSERT_PTR_NULL(get(BLOCK, "Sluice-Owner").bytes);
	CU_ASSERT_PTR_NULL(get(BLOCK, "Msg-Id").bytes);
	CU_ASSERT_PTR_NULL(get(BLOCK, "nats-msg-id").bytes);
	CU_ASSERT_PTR_NULL(get(BLOCK, "NATS/1.0").bytes);
}

static void
test_what_is_malformed_is_absent(void)
{
	static const char *const blocks[] = { "NATS/1.0\r\n\r\n", "NATS/1.0", "NATS/1.0\r\n", "NATS/1.0\n:\n\n",
		"NATS/1.0\r\nNats-Msg-Id\r\n\r\n", "NATS/1.0\r\n Nats-Msg-Id: folded\r\n\r\n",
		"NATS/1.0 503\r\n:\r\n\r\n", "NATS/1.0\r\nNats-Msg-Id : x\r\n\r\n", "NATS/1.0 Nats-Msg-Id: x" };
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		CU_ASSERT_PTR_NULL(get(blocks[i], "Nats-Msg-Id").bytes);
	CU_ASSERT(sl_span_equals(get("NATS/1.0\nNats-Msg-Id: bare\n\n", "Nats-Msg-Id"), "bare"));
	CU_ASSERT(sl_span_equals(get("NATS/1.0\r\nNats-Msg-Id: end", "Nats-Msg-Id"), "end"));
}

static void
test_the_block_lies_between_reply_and_payload(void)
{
	char piece[] = "the.reply\0" BLOCK "\0the payload";
	const char *payload = piece + sizeof piece - sizeof "the payload";
	struct sl_span block = sl_nats_headers_between(piece, payload);
	CU_ASSERT_PTR_EQUAL_FATAL(block.bytes, piece + sizeof "the.reply");
	CU_ASSERT_EQUAL(block.len, sizeof BLOCK - 1);
	piece[sizeof "the.reply"] = 'n'; /* is something else */
	CU_ASSERT_PTR_NULL(sl_nats_headers_between(piece, payload).bytes);
	piece[sizeof "the.reply"] = 'N';
	piece[sizeof "the.reply" + sizeof BLOCK - 2] = ' ';
	CU_ASSERT_PTR_NULL(sl_nats_headers_between(piece, payload).bytes);
}

static void
test_there_may_be_no_block(void)
{
	char piece[] = "the.reply\0the payload";
	CU_ASSERT_PTR_NULL(sl_nats_headers_between(piece, piece + sizeof "the.reply").bytes);
	CU_ASSERT_PTR_NULL(sl_nats_headers_between(piece, piece).bytes); /* elsewhere */
	CU_ASSERT_PTR_NULL(sl_nats_headers_between(piece + 10, piece).bytes);
	CU_ASSERT_PTR_NULL(sl_nats_headers_between(piece, piece + sizeof "the.reply" + 4).bytes);
	CU_ASSERT_PTR_NULL(sl_nats_headers_between(piece, NULL).bytes);
	CU_ASSERT_PTR_NULL(sl_nats_headers_between(piece, (const char *)UINTPTR_MAX).bytes);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_a_header_is_found_by_its_name),
		UNIT_TEST(test_what_is_malformed_is_absent),
		UNIT_TEST(test_the_block_lies_between_reply_and_payload),
		UNIT_TEST(test_there_may_be_no_block),
		{ NULL, NULL },
	};
	return unit_main("nats_headers", tests);
}
