#include "notices.h"

#include "auth/principals.h"
#include "auth/revocations.h"
#include "bus/bus.h"
#include "tests/unit/http_client.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/tokens.h"
#include "util/clock.h"

#define NAME "revoked.0000000000000000000000000000000000000000000000000000000000000000"

static struct live_world world;
static struct world_client client;
static struct sl_notices notices;

static void
open_world(size_t max)
{
	tokens_open(NULL);
	world_open(&world, NULL);
	world.http.revocations = sl_revocations_create(max);
	sl_principals_set_revocations(world.shard.principals, world.http.revocations);
	sl_principals_set_auth(world.shard.principals, tokens_auth);
	sl_notices_init(&notices, &world.http);
}

static void
close_world(void)
{
	world_close(&world);
	sl_revocations_destroy(world.http.revocations);
	tokens_close();
	sl_notices_finish(&notices);
}

static void
hear(const char *subject)
{
	char text[160];
	long long now_s = sl_clock_wall_us() / 1000000;
	snprintf(text, sizeof text, "{\"subject\":\"%s\",\"until\":%lld,\"kept\":%lld}", subject, now_s,
		now_s + 100);
	sl_notices_handle(&notices, &(struct sl_notice){ { NAME, sizeof NAME - 1 },
		{ text, strlen(text) }, now_s + 100 });
}

static void
open_stream(void)
{
	char text[1024];
	snprintf(text, sizeof text, "GET /stream?channels=a HTTP/1.1\r\nHost: localhost\r\n"
		"Authorization: Bearer %s\r\n\r\n", tokens_mint("ann", sl_clock_wall_us() / 1000000,
		"{\"subscribe\":[\"*\"]}"));
	http_connect(&client, &world);
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, text), 200));
}

static void
test_notices_reach_the_table_first_and_shards_once_there_are_some(void)
{
	open_world(10);
	open_stream();
	hear("ann");
	CU_ASSERT_EQUAL(sl_revocations_count(world.http.revocations), 1);
	CU_ASSERT_PTR_NULL(strstr(http_take(&client, &world), "token_revoked"));
	sl_notices_set_has_shards(&notices, true);
	hear("ann");
	CU_ASSERT_PTR_NOT_NULL(strstr(http_take(&client, &world), "token_revoked"));
	client_close(&client);
	sl_notices_set_has_shards(&notices, false);
	hear("bob");
	CU_ASSERT_EQUAL(sl_revocations_count(world.http.revocations), 2);
	close_world();
}

static void
test_notices_that_cannot_be_followed_are_logged(void)
{
	open_world(1);
	log_lines_begin();
	hear("ann");
	hear("bob");
	hear("");
	const char *lines = log_lines_end();
	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "revocations.full"));
	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "notice.refused"));
	CU_ASSERT_EQUAL(sl_revocations_count(world.http.revocations), 1);
	close_world();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_notices_reach_the_table_first_and_shards_once_there_are_some),
		UNIT_TEST(test_notices_that_cannot_be_followed_are_logged),
		{ NULL, NULL },
	};
	return unit_main("notices", tests);
}
