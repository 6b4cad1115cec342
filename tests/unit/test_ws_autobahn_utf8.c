/* Family 6 of the public Autobahn test suite: UTF-8 in text messages. Every sequence goes
 * out in one frame and in fragments of one byte, each chopped in every way, and every wrong
 * one must fail at the very byte that makes it wrong. */
#include "tests/unit/ws_case.h"

#define HEADER_LEN 6 /* of a short masked frame */
#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
#define HELLO "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"

/* The number, from 1, of the byte that is wrong or at which the text ends in mid-character;
 * 0 for valid text. */
struct sequence {
	const char *bytes;
	size_t fails_at;
};

/* Sends `len` bytes in fragments of one byte, then an empty last one. */
static void
send_bytewise(struct ws_case *c, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ws_put_frame(&c->sent, i == 0 ? TEXT : CONT, bytes + i, 1);
	ws_put_frame(&c->sent, WS_FIN | (len ? CONT : TEXT), "", 0);
}

static void
expect_text(const char *bytes, size_t len)
{
	struct ws_case c = ws_case();
	ws_put_frame(&c.sent, WS_FIN | TEXT, bytes, len);
	ws_expect_event(&c, "T", bytes, len);
	ws_expect(&c, "");
	c = ws_case();
	send_bytewise(&c, bytes, len);
	ws_expect_event(&c, "T", bytes, len);
	ws_expect(&c, "");
}

static void
expect_no_text(const char *bytes, size_t len, size_t fails_at)
{
	struct ws_case c = ws_case();
	ws_put_frame(&c.sent, WS_FIN | TEXT, bytes, len);
	ws_expect_failure_at(&c, HEADER_LEN + fails_at);
	ws_expect(&c, "F1007|");
	c = ws_case();
	send_bytewise(&c, bytes, len);
	ws_expect(&c, "F1007|");
}

static void
expect_sequences(const struct sequence *sequences)
{
	for (; sequences->bytes; sequences++) {
		size_t len = strlen(sequences->bytes);
		if (sequences->fails_at == 0)
			expect_text(sequences->bytes, len);
		else
			expect_no_text(sequences->bytes, len, sequences->fails_at);
	}
}

static void
test_autobahn_6_1_1_empty_text(void)
{
	expect_text("", 0);
}

static void
test_autobahn_6_1_2_three_empty_fragments(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, "");
	ws_send(&c, false, CONT, "");
	ws_send(&c, true, CONT, "");
	ws_expect(&c, "T:|");
}

static void
test_autobahn_6_1_3_empty_fragments_around_a_full_one(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, "");
	ws_send(&c, false, CONT, "middle frame payload");
	ws_send(&c, true, CONT, "");
	ws_expect(&c, "T:middle frame payload|");
}

static void
test_autobahn_6_2_1_and_6_2_3_valid_text_whole_and_in_single_bytes(void)
{
	expect_text(HELLO, strlen(HELLO));
}

static void
test_autobahn_6_2_2_valid_text_split_between_and_within_characters(void)
{
	for (size_t at = 0; at <= strlen(HELLO); at++) {
		struct ws_case c = ws_case();
		ws_put_frame(&c.sent, TEXT, HELLO, at);
		ws_put_frame(&c.sent, WS_FIN | CONT, HELLO + at, strlen(HELLO) - at);
		ws_expect_event(&c, "T", HELLO, strlen(HELLO));
		ws_expect(&c, "");
	}
}

static void
test_autobahn_6_2_4_valid_greek_whole_and_in_single_bytes(void)
{
	expect_text(KOSME, strlen(KOSME));
}

static void
test_autobahn_6_3_invalid_text_whole_and_in_single_bytes(void)
{
	static const char text[] = KOSME "\xed\xa0\x80" "edited";
	expect_no_text(text, sizeof text - 1, 13);
}

static void
test_autobahn_6_4_1_invalid_second_fragment_fails_before_the_third(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, KOSME);
	ws_send(&c, false, CONT, "\xf4\x90\x80\x80");
	ws_send(&c, true, CONT, "edited");
	ws_expect_failure_at(&c, HEADER_LEN + 11 + HEADER_LEN + 2);
	ws_expect(&c, "F1007|");
}

static void
test_autobahn_6_4_2_character_split_over_fragments_fails_at_its_second_byte(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, TEXT, KOSME "\xf4");
	ws_send(&c, false, CONT, "\x90");
	ws_send(&c, true, CONT, "\x80\x80" "edited");
	ws_expect_failure_at(&c, HEADER_LEN + 12 + HEADER_LEN + 1);
	ws_expect(&c, "F1007|");
}

static void
test_autobahn_6_4_3_and_6_4_4_unfinished_frame_fails_at_the_invalid_byte(void)
{
	static const char text[] = KOSME "\xf4\x90\x80\x80" "edited";
	struct ws_case c = ws_case();
	ws_put_frame(&c.sent, WS_FIN | TEXT, text, sizeof text - 1);
	c.sent.len = HEADER_LEN + 13; /* nothing but what makes it wrong */
	ws_expect_failure_at(&c, HEADER_LEN + 13);
	ws_expect(&c, "F1007|");
	c = ws_case();
	ws_put_frame(&c.sent, WS_FIN | TEXT, text, sizeof text - 1);
	c.sent.len = HEADER_LEN + 12; /* could still become right */
	ws_expect(&c, "");
}

static void
test_autobahn_6_5_some_valid_sequences(void)
{
	static const struct sequence sequences[] = {
		{ "hello\x24world" }, { "hello\xC2\xA2world" }, { "hello\xE2\x82\xACworld" },
		{ "hello\xF0\xA4\xAD\xA2world" }, { KOSME }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_6_all_prefixes_of_a_valid_text(void)
{
	static const size_t whole_characters[] = { 0, 2, 5, 7, 9, 11 };
	for (size_t len = 0, next = 0; len <= strlen(KOSME); len++) {
		if (len == whole_characters[next]) {
			expect_text(KOSME, len);
			next++;
		} else {
			expect_no_text(KOSME, len, len);
		}
	}
}

static void
test_autobahn_6_7_first_sequence_of_each_length(void)
{
	static const struct sequence sequences[] = {
		{ "\xc2\x80" }, { "\xe0\xa0\x80" }, { "\xf0\x90\x80\x80" }, { NULL },
	};
	expect_text("\0", 1);
	expect_sequences(sequences);
}

static void
test_autobahn_6_8_first_sequence_of_length_5_and_6(void)
{
	static const struct sequence sequences[] = {
		{ "\xf8\x88\x80\x80\x80", 1 }, { "\xfc\x84\x80\x80\x80\x80", 1 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_9_last_sequence_of_each_length(void)
{
	static const struct sequence sequences[] = {
		{ "\x7f" }, { "\xdf\xbf" }, { "\xef\xbf\xbf" }, { "\xf4\x8f\xbf\xbf" }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_10_last_sequence_of_length_4_to_6(void)
{
	static const struct sequence sequences[] = {
		{ "\xf7\xbf\xbf\xbf", 1 }, { "\xfb\xbf\xbf\xbf\xbf", 1 },
		{ "\xfd\xbf\xbf\xbf\xbf\xbf", 1 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_11_other_boundaries(void)
{
	static const struct sequence sequences[] = {
		{ "\xed\x9f\xbf" }, { "\xee\x80\x80" }, { "\xef\xbf\xbd" }, { "\xf4\x8f\xbf\xbf" },
		{ "\xf4\x90\x80\x80", 2 }, { "\xf5\x80\x80\x80", 1 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_12_unexpected_continuation_bytes(void)
{
	static const struct sequence sequences[] = {
		{ "\x80", 1 }, { "\xbf", 1 }, { "\x80\xbf", 1 }, { "\x80\xbf\x80", 1 },
		{ "\x80\xbf\x80\xbf", 1 }, { "\x80\xbf\x80\xbf\x80", 1 },
		{ "\x80\xbf\x80\xbf\x80\xbf", 1 }, { "a\x80", 2 }, { "\xc2\x80\x80", 3 }, { NULL },
	};
	expect_sequences(sequences);
	for (int byte = 0x80; byte <= 0xbf; byte++) {
		char text[2] = { (char)byte, ' ' };
		expect_no_text(text, 2, 1);
	}
}

static void
test_autobahn_6_13_lonely_start_bytes(void)
{
	for (int byte = 0xc0; byte <= 0xff; byte++) {
		char text[2] = { (char)byte, ' ' };
		expect_no_text(text, 2, byte >= 0xc2 && byte <= 0xf4 ? 2 : 1);
	}
}

static void
test_autobahn_6_14_last_continuation_byte_missing(void)
{
	static const struct sequence sequences[] = {
		{ "\xc0", 1 }, { "\xe0\x80", 2 }, { "\xf0\x80\x80", 2 }, { "\xf8\x80\x80\x80", 1 },
		{ "\xfc\x80\x80\x80\x80", 1 }, { "\xdf", 1 }, { "\xef\xbf", 2 },
		{ "\xf7\xbf\xbf", 1 }, { "\xfb\xbf\xbf\xbf", 1 }, { "\xfd\xbf\xbf\xbf\xbf", 1 },
		{ "\xf4\x8f\xbf", 3 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_15_concatenated_incomplete_sequences(void)
{
	static const struct sequence sequences[] = {
		{ "\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80"
		  "\xdf\xef\xbf\xf7\xbf\xbf\xfb\xbf\xbf\xbf\xfd\xbf\xbf\xbf\xbf", 1 },
		{ "\xdf\xef\xbf", 2 }, { "\xef\xbf\xdf", 3 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_16_impossible_bytes(void)
{
	static const struct sequence sequences[] = {
		{ "\xfe", 1 }, { "\xff", 1 }, { "\xfe\xfe\xff\xff", 1 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_17_overlong_slash(void)
{
	static const struct sequence sequences[] = {
		{ "\xc0\xaf", 1 }, { "\xe0\x80\xaf", 2 }, { "\xf0\x80\x80\xaf", 2 },
		{ "\xf8\x80\x80\x80\xaf", 1 }, { "\xfc\x80\x80\x80\x80\xaf", 1 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_18_longest_overlong_sequences(void)
{
	static const struct sequence sequences[] = {
		{ "\xc1\xbf", 1 }, { "\xe0\x9f\xbf", 2 }, { "\xf0\x8f\xbf\xbf", 2 },
		{ "\xf8\x87\xbf\xbf\xbf", 1 }, { "\xfc\x83\xbf\xbf\xbf\xbf", 1 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_19_overlong_nul(void)
{
	static const struct sequence sequences[] = {
		{ "\xc0\x80", 1 }, { "\xe0\x80\x80", 2 }, { "\xf0\x80\x80\x80", 2 },
		{ "\xf8\x80\x80\x80\x80", 1 }, { "\xfc\x80\x80\x80\x80\x80", 1 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_20_single_surrogates(void)
{
	static const struct sequence sequences[] = {
		{ "\xed\xa0\x80", 2 }, { "\xed\xad\xbf", 2 }, { "\xed\xae\x80", 2 },
		{ "\xed\xaf\xbf", 2 }, { "\xed\xb0\x80", 2 }, { "\xed\xbe\x80", 2 },
		{ "\xed\xbf\xbf", 2 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_21_paired_surrogates(void)
{
	static const struct sequence sequences[] = {
		{ "\xed\xa0\x80\xed\xb0\x80", 2 }, { "\xed\xa0\x80\xed\xbf\xbf", 2 },
		{ "\xed\xad\xbf\xed\xb0\x80", 2 }, { "\xed\xad\xbf\xed\xbf\xbf", 2 },
		{ "\xed\xae\x80\xed\xb0\x80", 2 }, { "\xed\xae\x80\xed\xbf\xbf", 2 },
		{ "\xed\xaf\xbf\xed\xb0\x80", 2 }, { "\xed\xaf\xbf\xed\xbf\xbf", 2 }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_22_non_characters_are_valid(void)
{
	static const struct sequence sequences[] = {
		{ "\xef\xbf\xbe" }, { "\xef\xbf\xbf" }, { "\xef\xb7\x90" }, { NULL },
	};
	expect_sequences(sequences);
	for (unsigned plane = 1; plane <= 16; plane++)
		for (unsigned last = 0xbe; last <= 0xbf; last++) {
			char text[4] = { (char)(0xf0 | plane >> 2), (char)(0x8f | (plane & 3) << 4),
				(char)0xbf, (char)last };
			expect_text(text, 4);
		}
}

static void
test_autobahn_6_23_specials_are_valid(void)
{
	static const struct sequence sequences[] = {
		{ "\xef\xbf\xb9" }, { "\xef\xbf\xba" }, { "\xef\xbf\xbb" }, { "\xef\xbf\xbc" },
		{ "\xef\xbf\xbd" }, { "\xef\xbf\xbe" }, { "\xef\xbf\xbf" }, { NULL },
	};
	expect_sequences(sequences);
}

static void
test_autobahn_6_binary_messages_may_hold_anything(void)
{
	struct ws_case c = ws_case();
	ws_send(&c, false, BINARY, "\xff\xfe");
	ws_send(&c, true, CONT, "\xc0\x80\xed\xa0");
	ws_expect(&c, "B:\xff\xfe\xc0\x80\xed\xa0|");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_autobahn_6_1_1_empty_text),
		UNIT_TEST(test_autobahn_6_1_2_three_empty_fragments),
		UNIT_TEST(test_autobahn_6_1_3_empty_fragments_around_a_full_one),
		UNIT_TEST(test_autobahn_6_2_1_and_6_2_3_valid_text_whole_and_in_single_bytes),
		UNIT_TEST(test_autobahn_6_2_2_valid_text_split_between_and_within_characters),
		UNIT_TEST(test_autobahn_6_2_4_valid_greek_whole_and_in_single_bytes),
		UNIT_TEST(test_autobahn_6_3_invalid_text_whole_and_in_single_bytes),
		UNIT_TEST(test_autobahn_6_4_1_invalid_second_fragment_fails_before_the_third),
		UNIT_TEST(test_autobahn_6_4_2_character_split_over_fragments_fails_at_its_second_byte),
		UNIT_TEST(test_autobahn_6_4_3_and_6_4_4_unfinished_frame_fails_at_the_invalid_byte),
		UNIT_TEST(test_autobahn_6_5_some_valid_sequences),
		UNIT_TEST(test_autobahn_6_6_all_prefixes_of_a_valid_text),
		UNIT_TEST(test_autobahn_6_7_first_sequence_of_each_length),
		UNIT_TEST(test_autobahn_6_8_first_sequence_of_length_5_and_6),
		UNIT_TEST(test_autobahn_6_9_last_sequence_of_each_length),
		UNIT_TEST(test_autobahn_6_10_last_sequence_of_length_4_to_6),
		UNIT_TEST(test_autobahn_6_11_other_boundaries),
		UNIT_TEST(test_autobahn_6_12_unexpected_continuation_bytes),
		UNIT_TEST(test_autobahn_6_13_lonely_start_bytes),
		UNIT_TEST(test_autobahn_6_14_last_continuation_byte_missing),
		UNIT_TEST(test_autobahn_6_15_concatenated_incomplete_sequences),
		UNIT_TEST(test_autobahn_6_16_impossible_bytes),
		UNIT_TEST(test_autobahn_6_17_overlong_slash),
		UNIT_TEST(test_autobahn_6_18_longest_overlong_sequences),
		UNIT_TEST(test_autobahn_6_19_overlong_nul),
		UNIT_TEST(test_autobahn_6_20_single_surrogates),
		UNIT_TEST(test_autobahn_6_21_paired_surrogates),
		UNIT_TEST(test_autobahn_6_22_non_characters_are_valid),
		UNIT_TEST(test_autobahn_6_23_specials_are_valid),
		UNIT_TEST(test_autobahn_6_binary_messages_may_hold_anything),
		{ NULL, NULL },
	};
	return unit_main("ws_autobahn_utf8", tests);
}
