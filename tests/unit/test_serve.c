#include "http/serve.h"

#include <sys/socket.h>
#include <unistd.h>

#include "core/quota.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/http_client.h"

static struct live_world world;
static struct world_client client;

#define FROM(origin) "Origin: " origin "\r\n"
#define REQUEST(line, fields) line " HTTP/1.1\r\nHost: localhost\r\n" fields "\r\n"

static const struct {
	const char *request;
	unsigned status;
	const char *in_answer; /* NULL: nothing in particular */
	enum sl_class class;   /* of the connection, behind it */
} cases[] = {
	{ REQUEST("GET /poll?channels=a&wait=0", FROM(WORLD_ORIGIN)), 200,
		"Access-Control-Allow-Origin: " WORLD_ORIGIN, SL_CLASS_POLL },
	{ REQUEST("GET /poll?channels=a&wait=0", FROM("https://evil.example")), 403,
		"Access-Control-Allow-Origin: *", SL_CLASS_HTTP },
	{ REQUEST("OPTIONS /publish", FROM(WORLD_ORIGIN)), 204, "Access-Control-Allow-Methods: POST",
		SL_CLASS_HTTP },
	{ REQUEST("HEAD /poll?channels=a", ""), 200, "Sluice-Cursor: ", SL_CLASS_HTTP },
	{ REQUEST("HEAD /nothing", ""), 404, "Content-Length: ", SL_CLASS_HTTP },
	{ REQUEST("PUT /publish", ""), 405, "Allow: POST", SL_CLASS_HTTP },
	{ REQUEST("GET /ws?channels=a", ""), 426, "Upgrade: websocket", SL_CLASS_HTTP },
	{ REQUEST("GET /probe/head?x=1", "Cookie: secret=1\r\nVia: 1.1 a\r\n"), 200,
		"[\"Cookie\",null],[\"Via\",\"1.1 a\"]", SL_CLASS_HTTP },
	{ REQUEST("POST /probe/echo", "Content-Length: 4\r\n") "echo", 200, "\r\n\r\necho", SL_CLASS_HTTP },
	{ REQUEST("POST /publish?channel=a", "Content-Type: text/plain\r\nContent-Length: 1\r\n") "x", 200,
		"\"id\"", SL_CLASS_HTTP },
	{ REQUEST("GET /stats", ""), 200, "\"uptime", SL_CLASS_HTTP },
};
#define CASES (sizeof cases / sizeof *cases)

static void
test_serve_answers_each_kind_of_request(void)
{
	world_open(&world, NULL);
	for (int kept = 0; kept <= 1; kept++) {
		for (size_t i = 0; i < CASES; i++) {
			if (i == 0 || !kept)
				http_connect(&client, &world);
			const char *answer = http_ask(&client, &world, cases[i].request);
			bool is_right = http_is(answer, cases[i].status) && strstr(answer, cases[i].in_answer);
			CU_ASSERT_TRUE(is_right);
			if (!is_right)
				printf("%s\n%s\n", cases[i].request, answer);
			CU_ASSERT_EQUAL(client.link->class, cases[i].class);
			bool is_head = strncmp(cases[i].request, "HEAD", 4) == 0;
			CU_ASSERT_TRUE(!is_head || strcmp(strstr(answer, "\r\n\r\n"), "\r\n\r\n") == 0);
			if (i + 1 == CASES || !kept)
				client_close(&client);
		}
	}
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	world_close(&world);
}

static void
test_serve_head_of_a_stream_joins_nothing(void)
{
	world_open(&world, NULL);
	http_connect(&client, &world);
	const char *answer = http_ask(&client, &world, REQUEST("HEAD /sse?channels=a", ""));
	CU_ASSERT_TRUE(http_is(answer, 200));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "text/event-stream"));
	CU_ASSERT_TRUE(client.ended); /* as GET would, behind its end */
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_SSE, SL_CLASS_OPENED), 0);
	client_close(&client);
	world_settle(&world);
	world_close(&world);
}

/* A connection of its own, within a world that has all it needs. */
static void
ask_once(const char *request)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
		return;
	if (!sl_connection_create(&world.front, fds[1], &peer, world.http.extra_size, false))
		close(fds[1]);
	else
		sl_quota_take(world.http.quota, &(struct sl_address){ .family = AF_UNIX });
	if (send(fds[0], request, strlen(request), MSG_NOSIGNAL) > 0)
		world_settle(&world);
	close(fds[0]);
	world_settle(&world);
}

static void
test_serve_without_memory_answers_or_closes_and_goes_on(void)
{
	static const char *const options[] = { "--history-messages=1", NULL };
	world_open(&world, options);
	for (size_t i = 0; i < CASES; i++) {
		for (int warm = 0; warm < 3; warm++)
			ask_once(cases[i].request); /* what is kept for later is there */
		for_each_failing_allocation(failing) {
			ask_once(cases[i].request);
			CU_ASSERT_EQUAL(http_links(&world), 0);
		}
		failing_alloc_off();
		http_connect(&client, &world);
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, cases[i].request), cases[i].status));
		client_close(&client);
		world_settle(&world);
	}
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_serve_answers_each_kind_of_request),
		UNIT_TEST(test_serve_head_of_a_stream_joins_nothing),
		UNIT_TEST(test_serve_without_memory_answers_or_closes_and_goes_on),
		{ NULL, NULL },
	};
	return unit_main("serve", tests);
}
