#include "util/redact.h"

#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(array) (sizeof array / sizeof *array)

typedef void (*redact_fn)(char *bytes, size_t len);

/* In a block of just its size, so that a sanitizer notices reading on. */
static void
expect(redact_fn redact, const char *text, const char *shown)
{
	size_t len = strlen(text);
	char *copy = malloc(len + 1);
	CU_ASSERT_FATAL(copy && len == strlen(shown));
	memcpy(copy, text, len);
	redact(copy, len);
	bool is_good = memcmp(copy, shown, len) == 0;
	CU_ASSERT(is_good);
	if (!is_good)
		printf("\n    %.*s\n    for %s\n", (int)len, copy, shown);
	free(copy);
}

static void
test_redact_covers_tokens_and_tickets_in_a_target(void)
{
	static const struct { const char *text, *shown; } cases[] = {
		{ "", "" },
		{ "/ws", "/ws" },
		{ "/ws?channels=a&token=abc.def", "/ws?channels=a&token=*******" },
		{ "/ws?token=abc&ticket=defg&since=0", "/ws?token=***&ticket=****&since=0" },
		{ "/ws?token=", "/ws?token=" },
		{ "/ws?token=&ticket=x", "/ws?token=&ticket=*" },
		{ "/ws?token=a=b?c", "/ws?token=*****" },
		{ "/ws?%74oken=abc", "/ws?%74oken=***" },
		{ "/ws?%74%6f%6B%65n=abc", "/ws?%74%6f%6B%65n=***" },
		{ "/ws?Token=abc&TICKET=d", "/ws?Token=***&TICKET=*" },
		{ "/ws?%54icket=abc", "/ws?%54icket=***" },
		{ "/ws?token=%61%26b&x=1", "/ws?token=*******&x=1" },
		{ "/ws?&&token=a", "/ws?&&token=*" },
		{ "/socket.io/?EIO=4&sid=abc&t=1", "/socket.io/?EIO=4&sid=***&t=1" },
		{ "/ws?token=a&&token=b", "/ws?token=*&&token=*" },
		/* what is none of them */
		{ "/token=abc", "/token=abc" },
		{ "/ws?mytoken=abc&tokens=d&toke=e&token%3dx", "/ws?mytoken=abc&tokens=d&toke=e&token%3dx" },
		{ "/ws?token", "/ws?token" },
		{ "/ws?tok%", "/ws?tok%" },
		{ "/ws?tok%6", "/ws?tok%6" },
		{ "/ws?t%6g=abc", "/ws?t%6g=abc" },
		/* in a sentence, and a second address in it */
		{ "use https://h/ws?token=abc at once", "use https://h/ws?token=*** at once" },
		{ "/a?token=b https://h/?ticket=c\nd", "/a?token=* https://h/?ticket=*\nd" },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(sl_redact_target, cases[i].text, cases[i].shown);
}

static void
test_redact_covers_what_proves_who_asks_in_a_head(void)
{
	static const struct { const char *text, *shown; } cases[] = {
		{ "GET /ws?token=abc HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer x.y\r\n\r\n",
			"GET /ws?token=*** HTTP/1.1\r\nHost: h\r\nAuthorization: **********\r\n\r\n" },
		{ "GET / HTTP/1.1\r\nCOOKIE:a=b; c=d\r\ncookie:  e=f \r\nX: y\r\n\r\n",
			"GET / HTTP/1.1\r\nCOOKIE:********\r\ncookie:  ****\r\nX: y\r\n\r\n" },
		{ "HTTP/1.1 200 OK\r\nSet-Cookie: s=1\r\n\r\n", "HTTP/1.1 200 OK\r\nSet-Cookie: ***\r\n\r\n" },
		{ "X: y\r\nProxy-Authorization: Basic z\r\n", "X: y\r\nProxy-Authorization: *******\r\n" },
		{ "Sec-WebSocket-Protocol: sluice.v1, bearer.abc.d, bearer.e,other\r\n",
			"Sec-WebSocket-Protocol: sluice.v1, bearer.*****, bearer.*,other\r\n" },
		{ "sec-websocket-protocol:BEARER.abc\r\n", "sec-websocket-protocol:BEARER.***\r\n" },
		/* only where they are tokens */
		{ "X: bearer.abc\r\n", "X: bearer.abc\r\n" },
		/* where proxies and pages repeat a target */
		{ "Referer: https://h/?token=abc#d\r\n", "Referer: https://h/?token=*****\r\n" },
		{ "X-Original-URI: /sse?ticket=abc&since=0\r\n", "X-Original-URI: /sse?ticket=***&since=0\r\n" },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(sl_redact_head, cases[i].text, cases[i].shown);
}

static void
test_redact_covers_it_in_heads_that_are_malformed(void)
{
	static const struct { const char *text, *shown; } cases[] = {
		/* other ends of lines, folding, blanks */
		{ "GET / HTTP/1.1\nAuthorization: abc\nX: y\n\n", "GET / HTTP/1.1\nAuthorization: ***\nX: y\n\n" },
		{ "X: y\rCookie: abc\rZ: z", "X: y\rCookie: ***\rZ: z" },
		{ "Authorization: Bearer\r\n abc\r\n\td\r\nX: y\r\n",
			"Authorization: ******\r\n ***\r\n\t*\r\nX: y\r\n" },
		{ "Sec-WebSocket-Protocol: a,\r\n bearer.b\r\n", "Sec-WebSocket-Protocol: a,\r\n bearer.*\r\n" },
		{ "Authorization : abc\r\n", "Authorization : ***\r\n" },
		{ " Authorization: abc\r\n", " Authorization: ***\r\n" },
		{ "\r\n\r\nCookie: a\r\n", "\r\n\r\nCookie: *\r\n" },
		{ "GET /a b?token=c&x", "GET /a b?token=*&x" },
		{ ": x\r\n y", ": x\r\n y" },
		{ "X: y\r\n\r\n token: z?token=a", "X: y\r\n\r\n token: z?token=*" },
		/* cut off */
		{ "Authorization", "Authorization" },
		{ "Authorization:", "Authorization:" },
		{ "Authorization: B", "Authorization: *" },
		{ "Sec-WebSocket-Protocol: bearer.", "Sec-WebSocket-Protocol: bearer." },
		{ "Sec-WebSocket-Protocol: bearer.a", "Sec-WebSocket-Protocol: bearer.*" },
		{ "GET /?token=a", "GET /?token=*" },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(sl_redact_head, cases[i].text, cases[i].shown);
}

static void
test_redact_knows_fields_by_their_names(void)
{
	static const char *const secret[] = { "authorization", "COOKIE", "Set-Cookie",
		"Proxy-Authorization" };
	for (size_t i = 0; i < COUNT(secret); i++)
		CU_ASSERT(sl_redact_is_secret((struct sl_span){ secret[i], strlen(secret[i]) }));
	CU_ASSERT_FALSE(sl_redact_is_secret((struct sl_span){ "Cookies", 7 }));
	CU_ASSERT_FALSE(sl_redact_is_secret((struct sl_span){ NULL, 0 }));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_redact_covers_tokens_and_tickets_in_a_target),
		UNIT_TEST(test_redact_covers_what_proves_who_asks_in_a_head),
		UNIT_TEST(test_redact_covers_it_in_heads_that_are_malformed),
		UNIT_TEST(test_redact_knows_fields_by_their_names),
		{ NULL, NULL },
	};
	return unit_main("redact", tests);
}
