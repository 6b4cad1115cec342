#include "transports/registry.h"

#include <string.h>

#include "tests/unit/unit.h"

static void
test_registry_has_a_route_for_each_transport_and_no_other(void)
{
	for (size_t i = 0; sl_transports[i]; i++) {
		unsigned found = 0;
		for (const struct sl_route *route = sl_transport_routes; route->path; route++)
			for (size_t j = 0; route->transports[j]; j++)
				found += route->transports[j] == sl_transports[i] &&
					strcmp(route->path, sl_transports[i]->path) == 0;
		CU_ASSERT_EQUAL(found, 1);
	}
	for (const struct sl_route *route = sl_transport_routes; route->path; route++) {
		CU_ASSERT_EQUAL(route->kind, SL_ROUTE_DELIVER);
		CU_ASSERT_PTR_NULL(route->handle);
		/* HEAD where the head of GET can be told without joining */
		CU_ASSERT_EQUAL(strstr(route->methods, "HEAD") != NULL,
			route->transports[0]->describe != NULL);
	}
}

static void
test_registry_of_polls_tells_the_two_apart_by_their_wait(void)
{
	const struct sl_route *route = sl_transport_routes;
	while (strcmp(route->path, "poll") != 0)
		route++;
	CU_ASSERT_PTR_EQUAL_FATAL(route->transports[0], &sl_transport_longpoll);
	CU_ASSERT_TRUE(sl_transport_longpoll.capabilities & SL_HOLDS);
	CU_ASSERT_PTR_EQUAL(route->transports[1], &sl_transport_poll);
	CU_ASSERT_FALSE(sl_transport_poll.capabilities & SL_HOLDS);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_registry_has_a_route_for_each_transport_and_no_other),
		UNIT_TEST(test_registry_of_polls_tells_the_two_apart_by_their_wait),
		{ NULL, NULL },
	};
	return unit_main("registry", tests);
}
