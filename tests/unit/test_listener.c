#include "core/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/socket.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* Binds and listens. */
static int
open_listener(struct sl_listener *listener, const struct sl_listen_address *address, unsigned shards)
{
	int err = sl_listener_open(listener, address, shards);
	return err != 0 ? err : sl_listener_listen(listener);
}

static struct sl_listen_address
parse(const char *text)
{
	struct sl_listen_address address;
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(text, &address), 0);
	return address;
}

static int
connect_to(const struct sl_listen_address *address)
{
	int fd = socket(address->sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&address->sockaddr, address->sockaddr_len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The client's address as it says itself. */
static bool
accept_socket(const struct sl_listener *listener, unsigned shard, struct sl_socket *out)
{
	struct sockaddr_storage peer = { 0 };
	int fd = sl_listener_accept(listener, shard, &peer);
	if (fd >= 0)
		sl_socket_init(out, fd, &peer);
	return fd >= 0;
}

static uint16_t
own_port(int fd)
{
	struct sockaddr_in name;
	socklen_t len = sizeof name;
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	return ntohs(name.sin_port);
}

static void
test_listener_tells_the_port_that_the_system_chose(void)
{
	struct sl_listener listener;
	struct sl_listen_address address = parse("127.0.0.1:0");
	CU_ASSERT_EQUAL_FATAL(open_listener(&listener, &address, 1), 0);
	CU_ASSERT_NOT_EQUAL(listener.address.port, 0);
	char text[SL_LISTEN_ADDRESS_MAX], wanted[SL_LISTEN_ADDRESS_MAX];
	sl_listen_address_format(&listener.address, text);
	snprintf(wanted, sizeof wanted, "127.0.0.1:%u", listener.address.port);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	sl_listener_finish(&listener);
}

static void
test_listener_second_gateway_on_the_port_gets_eaddrinuse(void)
{
	struct sl_listener first, second;
	struct sl_listen_address address = parse("127.0.0.1:0");
	for (unsigned shards = 1; shards <= 3; shards += 2) {
		CU_ASSERT_EQUAL_FATAL(open_listener(&first, &address, shards), 0);
		CU_ASSERT_EQUAL(open_listener(&second, &first.address, shards), SL_EIO);
		CU_ASSERT_EQUAL(errno, EADDRINUSE);
		sl_listener_finish(&first);
	}
}

/* As two gateways do that start at the same time and wait for their bus. */
static void
test_listener_second_that_was_bound_at_the_same_time_does_not_listen(void)
{
	struct sl_listener first, second;
	struct sl_listen_address address = parse("127.0.0.1:0");
	for (unsigned shards = 1; shards <= 3; shards += 2) {
		CU_ASSERT_EQUAL_FATAL(sl_listener_open(&first, &address, shards), 0);
		CU_ASSERT_EQUAL(connect_to(&first.address), -1); /* refused */
		CU_ASSERT_EQUAL_FATAL(sl_listener_open(&second, &first.address, shards), 0);
		CU_ASSERT_EQUAL(sl_listener_listen(&first), 0);
		CU_ASSERT_EQUAL(sl_listener_listen(&second), SL_EIO);
		CU_ASSERT_EQUAL(errno, EADDRINUSE);
		int client = connect_to(&first.address);
		CU_ASSERT_TRUE(client >= 0);
		close(client);
		sl_listener_finish(&second);
		sl_listener_finish(&first);
	}
}

static void
test_listener_siblings_share_the_port_and_every_connection_reaches_one(void)
{
	struct sl_listener listener;
	struct sl_listen_address address = parse("127.0.0.1:0");
	CU_ASSERT_EQUAL_FATAL(open_listener(&listener, &address, 3), 0);
	CU_ASSERT_NOT_EQUAL(sl_listener_get_fd(&listener, 0), sl_listener_get_fd(&listener, 1));
	unsigned accepted[3] = { 0 };
	for (int i = 0; i < 60; i++) {
		int client = connect_to(&listener.address);
		CU_ASSERT_TRUE_FATAL(client >= 0);
		unsigned here = 0;
		for (unsigned shard = 0; shard < 3; shard++) {
			struct sl_socket socket;
			if (!accept_socket(&listener, shard, &socket))
				continue;
			CU_ASSERT_EQUAL(socket.peer.port, own_port(client));
			sl_socket_finish(&socket);
			accepted[shard]++;
			here++;
		}
		CU_ASSERT_EQUAL(here, 1);
		close(client);
	}
	for (unsigned shard = 0; shard < 3; shard++)
		CU_ASSERT_TRUE(accepted[shard] > 0); /* by chance none: 3 in 10^11 */
	sl_listener_finish(&listener);
}

static void
test_listener_accepts_nonblocking_sockets_without_delay(void)
{
	struct sl_listener listener;
	struct sl_listen_address address = parse("127.0.0.1:0");
	CU_ASSERT_EQUAL_FATAL(open_listener(&listener, &address, 1), 0);
	struct sl_socket socket;
	CU_ASSERT_FALSE(accept_socket(&listener, 0, &socket));
	CU_ASSERT_EQUAL(errno, EAGAIN);
	int client = connect_to(&listener.address);
	CU_ASSERT_TRUE_FATAL(accept_socket(&listener, 0, &socket));
	CU_ASSERT_TRUE(fcntl(socket.fd, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_TRUE(fcntl(socket.fd, F_GETFD) & FD_CLOEXEC);
	int on = 0, lowat = 0;
	socklen_t len = sizeof on;
	CU_ASSERT_EQUAL(getsockopt(socket.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	CU_ASSERT_TRUE(on);
	CU_ASSERT_EQUAL(getsockopt(socket.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, &len), 0);
	CU_ASSERT_EQUAL(lowat, 65536);
	char text[SL_ADDRESS_TEXT_MAX], wanted[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&socket.peer, text);
	snprintf(wanted, sizeof wanted, "127.0.0.1:%u", own_port(client));
	CU_ASSERT_STRING_EQUAL(text, wanted);
	sl_socket_finish(&socket);
	close(client);
	sl_listener_finish(&listener);
}

static void
test_listener_finished_refuses_connections(void)
{
	struct sl_listener listener;
	struct sl_listen_address address = parse("127.0.0.1:0");
	CU_ASSERT_EQUAL_FATAL(open_listener(&listener, &address, 2), 0);
	address = listener.address;
	CU_ASSERT_FALSE(sl_listener_port_is_free(address.port));
	sl_listener_finish(&listener);
	CU_ASSERT_EQUAL(connect_to(&address), -1);
	CU_ASSERT_TRUE(sl_listener_port_is_free(address.port));
	CU_ASSERT_FALSE(sl_listener_port_is_free(UINT16_MAX + 1));
	sl_listener_finish(&listener); /* twice */
}

/* ---- Unix sockets ---- */

static char folder[] = "/tmp/sluice-listener-XXXXXX";
static char path[64];

static struct sl_listen_address
unix_address(void)
{
	char text[SL_LISTEN_ADDRESS_MAX];
	snprintf(text, sizeof text, "unix:%s", path);
	return parse(text);
}

static bool
path_exists(void)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static void
test_listener_unix_is_one_socket_for_all_shards_and_leaves_no_path(void)
{
	struct sl_listener listener;
	struct sl_listen_address address = unix_address();
	CU_ASSERT_EQUAL_FATAL(open_listener(&listener, &address, 3), 0);
	CU_ASSERT_EQUAL(sl_listener_get_fd(&listener, 0), sl_listener_get_fd(&listener, 2));
	int client = connect_to(&address);
	struct sl_socket socket;
	CU_ASSERT_TRUE_FATAL(accept_socket(&listener, 2, &socket));
	CU_ASSERT_EQUAL(socket.peer.family, AF_UNIX);
	char text[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&socket.peer, text);
	CU_ASSERT_STRING_EQUAL(text, "unix");
	sl_socket_finish(&socket);
	close(client);
	CU_ASSERT_TRUE(path_exists());
	sl_listener_finish(&listener);
	CU_ASSERT_FALSE(path_exists());
}

static void
test_listener_removes_the_stale_path_of_a_crashed_gateway(void)
{
	struct sl_listener crashed, next;
	struct sl_listen_address address = unix_address();
	CU_ASSERT_EQUAL_FATAL(open_listener(&crashed, &address, 1), 0);
	crashed.unlink_path = false; /* as a crash would */
	sl_listener_finish(&crashed);
	CU_ASSERT_TRUE(path_exists());
	CU_ASSERT_EQUAL(open_listener(&next, &address, 1), 0);
	sl_listener_finish(&next);
}

static void
test_listener_leaves_a_path_alone_that_is_listened_at(void)
{
	struct sl_listener first, second;
	struct sl_listen_address address = unix_address();
	CU_ASSERT_EQUAL_FATAL(open_listener(&first, &address, 1), 0);
	CU_ASSERT_EQUAL(open_listener(&second, &address, 1), SL_EIO);
	CU_ASSERT_EQUAL(errno, EADDRINUSE);
	int client = connect_to(&address);
	CU_ASSERT_TRUE(client >= 0);
	close(client);
	sl_listener_finish(&first);
}

static void
test_listener_leaves_a_path_alone_that_is_no_socket(void)
{
	struct sl_listener listener;
	struct sl_listen_address address = unix_address();
	close(open(path, O_CREAT | O_WRONLY, 0600));
	CU_ASSERT_EQUAL(open_listener(&listener, &address, 1), SL_EIO);
	CU_ASSERT_TRUE(path_exists());
	unlink(path);
}

/* ---- sockets passed by systemd ---- */

static void
test_listener_adopts_a_listening_socket_for_all_shards(void)
{
	struct sl_listener listener;
	struct sl_listen_address address = parse("127.0.0.1:0");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&address.sockaddr,
		address.sockaddr_len), 0);
	CU_ASSERT_EQUAL(sl_listener_adopt(&listener, fd), SL_EINVAL); /* does not listen yet */
	CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
	CU_ASSERT_EQUAL_FATAL(sl_listener_adopt(&listener, fd), 0);
	CU_ASSERT_EQUAL(sl_listener_get_fd(&listener, 5), fd);
	CU_ASSERT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_NOT_EQUAL(listener.address.port, 0);
	int client = connect_to(&listener.address);
	struct sl_socket socket;
	bool is_accepted = accept_socket(&listener, 5, &socket);
	CU_ASSERT_TRUE_FATAL(is_accepted);
	sl_socket_finish(&socket);
	close(client);
	sl_listener_finish(&listener);
}

static void
test_listener_adopted_unix_path_is_not_ours_to_remove(void)
{
	struct sl_listener listener;
	struct sl_listen_address address = unix_address();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&address.sockaddr,
		address.sockaddr_len), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
	CU_ASSERT_EQUAL_FATAL(sl_listener_adopt(&listener, fd), 0);
	CU_ASSERT_EQUAL(listener.address.kind, SL_ADDRESS_UNIX);
	sl_listener_finish(&listener);
	CU_ASSERT_TRUE(path_exists());
	unlink(path);
}

static void
test_listener_adopts_nothing_that_is_no_listening_stream(void)
{
	struct sl_listener listener;
	int datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int pipes[2];
	CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
	CU_ASSERT_EQUAL(sl_listener_adopt(&listener, datagram), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_listener_adopt(&listener, pipes[0]), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_listener_adopt(&listener, -1), SL_EINVAL);
	close(datagram);
	close(pipes[0]);
	close(pipes[1]);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_listener_tells_the_port_that_the_system_chose),
		UNIT_TEST(test_listener_second_gateway_on_the_port_gets_eaddrinuse),
		UNIT_TEST(test_listener_second_that_was_bound_at_the_same_time_does_not_listen),
		UNIT_TEST(test_listener_siblings_share_the_port_and_every_connection_reaches_one),
		UNIT_TEST(test_listener_accepts_nonblocking_sockets_without_delay),
		UNIT_TEST(test_listener_finished_refuses_connections),
		UNIT_TEST(test_listener_unix_is_one_socket_for_all_shards_and_leaves_no_path),
		UNIT_TEST(test_listener_removes_the_stale_path_of_a_crashed_gateway),
		UNIT_TEST(test_listener_leaves_a_path_alone_that_is_listened_at),
		UNIT_TEST(test_listener_leaves_a_path_alone_that_is_no_socket),
		UNIT_TEST(test_listener_adopts_a_listening_socket_for_all_shards),
		UNIT_TEST(test_listener_adopted_unix_path_is_not_ours_to_remove),
		UNIT_TEST(test_listener_adopts_nothing_that_is_no_listening_stream),
		{ NULL, NULL },
	};
	if (!mkdtemp(folder))
		return 2;
	snprintf(path, sizeof path, "%s/socket", folder);
	int status = unit_main("listener", tests);
	rmdir(folder);
	return status;
}
