#include "util/network.h"

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static bool
has(const char *network, const char *ip)
{
	struct sl_network_list list = { 0 };
	uint8_t bytes[16];
	CU_ASSERT_EQUAL_FATAL(sl_network_list_add(&list, network), 0);
	CU_ASSERT_TRUE_FATAL(sl_network_parse_ip(bytes, span(ip)));
	bool result = sl_network_list_has(&list, bytes);
	sl_network_list_finish(&list);
	return result;
}

static void
test_network_holds_the_addresses_of_its_prefix_alone(void)
{
	CU_ASSERT_TRUE(has("10.0.0.0/8", "10.255.0.1"));
	CU_ASSERT_FALSE(has("10.0.0.0/8", "11.0.0.0"));
	CU_ASSERT_TRUE(has("10.16.0.0/12", "10.31.255.255"));
	CU_ASSERT_FALSE(has("10.16.0.0/12", "10.32.0.0"));
	CU_ASSERT_TRUE(has("192.0.2.7", "192.0.2.7"));
	CU_ASSERT_FALSE(has("192.0.2.7", "192.0.2.6"));
	CU_ASSERT_TRUE(has("0.0.0.0/0", "203.0.113.9"));
	CU_ASSERT_FALSE(has("0.0.0.0/0", "2001:db8::1"));
	CU_ASSERT_TRUE(has("fd00::/9", "fd7f::1"));
	CU_ASSERT_FALSE(has("fd00::/9", "fd80::1"));
	CU_ASSERT_TRUE(has("2001:db8::/127", "2001:db8::1"));
	CU_ASSERT_FALSE(has("2001:db8::/127", "2001:db8::2"));
	CU_ASSERT_TRUE(has("::1", "::1"));
}

static void
test_network_of_ipv6_holds_ipv4_only_where_it_is_written_as_mapped(void)
{
	CU_ASSERT_TRUE(has("192.0.2.0/24", "::ffff:192.0.2.9"));
	CU_ASSERT_TRUE(has("::ffff:192.0.2.0/120", "192.0.2.9"));
	CU_ASSERT_TRUE(has("::/0", "2001:db8::1"));
	CU_ASSERT_FALSE(has("::/0", "192.0.2.9"));
	CU_ASSERT_FALSE(has("::/80", "::ffff:192.0.2.9"));
	CU_ASSERT_FALSE(has("::/8", "10.0.0.1"));
}

static void
test_network_list_that_is_empty_holds_nobody(void)
{
	struct sl_network_list list = { 0 };
	uint8_t zero[16] = { 0 };
	CU_ASSERT_FALSE(sl_network_list_has(&list, zero));
	CU_ASSERT_EQUAL(sl_network_list_add(&list, "unix"), 0);
	CU_ASSERT_EQUAL(sl_network_list_add(&list, "unix"), 0);
	CU_ASSERT_FALSE(sl_network_list_has(&list, zero));
	CU_ASSERT_EQUAL(sl_network_list_count(&list), 1);
	sl_network_list_finish(&list);
	CU_ASSERT_EQUAL(sl_network_list_count(&list), 0);
}

static void
test_network_that_is_none_is_refused(void)
{
	static const char *const bad[] = { "", "10", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
		"10.0.0.0/8/8", "10.0.0.0 /8", "10.1.2.3/8", "10.0.0.1/31", "fd00::1/8", "fd00::/129", "::/x",
		"010.0.0.0/8", "[::1]", "::1%lo", "localhost", "Unix", "10.0.0.0/0x8", "1.2.3.4,5.6.7.8",
		"fd00:0000:0000:0000:0000:0000:0000:0000:0000:0000/8" };
	struct sl_network_list list = { 0 };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(sl_network_list_add(&list, bad[i]), SL_EINVAL);
	CU_ASSERT_EQUAL(list.count, 0);
}

static void
test_network_is_written_as_it_is_parsed(void)
{
	static const char *const texts[] = { "10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "10.0.0.2/31", "::/0",
		"fd00::/8", "2001:db8::1", "unix" };
	struct sl_network_list list = { 0 };
	char text[SL_NETWORK_TEXT_MAX];
	size_t count = sizeof texts / sizeof *texts;
	for (size_t i = 0; i < count; i++)
		CU_ASSERT_EQUAL(sl_network_list_add(&list, texts[i]), 0);
	CU_ASSERT_EQUAL_FATAL(sl_network_list_count(&list), count);
	for (size_t i = 0; i < count; i++) {
		sl_network_list_format(&list, i, text);
		CU_ASSERT_STRING_EQUAL(text, texts[i]);
	}
	sl_network_list_finish(&list);
}

static void
test_network_list_without_memory_stays_as_it_was(void)
{
	for_each_failing_allocation(failing) {
		struct sl_network_list list = { 0 };
		int err = sl_network_list_add(&list, "10.0.0.0/8");
		failing_expect(err);
		CU_ASSERT_EQUAL(list.count, err == 0);
		sl_network_list_finish(&list);
	}
}

/* What a host with a port, IPv6 without brackets allowed or not, is read as; "" for none. */
static const char *
read_host(const char *text, bool is_bare_allowed)
{
	static char out[SL_NETWORK_TEXT_MAX + 8];
	struct sl_network network = { .prefix = 128 };
	uint16_t port;
	if (!sl_network_parse_host(network.bytes, &port, span(text), is_bare_allowed))
		return "";
	sl_network_format(&network, out);
	snprintf(out + strlen(out), 8, " %u", port);
	return out;
}

static void
test_network_host_may_have_a_port(void)
{
	for (int bare = 0; bare < 2; bare++) {
		CU_ASSERT_STRING_EQUAL(read_host("192.0.2.1", bare), "192.0.2.1 0");
		CU_ASSERT_STRING_EQUAL(read_host("192.0.2.1:80", bare), "192.0.2.1 80");
		CU_ASSERT_STRING_EQUAL(read_host("[2001:db8::1]", bare), "2001:db8::1 0");
		CU_ASSERT_STRING_EQUAL(read_host("[2001:db8::1]:65535", bare), "2001:db8::1 65535");
		CU_ASSERT_STRING_EQUAL(read_host("[::ffff:192.0.2.1]:1", bare), "192.0.2.1 1");
	}
	CU_ASSERT_STRING_EQUAL(read_host("2001:db8::1", true), "2001:db8::1 0");
	CU_ASSERT_STRING_EQUAL(read_host("::", true), ":: 0");
	CU_ASSERT_STRING_EQUAL(read_host("2001:db8::1", false), "");
}

static void
test_network_host_that_is_none_is_refused(void)
{
	static const char *const bad[] = { "", ":", ":80", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:000080",
		"192.0.2.1:8x", "192.0.2", "192.0.2.1.", "[", "[]", "[::1", "::1]", "[::1]80", "[::1]:", "[::1]x:1",
		"[192.0.2.1]", "[192.0.2.1]:80", "192.0.2.1:80:90", " 192.0.2.1", "192.0.2.1 ", "example.net",
		"[::1%lo]", "::1:80x", "[[::1]]" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		for (int bare = 0; bare < 2; bare++)
			CU_ASSERT_STRING_EQUAL(read_host(bad[i], bare), "");
}

static void
test_network_address_with_a_nul_is_none(void)
{
	uint8_t ip[16];
	CU_ASSERT_FALSE(sl_network_parse_ip(ip, (struct sl_span){ "10.0.0.1\0", 9 }));
	CU_ASSERT_TRUE(sl_network_parse_ip(ip, (struct sl_span){ "10.0.0.1\0", 8 }));
	CU_ASSERT_TRUE(sl_network_is_ipv4(ip));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_network_holds_the_addresses_of_its_prefix_alone),
		UNIT_TEST(test_network_of_ipv6_holds_ipv4_only_where_it_is_written_as_mapped),
		UNIT_TEST(test_network_list_that_is_empty_holds_nobody),
		UNIT_TEST(test_network_that_is_none_is_refused),
		UNIT_TEST(test_network_is_written_as_it_is_parsed),
		UNIT_TEST(test_network_list_without_memory_stays_as_it_was),
		UNIT_TEST(test_network_host_may_have_a_port),
		UNIT_TEST(test_network_host_that_is_none_is_refused),
		UNIT_TEST(test_network_address_with_a_nul_is_none),
		{ NULL, NULL },
	};
	return unit_main("network", tests);
}
