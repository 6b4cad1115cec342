#include "clients/socket_io/sio_changes.h"

#include "tests/unit/failing_alloc.h"
#include "tests/unit/sio_world.h"

static struct world_client client;
static struct sio_joined joined;

static void
begin(void)
{
	sio_begin(NULL);
	sio_open(&client, "recovery=1&");
	joined = sio_join(&client, "40/x,");
}

static void
end(void)
{
	client_close(&client);
	sio_end();
}

/* Comes back with the offset, before whose stars the tag may be left out: true when it is recovered; what follows the answer is in `*rest`. */
static bool
come_back(const char *offset, const char **rest)
{
	char text[5000], pid[4096], tag[1 + SL_SIO_TAG_LEN + 1] = "";
	int len = (int)strcspn(offset, "*");
	if (offset[len] && !strchr(offset, '.'))
		snprintf(tag, sizeof tag, ".%.*s", SL_SIO_TAG_LEN, sl_sio_memory_get_tag(world.http.sio_memory));
	client_close(&client);
	world_settle(&world);
	sio_open(&client, "recovery=1&");
	snprintf(text, sizeof text, "40/x,{\"pid\":\"%s\",\"offset\":\"%08x-%.*s%s%s\"}", joined.pid,
		(unsigned)sl_bus_head(world.bus).epoch, len, offset, tag, offset + len);
	const char *frames = sio_talk(&client, text);
	*rest = strstr(frames, "}`") + 2;
	return strcmp(sio_member(frames, "pid", pid, sizeof pid), joined.pid) == 0;
}

static const char *
subscribe_since(const char *channel, unsigned since)
{
	char text[128];
	snprintf(text, sizeof text, "42/x,[\"subscribe\",\"%s\",{\"since\":\"%08x-%u\"}]", channel,
		(unsigned)sl_bus_head(world.bus).epoch, since);
	return sio_talk(&client, text);
}

static void
test_sio_changes_are_told_with_an_offset_of_their_own(void)
{
	begin();
	sio_publish("x", "n", "1");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",1,\"EPOCH----1\"]`");
	SIO_IS(sio_talk(&client, "42/x,1[\"subscribe\",[\"a\",\"b \\\"\"]]"),
		"`42/x,[\"subscribed\",[\"a\",\"b \\\"\"],\"EPOCH----1*\"]``43/x,1[{\"channels\":[\"a\",\"b \\\"\"],\"cursor\":\"EPOCH----1\"}]`");
	sio_publish("x", "n", "2");
	sio_publish("a", "n", "3");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",2,\"EPOCH----2*\"]``42/x,[\"n\",3,\"EPOCH----3*\"]`");
	SIO_IS(sio_talk(&client, "42/x,[\"unsubscribe\",\"a\"]"), "`42/x,[\"unsubscribed\",[\"a\"],\"EPOCH----3*\"]`");
	SIO_IS(sio_talk(&client, "42/x,[\"unsubscribe\",\"a\"]"), ""); /* nothing has changed */
	SIO_IS(sio_talk(&client, "42/x,[\"subscribe\",\"x\"]"), "");
	end();
}

static void
test_sio_changes_are_recovered_where_they_are_known(void)
{
	const char *rest;
	begin();
	sio_talk(&client, "42/x,[\"subscribe\",\"a\"]");
	sio_publish("a", "n", "1");
	sio_publish("x", "n", "2");
	sio_take(&client);
	CU_ASSERT_TRUE(come_back("1*", &rest));
	SIO_IS(rest, "`42/x,[\"n\",2,\"EPOCH----2*\"]`");
	sio_talk(&client, "42/x,[\"unsubscribe\",\"x\"]");
	CU_ASSERT_TRUE(come_back("2*", &rest)); /* and again */
	sio_publish("x", "n", "3");
	sio_publish("a", "n", "4");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",4,\"EPOCH----4*\"]`");
	CU_ASSERT_EQUAL(sl_sio_memory_count(world.http.sio_memory), 1);
	end();
}

/* On another node, or too late: it would be told that it is as it was, and have other channels. */
static void
test_sio_changes_that_nobody_knows_are_not_recovered(void)
{
	const char *rest;
	begin();
	sio_talk(&client, "42/x,[\"subscribe\",\"a\"]");
	client_close(&client);
	world_settle(&world);
	sl_sio_memory_forget(world.http.sio_memory, joined.sid);
	sio_open(&client, "");
	CU_ASSERT_FALSE(come_back("0*", &rest));
	/* Its offset has stars of its last life until it sees another one. */
	SIO_IS(rest, "`42/x,[\"subscribed\",[\"x\"],\"EPOCH----0\"]`");
	end();
}

/* Its client learned nothing of the change here, made another one elsewhere, and comes back with as many stars. */
static void
test_sio_changes_are_not_taken_for_those_of_another_process(void)
{
	const char *rest;
	begin();
	sio_talk(&client, "42/x,[\"subscribe\",\"a\"]");
	CU_ASSERT_FALSE(come_back("0.-tag*", &rest));
	SIO_IS(rest, "`42/x,[\"subscribed\",[\"x\"],\"EPOCH----0\"]`");
	end();
}

/* It does not know that its channels are others: so they are not. */
static void
test_sio_changes_that_the_client_has_not_seen_have_not_happened(void)
{
	const char *rest;
	begin();
	sio_publish("x", "n", "1");
	sio_take(&client);
	sio_talk(&client, "42/x,[\"subscribe\",\"a\"]");
	sio_publish("a", "n", "2");
	sio_publish("x", "n", "3");
	sio_take(&client);
	CU_ASSERT_TRUE(come_back("1", &rest));
	SIO_IS(rest, "`42/x,[\"n\",3,\"EPOCH----3\"]`");
	end();
}

static void
test_sio_changes_end_with_the_namespace(void)
{
	begin();
	sio_talk(&client, "42/x,[\"subscribe\",\"a\"]");
	CU_ASSERT_EQUAL(sl_sio_memory_count(world.http.sio_memory), 1);
	sio_talk(&client, "41/x,");
	CU_ASSERT_EQUAL(sl_sio_memory_count(world.http.sio_memory), 0);
	end();
}

/* A replay sends lower numbers than the client has seen of its other channels. */
static void
test_sio_changes_by_a_replay_lose_nothing_and_double_nothing(void)
{
	const char *rest;
	begin();
	sio_publish("a", "n", "1");
	sio_publish("x", "n", "2");
	sio_publish("a", "n", "3");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",2,\"EPOCH----2\"]`");
	SIO_IS(subscribe_since("a", 0), "`42/x,[\"subscribed\",[\"a\"],\"EPOCH----0*\"]`"
		"`42/x,[\"n\",1,\"EPOCH----1*\"]``42/x,[\"n\",3,\"EPOCH----3*\"]`");
	CU_ASSERT_TRUE(come_back("1*", &rest)); /* cut off within the replay: it has 2 already */
	SIO_IS(rest, "`42/x,[\"n\",3,\"EPOCH----3*\"]`");
	CU_ASSERT_TRUE(come_back("0*", &rest));
	SIO_IS(rest, "`42/x,[\"n\",1,\"EPOCH----1*\"]``42/x,[\"n\",3,\"EPOCH----3*\"]`");
	end();
}

/* Whoever has seen a first change, and not the replay behind it, may lack what lies before the replay. */
static void
test_sio_changes_by_a_second_replay_are_told_from_the_first(void)
{
	const char *rest;
	begin();
	sio_publish("b", "n", "1");
	sio_talk(&client, "42/x,[\"subscribe\",\"a\"]");
	sio_publish("x", "n", "2");
	sio_publish("a", "n", "3");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",2,\"EPOCH----2*\"]``42/x,[\"n\",3,\"EPOCH----3*\"]`");
	SIO_IS(subscribe_since("b", 0), "`42/x,[\"subscribed\",[\"b\"],\"EPOCH----0**\"]``42/x,[\"n\",1,\"EPOCH----1**\"]`");
	CU_ASSERT_TRUE(come_back("2*", &rest)); /* 3 was lost on the way */
	SIO_IS(rest, "`42/x,[\"n\",3,\"EPOCH----3**\"]`");
	CU_ASSERT_TRUE(come_back("0**", &rest));
	SIO_IS(rest, "`42/x,[\"n\",1,\"EPOCH----1**\"]`");
	end();
}

/* Its other channels begin where it was recovered, so the replay raises nothing; and still its offsets go back. */
static void
test_sio_changes_by_a_replay_right_after_recovery_double_nothing(void)
{
	const char *rest;
	begin();
	sio_publish("a", "n", "1");
	sio_talk(&client, "42/x,[\"subscribe\",\"b\"]");
	sio_publish("x", "n", "2");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",2,\"EPOCH----2*\"]`");
	CU_ASSERT_TRUE(come_back("2*", &rest));
	SIO_IS(subscribe_since("a", 0), "`42/x,[\"subscribed\",[\"a\"],\"EPOCH----0**\"]``42/x,[\"n\",1,\"EPOCH----1**\"]`");
	CU_ASSERT_TRUE(come_back("1**", &rest));
	SIO_IS(rest, ""); /* it has 2 */
	sio_talk(&client, "42/x,[\"subscribe\",\"c\"]"); /* which begins now: there is nothing to tell apart */
	sio_publish("c", "n", "3");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",3,\"EPOCH----3**\"]`");
	end();
}

/* The position goes back for one namespace; the other one's offsets do not. */
static void
test_sio_changes_have_an_offset_of_their_namespace(void)
{
	begin();
	sio_publish("a", "n", "1");
	sio_publish("x", "n", "2");
	sio_take(&client);
	sio_talk(&client, "40/y,");
	sio_say(&client, "42/y,[\"subscribe\",\"a\",{\"since\":\"0\"}]");
	SIO_IS(sio_talk(&client, "42/x,[\"subscribe\",\"c\"]"), "`42/y,[\"subscribed\",[\"a\"],\"EPOCH----0*\"]`"
		"`42/x,[\"subscribed\",[\"c\"],\"EPOCH----2*\"]``42/y,[\"n\",1,\"EPOCH----1*\"]`");
	end();
}

static void
test_sio_changes_are_nothing_to_who_wants_no_recovery(void)
{
	begin();
	client_close(&client);
	sio_open(&client, "");
	sio_talk(&client, "40/x,");
	SIO_IS(sio_talk(&client, "42/x,[\"subscribe\",\"a\"]"), "");
	CU_ASSERT_EQUAL(sl_sio_memory_count(world.http.sio_memory), 0);
	end();
}

static void
test_sio_changes_without_memory_close_or_are_not_kept(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		begin();
		failing_again(&failing);
		sio_say(&client, "42/x,[\"subscribe\",\"a\"]");
		world_settle(&world);
		failing_alloc_off();
		CU_ASSERT_PTR_NULL(strstr(sio_take(&client), "`41"));
		end();
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_changes_are_told_with_an_offset_of_their_own),
		UNIT_TEST(test_sio_changes_are_recovered_where_they_are_known),
		UNIT_TEST(test_sio_changes_that_nobody_knows_are_not_recovered),
		UNIT_TEST(test_sio_changes_are_not_taken_for_those_of_another_process),
		UNIT_TEST(test_sio_changes_that_the_client_has_not_seen_have_not_happened),
		UNIT_TEST(test_sio_changes_end_with_the_namespace),
		UNIT_TEST(test_sio_changes_by_a_replay_lose_nothing_and_double_nothing),
		UNIT_TEST(test_sio_changes_by_a_second_replay_are_told_from_the_first),
		UNIT_TEST(test_sio_changes_by_a_replay_right_after_recovery_double_nothing),
		UNIT_TEST(test_sio_changes_have_an_offset_of_their_namespace),
		UNIT_TEST(test_sio_changes_are_nothing_to_who_wants_no_recovery),
		UNIT_TEST(test_sio_changes_without_memory_close_or_are_not_kept),
		{ NULL, NULL },
	};
	return unit_main("sio_changes", tests);
}
