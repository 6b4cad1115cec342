#include "bus/cursor.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static void
expect_form(uint32_t epoch, uint64_t seq, const char *form)
{
	struct sl_cursor back;
	char text[SL_CURSOR_MAX];
	memset(text, 'x', sizeof text);
	CU_ASSERT_EQUAL(sl_cursor_format((struct sl_cursor){ epoch, seq }, text), strlen(form));
	CU_ASSERT_STRING_EQUAL(text, form);
	CU_ASSERT_EQUAL_FATAL(sl_cursor_parse(text, strlen(text), &back), 0);
	CU_ASSERT_EQUAL(back.epoch, epoch);
	CU_ASSERT_EQUAL(back.seq, seq);
}

static void
test_cursor_is_read_as_it_is_written(void)
{
	expect_form(0x9f3a1c07, 4182, "9f3a1c07-4182");
	expect_form(1, 0, "00000001-0");
	expect_form(UINT32_MAX, 10, "ffffffff-10");
	expect_form(0x01234567, INT64_MAX, "01234567-9223372036854775807");
	uint64_t seq = 1;
	for (int digits = 1; digits < 19; digits++, seq *= 10) {
		char form[SL_CURSOR_MAX];
		snprintf(form, sizeof form, "89abcdef-%llu", (unsigned long long)seq);
		expect_form(0x89abcdef, seq, form);
		snprintf(form, sizeof form, "89abcdef-%llu", (unsigned long long)seq - 1);
		expect_form(0x89abcdef, seq - 1, form);
	}
}

static void
test_cursor_has_room_for_the_largest_number_there_is(void)
{
	char text[SL_CURSOR_MAX];
	CU_ASSERT_EQUAL(sl_cursor_format((struct sl_cursor){ 1, UINT64_MAX }, text), SL_CURSOR_MAX - 1);
	CU_ASSERT_STRING_EQUAL(text, "00000001-18446744073709551615");
}

static void
test_cursor_refuses_every_other_form(void)
{
	static const char *const wrong[] = { "", "-", "9f3a1c07", "9f3a1c07-", "9f3a1c07-a", "9f3a1c07--1",
		"9f3a1c07-+1", "9f3a1c07- 1", "9f3a1c07-1 ", "9f3a1c07-01", "9f3a1c07-00", "9F3A1C07-1",
		"9f3a1c0-1", "9f3a1c070-1", "9f3a1c07_1", "9f3a1c0g-1", "0x3a1c07-1", "00000000-1",
		"9f3a1c07-9223372036854775808", "9f3a1c07-18446744073709551616",
		"9f3a1c07-99999999999999999999", "9f3a1c07-1.0", " 9f3a1c07-1", "-9f3a1c0-1" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct sl_cursor cursor = { 5, 6 };
		CU_ASSERT_EQUAL(sl_cursor_parse(wrong[i], strlen(wrong[i]), &cursor), SL_EINVAL);
		CU_ASSERT(cursor.epoch == 5 && cursor.seq == 6); /* untouched */
	}
}

static void
test_cursor_reads_no_further_than_its_length(void)
{
	struct sl_cursor cursor;
	CU_ASSERT_EQUAL(sl_cursor_parse("9f3a1c07-4182999", 13, &cursor), 0);
	CU_ASSERT_EQUAL(cursor.seq, 4182);
	CU_ASSERT_EQUAL(sl_cursor_parse("9f3a1c07-1\0", 11, &cursor), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_cursor_parse("9f3a\0c07-1", 10, &cursor), SL_EINVAL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_cursor_is_read_as_it_is_written),
		UNIT_TEST(test_cursor_has_room_for_the_largest_number_there_is),
		UNIT_TEST(test_cursor_refuses_every_other_form),
		UNIT_TEST(test_cursor_reads_no_further_than_its_length),
		{ NULL, NULL },
	};
	return unit_main("cursor", tests);
}
