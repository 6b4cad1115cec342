/* A follower against a server of one connection at a time, over loopback. */
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/follower.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define WAIT_MS 10000
#define INTERVAL_NS 1000000000u

static void
fake_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	sl_buffer_printf(out, "GET %s?%s\r\n\r\n", channel, cursor);
}

static int
fake_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	const char *value;
	size_t len;
	if (!bench_answer_field(answer, "Cursor", &value, &len))
		return SL_EPROTO;
	*(char *)mempcpy(cursor, value, len) = '\0';
	return 1;
}

static const struct bench_peer fake_peer = {
	.name = "fake", .transports = BENCH_HAS_ALL, .subscribe = fake_subscribe,
	.take_cursor = fake_take_cursor,
};

struct world {
	struct bench_server server;
	struct bench_follower_world shared;
	struct bench_follower follower;
	int listener, peer; /* peer: the server's end; -1 for none */
};

static void
init_world(struct world *world, enum bench_transport transport)
{
	*world = (struct world){ .server.peer = &fake_peer, .peer = -1 };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	world->listener = bench_listen(&world->server.port);
	CU_ASSERT_TRUE_FATAL(world->listener >= 0);
	address.sin_port = htons(world->server.port);
	memcpy(&world->server.address, &address, sizeof address);
	world->server.address_len = sizeof address;
	world->shared = (struct bench_follower_world){ .server = &world->server,
		.transport = transport, .epoll = epoll_create1(0), .poll_interval_ns = INTERVAL_NS };
	bench_follower_init(&world->follower, &world->shared, 0, "c");
	bench_follower_open(&world->follower);
}

static void
hang_up(struct world *world)
{
	if (world->peer >= 0)
		close(world->peer);
	world->peer = -1;
}

static void
finish_world(struct world *world)
{
	bench_follower_finish(&world->follower);
	hang_up(world);
	close(world->listener);
	close(world->shared.epoll);
}

/* Serves the follower's events until its socket has none for now; at least one is waited for. */
static void
serve(struct world *world)
{
	struct epoll_event event;
	char input[64];
	int count = epoll_wait(world->shared.epoll, &event, 1, WAIT_MS);
	CU_ASSERT_EQUAL(count, 1);
	for (; count > 0 && world->follower.stream.fd >= 0;
		count = epoll_wait(world->shared.epoll, &event, 1, 0))
		bench_follower_read(&world->follower, input, sizeof input);
}

/* The next request, on a new connection if there is none. */
static const char *
heard(struct world *world)
{
	static char text[256];
	struct epoll_event event;
	char input[64];
	if (world->peer < 0)
		world->peer = accept(world->listener, NULL, NULL);
	CU_ASSERT_TRUE_FATAL(world->peer >= 0);
	/* What was said before the connection stood goes out with the socket's next event. */
	if (bench_stream_wants_write(&world->follower.stream)
		&& epoll_wait(world->shared.epoll, &event, 1, WAIT_MS) == 1)
		bench_follower_read(&world->follower, input, sizeof input);
	struct pollfd wait = { .fd = world->peer, .events = POLLIN };
	CU_ASSERT_EQUAL_FATAL(poll(&wait, 1, WAIT_MS), 1);
	ssize_t got = recv(world->peer, text, sizeof text - 1, 0);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void
say(struct world *world, const char *text)
{
	CU_ASSERT_EQUAL_FATAL(send(world->peer, text, strlen(text), 0), (ssize_t)strlen(text));
	serve(world);
}

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define STREAM_OPEN "10\r\n{\"cursor\":\"e-0\"}\r\n"
#define MESSAGE(number, seq) "20\r\n[\"id\":\"e-" number "\",\"x\":\"^0000000" seq "$xxx\"\r\n"

static void
test_follower_is_subscribed_by_the_first_cursor_and_moves_with_each_message(void)
{
	struct world world;
	init_world(&world, BENCH_SSE);
	CU_ASSERT_STRING_EQUAL(heard(&world), "GET c?\r\n\r\n");
	say(&world, STREAM_HEAD);
	CU_ASSERT_EQUAL(world.follower.opened_ns, 0);
	say(&world, STREAM_OPEN);
	CU_ASSERT_TRUE(world.follower.opened_ns >= world.follower.connect_ns);
	CU_ASSERT_EQUAL(world.follower.first_ns, 0);
	CU_ASSERT_STRING_EQUAL(world.follower.cursor, "e-0");
	say(&world, MESSAGE("7", "0") MESSAGE("9", "1"));
	CU_ASSERT_EQUAL(world.follower.counter.seen, 2);
	CU_ASSERT_STRING_EQUAL(world.follower.cursor, "e-9");
	CU_ASSERT_TRUE(world.follower.last_ns >= world.follower.first_ns
		&& world.follower.first_ns >= world.follower.opened_ns);
	CU_ASSERT_EQUAL(bench_follower_due(&world.follower), UINT64_MAX);
	finish_world(&world);
}

static void
test_follower_opens_a_connection_that_ended_again_at_its_cursor(void)
{
	struct world world;
	init_world(&world, BENCH_STREAM);
	heard(&world);
	say(&world, STREAM_HEAD STREAM_OPEN MESSAGE("7", "0"));
	hang_up(&world);
	serve(&world);
	CU_ASSERT_EQUAL(world.follower.reopened, 1);
	uint64_t due = bench_follower_due(&world.follower);
	CU_ASSERT_TRUE(due != UINT64_MAX);
	bench_follower_tick(&world.follower, due - 1);
	CU_ASSERT_EQUAL(world.follower.stream.fd, -1);
	bench_follower_tick(&world.follower, due);
	CU_ASSERT_STRING_EQUAL(heard(&world), "GET c?e-7\r\n\r\n");
	say(&world, STREAM_HEAD STREAM_OPEN MESSAGE("8", "1"));
	CU_ASSERT_EQUAL(world.follower.counter.seen, 2);
	CU_ASSERT_EQUAL(world.follower.reopened, 1);
	finish_world(&world);
}

#define POLL_BODY "{\"cursor\":\"e-8\"[\"id\":\"e-8\",\"^00000000$x\"]}"
#define POLL_ANSWER "HTTP/1.1 200 OK\r\nCursor: e-8\r\nContent-Length: 42\r\n\r\n" POLL_BODY

static void
test_follower_asks_again_behind_a_long_polls_whole_answer(void)
{
	struct world world;
	init_world(&world, BENCH_LONGPOLL);
	CU_ASSERT_STRING_EQUAL(heard(&world), "GET c?\r\n\r\n");
	say(&world, POLL_ANSWER);
	CU_ASSERT_STRING_EQUAL(heard(&world), "GET c?e-8\r\n\r\n");
	CU_ASSERT_EQUAL(world.follower.counter.seen, 1);
	CU_ASSERT_EQUAL(world.follower.first_ns, world.follower.opened_ns);
	finish_world(&world);
}

static void
test_follower_counts_nothing_of_half_an_answer(void)
{
	char half[128];
	struct world world;
	init_world(&world, BENCH_LONGPOLL);
	heard(&world);
	snprintf(half, sizeof half, "%.*s", (int)(sizeof POLL_ANSWER - 3), POLL_ANSWER);
	say(&world, half);
	CU_ASSERT_EQUAL(world.follower.counter.seen, 0);
	hang_up(&world);
	serve(&world);
	CU_ASSERT_EQUAL(world.follower.reopened, 1);
	bench_follower_tick(&world.follower, bench_follower_due(&world.follower));
	CU_ASSERT_STRING_EQUAL(heard(&world), "GET c?\r\n\r\n");
	finish_world(&world);
}

static void
test_follower_polls_at_its_interval_and_opens_what_was_closed_between(void)
{
	struct world world;
	init_world(&world, BENCH_POLL);
	heard(&world);
	CU_ASSERT_EQUAL(bench_follower_due(&world.follower), UINT64_MAX);
	say(&world, POLL_ANSWER);
	uint64_t due = bench_follower_due(&world.follower);
	CU_ASSERT_EQUAL(due, world.follower.connect_ns + INTERVAL_NS);
	hang_up(&world);
	serve(&world);
	CU_ASSERT_EQUAL(world.follower.reopened, 0);
	/* Two that are due are one. */
	bench_follower_tick(&world.follower, due + INTERVAL_NS);
	CU_ASSERT_STRING_EQUAL(heard(&world), "GET c?e-8\r\n\r\n");
	say(&world, POLL_ANSWER);
	CU_ASSERT_EQUAL(bench_follower_due(&world.follower), due + 2 * (uint64_t)INTERVAL_NS);
	finish_world(&world);
}

static void
test_follower_answers_pings(void)
{
	struct world world;
	init_world(&world, BENCH_WEBSOCKET);
	heard(&world);
	say(&world, "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x10{\"cursor\":\"e-0\"}\x89\x02hi");
	CU_ASSERT_TRUE(world.follower.opened_ns > 0);
	CU_ASSERT_EQUAL(memcmp(heard(&world), "\x8a\x82", 2), 0);
	finish_world(&world);
}

static void
test_follower_that_is_refused_tries_again(void)
{
	struct world world;
	init_world(&world, BENCH_SSE);
	heard(&world);
	say(&world, "HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n");
	CU_ASSERT_EQUAL(world.follower.reopened, 1);
	CU_ASSERT_EQUAL(world.follower.opened_ns, 0);
	bench_follower_close(&world.follower);
	CU_ASSERT_EQUAL(bench_follower_due(&world.follower), UINT64_MAX);
	finish_world(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_follower_is_subscribed_by_the_first_cursor_and_moves_with_each_message),
		UNIT_TEST(test_follower_opens_a_connection_that_ended_again_at_its_cursor),
		UNIT_TEST(test_follower_asks_again_behind_a_long_polls_whole_answer),
		UNIT_TEST(test_follower_counts_nothing_of_half_an_answer),
		UNIT_TEST(test_follower_polls_at_its_interval_and_opens_what_was_closed_between),
		UNIT_TEST(test_follower_answers_pings),
		UNIT_TEST(test_follower_that_is_refused_tries_again),
		{ 0 },
	};
	return unit_main("bench follower", tests);
}
