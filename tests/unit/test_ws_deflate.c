/* Compressed messages of a client (RFC 7692, section 6), as the cases of a conformance suite: however the
 * bytes are chopped. */
#include "tests/unit/deflate_parts.h"
#include "tests/unit/ws_case.h"
#include "util/deflate.h"

#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"
#define HELLO_LEN 7
#define RSV1 SL_WS_RSV1
#define RSV2 0x20u
#define RSV3 0x10u

static struct sl_deflater *deflater;

static struct ws_case
agreed_case(void)
{
	struct ws_case c = ws_case();
	c.limits.deflater = deflater;
	return c;
}

static void
send(struct ws_case *c, unsigned first, const void *payload, size_t len)
{
	ws_put_frame(&c->sent, first, payload, len);
}

/* A frame that holds a whole compressed message. */
static void
send_compressed(struct ws_case *c, unsigned opcode, const char *text, size_t len)
{
	struct sl_span made;
	deflate_require(sl_deflater_compress(deflater, 15, text, len, &made) == 0);
	send(c, WS_FIN | RSV1 | opcode, made.bytes, made.len);
}

static void
test_ws_deflate_reads_compressed_and_other_messages_in_turn(void)
{
	struct ws_case c = agreed_case();
	send(&c, WS_FIN | RSV1 | TEXT, HELLO, HELLO_LEN);
	ws_send(&c, true, TEXT, "plain");
	send(&c, WS_FIN | RSV1 | BINARY, HELLO, HELLO_LEN);
	send(&c, WS_FIN | RSV1 | TEXT, "\0", 1);
	ws_send(&c, true, BINARY, "");
	ws_expect(&c, "T:Hello|T:plain|B:Hello|T:|B:|");
}

/* RFC 7692, section 7.2.3.1: only the first fragment has the bit, and a ping may stand between. */
static void
test_ws_deflate_reads_a_compressed_message_in_fragments(void)
{
	struct ws_case c = agreed_case();
	send(&c, RSV1 | TEXT, "\xf2\x48\xcd", 3);
	send(&c, WS_FIN | PING, "p", 1);
	send(&c, CONT, "", 0);
	send(&c, CONT, "\xc9", 1);
	send(&c, WS_FIN | CONT, "\xc9\x07\x00", 3);
	send(&c, WS_FIN | RSV1 | TEXT, HELLO, HELLO_LEN);
	ws_expect(&c, "P:p|T:Hello|T:Hello|");
}

static void
expect_violation(unsigned before, unsigned first)
{
	struct ws_case c = agreed_case();
	if (before)
		send(&c, before, before & RSV1 ? HELLO : "a", 1);
	size_t at = c.sent.len + 1;
	send(&c, first, "", 0);
	ws_expect_failure_at(&c, at);
	ws_expect(&c, "F1002|");
}

static void
test_ws_deflate_refuses_the_bit_where_it_may_not_be(void)
{
	expect_violation(0, WS_FIN | RSV1 | PING);
	expect_violation(0, WS_FIN | RSV1 | PONG);
	expect_violation(0, WS_FIN | RSV1 | CLOSE);
	expect_violation(TEXT, WS_FIN | RSV1 | CONT);
	expect_violation(RSV1 | TEXT, WS_FIN | RSV1 | CONT);
	expect_violation(RSV1 | TEXT, RSV1 | CONT);
	expect_violation(0, WS_FIN | RSV2 | TEXT);
	expect_violation(0, WS_FIN | RSV3 | TEXT);
	expect_violation(0, WS_FIN | RSV1 | RSV2 | TEXT);
}

static void
test_ws_deflate_refuses_the_bit_where_nothing_was_agreed(void)
{
	static const unsigned opcodes[] = { TEXT, BINARY, CONT, PING };
	for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++) {
		struct ws_case c = ws_case();
		send(&c, WS_FIN | RSV1 | opcodes[i], HELLO, HELLO_LEN);
		ws_expect_failure_at(&c, 1);
		ws_expect(&c, "F1002|");
	}
}

static void
test_ws_deflate_checks_text_once_it_is_inflated(void)
{
	static const char bad[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xff";
	static const char cut[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe2\x82";
	struct ws_case c = agreed_case();
	send_compressed(&c, TEXT, bad, sizeof bad - 1);
	ws_expect(&c, "F1007|");
	c = agreed_case();
	send_compressed(&c, TEXT, cut, sizeof cut - 1);
	ws_expect(&c, "F1007|");
	c = agreed_case();
	send_compressed(&c, BINARY, bad, sizeof bad - 1);
	ws_expect_event(&c, "B", bad, sizeof bad - 1);
	ws_expect(&c, "");
}

static void
test_ws_deflate_refuses_broken_data(void)
{
	struct ws_case c = agreed_case();
	send(&c, WS_FIN | RSV1 | TEXT, "\xff\xff", 2);
	ws_expect(&c, "F1007|");
	c = agreed_case();
	send(&c, WS_FIN | RSV1 | BINARY, HELLO, HELLO_LEN - 1); /* cut */
	ws_expect(&c, "F1007|");
	c = agreed_case();
	send(&c, RSV1 | BINARY, HELLO, 3);
	send(&c, WS_FIN | CONT, "\xff\xff\xff\xff", 4);
	ws_expect(&c, "F1007|");
	c = agreed_case();
	send(&c, WS_FIN | RSV1 | TEXT, "", 0);
	ws_expect(&c, "F1007|");
}

/* The sizes of Autobahn|Testsuite's sections 12 and 13, whole and in frames of 256 and of 4096 bytes. */
static void
test_ws_deflate_reads_messages_of_every_size_in_frames_of_every_size(void)
{
	static char text[131072];
	static const size_t frames[] = { SIZE_MAX, 256, 4096 };
	deflate_fill_json(text, sizeof text, 11);
	for (size_t len = 64; len <= sizeof text; len *= 2)
		for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
			struct ws_case c = agreed_case();
			struct sl_span made;
			deflate_require(sl_deflater_compress(deflater, 8 + (unsigned)(len % 7), text, len, &made) == 0);
			for (size_t at = 0; at < made.len; at += frames[i]) {
				size_t part = made.len - at < frames[i] ? made.len - at : frames[i];
				send(&c, (at + part == made.len ? WS_FIN : 0) | (at ? CONT : RSV1 | TEXT),
					made.bytes + at, part);
				if (frames[i] == SIZE_MAX)
					break;
			}
			ws_expect_event(&c, "T", text, len);
			ws_expect(&c, "");
		}
}

/* ---- limits ---- */

/* In `fragments` frames. */
static void
expect_bomb_refused(unsigned fragments)
{
	size_t len, zeros;
	char *bomb = deflate_make_bomb(65536, &len, &zeros);
	struct ws_case c = agreed_case();
	c.limits.max_message_bytes = 65536;
	for (unsigned i = 0; i < fragments; i++) {
		size_t from = len * i / fragments, to = len * (i + 1) / fragments;
		send(&c, (i + 1 == fragments ? WS_FIN : 0) | (i ? CONT : RSV1 | BINARY), bomb + from,
			to - from);
	}
	free(bomb);
	ws_expect(&c, "F1009|");
}

static void
test_ws_deflate_refuses_a_bomb_at_the_limit(void)
{
	expect_bomb_refused(1);
	expect_bomb_refused(7);
	expect_bomb_refused(1000);
}

static void
test_ws_deflate_counts_what_a_message_inflates_to(void)
{
	char text[1000];
	memset(text, 'a', sizeof text);
	for (size_t max = 999; max <= 1001; max++) {
		struct ws_case c = agreed_case();
		c.limits.max_message_bytes = max;
		send_compressed(&c, TEXT, text, sizeof text);
		if (max >= 1000)
			ws_expect_event(&c, "T", text, sizeof text);
		ws_expect(&c, max < 1000 ? "F1009|" : "");
	}
}

/* What cannot be compressed comes in stored blocks, each with five bytes more. */
static void
test_ws_deflate_takes_a_stored_message_of_the_limit(void)
{
	char stored[1000 + 5 * 10 + 1], text[1000];
	size_t len = 0;
	for (unsigned i = 0; i < 10; i++) {
		memcpy(stored + len, "\x00\x64\x00\x9b\xff", 5);
		memset(stored + len + 5, 'a' + (int)i, 100);
		memset(text + 100 * i, 'a' + (int)i, 100);
		len += 105;
	}
	stored[len++] = 0;
	struct ws_case c = agreed_case();
	c.limits.max_message_bytes = sizeof text;
	send(&c, WS_FIN | RSV1 | TEXT, stored, len);
	ws_expect_event(&c, "T", text, sizeof text);
	ws_expect(&c, "");
}

static void
test_ws_deflate_refuses_a_large_message_at_its_header(void)
{
	static const uint8_t mask[4] = { 1, 2, 3, 4 };
	struct ws_case c = agreed_case();
	c.limits.max_message_bytes = 1000;
	ws_put_header(&c.sent, WS_FIN | RSV1 | TEXT, 1000 + 1000 / 64 + 65, mask);
	ws_expect(&c, "F1009|");
	/* one that is not compressed keeps its own limit */
	c = agreed_case();
	c.limits.max_message_bytes = 1000;
	ws_put_header(&c.sent, WS_FIN | TEXT, 1001, mask);
	ws_expect(&c, "F1009|");
	/* over fragments */
	char some[600] = { 0 };
	c = agreed_case();
	c.limits.max_message_bytes = 1000;
	send(&c, RSV1 | TEXT, some, sizeof some);
	ws_put_header(&c.sent, WS_FIN | CONT, 1000 + 1000 / 64 + 65 - sizeof some, mask);
	ws_expect(&c, "F1009|");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ws_deflate_reads_compressed_and_other_messages_in_turn),
		UNIT_TEST(test_ws_deflate_reads_a_compressed_message_in_fragments),
		UNIT_TEST(test_ws_deflate_refuses_the_bit_where_it_may_not_be),
		UNIT_TEST(test_ws_deflate_refuses_the_bit_where_nothing_was_agreed),
		UNIT_TEST(test_ws_deflate_checks_text_once_it_is_inflated),
		UNIT_TEST(test_ws_deflate_refuses_broken_data),
		UNIT_TEST(test_ws_deflate_reads_messages_of_every_size_in_frames_of_every_size),
		UNIT_TEST(test_ws_deflate_refuses_a_bomb_at_the_limit),
		UNIT_TEST(test_ws_deflate_counts_what_a_message_inflates_to),
		UNIT_TEST(test_ws_deflate_takes_a_stored_message_of_the_limit),
		UNIT_TEST(test_ws_deflate_refuses_a_large_message_at_its_header),
		{ NULL, NULL },
	};
	if (sl_deflater_create(&deflater) != 0)
		return 2;
	int status = unit_main("ws_deflate", tests);
	sl_deflater_destroy(deflater);
	return status;
}
