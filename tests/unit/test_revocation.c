#include "http/revocation.h"

#include "auth/principals.h"
#include "auth/revocations.h"
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
	return sl_revocation_announce(&world.http, &revocation, now_s());
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

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_revocation_ends_what_is_open_and_lets_no_such_token_in),
		UNIT_TEST(test_revocation_above_the_limit_does_nothing),
		UNIT_TEST(test_revocation_without_memory_does_nothing),
		{ NULL, NULL },
	};
	return unit_main("revocation", tests);
}
