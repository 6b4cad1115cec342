#include "http/preface.h"

#include "core/owners.h"
#include "core/socket.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/https_client.h"
#include "tests/unit/proxy_bytes.h"

#define V1 "PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n"
#define HEALTH GET("/healthz")
#define POLL GET("/poll?channels=a&wait=0")

static const char *const trusting[] = { "--trust-proxy=unix", "--trust-proxy=10.0.0.0/8", NULL };
static struct live_world world;
static struct world_client client;
static char v2[256];
static size_t v2_len;

static void
begin(const char *const *options)
{
	world_open(&world, options);
	http_connect(&client, &world);
	v2_len = proxy_v2(v2, PROXY_CLIENT, 0x11, PROXY_TCP4 PROXY_SSL, PROXY_TCP4_LEN + PROXY_SSL_LEN);
}

static void
end(void)
{
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	world_close(&world);
}

static const char *
name(void)
{
	static char text[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&client.link->client, text);
	return text;
}

static uint64_t
bytes_in(void)
{
	return world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_IN);
}

static void
test_preface_header_tells_the_client_for_the_life_of_the_connection(void)
{
	begin(trusting);
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, V1 HEALTH), 200));
	CU_ASSERT_STRING_EQUAL(name(), "192.0.2.1:4711");
	CU_ASSERT_FALSE(client.connection->is_secure);
	/* it is no trusted one: what it says of others is ignored */
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, "GET /poll?channels=a&since=0&wait=55 HTTP/1.1\r\n"
		"Host: localhost\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n"), "");
	CU_ASSERT_STRING_EQUAL(name(), "192.0.2.1:4711");
	CU_ASSERT_FALSE(client.connection->is_secure);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_V1), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_X_FORWARDED_FOR), 0);
	end();
	begin(trusting);
	client_send(&client, v2, v2_len);
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, HEALTH), 200));
	CU_ASSERT_STRING_EQUAL(name(), "192.0.2.1:4711");
	CU_ASSERT_TRUE(client.connection->is_secure);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_V2), 1);
	CU_ASSERT_EQUAL(bytes_in(), v2_len + sizeof HEALTH - 1);
	end();
}

static void
test_preface_header_may_come_in_pieces(void)
{
	begin(trusting);
	for (size_t i = 0; i < v2_len; i++) {
		CU_ASSERT_EQUAL(client.connection->phase, SL_PHASE_PREFACE);
		client_send(&client, v2 + i, 1);
		world_settle(&world);
		CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, i + 1 < v2_len ? i + 1 : 0);
	}
	CU_ASSERT_EQUAL(client.connection->phase, SL_PHASE_READING);
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, HEALTH), 200));
	CU_ASSERT_STRING_EQUAL(name(), "192.0.2.1:4711");
	end();
	begin(trusting); /* the request begins in the last piece */
	http_ask(&client, &world, "PROXY TCP4 192.0.2.1 ");
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, "198.51.100.2 4711 443\r\n" HEALTH), 200));
	CU_ASSERT_STRING_EQUAL(name(), "192.0.2.1:4711");
	CU_ASSERT_EQUAL(bytes_in(), sizeof V1 HEALTH - 1);
	end();
}

static void
test_preface_that_is_none_is_a_request(void)
{
	static const char *const starts[] = { "GET", "P", "PO", "\r\n", "" };
	static const char *const rests[] = { " /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
		"OST /nothing HTTP/1.1\r\nHost: a\r\n\r\n", "ST /nothing HTTP/1.1\r\nHost: a\r\n\r\n", HEALTH,
		HEALTH };
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		begin(trusting);
		CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, starts[i]), "");
		const char *answer = http_ask(&client, &world, rests[i]);
		CU_ASSERT_TRUE(http_is(answer, 200) || http_is(answer, 403) || http_is(answer, 404));
		CU_ASSERT_STRING_EQUAL(name(), "unix");
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_BAD), 0);
		end();
	}
}

static void
test_preface_of_a_peer_that_is_not_trusted_is_a_malformed_request(void)
{
	for (int i = 0; i < 2; i++) {
		begin(NULL);
		CU_ASSERT_EQUAL(client.connection->phase, SL_PHASE_READING);
		if (i)
			client_send(&client, v2, v2_len);
		const char *answer = http_ask(&client, &world, i ? HEALTH : V1 HEALTH);
		CU_ASSERT_EQUAL(strncmp(answer, "HTTP/1.1 400 ", 13), 0);
		CU_ASSERT_TRUE(client.ended);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_BAD), 0);
		end();
	}
}

static void
test_preface_that_is_malformed_closes_the_connection(void)
{
	static const char *const bad[] = { "PROXY / HTTP/1.1\r\n\r\n", "PROXY TCP4 x\r\n" HEALTH };
	for (size_t i = 0; i < 3; i++) {
		begin(trusting);
		v2[12] = 0x11;
		if (i < 2)
			client_send(&client, bad[i], strlen(bad[i]));
		else
			client_send(&client, v2, v2_len);
		CU_ASSERT_STRING_EQUAL(http_take(&client, &world), "");
		CU_ASSERT_EQUAL(http_links(&world), 0);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_BAD), 1);
		CU_ASSERT_EQUAL(bytes_in(), i < 2 ? strlen(bad[i]) : v2_len);
		end();
	}
}

static void
test_preface_that_is_incomplete_has_the_time_of_a_request(void)
{
	begin(trusting);
	world_pass(&world, SL_IDLE_MS - 1000); /* nothing has begun */
	CU_ASSERT_EQUAL(http_links(&world), 1);
	http_ask(&client, &world, "PROXY ");
	world_pass(&world, 9000);
	http_ask(&client, &world, "TCP4"); /* does not prolong it */
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_pass(&world, 1100);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUEST_TIMEOUTS), 1);
	CU_ASSERT_EQUAL(bytes_in(), 10);
	end();
	begin(trusting);
	world_pass(&world, SL_IDLE_MS + 100);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUEST_TIMEOUTS), 0);
	end();
}

static void
test_preface_client_that_left_or_a_gateway_that_drains_ends_it(void)
{
	begin(trusting);
	http_ask(&client, &world, "PROXY TCP4 ");
	end(); /* nothing is left */
	begin(trusting);
	http_ask(&client, &world, "PROXY TCP4 ");
	sl_shard_drain(&world.shard);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_TRUE(client.ended);
	end();
}

static void
test_preface_that_names_nobody_leaves_the_peer_and_its_trust(void)
{
	begin(trusting);
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, "PROXY UNKNOWN\r\n" HEALTH), 200));
	CU_ASSERT_STRING_EQUAL(name(), "unix");
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, "GET /poll?channels=a&since=0&wait=55 HTTP/1.1\r\n"
		"Host: localhost\r\nX-Forwarded-For: 192.0.2.9\r\n\r\n"), "");
	CU_ASSERT_STRING_EQUAL(name(), "192.0.2.9");
	end();
}

/* A relay of TCP before a proxy of HTTP. */
static void
test_preface_that_names_a_trusted_proxy_lets_its_fields_count(void)
{
	begin(trusting);
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, "PROXY TCP4 10.0.0.5 10.0.0.1 1 2\r\n"
		"GET /poll?channels=a&since=0&wait=55 HTTP/1.1\r\nHost: localhost\r\n"
		"X-Forwarded-For: 192.0.2.9\r\n\r\n"), "");
	CU_ASSERT_STRING_EQUAL(name(), "192.0.2.9");
	world_publish(&world, "a", "x");
	CU_ASSERT_TRUE(http_is(http_take(&client, &world), 200));
	CU_ASSERT_STRING_EQUAL(name(), "10.0.0.5:1");
	end();
}

/* Before the handshake, with it in one piece or not; each byte of the wire is counted once. */
static void
test_preface_header_comes_before_a_handshake(void)
{
	for (int pieces = 0; pieces < 2; pieces++) {
		struct https_client secure;
		begin(trusting);
		client_close(&client);
		world_settle(&world);
		world.settings->tls = tls_context_make();
		https_connect(&secure, &world, TLS13, 0);
		for (size_t i = 0; i < v2_len; i += pieces ? 1 : v2_len) {
			CU_ASSERT_TRUE(send(secure.tls.fd, v2 + i, pieces ? 1 : v2_len, MSG_NOSIGNAL) > 0);
			if (pieces)
				world_settle(&world);
		}
		CU_ASSERT_TRUE_FATAL(https_shake(&secure, &world));
		CU_ASSERT_TRUE(http_is(https_ask(&secure, &world, HEALTH), 200));
		client = secure.plain;
		CU_ASSERT_STRING_EQUAL(name(), "192.0.2.1:4711");
		CU_ASSERT_TRUE(client.connection->is_secure);
		CU_ASSERT_EQUAL(bytes_in(), v2_len + secure.tls.sent);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROXY_V2), 1);
		https_close(&secure);
		world_settle(&world);
		CU_ASSERT_EQUAL(http_links(&world), 0);
		world_close(&world);
	}
}

static void
test_preface_client_is_counted_as_if_it_had_come_itself(void)
{
	struct world_client many[40];
	uint64_t room = 1 + sl_owners_get_slack(1);
	CU_ASSERT_TRUE_FATAL(room + 2 <= 40);
	begin(trusting);
	world_limit(&world, 1000, 1);
	for (uint64_t i = 0; i < room + 2; i++) {
		http_connect(&many[i], &world);
		const char *answer = http_ask(&many[i], &world, V1 POLL);
		bool is_closed = many[i].reset || (many[i].ended && !*answer);
		CU_ASSERT_TRUE(i < room ? http_is(answer, i ? 429 : 200) : is_closed);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_LIMIT_ADDRESS), room - 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_HARD), 2);
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, POLL), 200)); /* the proxy itself */
	for (uint64_t i = 0; i < room + 2; i++)
		client_close(&many[i]);
	world_settle(&world);
	http_connect(&many[0], &world);
	CU_ASSERT_TRUE(http_is(http_ask(&many[0], &world, V1 POLL), 200));
	client_close(&many[0]);
	end();
}

static void
test_preface_without_memory_closes_the_connection(void)
{
	for (int pieces = 0; pieces < 2; pieces++) {
		bool is_served = false;
		for (unsigned n = 1; !is_served && n < 50; n++) {
			begin(trusting);
			client_send(&client, pieces ? "PROXY " : V1, pieces ? 6 : sizeof V1 - 1);
			failing_alloc_set(n, true);
			for (int i = 0; i < 3; i++)
				world_turn(&world);
			if (pieces && http_links(&world)) {
				client_send(&client, V1 + 6, sizeof V1 - 7);
				for (int i = 0; i < 3; i++)
					world_turn(&world);
			}
			failing_alloc_off();
			is_served = http_links(&world) == 1 && strcmp(name(), "192.0.2.1:4711") == 0;
			CU_ASSERT_TRUE(is_served || http_links(&world) == 0);
			end();
		}
		CU_ASSERT_TRUE(is_served);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_preface_header_tells_the_client_for_the_life_of_the_connection),
		UNIT_TEST(test_preface_header_may_come_in_pieces),
		UNIT_TEST(test_preface_that_is_none_is_a_request),
		UNIT_TEST(test_preface_of_a_peer_that_is_not_trusted_is_a_malformed_request),
		UNIT_TEST(test_preface_that_is_malformed_closes_the_connection),
		UNIT_TEST(test_preface_that_is_incomplete_has_the_time_of_a_request),
		UNIT_TEST(test_preface_client_that_left_or_a_gateway_that_drains_ends_it),
		UNIT_TEST(test_preface_that_names_nobody_leaves_the_peer_and_its_trust),
		UNIT_TEST(test_preface_that_names_a_trusted_proxy_lets_its_fields_count),
		UNIT_TEST(test_preface_header_comes_before_a_handshake),
		UNIT_TEST(test_preface_client_is_counted_as_if_it_had_come_itself),
		UNIT_TEST(test_preface_without_memory_closes_the_connection),
		{ NULL, NULL },
	};
	return unit_main("preface", tests);
}
