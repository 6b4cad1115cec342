#include "transports/ws_frame.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

/* Decodes byte by byte; returns the result and how many bytes it took in `*taken`. */
static int
decode_slowly(struct sl_ws_frame_header *header, const void *bytes, size_t len, size_t *taken)
{
	const char *at = bytes;
	memset(header, 0, sizeof *header);
	for (*taken = 0; *taken < len;) {
		size_t used;
		int result = sl_ws_frame_decode_header(header, at + *taken, 1, &used);
		CU_ASSERT_EQUAL(used, 1);
		*taken += used;
		if (result != 0)
			return result;
	}
	return 0;
}

/* The header is accepted, whole (with more behind it) and byte by byte. */
static void
expect_header(const void *bytes, size_t len, unsigned opcode, bool fin, uint64_t payload_len)
{
	char more[32] = { 0 };
	memcpy(more, bytes, len);
	struct sl_ws_frame_header whole = { 0 }, slow;
	size_t used;
	CU_ASSERT_EQUAL(sl_ws_frame_decode_header(&whole, more, sizeof more, &used), 1);
	CU_ASSERT_EQUAL(used, len);
	CU_ASSERT_EQUAL(decode_slowly(&slow, bytes, len, &used), 1);
	CU_ASSERT_EQUAL(used, len);
	CU_ASSERT_EQUAL(memcmp(&whole, &slow, sizeof whole), 0);
	CU_ASSERT_EQUAL(whole.opcode, opcode);
	CU_ASSERT_EQUAL(whole.fin, fin);
	CU_ASSERT_EQUAL(whole.len, payload_len);
	CU_ASSERT_EQUAL(memcmp(whole.mask, (const char *)bytes + len - 4, 4), 0);
}

/* The header is refused at byte number `at`, not before and not later. */
static void
expect_refused_at(const void *bytes, size_t at)
{
	struct sl_ws_frame_header header;
	size_t taken;
	CU_ASSERT_EQUAL(decode_slowly(&header, bytes, 14, &taken), SL_EPROTO);
	CU_ASSERT_EQUAL(taken, at);
}

static void
test_ws_frame_reads_every_length_form(void)
{
	expect_header("\x81\x80""abcd", 6, SL_WS_OPCODE_TEXT, true, 0);
	expect_header("\x02\xfd""abcd", 6, SL_WS_OPCODE_BINARY, false, 125);
	expect_header("\x00\xfe\x00\x7e""abcd", 8, SL_WS_OPCODE_CONTINUATION, false, 126);
	expect_header("\x80\xfe\xff\xff""abcd", 8, SL_WS_OPCODE_CONTINUATION, true, 65535);
	expect_header("\x82\xff\0\0\0\0\0\1\0\0""abcd", 14, SL_WS_OPCODE_BINARY, true, 65536);
	expect_header("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff""abcd", 14,
		SL_WS_OPCODE_BINARY, true, INT64_MAX);
	expect_header("\x89\xfd\xff\x80\x00\x01", 6, SL_WS_OPCODE_PING, true, 125);
}

static void
test_ws_frame_refuses_a_length_not_in_its_shortest_form(void)
{
	expect_refused_at("\x81\xfe\x00\x7d""abcd......", 4);
	expect_refused_at("\x81\xfe\x00\x00""abcd......", 4);
	expect_refused_at("\x81\xff\0\0\0\0\0\0\xff\xff""abcd", 10);
	expect_refused_at("\x81\xff\0\0\0\0\0\0\0\0""abcd", 10);
}

static void
test_ws_frame_refuses_a_length_over_63_bits(void)
{
	expect_refused_at("\x81\xff\x80\0\0\0\0\1\0\0""abcd", 3);
}

static void
test_ws_frame_refuses_reserved_bits_and_opcodes(void)
{
	for (unsigned rsv = 1; rsv < 8; rsv++) {
		char bytes[15] = "\x81\x80""abcd";
		bytes[0] = (char)(0x81 | rsv << 4);
		expect_refused_at(bytes, 1);
	}
	for (unsigned opcode = 0; opcode < 16; opcode++) {
		char bytes[15] = "\x80\x80""abcd";
		bytes[0] = (char)(0x80 | opcode);
		if (opcode < 3 || (opcode >= 8 && opcode < 11))
			expect_header(bytes, 6, opcode, true, 0);
		else
			expect_refused_at(bytes, 1);
	}
}

static void
test_ws_frame_refuses_a_frame_without_mask(void)
{
	expect_refused_at("\x81\x00""abcdefghijkl", 2);
	expect_refused_at("\x89\x05""hello.......", 2);
}

static void
test_ws_frame_refuses_fragmented_and_long_control_frames(void)
{
	for (unsigned opcode = SL_WS_OPCODE_CLOSE; opcode <= SL_WS_OPCODE_PONG; opcode++) {
		char bytes[15] = "\x80\xfe\x00\x7e""abcd";
		bytes[0] = (char)opcode;
		expect_refused_at(bytes, 1);
		bytes[0] = (char)(0x80 | opcode);
		expect_refused_at(bytes, 2);
		bytes[1] = (char)0xff;
		expect_refused_at(bytes, 2);
	}
}

static void
test_ws_frame_masks_at_any_phase_and_length(void)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	for (unsigned phase = 0; phase < 9; phase++)
		for (size_t len = 0; len < 40; len++) {
			char bytes[48];
			for (size_t i = 0; i < sizeof bytes; i++)
				bytes[i] = (char)(i * 7);
			sl_ws_frame_mask(bytes + 1, len, mask, phase);
			CU_ASSERT_EQUAL(bytes[0], 0);
			for (size_t i = 1; i < sizeof bytes; i++) {
				uint8_t key = i <= len ? mask[(phase + i - 1) % 4] : 0;
				CU_ASSERT_EQUAL((uint8_t)bytes[i], (uint8_t)(i * 7) ^ key);
			}
		}
}

static void
test_ws_frame_unmasks_the_example_of_the_rfc(void)
{
	/* RFC 6455, section 5.7: a single-frame masked text message, "Hello" */
	char frame[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
	struct sl_ws_frame_header header = { 0 };
	size_t used;
	CU_ASSERT_EQUAL(sl_ws_frame_decode_header(&header, frame, sizeof frame - 1, &used), 1);
	CU_ASSERT_EQUAL_FATAL(used, 6);
	CU_ASSERT_EQUAL_FATAL(header.len, 5);
	sl_ws_frame_mask(frame + used, 5, header.mask, 0);
	CU_ASSERT_EQUAL(memcmp(frame + used, "Hello", 5), 0);
}

static void
expect_encoded(unsigned opcode, uint64_t len, const void *bytes, size_t bytes_len)
{
	uint8_t out[SL_WS_FRAME_HEADER_MAX];
	CU_ASSERT_EQUAL_FATAL(sl_ws_frame_encode_header(out, opcode, len), bytes_len);
	CU_ASSERT_EQUAL(memcmp(out, bytes, bytes_len), 0);
}

static void
test_ws_frame_writes_the_shortest_header(void)
{
	expect_encoded(SL_WS_OPCODE_TEXT, 0, "\x81\x00", 2);
	expect_encoded(SL_WS_OPCODE_TEXT, 125, "\x81\x7d", 2);
	expect_encoded(SL_WS_OPCODE_BINARY, 126, "\x82\x7e\x00\x7e", 4);
	expect_encoded(SL_WS_OPCODE_BINARY, 65535, "\x82\x7e\xff\xff", 4);
	expect_encoded(SL_WS_OPCODE_BINARY, 65536, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
	expect_encoded(SL_WS_OPCODE_BINARY, 0x123456789a, "\x82\x7f\0\0\0\x12\x34\x56\x78\x9a", 10);
	expect_encoded(SL_WS_OPCODE_PONG, 5, "\x8a\x05", 2);
}

static void
test_ws_frame_writes_a_close_with_code_and_reason(void)
{
	uint8_t out[SL_WS_CLOSE_FRAME_MAX];
	CU_ASSERT_EQUAL(sl_ws_frame_encode_close(out, 1012, "draining"), 12);
	CU_ASSERT_EQUAL(memcmp(out, "\x88\x0a\x03\xf4""draining", 12), 0);
	CU_ASSERT_EQUAL(sl_ws_frame_encode_close(out, 1000, NULL), 4);
	CU_ASSERT_EQUAL(memcmp(out, "\x88\x02\x03\xe8", 4), 0);
}

static void
test_ws_frame_writes_an_empty_close_for_no_code(void)
{
	uint8_t out[SL_WS_CLOSE_FRAME_MAX];
	CU_ASSERT_EQUAL(sl_ws_frame_encode_close(out, 1005, NULL), 2);
	CU_ASSERT_EQUAL(memcmp(out, "\x88\x00", 2), 0);
}

static void
test_ws_frame_cuts_a_long_close_reason_between_code_points(void)
{
	uint8_t out[SL_WS_CLOSE_FRAME_MAX];
	char reason[200] = { 0 };
	memset(reason, 'x', 123);
	CU_ASSERT_EQUAL(sl_ws_frame_encode_close(out, 1000, reason), 127);
	CU_ASSERT_EQUAL(memcmp(out + 4, reason, 123), 0);
	strcpy(reason + 121, "\xe2\x82\xac\xe2\x82\xac"); /* 123 falls into the euro sign */
	CU_ASSERT_EQUAL(sl_ws_frame_encode_close(out, 1000, reason), 125);
	CU_ASSERT_EQUAL(out[1], 123);
	strcpy(reason + 120, "\xe2\x82\xac\xe2\x82\xac"); /* the first one fits exactly */
	CU_ASSERT_EQUAL(sl_ws_frame_encode_close(out, 1000, reason), 127);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ws_frame_reads_every_length_form),
		UNIT_TEST(test_ws_frame_refuses_a_length_not_in_its_shortest_form),
		UNIT_TEST(test_ws_frame_refuses_a_length_over_63_bits),
		UNIT_TEST(test_ws_frame_refuses_reserved_bits_and_opcodes),
		UNIT_TEST(test_ws_frame_refuses_a_frame_without_mask),
		UNIT_TEST(test_ws_frame_refuses_fragmented_and_long_control_frames),
		UNIT_TEST(test_ws_frame_masks_at_any_phase_and_length),
		UNIT_TEST(test_ws_frame_unmasks_the_example_of_the_rfc),
		UNIT_TEST(test_ws_frame_writes_the_shortest_header),
		UNIT_TEST(test_ws_frame_writes_a_close_with_code_and_reason),
		UNIT_TEST(test_ws_frame_writes_an_empty_close_for_no_code),
		UNIT_TEST(test_ws_frame_cuts_a_long_close_reason_between_code_points),
		{ NULL, NULL },
	};
	return unit_main("ws_frame", tests);
}
