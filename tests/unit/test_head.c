#include "http/head.h"

#include <stdio.h>

#include "tests/unit/read_head.h"

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: h\r\n"
#define COUNT(array) (sizeof array / sizeof *array)

static void
expect_status(const char *text, unsigned wanted)
{
	unsigned status = read_head(text);
	CU_ASSERT_EQUAL(status, wanted);
	if (status != wanted)
		printf("\n    %u for %s\n", status, text);
	if (status == 0)
		return;
	CU_ASSERT(refusal.code[0] && refusal.message[0]);
}

/* One more field line behind Host. */
static void
expect_line_status(const char *line, unsigned wanted)
{
	char text[1024];
	snprintf(text, sizeof text, GET HOST "%s\r\n\r\n", line);
	expect_status(text, wanted);
}

static void
expect_span(struct sl_span span, const char *text)
{
	CU_ASSERT(text ? sl_span_equals(span, text) : !span.bytes);
	if (text && !sl_span_equals(span, text))
		printf("\n    %.*s is not %s\n", (int)span.len, span.bytes, text);
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

/* ---- the end ---- */

static ptrdiff_t
scan(const char *bytes, size_t len)
{
	size_t scanned = 0;
	return sl_head_scan(bytes, len, &scanned);
}

static void
test_head_is_incomplete_until_its_last_byte(void)
{
	unsigned wrong = 0;
	for (size_t len = 1; len < strlen(browser); len++) {
		char *cut = malloc(len); /* of just this size: a sanitizer notices reading on */
		CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
		memcpy(cut, browser, len);
		wrong += scan(cut, len) != 0;
		free(cut);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(scan(browser, strlen(browser)), (ptrdiff_t)strlen(browser));
	CU_ASSERT_EQUAL(scan("", 0), 0);
}

static void
test_head_is_found_however_its_bytes_come(void)
{
	for (size_t cut = 0; cut < strlen(browser); cut++) {
		size_t scanned = 0;
		CU_ASSERT_EQUAL(sl_head_scan(browser, cut, &scanned), 0);
		CU_ASSERT_EQUAL(scanned, cut);
		CU_ASSERT_EQUAL(sl_head_scan(browser, strlen(browser), &scanned),
			(ptrdiff_t)strlen(browser));
	}
	size_t scanned = 0;
	ptrdiff_t len = 0;
	for (size_t at = 1; at <= strlen(browser); at++)
		len = sl_head_scan(browser, at, &scanned);
	CU_ASSERT_EQUAL(len, (ptrdiff_t)strlen(browser));
}

static void
test_head_ends_at_its_first_empty_line(void)
{
	static const char two[] = GET HOST "\r\nGET /x HTTP/1.1\r\n\r\n\r\n";
	CU_ASSERT_EQUAL(scan(two, strlen(two)), (ptrdiff_t)strlen(GET HOST "\r\n"));
	CU_ASSERT_EQUAL(scan(two, strlen(two) - 1), (ptrdiff_t)strlen(GET HOST "\r\n"));
}

static void
test_head_that_can_never_be_one_is_known_early(void)
{
	static const char *const never[] = { "\n", " ", "\x16\x03\x01", "\r\r", "\rG", "\r\n\n", "\r\n ",
		"/", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: h\n", GET HOST "\n", "G\n", "\x80", "\"",
		"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r" };
	for (size_t i = 0; i < COUNT(never); i++)
		CU_ASSERT_EQUAL(scan(never[i], strlen(never[i])), -1);
	CU_ASSERT_EQUAL(scan("\0", 1), -1);
	CU_ASSERT_EQUAL(read_head("GET / HTTP/1.1\nHost: h\n\n"), 400);
}

static void
test_head_may_have_a_few_empty_lines_before_it(void)
{
	char text[64] = "";
	for (int lines = 1; lines <= 9; lines++) {
		strcat(text, "\r\n");
		CU_ASSERT_EQUAL(scan(text, strlen(text)), lines <= 8 ? 0 : -1);
		CU_ASSERT_EQUAL(scan(text, strlen(text) - 1), lines <= 8 ? 0 : -1);
		char whole[128];
		snprintf(whole, sizeof whole, "%s" GET HOST "\r\n", text);
		expect_status(whole, lines <= 8 ? 0 : 400);
		if (lines > 8)
			continue;
		expect_span(head.method, "GET");
		expect_span(head.lines, HOST);
		CU_ASSERT_EQUAL(head.bytes.len, strlen(whole));
	}
}

/* ---- the request line ---- */

static void
test_head_reads_what_a_browser_sends(void)
{
	expect_status(browser, 0);
	expect_span(head.method, "GET");
	CU_ASSERT(sl_head_is_method(&head, "GET"));
	CU_ASSERT_FALSE(sl_head_is_method(&head, "GE") || sl_head_is_method(&head, "get"));
	expect_span(head.target, "/push/poll?channels=chat,news&since=9f3a1c07-4182&n=17");
	expect_span(head.authority, "push.example.net:8080");
	expect_span(head.first[SL_FIELD_HOST], "push.example.net:8080");
	expect_span(head.first[SL_FIELD_ORIGIN], "https://app.example.net");
	expect_span(head.first[SL_FIELD_AUTHORIZATION], "Bearer abc.def");
	expect_span(head.first[SL_FIELD_ACCEPT], "*/*");
	expect_span(head.first[SL_FIELD_CONTENT_TYPE], NULL);
	CU_ASSERT_EQUAL(head.version, SL_HTTP_1_1);
	CU_ASSERT(sl_head_keeps_alive(&head));
	CU_ASSERT_EQUAL(head.bytes.len, strlen(browser));
}

static void
test_head_has_any_method_that_is_a_token(void)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "OPTIONS", "PUT", "get", "BREW",
		"PROPFIND", "M-SEARCH", "!#$%&'*+-.^_`|~09" };
	for (size_t i = 0; i < COUNT(methods); i++) {
		char text[128];
		snprintf(text, sizeof text, "%s / HTTP/1.1\r\n" HOST "\r\n", methods[i]);
		expect_status(text, 0);
		expect_span(head.method, methods[i]);
	}
}

static void
test_head_with_a_malformed_request_line_is_refused(void)
{
	static const char *const lines[] = { "GET", "GET ", "GET /", "GET / ", "GET  / HTTP/1.1",
		"GET /  HTTP/1.1", "GET / HTTP/1.1 ", "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1", "POST GET / HTTP/1.1",
		"GET / HTTP/1.1 x", "GET / http/1.1", "GET / HTTP/1", "GET / HTTP/1.", "GET / HTTP/.1",
		"GET / HTTP/11", "GET / HTTP/1.10", "GET / HTTP/a.b", "GET / HTTPS/1.1", "GET / XTTP/1.1",
		"G(T / HTTP/1.1", "GET: / HTTP/1.1", "GET /a b HTTP/1.1", "GET /a\rb HTTP/1.1",
		"GET /\x01 HTTP/1.1", "GET /\x7f HTTP/1.1", "GET /#f HTTP/1.1", "GET /?a#f HTTP/1.1",
		"GET /\xc3\xa4 HTTP/1.1", "GET /?\xc3\xa4 HTTP/1.1", "GET /?a\tb HTTP/1.1", "hello there" };
	for (size_t i = 0; i < COUNT(lines); i++) {
		char text[128];
		snprintf(text, sizeof text, "%s\r\n" HOST "\r\n", lines[i]);
		expect_status(text, 400);
	}
	static const char nul[] = "GET /he\0alth HTTP/1.1\r\n" HOST "\r\n";
	CU_ASSERT_EQUAL(read_head_bytes(nul, sizeof nul - 1), 400);
}

static void
test_head_of_another_version_is_refused_as_such(void)
{
	static const char *const lines[] = { "GET / HTTP/1.2", "GET / HTTP/2.0", "GET / HTTP/0.9",
		"GET / HTTP/9.9", "GET / HTTP/0.0", "PRI * HTTP/2.0", "GET x HTTP/1.7" };
	for (size_t i = 0; i < COUNT(lines); i++) {
		char text[64];
		snprintf(text, sizeof text, "%s\r\n" HOST "\r\n", lines[i]);
		expect_status(text, 505);
	}
	expect_status("PRI * HTTP/2.0\r\n\r\n", 505);
}

static const struct {
	const char *line, *target, *authority;
} targets[] = {
	{ "GET /", "/", "h" },
	{ "GET //", "//", "h" },
	{ "GET /a/b;c?d=/?&e", "/a/b;c?d=/?&e", "h" },
	{ "GET /%00?%zz", "/%00?%zz", "h" },
	{ "GET /?a|b{}^`\"<>\\[]", "/?a|b{}^`\"<>\\[]", "h" },
	{ "GET /http://x/", "/http://x/", "h" },
	{ "GET http://host/healthz", "/healthz", "host" },
	{ "GET HTTP://Host:81/a?b", "/a?b", "Host:81" },
	{ "GET https://host/", "/", "host" },
	{ "GET ws://host/ws?channels=a", "/ws?channels=a", "host" },
	{ "GET wss://[::1]:80/ws", "/ws", "[::1]:80" },
	{ "GET http://host", "/", "host" },
	{ "GET http://host?a=/b", "/", "host" },
	{ "GET http://host//a", "//a", "host" },
	{ "OPTIONS http://host", "*", "host" },
	{ "OPTIONS http://host/", "/", "host" },
	{ "OPTIONS *", "*", "h" },
	{ "GET *", NULL, NULL },
	{ "OPTIONS **", NULL, NULL },
	{ "GET push", NULL, NULL },
	{ "GET host:80", NULL, NULL },
	{ "GET ?a", NULL, NULL },
	{ "CONNECT host:22", NULL, NULL },
	{ "CONNECT /", NULL, NULL },
	{ "CONNECT http://host/", NULL, NULL },
	{ "GET ftp://host/", NULL, NULL },
	{ "GET file:///etc/passwd", NULL, NULL },
	{ "GET http:/host/", NULL, NULL },
	{ "GET http:///a", NULL, NULL },
	{ "GET http://", NULL, NULL },
	{ "GET http://?a", NULL, NULL },
	{ "GET http://user@host/", NULL, NULL },
	{ "GET http://user:word@host/", NULL, NULL },
	{ "GET http://ho\\st/", NULL, NULL },
	{ "GET http://ho\"st/", NULL, NULL },
	{ "GET xhttp://host/", NULL, NULL },
};

static void
test_head_has_a_path_whatever_the_form_of_its_target(void)
{
	for (size_t i = 0; i < COUNT(targets); i++) {
		char text[128];
		snprintf(text, sizeof text, "%s HTTP/1.1\r\n" HOST "\r\n", targets[i].line);
		expect_status(text, targets[i].target ? 0 : 400);
		if (!targets[i].target)
			continue;
		expect_span(head.target, targets[i].target);
		expect_span(head.authority, targets[i].authority);
		expect_span(head.first[SL_FIELD_HOST], "h");
	}
}

static void
test_head_needs_host_once(void)
{
	expect_status(GET "\r\n", 400);
	expect_status(GET "X: y\r\n\r\n", 400);
	expect_status(GET HOST HOST "\r\n", 400);
	expect_status(GET HOST "hOST: other\r\n\r\n", 400);
	expect_status("GET http://host/ HTTP/1.1\r\n\r\n", 400);
	expect_status("GET http://host/ HTTP/1.1\r\n" HOST HOST "\r\n", 400);
	expect_status("GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400);
	expect_status("GET / HTTP/1.0\r\n\r\n", 0);
	expect_span(head.authority, NULL);
	expect_status("GET / HTTP/1.0\r\n" HOST "\r\n", 0);
	expect_span(head.authority, "h");
	expect_status(GET "Host:\r\n\r\n", 0);
	expect_span(head.authority, "");
}

static void
test_head_whose_host_is_none_is_refused(void)
{
	static const char *const bad[] = { "a b", "http://127.0.0.1", "a/b", "a@b", "a?b", "a#b", "a\\b",
		"a\"b", "\xc3\xa4", "a\tb", "<a>" };
	static const char *const good[] = { "localhost", "127.0.0.1:80", "[::1]:8080", "a_b.example",
		"a:x", "push.example.", "%41", "a!$&'()*+,;=b" };
	for (size_t i = 0; i < COUNT(bad) + COUNT(good); i++) {
		char text[128];
		snprintf(text, sizeof text, GET "Host: %s\r\n\r\n", i < COUNT(bad) ? bad[i] :
			good[i - COUNT(bad)]);
		expect_status(text, i < COUNT(bad) ? 400 : 0);
	}
}

/* ---- field lines ---- */

static void
test_head_with_a_malformed_line_is_refused(void)
{
	static const char *const lines[] = {
		": x", "X", "X y: z", "X : y", "X\t: y", " X: y", "\tX: y", "X: y\r\n folded", "X: y\r\n\tfolded",
		"X: a\x01z", "X: a\x7fz", "X: a\x1f", "X: 12345678\x7f", "X: a\rb", "X: \r", "X: 1234567\rb",
		"X(: y", "X\xc3: y", "X@: y", "X,: y", "X/: y", "\"X\": y", "=: y", "X[]: y",
	};
	for (size_t i = 0; i < COUNT(lines); i++)
		expect_line_status(lines[i], 400);
	static const char *const feeds[] = { "X: a\nY: b", "X: a\n", "\n", "X: a\n b" };
	for (size_t i = 0; i < COUNT(feeds); i++)
		expect_line_status(feeds[i], 400);
	static const char nul[] = GET HOST "X: a\0b\r\n\r\n";
	CU_ASSERT_EQUAL(read_head_bytes(nul, sizeof nul - 1), 400);
	static const char nul_name[] = GET HOST "X\0: b\r\n\r\n";
	CU_ASSERT_EQUAL(read_head_bytes(nul_name, sizeof nul_name - 1), 400);
}

static void
test_head_takes_any_line_that_the_grammar_has(void)
{
	static const char *const lines[] = { "X:", "X:y", "X: \t \xff\t", "X:   ", "X: y:z : q",
		"!#$%&'*+-.^_`|~09: x", "X: 12345678", "X: 1234567\t8", "X: \t\t\t\t\t\t\t\t\t\t", "X: \x80\x9f" };
	for (size_t i = 0; i < COUNT(lines); i++)
		expect_line_status(lines[i], 0);
}

static void
test_head_finds_every_control_character_wherever_it_stands(void)
{
	for (int c = 1; c < 256; c++) {
		bool is_text = c == '\t' || (c >= ' ' && c != 0x7f);
		if (c == '\n')
			continue;
		for (int at = 0; at < 20; at++) {
			char text[128];
			int len = snprintf(text, sizeof text, GET HOST "X: %20s\r\nY: 1\r\n\r\n", "");
			text[strlen(GET HOST "X: ") + (size_t)at] = (char)c;
			unsigned status = read_head_bytes(text, (size_t)len);
			CU_ASSERT_EQUAL(status, is_text ? 0 : 400);
		}
	}
}

static const char *const names[] = {
	[SL_FIELD_HOST] = "Host", [SL_FIELD_ORIGIN] = "Origin", [SL_FIELD_AUTHORIZATION] = "Authorization",
	[SL_FIELD_CONTENT_TYPE] = "Content-Type", [SL_FIELD_CONTENT_ENCODING] = "Content-Encoding",
	[SL_FIELD_CONTENT_RANGE] = "Content-Range", [SL_FIELD_IDEMPOTENCY_KEY] = "Idempotency-Key",
	[SL_FIELD_LAST_EVENT_ID] = "Last-Event-ID", [SL_FIELD_IF_NONE_MATCH] = "If-None-Match",
	[SL_FIELD_COOKIE] = "Cookie", [SL_FIELD_FETCH_SITE] = "Sec-Fetch-Site",
	[SL_FIELD_ACCEPT] = "Accept", [SL_FIELD_WS_KEY] = "Sec-WebSocket-Key",
	[SL_FIELD_PRIVATE_NETWORK] = "Access-Control-Request-Private-Network",
	[SL_FIELD_WS_VERSION] = "Sec-WebSocket-Version", [SL_FIELD_WS_PROTOCOL] = "Sec-WebSocket-Protocol",
	[SL_FIELD_WS_EXTENSIONS] = "Sec-WebSocket-Extensions",
};

static void
test_head_notes_the_fields_that_are_asked_for(void)
{
	CU_ASSERT_EQUAL_FATAL(COUNT(names), SL_FIELD_COUNT);
	for (size_t i = 0; i < COUNT(names); i++) {
		for (int spelling = 0; spelling < 3; spelling++) {
			char text[256], name[64];
			strcpy(name, names[i]);
			for (char *c = name; spelling && *c; c++)
				if (*c != '-')
					*c = (char)(spelling == 1 ? *c | 0x20 : *c & ~0x20);
			snprintf(text, sizeof text, "GET / HTTP/1.0\r\n%s: \t %zu \t\r\nX: y\r\n\r\n", name, i);
			expect_status(text, 0);
			for (size_t other = 0; other < COUNT(names); other++)
				CU_ASSERT_EQUAL(head.count[other], other == i);
			snprintf(text, sizeof text, "%zu", i);
			expect_span(head.first[i], text);
		}
	}
}

static void
test_head_is_not_taken_in_by_names_that_only_look_like_those(void)
{
	static const char *const lines[] = {
		"X-Expect: 100-continue", "Expects: 100-continue", "Upgrade-Insecure-Requests: websocket",
		"Hosts: x", "Hos-: x", "Hos_: x", "Trailers: x", "TE: trailers", "Content-Language: 5",
		"Content_Length: 5", "Content-Lengths: 5", "Content-Lengt: 5", "Transfer_Encoding: chunked",
		"Transfer-Encodings: chunked", "Xransfer-Encoding: chunked", "Connectio: close",
		"Connection1: close", "Proxy-Connection: close", "Keep-Alive: close", "Sec-Fetch-Mode: cors",
		"Access-Control-Request-Private-Networ1: true",
		"A-name-that-is-longer-than-any-that-is-looked-for: x" };
	for (size_t i = 0; i < COUNT(lines); i++) {
		expect_line_status(lines[i], 0);
		CU_ASSERT_FALSE(head.expects_continue || head.upgrades_websocket || head.wants_close ||
			head.has_length || head.is_chunked);
		for (size_t field = SL_FIELD_ORIGIN; field < SL_FIELD_COUNT; field++)
			CU_ASSERT_EQUAL(head.count[field], 0);
	}
}

static void
test_head_counts_repeated_lines_and_gives_the_first(void)
{
	expect_line_status("Origin: a\r\nX: y\r\noRIGIN: b\r\nContent-Type:\r\nContent-Type: c", 0);
	CU_ASSERT_EQUAL(head.count[SL_FIELD_ORIGIN], 2);
	expect_span(head.first[SL_FIELD_ORIGIN], "a");
	CU_ASSERT_EQUAL(head.count[SL_FIELD_CONTENT_TYPE], 2);
	expect_span(head.first[SL_FIELD_CONTENT_TYPE], "");
	expect_line_status("Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: a", 400);
}

static void
test_head_may_have_thousands_of_lines(void)
{
	static char text[32768] = GET HOST;
	char *at = text + strlen(text);
	for (int i = 0; i < 2000; i++)
		at = stpcpy(at, "Accept: y\r\n");
	strcpy(at, "\r\n");
	expect_status(text, 0);
	CU_ASSERT_EQUAL(head.count[SL_FIELD_ACCEPT], UINT8_MAX);
	struct sl_span rest = head.lines, name, value;
	unsigned count = 0;
	while (sl_head_next(&rest, &name, &value))
		count++;
	CU_ASSERT_EQUAL(count, 2001);
}

static void
test_head_gives_its_lines_in_their_order(void)
{
	static const char *const lines[][2] = { { "Host", "h" }, { "a", "" }, { "B", "1 : 2" }, { "a", "x\ty" } };
	struct sl_span name, value;
	expect_line_status("a:\r\nB: \t1 : 2  \r\na:x\ty", 0);
	struct sl_span rest = head.lines;
	for (size_t i = 0; i < COUNT(lines); i++) {
		CU_ASSERT_TRUE_FATAL(sl_head_next(&rest, &name, &value));
		expect_span(name, lines[i][0]);
		expect_span(value, lines[i][1]);
	}
	CU_ASSERT_FALSE(sl_head_next(&rest, &name, &value));
	expect_status("GET / HTTP/1.0\r\n\r\n", 0);
	rest = head.lines;
	CU_ASSERT_FALSE(sl_head_next(&rest, &name, &value));
}

/* ---- the connection ---- */

static void
test_head_knows_whether_to_keep_the_connection(void)
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
		{ "1.1", "Connection: close\r\nConnection: Keep-Alive\r\n", false },
		{ "1.1", "Connection: te,\tclose\t,\r\n", false },
		{ "1.1", "Connection: ,,close\r\n", false },
		{ "1.1", "Connection: closed, xclose, clos\r\n", true },
		{ "1.1", "Connection: Upgrade\r\n", true },
		{ "1.1", "Connection:\r\n", true },
		{ "1.0", "", false },
		{ "1.0", "Connection: keep-alive\r\n", false }, /* as it always was */
		{ "1.0", "Connection: close, keep-alive\r\n", false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];
		snprintf(text, sizeof text, "GET / HTTP/%s\r\n" HOST "%s\r\n", cases[i].version,
			cases[i].lines);
		expect_status(text, 0);
		CU_ASSERT_EQUAL(sl_head_keeps_alive(&head), cases[i].keep);
		CU_ASSERT_EQUAL(head.version == SL_HTTP_1_1, cases[i].version[2] == '1');
	}
}

static void
test_head_reads_an_upgrade_over_all_its_lines(void)
{
	static const struct {
		const char *lines;
		bool upgrades, websocket;
	} cases[] = {
		{ "Connection: Upgrade\r\nUpgrade: websocket", true, true },
		{ "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: WebSocket", true, true },
		{ "Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket", true, true },
		{ "Upgrade: h2c , websocket\r\nConnection: close, UPGRADE", true, true },
		{ "Connection: Upgrade\r\nUpgrade: h2c", true, false },
		{ "Upgrade: websocket", false, true },
		{ "Connection: Upgrades\r\nUpgrade: websockets", false, false },
		{ "Connection: x\r\nUpgrade: web socket", false, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect_line_status(cases[i].lines, 0);
		CU_ASSERT_EQUAL(head.wants_upgrade, cases[i].upgrades);
		CU_ASSERT_EQUAL(head.upgrades_websocket, cases[i].websocket);
	}
}

static void
test_head_expects_a_continue_and_nothing_else(void)
{
	expect_line_status("Expect: 100-Continue", 0);
	CU_ASSERT(head.expects_continue);
	expect_line_status("Expect: 200-ok", 0);
	CU_ASSERT_FALSE(head.expects_continue);
	expect_line_status("Expect:", 0);
	CU_ASSERT_FALSE(head.expects_continue);
	expect_status("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 0);
	CU_ASSERT_FALSE(head.expects_continue);
}

/* ---- the body's length ---- */

static void
test_head_takes_equal_lengths_as_one(void)
{
	static const struct {
		const char *lines;
		uint64_t length;
	} cases[] = {
		{ "Content-Length: 5", 5 }, { "Content-Length: 0", 0 }, { "content-length:\t7 ", 7 },
		{ "Content-Length: 5\r\nContent-Length: 5", 5 }, { "Content-Length: 5, 5", 5 },
		{ "Content-Length: 5 ,5\r\nContent-Length: 05", 5 },
		{ "Content-Length: 18446744073709551615", UINT64_MAX },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect_line_status(cases[i].lines, 0);
		CU_ASSERT(head.has_length);
		CU_ASSERT_EQUAL(head.content_length, cases[i].length);
	}
	expect_status(GET HOST "\r\n", 0);
	CU_ASSERT_FALSE(head.has_length);
}

static void
test_head_refuses_any_doubt_about_the_length(void)
{
	static const char *const lines[] = { "Content-Length:", "Content-Length: -1", "Content-Length: +1",
		"Content-Length: 1 1", "Content-Length: 0x1", "Content-Length: 1.0", "Content-Length: 1a",
		"Content-Length: 18446744073709551616", "Content-Length: 99999999999999999999",
		"Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5, 6", "Content-Length: 5,",
		"Content-Length: ,5", "Content-Length: 0\r\nContent-Length:", "Content-Length: \"5\"",
		"Content-Length: 5;", "Content-Length: \xb2" };
	for (size_t i = 0; i < COUNT(lines); i++) {
		expect_line_status(lines[i], 400);
		CU_ASSERT_STRING_EQUAL(refusal.code, "bad_request");
	}
}

static void
test_head_takes_chunked_once_and_beside_no_length(void)
{
	expect_line_status("Transfer-Encoding: chunked", 0);
	CU_ASSERT(head.is_chunked);
	expect_line_status("TRANSFER-encoding:\tChunked ", 0);
	CU_ASSERT(head.is_chunked);
	static const char *const lines[] = { "Transfer-Encoding:", "Transfer-Encoding: x",
		"Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip",
		"Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked,", "Transfer-Encoding: ,chunked",
		"Transfer-Encoding: chunked;q=1", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunke",
		"Transfer-Encoding: xchunked", "Transfer-Encoding: chun ked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
		"Transfer-Encoding: chunked\r\nContent-Length: 5",
		"Content-Length: 0\r\nTransfer-Encoding: chunked" };
	for (size_t i = 0; i < COUNT(lines); i++) {
		expect_line_status(lines[i], 400);
		CU_ASSERT_STRING_EQUAL(refusal.code, "bad_transfer_encoding");
	}
	expect_status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
}

static void
test_head_refusal_borrows_the_wrong_value(void)
{
	static const struct { const char *line, *where, *value; } cases[] = {
		{ "Content-Length: 5, 6", "Content-Length", "5, 6" },
		{ "Content-Length: 5\r\nContent-Length: 6", "Content-Length", "6" },
		{ "Transfer-Encoding: gzip", "Transfer-Encoding", "gzip" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect_line_status(cases[i].line, 400);
		CU_ASSERT_STRING_EQUAL(refusal.where, cases[i].where);
		CU_ASSERT(sl_span_equals(refusal.value, cases[i].value));
	}
	expect_status("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
	CU_ASSERT(sl_span_equals(refusal.value, "a b"));
	expect_status("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
	CU_ASSERT(sl_span_equals(refusal.value, "HTTP/2.0"));
	expect_status("GET / HTTP/1.1\r\n\r\n", 400);
	CU_ASSERT_PTR_NULL(refusal.where);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_head_is_incomplete_until_its_last_byte),
		UNIT_TEST(test_head_is_found_however_its_bytes_come),
		UNIT_TEST(test_head_ends_at_its_first_empty_line),
		UNIT_TEST(test_head_that_can_never_be_one_is_known_early),
		UNIT_TEST(test_head_may_have_a_few_empty_lines_before_it),
		UNIT_TEST(test_head_reads_what_a_browser_sends),
		UNIT_TEST(test_head_has_any_method_that_is_a_token),
		UNIT_TEST(test_head_with_a_malformed_request_line_is_refused),
		UNIT_TEST(test_head_of_another_version_is_refused_as_such),
		UNIT_TEST(test_head_has_a_path_whatever_the_form_of_its_target),
		UNIT_TEST(test_head_needs_host_once),
		UNIT_TEST(test_head_whose_host_is_none_is_refused),
		UNIT_TEST(test_head_with_a_malformed_line_is_refused),
		UNIT_TEST(test_head_takes_any_line_that_the_grammar_has),
		UNIT_TEST(test_head_finds_every_control_character_wherever_it_stands),
		UNIT_TEST(test_head_notes_the_fields_that_are_asked_for),
		UNIT_TEST(test_head_is_not_taken_in_by_names_that_only_look_like_those),
		UNIT_TEST(test_head_counts_repeated_lines_and_gives_the_first),
		UNIT_TEST(test_head_may_have_thousands_of_lines),
		UNIT_TEST(test_head_gives_its_lines_in_their_order),
		UNIT_TEST(test_head_knows_whether_to_keep_the_connection),
		UNIT_TEST(test_head_reads_an_upgrade_over_all_its_lines),
		UNIT_TEST(test_head_expects_a_continue_and_nothing_else),
		UNIT_TEST(test_head_takes_equal_lengths_as_one),
		UNIT_TEST(test_head_refuses_any_doubt_about_the_length),
		UNIT_TEST(test_head_takes_chunked_once_and_beside_no_length),
		UNIT_TEST(test_head_refusal_borrows_the_wrong_value),
		{ NULL, NULL },
	};
	int status = unit_main("head", tests);
	forget_head();
	return status;
}
