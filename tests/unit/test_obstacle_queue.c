#include "bench/obstacle/queue.h"

#include <string.h>

#include "bench/obstacle/cache.h"
#include "bench/obstacle/frames.h"
#include "tests/unit/unit.h"

static void
expect_due(const struct ob_queue *queue, uint64_t now_ms, const char *text)
{
	struct sl_span due = ob_queue_due(queue, now_ms);
	CU_ASSERT_EQUAL_FATAL(due.len, strlen(text));
	CU_ASSERT_TRUE(due.len == 0 || memcmp(due.bytes, text, due.len) == 0);
}

static void
test_queue_lets_bytes_out_when_they_are_due(void)
{
	struct ob_queue queue;
	ob_queue_init(&queue);
	CU_ASSERT_EQUAL(ob_queue_due_ms(&queue), UINT64_MAX);
	ob_queue_push(&queue, "ab", 2, 10);
	ob_queue_push(&queue, "cd", 2, 20);
	expect_due(&queue, 9, "");
	expect_due(&queue, 10, "ab");
	expect_due(&queue, 20, "abcd");
	ob_queue_consume(&queue, 1);
	expect_due(&queue, 10, "b");
	ob_queue_consume(&queue, 2);
	expect_due(&queue, 20, "d");
	CU_ASSERT_EQUAL(ob_queue_due_ms(&queue), 20);
	CU_ASSERT_EQUAL(ob_queue_last_ms(&queue), 20);
	CU_ASSERT_EQUAL(ob_queue_len(&queue), 1);
	ob_queue_finish(&queue);
}

static void
test_queue_never_lets_later_bytes_overtake(void)
{
	struct ob_queue queue;
	ob_queue_init(&queue);
	ob_queue_push(&queue, "late", 4, 100);
	ob_queue_push(&queue, "early", 5, 50);
	expect_due(&queue, 99, "");
	expect_due(&queue, 100, "lateearly");
	ob_queue_finish(&queue);
}

static void
test_queue_keeps_order_over_many_segments(void)
{
	struct ob_queue queue;
	char byte, sent = 0;
	unsigned pushed = 0, taken = 0;
	ob_queue_init(&queue);
	while (taken < 200000) {
		for (int i = 0; i < 7 && pushed < 200000; i++) {
			byte = (char)(pushed & 0x7f);
			CU_ASSERT_EQUAL_FATAL(ob_queue_push(&queue, &byte, 1, pushed), 0);
			pushed++;
		}
		struct sl_span due = ob_queue_due(&queue, taken + 2);
		CU_ASSERT_TRUE_FATAL(due.len > 0);
		for (size_t i = 0; i < due.len; i++, sent = (char)((sent + 1) & 0x7f))
			CU_ASSERT_EQUAL_FATAL(due.bytes[i], sent);
		taken += (unsigned)due.len;
		ob_queue_consume(&queue, due.len);
	}
	CU_ASSERT_EQUAL(ob_queue_len(&queue), 0);
	ob_queue_finish(&queue);
}

static void
test_cache_replaces_the_same_key_then_the_oldest(void)
{
	static struct ob_cache cache;
	char key[8];
	struct sl_span answer = { "one", 3 };
	ob_cache_store(&cache, (struct sl_span){ "k", 1 }, answer, 1);
	ob_cache_store(&cache, (struct sl_span){ "k", 1 }, (struct sl_span){ "two", 3 }, 2);
	const struct ob_cache_entry *entry = ob_cache_find(&cache, (struct sl_span){ "k", 1 });
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_EQUAL(memcmp(entry->answer.bytes, "two", 3), 0);
	CU_ASSERT_EQUAL(entry->stored_ms, 2);
	for (unsigned i = 0; i < OB_CACHE_ENTRIES; i++) {
		CU_ASSERT_PTR_NOT_NULL(ob_cache_find(&cache, (struct sl_span){ "k", 1 }));
		size_t len = (size_t)snprintf(key, sizeof key, "x%u", i);
		ob_cache_store(&cache, (struct sl_span){ key, len }, answer, 3);
	}
	CU_ASSERT_PTR_NULL(ob_cache_find(&cache, (struct sl_span){ "k", 1 }));
	ob_cache_finish(&cache);
}

static void
test_frames_are_found_however_they_come(void)
{
	static const char stream[] = "\x81\x03" "abc" "\x89\x80" "mask" "\x82\x7e\x00\x80";
	char bytes[sizeof stream - 1 + 128];
	memcpy(bytes, stream, sizeof stream - 1);
	memset(bytes + sizeof stream - 1, 'x', 128);
	for (size_t step = 1; step <= sizeof bytes; step++) {
		struct ob_frames frames = { 0 };
		unsigned opcodes[3], heads = 0;
		size_t payload_bytes = 0;
		for (size_t at = 0; at < sizeof bytes; at += step) {
			const char *from = bytes + at, *payload;
			size_t len = sizeof bytes - at < step ? sizeof bytes - at : step, payload_len;
			enum ob_frame_event event;
			while ((event = ob_frames_next(&frames, &from, &len, &payload, &payload_len))) {
				if (event == OB_FRAME_PAYLOAD)
					payload_bytes += payload_len;
				else if (heads < 3)
					opcodes[heads++] = ob_frames_opcode(&frames);
			}
		}
		CU_ASSERT_EQUAL_FATAL(heads, 3);
		CU_ASSERT_TRUE(opcodes[0] == 1 && opcodes[1] == OB_OPCODE_PING && opcodes[2] == 2);
		CU_ASSERT_EQUAL(payload_bytes, 3 + 128);
	}
}

static void
test_frames_tell_mask_and_length(void)
{
	struct ob_frames frames = { 0 };
	const char *at = "\x82\xff\x00\x00\x00\x01\x00\x00\x00\x02mask", *payload;
	size_t len = 14, payload_len;
	CU_ASSERT_EQUAL(ob_frames_next(&frames, &at, &len, &payload, &payload_len), OB_FRAME_HEAD);
	CU_ASSERT_EQUAL(ob_frames_length(&frames), 0x100000002);
	CU_ASSERT_EQUAL(memcmp(ob_frames_mask(&frames), "mask", 4), 0);
}

static const struct unit_test tests[] = {
	UNIT_TEST(test_queue_lets_bytes_out_when_they_are_due),
	UNIT_TEST(test_queue_never_lets_later_bytes_overtake),
	UNIT_TEST(test_queue_keeps_order_over_many_segments),
	UNIT_TEST(test_cache_replaces_the_same_key_then_the_oldest),
	UNIT_TEST(test_frames_are_found_however_they_come),
	UNIT_TEST(test_frames_tell_mask_and_length),
	{ NULL, NULL },
};

int
main(void)
{
	return unit_main("obstacle_queue", tests);
}
