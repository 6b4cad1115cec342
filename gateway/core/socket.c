#include "core/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/err.h"
#include "util/network.h"

static ssize_t
outcome(ssize_t result)
{
	if (result > 0)
		return result;
	if (result == 0)
		return SL_ECLOSED;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return SL_EAGAIN;
	return errno == ECONNRESET || errno == EPIPE || errno == ETIMEDOUT ? SL_ECLOSED : SL_EIO;
}

static ssize_t
clear_read(struct sl_socket *socket, void *bytes, size_t len)
{
	return outcome(recv(socket->fd, bytes, len, 0));
}

static ssize_t
clear_discard(struct sl_socket *socket, void *scratch, size_t len)
{
	/* tcp(7): MSG_TRUNC throws the bytes away without copying them. */
	int flags = socket->peer.family == AF_UNIX ? 0 : MSG_TRUNC;
	return outcome(recv(socket->fd, scratch, len, flags));
}

static ssize_t
clear_write(struct sl_socket *socket, const struct iovec *slices, int count)
{
	if (count == 1)
		return outcome(send(socket->fd, slices->iov_base, slices->iov_len, MSG_NOSIGNAL));
	/* msghdr's field is not const, though sendmsg(2) only reads it. */
	struct msghdr message = { .msg_iovlen = (size_t)count };
	memcpy(&message.msg_iov, &slices, sizeof slices);
	return outcome(sendmsg(socket->fd, &message, MSG_NOSIGNAL));
}

static int
clear_push(struct sl_socket *socket)
{
	(void)socket; /* nothing is ever left */
	return 0;
}

static int
clear_shut(struct sl_socket *socket)
{
	shutdown(socket->fd, SHUT_WR);
	return 0;
}

static void
clear_leave(struct sl_socket *socket, bool aborts)
{
	(void)socket, (void)aborts;
}

static void
clear_finish(struct sl_socket *socket)
{
	(void)socket;
}

static const struct sl_socket_ops clear_ops = {
	.read = clear_read,
	.discard = clear_discard,
	.write = clear_write,
	.push = clear_push,
	.shut = clear_shut,
	.leave = clear_leave,
	.finish = clear_finish,
};

static void
read_address(struct sl_address *out, const struct sockaddr_storage *peer)
{
	*out = (struct sl_address){ .family = (uint8_t)peer->ss_family };
	if (peer->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)peer;
		out->bytes[10] = out->bytes[11] = 0xff;
		memcpy(out->bytes + 12, &in->sin_addr, 4);
		out->port = ntohs(in->sin_port);
	} else if (peer->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;
		/* an IPv4 client of a listener at [::] comes mapped, and is written as IPv4 */
		sl_address_set_ip(out, in6->sin6_addr.s6_addr, ntohs(in6->sin6_port));
	} else {
		out->family = AF_UNIX;
	}
}

bool
sl_address_get_owner(const struct sl_address *address, uint8_t out[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	memcpy(out, address->bytes, 16);
	if (memcmp(out, mapped, sizeof mapped) != 0)
		memset(out + 8, 0, 8);
	return address->family != AF_UNIX;
}

void
sl_socket_init(struct sl_socket *socket, int fd, const struct sockaddr_storage *peer)
{
	*socket = (struct sl_socket){ .ops = &clear_ops, .fd = fd };
	read_address(&socket->peer, peer);
}

void
sl_socket_finish(struct sl_socket *socket)
{
	socket->ops->finish(socket);
	if (socket->fd >= 0)
		close(socket->fd);
	if (socket->tap)
		socket->tap->ops->destroy(socket->tap);
	socket->fd = -1;
	socket->tap = NULL;
}

/* Out of the way of what every call does. */
static void __attribute__((noinline, cold))
tell_tap(struct sl_socket *socket, const void *bytes, ssize_t result)
{
	struct iovec slice = { .iov_len = result > 0 ? (size_t)result : 0 };
	memcpy(&slice.iov_base, &bytes, sizeof bytes); /* not const, though it is only read */
	if (result > 0)
		socket->tap->ops->on_received(socket->tap, &slice, 1, (size_t)result);
	else if (result == SL_ECLOSED)
		socket->tap->ops->on_left(socket->tap);
}

void
sl_socket_tell_tap(struct sl_socket *socket, const void *bytes, ssize_t result)
{
	if (socket->tap)
		tell_tap(socket, bytes, result);
}

ssize_t
sl_socket_read(struct sl_socket *socket, void *bytes, size_t len)
{
	ssize_t result = socket->ops->read(socket, bytes, len);
	sl_socket_tell_tap(socket, bytes, result);
	return result;
}

ssize_t
sl_socket_read_quietly(struct sl_socket *socket, void *bytes, size_t len)
{
	ssize_t result = socket->ops->read(socket, bytes, len);
	if (result < 0)
		sl_socket_tell_tap(socket, bytes, result);
	return result;
}

ssize_t
sl_socket_discard(struct sl_socket *socket, void *scratch, size_t len)
{
	if (socket->tap) /* which wants to see them */
		return sl_socket_read(socket, scratch, len);
	return socket->ops->discard(socket, scratch, len);
}

ssize_t
sl_socket_write(struct sl_socket *socket, const struct iovec *slices, int count)
{
	ssize_t result = socket->ops->write(socket, slices, count);
	if (socket->tap && result > 0)
		socket->tap->ops->on_sent(socket->tap, slices, count, (size_t)result);
	return result;
}

int
sl_socket_push(struct sl_socket *socket)
{
	return socket->ops->push(socket);
}

int
sl_socket_shut(struct sl_socket *socket)
{
	return socket->ops->shut(socket);
}

void
sl_socket_leave(struct sl_socket *socket, bool aborts)
{
	socket->ops->leave(socket, aborts);
}

uint64_t
sl_socket_take_wire_in(struct sl_socket *socket, uint64_t len)
{
	struct sl_socket_secure *secure = socket->secure;
	if (!secure)
		return len;
	int64_t carried = (int64_t)len + secure->uncounted_in;
	secure->uncounted_in = carried < 0 ? carried : 0;
	return carried < 0 ? 0 : (uint64_t)carried;
}

uint64_t
sl_socket_get_kernel_bytes(const struct sl_socket *socket)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof info;
	if (getsockopt(socket->fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		return 0;
	/* TCP's queue is WMEM_QUEUED, of which WMEM_ALLOC may be a part; a Unix socket knows the latter alone. */
	uint64_t sent = info[SK_MEMINFO_WMEM_QUEUED] > info[SK_MEMINFO_WMEM_ALLOC] ?
		info[SK_MEMINFO_WMEM_QUEUED] : info[SK_MEMINFO_WMEM_ALLOC];
	return sent + info[SK_MEMINFO_RMEM_ALLOC];
}

void
sl_socket_set_abort(struct sl_socket *socket)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(socket->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

void
sl_socket_set_user_timeout(struct sl_socket *socket, unsigned timeout_ms)
{
	int value = (int)timeout_ms;
	if (socket->peer.family != AF_UNIX) /* refused only where it means nothing */
		setsockopt(socket->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value);
}

void
sl_address_set_ip(struct sl_address *address, const uint8_t ip[16], uint16_t port)
{
	memcpy(address->bytes, ip, sizeof address->bytes);
	address->port = port;
	address->family = sl_network_is_ipv4(ip) ? AF_INET : AF_INET6;
}

void
sl_address_format(const struct sl_address *address, char out[SL_ADDRESS_TEXT_MAX])
{
	char text[INET6_ADDRSTRLEN] = "?", port[8] = "";
	if (address->port)
		snprintf(port, sizeof port, ":%u", address->port);
	if (address->family == AF_INET) {
		inet_ntop(AF_INET, address->bytes + 12, text, sizeof text);
		snprintf(out, SL_ADDRESS_TEXT_MAX, "%s%s", text, port);
	} else if (address->family == AF_INET6) {
		inet_ntop(AF_INET6, address->bytes, text, sizeof text);
		snprintf(out, SL_ADDRESS_TEXT_MAX, "[%s]%s", text, port);
	} else {
		snprintf(out, SL_ADDRESS_TEXT_MAX, "unix");
	}
}
