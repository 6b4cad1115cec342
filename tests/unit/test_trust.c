#include "http/trust.h"

#include "core/owners.h"
#include "core/socket.h"
#include "tests/unit/http_client.h"

#define CLIENT "X-Forwarded-For: 192.0.2.1\r\n"
#define OTHER "X-Forwarded-For: 192.0.2.2\r\n"
#define ASK(target, fields) "GET " target " HTTP/1.1\r\nHost: localhost\r\n" fields "\r\n"
#define POLL "/poll?channels=a&wait=0"
#define HELD "/poll?channels=a&since=0&wait=55"
#define HELD_NEXT "/poll?channels=b&since=0&wait=55"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const char *const trusting[] = { "--trust-proxy=unix", "--trust-proxy=10.0.0.0/8", NULL };
static struct live_world world;
static struct world_client first, second;

static void
begin(const char *const *options)
{
	world_open(&world, options);
	http_connect(&first, &world);
	http_connect(&second, &world);
}

static void
end(void)
{
	client_close(&first);
	client_close(&second);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	world_close(&world);
}

/* What limits and logs call this client now. */
static const char *
name_of(const struct world_client *client)
{
	static char text[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&client->link->client, text);
	return text;
}

static void
limit(uint64_t max)
{
	world_limit(&world, 1000, max);
}

static void
test_trust_fields_of_others_are_ignored(void)
{
	static const char request[] = ASK(HELD, CLIENT "X-Forwarded-Proto: https\r\n"
		"Forwarded: for=192.0.2.1;proto=https\r\n");
	static const char *const no_unix[] = { "--trust-proxy=0.0.0.0/0", "--trust-proxy=::/0", NULL };
	for (int i = 0; i < 2; i++) {
		begin(i ? no_unix : NULL);
		limit(1);
		CU_ASSERT_STRING_EQUAL(http_ask(&first, &world, request), "");
		CU_ASSERT_STRING_EQUAL(name_of(&first), "unix");
		CU_ASSERT_FALSE(first.connection->is_secure);
		CU_ASSERT_TRUE(http_is(http_ask(&second, &world, ASK(POLL, CLIENT)), 200));
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_X_FORWARDED_FOR), 0);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_BAD), 0);
		end();
	}
}

static void
test_trust_client_and_scheme_are_those_of_the_request(void)
{
	begin(trusting);
	CU_ASSERT_STRING_EQUAL(http_ask(&first, &world,
		ASK(HELD, CLIENT "X-Forwarded-Proto: https\r\n")), "");
	CU_ASSERT_STRING_EQUAL(name_of(&first), "192.0.2.1");
	CU_ASSERT_TRUE(first.connection->is_secure);
	world_publish(&world, "a", "x");
	CU_ASSERT_TRUE(http_is(http_take(&first, &world), 200));
	CU_ASSERT_STRING_EQUAL(name_of(&first), "unix");
	CU_ASSERT_FALSE(first.connection->is_secure);
	http_ask(&first, &world, ASK(HELD_NEXT, "Forwarded: for=\"[2001:db8::7]:99\"\r\n"));
	CU_ASSERT_STRING_EQUAL(name_of(&first), "[2001:db8::7]:99");
	CU_ASSERT_FALSE(first.connection->is_secure);
	http_ask(&second, &world, ASK(HELD_NEXT, CLIENT "X-Forwarded-For: x, 10.1.1.1\r\n"));
	CU_ASSERT_STRING_EQUAL(name_of(&second), "10.1.1.1");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_X_FORWARDED_FOR), 2);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_FORWARDED), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_BAD), 1);
	end();
}

static void
test_trust_probe_tells_the_client_and_its_scheme(void)
{
	begin(trusting);
	CU_ASSERT_PTR_NOT_NULL(strstr(http_ask(&first, &world, ASK("/probe/head", "X-Forwarded-For: "
		"192.0.2.1:4711\r\nX-Forwarded-Proto: https\r\n")), "{\"client\":\"192.0.2.1\",\"secure\":true,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(http_ask(&first, &world, ASK("/probe/head", "")),
		"{\"client\":\"unix\",\"secure\":false,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(http_ask(&first, &world, ASK("/probe/head", "Forwarded: "
		"for=\"[2001:db8::1]\"\r\n")), "{\"client\":\"[2001:db8::1]\",\"secure\":false,"));
	end();
}

static const struct {
	const char *request;
	bool is_held;
} uses[] = {
	{ ASK("/ws?channels=a", UPGRADE CLIENT), true },
	{ ASK("/sse?channels=a", CLIENT), true },
	{ ASK("/stream?channels=a", CLIENT), true },
	{ ASK(HELD, CLIENT), true },
	{ ASK(POLL, CLIENT), false },
	{ ASK("/healthz", CLIENT), false },
	{ ASK("/nothing", CLIENT), false },
	{ "POST /publish?channel=b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n" CLIENT "\r\nx", true },
	{ "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n" CLIENT "\r\nx", true },
	{ "GET / HTTP/1.1\r\nHost: localhost\r\n" CLIENT, false }, /* not judged yet */
};

static void
test_trust_client_is_counted_while_its_request_is_served(void)
{
	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
		begin(trusting);
		limit(1);
		http_ask(&first, &world, uses[i].request);
		CU_ASSERT_TRUE(http_is(http_ask(&second, &world, ASK(POLL, CLIENT)),
			uses[i].is_held ? 429 : 200));
		CU_ASSERT_TRUE(http_is(http_ask(&second, &world, ASK(POLL, OTHER)), 200));
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_LIMIT_ADDRESS), uses[i].is_held);
		client_close(&first);
		world_settle(&world);
		CU_ASSERT_TRUE(http_is(http_ask(&second, &world, ASK(POLL, CLIENT)), 200));
		http_connect(&first, &world);
		end();
	}
}

static void
test_trust_connection_of_a_proxy_serves_many_clients(void)
{
	static const char together[] = ASK(POLL, CLIENT) ASK(POLL, OTHER) ASK("/healthz", CLIENT)
		ASK(HELD, OTHER);
	begin(trusting);
	limit(1);
	CU_ASSERT_EQUAL(http_count(http_ask(&first, &world, together), "HTTP/1.1 200 "), 3);
	CU_ASSERT_STRING_EQUAL(name_of(&first), "192.0.2.2");
	CU_ASSERT_TRUE(http_is(http_ask(&second, &world, ASK(POLL, OTHER)), 429));
	CU_ASSERT_FALSE(second.ended); /* the connection is the proxy's, not the client's */
	CU_ASSERT_TRUE(http_is(http_ask(&second, &world, ASK("/healthz", OTHER)), 200));
	CU_ASSERT_TRUE(http_is(http_ask(&second, &world, ASK(POLL, CLIENT)), 200));
	world_publish(&world, "a", "x");
	CU_ASSERT_TRUE(http_is(http_take(&first, &world), 200));
	CU_ASSERT_TRUE(http_is(http_ask(&second, &world, ASK(POLL, OTHER)), 200));
	end();
}

static void
test_trust_client_far_above_its_limit_is_refused_and_not_counted(void)
{
	struct sl_address address = { .family = AF_INET };
	static const uint8_t ip[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	begin(trusting);
	limit(1);
	sl_address_set_ip(&address, ip, 0);
	struct sl_owner *owner = sl_owners_get_address(world.http.owners, &address);
	uint64_t room = 1 + sl_owners_get_slack(1);
	for (uint64_t i = 0; i < room; i++)
		CU_ASSERT_NOT_EQUAL(sl_owner_enter(owner), SL_OWNER_HARD);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(http_is(http_ask(&first, &world, ASK(POLL, CLIENT)), 429));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_HARD), 3);
	for (uint64_t i = 0; i < room; i++)
		sl_owner_leave(owner);
	sl_owner_unref(owner);
	CU_ASSERT_TRUE(http_is(http_ask(&first, &world, ASK(POLL, CLIENT)), 200));
	end();
}

static void
test_trust_address_that_is_trusted_has_no_limit_of_its_own(void)
{
	begin(trusting);
	limit(1);
	http_ask(&first, &world, ASK(HELD, "X-Forwarded-For: 10.0.0.7\r\n"));
	CU_ASSERT_STRING_EQUAL(name_of(&first), "10.0.0.7");
	CU_ASSERT_TRUE(http_is(http_ask(&second, &world, ASK(POLL, "X-Forwarded-For: 10.0.0.7\r\n")), 200));
	end();
}

/* Each client of a proxy has a bucket of its own, whatever connection its requests come by. */
static void
test_trust_clients_pay_for_themselves(void)
{
	static const char v6[] = "X-Forwarded-For: 2001:db8:0:1::1\r\n", same[] = "X-Forwarded-For: 2001:db8:0:1:9::2\r\n",
		next[] = "X-Forwarded-For: 2001:db8:0:2::1\r\n", proxy[] = "X-Forwarded-For: 10.9.9.9\r\n";
	static const struct { const char *fields; unsigned status; } rows[] = { { CLIENT, 429 }, { OTHER, 200 },
		{ v6, 429 }, { same, 429 }, { next, 200 }, { proxy, 200 }, { "", 200 } };
	unsigned burst = sl_limit_burst_s(SL_LIMIT_REQUESTS);
	char text[256];
	begin(trusting);
	sl_owners_set_limits(world.http.owners, &(struct sl_limits){ .max_connections = 100,
		.rates = { [SL_LIMIT_REQUESTS] = 1 } });
	for (unsigned i = 0; i < burst; i++) {
		CU_ASSERT_TRUE(http_is(http_ask(i % 2 ? &first : &second, &world, ASK(POLL, CLIENT)), 200));
		snprintf(text, sizeof text, "GET " POLL " HTTP/1.1\r\nHost: localhost\r\n%s\r\n", i % 2 ? v6 : same);
		CU_ASSERT_TRUE(http_is(http_ask(&second, &world, text), 200));
	}
	for (unsigned i = 0; i < 2 * burst; i++) /* nobody's */
		CU_ASSERT_TRUE(http_is(http_ask(&first, &world, ASK(POLL, "")), 200));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text, "GET " POLL " HTTP/1.1\r\nHost: localhost\r\n%s\r\n", rows[i].fields);
		CU_ASSERT_TRUE(http_is(http_ask(&first, &world, text), rows[i].status));
	}
	CU_ASSERT_FALSE(first.ended); /* it is the proxy's */
	end();
}

/* Over TCP, where the peer has an address and is counted by it. */
static void
test_trust_connections_of_a_proxy_count_in_all_only(void)
{
	static const char *const options[] = { "--trust-proxy=127.0.0.0/8", NULL };
	const struct world_request over_tcp = { .query = "", .over_tcp = true };
	for (int i = 0; i < 2; i++) {
		world_open(&world, i ? options : NULL);
		limit(1);
		client_connect(&first, &world, &over_tcp);
		CU_ASSERT_EQUAL(first.connection->peer_owner != NULL, i == 0);
		struct sl_owner *owner = sl_owners_get_address(world.http.owners, &first.link->socket.peer);
		CU_ASSERT_EQUAL(sl_owner_enter(owner), i ? SL_OWNER_OK : SL_OWNER_FULL);
		sl_owner_leave(owner);
		client_close(&first);
		world_settle(&world);
		CU_ASSERT_EQUAL(sl_owner_enter(owner), SL_OWNER_OK);
		sl_owner_leave(owner);
		sl_owner_unref(owner);
		world_close(&world);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_trust_fields_of_others_are_ignored),
		UNIT_TEST(test_trust_client_and_scheme_are_those_of_the_request),
		UNIT_TEST(test_trust_probe_tells_the_client_and_its_scheme),
		UNIT_TEST(test_trust_client_is_counted_while_its_request_is_served),
		UNIT_TEST(test_trust_connection_of_a_proxy_serves_many_clients),
		UNIT_TEST(test_trust_client_far_above_its_limit_is_refused_and_not_counted),
		UNIT_TEST(test_trust_address_that_is_trusted_has_no_limit_of_its_own),
		UNIT_TEST(test_trust_clients_pay_for_themselves),
		UNIT_TEST(test_trust_connections_of_a_proxy_count_in_all_only),
		{ NULL, NULL },
	};
	return unit_main("trust", tests);
}
