#include "util/utf8.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

#define TEXT(literal) literal, sizeof(literal) - 1

struct text {
	const char *bytes;
	size_t len;
};

static void
test_utf8_accepts_the_boundaries_of_each_length(void)
{
	static const struct text texts[] = {
		{ TEXT("") },
		{ TEXT("\0") },
		{ TEXT("\x7f") },
		{ TEXT("plain text, longer than eight bytes") },
		{ TEXT("\xc2\x80") },         /* U+0080 */
		{ TEXT("\xdf\xbf") },         /* U+07FF */
		{ TEXT("\xe0\xa0\x80") },     /* U+0800 */
		{ TEXT("\xed\x9f\xbf") },     /* U+D7FF */
		{ TEXT("\xee\x80\x80") },     /* U+E000 */
		{ TEXT("\xef\xbf\xbf") },     /* U+FFFF */
		{ TEXT("\xf0\x90\x80\x80") }, /* U+10000 */
		{ TEXT("\xf4\x8f\xbf\xbf") }, /* U+10FFFF */
		{ TEXT("sieben x\xc3\xa4 acht abcdefgh\xe2\x82\xac ij\xf0\x9f\x9a\xb0") },
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		CU_ASSERT_TRUE(sl_utf8_valid(texts[i].bytes, texts[i].len));
}

/* Each ends with the first byte that makes it impossible. */
static const struct text impossible[] = {
	{ TEXT("\x80") },
	{ TEXT("\xbf") },
	{ TEXT("\xc0") },
	{ TEXT("\xc1") },
	{ TEXT("\xc2\x7f") },
	{ TEXT("\xc2\xc0") },
	{ TEXT("\xe0\x80") },         /* overlong */
	{ TEXT("\xe0\x9f") },
	{ TEXT("\xed\xa0") },         /* surrogate */
	{ TEXT("\xed\xbf") },
	{ TEXT("\xe2\x82 ") },
	{ TEXT("\xf0\x80") },         /* overlong */
	{ TEXT("\xf0\x8f") },
	{ TEXT("\xf4\x90") },         /* above U+10FFFF */
	{ TEXT("\xf5") },
	{ TEXT("\xf8") },
	{ TEXT("\xff") },
	{ TEXT("\xf0\x9f\x9a""a") },
	{ TEXT("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90") },
	{ TEXT("12345678901234567\xc0") },
};

static void
test_utf8_fails_at_the_earliest_byte(void)
{
	for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
		const struct text *text = &impossible[i];
		struct sl_utf8 utf8;
		sl_utf8_init(&utf8);
		for (size_t at = 0; at + 1 < text->len; at++)
			CU_ASSERT_EQUAL(sl_utf8_feed(&utf8, text->bytes + at, 1), 0);
		CU_ASSERT_EQUAL(sl_utf8_feed(&utf8, text->bytes + text->len - 1, 1), SL_EUTF8);
		CU_ASSERT_FALSE(sl_utf8_valid(text->bytes, text->len));
	}
}

static void
test_utf8_stays_failed(void)
{
	struct sl_utf8 utf8;
	sl_utf8_init(&utf8);
	CU_ASSERT_EQUAL(sl_utf8_feed(&utf8, "\xff", 1), SL_EUTF8);
	CU_ASSERT_EQUAL(sl_utf8_feed(&utf8, "a", 1), SL_EUTF8);
	CU_ASSERT_EQUAL(sl_utf8_feed(&utf8, "\x80", 1), SL_EUTF8);
	CU_ASSERT_FALSE(sl_utf8_is_complete(&utf8));
}

static void
test_utf8_tells_an_open_sequence(void)
{
	struct sl_utf8 utf8;
	sl_utf8_init(&utf8);
	CU_ASSERT_TRUE(sl_utf8_is_complete(&utf8));
	CU_ASSERT_EQUAL(sl_utf8_feed(&utf8, "ab\xf0\x9f", 4), 0);
	CU_ASSERT_FALSE(sl_utf8_is_complete(&utf8));
	CU_ASSERT_EQUAL(sl_utf8_feed(&utf8, NULL, 0), 0);
	CU_ASSERT_EQUAL(sl_utf8_feed(&utf8, "\x9a\xb0", 2), 0);
	CU_ASSERT_TRUE(sl_utf8_is_complete(&utf8));
	CU_ASSERT_FALSE(sl_utf8_valid("ab\xf0\x9f\x9a", 5));
}

/* RFC 3629's definition, code point by code point. */
static void
test_utf8_agrees_with_every_three_byte_sequence(void)
{
	unsigned disagreements = 0;
	for (unsigned lead = 0xe0; lead <= 0xef; lead++)
		for (unsigned second = 0; second <= 0xff; second++)
			for (unsigned third = 0x7f; third <= 0xc0; third++) {
				const uint8_t bytes[] = { (uint8_t)lead, (uint8_t)second, (uint8_t)third };
				unsigned point = (lead & 15) << 12 | (second & 63) << 6 | (third & 63);
				bool valid = (second & 0xc0) == 0x80 && (third & 0xc0) == 0x80
					&& point >= 0x800 && (point < 0xd800 || point > 0xdfff);
				disagreements += valid != sl_utf8_valid(bytes, 3);
			}
	CU_ASSERT_EQUAL(disagreements, 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_utf8_accepts_the_boundaries_of_each_length),
		UNIT_TEST(test_utf8_fails_at_the_earliest_byte),
		UNIT_TEST(test_utf8_stays_failed),
		UNIT_TEST(test_utf8_tells_an_open_sequence),
		UNIT_TEST(test_utf8_agrees_with_every_three_byte_sequence),
		{ NULL, NULL },
	};
	return unit_main("utf8", tests);
}
