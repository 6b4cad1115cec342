#include "http/proxy_header.h"

#include "tests/unit/proxy_bytes.h"
#include "tests/unit/unit.h"

#define V1_LONGEST "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"

static struct sl_proxy_header header;

/* The same whether it comes at once or byte by byte: nothing is decided early and otherwise. */
static enum sl_proxy_verdict
read_all(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		enum sl_proxy_verdict verdict = sl_proxy_header_read(&header, bytes, i);
		if (verdict != SL_PROXY_MORE)
			return verdict;
	}
	return sl_proxy_header_read(&header, bytes, len);
}

static enum sl_proxy_verdict
read_text(const char *text)
{
	return read_all(text, strlen(text));
}

static const char *
client(void)
{
	static char text[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&header.client, text);
	return header.has_client ? text : "";
}

static void
test_proxy_header_what_begins_otherwise_is_none(void)
{
	static const char *const others[] = { "GET / HTTP/1.1\r\n", "POST", "PUT", "PROXY\t", "PROXYING /",
		"proxy TCP4", "\r\nGET", "\r\n\r\nGET", "\x16\x03\x01", "x" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_EQUAL(read_text(others[i]), SL_PROXY_NONE);
	CU_ASSERT_EQUAL(read_all("\0", 1), SL_PROXY_NONE);
	CU_ASSERT_EQUAL(read_all("", 0), SL_PROXY_MORE);
	CU_ASSERT_EQUAL(read_text("PRO"), SL_PROXY_MORE);
	CU_ASSERT_EQUAL(read_text("\r\n\r\n"), SL_PROXY_MORE);
	CU_ASSERT_EQUAL(read_all("\r\n\r\n\0\r\nQUIT\r", 12), SL_PROXY_NONE);
}

static void
test_proxy_header_v1_tells_the_client(void)
{
	static const char v4[] = "PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n";
	CU_ASSERT_EQUAL(read_text(v4), SL_PROXY_DONE);
	CU_ASSERT_STRING_EQUAL(client(), "192.0.2.1:4711");
	CU_ASSERT_EQUAL(header.version, 1);
	CU_ASSERT_EQUAL(header.len, sizeof v4 - 1);
	CU_ASSERT_FALSE(header.is_secure);
	CU_ASSERT_EQUAL(read_text("PROXY TCP4 192.0.2.1 198.51.100.2 0 65535\r\nGET /"), SL_PROXY_DONE);
	CU_ASSERT_STRING_EQUAL(client(), "192.0.2.1");
	CU_ASSERT_EQUAL(read_text("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), SL_PROXY_DONE);
	CU_ASSERT_STRING_EQUAL(client(), "[2001:db8::1]:1");
}

static void
test_proxy_header_v1_that_is_unknown_leaves_the_peer(void)
{
	CU_ASSERT_EQUAL(read_text("PROXY UNKNOWN\r\n"), SL_PROXY_DONE);
	CU_ASSERT_FALSE(header.has_client);
	CU_ASSERT_EQUAL(read_text(V1_LONGEST), SL_PROXY_DONE);
	CU_ASSERT_EQUAL(header.len, strlen(V1_LONGEST));
	CU_ASSERT_FALSE(header.has_client);
}

static void
test_proxy_header_v1_that_is_malformed_is_bad(void)
{
	static const char *const bad[] = {
		"PROXY \r\n", "PROXY TCP4\r\n", "PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n", "PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
		"PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1 -2\r\n",
		"PROXY TCP4 2001:db8::1 ::1 1 2\r\n", "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
		"PROXY TCP4 192.0.2.1 ::1 1 2\r\n", "PROXY TCP4 192.0.2 198.51.100.2 1 2\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\rx",
		"PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n", "PROXY UNKNOWNS\r\n", "PROXY / HTTP/1.1\r\n",
	};
	char line[SL_PROXY_V1_MAX + 2];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(read_text(bad[i]), SL_PROXY_BAD);
	memset(line, 'x', sizeof line);
	memcpy(line, "PROXY UNKNOWN ", 14);
	memcpy(line + SL_PROXY_V1_MAX - 2, "\r\n", 2);
	CU_ASSERT_EQUAL(read_all(line, SL_PROXY_V1_MAX), SL_PROXY_DONE);
	memcpy(line + SL_PROXY_V1_MAX - 2, "xx\r\n", 4);
	CU_ASSERT_EQUAL(read_all(line, SL_PROXY_V1_MAX + 2), SL_PROXY_BAD);
}

/* ---- version 2 ---- */

static char bytes[SL_PROXY_V2_MAX + 64];

static enum sl_proxy_verdict
read_v2(int command, int family, const void *payload, size_t len)
{
	return read_all(bytes, proxy_v2(bytes, command, family, payload, len));
}

static void
test_proxy_header_v2_tells_the_client(void)
{
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x11, PROXY_TCP4, PROXY_TCP4_LEN), SL_PROXY_DONE);
	CU_ASSERT_STRING_EQUAL(client(), "192.0.2.1:4711");
	CU_ASSERT_EQUAL(header.version, 2);
	CU_ASSERT_EQUAL(header.len, 28);
	CU_ASSERT_FALSE(header.is_secure);
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x21, PROXY_TCP6, PROXY_TCP6_LEN), SL_PROXY_DONE);
	CU_ASSERT_STRING_EQUAL(client(), "[2001:db8::1]:4711");
	CU_ASSERT_EQUAL(header.len, 52);
}

static void
test_proxy_header_v2_without_an_ip_address_leaves_the_peer(void)
{
	static const char names[216];
	CU_ASSERT_EQUAL(read_v2(PROXY_LOCAL, 0x00, "", 0), SL_PROXY_DONE);
	CU_ASSERT_FALSE(header.has_client);
	/* all else of LOCAL is ignored, even what would be malformed */
	CU_ASSERT_EQUAL(read_v2(PROXY_LOCAL, 0x77, "\x20\xff", 2), SL_PROXY_DONE);
	CU_ASSERT_FALSE(header.has_client || header.is_secure);
	CU_ASSERT_EQUAL(header.len, 18);
	CU_ASSERT_EQUAL(read_v2(PROXY_LOCAL, 0x11, PROXY_TCP4, PROXY_TCP4_LEN), SL_PROXY_DONE);
	CU_ASSERT_FALSE(header.has_client);
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x00, "whatever", 8), SL_PROXY_DONE);
	CU_ASSERT_FALSE(header.has_client);
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x31, names, sizeof names), SL_PROXY_DONE);
	CU_ASSERT_FALSE(header.has_client);
	/* a datagram is not how this connection came */
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x12, PROXY_TCP4, PROXY_TCP4_LEN), SL_PROXY_DONE);
	CU_ASSERT_FALSE(header.has_client);
}

static void
test_proxy_header_v2_tells_the_scheme(void)
{
	static const char other[] = PROXY_TCP4 "\x01\x00\x02h2" PROXY_SSL;
	static const char clear[] = PROXY_TCP4 "\x20\x00\x05\x02\x00\x00\x00\x01";
	static const char inner[] = PROXY_TCP4 "\x20\x00\x0f\x01\x00\x00\x00\x00\x21\x00\x07TLSv1.3";
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x11, PROXY_TCP4 PROXY_SSL, PROXY_TCP4_LEN + PROXY_SSL_LEN),
		SL_PROXY_DONE);
	CU_ASSERT_TRUE(header.is_secure && header.has_client);
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x11, other, sizeof other - 1), SL_PROXY_DONE);
	CU_ASSERT_TRUE(header.is_secure);
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x11, clear, sizeof clear - 1), SL_PROXY_DONE);
	CU_ASSERT_FALSE(header.is_secure);
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x11, inner, sizeof inner - 1), SL_PROXY_DONE);
	CU_ASSERT_TRUE(header.is_secure);
}

static void
test_proxy_header_v2_that_is_malformed_is_bad(void)
{
	static const struct {
		int command, family;
		const char *payload;
		size_t len;
	} bad[] = {
		{ 0x11, 0x11, PROXY_TCP4, PROXY_TCP4_LEN }, /* version 1 */
		{ 0x22, 0x11, PROXY_TCP4, PROXY_TCP4_LEN }, /* no command */
		{ PROXY_CLIENT, 0x11, PROXY_TCP4, PROXY_TCP4_LEN - 1 },
		{ PROXY_CLIENT, 0x21, PROXY_TCP4, PROXY_TCP4_LEN },
		{ PROXY_CLIENT, 0x31, PROXY_TCP6, PROXY_TCP6_LEN },
		{ PROXY_CLIENT, 0x13, PROXY_TCP4, PROXY_TCP4_LEN },
		{ PROXY_CLIENT, 0x41, PROXY_TCP6, PROXY_TCP6_LEN },
		{ PROXY_CLIENT, 0x10, PROXY_TCP4, PROXY_TCP4_LEN },
		{ PROXY_CLIENT, 0x11, PROXY_TCP4 "\x01", PROXY_TCP4_LEN + 1 }, /* half a TLV */
		{ PROXY_CLIENT, 0x11, PROXY_TCP4 "\x01\x00\x02h", PROXY_TCP4_LEN + 4 },
		{ PROXY_CLIENT, 0x11, PROXY_TCP4 "\x20\x00\x04\x01\0\0\0", PROXY_TCP4_LEN + 7 },
		{ PROXY_CLIENT, 0x11, PROXY_TCP4 "\x03\x00\x04\x01\x02\x03\x04", PROXY_TCP4_LEN + 7 },
		{ PROXY_CLIENT, 0x11, PROXY_TCP4 "\x03\x00\x03\x01\x02\x03", PROXY_TCP4_LEN + 6 },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(read_v2(bad[i].command, bad[i].family, bad[i].payload, bad[i].len),
			SL_PROXY_BAD);
}

static void
test_proxy_header_v2_has_a_longest(void)
{
	static char payload[4097] = PROXY_TCP4 "\x04\x0f\xf1"; /* PP2_TYPE_NOOP up to the end */
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x11, payload, 4096), SL_PROXY_DONE);
	CU_ASSERT_EQUAL(header.len, SL_PROXY_V2_MAX);
	CU_ASSERT_EQUAL(read_all(bytes, proxy_v2(bytes, PROXY_CLIENT, 0x11, payload, 4097)), SL_PROXY_BAD);
	CU_ASSERT_EQUAL(read_all(bytes, 16), SL_PROXY_BAD); /* it is not waited for */
}

/* The value was computed apart, by a program that has the check value of CRC-32C right (RFC 3720,
 * appendix B.4), over the header with zeros in its place (section 2.2.3). */
static void
test_proxy_header_v2_checksum_is_held(void)
{
	static char payload[] = PROXY_TCP4 "\x03\x00\x04\0\0\0\0" PROXY_SSL;
	size_t len = sizeof payload - 1;
	memcpy(payload + PROXY_TCP4_LEN + 3, "\xd4\x2a\x5f\x1c", 4);
	CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x11, payload, len), SL_PROXY_DONE);
	CU_ASSERT_TRUE(header.is_secure);
	for (size_t i = 0; i < len; i++) {
		payload[i] ^= 1;
		CU_ASSERT_EQUAL(read_v2(PROXY_CLIENT, 0x11, payload, len) == SL_PROXY_DONE,
			i == PROXY_TCP4_LEN); /* another type: no checksum is there */
		payload[i] ^= 1;
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_proxy_header_what_begins_otherwise_is_none),
		UNIT_TEST(test_proxy_header_v1_tells_the_client),
		UNIT_TEST(test_proxy_header_v1_that_is_unknown_leaves_the_peer),
		UNIT_TEST(test_proxy_header_v1_that_is_malformed_is_bad),
		UNIT_TEST(test_proxy_header_v2_tells_the_client),
		UNIT_TEST(test_proxy_header_v2_without_an_ip_address_leaves_the_peer),
		UNIT_TEST(test_proxy_header_v2_tells_the_scheme),
		UNIT_TEST(test_proxy_header_v2_that_is_malformed_is_bad),
		UNIT_TEST(test_proxy_header_v2_has_a_longest),
		UNIT_TEST(test_proxy_header_v2_checksum_is_held),
		{ NULL, NULL },
	};
	return unit_main("proxy_header", tests);
}
