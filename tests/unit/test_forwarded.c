#include "http/forwarded.h"

#include "http/head.h"
#include "tests/unit/unit.h"
#include "util/network.h"

/* Documentation's addresses are clients, private ones proxies. */
static struct sl_network_list trusted;
static struct sl_forwarded result;

static struct sl_address
address_of(const char *ip)
{
	struct sl_address address = { .family = AF_UNIX };
	uint8_t bytes[16];
	if (*ip) {
		CU_ASSERT_TRUE_FATAL(sl_network_parse_ip(bytes, (struct sl_span){ ip, strlen(ip) }));
		sl_address_set_ip(&address, bytes, 0);
	}
	return address;
}

/* Whom a request with these field lines comes from, as a log would say it; its peer is 10.0.0.1. */
static const char *
read_fields(const char *lines)
{
	static char text[SL_ADDRESS_TEXT_MAX];
	static char request[1 << 14];
	struct sl_address source = address_of("10.0.0.1");
	struct sl_head_refusal refusal;
	struct sl_head head;
	int len = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", lines);
	CU_ASSERT_TRUE_FATAL(sl_head_parse(&head, request, (size_t)len, &refusal));
	sl_forwarded_read(&result, &head, &trusted, &source);
	sl_address_format(&result.client, text);
	return text;
}

static void
expect(const char *lines, const char *client, bool is_bad, enum sl_forwarded_scheme scheme)
{
	CU_ASSERT_STRING_EQUAL(read_fields(lines), client);
	CU_ASSERT_EQUAL(result.is_bad, is_bad);
	CU_ASSERT_EQUAL(result.scheme, scheme);
	if (strcmp(read_fields(lines), client) != 0 || result.is_bad != is_bad || result.scheme != scheme)
		printf("\n    %s is read as %s, bad %d, scheme %d\n", lines, read_fields(lines),
			result.is_bad, (int)result.scheme);
}

#define X(value) "X-Forwarded-For: " value "\r\n"
#define PROTO(value) "X-Forwarded-Proto: " value "\r\n"
#define F(value) "Forwarded: " value "\r\n"

static void
expect_client(const char *lines, const char *client)
{
	expect(lines, client, false, SL_SCHEME_UNSAID);
}

static void
expect_bad(const char *lines, const char *client)
{
	expect(lines, client, true, SL_SCHEME_UNSAID);
}

static void
test_forwarded_without_fields_is_the_peer(void)
{
	expect_client("", "10.0.0.1");
	CU_ASSERT_EQUAL(result.kind, SL_FORWARDED_NONE);
	expect_client("X-Real-IP: 192.0.2.1\r\nX-Forwarded: 192.0.2.1\r\n", "10.0.0.1");
	expect_client(X("") F("for=192.0.2.1"), "10.0.0.1");
	expect_client(X(" , ,"), "10.0.0.1");
	expect_client(F(",,"), "10.0.0.1");
}

static void
test_forwarded_client_is_the_first_from_the_right_that_is_not_trusted(void)
{
	expect_client(X("192.0.2.1"), "192.0.2.1");
	CU_ASSERT_EQUAL(result.kind, SL_FORWARDED_X);
	expect_client(X("192.0.2.1, 198.51.100.2"), "198.51.100.2");
	expect_client(X("192.0.2.1, 10.0.0.3,10.0.0.2"), "192.0.2.1");
	expect_client(X("203.0.113.9, 192.0.2.1, 10.0.0.3, 10.0.0.2"), "192.0.2.1");
	expect_client(X("2001:db8::1, fd00::2"), "[2001:db8::1]");
	expect_client(F("for=192.0.2.1"), "192.0.2.1");
	CU_ASSERT_EQUAL(result.kind, SL_FORWARDED_RFC7239);
	expect_client(F("for=203.0.113.9, for=192.0.2.1;by=10.0.0.9, For=10.0.0.2"), "192.0.2.1");
}

static void
test_forwarded_client_is_the_leftmost_where_all_are_trusted(void)
{
	expect_client(X("10.0.0.4, 10.0.0.3, 10.0.0.2"), "10.0.0.4");
	expect_client(F("for=10.0.0.4, for=\"[fd00::1]\""), "10.0.0.4");
}

static void
test_forwarded_lines_of_a_field_are_one_list(void)
{
	expect_client(X("203.0.113.9") "Accept: */*\r\n" X("192.0.2.1, 10.0.0.3") "x-forwarded-for:10.0.0.2\r\n",
		"192.0.2.1");
	expect_client(F("for=203.0.113.9") F("for=192.0.2.1") F("for=10.0.0.3, for=10.0.0.2"), "192.0.2.1");
	expect_client(X("192.0.2.1") X("") X(" , "), "192.0.2.1");
}

static void
test_forwarded_addresses_have_ports_brackets_and_quotes(void)
{
	expect_client(X("192.0.2.1:4711"), "192.0.2.1:4711");
	expect_client(X("[2001:db8::1]:4711"), "[2001:db8::1]:4711");
	expect_client(X("[2001:db8::1]"), "[2001:db8::1]");
	expect_client(X("::ffff:192.0.2.1"), "192.0.2.1");
	expect_client(X("192.0.2.1, ::ffff:10.0.0.2"), "192.0.2.1");
	expect_client(F("for=\"192.0.2.1:4711\""), "192.0.2.1:4711");
	expect_client(F("for=\"[2001:db8::1]:4711\""), "[2001:db8::1]:4711");
	expect_client(F("for=\"[2001:db8::1]\""), "[2001:db8::1]");
	expect_client(F("for=\"192.0.2.1:_port\""), "192.0.2.1");
	expect_client(F("host=\"a,b;for=203.0.113.9\" ; for=192.0.2.1 ;; by=\"_x\";"), "192.0.2.1");
}

static void
test_forwarded_address_that_is_hidden_ends_the_walk(void)
{
	expect_client(X("192.0.2.1, unknown, 10.0.0.2"), "10.0.0.2");
	expect_client(X("192.0.2.1, _gateway"), "10.0.0.1");
	expect_client(F("for=192.0.2.1, for=_SEVKISEK, for=10.0.0.2"), "10.0.0.2");
	expect_client(F("for=192.0.2.1, for=Unknown"), "10.0.0.1");
	expect_client(F("for=192.0.2.1, for=\"unknown:4711\""), "10.0.0.1");
	expect_client(F("for=192.0.2.1, for=\"_hidden:_port\""), "10.0.0.1");
	expect_client(F("for=192.0.2.1, by=10.0.0.9;host=h"), "10.0.0.1");
}

static void
test_forwarded_element_that_is_malformed_ends_the_walk(void)
{
	static const char *const bad[] = { "x", "192.0.2", "192.0.2.1:", "192.0.2.1 192.0.2.2",
		"[2001:db8::1", "2001:db8::1]:80", "\"192.0.2.1\"", "192.0.2.1;10.0.0.1", "http://192.0.2.1",
		"192.0.2.1:99999", "0x10.0.0.1", "10.1", "for=192.0.2.1" };
	char line[256];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(line, sizeof line, X("203.0.113.9, %s, 10.0.0.2"), bad[i]);
		expect_bad(line, "10.0.0.2");
		snprintf(line, sizeof line, X("203.0.113.9, %s, 192.0.2.1, 10.0.0.2"), bad[i]);
		expect_client(line, "192.0.2.1"); /* what is left of the client is its own */
	}
}

static void
test_forwarded_pairs_that_are_malformed_end_the_walk(void)
{
	static const char *const bad[] = { "for", "for=", "=192.0.2.1", "for =192.0.2.1", "for= 192.0.2.1",
		"for=192.0.2.1:80", "for=2001:db8::1", "for=\"2001:db8::1\"", "for=\"192.0.2.1",
		"for=192.0.2.1\"", "for=\"192.0\\.2.1\"", "for=\"\"", "for=192.0.2.1;for=192.0.2.2",
		"for=192.0.2.1 proto=http", "for=192.0.2.1;proto=ftp", "for=192.0.2.1;proto=http;proto=http",
		"for=\"192.0.2.1\"x", "for=x", "192.0.2.1", "for=192.0.2.1;by", "f or=192.0.2.1", "\"", "\"\"" };
	char line[256];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(line, sizeof line, F("for=203.0.113.9, %s, for=10.0.0.2"), bad[i]);
		read_fields(line);
		CU_ASSERT_TRUE(result.is_bad);
		CU_ASSERT_TRUE(result.client.bytes[15] == 2 || result.client.bytes[15] == 1);
		snprintf(line, sizeof line, F("%s, for=192.0.2.1, for=10.0.0.2"), bad[i]);
		expect_client(line, "192.0.2.1");
	}
}

/* What a proxy appends counts, whatever its client opened before it. */
static void
test_forwarded_quotes_of_a_client_do_not_reach_what_a_proxy_appends(void)
{
	expect_client(F("for=\"203.0.113.9, for=192.0.2.1"), "192.0.2.1");
	expect_client(F("for=\"203.0.113.9, for=\"[2001:db8::1]:80\""), "[2001:db8::1]:80");
	expect_client(F("for=203.0.113.9;x=\"\\, for=\"192.0.2.1:80\""), "192.0.2.1:80");
	expect_client(F("x=\"") F("for=192.0.2.1"), "192.0.2.1");
	expect_bad(F("for=203.0.113.9, x=\", for=10.0.0.3, for=\"10.0.0.2\""), "10.0.0.3");
}

static void
test_forwarded_x_forwarded_for_counts_alone(void)
{
	expect_client(F("for=203.0.113.9") X("192.0.2.1"), "192.0.2.1");
	expect(X("192.0.2.1") F("for=203.0.113.9;proto=https"), "192.0.2.1", false, SL_SCHEME_UNSAID);
	expect(F("for=192.0.2.1") PROTO("https"), "192.0.2.1", false, SL_SCHEME_UNSAID);
}

static void
test_forwarded_scheme_is_that_of_the_clients_hop(void)
{
	expect(PROTO("https"), "10.0.0.1", false, SL_SCHEME_HTTPS);
	expect(X("192.0.2.1") PROTO("https"), "192.0.2.1", false, SL_SCHEME_HTTPS);
	expect(X("192.0.2.1") PROTO("HTTP"), "192.0.2.1", false, SL_SCHEME_HTTP);
	expect(X("192.0.2.1") PROTO("wss"), "192.0.2.1", false, SL_SCHEME_HTTPS);
	expect(X("192.0.2.1") PROTO("ws"), "192.0.2.1", false, SL_SCHEME_HTTP);
	expect(X("203.0.113.9, 192.0.2.1") PROTO("http, https"), "192.0.2.1", false, SL_SCHEME_HTTPS);
	expect(X("203.0.113.9, 192.0.2.1, 10.0.0.2") PROTO("http, https, http"), "192.0.2.1", false,
		SL_SCHEME_HTTPS);
	expect(X("192.0.2.1, 10.0.0.2") PROTO("https"), "192.0.2.1", false, SL_SCHEME_HTTPS);
	expect(X("192.0.2.1") PROTO("gopher"), "192.0.2.1", true, SL_SCHEME_UNSAID);
	expect(F("for=192.0.2.1;proto=https"), "192.0.2.1", false, SL_SCHEME_HTTPS);
	expect(F("proto=https;for=192.0.2.1, for=10.0.0.2;proto=http"), "192.0.2.1", false,
		SL_SCHEME_HTTPS);
	expect(F("for=192.0.2.1, for=10.0.0.2;proto=https"), "192.0.2.1", false, SL_SCHEME_UNSAID);
	expect(F("for=203.0.113.9;proto=https, for=192.0.2.1;proto=http"), "192.0.2.1", false,
		SL_SCHEME_HTTP);
	expect(F("proto=\"https\""), "10.0.0.1", false, SL_SCHEME_HTTPS);
	expect(F("for=unknown;proto=https"), "10.0.0.1", false, SL_SCHEME_HTTPS);
}

static void
test_forwarded_walk_has_an_end(void)
{
	char lines[1 << 13] = X("192.0.2.1");
	for (int i = 0; i < SL_FORWARDED_LINES_MAX; i++)
		strcat(lines, X("10.0.0.7"));
	expect_client(lines, "10.0.0.7");
	strcpy(lines, "X-Forwarded-For: 192.0.2.1");
	for (int i = 0; i < SL_FORWARDED_HOPS_MAX; i++)
		strcat(lines, ", 10.0.0.8");
	strcat(lines, "\r\n");
	expect_client(lines, "10.0.0.8");
}

static void
test_forwarded_trusts_addresses_and_unix_sockets_as_told(void)
{
	struct sl_network_list list = { 0 };
	struct sl_address unix_peer = address_of(""), peer = address_of("10.0.0.1");
	CU_ASSERT_FALSE(sl_forwarded_trusts(&list, &unix_peer));
	CU_ASSERT_FALSE(sl_forwarded_trusts(&list, &peer));
	CU_ASSERT_EQUAL(sl_network_list_add(&list, "::/0"), 0);
	CU_ASSERT_EQUAL(sl_network_list_add(&list, "0.0.0.0/0"), 0);
	CU_ASSERT_FALSE(sl_forwarded_trusts(&list, &unix_peer));
	CU_ASSERT_TRUE(sl_forwarded_trusts(&list, &peer));
	sl_network_list_finish(&list);
	CU_ASSERT_EQUAL(sl_network_list_add(&list, "unix"), 0);
	CU_ASSERT_TRUE(sl_forwarded_trusts(&list, &unix_peer));
	CU_ASSERT_FALSE(sl_forwarded_trusts(&list, &peer));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_forwarded_without_fields_is_the_peer),
		UNIT_TEST(test_forwarded_client_is_the_first_from_the_right_that_is_not_trusted),
		UNIT_TEST(test_forwarded_client_is_the_leftmost_where_all_are_trusted),
		UNIT_TEST(test_forwarded_lines_of_a_field_are_one_list),
		UNIT_TEST(test_forwarded_addresses_have_ports_brackets_and_quotes),
		UNIT_TEST(test_forwarded_address_that_is_hidden_ends_the_walk),
		UNIT_TEST(test_forwarded_element_that_is_malformed_ends_the_walk),
		UNIT_TEST(test_forwarded_pairs_that_are_malformed_end_the_walk),
		UNIT_TEST(test_forwarded_quotes_of_a_client_do_not_reach_what_a_proxy_appends),
		UNIT_TEST(test_forwarded_x_forwarded_for_counts_alone),
		UNIT_TEST(test_forwarded_scheme_is_that_of_the_clients_hop),
		UNIT_TEST(test_forwarded_walk_has_an_end),
		UNIT_TEST(test_forwarded_trusts_addresses_and_unix_sockets_as_told),
		{ NULL, NULL },
	};
	if (sl_network_list_add(&trusted, "10.0.0.0/8") != 0 ||
			sl_network_list_add(&trusted, "fd00::/8") != 0)
		return 2;
	int status = unit_main("forwarded", tests);
	sl_network_list_finish(&trusted);
	return status;
}
