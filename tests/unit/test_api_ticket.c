#include "http/api_ticket.h"

#include "auth/principals.h"
#include "tests/unit/http_client.h"
#include "tests/unit/tokens.h"
#include "util/clock.h"

#define READER "{\"subscribe\":[\"chat.*\"],\"publish\":[\"chat.*\"]}"

static struct live_world world;
static struct world_client client;

static void
open_world(bool has_tokens)
{
	tokens_open(NULL);
	world_open(&world, NULL);
	if (has_tokens)
		sl_principals_set_auth(world.shard.principals, tokens_auth);
	http_connect(&client, &world);
}

static void
close_world(void)
{
	client_close(&client);
	world_close(&world);
	tokens_close();
}

static const char *
ask(const char *start, const char *token)
{
	char text[2048];
	snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s %s\r\n"
		"Content-Length: 0\r\n\r\n", start, token ? "Bearer" : "None", token ? token : "");
	return http_ask(&client, &world, text);
}

static const char *
mint(const char *rights)
{
	return tokens_mint("ann", sl_clock_wall_us() / 1000000, rights);
}

static void
test_api_ticket_is_given_for_a_token_and_opens_deliveries_alone(void)
{
	char ticket[1024], start[1200];
	long long expires, ttl;
	open_world(true);
	const char *answer = ask("POST /ticket?channels=chat.1", mint(READER));
	CU_ASSERT_TRUE(http_is(answer, 200));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Cache-Control: no-store\r\n"));
	const char *object = strstr(answer, "\r\n\r\n");
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	CU_ASSERT_EQUAL_FATAL(sscanf(object + 4, "{\"ticket\":\"%1000[^\"]\",\"expires\":%lld,\"ttl\":%lld}",
		ticket, &expires, &ttl), 3);
	CU_ASSERT(ttl > 0 && ttl <= SL_TICKET_S);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_TICKETS_ISSUED), 1);
	snprintf(start, sizeof start, "GET /poll?channels=chat.1&wait=0&ticket=%s", ticket);
	for (int i = 0; i < 2; i++) /* EventSource repeats its request */
		CU_ASSERT_TRUE(http_is(ask(start, NULL), 200));
	snprintf(start, sizeof start, "GET /poll?channels=other&wait=0&ticket=%s", ticket);
	CU_ASSERT_TRUE(http_is(ask(start, NULL), 403));
	snprintf(start, sizeof start, "POST /publish?channel=chat.1&ticket=%s", ticket);
	CU_ASSERT_TRUE(http_is(ask(start, NULL), 401));
	snprintf(start, sizeof start, "POST /ticket?ticket=%s", ticket);
	CU_ASSERT_TRUE(http_is(ask(start, NULL), 401));
	/* neither is as good as the other */
	CU_ASSERT_TRUE(http_is(ask("POST /ticket", ticket), 401));
	snprintf(start, sizeof start, "GET /poll?channels=chat.1&wait=0&ticket=%s", mint(READER));
	CU_ASSERT_TRUE(http_is(ask(start, NULL), 401));
	close_world();
}

static void
test_api_ticket_needs_a_token_and_its_channels(void)
{
	open_world(true);
	CU_ASSERT_TRUE(http_is(ask("POST /ticket", NULL), 401));
	const char *answer = ask("POST /ticket?channels=chat.1,other", mint(READER));
	CU_ASSERT(http_is(answer, 403) && strstr(answer, "subscribe to other"));
	CU_ASSERT_TRUE(http_is(ask("GET /ticket", mint(READER)), 405));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_TICKETS_ISSUED), 0);
	close_world();
}

static void
test_api_ticket_without_tokens_gives_none(void)
{
	open_world(false);
	const char *answer = ask("POST /ticket", NULL);
	CU_ASSERT(http_is(answer, 404) && strstr(answer, "\"no_tokens\""));
	close_world();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_api_ticket_is_given_for_a_token_and_opens_deliveries_alone),
		UNIT_TEST(test_api_ticket_needs_a_token_and_its_channels),
		UNIT_TEST(test_api_ticket_without_tokens_gives_none),
		{ NULL, NULL },
	};
	return unit_main("api_ticket", tests);
}
