#include "http/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/head.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define COUNT(array) (sizeof array / sizeof *array)

static struct sl_body body;
static size_t used;

/* Feeds pieces of `piece` bytes, each in a block of just its size. */
static enum sl_body_state
feed_in_pieces(const struct sl_head *head, uint64_t max, const char *bytes, size_t len, size_t piece)
{
	enum sl_body_state state = SL_BODY_MORE;
	sl_body_begin(&body, head, max);
	used = 0;
	do {
		size_t now = len - used < piece ? len - used : piece, taken = 0;
		char *block = malloc(now ? now : 1);
		CU_ASSERT_PTR_NOT_NULL_FATAL(block);
		memcpy(block, bytes + used, now);
		state = sl_body_feed(&body, block, now, &taken);
		free(block);
		CU_ASSERT_FATAL(taken <= now && (taken == now || state != SL_BODY_MORE));
		used += taken;
	} while (state == SL_BODY_MORE && used < len);
	CU_ASSERT_EQUAL(body.wire, used);
	return state;
}

static void
expect(const struct sl_head *head, const char *wire, size_t len, enum sl_body_state wanted,
	const char *text, size_t wanted_used)
{
	for (size_t piece = 1; piece <= len + 1; piece++) {
		enum sl_body_state state = feed_in_pieces(head, 1000, wire, len, piece);
		CU_ASSERT_EQUAL(state, wanted);
		if (state != wanted)
			printf("\n    %d in pieces of %zu: %.*s\n", (int)state, piece, (int)len, wire);
		if (wanted == SL_BODY_DONE) {
			CU_ASSERT_EQUAL(used, wanted_used);
			CU_ASSERT_EQUAL(body.received, strlen(text));
			CU_ASSERT_EQUAL_FATAL(body.bytes.len, strlen(text));
			CU_ASSERT(body.bytes.len == 0 || memcmp(body.bytes.bytes, text, body.bytes.len) == 0);
		}
		sl_body_finish(&body);
	}
}

static const struct sl_head chunked = { .is_chunked = true };

static void
expect_chunks(const char *wire, const char *text, const char *behind)
{
	char all[512];
	size_t len = (size_t)snprintf(all, sizeof all, "%s%s", wire, behind);
	expect(&chunked, all, len, SL_BODY_DONE, text, strlen(wire));
}

static void
test_body_of_a_length_has_just_that(void)
{
	struct sl_head head = { .has_length = true, .content_length = 5 };
	expect(&head, "hello", 5, SL_BODY_DONE, "hello", 5);
	expect(&head, "helloGET /", 10, SL_BODY_DONE, "hello", 5);
	expect(&head, "hell", 4, SL_BODY_MORE, "", 0);
	expect(&head, "\r\n\r\n\n", 5, SL_BODY_DONE, "\r\n\r\n\n", 5);
}

static void
test_body_that_nobody_announced_is_over_at_once(void)
{
	struct sl_head none = { .has_length = false }, zero = { .has_length = true };
	expect(&none, "GET /", 5, SL_BODY_DONE, "", 0);
	expect(&zero, "GET /", 5, SL_BODY_DONE, "", 0);
	expect(&zero, "", 0, SL_BODY_DONE, "", 0);
	CU_ASSERT_FALSE(sl_body_is_announced(&none));
	CU_ASSERT_FALSE(sl_body_is_announced(&zero));
	zero.content_length = 1;
	CU_ASSERT_TRUE(sl_body_is_announced(&zero));
	CU_ASSERT_TRUE(sl_body_is_announced(&chunked));
}

static void
test_body_in_chunks_is_put_together(void)
{
	expect_chunks("0\r\n\r\n", "", "");
	expect_chunks("5\r\nhello\r\n0\r\n\r\n", "hello", "");
	expect_chunks("5\r\nhello\r\n0\r\n\r\n", "hello", "GET / HTTP/1.1\r\n");
	expect_chunks("1\r\nh\r\n1\r\ne\r\n3\r\nllo\r\n0\r\n\r\n", "hello", "\r\n");
	expect_chunks("00005\r\nhello\r\n000\r\n\r\n", "hello", "0");
	expect_chunks("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", "");
	expect_chunks("A\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n", "\r\n0\r\n\r\n0\r\n", "");
}

static void
test_body_may_have_extensions_and_trailers(void)
{
	expect_chunks("5;a\r\nhello\r\n0;b=c;d=\"e\"\r\n\r\n", "hello", "x");
	expect_chunks("5;\r\nhello\r\n0\r\n\r\n", "hello", "");
	expect_chunks("5 ; a=b\r\nhello\r\n0\t;\r\n\r\n", "hello", "");
	expect_chunks("5;\xc3\xa4\r\nhello\r\n0\r\n\r\n", "hello", "");
	expect_chunks("0\r\nX: y\r\n\r\n", "", "GET");
	expect_chunks("0\r\nX:\r\nContent-Length: 99\r\nTransfer-Encoding: gzip\r\n\r\n", "", "GET");
	expect_chunks("0\r\nX: a:b\t\xff \r\n\r\n", "", "");
}

static void
test_body_with_malformed_chunks_is_bad(void)
{
	static const char *const wires[] = { "zz\r\n", "\r\n", "g\r\n", ";a\r\n", "-1\r\n", "+1\r\n", "0x5\r\n",
		" 5\r\n", "5\n", "5\rx", "5 5\r\n", "5,5\r\n", "\n", "x", "5;a\nhello", "5;a\rb\r\n", "5;\x01\r\n", "5;\x7f\r\n",
		"5\r\nhelloX", "5\r\nhello\n", "5\r\nhello\rx", "5\r\nhello!\r\n", "0\r\n\n", "0\r\n\rx",
		"0\r\nX\r\n", "0\r\nX y: z\r\n", "0\r\nX : y\r\n", "0\r\n X: y\r\n", "0\r\n: y\r\n", "0\r\nX: a\nb",
		"0\r\nX: a\rb", "0\r\nX: \x01", "0\r\nX: y\r\n folded\r\n", "0\n", "0\r\nX:\x7f",
		"10000000000000000\r\n", "fffffffffffffffff\r\n" };
	for (size_t i = 0; i < COUNT(wires); i++)
		expect(&chunked, wires[i], strlen(wires[i]), SL_BODY_BAD, "", 0);
	expect(&chunked, "5\0\r\n", 4, SL_BODY_BAD, "", 0);
}

static void
test_body_that_is_bad_stays_so(void)
{
	feed_in_pieces(&chunked, 10, "zz", 2, 2);
	CU_ASSERT_EQUAL(sl_body_feed(&body, "0\r\n\r\n", 5, &used), SL_BODY_BAD);
	CU_ASSERT_EQUAL(used, 0);
	sl_body_finish(&body);
}

static void
test_body_may_have_the_largest_chunk_there_is(void)
{
	static const char wire[] = "ffffffffffffffff\r\nhello";
	CU_ASSERT_EQUAL(feed_in_pieces(&chunked, 10, wire, strlen(wire), 3), SL_BODY_MORE);
	CU_ASSERT_EQUAL(body.left, UINT64_MAX - 5);
	sl_body_finish(&body);
}

/* Of `fill` bytes between `begin` and `end`. */
static enum sl_body_state
feed_filled(const char *begin, size_t fill, const char *end)
{
	struct sl_buffer wire = SL_BUFFER_INIT;
	sl_buffer_append_str(&wire, begin);
	for (size_t i = 0; i < fill; i++)
		sl_buffer_append_char(&wire, '0');
	sl_buffer_append_str(&wire, end);
	enum sl_body_state state = feed_in_pieces(&chunked, 10, wire.bytes, wire.len, 1000);
	sl_buffer_finish(&wire);
	sl_body_finish(&body);
	return state;
}

static void
test_body_bounds_what_is_around_its_chunks(void)
{
	CU_ASSERT_EQUAL(feed_filled("", 254, "\r\n\r\n"), SL_BODY_DONE);
	CU_ASSERT_EQUAL(feed_filled("", 255, "\r\n\r\n"), SL_BODY_BAD);
	CU_ASSERT_EQUAL(feed_filled("1;", 252, "\r\nx\r\n0\r\n\r\n"), SL_BODY_DONE);
	CU_ASSERT_EQUAL(feed_filled("1;", 253, "\r\nx\r\n0\r\n\r\n"), SL_BODY_BAD);
	CU_ASSERT_EQUAL(feed_filled("1;", 300, ""), SL_BODY_BAD);
	CU_ASSERT_EQUAL(feed_filled("0\r\nX:", 8192 - 6, "\r\n\r\n"), SL_BODY_DONE);
	CU_ASSERT_EQUAL(feed_filled("0\r\nX:", 8192 - 5, "\r\n\r\n"), SL_BODY_BAD);
	CU_ASSERT_EQUAL(feed_filled("0\r\nX:\r\nY:\r\nZ:", 9000, ""), SL_BODY_BAD);
}

static void
test_body_that_is_too_long_is_counted_and_thrown_away(void)
{
	struct sl_head head = { .has_length = true, .content_length = 9 };
	CU_ASSERT_EQUAL(feed_in_pieces(&head, 8, "123456789", 9, 4), SL_BODY_DONE);
	CU_ASSERT(sl_body_is_too_long(&body));
	CU_ASSERT_EQUAL(body.received, 9);
	CU_ASSERT_PTR_NULL(body.bytes.bytes);
	sl_body_finish(&body);
	CU_ASSERT_EQUAL(feed_in_pieces(&head, 9, "123456789", 9, 4), SL_BODY_DONE);
	CU_ASSERT_FALSE(sl_body_is_too_long(&body));
	CU_ASSERT_EQUAL(body.bytes.len, 9);
	sl_body_finish(&body);
	static const char wire[] = "4\r\nabcd\r\n5\r\nefghi\r\n0\r\n\r\nx";
	CU_ASSERT_EQUAL(feed_in_pieces(&chunked, 8, wire, strlen(wire), 7), SL_BODY_DONE);
	CU_ASSERT(sl_body_is_too_long(&body));
	CU_ASSERT_EQUAL(used, strlen(wire) - 1);
	CU_ASSERT_PTR_NULL(body.bytes.bytes);
	sl_body_finish(&body);
	CU_ASSERT_EQUAL(feed_in_pieces(&chunked, 0, "0\r\n\r\n", 5, 5), SL_BODY_DONE);
	CU_ASSERT_FALSE(sl_body_is_too_long(&body));
	sl_body_finish(&body);
}

static void
test_body_without_memory_is_read_to_its_end_and_says_so(void)
{
	for_each_failing_allocation(failing) {
		static const char wire[] = "1\r\na\r\n50\r\n"
			"01234567890123456789012345678901234567890123456789012345678901234567890123456789"
			"\r\n0\r\n\r\n";
		size_t taken = 0;
		sl_body_begin(&body, &chunked, 100);
		CU_ASSERT_EQUAL(sl_body_feed(&body, wire, strlen(wire), &taken), SL_BODY_DONE);
		int status = sl_buffer_status(&body.bytes);
		CU_ASSERT_EQUAL(body.received, 81);
		CU_ASSERT_EQUAL(taken, strlen(wire));
		failing_expect(status);
		sl_body_finish(&body);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_body_of_a_length_has_just_that),
		UNIT_TEST(test_body_that_nobody_announced_is_over_at_once),
		UNIT_TEST(test_body_in_chunks_is_put_together),
		UNIT_TEST(test_body_may_have_extensions_and_trailers),
		UNIT_TEST(test_body_with_malformed_chunks_is_bad),
		UNIT_TEST(test_body_that_is_bad_stays_so),
		UNIT_TEST(test_body_may_have_the_largest_chunk_there_is),
		UNIT_TEST(test_body_bounds_what_is_around_its_chunks),
		UNIT_TEST(test_body_that_is_too_long_is_counted_and_thrown_away),
		UNIT_TEST(test_body_without_memory_is_read_to_its_end_and_says_so),
		{ NULL, NULL },
	};
	return unit_main("body", tests);
}
