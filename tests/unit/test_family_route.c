/* What the gate does with requests of clients of other libraries: which of them are theirs to judge, in whose words they
 * are refused, and whose bodies and queries are read as strictly as all others. */
#include <string.h>

#include "core/owners.h"
#include "http/routes.h"
#include "tests/unit/http_client.h"
#include "tests/unit/tokens.h"
#include "tests/unit/visit_family.h"
#include "auth/principals.h"
#include "transports/registry.h"

static struct live_world world;
static struct world_client client;

static void
begin(const char *const *options)
{
	static const struct sl_route *const lists[] = { family_routes, sl_transport_routes, sl_http_routes, NULL };
	memset(family_sessions, 0, sizeof family_sessions);
	world_open(&world, options);
	world.http.routes = (struct sl_routes){ lists };
	http_connect(&client, &world);
}

static void
end(void)
{
	client_close(&client);
	world_settle(&world);
	world_close(&world);
}

#define HOST "Host: localhost\r\n"
#define NOBODY "Origin: https://evil.example\r\n"
#define PAGE "Origin: " WORLD_ORIGIN "\r\n"
#define PREFLIGHT PAGE "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-mine\r\n"

static void
expect(const char *request, unsigned status, const char *in_answer)
{
	begin(NULL);
	const char *answer = http_ask(&client, &world, request);
	bool is_right = http_is(answer, status) && (!in_answer || strstr(answer, in_answer));
	CU_ASSERT(is_right);
	if (!is_right)
		printf("\n    %s\n    not %u, %s:\n%s\n", request, status, in_answer, answer);
	end();
}

/* ---- refusals ---- */

static const struct {
	const char *request;
	unsigned status;
	const char *body;
} refused[] = {
	{ "GET /family/?sid=0 HTTP/1.1\r\n" HOST NOBODY "\r\n", 403, "bad_origin" },
	{ "GET /family/?sid=0 HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "bad_host" },
	{ "GET /family/?sid=0&sid=1 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_parameter" },
	{ "GET /family/?channels=a,* HTTP/1.1\r\n" HOST "\r\n", 400, "bad_channel" },
	{ "GET /family/?sid=%zz HTTP/1.1\r\n" HOST "\r\n", 400, "bad_query" },
	{ "GET /family/ HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 400, "body_not_allowed" },
	{ "PUT /family/ HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 400, "body_not_allowed" },
	{ "POST /family/?up=1 HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 400, "body_not_allowed" },
	{ "HEAD /family/ HTTP/1.1\r\n" HOST "\r\n", 405, NULL },
	{ "POST /family/ HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\n\r\n", 413, "too_large" },
	{ "POST /family/ HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415,
		"bad_content_encoding" },
	{ "POST /family/ HTTP/1.1\r\n" HOST "Content-Type: a/b\r\nContent-Type: a/c\r\nContent-Length: 1\r\n\r\nx",
		400, "bad_request" },
	{ "POST /family/ HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "bad_request" },
	{ "POST /family/ HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nxy", 400, "bad_request" },
};

static void
test_family_route_refuses_everything_in_its_clients_words(void)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		char body[80];
		snprintf(body, sizeof body, "\r\n\r\n{\"code\":3,\"message\":\"%s\"}", refused[i].body);
		expect(refused[i].request, refused[i].status, refused[i].body ? body : NULL);
		CU_ASSERT_EQUAL(family_sessions[0].arrived, 0);
	}
	expect(refused[0].request, 403, "Access-Control-Allow-Origin: *\r\n"); /* whoever wrote the page may read it */
	expect(refused[8].request, 405, "Allow: GET, POST, OPTIONS\r\n");
}

static void
test_family_route_refuses_what_has_no_room_or_comes_too_often(void)
{
	static const char get[] = "GET /family/?sid=0 HTTP/1.1\r\n" HOST PAGE "\r\n";
	begin(NULL);
	world.shard.draining = true;
	const char *answer = http_ask(&client, &world, get);
	CU_ASSERT(http_is(answer, 429));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "{\"code\":3,\"message\":\"draining\"}"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Retry-After: 2\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Access-Control-Allow-Origin: " WORLD_ORIGIN "\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Connection: close\r\n"));
	end();
	begin(NULL);
	world_limit_rate(&world, SL_LIMIT_REQUESTS, 1);
	client_close(&client);
	client_connect(&client, &world, &(struct world_request){ .query = "", .over_tcp = true });
	for (int i = 0; i < 200 && !strstr(answer, "rate_limited"); i++)
		answer = http_ask(&client, &world, "POST /family/ HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
	CU_ASSERT(http_is(answer, 429));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "{\"code\":3,\"message\":\"rate_limited\"}"));
	CU_ASSERT_EQUAL(http_count(answer, "Retry-After: "), 1);
	end();
}

/* Each request of a session repeats them: what they cost is the verbs' to take. */
static void
test_family_route_takes_no_subscribes_for_the_channels_of_its_query(void)
{
	const char *answer = "";
	begin(NULL);
	world_limit_rate(&world, SL_LIMIT_SUBSCRIBES, 1);
	client_close(&client);
	client_connect(&client, &world, &(struct world_request){ .query = "", .over_tcp = true });
	for (int i = 0; i < 100; i++) {
		answer = http_ask(&client, &world, "POST /family/?channels=a,b,c,d HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
		CU_ASSERT(http_is(answer, 200));
	}
	CU_ASSERT_EQUAL(world_counter(&world, sl_limit_counter(SL_LIMIT_SUBSCRIBES)), 0);
	end();
}

static void
test_family_route_refuses_tokens_that_do_not_count(void)
{
	tokens_open(NULL);
	begin(NULL);
	sl_principals_set_auth(world.shard.principals, tokens_auth);
	const char *answer = http_ask(&client, &world, GET("/family/?sid=0&token=x"));
	CU_ASSERT(http_is(answer, 401));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "{\"code\":3,\"message\":\"unauthorized\"}"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "WWW-Authenticate: Bearer "));
	/* What may be subscribed to is judged when it is: the token may come later. */
	answer = http_ask(&client, &world, "POST /family/?channels=secret HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
	CU_ASSERT(http_is(answer, 200));
	end();
	tokens_close();
}

/* ---- what it takes ---- */

static void
test_family_route_judges_methods_itself(void)
{
	/* whatever has no body: the double holds it */
	static const char *const methods[] = { "GET", "PUT", "DELETE", "PATCH", "BREW" };
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		char request[100];
		begin(NULL);
		snprintf(request, sizeof request, "%s /family/?sid=0 HTTP/1.1\r\n" HOST "\r\n", methods[i]);
		CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, request), "");
		CU_ASSERT_PTR_NOT_NULL(family_sessions[0].held);
		end();
	}
}

static void
test_family_route_bears_what_its_clients_and_their_users_send(void)
{
	static const char *const queries[] = {
		"EIO=4&transport=polling&t=abc&sid=0&b64=1", "heartbeat=x&wait=soon&format=xml&since=never&sid=0",
		"verify=7&probe=x&nonce=&compress=9&reason=%00&n=%0a&wait=1&wait=2", "a%0Ab=1&note=%zz&%=%&x=%e2%82%ac&&&=",
		"channels=a,b&channel=c&heartbeat=", "lastEventId=%0a", NULL };
	for (int i = 0; queries[i]; i++) {
		char request[300];
		snprintf(request, sizeof request, "POST /family/?%s HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nok", queries[i]);
		expect(request, 200, "\r\n\r\nok");
	}
}

static void
test_family_route_takes_bodies_whole(void)
{
	static char request[FAMILY_BODY_MAX + 200];
	expect("POST /family/ HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: t\r\n\r\n",
		200, "\r\n\r\nabcde");
	expect("POST /family/ HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "Content-Length: 0\r\n");
	int len = snprintf(request, sizeof request, "POST /family/ HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
		FAMILY_BODY_MAX);
	memset(request + len, 'x', FAMILY_BODY_MAX);
	expect(request, 200, "\r\n\r\nxxx");
	expect("POST /family/ HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", 100, NULL);
}

static void
test_family_route_refuses_chunks_beyond_its_limit(void)
{
	static char request[FAMILY_BODY_MAX + 400];
	begin(NULL);
	int len = snprintf(request, sizeof request, "POST /family/ HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n%x\r\n",
		FAMILY_BODY_MAX + 1);
	memset(request + len, 'x', FAMILY_BODY_MAX + 1);
	strcpy(request + len + FAMILY_BODY_MAX + 1, "\r\n0\r\n\r\n");
	const char *answer = http_ask(&client, &world, request);
	CU_ASSERT(http_is(answer, 413));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "{\"code\":3,\"message\":\"too_large\"}"));
	CU_ASSERT_EQUAL(family_sessions[0].arrived, 0);
	/* the body was read to its end: the connection goes on */
	CU_ASSERT(http_is(http_ask(&client, &world, GET("/healthz")), 200));
	end();
}

/* What a smuggler would hide in a body is part of it, and what stands behind it is a request of its own. */
static void
test_family_route_leaves_no_room_for_smuggling(void)
{
	begin(NULL);
	const char *answer = http_ask(&client, &world, "POST /family/ HTTP/1.1\r\n" HOST "Content-Length: 53\r\n\r\n"
		"POST /publish?channel=a HTTP/1.1\r\n" HOST "\r\n"
		"GET /family/?sid=0&sid=1 HTTP/1.1\r\n" HOST "\r\n");
	CU_ASSERT_EQUAL(http_count(answer, "HTTP/1.1 "), 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\"message\":\"bad_parameter\""));
	CU_ASSERT_EQUAL(world_head(&world), 0);
	end();
	expect("POST /family/ HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
		"Connection: close\r\n");
	expect("POST /family/ HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, "Connection: close\r\n");
	expect("POST /family/ HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, "Connection: close\r\n");
}

/* ---- CORS ---- */

static void
test_family_route_answers_preflights_for_a_day(void)
{
	expect("OPTIONS /family/?sid=0 HTTP/1.1\r\n" HOST PREFLIGHT "\r\n", 204, "Access-Control-Allow-Headers: x-mine\r\n");
	expect("OPTIONS /family/?sid=0 HTTP/1.1\r\n" HOST PREFLIGHT "\r\n", 204, "Access-Control-Max-Age: 86400\r\n");
	expect("OPTIONS /family/?sid=0 HTTP/1.1\r\n" HOST PREFLIGHT "\r\n", 204, "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n");
	expect("OPTIONS /family/ HTTP/1.1\r\n" HOST NOBODY "\r\n", 403, NULL);
	expect("OPTIONS /family/ HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n", 403, NULL);
}

static void
test_family_route_tells_pages_of_allowed_origins_what_is_configured(void)
{
	static const char post[] = "POST /family/ HTTP/1.1\r\n" HOST PAGE "Content-Length: 1\r\n\r\nx";
	static const char *const trusting[] = { "--allow-credentials", NULL };
	expect(post, 200, "Access-Control-Allow-Origin: " WORLD_ORIGIN "\r\n");
	for (int trusts = 0; trusts <= 1; trusts++) {
		begin(trusts ? trusting : NULL);
		const char *answer = http_ask(&client, &world, post);
		CU_ASSERT_EQUAL(strstr(answer, "Access-Control-Allow-Credentials: true\r\n") != NULL, trusts);
		answer = http_ask(&client, &world, "POST /family/ HTTP/1.1\r\n" HOST "Origin: null\r\nContent-Length: 1\r\n\r\nx");
		CU_ASSERT(http_is(answer, 403));
		CU_ASSERT_PTR_NULL(strstr(answer, "Credentials"));
		end();
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_family_route_refuses_everything_in_its_clients_words),
		UNIT_TEST(test_family_route_refuses_what_has_no_room_or_comes_too_often),
		UNIT_TEST(test_family_route_takes_no_subscribes_for_the_channels_of_its_query),
		UNIT_TEST(test_family_route_refuses_tokens_that_do_not_count),
		UNIT_TEST(test_family_route_judges_methods_itself),
		UNIT_TEST(test_family_route_bears_what_its_clients_and_their_users_send),
		UNIT_TEST(test_family_route_takes_bodies_whole),
		UNIT_TEST(test_family_route_refuses_chunks_beyond_its_limit),
		UNIT_TEST(test_family_route_leaves_no_room_for_smuggling),
		UNIT_TEST(test_family_route_answers_preflights_for_a_day),
		UNIT_TEST(test_family_route_tells_pages_of_allowed_origins_what_is_configured),
		{ NULL, NULL },
	};
	return unit_main("family_route", tests);
}
