#include "core/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/err.h"

/* A client and the gateway's socket, over TCP on loopback or a Unix socket pair. */
struct pair {
	int client;
	struct sl_socket socket;
};

static void
open_tcp(struct pair *pair)
{
	struct sockaddr_storage address = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&address;
	socklen_t len = sizeof *in;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pair->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(bind(listening, (struct sockaddr *)in, len), 0);
	CU_ASSERT_EQUAL_FATAL(listen(listening, 1), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(listening, (struct sockaddr *)in, &len), 0);
	CU_ASSERT_EQUAL_FATAL(connect(pair->client, (struct sockaddr *)in, len), 0);
	int fd = accept4(listening, (struct sockaddr *)in, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	close(listening);
	sl_socket_init(&pair->socket, fd, &address);
}

static void
open_unix(struct pair *pair)
{
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	int fds[2];
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	pair->client = fds[0];
	sl_socket_init(&pair->socket, fds[1], &address);
}

static void
close_pair(struct pair *pair)
{
	sl_socket_finish(&pair->socket); /* twice is allowed */
	sl_socket_finish(&pair->socket);
	if (pair->client >= 0)
		close(pair->client);
}

static void
send_bytes(struct pair *pair, const char *text)
{
	size_t len = strlen(text);
	CU_ASSERT_EQUAL_FATAL((size_t)send(pair->client, text, len, MSG_NOSIGNAL), len);
}

static void
wait_for(const struct pair *pair, short events)
{
	struct pollfd fd = { .fd = pair->socket.fd, .events = events };
	CU_ASSERT_EQUAL_FATAL(poll(&fd, 1, 20000), 1);
}

/* ---- bytes ---- */

static void
check_transfer(struct pair *pair)
{
	char bytes[16];
	char hello[] = "hello ", world[] = "world";
	struct iovec slices[] = { { hello, 6 }, { world, 5 } };
	CU_ASSERT_EQUAL(sl_socket_read(&pair->socket, bytes, sizeof bytes), SL_EAGAIN);
	CU_ASSERT_EQUAL(sl_socket_write(&pair->socket, slices, 2), 11);
	CU_ASSERT_EQUAL(recv(pair->client, bytes, sizeof bytes, 0), 11);
	CU_ASSERT_EQUAL(memcmp(bytes, "hello world", 11), 0);
	CU_ASSERT_EQUAL(sl_socket_write(&pair->socket, slices, 1), 6);
	send_bytes(pair, "abcdef");
	wait_for(pair, POLLIN);
	CU_ASSERT_EQUAL(sl_socket_discard(&pair->socket, bytes, 2), 2);
	CU_ASSERT_EQUAL(sl_socket_read(&pair->socket, bytes, sizeof bytes), 4);
	CU_ASSERT_EQUAL(memcmp(bytes, "cdef", 4), 0);
}

static void
test_socket_reads_discards_and_writes(void)
{
	struct pair pair;
	open_tcp(&pair);
	check_transfer(&pair);
	close_pair(&pair);
	open_unix(&pair);
	check_transfer(&pair);
	close_pair(&pair);
}

/* Notes all it is told, as one line of text a call. */
struct noting {
	struct sl_socket_tap base;
	char *text;
	size_t size;
};

static void
note(struct sl_socket_tap *tap, char what, const struct iovec *slices, int count, size_t len)
{
	struct noting *noting = (struct noting *)tap;
	size_t at = strlen(noting->text);
	at += (size_t)snprintf(noting->text + at, noting->size - at, "%c%zu ", what, len);
	for (int i = 0; i < count; i++)
		at += (size_t)snprintf(noting->text + at, noting->size - at, "%.*s|",
			(int)slices[i].iov_len, (const char *)slices[i].iov_base);
	snprintf(noting->text + at, noting->size - at, "\n");
}

static void
note_received(struct sl_socket_tap *tap, const struct iovec *slices, int count, size_t len)
{
	note(tap, '>', slices, count, len);
}

static void
note_sent(struct sl_socket_tap *tap, const struct iovec *slices, int count, size_t len)
{
	note(tap, '<', slices, count, len);
}

static void
note_left(struct sl_socket_tap *tap)
{
	note(tap, 'L', NULL, 0, 0);
}

static void
note_end(struct sl_socket_tap *tap)
{
	note(tap, 'E', NULL, 0, 0);
}

static void
test_socket_tells_its_tap_each_call_but_the_quiet_ones(void)
{
	static const struct sl_socket_tap_ops ops = { note_received, note_sent, note_left, note_end };
	char text[256] = "", byte[8];
	struct noting noting = { { &ops }, text, sizeof text };
	char ab[] = "ab", cde[] = "cde";
	struct iovec slices[] = { { ab, 2 }, { cde, 3 } };
	struct pair pair;
	open_tcp(&pair);
	pair.socket.tap = &noting.base;
	CU_ASSERT_EQUAL(sl_socket_read(&pair.socket, byte, sizeof byte), SL_EAGAIN);
	send_bytes(&pair, "12345");
	wait_for(&pair, POLLIN);
	CU_ASSERT_EQUAL(sl_socket_read(&pair.socket, byte, 2), 2);
	CU_ASSERT_EQUAL(sl_socket_read_quietly(&pair.socket, byte, 1), 1);
	CU_ASSERT_EQUAL(sl_socket_discard(&pair.socket, byte, sizeof byte), 2);
	CU_ASSERT_EQUAL(sl_socket_write(&pair.socket, slices, 2), 5);
	close(pair.client);
	pair.client = -1;
	wait_for(&pair, POLLIN);
	sl_socket_read(&pair.socket, byte, 1);
	close_pair(&pair);
	/* Bytes of the gateway that nobody read make the peer's end a reset. */
	CU_ASSERT_STRING_EQUAL(text, ">2 12|\n>2 45|\n<5 ab|cde|\nL0 \nE0 \n");
}

static void
check_end(struct pair *pair)
{
	char byte = 'x';
	struct iovec slice = { &byte, 1 };
	close(pair->client);
	pair->client = -1;
	wait_for(pair, POLLIN);
	CU_ASSERT_EQUAL(sl_socket_read(&pair->socket, &byte, 1), SL_ECLOSED);
	ssize_t result;
	while ((result = sl_socket_write(&pair->socket, &slice, 1)) > 0)
		wait_for(pair, POLLERR); /* TCP learns of it by the answer to the first bytes */
	CU_ASSERT_EQUAL(result, SL_ECLOSED); /* and no SIGPIPE */
}

static void
test_socket_tells_that_the_peer_has_gone(void)
{
	struct pair pair;
	open_tcp(&pair);
	check_end(&pair);
	close_pair(&pair);
	open_unix(&pair);
	check_end(&pair);
	close_pair(&pair);
}

static void
test_socket_full_takes_no_more_for_now(void)
{
	static char bytes[1 << 16];
	struct pair pair;
	struct iovec slice = { bytes, sizeof bytes };
	ssize_t sent;
	open_unix(&pair);
	while ((sent = sl_socket_write(&pair.socket, &slice, 1)) > 0)
		;
	CU_ASSERT_EQUAL(sent, SL_EAGAIN);
	close_pair(&pair);
}

/* ---- endings ---- */

static void
test_socket_shut_ends_one_direction_only(void)
{
	struct pair pair;
	char byte;
	open_tcp(&pair);
	sl_socket_shut(&pair.socket);
	CU_ASSERT_EQUAL(recv(pair.client, &byte, 1, 0), 0);
	send_bytes(&pair, "x");
	wait_for(&pair, POLLIN);
	CU_ASSERT_EQUAL(sl_socket_read(&pair.socket, &byte, 1), 1);
	close_pair(&pair);
}

static void
test_socket_set_to_abort_sends_a_reset(void)
{
	struct pair pair;
	char byte;
	open_tcp(&pair);
	sl_socket_set_abort(&pair.socket);
	sl_socket_finish(&pair.socket);
	CU_ASSERT_EQUAL(recv(pair.client, &byte, 1, 0), -1);
	CU_ASSERT_EQUAL(errno, ECONNRESET);
	close_pair(&pair);
}

static void
test_socket_user_timeout_is_the_kernels(void)
{
	struct pair pair;
	unsigned timeout_ms = 0;
	socklen_t len = sizeof timeout_ms;
	open_tcp(&pair);
	sl_socket_set_user_timeout(&pair.socket, 37500);
	CU_ASSERT_EQUAL(
		getsockopt(pair.socket.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &len), 0);
	CU_ASSERT_EQUAL(timeout_ms, 37500);
	close_pair(&pair);
	open_unix(&pair);
	sl_socket_set_user_timeout(&pair.socket, 37500); /* means nothing there */
	close_pair(&pair);
}

/* ---- addresses ---- */

static void
check_address(const struct sockaddr_storage *peer, const char *expected)
{
	struct sl_socket socket;
	char text[SL_ADDRESS_TEXT_MAX];
	sl_socket_init(&socket, -1, peer);
	sl_address_format(&socket.peer, text);
	CU_ASSERT_STRING_EQUAL(text, expected);
	sl_socket_finish(&socket);
}

static void
test_socket_tells_its_peers_address(void)
{
	struct sockaddr_storage given = { 0 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&given;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(4711);
	in6->sin6_addr.s6_addr[15] = 1;
	check_address(&given, "[::1]:4711");
	memcpy(in6->sin6_addr.s6_addr, (uint8_t[16]){ [10] = 0xff, 0xff, 192, 0, 2, 1 }, 16);
	check_address(&given, "192.0.2.1:4711");
	memset(&given, 0, sizeof given);
	struct sockaddr_in *in = (struct sockaddr_in *)&given;
	in->sin_family = AF_INET;
	in->sin_port = htons(80);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check_address(&given, "127.0.0.1:80");
	given.ss_family = AF_UNIX;
	check_address(&given, "unix");
}

static void
test_socket_address_may_be_set_from_what_is_told(void)
{
	static const uint8_t v4[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 }, v6[16] = { 0x20, 1, [15] = 1 };
	struct sl_address address;
	char text[SL_ADDRESS_TEXT_MAX];
	sl_address_set_ip(&address, v4, 0);
	CU_ASSERT_EQUAL(address.family, AF_INET);
	sl_address_format(&address, text);
	CU_ASSERT_STRING_EQUAL(text, "192.0.2.1");
	sl_address_set_ip(&address, v6, 4711);
	CU_ASSERT_EQUAL(address.family, AF_INET6);
	sl_address_format(&address, text);
	CU_ASSERT_STRING_EQUAL(text, "[2001::1]:4711");
	address.port = 0;
	sl_address_format(&address, text);
	CU_ASSERT_STRING_EQUAL(text, "[2001::1]");
}

static void
test_socket_owner_of_an_address_is_its_network_in_ipv6(void)
{
	uint8_t one[16], two[16];
	struct sl_address v4 = { .family = AF_INET, .bytes = { [10] = 0xff, 0xff, 10, 0, 0, 1 } };
	struct sl_address v6 = { .family = AF_INET6, .bytes = { 0x20, 1, [7] = 7, [15] = 1 } };
	struct sl_address none = { .family = AF_UNIX };
	CU_ASSERT_TRUE(sl_address_get_owner(&v4, one));
	CU_ASSERT_EQUAL(memcmp(one, v4.bytes, 16), 0);
	v4.family = AF_INET6; /* as a listener for both has it */
	CU_ASSERT_TRUE(sl_address_get_owner(&v4, two));
	CU_ASSERT_EQUAL(memcmp(one, two, 16), 0);
	CU_ASSERT_TRUE(sl_address_get_owner(&v6, one));
	v6.bytes[8] = v6.bytes[15] = 99;
	CU_ASSERT_TRUE(sl_address_get_owner(&v6, two));
	CU_ASSERT_EQUAL(memcmp(one, two, 16), 0);
	v6.bytes[7]++;
	CU_ASSERT_TRUE(sl_address_get_owner(&v6, two));
	CU_ASSERT_NOT_EQUAL(memcmp(one, two, 16), 0);
	CU_ASSERT_FALSE(sl_address_get_owner(&none, one));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_socket_reads_discards_and_writes),
		UNIT_TEST(test_socket_address_may_be_set_from_what_is_told),
		UNIT_TEST(test_socket_owner_of_an_address_is_its_network_in_ipv6),
		UNIT_TEST(test_socket_tells_its_tap_each_call_but_the_quiet_ones),
		UNIT_TEST(test_socket_tells_that_the_peer_has_gone),
		UNIT_TEST(test_socket_full_takes_no_more_for_now),
		UNIT_TEST(test_socket_shut_ends_one_direction_only),
		UNIT_TEST(test_socket_set_to_abort_sends_a_reset),
		UNIT_TEST(test_socket_user_timeout_is_the_kernels),
		UNIT_TEST(test_socket_tells_its_peers_address),
		{ NULL, NULL },
	};
	return unit_main("socket", tests);
}
