#include "http/permission.h"

#include "auth/principals.h"
#include "core/loop.h"
#include "http/gate.h"
#include "http/routes.h"
#include "tests/unit/read_head.h"
#include "tests/unit/tokens.h"
#include "transports/registry.h"

#define COUNT(array) (sizeof array / sizeof *array)
#define HOST "Host: push.example\r\n"
#define READER "{\"subscribe\":[\"chat.*\"],\"publish\":[\"chat.42\"]}"
#define ADMIN "{\"subscribe\":[\"*\"],\"admin\":true}"

static const struct sl_route *const lists[] = { sl_transport_routes, sl_http_routes, NULL };
static const struct sl_routes routes = { lists };
static struct sl_timer_wheel timers;
static struct sl_metrics metrics;
static struct sl_access *access_rules;
static struct sl_gate gate;
static struct sl_judgement judgement;

static void
end_nobody(struct sl_holder *holder, enum sl_leave leave)
{
	(void)holder, (void)leave;
}

static void
open_gate(const char *const *options)
{
	tokens_open(options);
	metrics = (struct sl_metrics){ 0 };
	sl_timer_wheel_init(&timers, 0);
	access_rules = sl_access_create(&tokens_config, NULL, 0);
	gate = (struct sl_gate){ .config = &tokens_config, .access = access_rules, .routes = &routes,
		.now_s = TOKENS_NOW_S };
	CU_ASSERT_EQUAL_FATAL(sl_principals_create(&gate.principals, &timers, &metrics, NULL,
		end_nobody), 0);
	sl_principals_set_auth(gate.principals, tokens_auth);
	CU_ASSERT_PTR_NOT_NULL_FATAL(access_rules);
}

static void
close_gate(void)
{
	sl_judgement_finish(&judgement);
	sl_principals_destroy(gate.principals);
	sl_access_destroy(access_rules);
	tokens_close();
	forget_head();
}

/* Judges `start` with these further fields; `token` (or NULL) goes into Authorization. Returns the
 * status, 0 when it is served. */
static unsigned
ask(const char *start, const char *token, const char *fields)
{
	char whole[4096], field[2048] = "";
	if (token)
		snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", token);
	snprintf(whole, sizeof whole, "%s HTTP/1.1\r\n" HOST "%s%s\r\n", start, field, fields);
	CU_ASSERT_EQUAL_FATAL(read_head(whole), 0);
	const char *mark = memchr(head.target.bytes, '?', head.target.len);
	size_t before = mark ? (size_t)(mark + 1 - head.target.bytes) : 0;
	sl_judgement_finish(&judgement);
	memset(&judgement, 0x5a, sizeof judgement);
	sl_gate_judge(&judgement, &gate, &head, mark ? head_bytes + (mark + 1 - head_bytes) : NULL,
		mark ? head.target.len - before : 0);
	return judgement.verdict == SL_GATE_REFUSE ? judgement.refusal.status : 0;
}

static bool
is_code(const char *code)
{
	return strcmp(judgement.refusal.code, code) == 0;
}

static void
test_permission_of_each_route(void)
{
	static const struct { const char *start; unsigned nobody, reader, admin; } cases[] = {
		{ "GET /ws?channels=chat.1", 401, 0, 0 },
		{ "GET /sse?channels=chat.1,chat.2", 401, 0, 0 },
		{ "HEAD /sse?channels=chat.1", 401, 0, 0 },
		{ "GET /stream?channels=chat.1,other", 401, 403, 0 },
		{ "HEAD /stream?channels=other", 401, 403, 0 },
		{ "GET /poll?channels=other&wait=0", 401, 403, 0 },
		{ "POST /poll?channels=chat.1", 401, 0, 0 },
		{ "GET /poll?channels=chat", 401, 403, 0 },
		{ "POST /publish?channel=chat.42", 401, 0, 403 },
		{ "POST /publish?channel=chat.1", 401, 403, 403 },
		{ "POST /publish", 401, 0, 0 }, /* its lines are asked one by one */
		{ "POST /ticket", 401, 0, 0 },
		{ "POST /ticket?channels=chat.1", 401, 0, 0 },
		{ "POST /ticket?channels=chat.1,other", 401, 403, 0 },
		{ "GET /stats", 401, 403, 0 }, { "HEAD /stats", 401, 403, 0 },
		{ "GET /metrics", 401, 403, 0 }, { "POST /admin/disconnect", 401, 403, 0 },
		{ "GET /healthz", 0, 0, 0 }, { "GET /readyz", 0, 0, 0 }, { "GET /transports", 0, 0, 0 },
		{ "GET /", 0, 0, 0 }, { "GET /client/x.js", 0, 0, 0 }, { "GET /probe/head", 0, 0, 0 },
		{ "POST /probe/echo", 0, 0, 0 }, { "OPTIONS /stats", 0, 0, 0 }, { "OPTIONS /ws", 0, 0, 0 },
		/* a lease is its own permission */
		{ "GET /sse?channels=~lent", 0, 0, 0 }, { "GET /sse?channels=~lent,other", 401, 403, 0 },
		{ "POST /publish?channel=~lent", 0, 0, 0 },
	};
	open_gate(NULL);
	const char *reader = tokens_mint("ann", TOKENS_NOW_S, READER);
	const char *admin = tokens_mint("root", TOKENS_NOW_S, ADMIN);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned nobody_got = ask(cases[i].start, NULL, "");
		CU_ASSERT_EQUAL(nobody_got, cases[i].nobody);
		unsigned reader_got = ask(cases[i].start, reader, "");
		CU_ASSERT_EQUAL(reader_got, cases[i].reader);
		unsigned admin_got = ask(cases[i].start, admin, "");
		CU_ASSERT_EQUAL(admin_got, cases[i].admin);
		if (nobody_got != cases[i].nobody || reader_got != cases[i].reader ||
				admin_got != cases[i].admin)
			printf("\n    %s: %u %u %u\n", cases[i].start, nobody_got, reader_got, admin_got);
	}
	close_gate();
}

static void
test_permission_says_who_asks(void)
{
	open_gate(NULL);
	CU_ASSERT_EQUAL(ask("GET /sse?channels=chat.1", tokens_mint("ann", TOKENS_NOW_S, READER), ""), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(judgement.request.principal);
	CU_ASSERT_STRING_EQUAL(sl_principal_get_claims(judgement.request.principal)->subject, "ann");
	sl_judgement_finish(&judgement);
	CU_ASSERT_PTR_NULL(judgement.request.principal);
	sl_judgement_finish(&judgement);
	CU_ASSERT_EQUAL(ask("GET /healthz", "rubbish", ""), 0); /* which nobody looks at */
	CU_ASSERT_PTR_NULL(judgement.request.principal);
	gate.principals = (sl_principals_destroy(gate.principals), NULL);
	CU_ASSERT_EQUAL(ask("GET /sse?channels=chat.1", "rubbish", "Host2: x\r\n"), 403); /* Host */
	CU_ASSERT_EQUAL(ask("GET http://localhost/sse?channels=chat.1", "rubbish", ""), 0);
	CU_ASSERT_PTR_EQUAL(judgement.request.principal, &sl_principal_everybody);
	close_gate();
}

static void
expect_challenge(const char *challenge)
{
	CU_ASSERT_STRING_EQUAL(judgement.refusal.challenge, challenge);
}

static void
test_permission_denied_says_what_is_missing(void)
{
	open_gate(NULL);
	CU_ASSERT_EQUAL(ask("GET /sse?channels=chat.1", NULL, ""), 401);
	CU_ASSERT(is_code("unauthorized"));
	CU_ASSERT_PTR_NOT_NULL(strstr(judgement.refusal.message, "subscribe to chat.1"));
	expect_challenge("Bearer realm=\"sluice\"");
	CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_PRINCIPALS_MISSING);
	CU_ASSERT_EQUAL(judgement.refusal.concern, SL_CONCERN_PRINCIPAL);
	CU_ASSERT_EQUAL(ask("GET /sse?channels=chat.1", "x.y.z", ""), 401);
	CU_ASSERT_PTR_EQUAL(strstr(judgement.refusal.challenge,
		"Bearer realm=\"sluice\", error=\"invalid_token\", error_description=\""),
		judgement.refusal.challenge);
	CU_ASSERT_PTR_NULL(strstr(judgement.refusal.message, "x.y.z"));
	const char *old = tokens_mint("ann", TOKENS_NOW_S - 1000, READER);
	CU_ASSERT_EQUAL(ask("GET /sse?channels=chat.1", old, ""), 401);
	CU_ASSERT(is_code("token_expired"));
	const char *reader = tokens_mint("ann", TOKENS_NOW_S, READER);
	CU_ASSERT_EQUAL(ask("GET /sse?channels=chat.1,other", reader, ""), 403);
	CU_ASSERT(is_code("forbidden"));
	CU_ASSERT_STRING_EQUAL(judgement.refusal.message, "this token may not subscribe to other");
	expect_challenge("");
	CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_FORBIDDEN_SUBSCRIBE);
	CU_ASSERT_EQUAL(ask("POST /publish?channel=other", reader, ""), 403);
	CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_FORBIDDEN_PUBLISH);
	CU_ASSERT_EQUAL(ask("GET /stats", reader, ""), 403);
	CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_FORBIDDEN_ADMIN);
	CU_ASSERT_EQUAL(ask("GET /stats", reader, "Authorization: Bearer x\r\n"), 400);
	CU_ASSERT(is_code("bad_request"));
	CU_ASSERT_EQUAL(ask("POST /ticket?ticket=x", NULL, ""), 401);
	close_gate();
}

static void
test_permission_of_those_without_a_token_is_what_the_options_say(void)
{
	static const char *const options[] = { "--anonymous-subscribe=news.*", "--anonymous-publish=ask",
		NULL };
	open_gate(options);
	CU_ASSERT_EQUAL(ask("GET /sse?channels=news.1,news.2", NULL, ""), 0);
	CU_ASSERT_TRUE(sl_principal_is_anonymous(judgement.request.principal));
	CU_ASSERT_EQUAL(ask("GET /sse?channels=news.1,chat.1", NULL, ""), 401);
	CU_ASSERT_EQUAL(ask("POST /publish?channel=ask", NULL, ""), 0);
	CU_ASSERT_EQUAL(ask("POST /publish", NULL, ""), 0);
	CU_ASSERT_EQUAL(ask("POST /publish?channel=news.1", NULL, ""), 401);
	CU_ASSERT_EQUAL(ask("POST /ticket?channels=news.1", NULL, ""), 401);
	/* a bad token is not as good as none, and a good one that allows less is used */
	CU_ASSERT_EQUAL(ask("GET /sse?channels=news.1", "rubbish", ""), 401);
	CU_ASSERT_EQUAL(ask("GET /sse?channels=news.1",
		tokens_mint("ann", TOKENS_NOW_S, READER), ""), 403);
	close_gate();
}

/* What is refused anyway is refused before anybody's token is looked at. */
static void
test_permission_is_asked_for_after_what_needs_no_token(void)
{
	static const struct { const char *start, *fields; unsigned status; } cases[] = {
		{ "GET /sse?channels=chat.1", "Origin: http://evil.example\r\n", 403 },
		{ "GET /nothing", "", 404 }, { "PUT /stats", "", 405 }, { "GET /sse?channels=*", "", 400 },
		{ "GET /sse", "", 400 },
	};
	open_gate(NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		CU_ASSERT_EQUAL(ask(cases[i].start, "rubbish", cases[i].fields), cases[i].status);
		CU_ASSERT_NOT_EQUAL(judgement.refusal.concern, SL_CONCERN_PRINCIPAL);
	}
	gate.is_draining = true;
	CU_ASSERT_EQUAL(ask("GET /sse?channels=chat.1", "rubbish", ""), 429);
	CU_ASSERT_EQUAL(metrics.counters[SL_COUNTER_PRINCIPALS_REFUSED], 0);
	gate.is_draining = false;
	/* and before the body is */
	CU_ASSERT_EQUAL(ask("POST /publish?channel=a", "rubbish", "Content-Length: 9999999\r\n"), 401);
	CU_ASSERT_EQUAL(metrics.counters[SL_COUNTER_PRINCIPALS_REFUSED], 1);
	close_gate();
}

static void
test_permission_at_an_admin_listener_is_by_its_address(void)
{
	open_gate(NULL);
	gate.is_for_admins = true;
	CU_ASSERT_EQUAL(ask("GET /stats", NULL, ""), 403); /* its Host is a name that a page may have */
	CU_ASSERT(is_code("bad_host"));
	CU_ASSERT_EQUAL(ask("GET http://127.0.0.1/stats", NULL, ""), 0);
	CU_ASSERT_EQUAL(ask("GET http://10.0.0.1:9000/metrics", NULL, ""), 0);
	CU_ASSERT_EQUAL(ask("POST http://localhost/admin/disconnect", "rubbish", ""), 0);
	CU_ASSERT_EQUAL(ask("GET http://localhost/healthz", NULL, ""), 0);
	CU_ASSERT_EQUAL(ask("GET http://localhost/readyz", NULL, ""), 0);
	CU_ASSERT_EQUAL(ask("GET http://localhost/stats", NULL, "Origin: http://localhost:8080\r\n"), 403);
	CU_ASSERT(is_code("bad_origin"));
	static const char *const others[] = { "sse?channels=a", "publish", "ticket", "transports", "",
		"client/x.js", "probe/head", "nothing" };
	for (size_t i = 0; i < COUNT(others); i++) {
		char start[64];
		snprintf(start, sizeof start, "GET http://localhost/%s", others[i]);
		CU_ASSERT_EQUAL(ask(start, tokens_mint("root", TOKENS_NOW_S, ADMIN), ""), 404);
	}
	close_gate();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_permission_of_each_route),
		UNIT_TEST(test_permission_says_who_asks),
		UNIT_TEST(test_permission_denied_says_what_is_missing),
		UNIT_TEST(test_permission_of_those_without_a_token_is_what_the_options_say),
		UNIT_TEST(test_permission_is_asked_for_after_what_needs_no_token),
		UNIT_TEST(test_permission_at_an_admin_listener_is_by_its_address),
		{ NULL, NULL },
	};
	return unit_main("permission", tests);
}
