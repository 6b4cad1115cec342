#include "util/deflate.h"

#include "tests/unit/deflate_parts.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"
#include "util/err.h"

#define MAX 65536
#define TEXT_MAX 70000

static struct sl_deflater *
create(void)
{
	struct sl_deflater *deflater;
	CU_ASSERT_EQUAL_FATAL(sl_deflater_create(&deflater), 0);
	return deflater;
}

/* What the message inflates to, or the error, however much it may be. */
static int
inflate_into(struct sl_buffer *out, const char *bytes, size_t len, size_t max)
{
	struct sl_deflater *deflater = create();
	int err = sl_deflater_inflate(deflater, bytes, len, max, out);
	sl_deflater_destroy(deflater);
	return err;
}

static void
expect_text(const char *bytes, size_t len, const char *text)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	CU_ASSERT_EQUAL(inflate_into(&out, bytes, len, MAX), 0);
	CU_ASSERT_EQUAL(out.len, strlen(text));
	CU_ASSERT_TRUE(out.len == strlen(text) && memcmp(out.bytes ? out.bytes : "", text, out.len) == 0);
	sl_buffer_finish(&out);
}

static void
expect_refused(const char *bytes, size_t len)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	CU_ASSERT_EQUAL(inflate_into(&out, bytes, len, MAX), SL_EINVAL);
	sl_buffer_finish(&out);
}

/* ---- examples ---- */

/* RFC 7692, sections 7.2.3.1, 7.2.3.3 to 7.2.3.6. */
static void
test_deflate_reads_the_examples_of_the_rfc(void)
{
	expect_text("\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello");
	expect_text("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello");
	expect_text("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello");
	expect_text("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13, "Hello");
	expect_text("\x00", 1, "");
}

/* 7.2.3.2: the second message needs the first one's window, which is not kept. */
static void
test_deflate_keeps_nothing_of_the_message_before(void)
{
	struct sl_deflater *deflater = create();
	struct sl_buffer out = SL_BUFFER_INIT;
	CU_ASSERT_EQUAL(sl_deflater_inflate(deflater, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, MAX, &out), 0);
	CU_ASSERT_EQUAL(sl_deflater_inflate(deflater, "\xf2\x00\x11\x00\x00", 5, MAX, &out), SL_EINVAL);
	sl_buffer_finish(&out);
	static const char text[] = "a text, a text, a text, a text, a text, a text, a text, a text";
	char first[64];
	struct sl_span made;
	CU_ASSERT_EQUAL_FATAL(sl_deflater_compress(deflater, 15, text, sizeof text - 1, &made), 0);
	size_t first_len = made.len;
	memcpy(first, made.bytes, first_len);
	CU_ASSERT_EQUAL_FATAL(sl_deflater_compress(deflater, 15, text, sizeof text - 1, &made), 0);
	CU_ASSERT_EQUAL_FATAL(made.len, first_len);
	CU_ASSERT_EQUAL(memcmp(made.bytes, first, first_len), 0);
	sl_deflater_destroy(deflater);
}

static void
test_deflate_goes_on_behind_a_block_that_says_it_is_the_last(void)
{
	/* "Hello" in a final block, twice, then the empty one. */
	expect_text("\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 15, "HelloHello");
}

static void
test_deflate_refuses_what_is_broken_or_cut(void)
{
	expect_refused("\xff\xff\xff", 3);             /* a block type that does not exist */
	expect_refused("", 0);                         /* no block begins */
	expect_refused("\xf2\x48\xcd\xc9\xc9", 5);     /* inside of a block */
	expect_refused("\xf2\x48\xcd\xc9\xc9\x07", 6); /* its last octet is missing */
	expect_refused("\x00\x06\x00\xf9\xff\x48", 6); /* a stored block that is too short */
	expect_refused("\x00\x05\x00\x00\x00\x48\x65\x6c\x6c\x6f\x00", 11); /* its length and check differ */
	expect_refused("\xf3\x48\xcd\xc9\xc9\x07\x00", 7); /* behind a last block there is nothing */
}

/* ---- both ways ---- */

static void
expect_both_ways(struct sl_deflater *deflater, unsigned bits, const char *text, size_t len)
{
	struct sl_span made;
	struct sl_buffer out = SL_BUFFER_INIT;
	int err = sl_deflater_compress(deflater, bits, text, len, &made);
	if (err == SL_ETOOBIG)
		return;
	CU_ASSERT_EQUAL_FATAL(err, 0);
	CU_ASSERT_TRUE(made.len < len);
	CU_ASSERT_TRUE(deflate_fits_window(bits, made.bytes, made.len, text, len));
	CU_ASSERT_EQUAL(sl_deflater_inflate(deflater, made.bytes, made.len, len, &out), 0);
	CU_ASSERT_EQUAL(out.len, len);
	CU_ASSERT_TRUE(out.len == len && memcmp(out.bytes, text, len) == 0);
	sl_buffer_finish(&out);
}

static void
test_deflate_never_looks_back_farther_than_the_window(void)
{
	static char text[TEXT_MAX];
	struct sl_deflater *deflater = create();
	deflate_fill_json(text, sizeof text, 7);
	for (unsigned bits = SL_DEFLATE_BITS_MIN; bits <= SL_DEFLATE_BITS_MAX; bits++)
		for (size_t len = 64; len <= sizeof text; len = len * 3 / 2 + 1)
			expect_both_ways(deflater, bits, text, len);
	/* A block of noise that comes again just where each window ends, or begins. */
	deflate_fill_json(text, sizeof text, 99);
	for (unsigned bits = SL_DEFLATE_BITS_MIN; bits <= SL_DEFLATE_BITS_MAX; bits++)
		for (int around = -264; around <= 2; around++) {
			size_t distance = ((size_t)1 << bits) + (size_t)around;
			if ((int)(1 << bits) + around < 32)
				continue;
			memcpy(text + distance, text, 32);
			expect_both_ways(deflater, bits, text, distance + 64);
		}
	sl_deflater_destroy(deflater);
}

/* The judge itself can say no: a window of 8 bits does not reach what one of 15 does. */
static void
test_deflate_judge_finds_a_distance_beyond_the_window(void)
{
	char text[1200];
	struct sl_deflater *deflater = create();
	struct sl_span made;
	deflate_fill_json(text, 600, 3);
	memcpy(text + 600, text, 600);
	CU_ASSERT_EQUAL_FATAL(sl_deflater_compress(deflater, 15, text, sizeof text, &made), 0);
	CU_ASSERT_TRUE(deflate_fits_window(15, made.bytes, made.len, text, sizeof text));
	CU_ASSERT_FALSE(deflate_fits_window(8, made.bytes, made.len, text, sizeof text));
	sl_deflater_destroy(deflater);
}

static void
test_deflate_refuses_to_make_a_message_larger(void)
{
	struct sl_deflater *deflater = create();
	struct sl_span made;
	char noise[4096];
	uint32_t seed = 1;
	for (size_t i = 0; i < sizeof noise; i++) {
		seed = seed * 1664525u + 1013904223u;
		noise[i] = (char)(seed >> 24);
	}
	for (unsigned bits = SL_DEFLATE_BITS_MIN; bits <= SL_DEFLATE_BITS_MAX; bits++) {
		CU_ASSERT_EQUAL(sl_deflater_compress(deflater, bits, noise, sizeof noise, &made), SL_ETOOBIG);
		CU_ASSERT_EQUAL(sl_deflater_compress(deflater, bits, "", 0, &made), SL_ETOOBIG);
		CU_ASSERT_EQUAL(sl_deflater_compress(deflater, bits, "a", 1, &made), SL_ETOOBIG);
	}
	expect_both_ways(deflater, 15, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 28); /* it still works */
	sl_deflater_destroy(deflater);
}

/* ---- limits ---- */

static void
test_deflate_stops_a_bomb_at_the_limit(void)
{
	size_t len, zeros;
	char *bomb = deflate_make_bomb(65536, &len, &zeros);
	struct sl_buffer out = SL_BUFFER_INIT;
	CU_ASSERT_TRUE(zeros >= 60u << 20);
	CU_ASSERT_EQUAL(inflate_into(&out, bomb, len, MAX), SL_ETOOBIG);
	CU_ASSERT_EQUAL(out.len, MAX);
	CU_ASSERT_TRUE(out.cap <= 2 * MAX);
	sl_buffer_finish(&out);
	free(bomb);
}

static void
test_deflate_takes_a_message_of_just_the_limit(void)
{
	static char text[5000];
	struct sl_deflater *deflater = create();
	struct sl_span made;
	deflate_fill_json(text, sizeof text, 5);
	CU_ASSERT_EQUAL_FATAL(sl_deflater_compress(deflater, 15, text, sizeof text, &made), 0);
	for (int max = (int)sizeof text - 1; max <= (int)sizeof text + 1; max++) {
		struct sl_buffer out = SL_BUFFER_INIT;
		CU_ASSERT_EQUAL(inflate_into(&out, made.bytes, made.len, (size_t)max),
			max < (int)sizeof text ? SL_ETOOBIG : 0);
		sl_buffer_finish(&out);
	}
	struct sl_buffer out = SL_BUFFER_INIT;
	CU_ASSERT_EQUAL(inflate_into(&out, made.bytes, made.len, 0), SL_ETOOBIG);
	CU_ASSERT_EQUAL(inflate_into(&out, "\0", 1, 0), 0);
	sl_buffer_finish(&out);
	sl_deflater_destroy(deflater);
}

static void
test_deflate_appends_behind_what_is_there(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_buffer_append_str(&out, "before");
	CU_ASSERT_EQUAL(inflate_into(&out, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, 5), 0);
	CU_ASSERT_EQUAL(out.len, 11);
	CU_ASSERT_EQUAL(memcmp(out.bytes, "beforeHello", 11), 0);
	sl_buffer_finish(&out);
}

static void
test_deflate_without_memory_says_so_and_works_again(void)
{
	static const char text[] = "a text, a text, a text, a text, a text, a text, a text, a text";
	for_each_failing_allocation(failing) {
		struct sl_deflater *deflater = NULL;
		struct sl_buffer out = SL_BUFFER_INIT;
		struct sl_span made = { 0 };
		int err = sl_deflater_create(&deflater);
		if (!err)
			err = sl_deflater_compress(deflater, 12, text, sizeof text - 1, &made);
		if (!err)
			err = sl_deflater_inflate(deflater, made.bytes, made.len, MAX, &out);
		failing_expect(err);
		if (deflater)
			expect_both_ways(deflater, 12, text, sizeof text - 1);
		sl_buffer_finish(&out);
		sl_deflater_destroy(deflater);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_deflate_reads_the_examples_of_the_rfc),
		UNIT_TEST(test_deflate_keeps_nothing_of_the_message_before),
		UNIT_TEST(test_deflate_goes_on_behind_a_block_that_says_it_is_the_last),
		UNIT_TEST(test_deflate_refuses_what_is_broken_or_cut),
		UNIT_TEST(test_deflate_never_looks_back_farther_than_the_window),
		UNIT_TEST(test_deflate_judge_finds_a_distance_beyond_the_window),
		UNIT_TEST(test_deflate_refuses_to_make_a_message_larger),
		UNIT_TEST(test_deflate_stops_a_bomb_at_the_limit),
		UNIT_TEST(test_deflate_takes_a_message_of_just_the_limit),
		UNIT_TEST(test_deflate_appends_behind_what_is_there),
		UNIT_TEST(test_deflate_without_memory_says_so_and_works_again),
		{ NULL, NULL },
	};
	return unit_main("deflate", tests);
}
