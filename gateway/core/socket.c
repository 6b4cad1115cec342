#include "core/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/err.h"

#define NOTSENT_LOWAT_BYTES 65536
#define TAPPED_BYTES 2048 /* shown of what is thrown away */

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
clear_peek(struct sl_socket *socket, void *bytes, size_t len)
{
	return outcome(recv(socket->fd, bytes, len, MSG_PEEK));
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

static const struct sl_socket_ops clear_ops = {
	.read = clear_read,
	.discard = clear_discard,
	.peek = clear_peek,
	.write = clear_write,
};

static void
set_tcp_option(int fd, int option, int value)
{
	/* Refused only on sockets where it means nothing. */
	setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value);
}

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
		memcpy(out->bytes, &in6->sin6_addr, 16);
		out->port = ntohs(in6->sin6_port);
	} else {
		out->family = AF_UNIX;
	}
}

struct sl_socket *
sl_socket_create(int fd, const struct sockaddr_storage *peer)
{
	struct sl_socket *socket = calloc(1, sizeof *socket);
	if (!socket)
		return NULL;
	socket->ops = &clear_ops;
	socket->fd = fd;
	read_address(&socket->peer, peer);
	if (socket->peer.family == AF_UNIX)
		socket->is_opaque = true;
	else
		set_tcp_option(fd, TCP_NODELAY, 1);
	return socket;
}

void
sl_socket_destroy(struct sl_socket *socket)
{
	if (!socket)
		return;
	if (socket->fd >= 0)
		close(socket->fd);
	if (socket->tap)
		socket->tap->ops->destroy(socket->tap);
	free(socket);
}

int
sl_socket_hand_over(struct sl_socket *socket)
{
	int fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return SL_EIO;
	if (socket->peer.family != AF_UNIX)
		set_tcp_option(fd, TCP_NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES);
	socket->fd = fd;
	return 0;
}

static bool
get_tcp_info(const struct sl_socket *socket, struct tcp_info *info, int *unread)
{
	socklen_t len = sizeof *info;
	/* The unread count first: bytes that arrive in between then look unparsed, which
	 * costs a connection its reuse, while the other order could hide them. */
	return ioctl(socket->fd, SIOCINQ, unread) == 0 &&
		getsockopt(socket->fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

static uint64_t
received_bytes(const struct tcp_info *info)
{
	/* A FIN counts as a byte; TCP_CLOSE_WAIT and later have seen one. */
	bool fin = info->tcpi_state == 8 /* CLOSE_WAIT */ || info->tcpi_state == 9 /* LAST_ACK */ ||
		info->tcpi_state == 11 /* CLOSING */ || info->tcpi_state == 6 /* TIME_WAIT */;
	return info->tcpi_bytes_received - (fin && info->tcpi_bytes_received ? 1 : 0);
}

struct sl_socket_bytes
sl_socket_measure(const struct sl_socket *socket)
{
	struct tcp_info info;
	int unread;
	if (socket->peer.family == AF_UNIX || !get_tcp_info(socket, &info, &unread))
		return (struct sl_socket_bytes){ 0 };
	return (struct sl_socket_bytes){
		.is_known = true,
		.in = received_bytes(&info) - (uint64_t)unread,
		.out = info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes,
	};
}

bool
sl_socket_has_unparsed(const struct sl_socket *socket, struct sl_socket_bytes measured)
{
	return socket->is_opaque || !measured.is_known || measured.in != socket->parsed_in;
}

/* Out of the way of what every call does. */
static void __attribute__((noinline, cold))
tell_tap(struct sl_socket *socket, const void *bytes, size_t len, ssize_t result)
{
	struct iovec slice = { .iov_len = len };
	memcpy(&slice.iov_base, &bytes, sizeof bytes); /* not const, though it is only read */
	if (result > 0)
		socket->tap->ops->on_received(socket->tap, &slice, 1, (size_t)result);
	else if (result == SL_ECLOSED)
		socket->tap->ops->on_left(socket->tap);
}

static ssize_t
count_read(struct sl_socket *socket, ssize_t result)
{
	if (result > 0) {
		socket->parsed_in += (uint64_t)result;
		socket->charged_in += (uint64_t)result;
	}
	return result;
}

ssize_t
sl_socket_read(struct sl_socket *socket, void *bytes, size_t len)
{
	ssize_t result = count_read(socket, socket->ops->read(socket, bytes, len));
	if (socket->tap)
		tell_tap(socket, bytes, result > 0 ? (size_t)result : 0, result);
	return result;
}

static ssize_t __attribute__((noinline, cold))
discard_tapped(struct sl_socket *socket, void *scratch, size_t len)
{
	char seen[TAPPED_BYTES];
	ssize_t peeked = socket->ops->peek(socket, seen, len < sizeof seen ? len : sizeof seen);
	ssize_t result = count_read(socket, socket->ops->discard(socket, scratch, len));
	tell_tap(socket, seen, peeked > 0 ? (size_t)peeked : 0, result);
	return result;
}

ssize_t
sl_socket_discard(struct sl_socket *socket, void *scratch, size_t len)
{
	if (socket->tap)
		return discard_tapped(socket, scratch, len);
	return count_read(socket, socket->ops->discard(socket, scratch, len));
}

ssize_t
sl_socket_peek(struct sl_socket *socket, void *bytes, size_t len)
{
	ssize_t result = socket->ops->peek(socket, bytes, len);
	if (socket->tap && result == SL_ECLOSED)
		socket->tap->ops->on_left(socket->tap);
	return result;
}

ssize_t
sl_socket_write(struct sl_socket *socket, const struct iovec *slices, int count)
{
	ssize_t result = socket->ops->write(socket, slices, count);
	if (result > 0)
		socket->charged_out += (uint64_t)result;
	if (socket->tap && result > 0)
		socket->tap->ops->on_sent(socket->tap, slices, count, (size_t)result);
	return result;
}

void
sl_socket_shut(struct sl_socket *socket)
{
	shutdown(socket->fd, SHUT_WR);
}

void
sl_socket_break(struct sl_socket *socket)
{
	shutdown(socket->fd, SHUT_RDWR);
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
	if (socket->peer.family != AF_UNIX)
		set_tcp_option(socket->fd, TCP_USER_TIMEOUT, (int)timeout_ms);
}

socklen_t
sl_socket_get_sockaddr(const struct sl_socket *socket, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	out->ss_family = socket->peer.family;
	if (socket->peer.family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;
		memcpy(&in->sin_addr, socket->peer.bytes + 12, 4);
		in->sin_port = htons(socket->peer.port);
		return sizeof *in;
	}
	if (socket->peer.family == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
		memcpy(&in6->sin6_addr, socket->peer.bytes, 16);
		in6->sin6_port = htons(socket->peer.port);
		return sizeof *in6;
	}
	return sizeof out->ss_family;
}

void
sl_address_format(const struct sl_address *address, char out[SL_ADDRESS_TEXT_MAX])
{
	char text[INET6_ADDRSTRLEN] = "?";
	if (address->family == AF_INET) {
		inet_ntop(AF_INET, address->bytes + 12, text, sizeof text);
		snprintf(out, SL_ADDRESS_TEXT_MAX, "%s:%u", text, address->port);
	} else if (address->family == AF_INET6) {
		inet_ntop(AF_INET6, address->bytes, text, sizeof text);
		snprintf(out, SL_ADDRESS_TEXT_MAX, "[%s]:%u", text, address->port);
	} else {
		snprintf(out, SL_ADDRESS_TEXT_MAX, "unix");
	}
}
