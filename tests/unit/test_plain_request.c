#include "http/plain_request.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define HOST "Host: h\r\n"

static const struct sl_plain_paths paths = { { "/push/poll", 10 }, { "/push/publish", 13 } };
static char bytes[8192];
static struct sl_plain_request request;

static enum sl_plain_verdict
parse_bytes(const char *text, size_t len)
{
	CU_ASSERT_FATAL(len <= sizeof bytes);
	memcpy(bytes, text, len);
	return sl_plain_request_parse(&request, bytes, len, &paths);
}

static enum sl_plain_verdict
parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void
expect_complete(const char *text)
{
	enum sl_plain_verdict verdict = parse(text);
	CU_ASSERT_EQUAL(verdict, SL_PLAIN_POLL);
	CU_ASSERT_EQUAL(request.len, strlen(text));
	if (verdict != SL_PLAIN_POLL)
		printf("\n    %s\n", text);
}

static void
expect_not_ours(const char *text)
{
	enum sl_plain_verdict verdict = parse(text);
	CU_ASSERT_EQUAL(verdict, SL_PLAIN_NOT_OURS);
	if (verdict != SL_PLAIN_NOT_OURS)
		printf("\n    %s\n", text);
}

static const char browser[] =
	"GET /push/poll?channels=chat,news&since=9f3a1c07-4182&n=17 HTTP/1.1\r\n"
	"Host: push.example.net:8080\r\n"
	"Connection: keep-alive\r\n"
	"Authorization: \t Bearer abc.def \t\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
	"Accept: */*\r\n"
	"ORIGIN: https://app.example.net\r\n"
	"Cookie: a=b\tc; d=\"\xc3\xa4\"\r\n"
	"X-Empty:\r\n"
	"Accept-Encoding: gzip, deflate, br\r\n"
	"\r\n";

static void
test_plain_request_reads_a_browsers_head(void)
{
	expect_complete(browser);
	CU_ASSERT_EQUAL(request.query_len, strlen("channels=chat,news&since=9f3a1c07-4182&n=17"));
	CU_ASSERT_EQUAL(strncmp(request.query, "channels=chat,news&since=9f3a1c07-4182&n=17 ", 44), 0);
	CU_ASSERT_TRUE(sl_span_equals(request.host, "push.example.net:8080"));
	CU_ASSERT_TRUE(sl_span_equals(request.origin, "https://app.example.net"));
	CU_ASSERT_TRUE(sl_span_equals(request.authorization, "Bearer abc.def"));
	CU_ASSERT_TRUE(request.is_http_1_1);
	CU_ASSERT_TRUE(request.keep_alive);
}

static void
test_plain_request_is_not_ours_until_its_last_byte(void)
{
	unsigned wrong = 0;
	for (size_t len = 1; len < strlen(browser); len++) {
		char *cut = malloc(len); /* of just this size: a sanitizer notices reading on */
		CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
		memcpy(cut, browser, len);
		wrong += sl_plain_request_parse(&request, cut, len, &paths) != SL_PLAIN_NOT_OURS;
		free(cut);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void
test_plain_request_leaves_what_follows(void)
{
	CU_ASSERT_EQUAL(parse("GET /push/poll HTTP/1.1\r\n" HOST "\r\nGET /x"), SL_PLAIN_POLL);
	CU_ASSERT_EQUAL(request.len, strlen("GET /push/poll HTTP/1.1\r\n" HOST "\r\n"));
	CU_ASSERT_PTR_NULL(request.query);
	CU_ASSERT_PTR_NULL(request.origin.bytes);
	CU_ASSERT_PTR_NULL(request.authorization.bytes);
	expect_complete("GET /push/poll? HTTP/1.1\r\n" HOST "\r\n");
	CU_ASSERT_PTR_NOT_NULL(request.query);
	CU_ASSERT_EQUAL(request.query_len, 0);
}

static void
test_plain_request_is_one_of_this_resource_by_get_or_post(void)
{
	static const char *const lines[] = {
		"POST /push/pollx HTTP/1.1", "PUT /push/poll HTTP/1.1", "POST GET /push/poll HTTP/1.1",
		"GET POST /push/poll HTTP/1.1", "post /push/poll HTTP/1.1", "HEAD /push/poll HTTP/1.1", "OPTIONS /push/poll HTTP/1.1",
		"get /push/poll HTTP/1.1", "GET  /push/poll HTTP/1.1", " GET /push/poll HTTP/1.1",
		"GET\t/push/poll HTTP/1.1", "GET /push/poll  HTTP/1.1", "GET /push/poll\tHTTP/1.1",
		"GET /push/poll HTTP/1.1 ", "GET /push/poll HTTP/1.2", "GET /push/poll HTTP/2.0",
		"GET /push/poll HTTP/0.9", "GET /push/poll http/1.1", "GET /push/poll", "GET /push/pollx HTTP/1.1",
		"GET /push/poll/ HTTP/1.1", "GET /push/stream HTTP/1.1", "GET /poll HTTP/1.1",
		"GET push/poll HTTP/1.1", "GET //push/poll HTTP/1.1", "GET /push/p%6fll HTTP/1.1",
		"GET http://h/push/poll HTTP/1.1", "GET * HTTP/1.1", "GET /push/poll;x HTTP/1.1",
		"GET /push/poll#f HTTP/1.1", "GET /push/poll?a#f HTTP/1.1", "GET /push/poll?a\tb HTTP/1.1",
		"GET /push/poll?a\x7f HTTP/1.1", "GET /push/poll?\xc3\xa4 HTTP/1.1", "GET /push/poll?a b HTTP/1.1",
		"GET /push/poll?a\r HTTP/1.1", "\r\nGET /push/poll HTTP/1.1",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char text[256];
		snprintf(text, sizeof text, "%s\r\n" HOST "\r\n", lines[i]);
		expect_not_ours(text);
	}
}

/* One more header line behind Host. */
static void
with_line(char text[512], const char *line)
{
	snprintf(text, 512, "GET /push/poll HTTP/1.1\r\n" HOST "%s\r\n\r\n", line);
}

static void
test_plain_request_with_a_header_that_changes_it_is_not_ours(void)
{
	static const char *const lines[] = {
		"Content-Length: 0", "content-length: 5", "Transfer-Encoding: chunked", "TRANSFER-ENCODING: x",
		"Expect: 100-continue", "Upgrade: websocket", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
		"Trailer: X", "Connection: Upgrade", "Connection: keep-alive, Upgrade", "Connection: te, close",
		"Connection:", "Connection: close,", "Connection: ,close", "Connection: closed", "Host: h", "host: other",
		"Origin: a\r\nOrigin: a", "Authorization: a\r\nX: y\r\nauthorization: b",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char text[512];
		with_line(text, lines[i]);
		expect_not_ours(text);
	}
}

static void
test_plain_request_with_headers_that_only_look_like_those_is_ours(void)
{
	static const char *const lines[] = {
		"X-Expect: 1", "Expects: 1", "Upgrade-Insecure-Requests: 1", "Content-Type: text/plain",
		"Hosts: x", "Hos-: x", "Trailers: x", "TE: trailers", "Content-Language: en", "!#$%&'*+-.^_`|~09: x",
		"X: \t \xff\t", "X:   ", "X:y", "Sec-Fetch-Mode: cors",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char text[512];
		with_line(text, lines[i]);
		expect_complete(text);
	}
}

static void
test_plain_request_with_a_malformed_line_is_not_ours(void)
{
	static const char *const lines[] = {
		": x", "X", "X y: z", "X : y", " X: y", "\tX: y", "X: y\r\n folded", "X: y\r\n\tfolded",
		"X: a\x01z", "X: a\x7fz", "X: a\x1f", "X: 12345678\x7f", "X: a\rb", "X: a\nY: b", "X: a\n",
		"X(: y", "X\xc3: y", "X@: y", "X,: y", "X/: y", "\"X\": y",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char text[512];
		with_line(text, lines[i]);
		expect_not_ours(text);
	}
	static const char nul[] = "GET /push/poll HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n";
	CU_ASSERT_EQUAL(parse_bytes(nul, sizeof nul - 1), SL_PLAIN_NOT_OURS);
	expect_not_ours("GET /push/poll HTTP/1.1\n" HOST "\n");
	expect_not_ours("GET /push/poll HTTP/1.1\r\nHost: h\n\r\n");
	expect_not_ours("GET /push/poll HTTP/1.1\r\n" HOST "\n");
}

static void
test_plain_request_needs_host_once(void)
{
	expect_not_ours("GET /push/poll HTTP/1.1\r\n\r\n");
	expect_not_ours("GET /push/poll HTTP/1.1\r\nX: y\r\n\r\n");
	expect_complete("GET /push/poll HTTP/1.0\r\n\r\n");
	CU_ASSERT_PTR_NULL(request.host.bytes);
	expect_complete("GET /push/poll HTTP/1.0\r\n" HOST "\r\n");
	expect_not_ours("GET /push/poll HTTP/1.0\r\n" HOST HOST "\r\n");
}

static void
test_plain_request_knows_whether_to_keep_the_connection(void)
{
	static const struct {
		const char *version, *lines;
		bool keep;
	} cases[] = {
		{ "1.1", "", true },
		{ "1.1", "Connection: close\r\n", false },
		{ "1.1", "connection: CLOSE\r\n", false },
		{ "1.1", "Connection: keep-alive\r\n", true },
		{ "1.1", "Connection: keep-alive , close\r\n", false },
		{ "1.1", "Connection: Keep-Alive\r\nConnection: close\r\n", false },
		{ "1.0", "", false },
		{ "1.0", "Connection: keep-alive\r\n", true },
		{ "1.0", "Connection: Keep-Alive\r\n", true },
		{ "1.0", "Connection: close, keep-alive\r\n", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[256];
		snprintf(text, sizeof text, "GET /push/poll HTTP/%s\r\n" HOST "%s\r\n",
			cases[i].version, cases[i].lines);
		expect_complete(text);
		CU_ASSERT_EQUAL(request.keep_alive, cases[i].keep);
		CU_ASSERT_EQUAL(request.is_http_1_1, cases[i].version[2] == '1');
	}
}

static void
test_plain_request_has_at_most_sixty_four_lines(void)
{
	for (int lines = 64; lines <= 65; lines++) {
		char text[2048] = "GET /push/poll HTTP/1.1\r\n" HOST;
		for (int i = 1; i < lines; i++)
			strcat(text, "X-Line: y\r\n");
		strcat(text, "\r\n");
		CU_ASSERT_EQUAL(parse(text), lines == 64 ? SL_PLAIN_POLL : SL_PLAIN_NOT_OURS);
	}
}

static const char publish[] =
	"POST /push/publish?channel=chat HTTP/1.1\r\n"
	HOST
	"Content-Type: text/plain\r\n"
	"Idempotency-Key: 0123456789\r\n"
	"Content-Length: 5\r\n"
	"\r\n"
	"hello";

static void
test_plain_request_reads_a_publish_with_its_body(void)
{
	CU_ASSERT_EQUAL_FATAL(parse(publish), SL_PLAIN_PUBLISH);
	CU_ASSERT_EQUAL(request.len, strlen(publish));
	CU_ASSERT(sl_span_equals(request.body, "hello"));
	CU_ASSERT(sl_span_equals(request.content_type, "text/plain"));
	CU_ASSERT(sl_span_equals(request.idempotency_key, "0123456789"));
	CU_ASSERT_EQUAL(request.query_len, strlen("channel=chat"));
	CU_ASSERT(request.keep_alive);
}

static void
test_plain_request_waits_for_the_whole_body(void)
{
	size_t head_len = strlen(publish) - strlen("hello");
	for (size_t len = 0; len < strlen(publish); len++) {
		CU_ASSERT_EQUAL(parse_bytes(publish, len), SL_PLAIN_NOT_OURS);
		memcpy(bytes, publish, len);
		CU_ASSERT_EQUAL(sl_plain_request_lacks_body(bytes, len, &paths), len >= head_len);
	}
	memcpy(bytes, publish, strlen(publish));
	CU_ASSERT(!sl_plain_request_lacks_body(bytes, strlen(publish), &paths));
}

static void
test_plain_request_takes_an_empty_body_and_leaves_what_follows(void)
{
	static const char two[] = "POST /push/publish?channel=c HTTP/1.1\r\n" HOST
		"Content-Length: 0\r\n\r\nGET /";
	CU_ASSERT_EQUAL_FATAL(parse(two), SL_PLAIN_PUBLISH);
	CU_ASSERT_EQUAL(request.body.len, 0);
	CU_ASSERT_EQUAL(request.len, strlen(two) - strlen("GET /"));
}

static void
test_plain_request_takes_a_poll_by_post_without_a_body(void)
{
	expect_complete("POST /push/poll?channels=c HTTP/1.1\r\n" HOST "\r\n");
	CU_ASSERT_EQUAL(request.query_len, strlen("channels=c"));
	CU_ASSERT_EQUAL(request.body.len, 0);
	expect_complete("POST /push/poll?channels=c HTTP/1.1\r\n" HOST "Content-Length: 0\r\n"
		"Content-Type: text/plain\r\n\r\n");
	CU_ASSERT_EQUAL(parse("POST /push/poll HTTP/1.1\r\n" HOST "\r\nrest"), SL_PLAIN_POLL);
	CU_ASSERT_EQUAL(request.len, strlen("POST /push/poll HTTP/1.1\r\n" HOST "\r\n"));
	expect_not_ours("POST /push/poll HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
	expect_not_ours("POST /push/poll HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n");
	expect_not_ours("POST /push/poll HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	static const char waits[] = "POST /push/poll HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n";
	memcpy(bytes, waits, strlen(waits));
	CU_ASSERT_FALSE(sl_plain_request_lacks_body(bytes, strlen(waits), &paths));
}

static void
test_plain_request_leaves_unusual_publishes(void)
{
	static const char *const lines[] = {
		"", /* no length at all */
		"Content-Length: -1\r\n",
		"Content-Length: +1\r\n",
		"Content-Length: 1, 1\r\n",
		"Content-Length: 0x1\r\n",
		"Content-Length: 9999999999\r\n",
		"Content-Length:\r\n",
		"Content-Length: 1\r\nContent-Length: 1\r\n",
		"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\n",
		"Content-Length: 1\r\nExpect: 100-continue\r\n",
		"Content-Length: 1\r\nUpgrade: h2c\r\n",
		"Content-Length: 1\r\nContent-Encoding: gzip\r\n",
		"Content-Length: 1\r\ncontent-ENCODING: identity\r\n",
		"Content-Length: 1\r\nContent-Range: bytes 0-0/2\r\n",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char text[512];
		snprintf(text, sizeof text, "POST /push/publish?channel=c HTTP/1.1\r\n" HOST
			"%s\r\n1\r\n", lines[i]);
		expect_not_ours(text);
	}
	expect_not_ours("GET /push/publish?channel=c HTTP/1.1\r\n" HOST "\r\n");
	expect_not_ours("GET /push/poll?channels=c HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
	expect_not_ours("POST /push/publisher?channel=c HTTP/1.1\r\n" HOST
		"Content-Length: 0\r\n\r\n");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_plain_request_reads_a_browsers_head),
		UNIT_TEST(test_plain_request_is_not_ours_until_its_last_byte),
		UNIT_TEST(test_plain_request_leaves_what_follows),
		UNIT_TEST(test_plain_request_is_one_of_this_resource_by_get_or_post),
		UNIT_TEST(test_plain_request_with_a_header_that_changes_it_is_not_ours),
		UNIT_TEST(test_plain_request_with_headers_that_only_look_like_those_is_ours),
		UNIT_TEST(test_plain_request_with_a_malformed_line_is_not_ours),
		UNIT_TEST(test_plain_request_needs_host_once),
		UNIT_TEST(test_plain_request_knows_whether_to_keep_the_connection),
		UNIT_TEST(test_plain_request_has_at_most_sixty_four_lines),
		UNIT_TEST(test_plain_request_reads_a_publish_with_its_body),
		UNIT_TEST(test_plain_request_waits_for_the_whole_body),
		UNIT_TEST(test_plain_request_takes_an_empty_body_and_leaves_what_follows),
		UNIT_TEST(test_plain_request_takes_a_poll_by_post_without_a_body),
		UNIT_TEST(test_plain_request_leaves_unusual_publishes),
		{ NULL, NULL },
	};
	return unit_main("plain_request", tests);
}
