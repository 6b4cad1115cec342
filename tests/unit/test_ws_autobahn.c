/* The cases of the public Autobahn test suite that apply to a server without extensions,
 * named by family and number; family 6 is in test_ws_autobahn_utf8.c. Each is fed whole,
 * byte by byte and in random pieces, so that the suite's own chopped variants of a case
 * (1.1.8, 2.6, 2.11, 5.4, 5.5 and so on) are the same test. */
#include "tests/unit/ws_case.h"

#define NOT_UTF8 "\xfe\xfd\xfc\xfb\x01\xff"

/* A frame of `len` times 'x'. */
static void
send_long(struct ws_case *c, unsigned first, size_t len)
{
	char *payload = malloc(len + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(payload);
	memset(payload, 'x', len);
	ws_put_frame(&c->sent, first, payload, len);
	free(payload);
}

static void
expect_long(struct ws_case *c, const char *kind, size_t len)
{
	char *payload = malloc(len + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(payload);
	memset(payload, 'x', len);
	ws_expect_event(c, kind, payload, len);
	free(payload);
}

static void
expect_lengths(unsigned opcode, const char *kind)
{
	static const size_t lengths[] = { 0, 125, 126, 127, 128, 65535, 65536 };
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct ws_case c = ws_case();
		send_long(&c, WS_FIN | opcode, lengths[i]);
		expect_long(&c, kind, lengths[i]);
		ws_expect(&c, "");
	}
}

static void
test_autobahn_1_1_text_messages_of_every_length_form(void)
{
	expect_lengths(TEXT, "T");
}

static void
test_autobahn_1_2_binary_messages_of_every_length_form(void)
{
	expect_lengths(BINARY, "B");
}

static void
test_autobahn_2_1_ping_without_payload(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, PING, "");
	ws_expect(&c, "P:|");
}

static void
test_autobahn_2_2_ping_with_text(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, PING, "Hello, world!");
	ws_expect(&c, "P:Hello, world!|");
}

static void
test_autobahn_2_3_ping_with_bytes_that_are_no_text(void)
{
	struct ws_case c = ws_case();
	ws_put_frame(&c.sent, WS_FIN | PING, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8);
	ws_expect_event(&c, "P", "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8);
	ws_expect(&c, "");
}

static void
test_autobahn_2_4_and_2_6_ping_of_every_allowed_length(void)
{
	for (size_t len = 0; len <= 125; len++) {
		struct ws_case c = ws_case();
		send_long(&c, WS_FIN | PING, len);
		expect_long(&c, "P", len);
		ws_expect(&c, "");
	}
}

static void
test_autobahn_2_5_ping_of_126_bytes_fails(void)
{
	struct ws_case c = ws_case();
	send_long(&c, WS_FIN | PING, 126);
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_2_7_and_2_8_unsolicited_pongs_are_harmless(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, PONG, "");
	ws_send(&c, true, PONG, "unsolicited pong payload");
	ws_expect(&c, "O:|O:unsolicited pong payload|");
}

static void
test_autobahn_2_9_unsolicited_pong_then_ping(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, PONG, "unsolicited pong payload");
	ws_send(&c, true, PING, "ping payload");
	ws_expect(&c, "O:unsolicited pong payload|P:ping payload|");
}

static void
test_autobahn_2_10_and_2_11_ten_pings(void)
{
	struct ws_case c = ws_case();
	for (int i = 0; i < 10; i++) {
		char payload[20];
		snprintf(payload, sizeof payload, "payload-%d", i);
		ws_send(&c, true, PING, payload);
		ws_expect_event(&c, "P", payload, strlen(payload));
	}
	ws_expect(&c, "");
}

static void
test_autobahn_3_1_text_with_a_reserved_bit(void)
{
	struct ws_case c = ws_case();
	ws_put_frame(&c.sent, WS_FIN | 1 << 4 | TEXT, "Hello, world!", 13);
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_3_2_to_3_4_reserved_bits_after_a_valid_message(void)
{
	for (unsigned rsv = 1; rsv < 8; rsv++) {
		struct ws_case c = ws_case();
		ws_send(&c, true, TEXT, "Hello, world!");
		ws_put_frame(&c.sent, WS_FIN | rsv << 4 | TEXT, "Hello, world!", 13);
		ws_send(&c, true, PING, "");
		ws_expect(&c, "T:Hello, world!|F1002|");
	}
}

static void
expect_reserved_refused(unsigned opcode, const char *payload, size_t len)
{
	for (unsigned rsv = 1; rsv < 8; rsv++) {
		struct ws_case c = ws_case();
		ws_put_frame(&c.sent, WS_FIN | rsv << 4 | opcode, payload, len);
		ws_expect_failure_at(&c, 1);
		ws_expect(&c, "F1002|");
	}
}

static void
test_autobahn_3_5_binary_with_reserved_bits(void)
{
	expect_reserved_refused(BINARY, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8);
}

static void
test_autobahn_3_6_ping_with_reserved_bits(void)
{
	expect_reserved_refused(PING, "Hello, world!", 13);
	expect_reserved_refused(PONG, "Hello, world!", 13);
}

static void
test_autobahn_3_7_close_with_reserved_bits(void)
{
	expect_reserved_refused(CLOSE, "\x03\xe8", 2);
}

/* Alone, with a payload, and between a valid message and a ping. */
static void
expect_opcode_refused(unsigned opcode)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, opcode, "");
	ws_expect(&c, "F1002|");
	c = ws_case();
	ws_send(&c, true, opcode, "reserved opcode payload");
	ws_expect(&c, "F1002|");
	c = ws_case();
	ws_send(&c, true, TEXT, "Hello, world!");
	ws_send(&c, true, opcode, "reserved opcode payload");
	ws_send(&c, true, PING, "");
	ws_expect(&c, "T:Hello, world!|F1002|");
}

static void
test_autobahn_4_1_reserved_data_opcodes(void)
{
	for (unsigned opcode = 3; opcode <= 7; opcode++)
		expect_opcode_refused(opcode);
}

static void
test_autobahn_4_2_reserved_control_opcodes(void)
{
	for (unsigned opcode = 11; opcode <= 15; opcode++)
		expect_opcode_refused(opcode);
}

static void
test_autobahn_5_1_fragmented_ping(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, PING, "fragment1");
	ws_send(&c, true, CONT, "fragment2");
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_5_2_fragmented_pong(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, PONG, "fragment1");
	ws_send(&c, true, CONT, "fragment2");
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_5_3_to_5_5_text_in_two_fragments(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, "fragment1");
	ws_send(&c, true, CONT, "fragment2");
	ws_expect(&c, "T:fragment1fragment2|");
}

static void
test_autobahn_5_6_to_5_8_ping_between_two_fragments(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, "fragment1");
	ws_send(&c, true, PING, "ping payload");
	ws_send(&c, true, CONT, "fragment2");
	ws_expect(&c, "P:ping payload|T:fragment1fragment2|");
}

static void
test_autobahn_5_9_to_5_11_final_continuation_of_nothing(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, CONT, "non-continuation payload");
	ws_send(&c, true, TEXT, "Hello, world!");
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_5_12_to_5_14_unfinished_continuation_of_nothing(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, CONT, "non-continuation payload");
	ws_send(&c, true, TEXT, "Hello, world!");
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_5_15_continuation_after_a_finished_message(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, "fragment1");
	ws_send(&c, true, CONT, "fragment2");
	ws_send(&c, false, CONT, "fragment3");
	ws_send(&c, true, TEXT, "fragment4");
	ws_expect(&c, "T:fragment1fragment2|F1002|");
}

static void
expect_continuation_of_nothing_refused(bool fin)
{
	struct ws_case c = ws_case();
	for (int i = 0; i < 2; i++) {
		ws_send(&c, fin, CONT, "fragment1");
		ws_send(&c, false, TEXT, "fragment2");
		ws_send(&c, true, CONT, "fragment3");
	}
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_5_16_unfinished_continuation_before_a_fragmented_message(void)
{
	expect_continuation_of_nothing_refused(false);
}

static void
test_autobahn_5_17_final_continuation_before_a_fragmented_message(void)
{
	expect_continuation_of_nothing_refused(true);
}

static void
test_autobahn_5_18_second_fragment_is_no_continuation(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, "fragment1");
	ws_send(&c, true, TEXT, "fragment2");
	ws_expect(&c, "F1002|");
	c = ws_case();
	ws_send(&c, false, BINARY, "fragment1");
	ws_send(&c, false, TEXT, "fragment2");
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_5_19_and_5_20_pings_between_five_fragments(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, "fragment1");
	ws_send(&c, false, CONT, "fragment2");
	ws_send(&c, true, PING, "pongme 1!");
	ws_send(&c, false, CONT, "fragment3");
	ws_send(&c, false, CONT, "fragment4");
	ws_send(&c, true, PING, "pongme 2!");
	ws_send(&c, true, CONT, "fragment5");
	ws_expect(&c, "P:pongme 1!|P:pongme 2!|T:fragment1fragment2fragment3fragment4fragment5|");
}

static void
test_autobahn_7_1_1_message_then_close(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, TEXT, "Hello World!");
	ws_send(&c, true, CLOSE, "\x03\xe8");
	ws_expect(&c, "T:Hello World!|C1000:|");
}

static void
test_autobahn_7_1_2_two_closes(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, CLOSE, "\x03\xe8");
	ws_send(&c, true, CLOSE, "\x03\xe9");
	ws_expect(&c, "C1000:|");
}

static void
test_autobahn_7_1_3_ping_after_close_is_ignored(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, CLOSE, "\x03\xe8");
	ws_send(&c, true, PING, "");
	ws_expect(&c, "C1000:|");
}

static void
test_autobahn_7_1_4_message_after_close_is_ignored(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, CLOSE, "\x03\xe8");
	ws_send(&c, true, TEXT, "Hello World!");
	ws_expect(&c, "C1000:|");
}

static void
test_autobahn_7_1_5_close_between_fragments(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, "fragment1");
	ws_send(&c, true, CLOSE, "\x03\xe8");
	ws_send(&c, true, CONT, "fragment2");
	ws_expect(&c, "C1000:|");
}

static void
test_autobahn_7_1_6_long_message_then_close_then_ping(void)
{
	struct ws_case c = ws_case();
	send_long(&c, WS_FIN | TEXT, 256 * 1024);
	ws_send(&c, true, TEXT, "Hello World!");
	ws_send(&c, true, CLOSE, "\x03\xe8");
	ws_send(&c, true, PING, "");
	expect_long(&c, "T", 256 * 1024);
	ws_expect(&c, "T:Hello World!|C1000:|");
}

static void
test_autobahn_7_3_1_close_without_payload(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, CLOSE, "");
	ws_expect(&c, "C1005:|");
}

static void
test_autobahn_7_3_2_close_with_one_byte_fails(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, CLOSE, "a");
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_7_3_3_close_with_a_code(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, CLOSE, "\x03\xe8");
	ws_expect(&c, "C1000:|");
}

static void
test_autobahn_7_3_4_close_with_a_reason(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, CLOSE, "\x03\xe8Hello World!");
	ws_expect(&c, "C1000:Hello World!|");
}

/* A close with code 1000 and a reason of `len` times '*'. */
static void
send_close_reason(struct ws_case *c, size_t len)
{
	char payload[128] = "\x03\xe8";
	memset(payload + 2, '*', len);
	ws_put_frame(&c->sent, WS_FIN | CLOSE, payload, 2 + len);
}

static void
test_autobahn_7_3_5_close_with_the_longest_reason(void)
{
	struct ws_case c = ws_case();
	char reason[124] = { 0 };
	memset(reason, '*', 123);
	send_close_reason(&c, 123);
	ws_expect_event(&c, "C1000", reason, 123);
	ws_expect(&c, "");
}

static void
test_autobahn_7_3_6_close_with_too_long_a_reason_fails(void)
{
	struct ws_case c = ws_case();
	send_close_reason(&c, 124);
	ws_expect(&c, "F1002|");
}

static void
test_autobahn_7_5_1_close_reason_that_is_no_text_fails(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, true, CLOSE, "\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
		"\xed\xa0\x80\x65\x64\x69\x74\x65\x64");
	ws_expect(&c, "F1007|");
	c = ws_case();
	ws_send(&c, true, CLOSE, "\x03\xe8\xce\xba\xe1\xbd"); /* cut in mid-character */
	ws_expect(&c, "F1007|");
}

static void
close_with(struct ws_case *c, unsigned code, const char *reason)
{
	char payload[126] = { (char)(code >> 8), (char)code };
	strcpy(payload + 2, reason);
	ws_put_frame(&c->sent, WS_FIN | CLOSE, payload, 2 + strlen(reason));
}

static void
test_autobahn_7_7_valid_close_codes(void)
{
	static const unsigned codes[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011,
		1012, 1013, 1014, 3000, 3999, 4000, 4999 };
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		char kind[12];
		struct ws_case c = ws_case();
		close_with(&c, codes[i], "going");
		snprintf(kind, sizeof kind, "C%u", codes[i]);
		ws_expect_event(&c, kind, "going", 5);
		ws_expect(&c, "");
	}
}

static void
test_autobahn_7_9_and_7_13_invalid_close_codes(void)
{
	static const unsigned codes[] = { 0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999,
		5000, 65535 };
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		struct ws_case c = ws_case();
		close_with(&c, codes[i], "");
		ws_expect(&c, "F1002|");
		c = ws_case();
		close_with(&c, codes[i], NOT_UTF8); /* the code is looked at first */
		ws_expect(&c, "F1002|");
	}
}

static void
expect_large_frames(unsigned opcode, const char *kind)
{
	for (size_t len = 64 << 10; len <= 4 << 20; len *= 4) {
		struct ws_case c = ws_case();
		c.limits.max_message_bytes = len;
		send_long(&c, WS_FIN | opcode, len);
		expect_long(&c, kind, len);
		ws_expect(&c, "");
	}
}

static void
test_autobahn_9_1_large_text_frames(void)
{
	expect_large_frames(TEXT, "T");
}

static void
test_autobahn_9_2_large_binary_frames(void)
{
	expect_large_frames(BINARY, "B");
}

/* One megabyte in fragments of every size. */
static void
expect_large_fragmented(unsigned opcode, const char *kind)
{
	size_t total = 1 << 20;
	for (size_t len = 64; len <= total; len *= 4) {
		struct ws_case c = ws_case();
		c.limits = (struct sl_ws_limits){ total, (unsigned)(total / len) };
		for (size_t at = 0; at < total; at += len)
			send_long(&c, (at + len == total ? WS_FIN : 0) | (at ? CONT : opcode), len);
		expect_long(&c, kind, total);
		ws_expect(&c, "");
	}
}

static void
test_autobahn_9_3_large_fragmented_text(void)
{
	expect_large_fragmented(TEXT, "T");
}

static void
test_autobahn_9_4_large_fragmented_binary(void)
{
	expect_large_fragmented(BINARY, "B");
}

static void
test_autobahn_9_5_and_9_6_large_frames_byte_by_byte(void)
{
	struct ws_case c = ws_case();
	send_long(&c, WS_FIN | TEXT, 128 << 10);
	send_long(&c, WS_FIN | BINARY, 128 << 10);
	expect_long(&c, "T", 128 << 10);
	expect_long(&c, "B", 128 << 10);
	ws_expect(&c, "");
}

static void
test_autobahn_9_7_and_9_8_many_messages_in_a_row(void)
{
	static const size_t lengths[] = { 0, 16, 64, 256 };
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct ws_case c = ws_case();
		for (int message = 0; message < 200; message++) {
			send_long(&c, WS_FIN | (message % 2 ? BINARY : TEXT), lengths[i]);
			expect_long(&c, message % 2 ? "B" : "T", lengths[i]);
		}
		ws_expect(&c, "");
	}
}

static void
test_autobahn_9_message_over_the_limit_fails_at_its_header(void)
{
	struct ws_case c = ws_case();
	c.limits.max_message_bytes = 65536;
	send_long(&c, WS_FIN | BINARY, 65537);
	ws_expect_failure_at(&c, 14);
	ws_expect(&c, "F1009|");
	c = ws_case();
	c.limits.max_message_bytes = 65536;
	send_long(&c, TEXT, 65536);
	send_long(&c, WS_FIN | CONT, 1);
	ws_expect_failure_at(&c, 14 + 65536 + 6);
	ws_expect(&c, "F1009|");
}

static void
test_autobahn_10_1_message_in_many_uneven_fragments(void)
{
	struct ws_case c = ws_case();
	size_t total = 65536, most = 1300;
	for (size_t at = 0; at < total; at += most) {
		size_t len = total - at < most ? total - at : most;
		send_long(&c, (at + len == total ? WS_FIN : 0) | (at ? CONT : TEXT), len);
	}
	expect_long(&c, "T", total);
	ws_expect(&c, "");
}

static void
test_autobahn_12_and_13_compressed_messages_were_not_agreed_on(void)
{
	/* "Hello" as permessage-deflate sends it (RFC 7692, section 7.2.3.1) */
	struct ws_case c = ws_case();
	ws_put_frame(&c.sent, WS_FIN | 1 << 6 | TEXT, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
	ws_expect_failure_at(&c, 1);
	ws_expect(&c, "F1002|");
	c = ws_case();
	ws_put_frame(&c.sent, 1 << 6 | TEXT, "\xf2\x48\xcd", 3);
	ws_put_frame(&c.sent, WS_FIN | CONT, "\xc9\xc9\x07\x00", 4);
	ws_expect_failure_at(&c, 1);
	ws_expect(&c, "F1002|");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_autobahn_1_1_text_messages_of_every_length_form),
		UNIT_TEST(test_autobahn_1_2_binary_messages_of_every_length_form),
		UNIT_TEST(test_autobahn_2_1_ping_without_payload),
		UNIT_TEST(test_autobahn_2_2_ping_with_text),
		UNIT_TEST(test_autobahn_2_3_ping_with_bytes_that_are_no_text),
		UNIT_TEST(test_autobahn_2_4_and_2_6_ping_of_every_allowed_length),
		UNIT_TEST(test_autobahn_2_5_ping_of_126_bytes_fails),
		UNIT_TEST(test_autobahn_2_7_and_2_8_unsolicited_pongs_are_harmless),
		UNIT_TEST(test_autobahn_2_9_unsolicited_pong_then_ping),
		UNIT_TEST(test_autobahn_2_10_and_2_11_ten_pings),
		UNIT_TEST(test_autobahn_3_1_text_with_a_reserved_bit),
		UNIT_TEST(test_autobahn_3_2_to_3_4_reserved_bits_after_a_valid_message),
		UNIT_TEST(test_autobahn_3_5_binary_with_reserved_bits),
		UNIT_TEST(test_autobahn_3_6_ping_with_reserved_bits),
		UNIT_TEST(test_autobahn_3_7_close_with_reserved_bits),
		UNIT_TEST(test_autobahn_4_1_reserved_data_opcodes),
		UNIT_TEST(test_autobahn_4_2_reserved_control_opcodes),
		UNIT_TEST(test_autobahn_5_1_fragmented_ping),
		UNIT_TEST(test_autobahn_5_2_fragmented_pong),
		UNIT_TEST(test_autobahn_5_3_to_5_5_text_in_two_fragments),
		UNIT_TEST(test_autobahn_5_6_to_5_8_ping_between_two_fragments),
		UNIT_TEST(test_autobahn_5_9_to_5_11_final_continuation_of_nothing),
		UNIT_TEST(test_autobahn_5_12_to_5_14_unfinished_continuation_of_nothing),
		UNIT_TEST(test_autobahn_5_15_continuation_after_a_finished_message),
		UNIT_TEST(test_autobahn_5_16_unfinished_continuation_before_a_fragmented_message),
		UNIT_TEST(test_autobahn_5_17_final_continuation_before_a_fragmented_message),
		UNIT_TEST(test_autobahn_5_18_second_fragment_is_no_continuation),
		UNIT_TEST(test_autobahn_5_19_and_5_20_pings_between_five_fragments),
		UNIT_TEST(test_autobahn_7_1_1_message_then_close),
		UNIT_TEST(test_autobahn_7_1_2_two_closes),
		UNIT_TEST(test_autobahn_7_1_3_ping_after_close_is_ignored),
		UNIT_TEST(test_autobahn_7_1_4_message_after_close_is_ignored),
		UNIT_TEST(test_autobahn_7_1_5_close_between_fragments),
		UNIT_TEST(test_autobahn_7_1_6_long_message_then_close_then_ping),
		UNIT_TEST(test_autobahn_7_3_1_close_without_payload),
		UNIT_TEST(test_autobahn_7_3_2_close_with_one_byte_fails),
		UNIT_TEST(test_autobahn_7_3_3_close_with_a_code),
		UNIT_TEST(test_autobahn_7_3_4_close_with_a_reason),
		UNIT_TEST(test_autobahn_7_3_5_close_with_the_longest_reason),
		UNIT_TEST(test_autobahn_7_3_6_close_with_too_long_a_reason_fails),
		UNIT_TEST(test_autobahn_7_5_1_close_reason_that_is_no_text_fails),
		UNIT_TEST(test_autobahn_7_7_valid_close_codes),
		UNIT_TEST(test_autobahn_7_9_and_7_13_invalid_close_codes),
		UNIT_TEST(test_autobahn_9_1_large_text_frames),
		UNIT_TEST(test_autobahn_9_2_large_binary_frames),
		UNIT_TEST(test_autobahn_9_3_large_fragmented_text),
		UNIT_TEST(test_autobahn_9_4_large_fragmented_binary),
		UNIT_TEST(test_autobahn_9_5_and_9_6_large_frames_byte_by_byte),
		UNIT_TEST(test_autobahn_9_7_and_9_8_many_messages_in_a_row),
		UNIT_TEST(test_autobahn_9_message_over_the_limit_fails_at_its_header),
		UNIT_TEST(test_autobahn_10_1_message_in_many_uneven_fragments),
		UNIT_TEST(test_autobahn_12_and_13_compressed_messages_were_not_agreed_on),
		{ NULL, NULL },
	};
	return unit_main("ws_autobahn", tests);
}
