#include "http/routes.h"

#include "tests/unit/unit.h"

static void
test_routes_have_what_their_kind_needs(void)
{
	unsigned count = 0;
	for (const struct sl_route *route = sl_http_routes; route->path; route++, count++) {
		CU_ASSERT_PTR_NOT_NULL(strstr(route->methods, "OPTIONS"));
		CU_ASSERT_EQUAL(route->handle != NULL, route->kind == SL_ROUTE_ORDINARY);
		CU_ASSERT_EQUAL(route->takes_body, strstr(route->methods, "POST") != NULL);
		CU_ASSERT_PTR_NULL(route->transports);
		CU_ASSERT_EQUAL(strstr(route->methods, "GET") != NULL, strstr(route->methods, "HEAD") != NULL);
	}
	CU_ASSERT_EQUAL(count, 12);
}

static void
test_routes_of_files_are_for_any_origin_and_no_other_is(void)
{
	for (const struct sl_route *route = sl_http_routes; route->path; route++) {
		bool is_file = *route->path == '\0' || route->path[strlen(route->path) - 1] == '/';
		CU_ASSERT_EQUAL(route->is_for_any_origin, is_file);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_routes_have_what_their_kind_needs),
		UNIT_TEST(test_routes_of_files_are_for_any_origin_and_no_other_is),
		{ NULL, NULL },
	};
	return unit_main("routes", tests);
}
