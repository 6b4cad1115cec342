#include "http/revocation.h"

#include "auth/principals.h"
#include "auth/revocations.h"
#include "bus/bus.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/http_client.h"
#include "tests/unit/tokens.h"
#include "util/clock.h"
#include "util/err.h"

#define ALL "{\"subscribe\":[\"*\"]}"

static struct live_world world;
static struct world_client client;

static int64_t
now_s(void)
{
	return sl_clock_wall_us() / 1000000;
}

static void
open_world(size_t max)
{
	tokens_open(NULL);
	world_open(&world, NULL);
	world.http.revocations = sl_revocations_create(max);
	CU_ASSERT_PTR_NOT_NULL_FATAL(world.http.revocations);
	sl_principals_set_revocations(world.shard.principals, world.http.revocations);
	sl_principals_set_auth(world.shard.principals, tokens_auth);
}

static void
close_world(void)
{
	world_close(&world);
	sl_revocations_destroy(world.http.revocations);
	tokens_close();
}

static int
cut_off(const char *subject, int64_t until_s)
{
	const struct sl_revocation revocation = { { subject, strlen(subject) }, until_s, until_s + 100 };
	return sl_revocation_apply(&world.http, &revocation, now_s());
}

static const char *
ask(const char *token)
{
	char text[1024];
	snprintf(text, sizeof text, "GET /stream?channels=a HTTP/1.1\r\nHost: localhost\r\n"
		"Authorization: Bearer %s\r\n\r\n", token);
	http_connect(&client, &world);
	return http_ask(&client, &world, text);
}

static void
test_revocation_ends_what_is_open_and_lets_no_such_token_in(void)
{
	open_world(10);
	const char *old = tokens_mint("ann", now_s(), ALL);
	CU_ASSERT_TRUE(http_is(ask(old), 200));
	CU_ASSERT_EQUAL(cut_off("bob", now_s()), 0);
	CU_ASSERT_PTR_NULL(strstr(http_take(&client, &world), "bye"));
	CU_ASSERT_EQUAL(cut_off("ann", now_s()), 0);
	/* before the stream is ended, which is a task of its shard, the table counts */
	struct world_client first = client;
	CU_ASSERT_TRUE(http_is(ask(old), 401));
	client_close(&client);
	client = first;
	CU_ASSERT_PTR_NOT_NULL(strstr(http_take(&client, &world), "token_revoked"));
	client_close(&client);
	/* one that was issued later is another one */
	CU_ASSERT_TRUE(http_is(ask(tokens_mint("ann", now_s() + 5, ALL)), 200));
	client_close(&client);
	close_world();
}

static void
test_revocation_above_the_limit_does_nothing(void)
{
	open_world(1);
	const char *token = tokens_mint("ann", now_s(), ALL);
	CU_ASSERT_TRUE(http_is(ask(token), 200));
	CU_ASSERT_EQUAL(cut_off("bob", now_s()), 0);
	CU_ASSERT_EQUAL(cut_off("ann", now_s()), SL_EFULL);
	CU_ASSERT_PTR_NULL(strstr(http_take(&client, &world), "bye"));
	client_close(&client);
	close_world();
}

static void
test_revocation_without_memory_does_nothing(void)
{
	open_world(10);
	for_each_failing_allocation(failing) {
		/* A table of its own each time; what went to the shard is run by it. */
		struct sl_revocations *before = world.http.revocations;
		failing_alloc_off();
		world.http.revocations = sl_revocations_create(10);
		failing_again(&failing);
		int err = cut_off("ann", now_s());
		failing_expect(err);
		CU_ASSERT_EQUAL(sl_revocations_count(world.http.revocations), err == 0);
		world_settle(&world);
		sl_revocations_destroy(world.http.revocations);
		world.http.revocations = before;
	}
	close_world();
}

static struct sl_notice
make_notice(const char *name, const char *text)
{
	return (struct sl_notice){ { name, strlen(name) }, { text, strlen(text) }, now_s() + 100 };
}

#define HASHED "revoked.0000000000000000000000000000000000000000000000000000000000000000"

static void
test_revocation_reads_notices_and_nothing_else(void)
{
	static const char *const bad[] = { "", "{}", "[]", "{\"subject\":\"ann\",\"until\":1}",
		"{\"subject\":\"ann\",\"until\":1,\"kept\":2,\"more\":3}",
		"{\"subject\":\"ann\",\"until\":1,\"until\":2}", "{\"subject\":1,\"until\":1,\"kept\":2}",
		"{\"subject\":\"ann\",\"until\":-1,\"kept\":2}", "{\"subject\":\"ann\",\"until\":1.5,\"kept\":2}",
		"{\"subject\":\"\",\"until\":1,\"kept\":2}", "{\"subject\":\"a\\n\",\"until\":1,\"kept\":2}",
		"{\"subject\":\"ann\",\"subject\":\"bob\",\"kept\":2}", "{\"subject\":\"ann\",\"until\":1,\"kept\":2" };
	struct sl_revocation out;
	struct sl_buffer room = SL_BUFFER_INIT;
	struct sl_notice notice = make_notice(HASHED, "{\"kept\":20,\"subject\":\"\\u00e9 x\",\"until\":10}");
	CU_ASSERT_EQUAL(sl_revocation_read(&out, &room, &notice), 0);
	CU_ASSERT(sl_span_equals(out.subject, "\xc3\xa9 x") && out.until_s == 10 && out.kept_s == 20);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		sl_buffer_clear(&room);
		notice = make_notice(HASHED, bad[i]);
		CU_ASSERT_EQUAL(sl_revocation_read(&out, &room, &notice), SL_EINVAL);
	}
	sl_buffer_clear(&room);
	notice = make_notice("revoked.ann", "{\"subject\":\"ann\",\"until\":1,\"kept\":2}");
	CU_ASSERT_EQUAL(sl_revocation_read(&out, &room, &notice), SL_EINVAL);
	sl_buffer_finish(&room);
}

/* Where a gateway is starting, its shards have no mailbox yet. */
static void
test_revocation_of_another_node_counts_before_there_are_shards_too(void)
{
	char text[100];
	for (int has_shards = 0; has_shards <= 1; has_shards++) {
		open_world(10);
		const char *old = tokens_mint("ann", now_s(), ALL);
		CU_ASSERT_TRUE(http_is(ask(old), 200));
		snprintf(text, sizeof text, "{\"subject\":\"ann\",\"until\":%lld,\"kept\":%lld}",
			(long long)now_s(), (long long)now_s() + 100);
		const struct sl_notice notice = make_notice(HASHED, text);
		CU_ASSERT_EQUAL(sl_revocation_hear(&world.http, &notice, has_shards, now_s()), 0);
		CU_ASSERT_EQUAL(strstr(http_take(&client, &world), "token_revoked") != NULL, has_shards);
		client_close(&client);
		CU_ASSERT_TRUE(http_is(ask(old), 401));
		client_close(&client);
		close_world();
	}
}

static void
test_revocation_that_is_over_is_not_taken_up(void)
{
	open_world(10);
	const struct sl_notice notice = make_notice(HASHED, "{\"subject\":\"ann\",\"until\":1,\"kept\":2}");
	CU_ASSERT_EQUAL(sl_revocation_hear(&world.http, &notice, true, now_s()), 0);
	CU_ASSERT_EQUAL(sl_revocations_count(world.http.revocations), 0);
	close_world();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_revocation_ends_what_is_open_and_lets_no_such_token_in),
		UNIT_TEST(test_revocation_above_the_limit_does_nothing),
		UNIT_TEST(test_revocation_without_memory_does_nothing),
		UNIT_TEST(test_revocation_reads_notices_and_nothing_else),
		UNIT_TEST(test_revocation_of_another_node_counts_before_there_are_shards_too),
		UNIT_TEST(test_revocation_that_is_over_is_not_taken_up),
		{ NULL, NULL },
	};
	return unit_main("revocation", tests);
}
