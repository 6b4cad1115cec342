#include "check/channel_api.h"

#include "http/exchange.h"
#include "tests/unit/check_world.h"

static struct world_client client;

#define POST_OF(fields) "POST /check/channel HTTP/1.1\r\nHost: localhost\r\n" fields "\r\n"
#define GET_OF(target, fields) "GET " target " HTTP/1.1\r\nHost: localhost\r\n" fields "\r\n"

static const char *
ask(const char *request)
{
	http_connect(&client, &world);
	const char *answer = http_ask(&client, &world, request);
	client_close(&client);
	return answer;
}

static void
test_channel_api_answers_with_a_channel_and_its_limits(void)
{
	static const char *const requests[] = { POST_OF("Content-Length: 0\r\n"), POST_OF(""),
		GET_OF("/check/channel", ""), GET_OF("/check/channel?n=4711", "") };
	check_open(NULL);
	for (int i = 0; i < 4; i++) {
		const char *answer = ask(requests[i]);
		CU_ASSERT_TRUE(http_is(answer, 201));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Cache-Control: no-store\r\n"));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Sluice: "));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\n\r\n{\"channel\":\"~"));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\",\"expires_in\":120,\"messages\":200,\"bytes\":1048576,"
			"\"connections\":5,\"reports\":false}\n"));
	}
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 4);
	check_close();
	check_open((const char *const[]){ "--check-reports=/somewhere", NULL });
	CU_ASSERT_PTR_NOT_NULL(strstr(ask(POST_OF("")), "\"reports\":true}\n"));
	check_close();
}

static void
test_channel_api_is_not_for_other_requests(void)
{
	check_open(NULL);
	CU_ASSERT_TRUE(http_is(ask("HEAD /check/channel HTTP/1.1\r\nHost: localhost\r\n\r\n"), 405));
	CU_ASSERT_TRUE(http_is(ask(POST_OF("Content-Length: 1\r\n") "x"), 400));
	CU_ASSERT_TRUE(http_is(ask(GET_OF("/check/channel/x", "")), 404));
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 0);
	check_close();
}

static void
test_channel_api_tells_when_there_is_room_again(void)
{
	struct sl_issue issue;
	check_open(NULL);
	for (unsigned i = 0; i < SL_CHECK_TOTAL; i++)
		check_issue();
	world_pass(&world, 19500);
	const char *answer = ask(POST_OF(""));
	CU_ASSERT_TRUE(http_is(answer, 429));
	CU_ASSERT_EQUAL(http_count(answer, "Retry-After: "), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Retry-After: 101\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\"code\":\"too_many_checks\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "the gateway has lent"));
	check_close();
	check_open(NULL);
	struct sl_address loopback = { .family = AF_INET, .bytes = { [10] = 0xff, 0xff, 127, 0, 0, 1 } };
	for (unsigned i = 0; i < SL_CHECK_OF_ADDRESS; i++)
		CU_ASSERT_EQUAL(sl_check_channels_issue(channels, &world.shard, &loopback, &issue), 0);
	client_connect(&client, &world, &(struct world_request){ .query = "", .over_tcp = true });
	answer = http_ask(&client, &world, POST_OF(""));
	CU_ASSERT_TRUE(http_is(answer, 429));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Retry-After: 120\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "this address has all"));
	client_close(&client);
	check_close();
}

static void
test_channel_api_is_not_for_pages_of_other_sites(void)
{
	static const struct { const char *request; unsigned status; } cases[] = {
		{ GET_OF("/check/channel", "Sec-Fetch-Site: same-origin\r\n"), 201 },
		{ GET_OF("/check/channel", "Sec-Fetch-Site: none\r\n"), 201 },
		{ GET_OF("/check/channel", "Sec-Fetch-Site: same-site\r\n"), 403 },
		{ GET_OF("/check/channel", "Sec-Fetch-Site: cross-site\r\n"), 403 },
		{ GET_OF("/check/channel", "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n"), 403 },
		{ POST_OF("Sec-Fetch-Site: cross-site\r\n"), 403 },
		{ POST_OF("Origin: http://evil.example\r\n"), 403 },
		{ POST_OF("Origin: null\r\n"), 403 },
		{ GET_OF("/check/channel", "Origin: http://evil.example\r\n"), 403 },
		{ POST_OF("Origin: " WORLD_ORIGIN "\r\nSec-Fetch-Site: cross-site\r\n"), 201 },
	};
	unsigned lent = 0;
	check_open(NULL);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *answer = ask(cases[i].request);
		CU_ASSERT_TRUE(http_is(answer, cases[i].status));
		CU_ASSERT_EQUAL(strstr(answer, "bad_origin") != NULL, cases[i].status == 403);
		lent += cases[i].status == 201;
	}
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), lent);
	check_close();
}

static void
test_channel_api_lends_nothing_to_who_has_left(void)
{
	check_open(NULL);
	struct sl_exchange exchange = { .shard = &world.shard };
	sl_channel_api_issue(&exchange);
	CU_ASSERT_EQUAL(exchange.reply.head.status, 500);
	CU_ASSERT_EQUAL(sl_check_channels_count(channels), 0);
	sl_reply_finish(&exchange.reply);
	check_close();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_channel_api_answers_with_a_channel_and_its_limits),
		UNIT_TEST(test_channel_api_is_not_for_other_requests),
		UNIT_TEST(test_channel_api_tells_when_there_is_room_again),
		UNIT_TEST(test_channel_api_is_not_for_pages_of_other_sites),
		UNIT_TEST(test_channel_api_lends_nothing_to_who_has_left),
		{ NULL, NULL },
	};
	return unit_main("channel_api", tests);
}
