#include "clients/socket_io/sio_rejoin.h"

#include "clients/socket_io/sio_client.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/sio_world.h"

static struct world_client client;

static void
begin(void)
{
	sio_begin(NULL);
	sio_open(&client, "recovery=1&");
}

static void
end(void)
{
	client_close(&client);
	sio_end();
}

/* The client's connection breaks off, and it comes back with what it has; the frames until then. `offset` may be NULL.
 * `query` ends in '&'. */
static const char *
come_back(const char *query, const char *nsp, const char *pid, const char *offset, const char *more)
{
	char text[5000];
	client_close(&client);
	world_settle(&world);
	sio_open(&client, query);
	int len = snprintf(text, sizeof text, "40%s{\"pid\":\"%s\"", nsp, pid);
	if (offset)
		len += snprintf(text + len, sizeof text - (size_t)len, ",\"offset\":\"%08x-%s\"",
			(unsigned)sl_bus_head(world.bus).epoch, offset);
	snprintf(text + len, sizeof text - (size_t)len, "%s}", more);
	return sio_talk(&client, text);
}

/* True when the answer is that of one who is recovered. */
static bool
is_recovered(const char *frames, const struct sio_joined *joined)
{
	char sid[64], pid[4096];
	bool is_same = strcmp(sio_member(frames, "pid", pid, sizeof pid), joined->pid) == 0;
	CU_ASSERT_EQUAL(is_same, strcmp(sio_member(frames, "sid", sid, sizeof sid), joined->sid) == 0);
	return is_same;
}

static const char *
skip_answer(const char *frames)
{
	const char *end = strstr(frames, "}`");
	return end ? end + 2 : "";
}

static void
test_sio_rejoin_goes_on_behind_the_offset(void)
{
	begin();
	struct sio_joined joined = sio_join(&client, "40/x,");
	sio_publish("x", "n", "1");
	sio_publish("x", "n", "2");
	sio_publish("x", "n", "3");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",1,\"EPOCH----1\"]``42/x,[\"n\",2,\"EPOCH----2\"]``42/x,[\"n\",3,\"EPOCH----3\"]`");
	const char *frames = come_back("recovery=1&", "/x,", joined.pid, "1", "");
	CU_ASSERT_TRUE(is_recovered(frames, &joined));
	SIO_IS(skip_answer(frames), "`42/x,[\"n\",2,\"EPOCH----2\"]``42/x,[\"n\",3,\"EPOCH----3\"]`");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_RECOVERED), 1);
	end();
}

/* The reference cannot: no event was seen, and a session is handed out once. */
static void
test_sio_rejoin_works_before_any_event_and_again(void)
{
	begin();
	struct sio_joined joined = sio_join(&client, "40/x,");
	for (int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(is_recovered(come_back("recovery=1&", "/x,", joined.pid, NULL, ""), &joined));
	sio_publish("x", "n", "1");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",1,\"EPOCH----1\"]`");
	const char *frames = come_back("recovery=1&", "/x,", joined.pid, NULL, ""); /* it was lost on the way */
	SIO_IS(skip_answer(frames), "`42/x,[\"n\",1,\"EPOCH----1\"]`");
	end();
}

/* It does not know what came before its CONNECT. */
static void
test_sio_rejoin_begins_where_connect_was(void)
{
	sio_begin(NULL);
	sio_publish("x", "n", "1");
	sio_open(&client, "recovery=1&");
	struct sio_joined joined = sio_join(&client, "40/x,");
	sio_publish("x", "n", "2");
	sio_take(&client);
	const char *frames = come_back("recovery=1&", "/x,", joined.pid, NULL, "");
	SIO_IS(skip_answer(frames), "`42/x,[\"n\",2,\"EPOCH----2\"]`");
	end();
}

static void
test_sio_rejoin_brings_all_channels_of_connect(void)
{
	begin();
	client_close(&client);
	sio_open(&client, "recovery=1&channels=q&");
	struct sio_joined joined = sio_join(&client, "40/x,{\"channels\":[\"a\",\"b\"]}");
	sio_publish("q", "n", "1");
	sio_publish("b", "n", "2");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",1,\"EPOCH----1\"]``42/x,[\"n\",2,\"EPOCH----2\"]`");
	const char *frames = come_back("recovery=1&channels=q&", "/x,", joined.pid, NULL, ",\"channels\":\"b,a\"");
	CU_ASSERT_TRUE(is_recovered(frames, &joined));
	SIO_IS(skip_answer(frames), "`42/x,[\"n\",1,\"EPOCH----1\"]``42/x,[\"n\",2,\"EPOCH----2\"]`");
	frames = come_back("recovery=1&channels=q&", "/x,", joined.pid, NULL, ",\"channels\":\"a\"");
	CU_ASSERT_FALSE(is_recovered(frames, &joined)); /* it wants others now */
	SIO_IS(skip_answer(frames), "");
	end();
}

static void
test_sio_rejoin_has_an_offset_for_each_namespace(void)
{
	char text[5000];
	begin();
	struct sio_joined one = sio_join(&client, "40/x,"), two = sio_join(&client, "40/y,");
	CU_ASSERT_STRING_NOT_EQUAL(one.sid, two.sid);
	for (int i = 1; i <= 4; i++)
		sio_publish(i % 2 ? "x" : "y", "n", "0");
	sio_take(&client);
	const char *frames = come_back("recovery=1&", "/x,", one.pid, "3", "");
	CU_ASSERT_TRUE(is_recovered(frames, &one));
	SIO_IS(skip_answer(frames), "");
	snprintf(text, sizeof text, "40/y,{\"pid\":\"%s\"}", two.pid);
	frames = sio_talk(&client, text);
	CU_ASSERT_TRUE(is_recovered(frames, &two));
	SIO_IS(skip_answer(frames), "`42/y,[\"n\",0,\"EPOCH----2\"]``42/y,[\"n\",0,\"EPOCH----4\"]`");
	sio_publish("x", "n", "5");
	sio_publish("y", "n", "6");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",5,\"EPOCH----5\"]``42/y,[\"n\",6,\"EPOCH----6\"]`");
	end();
}

static void
test_sio_rejoin_needs_a_pid_of_ours(void)
{
	struct sio_joined joined, other;
	begin();
	joined = sio_join(&client, "40/x,");
	other = sio_join(&client, "40/y,");
	CU_ASSERT_FALSE(is_recovered(come_back("recovery=1&", "/x,", "forged", "1", ""), &joined));
	CU_ASSERT_FALSE(is_recovered(come_back("recovery=1&", "/x,", other.pid, NULL, ""), &joined)); /* of another namespace */
	CU_ASSERT_FALSE(is_recovered(come_back("recovery=1&", "/x,", joined.pid, "x", ""), &joined));
	struct sl_secret *another;
	char error[128];
	CU_ASSERT_EQUAL_FATAL(sl_secret_create(&another, NULL, error, sizeof error), 0);
	sl_sio_memory_set_secret(world.http.sio_memory, another);
	CU_ASSERT_FALSE(is_recovered(come_back("recovery=1&", "/x,", joined.pid, NULL, ""), &joined));
	sl_secret_destroy(another);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_RECOVERED), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_NOT_RECOVERED), 4);
	end();
}

static void
test_sio_rejoin_needs_history_that_reaches(void)
{
	static const char *const options[] = { "--history-messages=3", NULL };
	sio_begin(options);
	sio_open(&client, "recovery=1&");
	struct sio_joined joined = sio_join(&client, "40/x,");
	for (int i = 1; i <= 5; i++)
		sio_publish("x", "n", "0");
	sio_take(&client);
	CU_ASSERT_TRUE(is_recovered(come_back("recovery=1&", "/x,", joined.pid, "2", ""), &joined));
	const char *frames = come_back("recovery=1&", "/x,", joined.pid, "1", "");
	CU_ASSERT_FALSE(is_recovered(frames, &joined));
	SIO_IS(skip_answer(frames), ""); /* from now on */
	sio_publish("x", "n", "6");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",6,\"EPOCH----6\"]`");
	end();
}

/* A client keeps its offset when it begins anew. */
static void
test_sio_rejoin_does_not_take_an_offset_of_another_life(void)
{
	begin();
	sio_publish("x", "n", "1");
	sio_publish("x", "n", "2");
	struct sio_joined joined = sio_join(&client, "40/x,");
	sio_publish("x", "n", "3");
	sio_take(&client);
	const char *frames = come_back("recovery=1&", "/x,", joined.pid, "1", "");
	CU_ASSERT_TRUE(is_recovered(frames, &joined));
	SIO_IS(skip_answer(frames), "`42/x,[\"n\",3,\"EPOCH----3\"]`");
	end();
}

/* Its pid is longer than a message may be. */
static void
test_sio_rejoin_works_where_messages_are_short(void)
{
	static const char *const options[] = { "--max-message=1K", NULL };
	char more[1800] = ",\"channels\":\"c0", connect[2000];
	for (int i = 1; i < 9; i++)
		sprintf(more + strlen(more), "%0*d,c%d", 180, i, i);
	strcat(more, "\"");
	sio_begin(options);
	sio_open(&client, "recovery=1&");
	snprintf(connect, sizeof connect, "40/x,{%s}", more + 1);
	struct sio_joined joined = sio_join(&client, connect);
	CU_ASSERT(strlen(joined.pid) + strlen(more) > 1024 + SL_SIO_ENVELOPE_BYTES);
	sio_publish("c8", "n", "1");
	const char *frames = come_back("recovery=1&", "/x,", joined.pid, NULL, more);
	CU_ASSERT_TRUE(is_recovered(frames, &joined));
	SIO_IS(skip_answer(frames), "`42/x,[\"n\",1,\"EPOCH----1\"]`");
	end();
}

static void
test_sio_rejoin_is_for_those_who_ask_for_it(void)
{
	begin();
	struct sio_joined joined = sio_join(&client, "40/x,");
	const char *frames = come_back("", "/x,", joined.pid, NULL, "");
	CU_ASSERT_PTR_NULL(strstr(frames, "pid"));
	sio_publish("x", "n", "1");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",1]`");
	end();
}

/* ---- limits ---- */

/* As come_back(), as a client that limits count; `spends`: it may join no channel for now. */
static const char *
come_back_limited(const char *pid, const char *offset, bool spends)
{
	char text[5000];
	client_close(&client);
	world_settle(&world);
	sio_open(&client, "recovery=1&");
	sio_own(&client);
	if (spends)
		sio_spend(&client);
	int len = snprintf(text, sizeof text, "40/x,{\"pid\":\"%s\"", pid);
	if (offset)
		len += snprintf(text + len, sizeof text - (size_t)len, ",\"offset\":\"%08x-%s\"",
			(unsigned)sl_bus_head(world.bus).epoch, offset);
	snprintf(text + len, sizeof text - (size_t)len, "}");
	return sio_talk(&client, text);
}

static void
test_sio_rejoin_that_a_limit_refuses_keeps_the_pid_for_later(void)
{
	begin();
	sio_limit(1);
	struct sio_joined joined = sio_join(&client, "40/x,");
	sio_publish("x", "n", "1");
	sio_publish("x", "n", "2");
	sio_take(&client);
	SIO_IS(come_back_limited(joined.pid, "1", true), "(1013)");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_NOT_RECOVERED), 0);
	sio_limit(0);
	const char *frames = come_back_limited(joined.pid, "1", false);
	CU_ASSERT_TRUE(is_recovered(frames, &joined));
	SIO_IS(skip_answer(frames), "`42/x,[\"n\",2,\"EPOCH----2\"]`");
	end();
}

/* One CONNECT is one purchase, however many starts its channels have: else a low limit refused it forever. */
static void
test_sio_rejoin_pays_for_all_channels_at_once(void)
{
	char offset[64], text[200];
	begin();
	sio_limit(1);
	struct sio_joined joined = sio_join(&client, "40/x,");
	sio_publish("x", "n", "1");
	sio_talk(&client, "42/x,[\"subscribe\",[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]]");
	sio_publish("x", "n", "2");
	sio_talk(&client, "42/x,[\"subscribe\",\"g\"]");
	snprintf(text, sizeof text, "%s", sl_sio_memory_get_tag(world.http.sio_memory));
	snprintf(offset, sizeof offset, "1.%.*s*", SL_SIO_TAG_LEN, text);
	CU_ASSERT_TRUE(is_recovered(come_back_limited(joined.pid, offset, false), &joined));
	end();
}

/* What it does not get is not paid for, so that it can begin anew. */
static void
test_sio_rejoin_that_fails_costs_no_channels(void)
{
	static const char *const options[] = { "--history-messages=1", NULL };
	sio_begin(options);
	sio_limit(1);
	sio_open(&client, "recovery=1&");
	struct sio_joined joined = sio_join(&client, "40/x,");
	for (int i = 1; i <= 5; i++)
		sio_publish("x", "n", "0");
	sio_take(&client);
	client_close(&client);
	sio_open(&client, "recovery=1&");
	sio_own(&client);
	sl_owner_spend(client.subscriber->owner, SL_LIMIT_SUBSCRIBES, 3, world.shard.loop.now_ms); /* of 4 */
	CU_ASSERT_FALSE(is_recovered(come_back_limited(joined.pid, "1", false), &joined));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_NOT_RECOVERED), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_CONNECT_ERRORS), 0);
	end();
}

static void
test_sio_rejoin_without_memory_is_recovered_or_closes(void)
{
	for_each_failing_allocation(failing) {
		char text[5000];
		failing_alloc_off();
		begin();
		struct sio_joined joined = sio_join(&client, "40/x,{\"channels\":\"a\"}");
		client_close(&client);
		sio_open(&client, "recovery=1&");
		snprintf(text, sizeof text, "40/x,{\"pid\":\"%s\",\"channels\":\"a\"}", joined.pid);
		failing_again(&failing);
		sio_say(&client, text);
		world_settle(&world);
		failing_alloc_off();
		const char *frames = sio_take(&client);
		bool is_closed = !strchr(frames, '`');
		CU_ASSERT_TRUE(is_closed || is_recovered(frames, &joined));
		end();
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_rejoin_goes_on_behind_the_offset),
		UNIT_TEST(test_sio_rejoin_works_before_any_event_and_again),
		UNIT_TEST(test_sio_rejoin_begins_where_connect_was),
		UNIT_TEST(test_sio_rejoin_brings_all_channels_of_connect),
		UNIT_TEST(test_sio_rejoin_has_an_offset_for_each_namespace),
		UNIT_TEST(test_sio_rejoin_needs_a_pid_of_ours),
		UNIT_TEST(test_sio_rejoin_needs_history_that_reaches),
		UNIT_TEST(test_sio_rejoin_does_not_take_an_offset_of_another_life),
		UNIT_TEST(test_sio_rejoin_works_where_messages_are_short),
		UNIT_TEST(test_sio_rejoin_is_for_those_who_ask_for_it),
		UNIT_TEST(test_sio_rejoin_that_a_limit_refuses_keeps_the_pid_for_later),
		UNIT_TEST(test_sio_rejoin_pays_for_all_channels_at_once),
		UNIT_TEST(test_sio_rejoin_that_fails_costs_no_channels),
		UNIT_TEST(test_sio_rejoin_without_memory_is_recovered_or_closes),
		{ NULL, NULL },
	};
	return unit_main("sio_rejoin", tests);
}
