#include "config/server_url.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static void
test_server_url_says_where_the_server_is(void)
{
	static const struct row {
		const char *text, *address, *host;
		bool is_secure;
	} rows[] = {
		{ "nats://one", "one:4222", "one", false },
		{ "tls://one.example:81/", "one.example:81", "one.example", true },
		{ "NATS://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1", false },
		{ "nats://[::1]:82", "[::1]:82", "::1", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sl_server_url url;
		CU_ASSERT_EQUAL_FATAL(sl_server_url_parse(rows[i].text, &url), 0);
		CU_ASSERT_STRING_EQUAL(url.address, rows[i].address);
		CU_ASSERT_STRING_EQUAL(url.host, rows[i].host);
		CU_ASSERT_EQUAL(url.is_secure, rows[i].is_secure);
		CU_ASSERT_STRING_EQUAL(url.user, "");
	}
}

static void
test_server_url_says_who_logs_in(void)
{
	struct sl_server_url url;
	CU_ASSERT_EQUAL(sl_server_url_parse("nats://jo:s%2Ce%40c%3a@one", &url), 0);
	CU_ASSERT_STRING_EQUAL(url.user, "jo");
	CU_ASSERT_TRUE(url.has_password);
	CU_ASSERT_STRING_EQUAL(url.password, "s,e@c:");
	CU_ASSERT_STRING_EQUAL(url.address, "one:4222");
	CU_ASSERT_EQUAL(sl_server_url_parse("tls://token@one:2", &url), 0);
	CU_ASSERT_STRING_EQUAL(url.user, "token");
	CU_ASSERT_FALSE(url.has_password);
}

static void
test_server_url_refuses_other_texts(void)
{
	static const char *const texts[] = { "", "one:4222", "http://one", "nats://", "nats:///", "tls://@one",
		"nats://jo:@one", "nats://:p@one", "nats://one:x", "nats://one/path", "nats://one:70000", "nats://a b",
		"nats://%4@one", "nats://%zz@one", "nats://%00@one", "nats://%0a@one", "nats:/one" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		CU_ASSERT_EQUAL(sl_server_url_check(texts[i]), SL_EINVAL);
	char text[2 * SL_SERVER_URL_PART_MAX];
	memset(text, 'a', sizeof text);
	memcpy(text, "nats://", 7);
	text[sizeof text - 1] = '\0';
	CU_ASSERT_EQUAL(sl_server_url_check(text), SL_EINVAL);
	text[sizeof text - 3] = '@';
	CU_ASSERT_EQUAL(sl_server_url_check(text), SL_EINVAL);
}

static void
expect_shown(const char *text, const char *shown)
{
	char copy[128];
	snprintf(copy, sizeof copy, "%s", text);
	sl_server_url_redact(copy);
	CU_ASSERT_STRING_EQUAL(copy, shown);
}

static void
test_server_url_shows_no_login(void)
{
	expect_shown("", "");
	expect_shown("nats://one,tls://two:1", "nats://one,tls://two:1");
	expect_shown("nats://jo:secret@one", "nats://***@one");
	expect_shown("nats://jo:secret@one,tls://other@two", "nats://***@one,tls://***@two");
	expect_shown("nats://one,tls://other@two", "nats://***@two");
	expect_shown("nats://jo:se,cr:et@one", "nats://***@one");
	expect_shown("nats://jo:s@cret@one", "nats://***@***@one");
	expect_shown("jo:secret@one", "***@one");
	expect_shown("a@b", "*@b");
	expect_shown("@", "@");
}

static void
test_server_url_shows_one_however_long_its_login_is(void)
{
	char text[2000] = "nats://", out[40];
	memset(text + 7, 'a', 1900);
	strcpy(text + 1907, "@one:1");
	sl_server_url_show(text, out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "nats://***@one:1");
	sl_server_url_show("tls://one", out, sizeof out);
	CU_ASSERT_STRING_EQUAL(out, "tls://one");
	sl_server_url_show("tls://jo:p@ss@one.example", out, 12);
	CU_ASSERT_STRING_EQUAL(out, "tls://***@o");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_server_url_says_where_the_server_is),
		UNIT_TEST(test_server_url_says_who_logs_in),
		UNIT_TEST(test_server_url_refuses_other_texts),
		UNIT_TEST(test_server_url_shows_no_login),
		UNIT_TEST(test_server_url_shows_one_however_long_its_login_is),
		{ NULL, NULL },
	};
	return unit_main("server_url", tests);
}
