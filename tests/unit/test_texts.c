#include "check/texts.h"

#include "tests/unit/unit.h"

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
test_texts_are_plain_without_what_controls_a_screen(void)
{
	static const char *const bad[] = { "\n", "a\x1b[2J", "\x7f", "\xc2\x80", "\xc2\x9f",
		"\xe2\x80\xaa", "x\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9", "\t" };
	static const char *const good[] = { "", " ~", "\xc2\xa0", "\xe2\x80\xa9", "\xe2\x80\xaf",
		"\xe2\x81\xa5", "\xe2\x81\xaa", "\xed\x9f\xbf", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_FALSE(sl_texts_is_plain(span(bad[i]), 100));
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CU_ASSERT_TRUE(sl_texts_is_plain(span(good[i]), 100));
}

static void
test_texts_are_as_long_as_they_have_characters(void)
{
	CU_ASSERT_TRUE(sl_texts_is_plain(span("\xc3\xa4\xf0\x9f\x98\x80z"), 3));
	CU_ASSERT_FALSE(sl_texts_is_plain(span("\xc3\xa4\xf0\x9f\x98\x80z"), 2));
	CU_ASSERT_TRUE(sl_texts_is_plain(span(""), 0));
}

static void
test_texts_know_a_time(void)
{
	static const char *const good[] = { "2026-11-27T03:40:00Z", "2000-01-01T00:00:00Z",
		"2099-12-31T23:59:59Z", "2026-02-31T00:00:00Z" };
	static const char *const bad[] = { "", "2026-11-27T03:40:00", "2026-11-27T03:40:00.0Z",
		"1999-12-31T00:00:00Z", "2100-01-01T00:00:00Z", "2026-00-27T03:40:00Z", "2026-13-27T03:40:00Z",
		"2026-11-00T03:40:00Z", "2026-11-32T03:40:00Z", "2026-11-27T24:00:00Z", "2026-11-27T03:60:00Z",
		"2026-11-27T03:40:60Z", "2026-11-27 03:40:00Z", "2026-11-27t03:40:00z", "2026-1a-27T03:40:00Z" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CU_ASSERT_TRUE(sl_texts_is_time(span(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_FALSE(sl_texts_is_time(span(bad[i])));
}

static void
test_texts_know_an_http_version(void)
{
	CU_ASSERT_TRUE(sl_texts_is_http_version(span("")));
	CU_ASSERT_TRUE(sl_texts_is_http_version(span("http/1.1")));
	CU_ASSERT_TRUE(sl_texts_is_http_version(span("h3-29")));
	CU_ASSERT_FALSE(sl_texts_is_http_version(span("HTTP/1.1")));
	CU_ASSERT_FALSE(sl_texts_is_http_version(span("h2 ")));
	CU_ASSERT_FALSE(sl_texts_is_http_version(span("h\xc3\xa4")));
}

static void
test_texts_know_what_a_proxy_may_have_added(void)
{
	static const char *const good[] = { "Via", "X-Forwarded-For", "Via: 1.1 squid", "Via:  ", "TE" };
	static const char *const bad[] = { "", "via", "X-Forwarded-For: 10.0.0.1", "X-Secret", "Via:", "Via: ",
		"Via:1.1 squid", "Cookie", "Authorization", "Via ", "x-real-ip" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CU_ASSERT_TRUE(sl_texts_is_proxy(span(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_FALSE(sl_texts_is_proxy(span(bad[i])));
}

static void
test_texts_hide_the_addresses_in_a_via(void)
{
	static const char *const cases[][2] = {
		{ "X-Real-IP", "X-Real-IP" },
		{ "Via: 1.1 squid (squid/3.5.27)", "Via: 1.1 squid (squid/3.5.27)" },
		{ "Via: 1.1 10.0.0.1", "Via: 1.1 -" },
		{ "Via: 1.1 10.0.0.1:3128 (squid), 1.0 fred", "Via: 1.1 - (squid), 1.0 fred" },
		{ "Via: HTTP/1.1 192.168.1.250", "Via: HTTP/1.1 -" },
		{ "Via: 1.1 [2001:db8::1]:8080", "Via: 1.1 -" },
		{ "Via: 1.1 2001:db8::1,1.1 ::ffff:10.0.0.1", "Via: 1.1 -,1.1 -" },
		{ "Via: 1.1 fe80::1%eth0 (host=10.1.2.3)", "Via: 1.1 - (host=-)" },
		{ "Via: 1.1 10.0.0.1.", "Via: 1.1 -" },
		{ "Via: 1.1 proxy-10-0-0-1.example:3128", "Via: 1.1 proxy-10-0-0-1.example:3128" },
		{ "Via: 1.1 bad.cafe:80  (a:b)", "Via: 1.1 bad.cafe:80  (a:b)" },
		{ "Via:  ,", "Via:  ," },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_buffer out = SL_BUFFER_INIT;
		sl_texts_append_proxy(&out, span(cases[i][0]));
		CU_ASSERT_EQUAL(out.len, strlen(cases[i][1]));
		CU_ASSERT_EQUAL(memcmp(out.bytes, cases[i][1], out.len), 0);
		sl_buffer_finish(&out);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_texts_are_plain_without_what_controls_a_screen),
		UNIT_TEST(test_texts_are_as_long_as_they_have_characters),
		UNIT_TEST(test_texts_know_a_time),
		UNIT_TEST(test_texts_know_an_http_version),
		UNIT_TEST(test_texts_know_what_a_proxy_may_have_added),
		UNIT_TEST(test_texts_hide_the_addresses_in_a_via),
		{ NULL, NULL },
	};
	return unit_main("texts", tests);
}
