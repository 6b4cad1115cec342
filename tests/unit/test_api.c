#include "demo/api.h"

#include <unistd.h>

#include "demo/cluster.h"
#include "http/exchange.h"
#include "tests/unit/demo_world.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/script.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"

#define NAME_64 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static struct demo_world world;
static struct sl_exchange exchange;

static const struct sl_route *
find_route(const char *path)
{
	const struct sl_route *route = sl_demo_routes;
	while (route->path && strcmp(route->path, path) != 0)
		route++;
	CU_ASSERT_PTR_NOT_NULL_FATAL(route->path);
	return route;
}

/* `params` are those of the query; the answer is text then, until end(). */
static const char *
ask(const char *path, const struct sl_params *params, const char *body)
{
	exchange = (struct sl_exchange){
		.shard = world.shards[0],
		.front = &world.front,
		.http = &world.http,
		.params = *params,
	};
	if (body)
		sl_buffer_append_str(&exchange.body, body);
	find_route(path)->handle(&exchange);
	sl_buffer_append_char(&exchange.reply.body, '\0');
	return exchange.reply.body.bytes ? exchange.reply.body.bytes : "";
}

static void
end(void)
{
	sl_buffer_finish(&exchange.body);
	sl_reply_finish(&exchange.reply);
}

static void
expect(const char *answer, unsigned status, const char *text)
{
	CU_ASSERT_EQUAL(exchange.reply.head.status, status);
	CU_ASSERT_STRING_EQUAL(answer, text);
	CU_ASSERT_STRING_EQUAL(exchange.reply.head.content_type, "application/json");
	end();
}

static void
expect_error(const char *answer, unsigned status, const char *code)
{
	char text[64];
	snprintf(text, sizeof text, "{\"error\":{\"code\":\"%s\",", code);
	CU_ASSERT_EQUAL(exchange.reply.head.status, status);
	CU_ASSERT_EQUAL(strncmp(answer, text, strlen(text)), 0);
	end();
}

static const struct sl_params none;

static void
test_api_is_read_and_blocks_are_written(void)
{
	CU_ASSERT_STRING_EQUAL(find_route("demo/api/origins")->methods, "GET, HEAD, OPTIONS");
	CU_ASSERT_STRING_EQUAL(find_route("demo/api/obstacle")->methods, "GET, HEAD, OPTIONS");
	CU_ASSERT_STRING_EQUAL(find_route("demo/api/trace")->methods, "GET, HEAD, OPTIONS");
	CU_ASSERT_STRING_EQUAL(find_route("demo/api/blocked")->methods, "POST, OPTIONS");
	CU_ASSERT_STRING_EQUAL(find_route("demo/api/cluster")->methods, "GET, HEAD, OPTIONS");
	CU_ASSERT_STRING_EQUAL(find_route("demo/api/kill")->methods, "POST, OPTIONS");
	CU_ASSERT_STRING_EQUAL(find_route("demo/api/start")->methods, "POST, OPTIONS");
	for (const struct sl_route *route = sl_demo_routes; route->path; route++) {
		CU_ASSERT_EQUAL(route->kind, SL_ROUTE_ORDINARY);
		CU_ASSERT_EQUAL(route->takes_body, strcmp(route->path, "demo/api/blocked") == 0);
		CU_ASSERT_FALSE(route->is_for_any_origin);
	}
}

static void
test_origins_are_told_with_the_time(void)
{
	demo_open(&world, NULL);
	world.demo.origins = (char[]){ "[\"http://127.0.0.1:4001\"]" };
	expect(ask("demo/api/origins", &none, NULL), 200, "{\"origins\":[\"http://127.0.0.1:4001\"],"
		"\"obstacle\":false,\"cluster\":false,\"time\":1790000000000000}\n");
	demo_close(&world);
}

static void
test_obstacle_that_is_not_there_is_not_found(void)
{
	demo_open(&world, NULL);
	expect_error(ask("demo/api/obstacle", &none, NULL), 404, "not_found");
	demo_close(&world);
}

#define NOBODY "{\"connections\":0,\"requests\":0,\"received\":{\"heads\":0,\"bodies\":0}," \
	"\"sent\":{\"heads\":0,\"bodies\":0},\"blocked\":[],\"next\":0,\"dropped\":0,\"events\":[]}"

static void
note(const char *text)
{
	unsigned dropped = 0;
	struct sl_trace_event event = { .time_us = 7, .bytes = strlen(text),
		.captured_len = (uint32_t)strlen(text), .connection = 1, .transport = "sse",
		.what = SL_TRACE_BYTES, .from_gateway = true };
	struct sl_name *name = sl_names_get(world.demo.names, span("name"), 1000, &dropped);
	sl_names_note(world.demo.names, name, 1000, &event, text);
	sl_names_unref(world.demo.names, name, 1000);
}

static void
test_trace_tells_of_the_names_in_question(void)
{
	demo_open(&world, NULL);
	expect(ask("demo/api/trace", &(struct sl_params){ .of = span("some-name:0,another") }, NULL), 200,
		"{\"time\":1790000000000000,\"names\":{\"some-name\":" NOBODY ",\"another\":" NOBODY "}}\n");
	note("hello");
	note("again");
	const char *answer = ask("demo/api/trace", &(struct sl_params){ .of = span("name:1") }, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\"next\":2,\"dropped\":0,\"events\":[{\"n\":2,"));
	CU_ASSERT_PTR_NULL(strstr(answer, "base64"));
	end();
	answer = ask("demo/api/trace", &(struct sl_params){ .of = span("name:1"), .show = span("name") },
		NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\"base64\":\"YWdhaW4=\""));
	end();
	demo_close(&world);
}

static void
test_trace_refuses_questions_that_make_no_sense(void)
{
	static const char *const bad[] = { NULL, "", "abc", "name:", "name,name", NAME_64 "n" };
	demo_open(&world, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_error(ask("demo/api/trace", &(struct sl_params){ .of = span(bad[i]) }, NULL), 400,
			"bad_of");
	demo_close(&world);
}

static void
test_blocked_transports_are_the_names_until_they_are_told_anew(void)
{
	const struct sl_params params = { .name = span(NAME_64) };
	demo_open(&world, NULL);
	expect(ask("demo/api/blocked", &params, "[\"poll\",\"sse\"]"), 200,
		"{\"blocked\":[\"sse\",\"poll\"]}\n");
	CU_ASSERT_TRUE(sl_names_is_blocked(world.demo.names, span(NAME_64), SL_CLASS_SSE));
	CU_ASSERT_TRUE(world.shards[0]->mailbox.has_tasks && world.shards[1]->mailbox.has_tasks);
	expect(ask("demo/api/blocked", &params, "[]"), 200, "{\"blocked\":[]}\n");
	CU_ASSERT_FALSE(sl_names_is_blocked(world.demo.names, span(NAME_64), SL_CLASS_SSE));
	for (unsigned i = 0; i < DEMO_SHARDS; i++)
		sl_mailbox_run_tasks(&world.shards[i]->mailbox);
	demo_close(&world);
}

static void
test_blocked_refuses_what_is_no_name_and_no_list(void)
{
	static const char *const bad[] = { NULL, "", "{}", "[1]", "[\"sse\"", "[\"http\"]" };
	demo_open(&world, NULL);
	expect_error(ask("demo/api/blocked", &none, "[]"), 400, "bad_name");
	expect_error(ask("demo/api/blocked", &(struct sl_params){ .name = span("abc") }, "[]"), 400,
		"bad_name");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_error(ask("demo/api/blocked", &(struct sl_params){ .name = span("name") }, bad[i]),
			400, "bad_transports");
	demo_close(&world);
}

static void
test_names_that_make_room_for_a_blocked_one_are_counted(void)
{
	char name[24];
	demo_open(&world, NULL);
	for (int i = 0; i <= SL_NAMES_MAX; i++) {
		snprintf(name, sizeof name, "name-%d", i);
		ask("demo/api/blocked", &(struct sl_params){ .name = span(name) }, "[]");
		end();
	}
	CU_ASSERT_EQUAL(demo_counter(&world, SL_COUNTER_DEMO_NAMES_DROPPED), 1);
	demo_close(&world);
}

static void
test_cluster_of_one_gateway_is_not_found(void)
{
	const struct sl_params params = { .name = span("n1") };
	demo_open(&world, NULL);
	expect_error(ask("demo/api/cluster", &none, NULL), 404, "not_found");
	expect_error(ask("demo/api/kill", &params, NULL), 404, "not_found");
	expect_error(ask("demo/api/start", &params, NULL), 404, "not_found");
	demo_close(&world);
}

static void
test_cluster_processes_are_killed_and_started_by_name(void)
{
	const struct sl_params n1 = { .name = span("n1") }, last = { .name = span("a") };
	struct sl_cluster *board;
	demo_open(&world, NULL);
	unlink(script);
	CU_ASSERT_EQUAL_FATAL(sl_cluster_create(&board, script), 0);
	sl_cluster_add(board, "a", SL_CLUSTER_GATEWAY, 8080);
	sl_cluster_add(board, "n1", SL_CLUSTER_NATS, 4222);
	CU_ASSERT_EQUAL_FATAL(sl_cluster_open(&world.demo.cluster, script, 8080), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(ask("demo/api/cluster", &none, NULL), "{\"self\":\"a\","));
	end();
	CU_ASSERT_PTR_NOT_NULL(strstr(ask("demo/api/kill", &n1, NULL), "\"kind\":\"nats\",\"state\":\"down\",\"wanted\":false"));
	end();
	CU_ASSERT_FALSE(sl_cluster_is_wanted(sl_cluster_at(board, 1)));
	CU_ASSERT_PTR_NOT_NULL(strstr(ask("demo/api/start", &n1, NULL), "\"kind\":\"nats\",\"state\":\"down\",\"wanted\":true"));
	end();
	expect_error(ask("demo/api/kill", &last, NULL), 409, "last_gateway");
	expect_error(ask("demo/api/kill", &none, NULL), 404, "not_found");
	sl_cluster_close(world.demo.cluster);
	sl_cluster_close(board);
	demo_close(&world);
}

/* Nothing is answered that is not true: a block without memory for the name is an error. */
static void
test_blocked_without_memory_is_an_error(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		demo_open(&world, NULL);
		failing_alloc_set(failing.n, failing.is_lasting);
		ask("demo/api/blocked", &(struct sl_params){ .name = span("name") }, "[\"sse\"]");
		failing_alloc_off();
		bool is_blocked = sl_names_is_blocked(world.demo.names, span("name"), SL_CLASS_SSE);
		bool is_said = sl_buffer_status(&exchange.reply.body) == 0 &&
			exchange.reply.head.status == 200;
		CU_ASSERT_TRUE(is_blocked || !is_said);
		CU_ASSERT_TRUE(is_said || failing_alloc_has_failed());
		end();
		for (unsigned i = 0; i < DEMO_SHARDS; i++)
			sl_mailbox_run_tasks(&world.shards[i]->mailbox);
		demo_close(&world);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_api_is_read_and_blocks_are_written),
		UNIT_TEST(test_origins_are_told_with_the_time),
		UNIT_TEST(test_obstacle_that_is_not_there_is_not_found),
		UNIT_TEST(test_trace_tells_of_the_names_in_question),
		UNIT_TEST(test_trace_refuses_questions_that_make_no_sense),
		UNIT_TEST(test_blocked_transports_are_the_names_until_they_are_told_anew),
		UNIT_TEST(test_blocked_refuses_what_is_no_name_and_no_list),
		UNIT_TEST(test_names_that_make_room_for_a_blocked_one_are_counted),
		UNIT_TEST(test_cluster_of_one_gateway_is_not_found),
		UNIT_TEST(test_cluster_processes_are_killed_and_started_by_name),
		UNIT_TEST(test_blocked_without_memory_is_an_error),
		{ NULL, NULL },
	};
	return script_main("api", tests);
}
