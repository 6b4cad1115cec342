#include "http/api_info.h"

#include "tests/unit/http_client.h"

static struct live_world world;
static struct world_client client;

static void
test_api_info_tells_of_transports_and_limits(void)
{
	const char *answer = http_ask(&client, &world, GET("/transports"));
	CU_ASSERT_TRUE(http_is(answer, 200));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer,
		"\"transports\":[\"websocket\",\"sse\",\"stream\",\"longpoll\",\"poll\"]"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\"message_bytes\":65536,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\"channels\":64,"));
	CU_ASSERT_PTR_NULL(strstr(answer, "\"demo\""));
}

static void
test_api_info_metrics_are_negotiated(void)
{
	static const struct { const char *request, *type; } cases[] = {
		{ GET("/metrics"), "Content-Type: text/plain; version=0.0.4" },
		{ "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n"
			"Accept: application/openmetrics-text;version=1.0.0\r\n\r\n",
			"Content-Type: application/openmetrics-text" },
	};
	for (size_t i = 0; i < 2; i++) {
		const char *answer = http_ask(&client, &world, cases[i].request);
		CU_ASSERT_TRUE(http_is(answer, 200));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, cases[i].type));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "sluice_accepted"));
	}
}

static void
test_api_info_stats_count_what_was_done(void)
{
	world_publish(&world, "a", "x");
	const char *answer = http_ask(&client, &world, GET("/stats"));
	CU_ASSERT_TRUE(http_is(answer, 200));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\"published\":1,"));
}

static void
test_api_info_is_ready_until_it_drains(void)
{
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/readyz")), 200));
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/healthz")), 200));
	world.shard.draining = true;
	const char *answer = http_ask(&client, &world, GET("/readyz"));
	CU_ASSERT_TRUE(http_is(answer, 503));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\"draining\""));
	world.shard.draining = false;
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_api_info_tells_of_transports_and_limits),
		UNIT_TEST(test_api_info_metrics_are_negotiated),
		UNIT_TEST(test_api_info_stats_count_what_was_done),
		UNIT_TEST(test_api_info_is_ready_until_it_drains),
		{ NULL, NULL },
	};
	world_open(&world, NULL);
	http_connect(&client, &world);
	int status = unit_main("api_info", tests);
	client_close(&client);
	world_settle(&world);
	world_close(&world);
	return status;
}
