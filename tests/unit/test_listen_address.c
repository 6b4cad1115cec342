#include "config/listen_address.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static struct sl_listen_address
parse(const char *text)
{
	struct sl_listen_address address;
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(text, &address), 0);
	return address;
}

static void
test_address_is_ready_to_be_bound(void)
{
	struct sl_listen_address v4 = parse("10.1.2.3:8080"), v6 = parse("[fe80:0::1]:443"),
		path = parse("unix:/run/s.sock");
	const struct sockaddr_in *sin = (const struct sockaddr_in *)&v4.sockaddr;
	CU_ASSERT_EQUAL(v4.kind, SL_ADDRESS_IPV4);
	CU_ASSERT_EQUAL(v4.sockaddr_len, sizeof *sin);
	CU_ASSERT_EQUAL(sin->sin_family, AF_INET);
	CU_ASSERT_EQUAL(sin->sin_addr.s_addr, htonl(0x0a010203));
	CU_ASSERT_EQUAL(sin->sin_port, htons(8080));
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)&v6.sockaddr;
	CU_ASSERT_EQUAL(v6.kind, SL_ADDRESS_IPV6);
	CU_ASSERT_STRING_EQUAL(v6.host, "fe80::1"); /* as the system writes it */
	CU_ASSERT_EQUAL(v6.sockaddr_len, sizeof *sin6);
	CU_ASSERT_EQUAL(sin6->sin6_family, AF_INET6);
	CU_ASSERT_EQUAL(sin6->sin6_port, htons(443));
	const struct sockaddr_un *sun = (const struct sockaddr_un *)&path.sockaddr;
	CU_ASSERT_EQUAL(path.kind, SL_ADDRESS_UNIX);
	CU_ASSERT_EQUAL(sun->sun_family, AF_UNIX);
	CU_ASSERT_STRING_EQUAL(sun->sun_path, "/run/s.sock");
	CU_ASSERT_STRING_EQUAL(path.path, "/run/s.sock");
	CU_ASSERT_EQUAL(path.sockaddr_len, offsetof(struct sockaddr_un, sun_path) + 12);
}

static void
test_address_is_written_as_it_is_read(void)
{
	static const char *const forms[] = { "127.0.0.1:0", "255.255.255.255:65535", "[::1]:81",
		"[2001:db8:1111:2222:3333:4444:5555:6666]:65535", "localhost:8080", "unix:/run/s.sock" };
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct sl_listen_address address = parse(forms[i]);
		char text[SL_LISTEN_ADDRESS_MAX];
		CU_ASSERT_EQUAL(sl_listen_address_format(&address, text), strlen(forms[i]));
		CU_ASSERT_STRING_EQUAL(text, forms[i]);
	}
}

static void
expect_expanded(const char *text, const char *const *expected)
{
	struct sl_listen_address address, expanded[SL_LISTEN_ADDRESSES_MAX];
	char form[SL_LISTEN_ADDRESS_MAX];
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(text, &address), 0);
	size_t count = sl_listen_address_expand(&address, expanded);
	for (size_t i = 0; i < count; i++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(expected[i]);
		sl_listen_address_format(&expanded[i], form);
		CU_ASSERT_STRING_EQUAL(form, expected[i]);
		CU_ASSERT_TRUE(sl_listen_address_is_loopback(&expanded[i]));
		CU_ASSERT_NOT_EQUAL(expanded[i].sockaddr_len, 0);
	}
	CU_ASSERT_PTR_NULL(expected[count]);
}

static void
test_address_localhost_is_both_loopback_addresses(void)
{
	expect_expanded("localhost:8080",
		(const char *const[]){ "127.0.0.1:8080", "[::1]:8080", NULL });
	expect_expanded("127.0.0.1:8080", (const char *const[]){ "127.0.0.1:8080", NULL });
	expect_expanded("[::1]:0", (const char *const[]){ "[::1]:0", NULL });
	expect_expanded("unix:/run/s", (const char *const[]){ "unix:/run/s", NULL });
}

static void
test_address_refuses_what_is_none(void)
{
	static const char *const wrong[] = { "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:-1", "127.0.0.1:8x", "example.org:80", "::1:80", "[::1]", "[::1:80", "[127.0.0.1]:80",
		"unix:", "unix:relative", "127.1:80", "127.0.0.1:000080", "[localhost]:80",
		"localhost", "localhost:", "localhost:65536", "host.localhost:80" };
	struct sl_listen_address address;
	char line[200] = "unix:/";
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CU_ASSERT_EQUAL(sl_listen_address_parse(wrong[i], &address), SL_EINVAL);
	memset(line + 6, 'a', 120);
	CU_ASSERT_EQUAL(sl_listen_address_parse(line, &address), SL_EINVAL);
}

static void
test_address_that_is_refused_leaves_what_was_there(void)
{
	struct sl_listen_address address = parse("127.0.0.1:80");
	CU_ASSERT_EQUAL(sl_listen_address_parse("unix:relative", &address), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_listen_address_parse("1.2.3:80", &address), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_listen_address_parse("[1.2.3.4]:80", &address), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_listen_address_parse("1.2.3.4:99999", &address), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(address.host, "127.0.0.1");
	CU_ASSERT_EQUAL(address.port, 80);
}

static void
test_address_knows_what_only_this_machine_can_reach(void)
{
	static const struct {
		const char *text;
		bool is_loopback, is_tcp;
	} rows[] = {
		{ "127.0.0.1:1", true, true }, { "127.255.255.254:1", true, true },
		{ "128.0.0.1:1", false, false }, { "0.0.0.0:1", false, false },
		{ "[::1]:1", true, true }, { "[::]:1", false, false }, { "[::2]:1", false, false },
		{ "localhost:1", true, true }, { "unix:/s", true, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sl_listen_address address = parse(rows[i].text);
		CU_ASSERT_EQUAL(sl_listen_address_is_loopback(&address), rows[i].is_loopback);
		CU_ASSERT_EQUAL(sl_listen_address_is_loopback_tcp(&address), rows[i].is_tcp);
	}
}

static void
test_address_equals_one_of_the_same_place(void)
{
	static const char *const pairs[][2] = { { "127.0.0.1:80", "127.0.0.1:80" },
		{ "[::1]:80", "[0:0::1]:80" }, { "unix:/a", "unix:/a" }, { "localhost:1", "localhost:1" } };
	static const char *const others[][2] = { { "127.0.0.1:80", "127.0.0.1:81" },
		{ "127.0.0.1:80", "127.0.0.2:80" }, { "127.0.0.1:80", "[::1]:80" }, { "unix:/a", "unix:/b" },
		{ "127.0.0.1:0", "127.0.0.1:0" }, /* each gets a port of its own */
		{ "localhost:80", "127.0.0.1:80" } };
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct sl_listen_address a = parse(pairs[i][0]), b = parse(pairs[i][1]);
		CU_ASSERT_TRUE(sl_listen_address_equals(&a, &b));
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct sl_listen_address a = parse(others[i][0]), b = parse(others[i][1]);
		CU_ASSERT_FALSE(sl_listen_address_equals(&a, &b));
	}
}

static void
test_address_gets_the_port_that_the_system_chose(void)
{
	struct sl_listen_address v4 = parse("127.0.0.1:0"), v6 = parse("[::1]:0");
	sl_listen_address_set_port(&v4, 4711);
	sl_listen_address_set_port(&v6, 4712);
	CU_ASSERT_EQUAL(v4.port, 4711);
	CU_ASSERT_EQUAL(((struct sockaddr_in *)&v4.sockaddr)->sin_port, htons(4711));
	CU_ASSERT_EQUAL(v6.port, 4712);
	CU_ASSERT_EQUAL(((struct sockaddr_in6 *)&v6.sockaddr)->sin6_port, htons(4712));
}

static void
test_address_is_read_from_a_sockets_name(void)
{
	static const char *const forms[] = { "10.1.2.3:8080", "[2001:db8::1]:443", "unix:/run/s" };
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct sl_listen_address given = parse(forms[i]), read;
		CU_ASSERT_EQUAL_FATAL(sl_listen_address_from_sockaddr(&read, &given.sockaddr,
			given.sockaddr_len), 0);
		CU_ASSERT_TRUE(sl_listen_address_equals(&given, &read));
	}
	struct sl_listen_address read;
	struct sockaddr_storage nameless = { .ss_family = AF_UNIX }, other = { .ss_family = AF_NETLINK };
	CU_ASSERT_EQUAL(sl_listen_address_from_sockaddr(&read, &nameless, sizeof(sa_family_t)), 0);
	CU_ASSERT_EQUAL(read.kind, SL_ADDRESS_UNIX);
	CU_ASSERT_STRING_EQUAL(read.path, "");
	CU_ASSERT_EQUAL(sl_listen_address_from_sockaddr(&read, &other, sizeof other), SL_EINVAL);
}

static void
test_address_takes_a_unix_path_as_long_as_the_system_does(void)
{
	char text[200] = "unix:/", form[SL_LISTEN_ADDRESS_MAX];
	size_t most = sizeof((struct sockaddr_un *)0)->sun_path - 1;
	struct sl_listen_address address, read;
	memset(text + 6, 'a', most - 1);
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(text, &address), 0);
	CU_ASSERT_EQUAL(sl_listen_address_format(&address, form), strlen(text));
	CU_ASSERT_STRING_EQUAL(form, text);
	CU_ASSERT_EQUAL(sl_listen_address_from_sockaddr(&read, &address.sockaddr, address.sockaddr_len), 0);
	CU_ASSERT_STRING_EQUAL(read.path, address.path);
	strcat(text, "a");
	CU_ASSERT_EQUAL(sl_listen_address_parse(text, &address), SL_EINVAL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_address_is_ready_to_be_bound),
		UNIT_TEST(test_address_is_written_as_it_is_read),
		UNIT_TEST(test_address_localhost_is_both_loopback_addresses),
		UNIT_TEST(test_address_refuses_what_is_none),
		UNIT_TEST(test_address_that_is_refused_leaves_what_was_there),
		UNIT_TEST(test_address_knows_what_only_this_machine_can_reach),
		UNIT_TEST(test_address_equals_one_of_the_same_place),
		UNIT_TEST(test_address_gets_the_port_that_the_system_chose),
		UNIT_TEST(test_address_is_read_from_a_sockets_name),
		UNIT_TEST(test_address_takes_a_unix_path_as_long_as_the_system_does),
		{ NULL, NULL },
	};
	return unit_main("listen_address", tests);
}
