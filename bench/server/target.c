/* A gateway that runs already: its URL taken apart and looked up. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/server/server.h"
#include "bench/settings.h"
#include "util/err.h"

/* The parts of http[s]://host[:port][/base], by place. */
struct url {
	bool tls;
	char host[BENCH_NAME_MAX], port[8];
	const char *base;
	size_t base_len;
};

static int
split_host(struct url *url, const char *text, size_t len)
{
	bool bracketed = len > 0 && text[0] == '[';
	const char *close = bracketed ? memchr(text, ']', len) : NULL;
	if (bracketed && !close)
		return SL_EINVAL;
	const char *name_end = close ? close : memchr(text, ':', len);
	size_t name_len = (size_t)((name_end ? name_end : text + len) - text);
	const char *name = text + bracketed;
	name_len -= bracketed;
	if (name_len == 0 || name_len >= sizeof url->host)
		return SL_EINVAL;
	*(char *)mempcpy(url->host, name, name_len) = '\0';
	const char *rest = text + bracketed + name_len + bracketed;
	size_t rest_len = (size_t)(text + len - rest);
	if (rest_len == 0) {
		strcpy(url->port, url->tls ? "443" : "80");
		return 0;
	}
	if (rest[0] != ':' || rest_len < 2 || rest_len > 6
		|| strspn(rest + 1, "0123456789") < rest_len - 1)
		return SL_EINVAL;
	*(char *)mempcpy(url->port, rest + 1, rest_len - 1) = '\0';
	return 0;
}

static int
split_url(struct url *url, const char *text)
{
	*url = (struct url){ .tls = strncmp(text, "https://", 8) == 0 };
	if (!url->tls && strncmp(text, "http://", 7) != 0)
		return SL_EINVAL;
	text += url->tls ? 8 : 7;
	size_t host_len = strcspn(text, "/?#");
	url->base = text + host_len;
	url->base_len = strcspn(url->base, "?#");
	while (url->base_len > 0 && url->base[url->base_len - 1] == '/')
		url->base_len--;
	return url->base_len < BENCH_BASE_MAX ? split_host(url, text, host_len) : SL_EINVAL;
}

/* A name may have an address where nobody listens: localhost is ::1 as well. The first where
 * somebody does is taken, or the very first, so that what is wrong with it is told. */
static void
choose_address(struct bench_server *server, const struct addrinfo *found)
{
	for (const struct addrinfo *at = found; at; at = at->ai_next) {
		memcpy(&server->address, at->ai_addr, at->ai_addrlen);
		server->address_len = at->ai_addrlen;
		int fd = found->ai_next ? bench_server_connect(server) : -1;
		if (fd < 0)
			continue;
		close(fd);
		return;
	}
	memcpy(&server->address, found->ai_addr, found->ai_addrlen);
	server->address_len = found->ai_addrlen;
}

int
bench_server_use_target(struct bench_server *server, const struct bench_peer *peer,
	const struct bench_settings *settings)
{
	struct url url;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *found;
	*server = (struct bench_server){ .peer = peer, .is_target = true,
		.process = { .pid = settings->target_pid, .output = -1 } };
	int err = split_url(&url, settings->target);
	if (err)
		return err;
	if (getaddrinfo(url.host, url.port, &hints, &found) != 0)
		return SL_ENOENT;
	choose_address(server, found);
	freeaddrinfo(found);
	server->tls = url.tls;
	strcpy(server->name, url.host);
	server->port = (uint16_t)strtoul(url.port, NULL, 10);
	bool is_default = server->port == (url.tls ? 443 : 80), is_v6 = strchr(url.host, ':');
	snprintf(server->host, sizeof server->host, "%s%s%s%s%s", is_v6 ? "[" : "", url.host,
		is_v6 ? "]" : "", is_default ? "" : ":", is_default ? "" : url.port);
	*(char *)mempcpy(server->base, url.base, url.base_len) = '\0';
	bench_process_find_children(&server->process);
	return 0;
}
