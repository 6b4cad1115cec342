#include "clients/families.h"

#include <string.h>

#include "tests/unit/unit.h"

static void
test_families_serve_each_of_their_transports_at_some_route(void)
{
	for (size_t i = 0; sl_client_transports[i]; i++) {
		unsigned found = 0;
		for (const struct sl_route *route = sl_client_routes; route->path; route++)
			for (size_t j = 0; route->transports[j]; j++)
				found += route->transports[j] == sl_client_transports[i];
		CU_ASSERT(found > 0);
	}
}

/* Their clients read no errors of ours, and ask for channels later. */
static void
test_families_judge_what_comes_to_their_routes_themselves(void)
{
	for (const struct sl_route *route = sl_client_routes; route->path; route++) {
		CU_ASSERT_EQUAL(route->kind, SL_ROUTE_DELIVER);
		CU_ASSERT_EQUAL(route->needs, SL_NEEDS_PRINCIPAL);
		CU_ASSERT(route->has_no_channels);
		CU_ASSERT_PTR_NOT_NULL(strstr(route->methods, "OPTIONS"));
		for (size_t j = 0; route->transports[j]; j++) {
			const struct sl_transport *transport = route->transports[j];
			CU_ASSERT(transport->capabilities & SL_REFUSES);
			CU_ASSERT_PTR_NOT_NULL(transport->refuse);
			CU_ASSERT_EQUAL((transport->capabilities & SL_TAKES_BODY) != 0,
				transport->get_body_max != NULL);
		}
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_families_serve_each_of_their_transports_at_some_route),
		UNIT_TEST(test_families_judge_what_comes_to_their_routes_themselves),
		{ NULL, NULL },
	};
	return unit_main("families", tests);
}
