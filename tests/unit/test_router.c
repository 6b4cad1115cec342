#include "http/router.h"

#include <string.h>

#include "http/exchange.h"
#include "http/request.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static void
test_router_finds_every_path_of_the_protocol(void)
{
	static const char *const paths[] = { "ws", "sse", "stream", "poll", "publish", "probe/echo",
		"probe/head", "probe/seen", "transports", "stats", "metrics", "healthz", "readyz", "", NULL };
	for (int i = 0; paths[i]; i++) {
		const struct sl_route *route = sl_router_find(paths[i]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(route);
		CU_ASSERT_STRING_EQUAL(route->path, paths[i]);
	}
}

static void
test_router_finds_nothing_beside_them(void)
{
	static const char *const paths[] = { "w", "ws/", "wss", "WS", "poll/x", "probe", "probe/",
		"publish/", "client", "index.html", "x", "/", "/ws", "%77s", NULL };
	for (int i = 0; paths[i]; i++)
		CU_ASSERT_PTR_NULL(sl_router_find(paths[i]));
}

static void
test_router_serves_files_below_two_folders(void)
{
	const struct sl_route *files = sl_router_find("");
	CU_ASSERT_PTR_EQUAL(sl_router_find("client/sluice.js")->handle, files->handle);
	CU_ASSERT_PTR_EQUAL(sl_router_find("client/")->handle, files->handle);
	CU_ASSERT_PTR_EQUAL(sl_router_find("demo/a/b.css")->handle, files->handle);
}

static void
test_router_allows_the_methods_of_a_route_and_no_part_of_one(void)
{
	const struct sl_route *deliver = sl_router_find("sse");
	const struct sl_route *write = sl_router_find("publish");
	const struct sl_route *read = sl_router_find("stats");
	CU_ASSERT_TRUE(sl_router_allows(deliver, "GET"));
	CU_ASSERT_TRUE(sl_router_allows(deliver, "OPTIONS"));
	CU_ASSERT_FALSE(sl_router_allows(deliver, "HEAD"));
	CU_ASSERT_FALSE(sl_router_allows(deliver, "POST"));
	CU_ASSERT_TRUE(sl_router_allows(write, "POST"));
	CU_ASSERT_FALSE(sl_router_allows(write, "GET"));
	CU_ASSERT_TRUE(sl_router_allows(read, "HEAD"));
	CU_ASSERT_TRUE(sl_router_allows(sl_router_find("poll"), "GET"));
	CU_ASSERT_TRUE(sl_router_allows(sl_router_find("poll"), "POST"));
	CU_ASSERT_FALSE(sl_router_allows(read, "get"));
	CU_ASSERT_FALSE(sl_router_allows(read, "GE"));
	CU_ASSERT_FALSE(sl_router_allows(read, "ET"));
	CU_ASSERT_FALSE(sl_router_allows(read, "GET,"));
	CU_ASSERT_FALSE(sl_router_allows(read, "TIONS"));
}

static void
test_router_only_some_posts_take_bodies(void)
{
	CU_ASSERT_TRUE(sl_router_find("publish")->takes_body);
	CU_ASSERT_TRUE(sl_router_find("probe/echo")->takes_body);
	CU_ASSERT_FALSE(sl_router_find("poll")->takes_body);
	CU_ASSERT_FALSE(sl_router_find("transports")->takes_body);
}

static void
test_router_tells_transports_apart_by_path_and_wait(void)
{
	struct sl_request request = { .params.wait_s = -1 };
	for (size_t i = 0; sl_transports[i]; i++) {
		const struct sl_transport *transport = sl_transports[i];
		const struct sl_route *route = sl_router_find(transport->path);
		CU_ASSERT_PTR_NOT_NULL_FATAL(route);
		CU_ASSERT_TRUE(route->handle == NULL);
		if (transport == &sl_transport_poll)
			continue;
		CU_ASSERT_PTR_EQUAL(sl_router_get_transport(route, &request), transport);
	}
	const struct sl_route *poll = sl_router_find("poll");
	request.params.wait_s = 0;
	CU_ASSERT_PTR_EQUAL(sl_router_get_transport(poll, &request), &sl_transport_poll);
	request.params.wait_s = 1;
	CU_ASSERT_PTR_EQUAL(sl_router_get_transport(poll, &request), &sl_transport_longpoll);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_router_finds_every_path_of_the_protocol),
		UNIT_TEST(test_router_finds_nothing_beside_them),
		UNIT_TEST(test_router_serves_files_below_two_folders),
		UNIT_TEST(test_router_allows_the_methods_of_a_route_and_no_part_of_one),
		UNIT_TEST(test_router_only_some_posts_take_bodies),
		UNIT_TEST(test_router_tells_transports_apart_by_path_and_wait),
		{ NULL, NULL },
	};
	return unit_main("router", tests);
}
