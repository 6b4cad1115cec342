#include "demo/demo.h"

#include <string.h>
#include <unistd.h>

#include "core/listener.h"
#include "demo/cluster.h"
#include "demo/obstacle.h"
#include "http/front.h"
#include "http/http.h"
#include "live/shard.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/script.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

#define LANES 2

static struct sl_listener listeners[1 + LANES];
static const struct sl_demo_wanted none = { .obstacle.path = "none" }, program = { .obstacle.path = script };

static void
listen_at(const char *own, const char *first, const char *second)
{
	memset(listeners, 0, sizeof listeners);
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(own, &listeners[0].address), 0);
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(first, &listeners[1].address), 0);
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(second, &listeners[2].address), 0);
}

static void
test_demo_tells_of_its_lanes(void)
{
	struct sl_demo *demo;
	listen_at("127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082");
	CU_ASSERT_EQUAL_FATAL(sl_demo_create(&demo, listeners, 1 + LANES, LANES, &none), 0);
	CU_ASSERT_STRING_EQUAL(demo->origins, "[\"http://127.0.0.1:8081\",\"http://127.0.0.1:8082\"]");
	CU_ASSERT_PTR_NOT_NULL(strstr(demo->policy, "connect-src 'self' ws://localhost:8080 "));
	CU_ASSERT_PTR_NULL(demo->obstacle);
	CU_ASSERT_PTR_NOT_NULL(demo->names);
	sl_demo_destroy(demo);
	sl_demo_destroy(NULL);
}

static void
test_demo_without_lanes_has_no_obstacle_either(void)
{
	struct sl_demo *demo;
	write_script("touch \"${0%/*}/started\"; exit 1");
	listen_at("unix:/tmp/socket", "127.0.0.1:1", "127.0.0.1:2");
	CU_ASSERT_EQUAL_FATAL(sl_demo_create(&demo, listeners, 1, 0, &program), 0);
	CU_ASSERT_STRING_EQUAL(demo->origins, "[]");
	CU_ASSERT_PTR_NULL(demo->obstacle);
	sl_demo_destroy(demo);
}

static void
test_demo_starts_its_obstacle_and_lets_pages_reach_it(void)
{
	struct sl_demo *demo;
	write_script("echo listening 127.0.0.1:4001; echo control 127.0.0.1:4002; exec sleep 1000");
	listen_at("127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082");
	CU_ASSERT_EQUAL_FATAL(sl_demo_create(&demo, listeners, 1 + LANES, LANES, &program), 0);
	CU_ASSERT_TRUE(sl_obstacle_is_there(demo->obstacle));
	CU_ASSERT_PTR_NOT_NULL(strstr(demo->policy,
		" http://127.0.0.1:4001 ws://127.0.0.1:4001 http://127.0.0.1:4002"));
	sl_demo_destroy(demo);
}

static void
test_demo_does_without_an_obstacle_that_does_not_start(void)
{
	struct sl_demo *demo;
	write_script("exit 1");
	listen_at("127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082");
	CU_ASSERT_EQUAL_FATAL(sl_demo_create(&demo, listeners, 1 + LANES, LANES, &program), 0);
	CU_ASSERT_PTR_NULL(demo->obstacle);
	sl_demo_destroy(demo);
}

/* A cluster's page kills processes, so who is not on this machine must not reach it. */
static void
test_demo_of_a_cluster_listens_on_loopback_alone(void)
{
	const struct sl_demo_wanted wanted = { .obstacle.path = "none", .cluster = script };
	struct sl_demo *demo = NULL;
	struct sl_cluster *board;
	uint16_t ports[SL_DEMO_PORTS];
	unlink(script);
	CU_ASSERT_EQUAL_FATAL(sl_cluster_create(&board, script), 0);
	sl_cluster_add(board, "a", SL_CLUSTER_GATEWAY, 8080);
	sl_cluster_add(board, "b", SL_CLUSTER_GATEWAY, 8090);
	listen_at("127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082");
	CU_ASSERT_EQUAL_FATAL(sl_demo_create(&demo, listeners, 1 + LANES, LANES, &wanted), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(demo->policy, " http://127.0.0.1:8090 ws://127.0.0.1:8090 "));
	CU_ASSERT_EQUAL_FATAL(sl_demo_get_ports(demo, ports), 1);
	CU_ASSERT_EQUAL(ports[0], 8090);
	CU_ASSERT_EQUAL(sl_demo_get_ports(NULL, ports), 0);
	sl_demo_destroy(demo);
	listen_at("0.0.0.0:8080", "127.0.0.1:8081", "127.0.0.1:8082");
	CU_ASSERT_EQUAL(sl_demo_create(&demo, listeners, 1 + LANES, LANES, &wanted), SL_EINVAL);
	listen_at("127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082");
	listeners[0].is_secure = true;
	CU_ASSERT_EQUAL(sl_demo_create(&demo, listeners, 1 + LANES, LANES, &wanted), SL_EINVAL);
	listen_at("127.0.0.1:8070", "127.0.0.1:8081", "127.0.0.1:8082"); /* not one of its gateways */
	CU_ASSERT_EQUAL(sl_demo_create(&demo, listeners, 1 + LANES, LANES, &wanted), SL_ENOENT);
	sl_cluster_close(board);
}

static void
test_demo_is_found_by_the_fronts_it_is_attached_to(void)
{
	struct sl_demo *demo;
	struct sl_http http = { .observer = NULL };
	struct sl_front front = { .http = &http };
	static struct sl_shard shard;
	shard.front = &front;
	listen_at("127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082");
	CU_ASSERT_EQUAL_FATAL(sl_demo_create(&demo, listeners, 1, 0, &none), 0);
	sl_demo_attach(demo, &http);
	CU_ASSERT_PTR_EQUAL(sl_demo_of(&shard), demo);
	CU_ASSERT_PTR_EQUAL(http.page_policy, demo->policy);
	CU_ASSERT_PTR_NOT_NULL(http.observer->on_head);
	CU_ASSERT_PTR_NOT_NULL(http.observer->on_request);
	CU_ASSERT_PTR_NOT_NULL(http.observer->may_serve);
	sl_demo_destroy(demo);
}

static void
test_demo_without_memory_is_an_error(void)
{
	listen_at("127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082");
	for_each_failing_allocation(failing) {
		struct sl_demo *demo = NULL;
		int err = sl_demo_create(&demo, listeners, 1 + LANES, LANES, &none);
		failing_expect(err);
		sl_demo_destroy(demo);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_demo_tells_of_its_lanes),
		UNIT_TEST(test_demo_without_lanes_has_no_obstacle_either),
		UNIT_TEST(test_demo_starts_its_obstacle_and_lets_pages_reach_it),
		UNIT_TEST(test_demo_does_without_an_obstacle_that_does_not_start),
		UNIT_TEST(test_demo_of_a_cluster_listens_on_loopback_alone),
		UNIT_TEST(test_demo_is_found_by_the_fronts_it_is_attached_to),
		UNIT_TEST(test_demo_without_memory_is_an_error),
		{ NULL, NULL },
	};
	sl_log_set_level(SL_LOG_ERROR);
	return script_main("demo", tests);
}
