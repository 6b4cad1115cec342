#include "http/routes.h"

#include "tests/unit/unit.h"

static void
test_routes_have_what_their_kind_needs(void)
{
	unsigned count = 0;
	for (const struct sl_route *route = sl_http_routes; route->path; route++, count++) {
		CU_ASSERT_PTR_NOT_NULL(strstr(route->methods, "OPTIONS"));
		CU_ASSERT_EQUAL(route->handle || route->prepare, route->kind == SL_ROUTE_ORDINARY);
		CU_ASSERT_EQUAL(route->takes_body, strstr(route->methods, "POST") != NULL);
		CU_ASSERT_PTR_NULL(route->transports);
		CU_ASSERT_EQUAL(strstr(route->methods, "GET") != NULL, strstr(route->methods, "HEAD") != NULL);
	}
	CU_ASSERT_EQUAL(count, 14);
}

static void
test_routes_of_files_are_for_any_origin_and_no_other_is(void)
{
	for (const struct sl_route *route = sl_http_routes; route->path; route++) {
		bool is_file = *route->path == '\0' || route->path[strlen(route->path) - 1] == '/';
		CU_ASSERT_EQUAL(route->is_for_any_origin, is_file);
	}
}

/* Each is looked at here on purpose: what a new one needs is a decision. */
static void
test_routes_are_for_whom_they_are_meant(void)
{
	static const struct { const char *path; enum sl_route_needs needs; bool is_for_health; }
	expected[] = {
		{ "publish", SL_NEEDS_PRINCIPAL, false }, { "ticket", SL_NEEDS_TOKEN, false },
		{ "admin/disconnect", SL_NEEDS_ADMIN, false }, { "probe/echo", SL_NEEDS_NOTHING, false },
		{ "probe/head", SL_NEEDS_NOTHING, false }, { "probe/seen", SL_NEEDS_NOTHING, false },
		{ "transports", SL_NEEDS_NOTHING, false }, { "stats", SL_NEEDS_ADMIN, false },
		{ "metrics", SL_NEEDS_ADMIN, false }, { "healthz", SL_NEEDS_NOTHING, true },
		{ "readyz", SL_NEEDS_NOTHING, true }, { "", SL_NEEDS_NOTHING, false },
		{ "client/", SL_NEEDS_NOTHING, false }, { "demo/", SL_NEEDS_NOTHING, false },
	};
	for (size_t i = 0; sl_http_routes[i].path; i++) {
		CU_ASSERT_FATAL(i < sizeof expected / sizeof *expected);
		CU_ASSERT_STRING_EQUAL(sl_http_routes[i].path, expected[i].path);
		CU_ASSERT_EQUAL(sl_http_routes[i].needs, expected[i].needs);
		CU_ASSERT_EQUAL(sl_http_routes[i].is_for_health, expected[i].is_for_health);
	}
	CU_ASSERT_EQUAL((struct sl_route){ .path = "new" }.needs, SL_NEEDS_ADMIN);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_routes_have_what_their_kind_needs),
		UNIT_TEST(test_routes_of_files_are_for_any_origin_and_no_other_is),
		UNIT_TEST(test_routes_are_for_whom_they_are_meant),
		{ NULL, NULL },
	};
	return unit_main("routes", tests);
}
