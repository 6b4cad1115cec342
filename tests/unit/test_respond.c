#include "http/respond.h"

#include <microhttpd.h>

#include "tests/unit/http_client.h"

static void
test_respond_says_what_every_answer_says(void)
{
	static const char *const fields[] = {
		"Sluice: " SLUICE_VERSION "\r\n", "Cache-Control: no-store\r\n", "Date: ",
		"Content-Type: application/json\r\n", "Content-Length: 16\r\n",
		"Access-Control-Allow-Origin: " WORLD_ORIGIN "\r\n", "Vary: Origin\r\n",
		"Access-Control-Expose-Headers: Sluice, ",
	};
	struct live_world world;
	struct world_client client;
	world_open(&world, NULL);
	http_connect(&client, &world);
	const char *answer = http_ask(&client, &world,
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: " WORLD_ORIGIN "\r\n\r\n");
	CU_ASSERT_TRUE(http_is(answer, 200));
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		CU_ASSERT_EQUAL(http_count(answer, fields[i]), 1);
	CU_ASSERT_STRING_EQUAL(strstr(answer, "\r\n\r\n"), "\r\n\r\n{\"status\":\"ok\"}\n");
	answer = http_ask(&client, &world, GET("/healthz"));
	CU_ASSERT_PTR_NULL(strstr(answer, "Access-Control"));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUESTS_2XX), 2);
	answer = http_ask(&client, &world, "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Content-Length: 16\r\n"));
	CU_ASSERT_STRING_EQUAL(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	client_close(&client);
	world_settle(&world);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_respond_says_what_every_answer_says),
		{ NULL, NULL },
	};
	return unit_main("respond", tests);
}
