#include "config/listen_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "util/err.h"

static int
parse_unix(const char *path, struct sl_listen_address *out)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&out->sockaddr;
	size_t len = strlen(path);
	if (path[0] != '/' || len >= sizeof sun->sun_path)
		return SL_EINVAL;
	out->kind = SL_ADDRESS_UNIX;
	memcpy(out->path, path, len + 1);
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, len + 1);
	out->sockaddr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	return 0;
}

static int
parse_port(const char *digits, uint16_t *out)
{
	unsigned port = 0;
	if (*digits == '\0' || strlen(digits) > 5)
		return SL_EINVAL;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return SL_EINVAL;
		port = port * 10 + (unsigned)(*digits - '0');
	}
	if (port > UINT16_MAX)
		return SL_EINVAL;
	*out = (uint16_t)port;
	return 0;
}

static int
fill_ipv4(const char *host, struct sl_listen_address *out)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&out->sockaddr;
	if (inet_pton(AF_INET, host, &sin->sin_addr) != 1)
		return SL_EINVAL;
	out->kind = SL_ADDRESS_IPV4;
	sin->sin_family = AF_INET;
	sin->sin_port = htons(out->port);
	out->sockaddr_len = sizeof *sin;
	inet_ntop(AF_INET, &sin->sin_addr, out->host, sizeof out->host);
	return 0;
}

static int
fill_ipv6(const char *host, struct sl_listen_address *out)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&out->sockaddr;
	if (inet_pton(AF_INET6, host, &sin6->sin6_addr) != 1)
		return SL_EINVAL;
	out->kind = SL_ADDRESS_IPV6;
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(out->port);
	out->sockaddr_len = sizeof *sin6;
	inet_ntop(AF_INET6, &sin6->sin6_addr, out->host, sizeof out->host);
	return 0;
}

static int
fill_localhost(struct sl_listen_address *out)
{
	out->kind = SL_ADDRESS_LOCALHOST;
	strcpy(out->host, "localhost");
	return 0;
}

int
sl_listen_address_parse(const char *text, struct sl_listen_address *out)
{
	struct sl_listen_address address = { 0 };
	int err;
	if (strncmp(text, "unix:", 5) == 0) {
		err = parse_unix(text + 5, &address);
	} else {
		const char *colon = strrchr(text, ':');
		char host[INET6_ADDRSTRLEN + 2];
		size_t host_len = colon ? (size_t)(colon - text) : 0;
		if (host_len == 0 || host_len >= sizeof host)
			return SL_EINVAL;
		memcpy(host, text, host_len);
		host[host_len] = '\0';
		err = parse_port(colon + 1, &address.port);
		if (err == 0 && host[0] == '[' && host[host_len - 1] == ']') {
			host[host_len - 1] = '\0';
			err = fill_ipv6(host + 1, &address);
		} else if (err == 0) {
			err = strcmp(host, "localhost") == 0 ? fill_localhost(&address) :
				fill_ipv4(host, &address);
		}
	}
	if (err == 0)
		*out = address;
	return err;
}

size_t
sl_listen_address_expand(const struct sl_listen_address *address,
	struct sl_listen_address out[SL_LISTEN_ADDRESSES_MAX])
{
	if (address->kind != SL_ADDRESS_LOCALHOST) {
		out[0] = *address;
		return 1;
	}
	out[0] = out[1] = (struct sl_listen_address){ .port = address->port };
	fill_ipv4("127.0.0.1", &out[0]);
	fill_ipv6("::1", &out[1]);
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
	const char *host = address->host;
	if (address->kind == SL_ADDRESS_IPV6)
		return (size_t)snprintf(out, SL_LISTEN_ADDRESS_MAX, "[%s]:%u", host, address->port);
	return (size_t)snprintf(out, SL_LISTEN_ADDRESS_MAX, "%s:%u", host, address->port);
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
