#include "util/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

#define IPV4_BITS 32
#define IPV6_BITS 128
#define MAPPED_BITS 96 /* before the IPv4 address that is mapped */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool
sl_network_is_ipv4(const uint8_t ip[16])
{
	return memcmp(ip, mapped, sizeof mapped) == 0;
}

bool
sl_network_parse_ip(uint8_t out[16], struct sl_span text)
{
	char copy[INET6_ADDRSTRLEN];
	if (text.len == 0 || text.len >= sizeof copy || memchr(text.bytes, '\0', text.len))
		return false;
	memcpy(copy, text.bytes, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, out) == 1)
		return true;
	memcpy(out, mapped, sizeof mapped);
	return inet_pton(AF_INET, copy, out + sizeof mapped) == 1;
}

static bool
parse_port(uint16_t *port, struct sl_span text)
{
	uint64_t number;
	if (text.len > 5 || !sl_span_to_number(text, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

bool
sl_network_parse_host(uint8_t out[16], uint16_t *port, struct sl_span text, bool is_bare_allowed)
{
	struct sl_span ip = text, rest;
	bool is_bracketed = text.len > 0 && text.bytes[0] == '[';
	const char *end = text.len ? memchr(text.bytes, is_bracketed ? ']' : ':', text.len) : NULL;
	*port = 0;
	if (is_bracketed && !end)
		return false;
	if (!is_bracketed && is_bare_allowed && end &&
			memchr(end + 1, ':', text.len - (size_t)(end + 1 - text.bytes)))
		end = NULL; /* two colons: an IPv6 address, and all of it */
	if (is_bracketed)
		ip = (struct sl_span){ text.bytes + 1, (size_t)(end++ - text.bytes) - 1 };
	else if (end)
		ip.len = (size_t)(end - text.bytes);
	if (!sl_network_parse_ip(out, ip))
		return false;
	bool has_colons = memchr(ip.bytes, ':', ip.len);
	if (has_colons != is_bracketed && !(has_colons && is_bare_allowed && !end))
		return false;
	if (!end || end == text.bytes + text.len)
		return true;
	rest = (struct sl_span){ end + 1, (size_t)(text.bytes + text.len - end - 1) };
	return *end == ':' && parse_port(port, rest);
}

/* ---- networks ---- */

/* True when the first `prefix` bits are equal. */
static bool
has_prefix(const uint8_t a[16], const uint8_t b[16], unsigned prefix)
{
	unsigned whole = prefix / 8, bits = prefix % 8;
	if (memcmp(a, b, whole) != 0)
		return false;
	return bits == 0 || (a[whole] ^ b[whole]) >> (8 - bits) == 0;
}

/* True when no bit behind the prefix is set. */
static bool
is_base(const struct sl_network *network)
{
	static const uint8_t zero[16];
	unsigned whole = network->prefix / 8, bits = network->prefix % 8;
	if (network->prefix == IPV6_BITS)
		return true;
	if (bits && (network->bytes[whole++] & (0xff >> bits)))
		return false;
	return memcmp(network->bytes + whole, zero, sizeof zero - whole) == 0;
}

int
sl_network_parse(struct sl_network *out, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	if (!sl_network_parse_ip(out->bytes, (struct sl_span){ text, len }))
		return SL_EINVAL;
	unsigned bits = memchr(text, ':', len) ? IPV6_BITS : IPV4_BITS;
	uint64_t prefix = bits;
	if (slash && !sl_span_to_number((struct sl_span){ slash + 1, strlen(slash + 1) }, bits, &prefix))
		return SL_EINVAL;
	out->prefix = (uint8_t)(prefix + IPV6_BITS - bits);
	return is_base(out) ? 0 : SL_EINVAL;
}

void
sl_network_format(const struct sl_network *network, char out[SL_NETWORK_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN];
	bool is_ipv4 = network->prefix >= MAPPED_BITS && sl_network_is_ipv4(network->bytes);
	unsigned prefix = network->prefix - (is_ipv4 ? MAPPED_BITS : 0);
	inet_ntop(is_ipv4 ? AF_INET : AF_INET6, network->bytes + (is_ipv4 ? sizeof mapped : 0), ip,
		sizeof ip);
	if (network->prefix == IPV6_BITS)
		snprintf(out, SL_NETWORK_TEXT_MAX, "%s", ip);
	else
		snprintf(out, SL_NETWORK_TEXT_MAX, "%s/%u", ip, prefix);
}

/* ---- lists ---- */

int
sl_network_list_add(struct sl_network_list *list, const char *text)
{
	struct sl_network network;
	if (strcmp(text, "unix") == 0) {
		list->has_unix = true;
		return 0;
	}
	int err = sl_network_parse(&network, text);
	if (err != 0)
		return err;
	struct sl_network *more = realloc(list->networks, (list->count + 1) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	list->networks = more;
	more[list->count++] = network;
	return 0;
}

void
sl_network_list_format(const struct sl_network_list *list, size_t index,
	char out[SL_NETWORK_TEXT_MAX])
{
	if (index < list->count)
		sl_network_format(&list->networks[index], out);
	else
		strcpy(out, "unix");
}

void
sl_network_list_finish(struct sl_network_list *list)
{
	free(list->networks);
	*list = (struct sl_network_list){ 0 };
}

bool
sl_network_list_has(const struct sl_network_list *list, const uint8_t ip[16])
{
	bool is_ipv4 = sl_network_is_ipv4(ip);
	for (size_t i = 0; i < list->count; i++) {
		const struct sl_network *network = &list->networks[i];
		bool fits = !is_ipv4 || network->prefix >= MAPPED_BITS;
		if (fits && has_prefix(network->bytes, ip, network->prefix))
			return true;
	}
	return false;
}
