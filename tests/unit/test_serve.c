#include "http/serve.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/principals.h"
#include "core/owners.h"
#include "http/observer.h"
#include "http/relay.h"
#include "http/reply.h"
#include "http/request.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/http_client.h"
#include "tests/unit/tokens.h"
#include "util/clock.h"

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
		"[\"Cookie\",\"********\"],[\"Via\",\"1.1 a\"]", SL_CLASS_HTTP },
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

/* ---- limits ---- */

static void
connect_over_tcp(struct world_client *out)
{
	client_connect(out, &world, &(struct world_request){ .query = "", .over_tcp = true });
}

static void
test_serve_takes_a_request_for_a_malformed_head(void)
{
	static const char bad[] = "GET / HTTP/1.1\r\nbad\r\n\r\n";
	world_open(&world, NULL);
	sl_owners_set_limits(world.http.owners, &(struct sl_limits){ .max_connections = 100,
		.rates = { [SL_LIMIT_REQUESTS] = 1 } });
	unsigned burst = sl_limit_burst_s(SL_LIMIT_REQUESTS);
	for (unsigned i = 0; i <= burst; i++) {
		connect_over_tcp(&client);
		const char *answer = http_ask(&client, &world, bad);
		CU_ASSERT_TRUE(http_is(answer, i < burst ? 400 : 429));
		CU_ASSERT_EQUAL(strstr(answer, "Retry-After: 1\r\n") != NULL, i == burst);
		CU_ASSERT_TRUE(client.ended);
		client_close(&client);
		world_settle(&world);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_REQUESTS), 1);
	world_close(&world);
}

static void
test_serve_reads_no_more_for_a_second_of_whoever_asks_too_much(void)
{
	static const char ask[] = REQUEST("GET /poll?channels=a&wait=0", "");
	world_open(&world, NULL);
	world_limit_rate(&world, SL_LIMIT_REQUESTS, 1);
	connect_over_tcp(&client);
	for (unsigned i = 0; i < sl_limit_burst_s(SL_LIMIT_REQUESTS); i++)
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, ask), 200));
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, ask), 429));
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, ask), "");
	world_pass(&world, SL_HELD_MS - 1);
	CU_ASSERT_EQUAL(client_read(&client), 0);
	CU_ASSERT_FALSE(client.ended);
	world_pass(&world, 100); /* timers are rounded up */
	CU_ASSERT_TRUE(http_is(http_take(&client, &world), 200));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_REQUESTS), 1);
	client_close(&client);
	world_settle(&world);
	world_close(&world);
}

static const char *
ask_as(struct world_client *asker, const char *subject, const char *start, const char *fields)
{
	char text[2048];
	snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s\r\n",
		start, tokens_mint(subject, sl_clock_wall_us() / 1000000, "{\"subscribe\":[\"*\"]}"), fields);
	return http_ask(asker, &world, text);
}

#define UPGRADE_FIELDS "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const struct {
	const char *start, *fields;
	bool is_held;
} streams[] = {
	{ "GET /stream?channels=a", "", true }, { "GET /sse?channels=a", "", true },
	{ "GET /ws?channels=a", UPGRADE_FIELDS, true }, { "GET /poll?channels=a&since=0&wait=50", "", true },
	{ "GET /poll?channels=a&wait=0", "", false }, { "HEAD /stream?channels=a", "", false },
	{ "GET /ws?channels=a", "", false }, /* no upgrade */
	{ "GET /poll?channels=~aaaaaaaaaaaaaaaaaaaaaa&since=0&wait=50", "", false }, /* nobody lent it */
};

/* Whatever connection it comes by, and however the stream ends. */
static void
test_serve_counts_the_streams_of_a_subject(void)
{
	struct world_client other;
	tokens_open(NULL);
	world_open(&world, NULL);
	sl_principals_set_auth(world.shard.principals, tokens_auth);
	sl_owners_set_limits(world.http.owners, &(struct sl_limits){ .max_connections = 100,
		.max_per_subject = 1 });
	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
		uint64_t refused = world_counter(&world, SL_COUNTER_LIMITED_CONNECTIONS);
		http_connect(&client, &world);
		http_connect(&other, &world);
		ask_as(&client, "ann", streams[i].start, streams[i].fields);
		CU_ASSERT_TRUE(http_is(ask_as(&other, "bob", "GET /poll?channels=a&wait=0", ""), 200));
		const char *answer = ask_as(&other, "ann", "GET /poll?channels=a&wait=0", "");
		CU_ASSERT_TRUE(http_is(answer, streams[i].is_held ? 429 : 200));
		CU_ASSERT_EQUAL(strstr(answer, "too_many_connections") != NULL, streams[i].is_held);
		answer = ask_as(&other, "ann", "GET /transports", "");
		CU_ASSERT_TRUE(http_is(answer, 200)); /* no stream */
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_CONNECTIONS), refused + streams[i].is_held);
		client_close(&client);
		world_settle(&world);
		CU_ASSERT_TRUE(http_is(ask_as(&other, "ann", "GET /poll?channels=a&wait=0", ""), 200));
		client_close(&other);
		world_settle(&world);
	}
	http_connect(&client, &world);
	http_connect(&other, &world);
	ask_as(&client, "ann", "GET /sse?channels=a", "");
	CU_ASSERT_PTR_NOT_NULL(strstr(ask_as(&other, "ann", "GET /sse?channels=a", ""), "event: bye"));
	client_close(&client);
	client_close(&other);
	world_settle(&world);
	world_close(&world);
	tokens_close();
}

/* ---- somebody who looks on ---- */

static char seen[4096];
static bool refuses;

static void
see_head(struct sl_connection *connection, const char *bytes, size_t len)
{
	(void)connection;
	const char *end = memchr(bytes, '\r', len);
	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "head:%.*s\n",
		len ? (int)(end - bytes) : 0, bytes);
}

static void
see_request(struct sl_connection *connection, const struct sl_request *request, enum sl_class class,
	uint64_t body_len, int64_t began_us)
{
	(void)connection;
	CU_ASSERT_TRUE(began_us > 0);
	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "request:%s:%u:%.*s\n",
		sl_class_name(class), (unsigned)body_len, (int)request->body.len, request->body.bytes);
}

static bool
may_serve(struct sl_connection *connection, const struct sl_request *request, enum sl_class class,
	struct sl_reply *reply)
{
	(void)connection, (void)request, (void)class;
	if (refuses)
		sl_reply_set_error(reply, 503, "blocked", "the test wants it so");
	return !refuses;
}

static void
test_serve_tells_who_looks_on_and_does_as_it_says(void)
{
	static const struct sl_observer observer = { .on_request = see_request,
		.may_serve = may_serve, .on_head = see_head };
	static const char publish[] = REQUEST("POST /publish?channel=a",
		"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n") "1\r\nx\r\n0\r\n\r\n";
	static const char poll[] = REQUEST("GET /poll?channels=a&wait=0", "");
	world_open(&world, NULL);
	world.http.observer = &observer;
	http_connect(&client, &world);
	for (int i = 0; i <= 1; i++) {
		refuses = i;
		seen[0] = '\0';
		unsigned status = refuses ? 503 : 200;
		uint64_t head = world_head(&world);
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, publish), status));
		CU_ASSERT_EQUAL(world_head(&world), head + !refuses);
		client_send(&client, poll, 9); /* in pieces, and still one head */
		world_settle(&world);
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, poll + 9), status));
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, REQUEST("GET /healthz", "")), 200));
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, REQUEST("PUT /publish", "")), 405));
		CU_ASSERT_STRING_EQUAL(seen, "head:POST /publish?channel=a HTTP/1.1\nrequest:http:11:x\n"
			"head:GET /poll?channels=a&wait=0 HTTP/1.1\nrequest:poll:0:\n"
			"head:GET /healthz HTTP/1.1\nhead:PUT /publish HTTP/1.1\n");
	}
	CU_ASSERT_EQUAL(client.link->class, SL_CLASS_HTTP);
	seen[0] = '\0';
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, ": x\r\n\r\n"), 400));
	CU_ASSERT_STRING_EQUAL(seen, "head:\n");
	client_close(&client);
	world_settle(&world);
	world_close(&world);
}

/* ---- without memory ---- */

#define CHUNKED REQUEST("POST /publish?channel=a", \
	"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n")
#define UPGRADE REQUEST("GET /ws?channels=a", "Connection: Upgrade\r\nUpgrade: websocket\r\n" \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")

/* `second` follows when `first` has been read. */
static const struct {
	const char *first, *second;
	unsigned status;
	const char *last; /* of the answer; NULL: its length says where it ends */
} small[] = {
	{ REQUEST("GET /poll?channels=a&since=0&wait=0", ""), "", 200, NULL },
	{ REQUEST("GET /poll?channels=a&wait=0", FROM(WORLD_ORIGIN)), "", 200, NULL },
	{ REQUEST("GET /poll?channels=a&wait=0", FROM("https://evil.example")), "", 403, NULL },
	{ REQUEST("GET /poll?channels=a&since=0&wait=55", ""), "", 200, NULL },
	{ "GET /poll?chan", "nels=a&wait=0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, NULL },
	{ REQUEST("GET /sse?channels=a&since=0", ""), "", 200, "\n\n\r\n" },
	{ REQUEST("GET /stream?channels=a&since=0", ""), "", 200, "\n\r\n" },
	{ UPGRADE, "", 101, "}" },
	{ REQUEST("GET /ws?channels=a", ""), "", 426, NULL },
	{ REQUEST("POST /publish?channel=a", "Content-Type: text/plain\r\nContent-Length: 1\r\n") "x", "",
		200, NULL },
	{ REQUEST("POST /publish?channel=a", "Content-Type: text/plain\r\nContent-Length: 2\r\n") "x", "y",
		200, NULL },
	{ CHUNKED "1\r\nx\r\n", "2\r\nyz\r\n0\r\n\r\n", 200, NULL },
	{ CHUNKED "1\r\nx\r\n", "z\r\n", 400, NULL },
	{ REQUEST("POST /publish?channel=a", "Content-Type: text/plain\r\nContent-Length: 900000000\r\n"), "",
		413, NULL },
	{ REQUEST("POST /publish?channel=a", "Content-Type: text/plain\r\nContent-Length: 1\r\n"
		"Expect: 100-continue\r\n"), "x", 100, NULL },
	{ REQUEST("POST /nothing", "Content-Length: 3\r\n"), "abc", 404, NULL },
	{ REQUEST("OPTIONS /publish", FROM(WORLD_ORIGIN)), "", 204, "\r\n\r\n" },
	{ REQUEST("HEAD /poll?channels=a", ""), "", 200, "\r\n\r\n" },
	{ REQUEST("HEAD /healthz", ""), "", 200, "\r\n\r\n" },
	{ REQUEST("GET /", FROM(WORLD_ORIGIN)), "", 200, NULL },
	{ REQUEST("GET /", "If-None-Match: *\r\n"), "", 304, "\r\n\r\n" },
	{ REQUEST("GET /transports", ""), "", 200, NULL },
	{ REQUEST("GET /metrics", "Connection: close\r\n"), "", 200, NULL },
	{ REQUEST("GET /probe/head?x=1", "Cookie: secret=1\r\nVia: 1.1 a\r\n"), "", 200, NULL },
	{ REQUEST("POST /probe/echo", "Content-Length: 4\r\n"), "echo", 200, NULL },
	{ ": x\r\n\r\n", "", 400, NULL },
};
#define SMALL (sizeof small / sizeof *small)

/* An answer is whole when it is as long as it says, or ends as it must. */
static bool
is_whole(const char *answer, size_t len, const char *last, bool is_head)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	if (strncmp(answer, interim, sizeof interim - 1) == 0) {
		answer += sizeof interim - 1;
		len -= sizeof interim - 1;
	}
	const char *end = strstr(answer, "\r\n\r\n");
	const char *length = strstr(answer, "\r\nContent-Length: ");
	unsigned status, announced;
	if (!end || sscanf(answer, "HTTP/1.1 %u ", &status) != 1)
		return false;
	if (!last || (status >= 400 && !is_head))
		return length && sscanf(length, "\r\nContent-Length: %u", &announced) == 1 &&
			(size_t)(end + 4 - answer) + announced == len;
	return len >= strlen(last) && strcmp(answer + len - strlen(last), last) == 0;
}

/* A connection of its own, within a world that has all it needs. Returns the answer, "" where the
 * connection was closed instead, and NULL where neither is so. */
static const char *
ask_once(size_t which)
{
	static char answer[1 << 16];
	const char *const pieces[] = { small[which].first, small[which].second };
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	size_t len = 0;
	ssize_t got = 0;
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
		return NULL;
	if (!sl_connection_create(&world.front, &(struct sl_arrival){ fds[1], &peer, false, false }))
		close(fds[1]);
	else
		sl_owners_connect(world.http.owners, NULL);
	for (int i = 0; i < 2; i++)
		if (send(fds[0], pieces[i], strlen(pieces[i]), MSG_NOSIGNAL) >= 0)
			world_settle(&world);
	while ((got = recv(fds[0], answer + len, sizeof answer - 1 - len, 0)) > 0)
		len += (size_t)got;
	close(fds[0]);
	world_settle(&world);
	for (size_t i = 0; i < len; i++) /* the length of a frame */
		answer[i] = answer[i] ? answer[i] : '0';
	answer[len] = '\0';
	bool has_begun = len > 0 && strcmp(answer, "HTTP/1.1 100 Continue\r\n\r\n") != 0;
	bool is_closed = !has_begun && (got == 0 || errno == ECONNRESET);
	bool is_head = strncmp(small[which].first, "HEAD", 4) == 0;
	return is_closed || is_whole(answer, len, small[which].last, is_head) ? answer : NULL;
}

static void
test_serve_without_memory_answers_or_closes_and_goes_on(void)
{
	char folder[] = "/tmp/sluice-serve-XXXXXX", web[64], path[64];
	const char *options[] = { "--history-messages=1", web, NULL };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(web, sizeof web, "--web=%s", folder);
	snprintf(path, sizeof path, "%s/index.html", folder);
	FILE *file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs("<p>page", file);
	fclose(file);
	world_open(&world, options);
	unlink(path);
	rmdir(folder);
	world_publish(&world, "a", "x");
	for (size_t i = 0; i < SMALL; i++) {
		unsigned status = 0;
		for (int warm = 0; warm < 3; warm++)
			ask_once(i); /* what is kept for later is there */
		for_each_failing_allocation(failing) {
			const char *answer = ask_once(i);
			CU_ASSERT_PTR_NOT_NULL(answer);
			if (!answer)
				printf("%s fails at %u%s\n", small[i].first, failing.n,
					failing.is_lasting ? " and on" : "");
			CU_ASSERT_EQUAL(http_links(&world), 0);
			CU_ASSERT_EQUAL(sl_relay_count_busy(world.front.relay), 0);
		}
		failing_alloc_off();
		const char *answer = ask_once(i);
		CU_ASSERT_TRUE(answer && sscanf(answer, "HTTP/1.1 %u ", &status) == 1);
		CU_ASSERT_EQUAL(status, small[i].status);
		if (status != small[i].status)
			printf("%s%s\n", small[i].first, answer);
	}
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_serve_answers_each_kind_of_request),
		UNIT_TEST(test_serve_head_of_a_stream_joins_nothing),
		UNIT_TEST(test_serve_takes_a_request_for_a_malformed_head),
		UNIT_TEST(test_serve_reads_no_more_for_a_second_of_whoever_asks_too_much),
		UNIT_TEST(test_serve_counts_the_streams_of_a_subject),
		UNIT_TEST(test_serve_tells_who_looks_on_and_does_as_it_says),
		UNIT_TEST(test_serve_without_memory_answers_or_closes_and_goes_on),
		{ NULL, NULL },
	};
	return unit_main("serve", tests);
}
