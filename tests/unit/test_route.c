#include "http/route.h"

#include <string.h>

#include "http/request.h"
#include "http/routes.h"
#include "http/transport.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static const struct sl_route *const lists[] = { sl_transport_routes, sl_http_routes, NULL };
static const struct sl_routes routes = { lists };

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static const struct sl_route *
find(const char *path)
{
	return sl_routes_find(&routes, span(path));
}

static bool
allows(const struct sl_route *route, const char *method)
{
	return sl_route_allows(route, span(method));
}

static void
test_route_is_there_for_every_path_of_the_protocol(void)
{
	static const char *const paths[] = { "ws", "sse", "stream", "poll", "publish", "ticket", "admin/disconnect", "probe/echo",
		"probe/head", "probe/seen", "transports", "stats", "metrics", "healthz", "readyz", "", NULL };
	for (int i = 0; paths[i]; i++) {
		const struct sl_route *route = find(paths[i]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(route);
		CU_ASSERT_STRING_EQUAL(route->path, paths[i]);
	}
}

static void
test_route_is_not_there_beside_them(void)
{
	static const char *const paths[] = { "w", "ws/", "wss", "WS", "poll/x", "probe", "probe/",
		"publish/", "client", "index.html", "x", "/", "/ws", "%77s", NULL };
	for (int i = 0; paths[i]; i++)
		CU_ASSERT_PTR_NULL(find(paths[i]));
}

static void
test_route_is_found_by_bytes_that_are_not_terminated(void)
{
	CU_ASSERT_PTR_EQUAL(sl_routes_find(&routes, (struct sl_span){ "ws?channels=a", 2 }), find("ws"));
	CU_ASSERT_PTR_EQUAL(sl_routes_find(&routes, (struct sl_span){ "ws", 0 }), find(""));
	CU_ASSERT_PTR_EQUAL(sl_routes_find(&routes, (struct sl_span){ "client/x", 7 }), find("client/"));
}

static void
test_route_serves_files_below_two_folders(void)
{
	const struct sl_route *files = find("");
	CU_ASSERT_PTR_EQUAL(find("client/sluice.js")->handle, files->handle);
	CU_ASSERT_PTR_EQUAL(find("client/")->handle, files->handle);
	CU_ASSERT_PTR_EQUAL(find("demo/a/b.css")->handle, files->handle);
	CU_ASSERT(files->is_for_any_origin && find("demo/x")->is_for_any_origin);
	CU_ASSERT_FALSE(find("stats")->is_for_any_origin);
}

static void
test_route_of_an_earlier_list_stands_before_later_ones(void)
{
	static const struct sl_route first[] = {
		{ .path = "ws", .methods = "PUT" },
		{ .path = "demo/", .kind = SL_ROUTE_NOTHING },
		{ .path = NULL },
	};
	static const struct sl_route *const both[] = { first, sl_transport_routes, sl_http_routes, NULL };
	static const struct sl_routes covered = { both };
	CU_ASSERT_PTR_EQUAL(sl_routes_find(&covered, span("ws")), &first[0]);
	CU_ASSERT_PTR_NULL(sl_routes_find(&covered, span("demo/page.js")));
	CU_ASSERT_PTR_EQUAL(sl_routes_find(&covered, span("sse")), find("sse"));
	static const struct sl_route *const nothing[] = { NULL };
	CU_ASSERT_PTR_NULL(sl_routes_find(&(struct sl_routes){ nothing }, span("ws")));
}

static void
test_route_allows_its_methods_and_no_part_of_one(void)
{
	const struct sl_route *read = find("stats");
	CU_ASSERT_TRUE(allows(find("sse"), "GET"));
	CU_ASSERT_TRUE(allows(find("sse"), "HEAD"));
	CU_ASSERT_TRUE(allows(find("sse"), "OPTIONS"));
	CU_ASSERT_FALSE(allows(find("sse"), "POST"));
	CU_ASSERT_FALSE(allows(find("ws"), "HEAD"));
	CU_ASSERT_TRUE(allows(find("publish"), "POST"));
	CU_ASSERT_FALSE(allows(find("publish"), "GET"));
	CU_ASSERT_TRUE(allows(read, "HEAD"));
	CU_ASSERT_TRUE(allows(find("poll"), "GET"));
	CU_ASSERT_TRUE(allows(find("poll"), "POST"));
	static const char *const others[] = { "get", "GE", "ET", "GET,", "TIONS", "GET, HEAD", " HEAD", "",
		"OPTIONSX", "OPTION" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_FALSE(allows(read, others[i]));
}

static void
test_route_takes_bodies_only_of_some_posts(void)
{
	CU_ASSERT_TRUE(find("publish")->takes_body);
	CU_ASSERT_TRUE(find("probe/echo")->takes_body);
	CU_ASSERT_FALSE(find("poll")->takes_body);
	CU_ASSERT_FALSE(find("transports")->takes_body);
}

static void
test_route_tells_transports_apart_by_path_and_wait(void)
{
	static struct sl_request request;
	request.params.wait_s = -1;
	for (size_t i = 0; sl_transports[i]; i++) {
		const struct sl_transport *transport = sl_transports[i];
		const struct sl_route *route = find(transport->path);
		CU_ASSERT_PTR_NOT_NULL_FATAL(route);
		CU_ASSERT_EQUAL(route->kind, SL_ROUTE_DELIVER);
		if (transport == &sl_transport_poll)
			continue;
		CU_ASSERT_PTR_EQUAL(sl_route_get_transport(route, &request), transport);
	}
	const struct sl_route *poll = find("poll");
	request.params.wait_s = 0;
	CU_ASSERT_PTR_EQUAL(sl_route_get_transport(poll, &request), &sl_transport_poll);
	CU_ASSERT_PTR_EQUAL(sl_route_get_transport(find("sse"), &request), &sl_transport_sse);
	request.params.wait_s = 1;
	CU_ASSERT_PTR_EQUAL(sl_route_get_transport(poll, &request), &sl_transport_longpoll);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_route_is_there_for_every_path_of_the_protocol),
		UNIT_TEST(test_route_is_not_there_beside_them),
		UNIT_TEST(test_route_is_found_by_bytes_that_are_not_terminated),
		UNIT_TEST(test_route_serves_files_below_two_folders),
		UNIT_TEST(test_route_of_an_earlier_list_stands_before_later_ones),
		UNIT_TEST(test_route_allows_its_methods_and_no_part_of_one),
		UNIT_TEST(test_route_takes_bodies_only_of_some_posts),
		UNIT_TEST(test_route_tells_transports_apart_by_path_and_wait),
		{ NULL, NULL },
	};
	return unit_main("route", tests);
}
