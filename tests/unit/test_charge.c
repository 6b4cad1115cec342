#include "http/charge.h"

#include "auth/principals.h"
#include "core/loop.h"
#include "core/socket.h"
#include "http/gate.h"
#include "http/reply.h"
#include "http/routes.h"
#include "tests/unit/read_head.h"
#include "tests/unit/tokens.h"
#include "transports/registry.h"

#define NOW_MS 1000000
#define RATE 2
#define HOST "Host: localhost\r\n"
#define RIGHTS "{\"subscribe\":[\"chat\"],\"publish\":[\"chat\"]}"

static const struct sl_route *const lists[] = { sl_transport_routes, sl_http_routes, NULL };
static const struct sl_routes routes = { lists };
static struct sl_config plain_config;
static struct sl_timer_wheel timers;
static struct sl_metrics metrics;
static struct sl_access *access_rules;
static struct sl_owners *owners;
static struct sl_gate gate;
static struct sl_judgement judgement;

static void
end_nobody(struct sl_holder *holder, enum sl_leave leave)
{
	(void)holder, (void)leave;
}

static struct sl_owner *
get_address(unsigned last_byte)
{
	struct sl_address address = { .family = AF_INET,
		.bytes = { [10] = 0xff, 0xff, 192, 0, 2, (uint8_t)last_byte } };
	return sl_owners_get_address(owners, &address);
}

/* With tokens or without. */
static void
open_gate(bool has_tokens)
{
	static char name[] = "sluice", page[] = "--allow-origin=http://page.example";
	char *argv[] = { name, page, NULL };
	const struct sl_config *config = has_tokens ? &tokens_config : &plain_config;
	if (has_tokens)
		tokens_open((const char *const[]){ page, NULL });
	else
		CU_ASSERT_EQUAL_FATAL(sl_config_parse(&plain_config, 2, argv), 0);
	sl_timer_wheel_init(&timers, 0);
	access_rules = sl_access_create(config, NULL, 0);
	owners = sl_owners_create(&(struct sl_limits){ .max_connections = 10,
		.rates = { [SL_LIMIT_REQUESTS] = RATE, [SL_LIMIT_TOKEN_FAILURES] = 1 } });
	CU_ASSERT_FATAL(access_rules && owners);
	gate = (struct sl_gate){ .config = config, .access = access_rules, .routes = &routes,
		.owner = get_address(1), .now_ms = NOW_MS, .now_s = 1000000000 };
	CU_ASSERT_EQUAL_FATAL(sl_principals_create(&gate.principals, &timers, &metrics, NULL,
		end_nobody), 0);
	sl_principals_set_owners(gate.principals, owners);
	sl_principals_set_auth(gate.principals, has_tokens ? tokens_auth : NULL);
}

static void
close_gate(bool has_tokens)
{
	sl_judgement_finish(&judgement);
	sl_principals_destroy(gate.principals);
	sl_access_destroy(access_rules);
	sl_owner_unref(gate.owner);
	sl_owners_destroy(owners);
	if (has_tokens)
		tokens_close();
	else
		sl_config_finish(&plain_config);
	forget_head();
}

/* Returns the status of a refusal, 204 for what OPTIONS gets, 0 when it is served. */
static unsigned
ask(const char *start, const char *fields)
{
	char whole[2048];
	snprintf(whole, sizeof whole, "%s HTTP/1.1\r\n" HOST "%s\r\n", start, fields);
	CU_ASSERT_EQUAL_FATAL(read_head(whole), 0);
	const char *mark = memchr(head.target.bytes, '?', head.target.len);
	size_t before = mark ? (size_t)(mark + 1 - head.target.bytes) : 0;
	sl_judgement_finish(&judgement);
	memset(&judgement, 0x5a, sizeof judgement);
	sl_gate_judge(&judgement, &gate, &head, mark ? head_bytes + (mark + 1 - head_bytes) : NULL,
		mark ? head.target.len - before : 0);
	if (judgement.verdict == SL_GATE_SERVE)
		return 0;
	return judgement.verdict == SL_GATE_OPTIONS ? 204 : judgement.refusal.status;
}

static const char *
bearer(const char *token)
{
	static char field[1200];
	snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", token);
	return field;
}

/* How many requests more are not refused for the limit. */
static unsigned
count_left(void)
{
	unsigned count = 0;
	while (ask("GET /nothing", "") == 404)
		count++;
	return count;
}

static void
test_charge_takes_something_for_whatever_is_asked(void)
{
	static const struct { const char *start, *fields; unsigned status, cost; } rows[] = {
		{ "GET /transports", "", 0, SL_CHARGE_RELAYED }, { "GET /client/sluice.js", "", 0, SL_CHARGE_RELAYED },
		{ "GET /poll?channels=a", "", 0, 1 }, { "HEAD /sse?channels=a", "", 0, 1 },
		{ "GET /nothing", "", 404, 1 }, { "PUT /publish", "", 405, 1 }, { "OPTIONS /publish", "", 204, 1 },
		{ "GET /poll", "", 400, 1 }, { "GET /transports", "Origin: http://evil.example\r\n", 403, 1 },
		{ "POST /publish?channel=a", "Content-Length: 999999999\r\n", 413, 1 },
		{ "POST /publish?channel=a", "Content-Length: 1\r\nContent-Range: bytes 0-0/2\r\n", 400, 1 },
		{ "POST /probe/echo", "Content-Length: 1\r\n", 0, SL_CHARGE_RELAYED },
		{ "POST /healthz", "", 405, 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		open_gate(false);
		CU_ASSERT_EQUAL(ask(rows[i].start, rows[i].fields), rows[i].status);
		CU_ASSERT_EQUAL(count_left(), RATE * sl_limit_burst_s(SL_LIMIT_REQUESTS) - rows[i].cost);
		CU_ASSERT_EQUAL(ask(rows[i].start, rows[i].fields), 429);
		CU_ASSERT_STRING_EQUAL(judgement.refusal.code, "rate_limited");
		CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_LIMITED_REQUESTS);
		CU_ASSERT_EQUAL(judgement.refusal.concern, SL_CONCERN_ROOM);
		CU_ASSERT_PTR_NOT_NULL(strstr(judgement.refusal.message, "--request-rate"));
		gate.now_ms += 1000;
		CU_ASSERT_EQUAL(ask(rows[i].start, rows[i].fields), rows[i].status);
		close_gate(false);
	}
}

static void
test_charge_exempts_health_and_publishes_that_will_be_served(void)
{
	open_gate(false);
	count_left();
	for (int i = 0; i < 10; i++) {
		CU_ASSERT_EQUAL(ask("GET /healthz", ""), 0);
		CU_ASSERT_EQUAL(ask("GET /readyz", ""), 0);
		CU_ASSERT_EQUAL(ask("POST /publish?channel=a", "Content-Length: 1\r\n"), 0);
	}
	CU_ASSERT_EQUAL(ask("GET /transports", ""), 429);
	gate.now_ms += 1000;
	CU_ASSERT_EQUAL(count_left(), RATE);
	close_gate(false);
}

static void
test_charge_publish_that_is_refused_after_all_costs_a_request(void)
{
	static const char *const starts[] = { "POST /publish?channel=a", "POST /probe/echo" };
	for (int i = 0; i < 2; i++) {
		open_gate(false);
		CU_ASSERT_EQUAL(ask(starts[i], "Transfer-Encoding: chunked\r\n"), 0);
		sl_gate_refuse_size(&judgement);
		CU_ASSERT_EQUAL(judgement.refusal.status, 413);
		sl_gate_refuse_size(&judgement); /* twice: it costs no more */
		CU_ASSERT_EQUAL(count_left(), RATE * sl_limit_burst_s(SL_LIMIT_REQUESTS) - (i ? SL_CHARGE_RELAYED : 1));
		close_gate(false);
	}
}

static void
test_charge_names_the_owner(void)
{
	open_gate(true);
	CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer(tokens_mint("ann", gate.now_s, RIGHTS))), 0);
	CU_ASSERT_PTR_EQUAL(judgement.request.owner, sl_principal_get_owner(judgement.request.principal));
	CU_ASSERT_PTR_NOT_EQUAL(judgement.request.owner, gate.owner);
	CU_ASSERT_EQUAL(ask("GET /transports", ""), 0);
	CU_ASSERT_PTR_EQUAL(judgement.request.owner, gate.owner);
	struct sl_owner *address = gate.owner;
	gate.owner = NULL;
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(ask("GET /transports", ""), 0);
	CU_ASSERT_PTR_NULL(judgement.request.owner);
	gate.owner = address;
	close_gate(true);
}

/* A subject pays for itself from any address, and an address for those that nobody knows. */
static void
test_charge_tells_subjects_from_their_address(void)
{
	unsigned burst = RATE * sl_limit_burst_s(SL_LIMIT_REQUESTS);
	open_gate(true);
	const char *ann = tokens_mint("ann", gate.now_s, RIGHTS), *bob = tokens_mint("bob", gate.now_s, RIGHTS);
	struct sl_owner *here = gate.owner, *there = get_address(2);
	for (unsigned i = 0; i < burst; i++) {
		gate.owner = i % 2 ? here : there;
		CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer(ann)), 0);
	}
	CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer(ann)), 429);
	CU_ASSERT_EQUAL(ask("GET /poll?channels=secret", bearer(ann)), 429); /* it would be 403 */
	CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer(bob)), 0);
	gate.owner = here;
	CU_ASSERT_EQUAL(count_left(), burst);
	CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer(bob)), 0);
	sl_owner_unref(there);
	close_gate(true);
}

static void
test_charge_tokens_that_do_not_count_cost_their_address(void)
{
	open_gate(true);
	sl_owners_set_limits(owners, &(struct sl_limits){ .max_connections = 10,
		.rates = { [SL_LIMIT_TOKEN_FAILURES] = 1 } });
	const char *ann = tokens_mint("ann", gate.now_s, RIGHTS), *bob = tokens_mint("bob", gate.now_s, RIGHTS);
	CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer(ann)), 0);
	for (unsigned i = 0; i < sl_limit_burst_s(SL_LIMIT_TOKEN_FAILURES); i++)
		CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer("no.to.ken")), 401);
	CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer("no.to.ken")), 429);
	CU_ASSERT_STRING_EQUAL(judgement.refusal.code, "rate_limited");
	CU_ASSERT_STRING_EQUAL(judgement.refusal.challenge, "");
	CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_LIMITED_TOKEN_FAILURES);
	CU_ASSERT_PTR_NOT_NULL(strstr(judgement.refusal.message, "--token-failure-rate"));
	CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer(bob)), 429);
	CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer(ann)), 0); /* it is known */
	CU_ASSERT_EQUAL(ask("GET /transports", ""), 0);
	gate.now_ms += 1000;
	CU_ASSERT_EQUAL(ask("GET /poll?channels=chat", bearer(bob)), 0);
	close_gate(true);
}

static bool
answer_has(const char *text)
{
	struct sl_reply reply = { .head.status = 0 };
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_gate_fill_reply(&judgement, &reply);
	sl_reply_append_response(&reply, &out, false);
	sl_buffer_append_char(&out, '\0');
	bool has = sl_buffer_status(&out) == 0 && strstr(out.bytes, text);
	if (!has)
		printf("\n    no %s in\n%s\n", text, out.bytes);
	sl_buffer_finish(&out);
	sl_reply_finish(&reply);
	return has;
}

static void
test_charge_answer_says_when_to_come_back_to_pages_too(void)
{
	open_gate(false);
	count_left();
	sl_owner_spend(gate.owner, SL_LIMIT_REQUESTS, 5, NOW_MS); /* 2.5 s of the rate */
	CU_ASSERT_EQUAL(ask("GET /transports", "Origin: http://page.example\r\n"), 429);
	CU_ASSERT_TRUE(answer_has("\r\nRetry-After: 3\r\n"));
	CU_ASSERT_TRUE(answer_has("\r\nAccess-Control-Allow-Origin: http://page.example\r\n"));
	CU_ASSERT_TRUE(answer_has("Sluice-Gap, Retry-After\r\n"));
	CU_ASSERT_TRUE(answer_has("try again in 3 s"));
	CU_ASSERT_EQUAL(ask("GET /transports", "Origin: http://evil.example\r\n"), 429);
	CU_ASSERT_TRUE(answer_has("\r\nAccess-Control-Allow-Origin: *\r\n"));
	CU_ASSERT_TRUE(answer_has("\r\nAccess-Control-Expose-Headers: Sluice, Retry-After\r\n"));
	CU_ASSERT_EQUAL(ask("PUT /publish", ""), 429);
	CU_ASSERT_PTR_NULL(judgement.refusal.allow);
	close_gate(false);
}

static void
set_only(enum sl_limit limit, uint64_t rate)
{
	struct sl_limits limits = { .max_connections = 10 };
	limits.rates[limit] = rate;
	sl_owners_set_limits(owners, &limits);
}

static void
test_charge_takes_a_subscribe_for_each_channel_of_a_stream_and_for_eight_of_a_poll(void)
{
	static const struct { const char *start; unsigned each; } rows[] = {
		{ "GET /sse?channels=a", 1 }, { "GET /stream?channels=a,b,c", 3 }, { "GET /ws?channels=a,b", 2 },
		{ "GET /poll?channels=a", 1 }, { "GET /poll?channels=a,b,c,d,e,f,g,h&wait=0", 1 },
		{ "GET /poll?channels=a,b,c,d,e,f,g,h,i", 2 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		open_gate(false);
		set_only(SL_LIMIT_SUBSCRIBES, 6);
		unsigned count = 0;
		while (ask(rows[i].start, "") == 0)
			count++;
		CU_ASSERT_EQUAL(count, 6 * sl_limit_burst_s(SL_LIMIT_SUBSCRIBES) / rows[i].each);
		CU_ASSERT_EQUAL(judgement.refusal.status, 429);
		CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_LIMITED_SUBSCRIBES);
		CU_ASSERT_EQUAL(judgement.refusal.concern, SL_CONCERN_ROOM);
		CU_ASSERT_PTR_NOT_NULL(strstr(judgement.refusal.message, "--subscribe-rate"));
		CU_ASSERT_EQUAL(ask("HEAD /sse?channels=a", ""), 0);
		CU_ASSERT_NOT_EQUAL(ask("GET /socket.io/?EIO=4&transport=polling", ""), 429); /* it joins later */
		CU_ASSERT_EQUAL(ask("GET /transports", ""), 0);
		CU_ASSERT_EQUAL(ask("POST /publish?channel=a", "Content-Length: 1\r\n"), 0);
		CU_ASSERT_EQUAL(ask("GET /nothing", ""), 404);
		close_gate(false);
	}
}

static void
test_charge_refuses_polls_that_resume_while_much_history_is_owed(void)
{
	static const char *const refused[] = {
		"GET /poll?channels=a&since=0", "GET /poll?channels=a&since=9f3a1c07-4182&wait=0",
	}, *const served[] = {
		"GET /poll?channels=a", "GET /poll?channels=a&wait=0", "GET /stream?channels=a&since=0",
		"GET /sse?channels=a&since=0", "GET /ws?channels=a&since=0", "HEAD /poll?channels=a&since=0",
		"GET /transports",
	};
	open_gate(false);
	set_only(SL_LIMIT_HISTORY_BYTES, 1000);
	sl_owner_spend(gate.owner, SL_LIMIT_HISTORY_BYTES, 2000 + 99, NOW_MS);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		CU_ASSERT_EQUAL(ask(refused[i], ""), 0);
	sl_owner_spend(gate.owner, SL_LIMIT_HISTORY_BYTES, 1, NOW_MS);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		CU_ASSERT_EQUAL(ask(refused[i], ""), 429);
		CU_ASSERT_EQUAL(judgement.refusal.counter, SL_COUNTER_LIMITED_HISTORY_BYTES);
		CU_ASSERT_PTR_NOT_NULL(strstr(judgement.refusal.message, "--history-rate"));
	}
	for (size_t i = 0; i < sizeof served / sizeof *served; i++)
		CU_ASSERT_EQUAL(ask(served[i], ""), 0);
	close_gate(false);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_charge_takes_something_for_whatever_is_asked),
		UNIT_TEST(test_charge_exempts_health_and_publishes_that_will_be_served),
		UNIT_TEST(test_charge_publish_that_is_refused_after_all_costs_a_request),
		UNIT_TEST(test_charge_names_the_owner),
		UNIT_TEST(test_charge_tells_subjects_from_their_address),
		UNIT_TEST(test_charge_tokens_that_do_not_count_cost_their_address),
		UNIT_TEST(test_charge_takes_a_subscribe_for_each_channel_of_a_stream_and_for_eight_of_a_poll),
		UNIT_TEST(test_charge_refuses_polls_that_resume_while_much_history_is_owed),
		UNIT_TEST(test_charge_answer_says_when_to_come_back_to_pages_too),
		{ NULL, NULL },
	};
	return unit_main("charge", tests);
}
