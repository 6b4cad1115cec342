#include "check/check_routes.h"

#include <string.h>

#include "http/static.h"
#include "tests/unit/unit.h"

static const struct sl_route *
find(const char *path)
{
	static const struct sl_route *const lists[] = { sl_check_routes, NULL };
	static const struct sl_routes routes = { lists };
	return sl_routes_find(&routes, (struct sl_span){ path, strlen(path) });
}

static void
test_check_routes_have_the_page_and_its_requests(void)
{
	CU_ASSERT_STRING_EQUAL(find("check")->methods, "GET, HEAD, OPTIONS");
	CU_ASSERT_STRING_EQUAL(find("check")->file, "check.html");
	CU_ASSERT_STRING_EQUAL(find("check/channel")->methods, "GET, POST, OPTIONS"); /* HEAD would lend one */
	CU_ASSERT_FALSE(find("check/channel")->takes_body);
	CU_ASSERT_STRING_EQUAL(find("check/report")->methods, "POST, OPTIONS");
	CU_ASSERT_TRUE(find("check/report")->takes_body);
	CU_ASSERT_EQUAL(find("check/report")->body_max, 16384);
	CU_ASSERT_EQUAL(find("check/page.js")->handle, sl_static_serve);
	CU_ASSERT_PTR_NULL(find("check.html"));
}

static void
test_check_routes_let_the_page_run_what_is_inside_it(void)
{
	const char *policy = find("check")->policy;
	CU_ASSERT_PTR_NULL(strstr(policy, "-src"));
	CU_ASSERT_PTR_NOT_NULL(strstr(policy, "frame-ancestors 'none'"));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_check_routes_have_the_page_and_its_requests),
		UNIT_TEST(test_check_routes_let_the_page_run_what_is_inside_it),
		{ NULL, NULL },
	};
	return unit_main("check_routes", tests);
}
