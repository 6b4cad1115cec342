#include "bench/obstacle/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/listener.h"
#include "util/err.h"

#define BACKLOG 1024

static void
add(struct ob_addresses *addresses, const void *sockaddr, socklen_t len)
{
	if (addresses->count == OB_ADDRESSES_MAX)
		return;
	struct ob_address *address = &addresses->list[addresses->count++];
	memcpy(&address->sockaddr, sockaddr, len);
	address->len = len;
}

static int
add_localhost(struct ob_addresses *addresses, const char *text)
{
	struct sl_listen_address name, each[SL_LISTEN_ADDRESSES_MAX];
	int err = sl_listen_address_parse(text, &name);
	size_t count = err == 0 ? sl_listen_address_expand(&name, each) : 0;
	for (size_t i = 0; i < count; i++)
		add(addresses, &each[i].sockaddr, each[i].sockaddr_len);
	return err;
}

int
ob_addresses_parse(struct ob_addresses *addresses, const char *text, const char **why)
{
	char host[256] = "127.0.0.1";
	const char *colon = strrchr(text, ':');
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *found;
	*addresses = (struct ob_addresses){ 0 };
	*why = "not an address";
	if (strncmp(text, "localhost:", 10) == 0)
		return add_localhost(addresses, text);
	if (colon) {
		bool is_v6 = text[0] == '[' && colon > text && colon[-1] == ']';
		snprintf(host, sizeof host, "%.*s", (int)(colon - text) - 2 * is_v6, text + is_v6);
	}
	int err = getaddrinfo(host, colon ? colon + 1 : text, &hints, &found);
	if (err) {
		*why = gai_strerror(err);
		return SL_EINVAL;
	}
	for (const struct addrinfo *at = found; at; at = at->ai_next)
		add(addresses, at->ai_addr, at->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

/* [::] takes IPv4 too, which a listener of the gateway would not. */
static int
listen_at_one(const struct ob_address *address, int *fd)
{
	int on = 1;
	*fd = socket(address->sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return SL_EIO;
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(*fd, (const struct sockaddr *)&address->sockaddr, address->len) == 0
		&& listen(*fd, BACKLOG) == 0)
		return 0;
	int error = errno;
	close(*fd);
	errno = error;
	return SL_EIO;
}

int
ob_addresses_listen(const struct ob_addresses *addresses, int fds[OB_ADDRESSES_MAX],
	unsigned *count)
{
	struct sl_listen_address each[OB_ADDRESSES_MAX];
	struct sl_listener listeners[OB_ADDRESSES_MAX];
	size_t failed;
	*count = 0;
	if (addresses->count == 1) {
		int err = listen_at_one(&addresses->list[0], &fds[0]);
		*count = err == 0;
		return err;
	}
	for (unsigned i = 0; i < addresses->count; i++)
		sl_listen_address_from_sockaddr(&each[i], &addresses->list[i].sockaddr,
			addresses->list[i].len);
	int err = sl_listener_open_name(listeners, each, addresses->count, 1, &failed);
	for (unsigned i = 0; err == 0 && i < addresses->count; i++) {
		if (listeners[i].count > 0 && sl_listener_listen(&listeners[i]) != 0)
			err = SL_EIO; /* the caller ends the program */
		else if (listeners[i].count > 0)
			fds[(*count)++] = listeners[i].fds[0];
		free(listeners[i].fds); /* the descriptor goes to the caller */
	}
	return err;
}
