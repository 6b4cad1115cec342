#include "config/listen_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "util/err.h"
#include "util/span.h"

static int
parse_unix(const char *path, struct sl_listen_address *out)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&out->sockaddr;
	size_t len = strlen(path);
	if (path[0] != '/' || len >= sizeof sun->sun_path)
		return SL_EINVAL;
	*out = (struct sl_listen_address){ .kind = SL_ADDRESS_UNIX };
	memcpy(out->path, path, len + 1);
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, len + 1);
	out->sockaddr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	return 0;
}

/* `family` is AF_INET or AF_INET6. */
static int
parse_host(const char *host, sa_family_t family, uint16_t port, struct sl_listen_address *out)
{
	struct sockaddr_storage sockaddr = { .ss_family = family };
	bool is_v4 = family == AF_INET;
	void *bytes = is_v4 ? (void *)&((struct sockaddr_in *)&sockaddr)->sin_addr
		: (void *)&((struct sockaddr_in6 *)&sockaddr)->sin6_addr;
	if (inet_pton(family, host, bytes) != 1)
		return SL_EINVAL;
	int err = sl_listen_address_from_sockaddr(out, &sockaddr,
		is_v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
	if (err == 0)
		sl_listen_address_set_port(out, port);
	return err;
}

int
sl_listen_address_parse(const char *text, struct sl_listen_address *out)
{
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, out);
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	size_t host_len = colon ? (size_t)(colon - text) : 0;
	if (host_len == 0 || host_len >= sizeof host)
		return SL_EINVAL;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	struct sl_span digits = { colon + 1, strlen(colon + 1) };
	uint64_t port;
	if (digits.len > 5 || !sl_span_to_number(digits, UINT16_MAX, &port))
		return SL_EINVAL;
	if (host[0] == '[' && host[host_len - 1] == ']') {
		host[host_len - 1] = '\0';
		return parse_host(host + 1, AF_INET6, (uint16_t)port, out);
	}
	if (strcmp(host, "localhost") != 0)
		return parse_host(host, AF_INET, (uint16_t)port, out);
	*out = (struct sl_listen_address){ .kind = SL_ADDRESS_LOCALHOST, .host = "localhost",
		.port = (uint16_t)port };
	return 0;
}

size_t
sl_listen_address_expand(const struct sl_listen_address *address,
	struct sl_listen_address out[SL_LISTEN_ADDRESSES_MAX])
{
	if (address->kind != SL_ADDRESS_LOCALHOST) {
		out[0] = *address;
		return 1;
	}
	parse_host("127.0.0.1", AF_INET, address->port, &out[0]);
	parse_host("::1", AF_INET6, address->port, &out[1]);
	return 2;
}

void
sl_listen_address_set_port(struct sl_listen_address *address, uint16_t port)
{
	address->port = port;
	if (address->kind == SL_ADDRESS_IPV6)
		((struct sockaddr_in6 *)&address->sockaddr)->sin6_port = htons(port);
	else if (address->kind == SL_ADDRESS_IPV4)
		((struct sockaddr_in *)&address->sockaddr)->sin_port = htons(port);
}

bool
sl_listen_address_equals(const struct sl_listen_address *a, const struct sl_listen_address *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == SL_ADDRESS_UNIX)
		return strcmp(a->path, b->path) == 0;
	return a->port != 0 && a->port == b->port && strcmp(a->host, b->host) == 0;
}

size_t
sl_listen_address_format(const struct sl_listen_address *address, char out[SL_LISTEN_ADDRESS_MAX])
{
	if (address->kind == SL_ADDRESS_UNIX)
		return (size_t)snprintf(out, SL_LISTEN_ADDRESS_MAX, "unix:%s", address->path);
	return (size_t)snprintf(out, SL_LISTEN_ADDRESS_MAX,
		address->kind == SL_ADDRESS_IPV6 ? "[%s]:%u" : "%s:%u", address->host, address->port);
}

bool
sl_listen_address_is_loopback(const struct sl_listen_address *address)
{
	if (address->kind == SL_ADDRESS_IPV4)
		return strncmp(address->host, "127.", 4) == 0;
	return address->kind != SL_ADDRESS_IPV6 || strcmp(address->host, "::1") == 0;
}

int
sl_listen_address_from_sockaddr(struct sl_listen_address *out,
	const struct sockaddr_storage *sockaddr, socklen_t len)
{
	*out = (struct sl_listen_address){ .sockaddr = *sockaddr, .sockaddr_len = len };
	if (sockaddr->ss_family == AF_INET) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)sockaddr;
		out->kind = SL_ADDRESS_IPV4;
		out->port = ntohs(sin->sin_port);
		inet_ntop(AF_INET, &sin->sin_addr, out->host, sizeof out->host);
	} else if (sockaddr->ss_family == AF_INET6) {
		const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)sockaddr;
		out->kind = SL_ADDRESS_IPV6;
		out->port = ntohs(sin6->sin6_port);
		inet_ntop(AF_INET6, &sin6->sin6_addr, out->host, sizeof out->host);
	} else if (sockaddr->ss_family == AF_UNIX) {
		const struct sockaddr_un *sun = (const struct sockaddr_un *)sockaddr;
		out->kind = SL_ADDRESS_UNIX;
		if (len > offsetof(struct sockaddr_un, sun_path)) /* else it has no name */
			memcpy(out->path, sun->sun_path, len - offsetof(struct sockaddr_un, sun_path));
		out->path[sizeof out->path - 1] = '\0';
	} else {
		return SL_EINVAL;
	}
	return 0;
}

bool
sl_listen_address_is_loopback_tcp(const struct sl_listen_address *address)
{
	return address->kind != SL_ADDRESS_UNIX && sl_listen_address_is_loopback(address);
}
