#include "http/proxy_header.h"

#include <stdint.h>
#include <string.h>

#include "util/network.h"

#define V1_START "PROXY "
#define V1_START_LEN (sizeof V1_START - 1)
#define V2_START_LEN 12
#define V2_FIXED_LEN 16
#define TLV_HEAD_LEN 3
#define TLV_CRC32C 0x03
#define TLV_SSL 0x20
#define TLV_SSL_LEN 5 /* what is no TLV in it */
#define CLIENT_SSL 0x01

static const char v2_start[V2_START_LEN] = "\r\n\r\n\0\r\nQUIT\n";

/* ---- version 1 ---- */

/* Takes what stands before the next space; empty where there is no such. */
static struct sl_span
take_word(struct sl_span *rest)
{
	const char *space = memchr(rest->bytes, ' ', rest->len);
	struct sl_span word = { rest->bytes, space ? (size_t)(space - rest->bytes) : rest->len };
	size_t used = word.len + (space ? 1 : 0);
	*rest = (struct sl_span){ rest->bytes + used, rest->len - used };
	return word;
}

static bool
take_ip(struct sl_span *rest, bool is_ipv6, uint8_t ip[16])
{
	struct sl_span word = take_word(rest);
	return sl_network_parse_ip(ip, word) && (memchr(word.bytes, ':', word.len) != NULL) == is_ipv6;
}

static bool
take_port(struct sl_span *rest, uint64_t *port)
{
	struct sl_span word = take_word(rest);
	bool has_leading_zero = word.len > 1 && word.bytes[0] == '0';
	return !has_leading_zero && sl_span_to_number(word, UINT16_MAX, port);
}

/* `line` is what stands between "PROXY " and CRLF. */
static bool
read_v1(struct sl_proxy_header *out, struct sl_span line)
{
	uint8_t source[16], target[16];
	uint64_t source_port, target_port;
	const char *end = line.bytes + line.len;
	struct sl_span protocol = take_word(&line);
	if (sl_span_equals(protocol, "UNKNOWN")) /* what follows is to be ignored */
		return true;
	bool is_ipv6 = sl_span_equals(protocol, "TCP6");
	if ((!is_ipv6 && !sl_span_equals(protocol, "TCP4")) || !take_ip(&line, is_ipv6, source) ||
			!take_ip(&line, is_ipv6, target) || !take_port(&line, &source_port) ||
			!take_port(&line, &target_port) || line.len > 0 || end[-1] == ' ')
		return false;
	sl_address_set_ip(&out->client, source, (uint16_t)source_port);
	out->has_client = true;
	return true;
}

static enum sl_proxy_verdict
find_v1(struct sl_proxy_header *out, const char *bytes, size_t len)
{
	size_t max = len < SL_PROXY_V1_MAX ? len : SL_PROXY_V1_MAX;
	const char *cr = memchr(bytes, '\r', max);
	const char *lf = memchr(bytes, '\n', max);
	if (lf && (!cr || lf != cr + 1))
		return SL_PROXY_BAD;
	if (!lf)
		return len >= SL_PROXY_V1_MAX || (cr && cr + 1 < bytes + len) ? SL_PROXY_BAD : SL_PROXY_MORE;
	out->version = 1;
	out->len = (size_t)(lf + 1 - bytes);
	struct sl_span line = { bytes + V1_START_LEN, (size_t)(cr - bytes) - V1_START_LEN };
	return read_v1(out, line) ? SL_PROXY_DONE : SL_PROXY_BAD;
}

/* ---- version 2 ---- */

static size_t
read_u16(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* CRC32C (RFC 4960, appendix B) of the header, with zeros in place of the four bytes of the
 * checksum itself. */
static uint32_t
compute_checksum(const uint8_t *header, size_t len, const uint8_t *checksum)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < len; i++) {
		bool is_own = header + i >= checksum && header + i < checksum + 4;
		crc ^= is_own ? 0 : header[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
	}
	return ~crc;
}

static bool
is_checksum_right(const uint8_t *header, size_t len, const uint8_t *checksum, size_t checksum_len)
{
	return checksum_len == 4 && compute_checksum(header, len, checksum) ==
		((uint32_t)read_u16(checksum) << 16 | (uint32_t)read_u16(checksum + 2));
}

/* Reads the values behind the addresses. False when their lengths do not add up, or the checksum is
 * wrong. */
static bool
read_tlvs(struct sl_proxy_header *out, const uint8_t *header, size_t at)
{
	while (at < out->len) {
		if (out->len - at < TLV_HEAD_LEN)
			return false;
		uint8_t type = header[at];
		size_t len = read_u16(header + at + 1);
		const uint8_t *value = header + at + TLV_HEAD_LEN;
		at += TLV_HEAD_LEN;
		if (len > out->len - at)
			return false;
		at += len;
		if (type == TLV_CRC32C && !is_checksum_right(header, out->len, value, len))
			return false;
		if (type == TLV_SSL && len < TLV_SSL_LEN)
			return false;
		if (type == TLV_SSL)
			out->is_secure = value[0] & CLIENT_SSL;
	}
	return true;
}

/* What a protocol byte tells: how long the addresses are, and how long one of them is, if it is an IP
 * address of a stream. */
struct family {
	bool is_known;
	uint8_t len, ip_len;
};

static const struct family families[256] = {
	[0x00] = { true, 0, 0 }, /* UNSPEC */
	[0x11] = { true, 12, 4 }, [0x12] = { true, 12, 0 },
	[0x21] = { true, 36, 16 }, [0x22] = { true, 36, 0 },
	[0x31] = { true, 216, 0 }, [0x32] = { true, 216, 0 }, /* Unix sockets */
};

static bool
read_v2(struct sl_proxy_header *out, const uint8_t *header)
{
	const struct family *family = &families[header[13]];
	const uint8_t *addresses = header + V2_FIXED_LEN;
	uint8_t ip[16] = { [10] = 0xff, [11] = 0xff };
	if (header[12] == 0x20) /* LOCAL: the rest is to be ignored, whatever it is */
		return true;
	if (header[12] != 0x21 || !family->is_known || out->len - V2_FIXED_LEN < family->len)
		return false;
	if (header[13] == 0x00)
		return true;
	if (family->ip_len) {
		memcpy(ip + sizeof ip - family->ip_len, addresses, family->ip_len);
		sl_address_set_ip(&out->client, ip, (uint16_t)read_u16(addresses + 2 * family->ip_len));
		out->has_client = true;
	}
	return read_tlvs(out, header, V2_FIXED_LEN + family->len);
}

static enum sl_proxy_verdict
find_v2(struct sl_proxy_header *out, const char *bytes, size_t len)
{
	const uint8_t *header = (const uint8_t *)bytes;
	if (len > V2_START_LEN && header[12] != 0x20 && header[12] != 0x21)
		return SL_PROXY_BAD;
	if (len < V2_FIXED_LEN)
		return SL_PROXY_MORE;
	out->version = 2;
	out->len = V2_FIXED_LEN + read_u16(header + 14);
	if (out->len > SL_PROXY_V2_MAX)
		return SL_PROXY_BAD;
	if (len < out->len)
		return SL_PROXY_MORE;
	return read_v2(out, header) ? SL_PROXY_DONE : SL_PROXY_BAD;
}

/* ---- both ---- */

static bool
begins(const char *bytes, size_t len, const char *start, size_t start_len)
{
	return memcmp(bytes, start, len < start_len ? len : start_len) == 0;
}

enum sl_proxy_verdict
sl_proxy_header_read(struct sl_proxy_header *out, const char *bytes, size_t len)
{
	*out = (struct sl_proxy_header){ 0 };
	if (len == 0)
		return SL_PROXY_MORE;
	if (begins(bytes, len, V1_START, V1_START_LEN))
		return len < V1_START_LEN ? SL_PROXY_MORE : find_v1(out, bytes, len);
	if (begins(bytes, len, v2_start, V2_START_LEN))
		return len < V2_START_LEN ? SL_PROXY_MORE : find_v2(out, bytes, len);
	return SL_PROXY_NONE;
}
