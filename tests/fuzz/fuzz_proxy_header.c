/* A PROXY header is judged the same however its bytes are cut: until it is complete more are asked for,
 * no byte behind it changes anything, and a verdict once said stays. What version 1 tells is what the
 * line's words say to another reader of them; what version 2 tells stands at its fixed places. */
#include "http/proxy_header.h"

#include <arpa/inet.h>

#include "tests/fuzz/fuzz.h"

static enum sl_proxy_verdict
read_exactly(struct sl_proxy_header *out, const uint8_t *bytes, size_t len)
{
	char *copy = fuzz_copy(bytes, len);
	enum sl_proxy_verdict verdict = sl_proxy_header_read(out, copy, len);
	free(copy);
	return verdict;
}

static void
expect_equal(const struct sl_proxy_header *a, const struct sl_proxy_header *b)
{
	FUZZ_EXPECT(a->len == b->len && a->version == b->version && a->has_client == b->has_client &&
		a->is_secure == b->is_secure);
	FUZZ_EXPECT(!a->has_client || (a->client.family == b->client.family &&
		a->client.port == b->client.port && memcmp(a->client.bytes, b->client.bytes, 16) == 0));
}

static void
expect_version_1(const struct sl_proxy_header *header, const uint8_t *bytes)
{
	char line[SL_PROXY_V1_MAX + 1] = "", kind[16], source[64], target[64], again[128];
	unsigned source_port, target_port;
	uint8_t ip[16] = { [10] = 0xff, [11] = 0xff };
	FUZZ_EXPECT(header->len <= SL_PROXY_V1_MAX && !header->is_secure);
	FUZZ_EXPECT(memcmp(bytes + header->len - 2, "\r\n", 2) == 0);
	memcpy(line, bytes, header->len);
	if (!header->has_client) {
		FUZZ_EXPECT(strncmp(line, "PROXY UNKNOWN", 13) == 0);
		return;
	}
	FUZZ_EXPECT(sscanf(line, "PROXY %15s %63s %63s %u %u", kind, source, target, &source_port,
		&target_port) == 5);
	snprintf(again, sizeof again, "PROXY %s %s %s %u %u\r\n", kind, source, target, source_port,
		target_port);
	FUZZ_EXPECT(strcmp(line, again) == 0);
	bool is_ipv4 = strcmp(kind, "TCP4") == 0;
	FUZZ_EXPECT(is_ipv4 || strcmp(kind, "TCP6") == 0);
	FUZZ_EXPECT(inet_pton(is_ipv4 ? AF_INET : AF_INET6, source, ip + (is_ipv4 ? 12 : 0)) == 1);
	FUZZ_EXPECT(memcmp(ip, header->client.bytes, 16) == 0 && source_port == header->client.port);
}

static void
expect_version_2(const struct sl_proxy_header *header, const uint8_t *bytes)
{
	FUZZ_EXPECT(header->len == 16u + 256u * bytes[14] + bytes[15] && header->len <= SL_PROXY_V2_MAX);
	FUZZ_EXPECT(bytes[12] >> 4 == 2);
	if (bytes[12] == 0x20)
		FUZZ_EXPECT(!header->has_client && !header->is_secure);
	if (!header->has_client)
		return;
	size_t len = bytes[13] == 0x11 ? 4 : 16;
	FUZZ_EXPECT(bytes[13] == (len == 4 ? 0x11 : 0x21));
	FUZZ_EXPECT(memcmp(header->client.bytes + 16 - len, bytes + 16, len) == 0);
	FUZZ_EXPECT(header->client.port == 256 * bytes[16 + 2 * len] + bytes[17 + 2 * len]);
	FUZZ_EXPECT(!header->is_secure || header->len >= 16 + 2 * len + 4 + 8);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_proxy_header header, part;
	enum sl_proxy_verdict verdict = read_exactly(&header, bytes, len);
	bool is_said = false;
	/* a header that is waited for may be cut anywhere: around its ends is enough of a long one */
	for (size_t i = 0; i <= len; i += i > 256 && i + 64 < len ? 61 : 1) {
		enum sl_proxy_verdict so_far = read_exactly(&part, bytes, i);
		FUZZ_EXPECT(!is_said || so_far == verdict);
		is_said |= so_far != SL_PROXY_MORE;
		FUZZ_EXPECT(!is_said || so_far == verdict);
		if (so_far == SL_PROXY_DONE)
			expect_equal(&part, &header);
	}
	if (verdict != SL_PROXY_DONE)
		return 0;
	FUZZ_EXPECT(header.len > 0 && header.len <= len);
	FUZZ_EXPECT(read_exactly(&part, bytes, header.len) == SL_PROXY_DONE);
	FUZZ_EXPECT(read_exactly(&part, bytes, header.len - 1) == SL_PROXY_MORE);
	if (header.version == 1)
		expect_version_1(&header, bytes);
	else
		expect_version_2(&header, bytes);
	return 0;
}
