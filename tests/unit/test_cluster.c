#include "demo/cluster.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/expect_text.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/script.h"
#include "util/buffer.h"
#include "util/err.h"

static struct sl_cluster *board, *a, *b; /* the supervisor's view, and those of two gateways */

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
open_board(void)
{
	unlink(script);
	CU_ASSERT_EQUAL_FATAL(sl_cluster_create(&board, script), 0);
	CU_ASSERT_EQUAL(sl_cluster_add(board, "a", SL_CLUSTER_GATEWAY, 8080), 0);
	CU_ASSERT_EQUAL(sl_cluster_add(board, "b", SL_CLUSTER_GATEWAY, 8090), 0);
	CU_ASSERT_EQUAL(sl_cluster_add(board, "n1", SL_CLUSTER_NATS, 4222), 0);
	CU_ASSERT_EQUAL_FATAL(sl_cluster_open(&a, script, 8080), 0);
	CU_ASSERT_EQUAL_FATAL(sl_cluster_open(&b, script, 8090), 0);
}

static void
close_board(void)
{
	sl_cluster_close(a);
	sl_cluster_close(b);
	sl_cluster_close(board);
}

static void
set_states(enum sl_cluster_state of_a, enum sl_cluster_state of_b)
{
	sl_cluster_set_state(sl_cluster_at(board, 0), of_a);
	sl_cluster_set_state(sl_cluster_at(board, 1), of_b);
}

static void
test_cluster_is_told_as_the_supervisor_wrote_it(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	open_board();
	set_states(SL_CLUSTER_READY, SL_CLUSTER_AWAY);
	sl_cluster_count_start(sl_cluster_at(board, 2));
	sl_cluster_set_state(sl_cluster_at(board, 2), SL_CLUSTER_STARTING);
	sl_cluster_set_leader(board, sl_cluster_at(board, 2));
	sl_cluster_append_json(b, &out);
	char *text = sl_buffer_take_string(&out);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"self\":\"b\",\"nodes\":[{\"name\":\"a\",\"kind\":\"gateway\","
		"\"state\":\"ready\",\"wanted\":true,\"leads\":false,\"starts\":0,\"origins\":[\"http://127.0.0.1:8080\","
		"\"http://127.0.0.1:8081\","));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"http://127.0.0.1:8086\"]},{\"name\":\"b\",\"kind\":\"gateway\","
		"\"state\":\"away\","));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, ",{\"name\":\"n1\",\"kind\":\"nats\",\"state\":\"starting\",\"wanted\":true,"
		"\"leads\":true,\"starts\":1}]}"));
	free(text);
	close_board();
}

static void
test_cluster_processes_run_as_a_gateway_wants(void)
{
	open_board();
	set_states(SL_CLUSTER_READY, SL_CLUSTER_READY);
	CU_ASSERT_EQUAL(sl_cluster_want(a, span("n1"), false), 0);
	CU_ASSERT_EQUAL(sl_cluster_want(a, span("b"), false), 0);
	CU_ASSERT_FALSE(sl_cluster_is_wanted(sl_cluster_at(board, 1)));
	CU_ASSERT_FALSE(sl_cluster_is_wanted(sl_cluster_at(board, 2)));
	CU_ASSERT_EQUAL(sl_cluster_want(a, span("b"), true), 0);
	CU_ASSERT_TRUE(sl_cluster_is_wanted(sl_cluster_at(board, 1)));
	CU_ASSERT_EQUAL(sl_cluster_want(a, span("c"), false), SL_ENOENT);
	CU_ASSERT_EQUAL(sl_cluster_want(a, (struct sl_span){ NULL, 0 }, false), SL_ENOENT);
	close_board();
}

/* Nobody could start it again. */
static void
test_cluster_keeps_its_last_gateway(void)
{
	open_board();
	set_states(SL_CLUSTER_READY, SL_CLUSTER_STARTING);
	CU_ASSERT_EQUAL(sl_cluster_want(b, span("a"), false), SL_EFULL);
	set_states(SL_CLUSTER_READY, SL_CLUSTER_AWAY);
	CU_ASSERT_EQUAL(sl_cluster_want(b, span("a"), false), 0);
	CU_ASSERT_EQUAL(sl_cluster_want(a, span("b"), false), SL_EFULL); /* though the first still runs */
	CU_ASSERT_EQUAL(sl_cluster_want(a, span("n1"), false), 0);
	close_board();
}

static void
test_cluster_has_one_gateway_that_feeds(void)
{
	open_board();
	CU_ASSERT_TRUE(sl_cluster_feeds(NULL));
	CU_ASSERT_FALSE(sl_cluster_feeds(a) || sl_cluster_feeds(b));
	set_states(SL_CLUSTER_READY, SL_CLUSTER_READY);
	CU_ASSERT_TRUE(sl_cluster_feeds(a) && !sl_cluster_feeds(b));
	set_states(SL_CLUSTER_AWAY, SL_CLUSTER_READY);
	CU_ASSERT_TRUE(!sl_cluster_feeds(a) && sl_cluster_feeds(b));
	close_board();
}

static void
test_cluster_lets_pages_reach_the_other_gateways_and_their_lanes(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	open_board();
	sl_cluster_append_policy(a, &out);
	CU_ASSERT_EQUAL(strncmp(out.bytes, " http://127.0.0.1:8090 ws://127.0.0.1:8090 http://127.0.0.1:8091", 63), 0);
	CU_ASSERT_PTR_NOT_NULL(memmem(out.bytes, out.len, "8096", 4));
	CU_ASSERT_PTR_NULL(memmem(out.bytes, out.len, "8097", 4));
	CU_ASSERT_PTR_NULL(memmem(out.bytes, out.len, "8080", 4));
	CU_ASSERT_EQUAL(sl_cluster_find_other(a, 0), 8090);
	CU_ASSERT_EQUAL(sl_cluster_find_other(a, 1), 0);
	CU_ASSERT_EQUAL(sl_cluster_find_other(NULL, 0), 0);
	sl_buffer_clear(&out);
	sl_cluster_append_policy(NULL, &out);
	CU_ASSERT_EQUAL(out.len, 0);
	sl_buffer_finish(&out);
	close_board();
}

static void
test_cluster_refuses_other_files_ports_and_names(void)
{
	struct sl_cluster *cluster = NULL;
	open_board();
	CU_ASSERT_EQUAL(sl_cluster_open(&cluster, script, 8081), SL_ENOENT);
	CU_ASSERT_EQUAL(sl_cluster_open(&cluster, script, 4222), SL_ENOENT); /* no gateway */
	CU_ASSERT_EQUAL(sl_cluster_create(&cluster, script), SL_EIO); /* it exists */
	CU_ASSERT_EQUAL(sl_cluster_add(board, "", SL_CLUSTER_NATS, 1), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_cluster_add(board, "a\"b", SL_CLUSTER_NATS, 1), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_cluster_add(board, "aaaaaaaaaaaaaaaa", SL_CLUSTER_NATS, 1), SL_EINVAL);
	for (int i = 3; i < SL_CLUSTER_NODES; i++)
		CU_ASSERT_EQUAL(sl_cluster_add(board, "n", SL_CLUSTER_NATS, 1), 0);
	CU_ASSERT_EQUAL(sl_cluster_add(board, "n", SL_CLUSTER_NATS, 1), SL_EFULL);
	CU_ASSERT_PTR_NULL(sl_cluster_at(board, SL_CLUSTER_NODES));
	close_board();
	struct stat st;
	CU_ASSERT_EQUAL(stat(script, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	write_script("exit 1"); /* another length */
	CU_ASSERT_EQUAL(sl_cluster_open(&cluster, script, 8080), SL_EPROTO);
	CU_ASSERT_EQUAL(truncate(script, st.st_size), 0); /* another begin */
	CU_ASSERT_EQUAL(sl_cluster_open(&cluster, script, 8080), SL_EPROTO);
	unlink(script);
	CU_ASSERT_EQUAL(sl_cluster_open(&cluster, script, 8080), SL_EIO);
	sl_cluster_close(NULL);
}

static void
test_cluster_without_memory_is_an_error(void)
{
	for_each_failing_allocation(failing) {
		struct sl_cluster *cluster = NULL;
		unlink(script);
		int err = sl_cluster_create(&cluster, script);
		failing_expect(err);
		sl_cluster_close(cluster);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_cluster_is_told_as_the_supervisor_wrote_it),
		UNIT_TEST(test_cluster_processes_run_as_a_gateway_wants),
		UNIT_TEST(test_cluster_keeps_its_last_gateway),
		UNIT_TEST(test_cluster_has_one_gateway_that_feeds),
		UNIT_TEST(test_cluster_lets_pages_reach_the_other_gateways_and_their_lanes),
		UNIT_TEST(test_cluster_refuses_other_files_ports_and_names),
		UNIT_TEST(test_cluster_without_memory_is_an_error),
		{ NULL, NULL },
	};
	return script_main("cluster", tests);
}
