#include <string.h>

#include "tests/unit/unit.h"
#include "util/quote.h"

static void
expect(const char *value, size_t len, const char *expected)
{
	char quoted[SL_QUOTED_SIZE];
	memset(quoted, 'x', sizeof quoted);
	sl_quote(quoted, (struct sl_span){ value, len });
	CU_ASSERT_STRING_EQUAL(quoted, expected);
}

static void
test_quote_shows_visible_ascii(void)
{
	expect("", 0, "\"\"");
	expect("a b~", 4, "\"a b~\"");
	expect(NULL, 0, "\"\"");
}

static void
test_quote_replaces_what_a_line_or_json_would_not_bear(void)
{
	expect("a\"b\\c", 5, "\"a?b?c\"");
	expect("\0\n\x1f\x7f\x80\xff", 6, "\"??????\"");
}

static void
test_quote_cuts_a_long_value(void)
{
	static const char forty[] = "0123456789012345678901234567890123456789x";
	expect(forty, 40, "\"0123456789012345678901234567890123456789\"");
	expect(forty, 41, "\"0123456789012345678901234567890123456789...\"");
	expect(forty, 1000000, "\"0123456789012345678901234567890123456789...\"");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_quote_shows_visible_ascii),
		UNIT_TEST(test_quote_replaces_what_a_line_or_json_would_not_bear),
		UNIT_TEST(test_quote_cuts_a_long_value),
		{ NULL, NULL },
	};
	return unit_main("quote", tests);
}
