#include "demo/wanted.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static struct sl_wanted wanted[SL_NAMES_MAX];
static unsigned count;

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, text ? strlen(text) : 0 };
}

static int
parse(const char *of, const char *show)
{
	return sl_wanted_parse(wanted, &count, span(of), span(show));
}

static void
test_wanted_reads_names_with_and_without_numbers(void)
{
	CU_ASSERT_EQUAL_FATAL(parse("first:17,second,third:999999999999999999", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(count, 3);
	CU_ASSERT_TRUE(sl_span_equals(wanted[0].name, "first") && wanted[0].after == 17);
	CU_ASSERT_TRUE(sl_span_equals(wanted[1].name, "second") && wanted[1].after == 0);
	CU_ASSERT_TRUE(sl_span_equals(wanted[2].name, "third"));
	CU_ASSERT_EQUAL(wanted[2].after, 999999999999999999);
}

static void
test_wanted_shows_the_names_it_is_told_to(void)
{
	CU_ASSERT_EQUAL_FATAL(parse("first,second,third", "third,nobody,,first"), 0);
	CU_ASSERT_TRUE(wanted[0].shows_bytes && !wanted[1].shows_bytes && wanted[2].shows_bytes);
	CU_ASSERT_EQUAL_FATAL(parse("first", ""), 0);
	CU_ASSERT_FALSE(wanted[0].shows_bytes);
}

static void
test_wanted_refuses_what_is_no_list_of_names(void)
{
	static const char *const bad[] = { NULL, "", "abc", "name,", ",name", "name:", "name:x",
		"name:-1", "name:1:2", "name:1000000000000000000", "na me", "name,name", "name:1,name:2" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(parse(bad[i], NULL), SL_EINVAL);
}

static void
test_wanted_takes_64_names_and_no_more(void)
{
	char text[1024];
	int len = 0;
	for (int i = 0; i < SL_NAMES_MAX; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, "%sname-%d", i ? "," : "", i);
	CU_ASSERT_EQUAL(parse(text, NULL), 0);
	CU_ASSERT_EQUAL(count, SL_NAMES_MAX);
	snprintf(text + len, sizeof text - (size_t)len, ",last");
	CU_ASSERT_EQUAL(parse(text, NULL), SL_EINVAL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_wanted_reads_names_with_and_without_numbers),
		UNIT_TEST(test_wanted_shows_the_names_it_is_told_to),
		UNIT_TEST(test_wanted_refuses_what_is_no_list_of_names),
		UNIT_TEST(test_wanted_takes_64_names_and_no_more),
		{ NULL, NULL },
	};
	return unit_main("wanted", tests);
}
