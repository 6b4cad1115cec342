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
	expect("<b>", 3, "\"?b?\"");
	expect("\0\n\x1f\x7f\x80\xff", 6, "\"??????\"");
}

static void
test_quote_cuts_a_long_value(void)
{
	static const char forty[] = "0123456789012345678.0123456789.012345678x";
	expect(forty, 40, "\"0123456789012345678.0123456789.012345678\"");
	expect(forty, 41, "\"0123456789012345678.0123456789.012345678...\"");
}

/* Somebody writes a token where a name or a number belongs. */
static void
test_quote_hides_what_may_be_a_token(void)
{
	expect("abcdefghijklmnopqr-", 19, "\"abcdefghijklmnopqr-\"");
	expect("eyJhbGciOiJIUzI1NiJ9.e30.x", 26, "\"***...\"");
	expect("a b abcdefghijklmnopqrstuv_1.x", 30, "\"a b ***...\"");
	expect("0123456789.0123456789.0123456789.01234567abcdefghijklmnop", 57,
		"\"0123456789.0123456789.0123456789.***...\"");
	expect("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.tabcdefghijklmnopqrstuvwxyz", 65,
		"\"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.***...\"");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_quote_shows_visible_ascii),
		UNIT_TEST(test_quote_replaces_what_a_line_or_json_would_not_bear),
		UNIT_TEST(test_quote_cuts_a_long_value),
		UNIT_TEST(test_quote_hides_what_may_be_a_token),
		{ NULL, NULL },
	};
	return unit_main("quote", tests);
}
