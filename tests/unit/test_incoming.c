#include "http/incoming.h"

#include "tests/unit/http_client.h"

static struct live_world world;
static struct world_client client;

static void
begin(void)
{
	world_open(&world, NULL);
	http_connect(&client, &world);
}

static void
end(void)
{
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	world_close(&world);
}

#define PUBLISH_HEAD "POST /publish?channel=a HTTP/1.1\r\nHost: localhost\r\n" \
	"Content-Type: text/plain\r\n"

static void
test_incoming_requests_come_in_any_pieces(void)
{
	static const char *const requests[] = {
		GET("/poll?channels=a&wait=0"),
		"\r\n\r\n" GET("/poll?channels=a&wait=0"),
		PUBLISH_HEAD "Content-Length: 5\r\n\r\nhello",
		PUBLISH_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: x\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		size_t len = strlen(requests[i]);
		begin();
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, requests[i]), 200));
		for (size_t cut = 1; cut < len; cut++) {
			client_send(&client, requests[i], cut);
			CU_ASSERT_STRING_EQUAL(http_take(&client, &world), "");
			CU_ASSERT_TRUE(sl_incoming_is_partial(client.connection) || cut <= 4);
			client_send(&client, requests[i] + cut, len - cut);
			CU_ASSERT_TRUE(http_is(http_take(&client, &world), 200));
			CU_ASSERT_FALSE(sl_incoming_is_partial(client.connection));
			CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
		}
		for (size_t at = 0; at < len; at++) {
			client_send(&client, requests[i] + at, 1);
			world_settle(&world);
		}
		CU_ASSERT_TRUE(http_is(http_take(&client, &world), 200));
		end();
	}
}

static void
test_incoming_what_comes_behind_a_request_waits_and_is_counted(void)
{
	static const char held[] = GET("/poll?channels=a&since=0&wait=55");
	static const char next[] = GET("/poll?channels=b&wait=0") GET("/healthz");
	begin();
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, held), "");
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, next), ""); /* not even read */
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	world_publish(&world, "a", "x");
	CU_ASSERT_EQUAL(http_count(http_take(&client, &world), "HTTP/1.1 200"), 3);
	end();
	begin();
	char together[sizeof held + sizeof next];
	snprintf(together, sizeof together, "%s%s", held, next);
	CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, together), "");
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, sizeof next - 1);
	world_publish(&world, "a", "x");
	CU_ASSERT_EQUAL(http_count(http_take(&client, &world), "HTTP/1.1 200"), 3);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	end();
}

static void
test_incoming_a_request_has_ten_seconds_from_its_first_byte(void)
{
	begin();
	client_send(&client, "G", 1);
	for (int i = 0; i < 9; i++) {
		world_pass(&world, 1000);
		client_send(&client, "E", 1); /* a byte a second does not help */
	}
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_pass(&world, 1100);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUEST_TIMEOUTS), 1);
	end();
	begin();
	http_ask(&client, &world, PUBLISH_HEAD "Content-Length: 100\r\n\r\nhello");
	world_pass(&world, 10100);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUEST_TIMEOUTS), 1);
	end();
}

static void
test_incoming_a_body_has_what_its_head_left_of_the_ten_seconds(void)
{
	begin();
	client_send(&client, "P", 1);
	world_pass(&world, 6000);
	http_ask(&client, &world, &PUBLISH_HEAD "Content-Length: 100\r\n\r\n"[1]);
	for (int i = 0; i < 3; i++) {
		world_pass(&world, 1000);
		client_send(&client, "x", 1);
	}
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_pass(&world, 1100);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUEST_TIMEOUTS), 1);
	end();
}

static void
test_incoming_a_request_that_waits_has_its_time_from_the_answer_before_it(void)
{
	begin();
	http_ask(&client, &world, GET("/poll?channels=a&since=0&wait=20") "GET /");
	world_pass(&world, 15000);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_publish(&world, "a", "x");
	CU_ASSERT_TRUE(http_is(http_take(&client, &world), 200));
	world_pass(&world, 9900);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_pass(&world, 300);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUEST_TIMEOUTS), 1);
	end();
	begin(); /* the next of a kept connection: its own ten seconds, not the last one's */
	client_send(&client, "P", 1);
	world_pass(&world, 9000);
	http_ask(&client, &world, &PUBLISH_HEAD "Content-Length: 1\r\n\r\nx"
		PUBLISH_HEAD "Content-Length: 5\r\n\r\nhell"[1]);
	world_pass(&world, 9000);
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, "o"), 200));
	end();
}

static void
test_incoming_heads_are_taken_up_to_their_limit_and_refused_above(void)
{
	static char head[20000];
	for (int over = 0; over <= 1; over++) {
		int len = snprintf(head, sizeof head, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: ");
		while (len < 16384 - 4 + over)
			head[len++] = 'x';
		len += snprintf(head + len, sizeof head - (size_t)len, "\r\n\r\n");
		CU_ASSERT_EQUAL(len, 16384 + over);
		begin();
		const char *answer = http_ask(&client, &world, head);
		CU_ASSERT_TRUE(http_is(answer, over ? 431 : 200));
		CU_ASSERT_EQUAL(strstr(answer, "Connection: close") != NULL, over);
		end();
	}
	memset(head, 'x', sizeof head - 1); /* without any line end */
	begin();
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, head), 431));
	end();
}

static void
test_incoming_bytes_that_are_no_request_get_one_answer_and_the_end(void)
{
	static const char *const wrong[] = {
		"GET / HTTP/1.1\nHost: localhost\n\n", ": x\r\n\r\n", "\x16\x03\x01\x02\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" GET("/healthz"),
		"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
		PUBLISH_HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		begin();
		const char *answer = http_ask(&client, &world, wrong[i]);
		CU_ASSERT_TRUE(http_is(answer, 400));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\nSluice: "));
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Connection: close"));
		CU_ASSERT_TRUE(client.ended);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUESTS_4XX), 1);
		CU_ASSERT_EQUAL(world_head(&world), 0);
		end();
	}
}

static void
test_incoming_a_body_that_is_too_long_is_answered_and_read_on(void)
{
	static char piece[65536];
	memset(piece, 'x', sizeof piece);
	begin();
	/* a little too long: read to its end, and the connection is kept */
	http_ask(&client, &world, PUBLISH_HEAD "Content-Length: 65537\r\n\r\ny");
	client_send(&client, piece, sizeof piece);
	CU_ASSERT_TRUE(http_is(http_take(&client, &world), 413));
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/healthz")), 200));
	/* much too long: at once, and then the end */
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world,
		PUBLISH_HEAD "Content-Length: 90000000\r\n\r\n"), 413));
	for (int i = 0; i < 64; i++) {
		client_send(&client, piece, sizeof piece); /* is taken, and thrown away */
		world_settle(&world);
	}
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_pass(&world, 10100);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_head(&world), 0);
	end();
}

static void
test_incoming_a_client_that_never_stops_sending_is_cut_off(void)
{
	static char piece[65536];
	begin();
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world,
		PUBLISH_HEAD "Content-Length: 90000000\r\n\r\n"), 413));
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0); /* though it lingers */
	for (unsigned sent = 0; sent < (16u << 20); sent += sizeof piece) {
		client_send(&client, piece, sizeof piece);
		world_settle(&world);
	}
	CU_ASSERT_EQUAL(http_links(&world), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROTOCOL_ERRORS), 0);
	client_send(&client, piece, 1);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROTOCOL_ERRORS), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUESTS_4XX), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REQUEST_TIMEOUTS), 0);
	end();
}

/* Chunks of 64 KiB; stops when there is an answer. */
static const char *
send_chunks(unsigned count)
{
	static char chunk[8 + 65536 + 2] = "010000\r\n";
	const char *answer = "";
	memcpy(chunk + sizeof chunk - 2, "\r\n", 2);
	for (unsigned i = 0; i < count && *answer == '\0'; i++) {
		client_send(&client, chunk, sizeof chunk);
		answer = http_take(&client, &world);
	}
	return answer;
}

static void
test_incoming_chunks_that_are_too_many_are_answered_before_their_end(void)
{
	begin(); /* a few too many: their end is waited for, and the connection kept */
	http_ask(&client, &world, PUBLISH_HEAD "Transfer-Encoding: chunked\r\n\r\n");
	CU_ASSERT_STRING_EQUAL(send_chunks(2), "");
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, "0\r\n\r\n"), 413));
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/healthz")), 200));
	end();
	begin();
	http_ask(&client, &world, PUBLISH_HEAD "Transfer-Encoding: chunked\r\n\r\n");
	const char *answer = send_chunks(100);
	CU_ASSERT_TRUE(http_is(answer, 413));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Connection: close"));
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_EQUAL(world_head(&world), 0);
	end();
}

static void
test_incoming_the_body_of_a_refused_request_is_thrown_away(void)
{
	static const struct { const char *line; unsigned status; } cases[] = {
		{ "POST /nothing", 404 }, { "PUT /publish?channel=a", 405 }, { "POST /healthz", 405 },
	};
	char head[256];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin();
		snprintf(head, sizeof head, "%s HTTP/1.1\r\nHost: localhost\r\n"
			"Transfer-Encoding: chunked\r\n\r\n", cases[i].line);
		CU_ASSERT_STRING_EQUAL(http_ask(&client, &world, head), "");
		CU_ASSERT_EQUAL(client.connection->phase, SL_PHASE_SWALLOWING);
		CU_ASSERT_STRING_EQUAL(send_chunks(2), "");
		CU_ASSERT_TRUE(world.shard.framer.pinned_bytes < 256); /* the head alone */
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, "0\r\n\r\n"), cases[i].status));
		/* and is no request */
		snprintf(head, sizeof head, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
			cases[i].line, sizeof GET("/stats") - 1);
		client_send(&client, head, strlen(head));
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, GET("/stats")), cases[i].status));
		CU_ASSERT_EQUAL(http_links(&world), 1);
		/* but not for ever */
		snprintf(head, sizeof head, "%s HTTP/1.1\r\nHost: localhost\r\n"
			"Content-Length: 1048577\r\n\r\n", cases[i].line);
		CU_ASSERT_TRUE(http_is(http_ask(&client, &world, head), cases[i].status));
		CU_ASSERT_TRUE(client.ended);
		end();
	}
}

static void
test_incoming_expect_gets_a_100_or_the_refusal(void)
{
	begin();
	const char *answer = http_ask(&client, &world,
		PUBLISH_HEAD "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	CU_ASSERT_TRUE(http_is(answer, 100));
	CU_ASSERT_TRUE(http_is(http_ask(&client, &world, "hello"), 200));
	answer = http_ask(&client, &world,
		PUBLISH_HEAD "Content-Length: 70000\r\nExpect: 100-continue\r\n\r\n");
	CU_ASSERT_TRUE(http_is(answer, 413));
	CU_ASSERT_TRUE(client.ended);
	end();
}

/* A conversation, and what was counted of it when it is over. */
static void
converse(const char *const *pieces, enum sl_class class)
{
	size_t in = 0, out = 0, counted_in = 0, counted_out = 0;
	begin();
	for (; *pieces; pieces++) {
		in += strlen(*pieces);
		client_send(&client, *pieces, strlen(*pieces));
		for (int i = 0; i < 3; i++)
			world_settle(&world);
		out += client_read(&client); /* frames are no text */
	}
	client_close(&client);
	world_settle(&world);
	for (int i = 0; i < SL_CLASS_COUNT; i++) {
		counted_in += world_class_counter(&world, i, SL_CLASS_WIRE_BYTES_IN);
		counted_out += world_class_counter(&world, i, SL_CLASS_WIRE_BYTES_OUT);
	}
	CU_ASSERT_EQUAL(counted_in, in);
	CU_ASSERT_EQUAL(counted_out, out);
	CU_ASSERT_EQUAL(world_class_counter(&world, class, SL_CLASS_WIRE_BYTES_IN), in);
	CU_ASSERT_EQUAL(world_class_counter(&world, class, SL_CLASS_WIRE_BYTES_OUT), out);
	end();
}

#define POLL GET("/poll?channels=a&wait=0")
#define HELD GET("/poll?channels=a&since=0&wait=55")
#define UPGRADE "GET /ws?channels=a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" \
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define PING "\x89\x84\x01\x01\x01\x01qhof"

static void
test_incoming_every_byte_is_accounted_to_what_was_asked_for(void)
{
	static const struct { const char *pieces[4]; enum sl_class class; } cases[] = {
		{ { POLL, POLL POLL, "\r\nGET /poll?chann", "els=a&wait=0 HTTP/1.1\r\nHost: localhost\r\n\r\n" },
			SL_CLASS_POLL },
		{ { PUBLISH_HEAD "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", "0\r\nT: x\r\n\r\n" },
			SL_CLASS_HTTP },
		{ { PUBLISH_HEAD "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", "he", "llo" },
			SL_CLASS_HTTP },
		{ { GET("/healthz") GET("/nothing"), "HEAD /sse?channels=a HTTP/1.1\r\nHost: localhost\r\n\r\n" },
			SL_CLASS_HTTP },
		{ { GET("/sse?channels=a"), "garbage" }, SL_CLASS_SSE },
		{ { GET("/stream?channels=a") "garbage" }, SL_CLASS_STREAM },
		{ { HELD }, SL_CLASS_LONGPOLL },
		{ { UPGRADE PING, PING }, SL_CLASS_WEBSOCKET },
		/* what becomes no request */
		{ { "GET / HTTP/1.1\n\n", "and more" }, SL_CLASS_HTTP },
		{ { ": ", "x\r\n\r\n" GET("/healthz") }, SL_CLASS_HTTP },
		{ { PUBLISH_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "xyz\r\n", "and" }, SL_CLASS_HTTP },
		{ { PUBLISH_HEAD "Content-Length: 90000000\r\n\r\nabc", "def" }, SL_CLASS_HTTP },
		{ { PUBLISH_HEAD "Content-Length: 70000\r\nExpect: 100-continue\r\n\r\n" }, SL_CLASS_HTTP },
		{ { PUBLISH_HEAD "Content-Length: 10\r\n\r\nabc", "def" }, SL_CLASS_HTTP },
		{ { "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc" }, SL_CLASS_HTTP },
		{ { "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" GET("/"), "x" },
			SL_CLASS_HTTP },
		{ { "GET /", " HT" }, SL_CLASS_HTTP },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *pieces[5] = { NULL };
		memcpy(pieces, cases[i].pieces, sizeof cases[i].pieces);
		converse(pieces, cases[i].class);
	}
}

static void
test_incoming_bytes_of_a_connection_are_each_requests_own(void)
{
	static const char publish[] = PUBLISH_HEAD "Content-Length: 1\r\n\r\nx";
	static const char behind[] = GET("/healthz");
	begin();
	size_t poll_out = strlen(http_ask(&client, &world, POLL));
	size_t http_out = strlen(http_ask(&client, &world, publish));
	poll_out += strlen(http_ask(&client, &world, POLL));
	http_ask(&client, &world, GET("/poll?channels=b&since=0&wait=55") GET("/healthz")); /* which waits */
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_POLL, SL_CLASS_WIRE_BYTES_IN),
		2 * (sizeof POLL - 1));
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_POLL, SL_CLASS_WIRE_BYTES_OUT), poll_out);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_LONGPOLL, SL_CLASS_WIRE_BYTES_IN),
		sizeof GET("/poll?channels=b&since=0&wait=55") - 1);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_IN),
		sizeof publish - 1 + sizeof behind - 1);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_OUT), http_out);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_incoming_requests_come_in_any_pieces),
		UNIT_TEST(test_incoming_what_comes_behind_a_request_waits_and_is_counted),
		UNIT_TEST(test_incoming_a_request_has_ten_seconds_from_its_first_byte),
		UNIT_TEST(test_incoming_a_body_has_what_its_head_left_of_the_ten_seconds),
		UNIT_TEST(test_incoming_a_request_that_waits_has_its_time_from_the_answer_before_it),
		UNIT_TEST(test_incoming_heads_are_taken_up_to_their_limit_and_refused_above),
		UNIT_TEST(test_incoming_bytes_that_are_no_request_get_one_answer_and_the_end),
		UNIT_TEST(test_incoming_a_body_that_is_too_long_is_answered_and_read_on),
		UNIT_TEST(test_incoming_a_client_that_never_stops_sending_is_cut_off),
		UNIT_TEST(test_incoming_chunks_that_are_too_many_are_answered_before_their_end),
		UNIT_TEST(test_incoming_the_body_of_a_refused_request_is_thrown_away),
		UNIT_TEST(test_incoming_expect_gets_a_100_or_the_refusal),
		UNIT_TEST(test_incoming_every_byte_is_accounted_to_what_was_asked_for),
		UNIT_TEST(test_incoming_bytes_of_a_connection_are_each_requests_own),
		{ NULL, NULL },
	};
	return unit_main("incoming", tests);
}
