#include "http/gate.h"

#include <stdio.h>

#include "config/config.h"
#include "core/listener.h"
#include "http/reply.h"
#include "http/routes.h"
#include "tests/unit/read_head.h"
#include "transports/registry.h"

#define COUNT(array) (sizeof array / sizeof *array)
#define HOST "Host: localhost\r\n"
#define PAGE "Origin: http://page.example:8000\r\n"
#define NOBODY "Origin: http://evil.example\r\n"

static struct sl_config config;
static struct sl_access *access_rules;
static const struct sl_route own_limit[] = {
	{ .path = "short", .methods = "POST, OPTIONS", .takes_body = true, .body_max = 100 },
	{ .path = NULL },
};
static const struct sl_route *const lists[] = {
	sl_transport_routes, sl_http_routes, own_limit, NULL,
};
static const struct sl_routes routes = { lists };
static struct sl_gate gate;
static struct sl_judgement judgement;

/* A gateway at 127.0.0.1:8080, for pages of page.example, with one option more. */
static void
open_gate(const char *option)
{
	char name[] = "sluice", page[] = "--allow-origin=http://page.example:8000";
	char public[] = "--public-origin=https://push.example", more[64];
	char *argv[] = { name, page, public, more, NULL };
	struct sl_listener listener = { .count = 1 };
	snprintf(more, sizeof more, "%s", option ? option : "");
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, option ? 4 : 3, argv), 0);
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse("127.0.0.1:8080", &listener.address), 0);
	access_rules = sl_access_create(&config, &listener, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(access_rules);
	gate = (struct sl_gate){ &config, access_rules, &routes, false, false };
}

static void
close_gate(void)
{
	sl_access_destroy(access_rules);
	sl_config_finish(&config);
	forget_head();
}

/* Judges a request without its last empty line. */
static enum sl_gate_verdict
judge(const char *text)
{
	char whole[2048];
	snprintf(whole, sizeof whole, "%s\r\n", text);
	CU_ASSERT_EQUAL_FATAL(read_head(whole), 0);
	const char *mark = memchr(head.target.bytes, '?', head.target.len);
	size_t before = mark ? (size_t)(mark + 1 - head.target.bytes) : 0;
	memset(&judgement, 0x5a, sizeof judgement);
	sl_gate_judge(&judgement, &gate, &head, mark ? head_bytes + (mark + 1 - head_bytes) : NULL,
		mark ? head.target.len - before : 0);
	return judgement.verdict;
}

static void
expect_refused(const char *text, unsigned status, const char *code)
{
	bool is_good = judge(text) == SL_GATE_REFUSE && judgement.refusal.status == status &&
		strcmp(judgement.refusal.code, code) == 0;
	CU_ASSERT(is_good);
	if (!is_good)
		printf("\n    verdict %d, %u %s for\n%s\n", (int)judgement.verdict,
			judgement.refusal.status, judgement.refusal.code, text);
	CU_ASSERT(strlen(judgement.refusal.message) > 10);
}

static void
expect_served(const char *text)
{
	enum sl_gate_verdict verdict = judge(text);
	CU_ASSERT_EQUAL(verdict, SL_GATE_SERVE);
	if (verdict != SL_GATE_SERVE)
		printf("\n    %u %s for\n%s\n", judgement.refusal.status, judgement.refusal.code, text);
}

static char answer_text[4096];

static const char *
get_answer(void)
{
	struct sl_reply reply = { .head.status = 0 };
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_gate_fill_reply(&judgement, &reply);
	sl_reply_append_response(&reply, &out, false);
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_FATAL(sl_buffer_status(&out) == 0 && out.len <= sizeof answer_text);
	memcpy(answer_text, out.bytes, out.len);
	sl_buffer_finish(&out);
	sl_reply_finish(&reply);
	return answer_text;
}

static bool
answer_has(const char *text)
{
	bool has = strstr(get_answer(), text) != NULL;
	if (!has)
		printf("\n    no %s in\n%s\n", text, answer_text);
	return has;
}

/* ---- the order of its questions ---- */

static const struct {
	const char *text;
	unsigned status;
	const char *code;
} refusals[] = {
	{ "GET /stats HTTP/1.1\r\n" HOST "Origin: http://localhost:8080\r\nOrigin: http://evil.example\r\n",
		400, "bad_request" },
	{ "GET /stats HTTP/1.1\r\nHost: evil.example\r\n", 403, "bad_host" },
	{ "GET /stats HTTP/1.1\r\nHost: evil.example\r\n" NOBODY, 403, "bad_host" },
	{ "GET /stats HTTP/1.1\r\nHost:\r\n", 403, "bad_host" },
	{ "GET http://evil.example/stats HTTP/1.1\r\n" HOST, 403, "bad_host" },
	{ "GET /stats HTTP/1.1\r\n" HOST NOBODY, 403, "bad_origin" },
	{ "GET /nothing HTTP/1.1\r\n" HOST NOBODY, 403, "bad_origin" },
	{ "PUT /stats HTTP/1.1\r\n" HOST NOBODY, 403, "bad_origin" },
	{ "OPTIONS /stats HTTP/1.1\r\n" HOST NOBODY, 403, "bad_origin" },
	{ "OPTIONS * HTTP/1.1\r\n" HOST NOBODY, 403, "bad_origin" },
	{ "GET / HTTP/1.1\r\nHost: evil.example\r\n", 403, "bad_host" },
	{ "GET /nothing HTTP/1.1\r\n" HOST, 404, "not_found" },
	{ "PUT /nothing HTTP/1.1\r\n" HOST, 404, "not_found" },
	{ "OPTIONS /nothing HTTP/1.1\r\n" HOST, 404, "not_found" },
	{ "GET /ws/?channels=a HTTP/1.1\r\n" HOST, 404, "not_found" },
	{ "GET /%70oll?channels=a HTTP/1.1\r\n" HOST, 404, "not_found" },
	{ "GET // HTTP/1.1\r\n" HOST, 404, "not_found" },
	{ "PUT /stats HTTP/1.1\r\n" HOST, 405, "bad_method" },
	{ "get /stats HTTP/1.1\r\n" HOST, 405, "bad_method" },
	{ "GET /publish?channel=.. HTTP/1.1\r\n" HOST, 405, "bad_method" },
	{ "HEAD /ws?channels=a HTTP/1.1\r\n" HOST, 405, "bad_method" },
	{ "PUT /publish HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", 405, "bad_method" },
	{ "GET /poll HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", 400, "body_not_allowed" },
	{ "GET /poll HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n", 400, "body_not_allowed" },
	{ "OPTIONS /poll HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", 400, "body_not_allowed" },
	{ "OPTIONS * HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", 400, "body_not_allowed" },
	{ "POST /poll?channels=a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", 400, "body_not_allowed" },
	{ "POST /poll?channels=* HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", 400, "bad_channel" },
	{ "GET /poll?channels=%zz HTTP/1.1\r\n" HOST, 400, "bad_query" },
	{ "GET /stats?x=%zz HTTP/1.1\r\n" HOST, 400, "bad_query" },
	{ "GET /poll HTTP/1.1\r\n" HOST, 400, "no_channels" },
	{ "GET /poll?channels= HTTP/1.1\r\n" HOST, 400, "no_channels" },
	{ "GET /ws?channels=a&since=x HTTP/1.1\r\n" HOST, 400, "bad_cursor" },
	{ "GET /stream?channels=a,b&format=raw HTTP/1.1\r\n" HOST, 400, "raw_one_channel" },
	{ "POST /publish?channel=* HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n", 400, "bad_channel" },
	{ "POST /publish?channel=a HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n", 413, "too_large" },
	{ "POST /publish?channel=a HTTP/1.1\r\n" HOST "Content-Length: 65537\r\nContent-Encoding: gzip\r\n",
		413, "too_large" },
	{ "POST /probe/echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n", 413, "too_large" },
	{ "POST /short HTTP/1.1\r\n" HOST "Content-Length: 101\r\n", 413, "too_large" },
	{ "POST /publish?channel=a HTTP/1.1\r\n" HOST "Content-Type: a\r\nContent-Type: b\r\n"
		"Content-Encoding: gzip\r\n", 400, "bad_request" },
	{ "POST /publish?channel=a HTTP/1.1\r\n" HOST "Idempotency-Key: 1\r\nIdempotency-Key: 1\r\n",
		400, "bad_request" },
	{ "POST /publish?channel=a HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\n", 415, "bad_content_encoding" },
	{ "POST /publish?channel=a HTTP/1.1\r\n" HOST "Content-Encoding: identity\r\nX: y\r\n"
		"content-encoding: br\r\n", 415, "bad_content_encoding" },
	{ "POST /publish?channel=a HTTP/1.1\r\n" HOST "Content-Encoding: identity, gzip\r\n",
		415, "bad_content_encoding" },
	{ "POST /publish?channel=a HTTP/1.1\r\n" HOST "Content-Range: bytes 0-0/2\r\n",
		400, "bad_content_range" },
};

static void
test_gate_refuses_for_the_first_reason_it_finds(void)
{
	open_gate(NULL);
	for (size_t i = 0; i < COUNT(refusals); i++) {
		expect_refused(refusals[i].text, refusals[i].status, refusals[i].code);
		CU_ASSERT_FALSE(judgement.refusal.closes);
		CU_ASSERT_EQUAL(judgement.refusal.concern, SL_CONCERN_REQUEST);
	}
	close_gate();
}

static void
test_gate_lets_good_requests_pass(void)
{
	static const char *const good[] = {
		"GET /stats HTTP/1.1\r\n" HOST,
		"HEAD /stats?x=1 HTTP/1.1\r\n" HOST,
		"GET /stats HTTP/1.0\r\n",
		"GET http://localhost/stats HTTP/1.1\r\nHost: evil.example\r\n",
		"GET wss://push.example:443/ws?channels=a HTTP/1.1\r\n" HOST,
		"GET /stats HTTP/1.1\r\nHost: push.example\r\n" PAGE,
		"GET / HTTP/1.1\r\n" HOST NOBODY,
		"GET /client/sluice.js HTTP/1.1\r\n" HOST "Origin: null\r\n",
		"GET /poll?channels=a HTTP/1.1\r\n" HOST,
		"HEAD /poll?channels=a HTTP/1.1\r\n" HOST,
		"POST /poll?channels=a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n",
		"POST /poll?channels=a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n",
		"POST /publish?channel=a HTTP/1.1\r\n" HOST "Content-Length: 65536\r\n",
		"POST /publish HTTP/1.1\r\n" HOST "Content-Encoding: identity, identity\r\n",
		"POST /probe/echo HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Range: x\r\n",
		"GET /stats HTTP/1.1\r\n" HOST "Content-Length: 0\r\nExpect: x\r\n",
	};
	open_gate(NULL);
	for (size_t i = 0; i < COUNT(good); i++)
		expect_served(good[i]);
	close_gate();
}

/* A page without an origin shares "null" with all that have none: it is told nothing with credentials,
 * not even of files that any page may have, nor why it is refused. */
static void
test_gate_never_grants_credentials_to_pages_without_an_origin(void)
{
	open_gate("--allow-credentials");
	expect_served("GET /client/sluice.js HTTP/1.1\r\n" HOST "Origin: null\r\n");
	CU_ASSERT_PTR_NULL(judgement.request.cors.origin);
	CU_ASSERT_FALSE(judgement.request.cors.credentials);
	expect_refused("POST /ticket HTTP/1.1\r\n" HOST "Origin: null\r\n", 403, "bad_origin");
	CU_ASSERT_PTR_NULL(strstr(get_answer(), "Allow-Credentials"));
	expect_served("GET /poll?channels=a HTTP/1.1\r\n" HOST PAGE);
	CU_ASSERT_TRUE(judgement.request.cors.credentials);
	close_gate();
}

/* ---- what it hands on ---- */

static void
test_gate_hands_on_what_it_understood(void)
{
	open_gate(NULL);
	expect_served("GET /poll?channels=a,b&wait=0&since=0&n=17 HTTP/1.1\r\n" HOST PAGE);
	const struct sl_request *request = &judgement.request;
	CU_ASSERT_PTR_EQUAL(request->head, &head);
	CU_ASSERT_STRING_EQUAL(request->route->path, "poll");
	CU_ASSERT_PTR_EQUAL(request->transport, &sl_transport_poll);
	CU_ASSERT(sl_span_equals((struct sl_span){ request->path, request->path_len }, "poll"));
	CU_ASSERT(request->keep_alive);
	CU_ASSERT_STRING_EQUAL(request->cors.origin, "http://page.example:8000");
	CU_ASSERT_FALSE(request->cors.credentials);
	CU_ASSERT_EQUAL(request->params.join.channel_count, 2);
	CU_ASSERT_EQUAL(request->params.join.since_kind, SL_SINCE_ALL);
	CU_ASSERT_EQUAL(request->body_max, 0);
	CU_ASSERT_PTR_NULL(request->body.bytes);
	expect_served("GET /poll?channels=a HTTP/1.1\r\nConnection: close\r\n" HOST);
	CU_ASSERT_PTR_EQUAL(request->transport, &sl_transport_longpoll);
	CU_ASSERT_FALSE(request->keep_alive);
	CU_ASSERT_PTR_NULL(request->cors.origin);
	expect_served("GET /client/a/b.js?x HTTP/1.1\r\n" HOST);
	CU_ASSERT_PTR_NULL(request->transport);
	CU_ASSERT(sl_span_equals((struct sl_span){ request->path, request->path_len }, "client/a/b.js"));
	close_gate();
}

static void
test_gate_knows_how_long_a_body_may_be(void)
{
	static const struct {
		const char *text;
		uint64_t max;
	} cases[] = {
		{ "POST /publish HTTP/1.1\r\n" HOST, 65536 },
		{ "POST /publish HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\n", 65536 },
		{ "POST /publish HTTP/1.1\r\n" HOST "Content-Type: application/x-ndjson\r\n", 1 << 20 },
		{ "POST /probe/echo HTTP/1.1\r\n" HOST "Content-Type: application/x-ndjson\r\n", 65536 },
		{ "POST /poll?channels=a HTTP/1.1\r\n" HOST, 0 },
		{ "POST /short HTTP/1.1\r\n" HOST "Content-Length: 100\r\n", 100 },
	};
	open_gate(NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect_served(cases[i].text);
		CU_ASSERT_EQUAL(judgement.request.body_max, cases[i].max);
	}
	close_gate();
}

static void
test_gate_refuses_what_turned_out_too_long(void)
{
	open_gate(NULL);
	expect_served("POST /publish HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n");
	sl_gate_refuse_size(&judgement);
	CU_ASSERT_EQUAL(judgement.verdict, SL_GATE_REFUSE);
	CU_ASSERT(answer_has("413 Content Too Large") && answer_has("\"too_large\""));
	expect_served("POST /poll?channels=a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n");
	sl_gate_refuse_size(&judgement);
	CU_ASSERT_EQUAL(judgement.verdict, SL_GATE_REFUSE);
	CU_ASSERT(answer_has("400 Bad Request") && answer_has("\"body_not_allowed\""));
	close_gate();
}

static void
test_gate_takes_last_event_id_where_the_transport_has_one(void)
{
	static const struct {
		const char *text;
		unsigned epoch;
	} cases[] = {
		{ "GET /sse?channels=a&since=00000001-1 HTTP/1.1\r\n" HOST "Last-Event-ID: 00000002-7\r\n", 2 },
		{ "GET /sse?channels=a&lastEventId=00000003-1 HTTP/1.1\r\n" HOST, 3 },
		{ "GET /sse?channels=a&lastEventId=00000003-1 HTTP/1.1\r\n" HOST "Last-Event-ID:\r\n", 3 },
		{ "GET /stream?channels=a&since=00000001-1 HTTP/1.1\r\n" HOST "Last-Event-ID: 00000002-7\r\n", 1 },
	};
	open_gate(NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect_served(cases[i].text);
		CU_ASSERT_EQUAL(judgement.request.params.join.since_kind, SL_SINCE_CURSOR);
		CU_ASSERT_EQUAL(judgement.request.params.join.since.epoch, cases[i].epoch);
	}
	close_gate();
}

static void
test_gate_moves_every_path_below_its_base(void)
{
	open_gate("--base-path=/push");
	expect_served("GET /push/stats HTTP/1.1\r\n" HOST);
	expect_served("GET /push/ HTTP/1.1\r\n" HOST);
	expect_served("GET http://localhost/push/poll?channels=a HTTP/1.1\r\n" HOST);
	expect_refused("GET /stats HTTP/1.1\r\n" HOST, 404, "not_found");
	expect_refused("GET /push HTTP/1.1\r\n" HOST, 404, "not_found");
	expect_refused("GET /pushstats HTTP/1.1\r\n" HOST, 404, "not_found");
	expect_refused("GET http://localhost HTTP/1.1\r\n" HOST, 404, "not_found");
	CU_ASSERT_EQUAL(judge("OPTIONS * HTTP/1.1\r\n" HOST), SL_GATE_OPTIONS);
	close_gate();
}

/* ---- room ---- */

static void
test_gate_refuses_work_where_there_is_no_room(void)
{
	static const char *const work[] = { "GET /ws?channels=a HTTP/1.1\r\n" HOST,
		"GET /poll?channels=.. HTTP/1.1\r\n" HOST, "HEAD /sse?channels=a HTTP/1.1\r\n" HOST,
		"POST /publish?channel=a HTTP/1.1\r\n" HOST "Content-Length: 999999\r\n",
		"POST /probe/echo HTTP/1.1\r\n" HOST };
	static const char *const questions[] = { "GET /stats HTTP/1.1\r\n" HOST, "GET / HTTP/1.1\r\n" HOST,
		"GET /healthz HTTP/1.1\r\n" HOST, "GET /probe/seen HTTP/1.1\r\n" HOST };
	open_gate(NULL);
	for (int round = 1; round < 4; round++) {
		gate.is_full = round & 1;
		gate.is_draining = round & 2;
		for (size_t i = 0; i < COUNT(work); i++) {
			expect_refused(work[i], 429, gate.is_full ? "too_many_connections" : "draining");
			CU_ASSERT(judgement.refusal.closes && judgement.refusal.concern == SL_CONCERN_ROOM);
			CU_ASSERT_EQUAL(judgement.request.transport != NULL, i < 3);
			CU_ASSERT(answer_has("\r\nConnection: close\r\n") && answer_has("\r\nRetry-After: 2\r\n"));
		}
		for (size_t i = 0; i < COUNT(questions); i++)
			expect_served(questions[i]);
		CU_ASSERT_EQUAL(judge("OPTIONS /ws HTTP/1.1\r\n" HOST), SL_GATE_OPTIONS);
		expect_refused("PUT /ws HTTP/1.1\r\n" HOST, 405, "bad_method");
	}
	expect_refused("GET /sse?channels=a HTTP/1.1\r\n" HOST, 429, "too_many_connections");
	CU_ASSERT_PTR_EQUAL(judgement.request.transport, &sl_transport_sse);
	close_gate();
}

static void
test_gate_refuses_a_client_of_a_proxy_and_keeps_the_connection(void)
{
	open_gate(NULL);
	gate.is_client_full = true;
	expect_refused("GET /poll?channels=a HTTP/1.1\r\n" HOST, 429, "too_many_connections");
	CU_ASSERT(!judgement.refusal.closes && judgement.refusal.concern == SL_CONCERN_ROOM);
	expect_served("GET /healthz HTTP/1.1\r\n" HOST);
	gate.is_draining = true;
	expect_refused("GET /poll?channels=a HTTP/1.1\r\n" HOST, 429, "too_many_connections");
	CU_ASSERT(judgement.refusal.closes);
	close_gate();
}

/* ---- answers ---- */

static void
test_gate_answers_options_with_the_methods_of_the_path(void)
{
	open_gate(NULL);
	CU_ASSERT_EQUAL(judge("OPTIONS /poll?channels=.. HTTP/1.1\r\n" HOST), SL_GATE_OPTIONS);
	CU_ASSERT(answer_has("HTTP/1.1 204 No Content\r\n"));
	CU_ASSERT(answer_has("\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"));
	CU_ASSERT_PTR_NULL(strstr(answer_text, "Access-Control"));
	CU_ASSERT_EQUAL(judge("OPTIONS /publish HTTP/1.1\r\n" HOST PAGE), SL_GATE_OPTIONS);
	CU_ASSERT(answer_has("\r\nAllow: POST, OPTIONS\r\n"));
	CU_ASSERT(answer_has("\r\nAccess-Control-Allow-Methods: POST, OPTIONS\r\n"));
	CU_ASSERT(answer_has("\r\nAccess-Control-Allow-Headers: " SL_CORS_ALLOWED "\r\n"));
	CU_ASSERT(answer_has("\r\nAccess-Control-Max-Age: 600\r\n"));
	CU_ASSERT(answer_has("\r\nAccess-Control-Allow-Origin: http://page.example:8000\r\n"));
	CU_ASSERT_PTR_NULL(strstr(answer_text, "Private-Network"));
	CU_ASSERT_EQUAL(judge("OPTIONS /publish HTTP/1.1\r\n" HOST PAGE
		"Access-Control-Request-Private-Network: true\r\n"), SL_GATE_OPTIONS);
	CU_ASSERT(answer_has("\r\nAccess-Control-Allow-Private-Network: true\r\n"));
	CU_ASSERT_EQUAL(judge("OPTIONS /client/x HTTP/1.1\r\n" HOST NOBODY
		"Access-Control-Request-Private-Network: true\r\n"), SL_GATE_OPTIONS);
	CU_ASSERT_PTR_NULL(strstr(get_answer(), "Access-Control"));
	close_gate();
}

static void
test_gate_answers_options_of_the_whole_server(void)
{
	open_gate(NULL);
	CU_ASSERT_EQUAL(judge("OPTIONS * HTTP/1.1\r\n" HOST), SL_GATE_OPTIONS);
	CU_ASSERT(answer_has("\r\nAllow: GET, HEAD, POST, OPTIONS\r\n"));
	CU_ASSERT_EQUAL(judge("OPTIONS http://localhost HTTP/1.1\r\n" HOST), SL_GATE_OPTIONS);
	CU_ASSERT(answer_has("HTTP/1.1 204 No Content\r\n"));
	close_gate();
}

/* Whatever it is, and before it is judged otherwise. */
static void
test_gate_refuses_every_request_in_the_clear_where_tls_is_spoken(void)
{
	static const char *const requests[] = { "GET /stats HTTP/1.1\r\n" HOST,
		"GET /nothing HTTP/1.1\r\nHost: evil.example\r\n" NOBODY, "PUT /stats HTTP/1.1\r\n" HOST,
		"OPTIONS * HTTP/1.1\r\n" HOST, "GET /ws?channels=a HTTP/1.1\r\n" HOST };
	open_gate(NULL);
	gate.lacks_tls = true;
	for (size_t i = 0; i < COUNT(requests); i++) {
		expect_refused(requests[i], 400, "tls_required");
		CU_ASSERT_TRUE(judgement.refusal.closes);
	}
	CU_ASSERT(answer_has("\r\nConnection: close\r\n"));
	judge("GET /poll?channels=a HTTP/1.1\r\nHost: push.example:8443\r\n");
	CU_ASSERT(answer_has("use https://push.example:8443/poll?channels=a\""));
	judge("GET /poll HTTP/1.0\r\n");
	CU_ASSERT(answer_has("use https://HOST:PORT/poll\""));
	judge("OPTIONS * HTTP/1.1\r\nHost: push.example\r\n");
	CU_ASSERT(answer_has("use https://push.example\""));
	close_gate();
}

static void
test_gate_names_what_a_wrong_method_may_be(void)
{
	open_gate(NULL);
	expect_refused("BREW /sse HTTP/1.1\r\n" HOST, 405, "bad_method");
	CU_ASSERT(answer_has("\r\nAllow: GET, HEAD, OPTIONS\r\n"));
	close_gate();
}

static void
test_gate_tells_any_page_why_it_is_refused_and_no_more(void)
{
	open_gate(NULL);
	expect_refused("GET /stats HTTP/1.1\r\n" HOST NOBODY, 403, "bad_origin");
	CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_ORIGIN_REFUSED);
	CU_ASSERT(answer_has("\r\nAccess-Control-Allow-Origin: *\r\n"));
	CU_ASSERT(answer_has("\r\nAccess-Control-Expose-Headers: Sluice\r\n"));
	CU_ASSERT(answer_has("pages of http://evil.example; start it with --public-origin "
		"http://evil.example (or --allow-origin http://evil.example)"));
	CU_ASSERT_PTR_NULL(strstr(answer_text, "Vary"));
	expect_refused("GET /stats HTTP/1.1\r\n" HOST "Origin: null\r\n", 403, "bad_origin");
	CU_ASSERT(answer_has("pages without an origin"));
	expect_refused("GET /stats HTTP/1.1\r\nHost: evil.example\r\n" PAGE, 403, "bad_host");
	CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_HOST_REFUSED);
	CU_ASSERT(answer_has("\r\nAccess-Control-Allow-Origin: http://page.example:8000\r\n"));
	CU_ASSERT(answer_has("the Host evil.example; start it with --public-origin"));
	CU_ASSERT_PTR_NULL(strstr(answer_text, "*"));
	expect_refused("GET /nothing HTTP/1.1\r\n" HOST PAGE, 404, "not_found");
	CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_COUNT);
	CU_ASSERT(answer_has("\r\nAccess-Control-Allow-Origin: http://page.example:8000\r\n"));
	expect_refused("GET /nothing HTTP/1.1\r\n" HOST, 404, "not_found");
	CU_ASSERT_PTR_NULL(strstr(get_answer(), "Access-Control"));
	close_gate();
}

static void
test_gate_does_not_quote_what_is_not_fit_for_a_sentence(void)
{
	char text[1024], name[301];
	memset(name, 'a', 300);
	name[300] = '\0';
	const char *const unfit[] = { name, "", "x y", "http://\xc3\xa4", "a\tb" };
	open_gate(NULL);
	for (size_t i = 0; i < COUNT(unfit); i++) {
		snprintf(text, sizeof text, "GET /stats HTTP/1.1\r\n" HOST "Origin: %s\r\n", unfit[i]);
		expect_refused(text, 403, "bad_origin");
		CU_ASSERT_PTR_NOT_NULL(strstr(judgement.refusal.message,
			"pages of ORIGIN; start it with --public-origin ORIGIN (or"));
	}
	name[250] = '\0';
	snprintf(text, sizeof text, "GET /stats HTTP/1.1\r\n" HOST "Origin: %s\r\n", name);
	expect_refused(text, 403, "bad_origin");
	CU_ASSERT_PTR_NOT_NULL(strstr(judgement.refusal.message, "aaaa)"));
	name[250] = 'a';
	snprintf(text, sizeof text, "GET /stats HTTP/1.1\r\nHost: %s\r\n", name);
	expect_refused(text, 403, "bad_host");
	CU_ASSERT_PTR_NOT_NULL(strstr(judgement.refusal.message, "the Host of this request; start"));
	close_gate();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_gate_refuses_for_the_first_reason_it_finds),
		UNIT_TEST(test_gate_lets_good_requests_pass),
		UNIT_TEST(test_gate_never_grants_credentials_to_pages_without_an_origin),
		UNIT_TEST(test_gate_hands_on_what_it_understood),
		UNIT_TEST(test_gate_knows_how_long_a_body_may_be),
		UNIT_TEST(test_gate_refuses_what_turned_out_too_long),
		UNIT_TEST(test_gate_takes_last_event_id_where_the_transport_has_one),
		UNIT_TEST(test_gate_moves_every_path_below_its_base),
		UNIT_TEST(test_gate_refuses_work_where_there_is_no_room),
		UNIT_TEST(test_gate_refuses_a_client_of_a_proxy_and_keeps_the_connection),
		UNIT_TEST(test_gate_answers_options_with_the_methods_of_the_path),
		UNIT_TEST(test_gate_answers_options_of_the_whole_server),
		UNIT_TEST(test_gate_refuses_every_request_in_the_clear_where_tls_is_spoken),
		UNIT_TEST(test_gate_names_what_a_wrong_method_may_be),
		UNIT_TEST(test_gate_tells_any_page_why_it_is_refused_and_no_more),
		UNIT_TEST(test_gate_does_not_quote_what_is_not_fit_for_a_sentence),
		{ NULL, NULL },
	};
	return unit_main("gate", tests);
}
