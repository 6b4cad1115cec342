#include "core/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/err.h"

#define BACKLOG 4096
#define NOTSENT_LOWAT_BYTES 65536
#define PORT_TRIES 16 /* the system chooses a port that is free at one address alone */

static int
set_option(int fd, int option)
{
	int on = 1;
	return setsockopt(fd, SOL_SOCKET, option, &on, sizeof on);
}

/* Accepted sockets inherit them, where they are TCP's: nothing waits to be sent together with more,
 * and a client that does not read costs the kernel 64 KiB before the first EAGAIN, not megabytes. */
static void
set_inherited(int fd)
{
	int on = 1, lowat = NOTSENT_LOWAT_BYTES;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
}

/* A path that nobody listens at any more is left over from a crash: it may go. */
static void
remove_stale_path(const struct sl_listen_address *address)
{
	struct stat st;
	if (lstat(address->path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&address->sockaddr, address->sockaddr_len) != 0 &&
			errno == ECONNREFUSED)
		unlink(address->path);
	close(fd);
}

/* `first`: of the address's. Returns -1 with errno. */
static int
open_socket(const struct sl_listen_address *address, bool first)
{
	const struct sockaddr *name = (const struct sockaddr *)&address->sockaddr;
	bool is_unix = address->kind == SL_ADDRESS_UNIX;
	int on = 1, fd = socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (is_unix)
		remove_stale_path(address);
	if (address->kind == SL_ADDRESS_IPV6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (set_option(fd, SO_REUSEADDR) == 0 && (first || set_option(fd, SO_REUSEPORT) == 0) &&
			bind(fd, name, address->sockaddr_len) == 0 &&
			(!first || is_unix || set_option(fd, SO_REUSEPORT) == 0)) {
		set_inherited(fd);
		if (!is_unix || listen(fd, BACKLOG) == 0)
			return fd;
	}
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* The address as the system has it, with the port that it chose. Errors: SL_EIO, SL_EINVAL. */
static int
read_name(struct sl_listen_address *out, int fd)
{
	struct sockaddr_storage name = { 0 };
	socklen_t len = sizeof name;
	if (getsockname(fd, (struct sockaddr *)&name, &len) != 0)
		return SL_EIO;
	return sl_listen_address_from_sockaddr(out, &name, len);
}

int
sl_listener_open(struct sl_listener *listener, const struct sl_listen_address *address,
	unsigned shards)
{
	bool is_unix = address->kind == SL_ADDRESS_UNIX;
	unsigned wanted = is_unix ? 1 : shards;
	*listener = (struct sl_listener){ .address = *address, .is_shared = is_unix };
	listener->fds = calloc(wanted, sizeof *listener->fds);
	if (!listener->fds)
		return SL_ENOMEM;
	for (unsigned i = 0; i < wanted; i++) {
		int fd = open_socket(&listener->address, i == 0);
		if (fd < 0)
			goto fail;
		listener->fds[i] = fd;
		listener->count = i + 1;
		if (i == 0 && read_name(&listener->address, fd) != 0)
			goto fail;
	}
	listener->unlink_path = is_unix;
	return 0;
fail:;
	int error = errno;
	sl_listener_finish(listener);
	errno = error;
	return SL_EIO;
}

/* Sockets that are bound and do not listen yet keep nobody else from the port: two gateways that start at the
 * same time could both have it. A socket that listens without SO_REUSEPORT lets no other listen, and so finds out
 * whether one does. It goes as soon as ours listen. Returns it, or -1 with errno. */
static int
claim_port(const struct sl_listen_address *address)
{
	const struct sockaddr *name = (const struct sockaddr *)&address->sockaddr;
	int on = 1, fd = socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (address->kind == SL_ADDRESS_IPV6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (set_option(fd, SO_REUSEADDR) == 0 && bind(fd, name, address->sockaddr_len) == 0 &&
			listen(fd, 1) == 0 && set_option(fd, SO_REUSEPORT) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
sl_listener_listen(const struct sl_listener *listener)
{
	if (listener->is_shared)
		return 0;
	int claim = claim_port(&listener->address), error = errno;
	bool is_listening = claim >= 0;
	for (unsigned i = 0; is_listening && i < listener->count; i++) {
		is_listening = listen(listener->fds[i], BACKLOG) == 0;
		error = errno;
	}
	if (claim >= 0)
		close(claim);
	errno = error;
	return is_listening ? 0 : SL_EIO;
}

bool
sl_listener_port_is_free(unsigned port)
{
	int on = 1, fd = port <= UINT16_MAX ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	bool is_bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return is_bound;
}

static bool
is_not_here(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static int
open_at_one_port(struct sl_listener *listeners, const struct sl_listen_address *addresses,
	size_t count, unsigned shards, size_t *failed)
{
	uint16_t port = addresses[0].port;
	size_t opened = 0;
	int error = 0;
	for (size_t i = 0; i < count; i++) {
		struct sl_listen_address address = addresses[i];
		sl_listen_address_set_port(&address, port);
		int err = sl_listener_open(&listeners[i], &address, shards);
		if (err == 0) {
			port = listeners[i].address.port;
			opened++;
			continue;
		}
		error = errno;
		*failed = i;
		if (err == SL_EIO && is_not_here(error))
			continue;
		while (i-- > 0)
			sl_listener_finish(&listeners[i]);
		errno = error;
		return err;
	}
	errno = error;
	return opened > 0 ? 0 : SL_EIO;
}

int
sl_listener_open_name(struct sl_listener *listeners, const struct sl_listen_address *addresses,
	size_t count, unsigned shards, size_t *failed)
{
	int err;
	unsigned tries = 0;
	do
		err = open_at_one_port(listeners, addresses, count, shards, failed);
	while (err != 0 && errno == EADDRINUSE && addresses[0].port == 0 && ++tries < PORT_TRIES);
	return err;
}

int
sl_listener_adopt(struct sl_listener *listener, int fd)
{
	int type = 0, listening = 0;
	socklen_t len = sizeof type;
	*listener = (struct sl_listener){ .is_shared = true };
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM ||
			getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 ||
			!listening || read_name(&listener->address, fd) != 0)
		return SL_EINVAL;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		return SL_EIO;
	listener->fds = malloc(sizeof *listener->fds);
	if (!listener->fds)
		return SL_ENOMEM;
	set_inherited(fd);
	listener->fds[0] = fd;
	listener->count = 1;
	return 0;
}

void
sl_listener_finish(struct sl_listener *listener)
{
	for (unsigned i = 0; i < listener->count; i++)
		close(listener->fds[i]);
	free(listener->fds);
	listener->fds = NULL;
	listener->count = 0;
	if (listener->unlink_path)
		unlink(listener->address.path);
	listener->unlink_path = false;
}

int
sl_listener_get_fd(const struct sl_listener *listener, unsigned shard)
{
	return listener->fds[listener->is_shared ? 0 : shard];
}

int
sl_listener_accept(const struct sl_listener *listener, unsigned shard,
	struct sockaddr_storage *peer)
{
	socklen_t len = sizeof *peer;
	int fd = accept4(sl_listener_get_fd(listener, shard), (struct sockaddr *)peer, &len,
		SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0 && listener->address.kind == SL_ADDRESS_UNIX)
		peer->ss_family = AF_UNIX; /* a nameless peer's length is 2, or 0 on older kernels */
	return fd;
}
