#include "bench/obstacle/frames.h"

#include <string.h>

#include "tests/unit/unit.h"

/* Takes one head; what follows it is left. */
static struct ob_frames
take_head(const void *head, size_t len)
{
	struct ob_frames frames = { 0 };
	const char *bytes = head, *payload;
	size_t payload_len;
	CU_ASSERT_EQUAL_FATAL(ob_frames_next(&frames, &bytes, &len, &payload, &payload_len),
		OB_FRAME_HEAD);
	CU_ASSERT_EQUAL(len, 0);
	return frames;
}

static void
expect_lengthened(const struct ob_frames *frames, uint64_t more, const void *head, size_t len)
{
	unsigned char written[OB_FRAME_HEAD_MAX];
	CU_ASSERT_EQUAL_FATAL(ob_frames_lengthen(frames, more, written), len);
	CU_ASSERT_EQUAL(memcmp(written, head, len), 0);
}

static void
test_frames_are_found_one_byte_at_a_time(void)
{
	static const char text[] = "\x01\x02he\x89\x00\x80\x03llo\x81\x7e\x00\x80";
	struct ob_frames frames = { 0 };
	char payloads[16];
	unsigned opcodes[4], heads = 0, collected = 0;
	for (size_t at = 0; at < sizeof text - 1; at++) {
		const char *bytes = text + at, *payload;
		size_t len = 1, payload_len;
		enum ob_frame_event event;
		while ((event = ob_frames_next(&frames, &bytes, &len, &payload, &payload_len))
			!= OB_FRAME_MORE)
			if (event == OB_FRAME_HEAD)
				opcodes[heads++] = ob_frames_opcode(&frames);
			else
				payloads[collected++] = *payload;
	}
	CU_ASSERT_EQUAL(heads, 4);
	CU_ASSERT_EQUAL(memcmp(opcodes, (unsigned[]){ 1, OB_OPCODE_PING, OB_OPCODE_CONTINUED, 1 },
		sizeof opcodes), 0);
	CU_ASSERT_EQUAL(collected, 5);
	CU_ASSERT_EQUAL(memcmp(payloads, "hello", 5), 0);
	CU_ASSERT_EQUAL(ob_frames_length(&frames), 128);
}

static void
test_frames_are_lengthened_over_both_limits_of_the_short_forms(void)
{
	struct ob_frames frames = take_head("\x81\x6d", 2);
	expect_lengthened(&frames, 16, "\x81\x7d", 2);
	expect_lengthened(&frames, 17, "\x81\x7e\x00\x7e", 4);
	frames = take_head("\x01\x7e\xff\xef", 4);
	expect_lengthened(&frames, 16, "\x01\x7e\xff\xff", 4);
	expect_lengthened(&frames, 17, "\x01\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10);
	frames = take_head("\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00", 10);
	expect_lengthened(&frames, 1, "\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x01", 10);
}

static void
test_frames_keep_their_mask_when_they_are_lengthened(void)
{
	struct ob_frames frames = take_head("\x81\x82mask", 6);
	expect_lengthened(&frames, 1, "\x81\x83mask", 6);
	expect_lengthened(&frames, 200, "\x81\xfe\x00\xcamask", 8);
}

static const struct unit_test tests[] = {
	UNIT_TEST(test_frames_are_found_one_byte_at_a_time),
	UNIT_TEST(test_frames_are_lengthened_over_both_limits_of_the_short_forms),
	UNIT_TEST(test_frames_keep_their_mask_when_they_are_lengthened),
	{ NULL, NULL },
};

int
main(void)
{
	return unit_main("obstacle_frames", tests);
}
