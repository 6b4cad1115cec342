#include "http/credentials.h"

#include <stdio.h>
#include <sys/socket.h>

#include "http/request.h"
#include "http/route.h"
#include "http/transport.h"
#include "live/refusal.h"
#include "tests/unit/live_world.h"
#include "tests/unit/read_head.h"
#include "tests/unit/tokens.h"
#include "util/clock.h"
#include "util/err.h"

#define COUNT(array) (sizeof array / sizeof *array)
#define GET "GET / HTTP/1.1\r\nHost: h\r\n"
#define PAGE "https://page.example"

static const struct sl_transport upgrading = { .name = "u", .capabilities = SL_UPGRADES };
static const struct sl_transport plain = { .name = "p" };
static const struct sl_route delivery = { .path = "d", .kind = SL_ROUTE_DELIVER };
static const struct sl_route publish = { .path = "p", .kind = SL_ROUTE_PUBLISH };
static const struct sl_route ordinary = { .path = "o", .kind = SL_ROUTE_ORDINARY };

/* One request: its fields behind a first line and Host, and what is judged of it before. */
struct asked {
	const char *fields, *token, *ticket;
	const struct sl_route *route;
	const struct sl_transport *transport;
	bool is_post, is_head, is_allowed; /* the Origin */
};

static struct sl_span
make_span(const char *text)
{
	return (struct sl_span){ text, text ? strlen(text) : 0 };
}

static enum sl_credentials_outcome
find(struct sl_credentials *out, const struct asked *asked)
{
	static struct sl_request request;
	char text[2048];
	const char *method = asked->is_post ? "POST" : "GET";
	snprintf(text, sizeof text, "%s / HTTP/1.1\r\nHost: h\r\n%s\r\n",
		asked->is_head ? "HEAD" : method, asked->fields ? asked->fields : "");
	CU_ASSERT_EQUAL_FATAL(read_head(text), 0);
	request = (struct sl_request){
		.head = &head,
		.route = asked->route ? asked->route : &delivery,
		.transport = asked->transport ? asked->transport : &plain,
		.cors.origin = asked->is_allowed ? PAGE : NULL,
		.params = { .token = make_span(asked->token), .ticket = make_span(asked->ticket) },
	};
	memset(out, 0x5a, sizeof *out);
	return sl_credentials_find(out, &request, "session");
}

/* `expected` is "token:BYTES", "ticket:BYTES", "none", "repeated" or "not here". */
static void
expect(const struct asked *asked, const char *expected)
{
	static const char *const kinds[] = { [SL_CREDENTIAL_NONE] = "none",
		[SL_CREDENTIAL_TOKEN] = "token", [SL_CREDENTIAL_TICKET] = "ticket" };
	struct sl_credentials found;
	char told[256] = "repeated";
	enum sl_credentials_outcome outcome = find(&found, asked);
	if (outcome == SL_CREDENTIALS_NOT_HERE)
		strcpy(told, "not here");
	else if (outcome == SL_CREDENTIALS_READ && found.kind == SL_CREDENTIAL_NONE)
		strcpy(told, kinds[found.kind]);
	else if (outcome == SL_CREDENTIALS_READ)
		snprintf(told, sizeof told, "%s:%.*s", kinds[found.kind], (int)found.bytes.len,
			found.bytes.bytes);
	CU_ASSERT_STRING_EQUAL(told, expected);
	if (strcmp(told, expected) != 0)
		printf("\n    %s in place of %s for\n%s\n", told, expected, asked->fields);
}

static void
test_credentials_in_authorization(void)
{
	static const struct { const char *fields, *expected; } cases[] = {
		{ "", "none" },
		{ "Authorization: Bearer a.b.c\r\n", "token:a.b.c" },
		{ "authorization: bEARER  \ta.b.c  \r\n", "token:a.b.c" },
		{ "Authorization: Bearer a b\r\n", "token:a b" }, /* which none is */
		{ "Authorization: Bearer\r\n", "token:" },
		{ "Authorization: Bearer \r\n", "token:" },
		{ "Authorization:\r\n", "none" },
		{ "Authorization: Basic dTpw\r\n", "none" },
		{ "Authorization: Bearerabc\r\n", "none" },
		{ "Authorization: Bearer a\r\nAuthorization: Bearer a\r\n", "repeated" },
		{ "Authorization: Basic a\r\nAuthorization: Bearer a\r\n", "repeated" },
		{ "Authorization: Basic a\r\nAuthorization: Basic b\r\n", "repeated" },
		{ "Proxy-Authorization: Bearer a\r\n", "none" },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(&(struct asked){ .fields = cases[i].fields }, cases[i].expected);
}

static void
test_credentials_among_subprotocols_of_an_upgrade(void)
{
#define OFFER "Sec-WebSocket-Protocol: "
	static const struct { const char *fields, *expected; } cases[] = {
		{ OFFER "sluice.v1\r\n", "none" },
		{ OFFER "sluice.v1, bearer.a.b.c\r\n", "token:a.b.c" },
		{ OFFER "bearer.a.b.c ,sluice.v1\r\n", "token:a.b.c" },
		{ OFFER "sluice.v1\r\nX: y\r\n" OFFER "bearer.a\r\n", "token:a" },
		{ OFFER "bearer.a\r\n" OFFER "sluice.v1\r\n", "token:a" },
		{ OFFER ",,bearer.\r\n", "token:" },
		{ OFFER "bearer\r\n", "none" },
		{ OFFER "Bearer.a\r\n", "none" }, /* protocols are told apart by case */
		{ OFFER "xbearer.a\r\n", "none" },
		{ OFFER "bearer.a, bearer.b\r\n", "repeated" },
		{ OFFER "bearer.a\r\n" OFFER "bearer.a\r\n", "repeated" },
		{ OFFER "bearer.a\r\n" OFFER "x\r\n" OFFER "bearer.a, bearer.b\r\n", "repeated" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect(&(struct asked){ .fields = cases[i].fields, .transport = &upgrading },
			cases[i].expected);
		expect(&(struct asked){ .fields = cases[i].fields }, "none");
	}
}

static void
test_credentials_in_the_query(void)
{
	expect(&(struct asked){ .token = "a" }, "token:a");
	expect(&(struct asked){ .token = "" }, "token:");
	expect(&(struct asked){ .ticket = "t" }, "ticket:t");
	expect(&(struct asked){ .ticket = "" }, "ticket:");
	expect(&(struct asked){ .token = "a", .ticket = "t" }, "ticket:t");
	expect(&(struct asked){ .token = "a", .route = &publish, .is_post = true }, "token:a");
	expect(&(struct asked){ .ticket = "t", .route = &publish, .is_post = true }, "not here");
	expect(&(struct asked){ .ticket = "t", .token = "a", .route = &ordinary }, "not here");
}

static void
test_credentials_that_come_first_count(void)
{
	static const char bearer[] = "Authorization: Bearer h\r\n", basic[] = "Authorization: Basic h\r\n";
	static const char offer[] = "Sec-WebSocket-Protocol: bearer.p\r\nCookie: session=c\r\n"
		"Origin: " PAGE "\r\n";
	char both[256];
	snprintf(both, sizeof both, "%s%s", bearer, offer);
	expect(&(struct asked){ both, "t", "k", .transport = &upgrading, .is_allowed = true }, "token:h");
	snprintf(both, sizeof both, "%s%s", basic, offer);
	expect(&(struct asked){ both, "t", "k", .transport = &upgrading, .is_allowed = true }, "token:p");
	expect(&(struct asked){ both, "t", "k", .is_allowed = true }, "ticket:k");
	expect(&(struct asked){ both, "t", NULL, .is_allowed = true }, "token:t");
	expect(&(struct asked){ both, .is_allowed = true }, "token:c");
	/* nor does the next one count where the first does not */
	expect(&(struct asked){ "Authorization: Bearer\r\n", "t", "k" }, "token:");
	expect(&(struct asked){ bearer, .ticket = "k", .route = &publish }, "token:h");
}

static void
test_credentials_of_a_cookie_have_its_name_once(void)
{
	static const struct { const char *fields, *expected; } cases[] = {
		{ "Cookie: session=a\r\n", "token:a" },
		{ "Cookie: x=1; session=a.b=c; y\r\n", "token:a.b=c" },
		{ "Cookie:session = a ;x\r\n", "token:a" },
		{ "Cookie: x=1\r\nCookie: session=a\r\n", "token:a" },
		{ "Cookie: session=\r\n", "token:" },
		{ "Cookie: session\r\n", "none" },
		{ "Cookie: Session=a; mysession=b; session2=c; __Host-session=d\r\n", "none" },
		{ "Cookie: x=session=a\r\n", "none" },
		{ "Cookie: session=a; session=b\r\n", "none" },
		{ "Cookie: session=a; session=a\r\n", "none" },
		{ "Cookie: session=a\r\nX: y\r\nCookie: session=b\r\n", "none" },
		{ "Cookie:\r\n", "none" },
		{ "Cookie: ;;=;session=a;\r\n", "token:a" },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(&(struct asked){ .fields = cases[i].fields }, cases[i].expected);
}

/* Which pages' requests a cookie may count for. */
static void
test_credentials_of_a_cookie_need_an_allowed_page(void)
{
#define COOKIE "Cookie: session=a\r\n"
#define SITE "Sec-Fetch-Site: "
#define ORIGIN "Origin: " PAGE "\r\n"
	static const struct { const char *fields; bool is_allowed; const char *get, *post_or_upgrade; }
	cases[] = {
		{ COOKIE, false, "token:a", "none" },
		{ COOKIE SITE "same-origin\r\n", false, "token:a", "none" },
		{ COOKIE SITE "none\r\n", false, "token:a", "none" },
		{ COOKIE SITE "same-site\r\n", false, "none", "none" },
		{ COOKIE SITE "cross-site\r\n", false, "none", "none" },
		{ COOKIE SITE "\r\n", false, "none", "none" },
		{ COOKIE SITE "sideways\r\n", false, "none", "none" },
		{ COOKIE SITE "none\r\n" SITE "cross-site\r\n", false, "none", "none" },
		{ COOKIE ORIGIN, true, "token:a", "token:a" },
		{ COOKIE ORIGIN SITE "cross-site\r\n", true, "token:a", "token:a" },
		{ COOKIE ORIGIN, false, "none", "none" },
		{ COOKIE "Origin: null\r\n", false, "none", "none" },
		{ COOKIE "Origin:\r\n", false, "none", "none" },
		{ COOKIE "Origin: null\r\n" SITE "same-origin\r\n", false, "none", "none" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct asked asked = { .fields = cases[i].fields, .is_allowed = cases[i].is_allowed };
		expect(&asked, cases[i].get);
		asked.is_head = true;
		expect(&asked, cases[i].get);
		asked.is_head = false;
		asked.transport = &upgrading;
		expect(&asked, cases[i].post_or_upgrade);
		asked.transport = NULL;
		asked.is_post = true;
		expect(&asked, cases[i].post_or_upgrade);
	}
}

static void
test_credentials_of_a_cookie_count_only_where_one_is_named(void)
{
	struct sl_credentials found;
	CU_ASSERT_EQUAL_FATAL(read_head(GET COOKIE "\r\n"), 0);
	struct sl_request request = { .head = &head, .route = &delivery, .transport = &plain };
	CU_ASSERT_EQUAL(sl_credentials_find(&found, &request, NULL), SL_CREDENTIALS_READ);
	CU_ASSERT_EQUAL(found.kind, SL_CREDENTIAL_NONE);
	/* a route that is no delivery has no transport */
	request = (struct sl_request){ .head = &head, .route = &ordinary };
	CU_ASSERT_EQUAL(sl_credentials_find(&found, &request, "session"), SL_CREDENTIALS_READ);
	CU_ASSERT_EQUAL(found.kind, SL_CREDENTIAL_TOKEN);
}

/* ---- those that come later ---- */

static struct live_world world;

static void
open_world(void)
{
	static const char *const options[] = { "--anonymous-subscribe=open", NULL };
	tokens_open(options);
	world_open(&world, NULL);
	sl_principals_set_auth(world.shard.principals, tokens_auth);
}

static void
close_world(void)
{
	world_close(&world);
	tokens_close();
}

static int
identify(struct sl_owner *payer, const char *token, struct sl_principal **out, struct sl_refusal *why)
{
	*out = NULL;
	return sl_credentials_identify_text(&world.shard, payer, make_span(token), out, why);
}

static bool
may_subscribe(const struct sl_principal *principal, const char *channel)
{
	return sl_principal_may(principal, SL_ACT_SUBSCRIBE, make_span(channel));
}

static void
test_credentials_that_come_later_are_judged_as_those_of_a_request(void)
{
	const int64_t now_s = sl_clock_wall_us() / 1000000;
	struct sl_principal *principal;
	struct sl_refusal why;
	open_world();
	const char *token = tokens_mint("ann", now_s, "{\"subscribe\":[\"a\"]}");
	CU_ASSERT_EQUAL(identify(NULL, token, &principal, &why), 0);
	CU_ASSERT(may_subscribe(principal, "a") && !may_subscribe(principal, "open"));
	CU_ASSERT_STRING_EQUAL(sl_principal_get_claims(principal)->subject, "ann");
	sl_principal_unref(principal);
	CU_ASSERT_EQUAL(identify(NULL, NULL, &principal, &why), 0);
	CU_ASSERT(sl_principal_is_anonymous(principal) && may_subscribe(principal, "open"));
	sl_principal_unref(principal);
	CU_ASSERT_EQUAL(identify(NULL, "no token", &principal, &why), SL_EFORBIDDEN);
	CU_ASSERT_STRING_EQUAL(why.code, "unauthorized");
	CU_ASSERT(why.is_final);
	CU_ASSERT_EQUAL(identify(NULL, "", &principal, &why), SL_EFORBIDDEN);
	token = tokens_mint("ann", now_s - 1000, "{}");
	CU_ASSERT_EQUAL(identify(NULL, token, &principal, &why), SL_EFORBIDDEN);
	CU_ASSERT_STRING_EQUAL(why.code, "token_expired");
	close_world();
}

static void
test_credentials_that_come_later_cost_their_address_when_they_do_not_count(void)
{
	const struct sl_address address = { .bytes = { [10] = 255, 255, 127, 0, 0, 1 }, .family = AF_INET };
	struct sl_principal *principal;
	struct sl_refusal why;
	int err = 0;
	open_world();
	world_limit_rate(&world, SL_LIMIT_TOKEN_FAILURES, 1);
	struct sl_owner *payer = sl_owners_get_address(world.http.owners, &address);
	CU_ASSERT_PTR_NOT_NULL_FATAL(payer);
	for (int i = 0; i < 100 && err != SL_ELIMITED; i++)
		err = identify(payer, "no token", &principal, &why);
	CU_ASSERT_EQUAL(err, SL_ELIMITED);
	CU_ASSERT_STRING_EQUAL(why.code, "rate_limited");
	CU_ASSERT(why.retry_ms > 0 && !why.is_final);
	CU_ASSERT_EQUAL(world_counter(&world, sl_limit_counter(SL_LIMIT_TOKEN_FAILURES)), 1);
	sl_owner_unref(payer);
	close_world();
}

static void
test_credentials_are_not_asked_for_where_there_are_no_rules(void)
{
	struct sl_principal *principal;
	struct sl_refusal why;
	world_open(&world, NULL);
	CU_ASSERT_EQUAL(identify(NULL, "whatever", &principal, &why), 0);
	CU_ASSERT_PTR_EQUAL(principal, &sl_principal_everybody);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_credentials_in_authorization),
		UNIT_TEST(test_credentials_among_subprotocols_of_an_upgrade),
		UNIT_TEST(test_credentials_in_the_query),
		UNIT_TEST(test_credentials_that_come_first_count),
		UNIT_TEST(test_credentials_of_a_cookie_have_its_name_once),
		UNIT_TEST(test_credentials_of_a_cookie_need_an_allowed_page),
		UNIT_TEST(test_credentials_of_a_cookie_count_only_where_one_is_named),
		UNIT_TEST(test_credentials_that_come_later_are_judged_as_those_of_a_request),
		UNIT_TEST(test_credentials_that_come_later_cost_their_address_when_they_do_not_count),
		UNIT_TEST(test_credentials_are_not_asked_for_where_there_are_no_rules),
		{ NULL, NULL },
	};
	int status = unit_main("credentials", tests);
	forget_head();
	return status;
}
