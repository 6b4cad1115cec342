#include "util/origin.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define COUNT(array) (sizeof array / sizeof *array)

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
test_origin_reads_hosts_with_and_without_a_port(void)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} cases[] = {
		{ "localhost", "localhost", 0 }, { "Push.Example", "Push.Example", 0 },
		{ "push.example:443", "push.example", 443 }, { "a:1", "a", 1 }, { "a:65535", "a", 65535 },
		{ "a:00080", "a", 80 }, { "a:", "a", 0 }, { "127.0.0.1:80", "127.0.0.1", 80 },
		{ "[::1]", "[::1]", 0 }, { "[::1]:8080", "[::1]", 8080 },
		{ "[2001:DB8::7.8.9.1]:1", "[2001:DB8::7.8.9.1]", 1 }, { "a_b-c~d.", "a_b-c~d.", 0 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sl_authority authority;
		CU_ASSERT_TRUE(sl_authority_parse(&authority, span(cases[i].text)));
		CU_ASSERT_TRUE(sl_span_equals(authority.host, cases[i].host));
		CU_ASSERT_EQUAL(authority.port, cases[i].port);
	}
}

static void
test_origin_reads_no_host_in_anything_else(void)
{
	static const char *const bad[] = { "", ":", ":80", "a:0", "a:65536", "a:99999999999999999999", "a:x",
		"a:80:80", "a:+1", "a: 80", "a b", "a/", "/a", "a?b", "a@b", "::1", "[::1", "[]", "[:]x", "[::1]80",
		"[::1]:x", "[g::1]", "[::1%25eth0]", "\xc3\xa4", "a,b", "a%41" };
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct sl_authority authority;
		CU_ASSERT_FALSE(sl_authority_parse(&authority, span(bad[i])));
	}
}

static void
test_origin_fills_in_the_port_of_its_scheme(void)
{
	static const struct {
		const char *text, *host;
		unsigned port;
		bool is_secure;
	} cases[] = {
		{ "http://a", "a", 80, false }, { "https://a", "a", 443, true }, { "HTTPS://A:80", "A", 80, true },
		{ "http://a:443", "a", 443, false }, { "http://[::1]", "[::1]", 80, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sl_authority authority;
		bool is_secure = !cases[i].is_secure;
		CU_ASSERT_TRUE(sl_origin_parse(&authority, &is_secure, span(cases[i].text)));
		CU_ASSERT_TRUE(sl_span_equals(authority.host, cases[i].host));
		CU_ASSERT_EQUAL(authority.port, cases[i].port);
		CU_ASSERT_EQUAL(is_secure, cases[i].is_secure);
	}
	static const char *const bad[] = { "", "http", "http:", "http:/", "http://", "https://", "http://a/",
		"http://a/b", "http://a?b", "http://a#", "http://u@a", "ws://a", "capacitor://localhost", "null",
		"http:a", "//a", "a", " http://a", "http://a ", "http://a:b", "file://", "xhttp://a" };
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct sl_authority authority;
		bool is_secure;
		CU_ASSERT_FALSE(sl_origin_parse(&authority, &is_secure, span(bad[i])));
	}
}

static void
test_origin_equals_by_value(void)
{
	static const struct {
		const char *a, *b;
		uint16_t port;
		bool is_equal;
	} cases[] = {
		{ "push.example", "PUSH.Example", 0, true }, { "push.example", "push.example:443", 443, true },
		{ "push.example:443", "push.example", 443, true }, { "push.example", "push.example:80", 443, false },
		{ "push.example:80", "push.example:0080", 443, true }, { "a", "a:", 80, true },
		{ "a", "ab", 80, false }, { "ab", "a", 80, false }, { "a", "b", 80, false }, { "a:1", "a:2", 0, false },
		{ "[::1]", "[::1]:80", 80, true }, { "[::A]", "[::a]", 80, true }, { "a", "a.", 80, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sl_authority a, b;
		CU_ASSERT_TRUE(sl_authority_parse(&a, span(cases[i].a)));
		CU_ASSERT_TRUE(sl_authority_parse(&b, span(cases[i].b)));
		CU_ASSERT_EQUAL(sl_authority_equals(&a, &b, cases[i].port), cases[i].is_equal);
	}
}

static void
test_origin_knows_the_names_of_loopback(void)
{
	static const char *const loopback[] = { "localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:9",
		"127.255.255.255", "[::1]", "[::1]:80" };
	static const char *const others[] = { "localhost.", "localhost.evil", "xlocalhost", "127.0.0.1.evil",
		"127.0.0.1.", "127.0.0", "127.0.0.1.1", "127.0.0.1234", "127..0.1", "128.0.0.1", "127.0.0.x",
		"127.1", "12.7.0.1", "[::2]", "[0::1]", "127" };
	for (size_t i = 0; i < COUNT(loopback) + COUNT(others); i++) {
		struct sl_authority authority;
		bool is_loopback = i < COUNT(loopback);
		CU_ASSERT_TRUE(sl_authority_parse(&authority,
			span(is_loopback ? loopback[i] : others[i - COUNT(loopback)])));
		CU_ASSERT_EQUAL(sl_authority_is_loopback(&authority), is_loopback);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_origin_reads_hosts_with_and_without_a_port),
		UNIT_TEST(test_origin_reads_no_host_in_anything_else),
		UNIT_TEST(test_origin_fills_in_the_port_of_its_scheme),
		UNIT_TEST(test_origin_equals_by_value),
		UNIT_TEST(test_origin_knows_the_names_of_loopback),
		{ NULL, NULL },
	};
	return unit_main("origin", tests);
}
