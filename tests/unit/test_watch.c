#include "demo/watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include "core/socket.h"
#include "http/connection.h"
#include "http/reply.h"
#include "http/request.h"
#include "tests/unit/demo_world.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"

#define HEAD "POST /publish?channel=a&demo=name HTTP/1.1\r\nContent-Length: 5\r\n\r\n"

static struct demo_world world;
static struct sl_connection *connection;
static int peer;

static void
open_world(void)
{
	struct sockaddr_storage nobody = { .ss_family = AF_UNIX };
	int fds[2];
	demo_open(&world, &sl_watch_observer);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	connection = calloc(1, sizeof *connection);
	connection->link.shard = world.shards[1];
	sl_socket_init(&connection->link.socket, fds[0], &nobody);
	peer = fds[1];
}

static void
close_world(void)
{
	sl_socket_finish(&connection->link.socket);
	free(connection);
	close(peer);
	demo_close(&world);
}

/* What http/ tells of a request, in its order. False when it is refused, with `reply` filled. */
static bool
request(const char *head, const char *name, enum sl_class class, struct sl_head *as,
	const char *body, uint64_t body_len, struct sl_reply *reply)
{
	const struct sl_observer *observer = world.http.observer;
	static struct sl_request asked;
	as->bytes = span(head);
	asked = (struct sl_request){ .head = as, .body = span(body), .params.demo = span(name) };
	*reply = (struct sl_reply){ .head.status = 0 };
	observer->on_head(connection, head, strlen(head));
	observer->on_request(connection, &asked, class, body_len, SET_CLOCK_START_US);
	return observer->may_serve(connection, &asked, class, reply);
}

static void
block(const char *name, unsigned classes)
{
	unsigned dropped = 0;
	struct sl_name *blocked = sl_names_get(world.demo.names, span(name), 1000, &dropped);
	sl_names_block(world.demo.names, blocked, classes);
	sl_names_unref(world.demo.names, blocked, 1000);
}

static void
test_watch_is_what_the_demo_looks_on_by(void)
{
	open_world();
	CU_ASSERT_PTR_EQUAL(world.http.observer, &world.demo.observer);
	CU_ASSERT_PTR_EQUAL(sl_demo_of(world.shards[0]), &world.demo);
	close_world();
}

static void
test_watch_notes_requests_that_have_a_name(void)
{
	struct sl_reply reply;
	struct sl_head as = { .has_length = true };
	open_world();
	CU_ASSERT_TRUE(request(HEAD, "name", SL_CLASS_HTTP, &as, "hello", 5, &reply));
	CU_ASSERT_STRING_EQUAL(demo_tell_events(&world, "name"),
		"1 http client open 0:|1 http client head 65:" HEAD "|1 http client bytes 5:hello|");
	CU_ASSERT_EQUAL(reply.head.status, 0);
	close_world();
}

static void
test_watch_does_not_show_chunks_that_are_decoded(void)
{
	struct sl_reply reply;
	struct sl_head as = { .is_chunked = true };
	open_world();
	CU_ASSERT_TRUE(request(HEAD, "name", SL_CLASS_HTTP, &as, "hello", 15, &reply));
	CU_ASSERT_STRING_EQUAL(demo_tell_events(&world, "name"),
		"1 http client open 0:|1 http client head 65:" HEAD "|1 http client bytes 15:|");
	close_world();
}

static void
test_watch_serves_requests_without_a_name_and_notes_nothing(void)
{
	struct sl_reply reply;
	struct sl_head as = { .has_length = false };
	open_world();
	CU_ASSERT_TRUE(request(HEAD, "name", SL_CLASS_POLL, &as, NULL, 0, &reply));
	CU_ASSERT_TRUE(request("GET /poll HTTP/1.1\r\n\r\n", NULL, SL_CLASS_POLL, &as, NULL, 0, &reply));
	struct iovec answer = { (char[]){ "answer" }, 6 };
	sl_socket_write(&connection->link.socket, &answer, 1);
	CU_ASSERT_STRING_EQUAL(demo_tell_events(&world, "name"),
		"1 poll client open 0:|1 poll client head 65:" HEAD "|");
	close_world();
}

static void
test_watch_refuses_what_is_no_name(void)
{
	static const char *const bad[] = { "", "abc", "na.me", "name name" };
	struct sl_head as = { .has_length = false };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sl_reply reply;
		open_world();
		CU_ASSERT_FALSE(request(HEAD, bad[i], SL_CLASS_SSE, &as, NULL, 0, &reply));
		CU_ASSERT_EQUAL(reply.head.status, 400);
		CU_ASSERT_PTR_NOT_NULL(memmem(reply.body.bytes, reply.body.len, "\"bad_demo\"", 10));
		CU_ASSERT_FALSE(reply.head.is_foreign);
		CU_ASSERT_STRING_EQUAL(demo_tell_events(&world, bad[i]), "");
		sl_reply_finish(&reply);
		close_world();
	}
}

static void
test_watch_refuses_a_blocked_transport_as_a_stranger_would(void)
{
	struct sl_reply reply;
	struct sl_head as = { .has_length = false };
	open_world();
	block("name", 1u << SL_CLASS_SSE);
	CU_ASSERT_FALSE(request(HEAD, "name", SL_CLASS_SSE, &as, NULL, 0, &reply));
	CU_ASSERT_EQUAL(reply.head.status, 403);
	CU_ASSERT_TRUE(reply.head.is_foreign && reply.head.closes);
	CU_ASSERT_PTR_NULL(reply.head.cors.origin);
	CU_ASSERT_STRING_EQUAL(reply.head.content_type, "text/html");
	CU_ASSERT_EQUAL(demo_counter(&world, SL_COUNTER_DEMO_REFUSED), 1);
	/* Which is noted all the same. */
	CU_ASSERT_PTR_NOT_NULL(strstr(demo_tell_events(&world, "name"), "1 sse client head 65:"));
	sl_reply_finish(&reply);
	close_world();
}

static void
test_watch_lets_through_what_is_not_blocked(void)
{
	struct sl_reply reply;
	struct sl_head as = { .has_length = false };
	open_world();
	block("name", ~0u & ~(1u << SL_CLASS_HTTP) & ~(1u << SL_CLASS_STREAM));
	CU_ASSERT_TRUE(request(HEAD, "name", SL_CLASS_STREAM, &as, NULL, 0, &reply));
	CU_ASSERT_TRUE(request(HEAD, "name", SL_CLASS_HTTP, &as, "hello", 5, &reply));
	CU_ASSERT_TRUE(request(HEAD, "other", SL_CLASS_SSE, &as, NULL, 0, &reply));
	CU_ASSERT_EQUAL(demo_counter(&world, SL_COUNTER_DEMO_REFUSED), 0);
	close_world();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_watch_is_what_the_demo_looks_on_by),
		UNIT_TEST(test_watch_notes_requests_that_have_a_name),
		UNIT_TEST(test_watch_does_not_show_chunks_that_are_decoded),
		UNIT_TEST(test_watch_serves_requests_without_a_name_and_notes_nothing),
		UNIT_TEST(test_watch_refuses_what_is_no_name),
		UNIT_TEST(test_watch_refuses_a_blocked_transport_as_a_stranger_would),
		UNIT_TEST(test_watch_lets_through_what_is_not_blocked),
		{ NULL, NULL },
	};
	return unit_main("watch", tests);
}
