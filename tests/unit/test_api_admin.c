#include "http/api_admin.h"

#include "auth/principals.h"
#include "auth/revocations.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/http_client.h"
#include "tests/unit/tokens.h"
#include "util/clock.h"
#include "util/err.h"

#define COUNT(array) (sizeof array / sizeof *array)

static struct live_world world;
static struct world_client client;

static int
read_subject(const char *body, char *out)
{
	struct sl_buffer subject = SL_BUFFER_INIT;
	int err = sl_api_admin_read_subject(&subject, (struct sl_span){ body, strlen(body) });
	if (err == 0)
		snprintf(out, SL_SUBJECT_MAX + 1, "%.*s", (int)subject.len, subject.bytes);
	sl_buffer_finish(&subject);
	return err;
}

static void
test_api_admin_reads_a_subject_and_nothing_else(void)
{
	static const struct { const char *body, *subject; } good[] = {
		{ "{\"subject\":\"ann\"}", "ann" }, { " { \"subject\" : \"a b\" } ", "a b" },
		{ "{\"sub\\u006aect\":\"\\u00e9\"}", "\xc3\xa9" },
		{ "{\"subject\":\"\\\"\"}", "\"" },
	};
	static const char *const bad[] = { "", "{}", "[]", "null", "\"subject\"", "{\"subject\":\"\"}",
		"{\"subject\":1}", "{\"subject\":null}", "{\"subject\":[\"ann\"]}", "{\"subject\":{}}",
		"{\"subject\":\"ann\",\"subject\":\"bob\"}", "{\"subject\":\"ann\",\"until\":1}",
		"{\"until\":1}", "{\"Subject\":\"ann\"}", "{\"subject\":\"a\\u0000\"}",
		"{\"subject\":\"a\\n\"}", "{\"subject\":\"\\ud800\"}", "{\"subject\":\"\xff\"}",
		"{\"subject\":\"ann\"", "{\"subject\":\"ann\"}}", "{subject:\"ann\"}",
		"{\"subject\":\"\x7f\"}" };
	char subject[SL_SUBJECT_MAX + 1];
	for (size_t i = 0; i < COUNT(good); i++) {
		CU_ASSERT_EQUAL_FATAL(read_subject(good[i].body, subject), 0);
		CU_ASSERT_STRING_EQUAL(subject, good[i].subject);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		CU_ASSERT_EQUAL(read_subject(bad[i], subject), SL_EINVAL);
		if (read_subject(bad[i], subject) != SL_EINVAL)
			printf("\n    %s", bad[i]);
	}
	CU_ASSERT_EQUAL(sl_api_admin_read_subject(NULL, (struct sl_span){ 0 }), SL_EINVAL);
}

static void
test_api_admin_takes_subjects_as_long_as_tokens_have_them(void)
{
	char body[SL_SUBJECT_MAX + 32], subject[SL_SUBJECT_MAX + 1];
	for (int extra = 0; extra <= 1; extra++) {
		char name[SL_SUBJECT_MAX + 2] = "";
		memset(name, 'x', SL_SUBJECT_MAX + (size_t)extra);
		snprintf(body, sizeof body, "{\"subject\":\"%s\"}", name);
		CU_ASSERT_EQUAL(read_subject(body, subject), extra ? SL_EINVAL : 0);
	}
}

static void
open_world(size_t max, bool has_tokens)
{
	tokens_open(NULL);
	world_open(&world, NULL);
	world.http.revocations = sl_revocations_create(max);
	CU_ASSERT_PTR_NOT_NULL_FATAL(world.http.revocations);
	sl_principals_set_revocations(world.shard.principals, world.http.revocations);
	if (has_tokens)
		sl_principals_set_auth(world.shard.principals, tokens_auth);
}

static void
close_world(void)
{
	client_close(&client);
	world_close(&world);
	sl_revocations_destroy(world.http.revocations);
	tokens_close();
}

static const char *
disconnect(const char *body, const char *rights)
{
	char text[1024];
	snprintf(text, sizeof text, "POST /admin/disconnect HTTP/1.1\r\nHost: localhost\r\n"
		"Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
		tokens_mint("root", sl_clock_wall_us() / 1000000, rights), strlen(body), body);
	return http_ask(&client, &world, text);
}

static void
test_api_admin_disconnects_for_admins(void)
{
	long long until, kept;
	open_world(1, true);
	http_connect(&client, &world);
	CU_ASSERT_TRUE(http_is(disconnect("{\"subject\":\"ann\"}", "{\"admin\":false}"), 403));
	CU_ASSERT_EQUAL(sl_revocations_count(world.http.revocations), 0);
	const char *answer = disconnect("{\"subject\":\"ann\"}", "{\"admin\":true}");
	CU_ASSERT_TRUE(http_is(answer, 200));
	const char *object = strstr(answer, "{");
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	CU_ASSERT_EQUAL(sscanf(object, "{\"subject\":\"ann\",\"until\":%lld,\"kept\":%lld}", &until, &kept), 2);
	/* as long as one could live that was issued in this second, by whoever's clock */
	CU_ASSERT_EQUAL(kept - until,
		(long long)world.shard.config->token_max_age_ms / 1000 + SL_LEEWAY_S);
	CU_ASSERT_EQUAL(sl_revocations_count(world.http.revocations), 1);
	answer = disconnect("{\"subject\":\"bob\"}", "{\"admin\":true}");
	CU_ASSERT(http_is(answer, 429) && strstr(answer, "\"limit\""));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REVOCATIONS_REFUSED), 1);
	CU_ASSERT_TRUE(http_is(disconnect("{\"subject\":\"ann\"}", "{\"admin\":true}"), 200));
	answer = disconnect("{\"subject\":1}", "{\"admin\":true}");
	CU_ASSERT(http_is(answer, 400) && strstr(answer, "\"bad_request\""));
	CU_ASSERT_TRUE(http_is(disconnect("", "{\"admin\":true}"), 400));
	close_world();
}

static void
test_api_admin_without_tokens_knows_nobody(void)
{
	open_world(1, false);
	http_connect(&client, &world);
	const char *answer = disconnect("{\"subject\":\"ann\"}", "{}");
	CU_ASSERT(http_is(answer, 404) && strstr(answer, "\"no_tokens\""));
	close_world();
}

/* ---- where there are other nodes ---- */

/* What was announced last, and who waits for it. */
static struct { char name[80], text[200]; struct sl_publish *pending; int result; } announced;

static int
announce(struct sl_backend *backend, const struct sl_notice *notice, struct sl_publish *pending)
{
	(void)backend;
	snprintf(announced.name, sizeof announced.name, "%.*s", (int)notice->name.len, notice->name.bytes);
	snprintf(announced.text, sizeof announced.text, "%.*s", (int)notice->text.len, notice->text.bytes);
	announced.pending = pending;
	return announced.result;
}

static void
open_world_with_nodes(void)
{
	static struct sl_backend_ops ops;
	struct held_backend *held = held_create();
	ops = *held->base.ops;
	ops.announce = announce;
	held->base.ops = &ops;
	announced.result = SL_PENDING;
	tokens_open(NULL);
	world_open_over(&world, &held->base, NULL);
	world.http.revocations = sl_revocations_create(10);
	sl_principals_set_revocations(world.shard.principals, world.http.revocations);
	sl_principals_set_auth(world.shard.principals, tokens_auth);
	http_connect(&client, &world);
}

static const char *
complete(int err)
{
	sl_bus_complete(world.bus, announced.pending, err, (struct sl_cursor){ 0 });
	world_settle(&world);
	return http_take(&client, &world);
}

static void
test_api_admin_answers_when_the_bus_has_it_and_acts_before(void)
{
	open_world_with_nodes();
	CU_ASSERT_STRING_EQUAL(disconnect("{\"subject\":\"ann\"}", "{\"admin\":true}"), "");
	CU_ASSERT_EQUAL(sl_revocations_count(world.http.revocations), 1);
	CU_ASSERT_EQUAL(strlen(announced.name), sizeof "revoked." - 1 + 64);
	CU_ASSERT_PTR_NOT_NULL(strstr(announced.text, "{\"subject\":\"ann\",\"until\":"));
	const char *answer = complete(0);
	CU_ASSERT(http_is(answer, 200) && strstr(answer, "{\"subject\":\"ann\"") && !strstr(answer, "announced"));
	/* the connection goes on */
	CU_ASSERT_STRING_EQUAL(disconnect("{\"subject\":\"bob\"}", "{\"admin\":true}"), "");
	answer = complete(SL_EUNKNOWN);
	CU_ASSERT(http_is(answer, 202) && strstr(answer, "\"announced\":false}"));
	CU_ASSERT_STRING_EQUAL(disconnect("{\"subject\":\"bob\"}", "{\"admin\":true}"), "");
	answer = complete(SL_EBACKEND);
	CU_ASSERT(http_is(answer, 500) && strstr(answer, "\"not_announced\""));
	announced.result = SL_EFULL;
	answer = disconnect("{\"subject\":\"eve\"}", "{\"admin\":true}");
	CU_ASSERT(http_is(answer, 500) && strstr(answer, "\"not_announced\""));
	CU_ASSERT_EQUAL(sl_revocations_count(world.http.revocations), 3);
	close_world();
}

static void
test_api_admin_announces_no_less_than_it_knows(void)
{
	const int64_t far_s = sl_clock_wall_us() / 1000000 + 1000000;
	char until[80];
	open_world_with_nodes();
	CU_ASSERT_EQUAL(sl_revocations_add(world.http.revocations, (struct sl_span){ "ann", 3 }, far_s,
		far_s + 1, 0), 0);
	disconnect("{\"subject\":\"ann\"}", "{\"admin\":true}");
	snprintf(until, sizeof until, "\"until\":%lld,\"kept\":%lld}", (long long)far_s, (long long)far_s + 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(announced.text, until));
	complete(0);
	close_world();
}

static void
test_api_admin_whoever_has_left_is_not_answered(void)
{
	open_world_with_nodes();
	disconnect("{\"subject\":\"ann\"}", "{\"admin\":true}");
	client_close(&client);
	world_settle(&world);
	sl_bus_complete(world.bus, announced.pending, 0, (struct sl_cursor){ 0 });
	world_settle(&world);
	http_connect(&client, &world);
	close_world();
}

/* Whoever asked is let go of with the request, however that ends: a sanitizer would notice. */
static void
test_api_admin_lets_go_of_who_asked_when_the_body_never_comes(void)
{
	char text[1024];
	open_world(1, true);
	for (int i = 0; i < 2; i++) {
		http_connect(&client, &world);
		snprintf(text, sizeof text, "POST /admin/disconnect HTTP/1.1\r\nHost: localhost\r\n"
			"Authorization: Bearer %s\r\n%s\r\n\r\n%s",
			tokens_mint("root", sl_clock_wall_us() / 1000000, "{\"admin\":true}"),
			i ? "Transfer-Encoding: chunked" : "Content-Length: 100", i ? "zz\r\n" : "{");
		const char *answer = http_ask(&client, &world, text);
		CU_ASSERT(i ? http_is(answer, 400) : *answer == '\0');
		if (i == 0)
			client_close(&client);
	}
	close_world();
}

static void
test_api_admin_without_memory_says_so(void)
{
	static const char body[] = "{\"subject\":\"ann\"}";
	for_each_failing_allocation(failing) {
		struct sl_buffer subject = SL_BUFFER_INIT;
		failing_expect(sl_api_admin_read_subject(&subject, (struct sl_span){ body, strlen(body) }));
		sl_buffer_finish(&subject);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_api_admin_reads_a_subject_and_nothing_else),
		UNIT_TEST(test_api_admin_takes_subjects_as_long_as_tokens_have_them),
		UNIT_TEST(test_api_admin_disconnects_for_admins),
		UNIT_TEST(test_api_admin_answers_when_the_bus_has_it_and_acts_before),
		UNIT_TEST(test_api_admin_announces_no_less_than_it_knows),
		UNIT_TEST(test_api_admin_whoever_has_left_is_not_answered),
		UNIT_TEST(test_api_admin_without_tokens_knows_nobody),
		UNIT_TEST(test_api_admin_lets_go_of_who_asked_when_the_body_never_comes),
		UNIT_TEST(test_api_admin_without_memory_says_so),
		{ NULL, NULL },
	};
	return unit_main("api_admin", tests);
}
