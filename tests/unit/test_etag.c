#include "http/etag.h"

#include <string.h>

#include "tests/unit/unit.h"

#define ETAG "\"abc,1\""

static bool
matches(const char *list)
{
	return sl_etag_matches((struct sl_span){ list, list ? strlen(list) : 0 }, ETAG);
}

static void
test_etag_is_found_in_a_list(void)
{
	static const char *const lists[] = { ETAG, " " ETAG "\t", "\"x\", " ETAG, ETAG ", \"x\"", "\"x\"," ETAG ",\"y\"",
		",, " ETAG, "\"\", " ETAG, "x, " ETAG, "\"a\"" ETAG, "\"*\", " ETAG };
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		CU_ASSERT_TRUE(matches(lists[i]));
}

static void
test_etag_is_compared_weakly(void)
{
	CU_ASSERT_TRUE(matches("W/" ETAG));
	CU_ASSERT_TRUE(matches("W/\"x\",W/" ETAG));
	CU_ASSERT_FALSE(matches("w/\"abc,1"));
	CU_ASSERT_FALSE(matches("W/"));
}

static void
test_etag_of_anything_matches(void)
{
	CU_ASSERT_TRUE(matches("*"));
	CU_ASSERT_TRUE(matches("\t* "));
	CU_ASSERT_FALSE(matches("\"*\""));
	CU_ASSERT_FALSE(matches("**"));
	CU_ASSERT_FALSE(matches("x*"));
}

static void
test_etag_is_not_found_in_what_only_contains_it(void)
{
	static const char *const lists[] = { NULL, "", ",", "abc,1", "\"abc,1", "abc,1\"", "\"abc,12\"", "\"xabc,1\"",
		"\"abc\", \"1\"", "\"abc", "\"", "W", "W/", "\"ABC,1\"", "x" ETAG, "\"x, " ETAG };
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		CU_ASSERT_FALSE(matches(lists[i]));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_etag_is_found_in_a_list),
		UNIT_TEST(test_etag_is_compared_weakly),
		UNIT_TEST(test_etag_of_anything_matches),
		UNIT_TEST(test_etag_is_not_found_in_what_only_contains_it),
		{ NULL, NULL },
	};
	return unit_main("etag", tests);
}
