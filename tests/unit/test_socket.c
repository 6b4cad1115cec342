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
	struct sl_socket *socket;
};

static bool
has_unparsed(const struct sl_socket *socket)
{
	return sl_socket_has_unparsed(socket, sl_socket_measure(socket));
}

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
	pair->socket = sl_socket_create(fd, &address);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pair->socket);
}

static void
open_unix(struct pair *pair)
{
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	int fds[2];
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	pair->client = fds[0];
	pair->socket = sl_socket_create(fds[1], &address);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pair->socket);
}

static void
close_pair(struct pair *pair)
{
	sl_socket_destroy(pair->socket);
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
	struct pollfd fd = { .fd = pair->socket->fd, .events = events };
	CU_ASSERT_EQUAL_FATAL(poll(&fd, 1, 20000), 1);
}

/* As libmicrohttpd would: reads without the socket's own calls. */
static void
read_behind_its_back(struct pair *pair, size_t len)
{
	char bytes[64];
	wait_for(pair, POLLIN);
	CU_ASSERT_EQUAL_FATAL((size_t)recv(pair->socket->fd, bytes, len, MSG_WAITALL), len);
}

/* ---- parsed and pipelined bytes: six cases ---- */

static void
test_socket_knows_that_nothing_was_pipelined(void)
{
	struct pair pair;
	open_tcp(&pair);
	CU_ASSERT_FALSE(has_unparsed(pair.socket));
	send_bytes(&pair, "request");
	read_behind_its_back(&pair, 7);
	CU_ASSERT_TRUE(has_unparsed(pair.socket)); /* until it is said to be parsed */
	pair.socket->parsed_in = 7;
	CU_ASSERT_FALSE(has_unparsed(pair.socket));
	close_pair(&pair);
}

static void
test_socket_knows_that_pipelined_bytes_were_read(void)
{
	struct pair pair;
	open_tcp(&pair);
	send_bytes(&pair, "requestnext");
	read_behind_its_back(&pair, 11);
	pair.socket->parsed_in = 7;
	CU_ASSERT_TRUE(has_unparsed(pair.socket));
	close_pair(&pair);
}

static void
test_socket_pipelined_bytes_that_nobody_read_are_safe_in_the_kernel(void)
{
	struct pair pair;
	open_tcp(&pair);
	send_bytes(&pair, "request");
	read_behind_its_back(&pair, 7);
	send_bytes(&pair, "next");
	wait_for(&pair, POLLIN);
	pair.socket->parsed_in = 7;
	CU_ASSERT_FALSE(has_unparsed(pair.socket));
	close_pair(&pair);
}

static void
test_socket_knows_that_pipelined_bytes_were_read_in_part(void)
{
	struct pair pair;
	open_tcp(&pair);
	send_bytes(&pair, "requestnext");
	read_behind_its_back(&pair, 9);
	pair.socket->parsed_in = 7;
	CU_ASSERT_TRUE(has_unparsed(pair.socket));
	pair.socket->parsed_in = 9;
	CU_ASSERT_FALSE(has_unparsed(pair.socket));
	close_pair(&pair);
}

static void
test_socket_knows_it_after_the_client_has_shut_its_side(void)
{
	for (size_t pipelined = 0; pipelined <= 4; pipelined += 4) {
		struct pair pair;
		open_tcp(&pair);
		send_bytes(&pair, pipelined ? "requestnext" : "request");
		shutdown(pair.client, SHUT_WR);
		wait_for(&pair, POLLRDHUP);
		pair.socket->parsed_in = 7;
		read_behind_its_back(&pair, 7);
		CU_ASSERT_FALSE(has_unparsed(pair.socket)); /* the rest is unread */
		if (pipelined) {
			read_behind_its_back(&pair, 4);
			CU_ASSERT_TRUE(has_unparsed(pair.socket));
		}
		close_pair(&pair);
	}
}

static void
test_socket_of_a_unix_listener_can_never_tell(void)
{
	struct pair pair;
	open_unix(&pair);
	CU_ASSERT_TRUE(pair.socket->is_opaque);
	CU_ASSERT_TRUE(has_unparsed(pair.socket));
	CU_ASSERT_FALSE(sl_socket_measure(pair.socket).is_known);
	close_pair(&pair);
}

static void
test_socket_that_was_declared_opaque_is_never_trusted(void)
{
	struct pair pair;
	open_tcp(&pair);
	pair.socket->is_opaque = true;
	CU_ASSERT_TRUE(has_unparsed(pair.socket));
	close_pair(&pair);
}

/* ---- bytes ---- */

static void
check_transfer(struct pair *pair)
{
	char bytes[16];
	char hello[] = "hello ", world[] = "world";
	struct iovec slices[] = { { hello, 6 }, { world, 5 } };
	CU_ASSERT_EQUAL(sl_socket_read(pair->socket, bytes, sizeof bytes), SL_EAGAIN);
	CU_ASSERT_EQUAL(sl_socket_write(pair->socket, slices, 2), 11);
	CU_ASSERT_EQUAL(recv(pair->client, bytes, sizeof bytes, 0), 11);
	CU_ASSERT_EQUAL(memcmp(bytes, "hello world", 11), 0);
	CU_ASSERT_EQUAL(sl_socket_write(pair->socket, slices, 1), 6);
	CU_ASSERT_EQUAL(pair->socket->charged_out, 17);
	send_bytes(pair, "abcdef");
	wait_for(pair, POLLIN);
	CU_ASSERT_EQUAL(sl_socket_peek(pair->socket, bytes, 3), 3);
	CU_ASSERT_EQUAL(pair->socket->charged_in, 0); /* peeked at, not taken */
	CU_ASSERT_EQUAL(sl_socket_discard(pair->socket, bytes, 2), 2);
	CU_ASSERT_EQUAL(sl_socket_read(pair->socket, bytes, sizeof bytes), 4);
	CU_ASSERT_EQUAL(memcmp(bytes, "cdef", 4), 0);
	CU_ASSERT_EQUAL(pair->socket->charged_in, 6);
	CU_ASSERT_EQUAL(pair->socket->parsed_in, 6);
}

static void
test_socket_reads_peeks_discards_and_writes(void)
{
	struct pair pair;
	open_tcp(&pair);
	check_transfer(&pair);
	CU_ASSERT_FALSE(has_unparsed(pair.socket));
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
test_socket_tells_its_tap_each_call_and_nothing_of_peeks(void)
{
	static const struct sl_socket_tap_ops ops = { note_received, note_sent, note_left, note_end };
	char text[256] = "", byte[8];
	struct noting noting = { { &ops }, text, sizeof text };
	char ab[] = "ab", cde[] = "cde";
	struct iovec slices[] = { { ab, 2 }, { cde, 3 } };
	struct pair pair;
	open_tcp(&pair);
	pair.socket->tap = &noting.base;
	CU_ASSERT_EQUAL(sl_socket_read(pair.socket, byte, sizeof byte), SL_EAGAIN);
	send_bytes(&pair, "12345");
	wait_for(&pair, POLLIN);
	CU_ASSERT_EQUAL(sl_socket_peek(pair.socket, byte, sizeof byte), 5);
	CU_ASSERT_EQUAL(sl_socket_read(pair.socket, byte, 2), 2);
	CU_ASSERT_EQUAL(sl_socket_discard(pair.socket, byte, sizeof byte), 3);
	CU_ASSERT_EQUAL(sl_socket_write(pair.socket, slices, 2), 5);
	close(pair.client);
	pair.client = -1;
	wait_for(&pair, POLLIN);
	sl_socket_read(pair.socket, byte, 1);
	close_pair(&pair);
	/* Bytes of the gateway that nobody read make the peer's end a reset. */
	CU_ASSERT_STRING_EQUAL(text, ">2 12|\n>3 345|\n<5 ab|cde|\nL0 \nE0 \n");
}

static void
check_end(struct pair *pair)
{
	char byte = 'x';
	struct iovec slice = { &byte, 1 };
	close(pair->client);
	pair->client = -1;
	wait_for(pair, POLLIN);
	CU_ASSERT_EQUAL(sl_socket_read(pair->socket, &byte, 1), SL_ECLOSED);
	CU_ASSERT_EQUAL(sl_socket_peek(pair->socket, &byte, 1), SL_ECLOSED);
	ssize_t result;
	while ((result = sl_socket_write(pair->socket, &slice, 1)) > 0)
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
test_socket_wire_bytes_are_what_the_peers_sent(void)
{
	struct pair pair;
	open_tcp(&pair);
	char answer[] = "answer";
	struct iovec slice = { answer, 6 };
	send_bytes(&pair, "request");
	read_behind_its_back(&pair, 7);
	send_bytes(&pair, "unread");
	wait_for(&pair, POLLIN);
	CU_ASSERT_EQUAL(sl_socket_write(pair.socket, &slice, 1), 6);
	struct sl_socket_bytes measured = sl_socket_measure(pair.socket);
	CU_ASSERT_TRUE(measured.is_known);
	CU_ASSERT_EQUAL(measured.in, 7);
	CU_ASSERT_EQUAL(measured.out, 6);
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
	while ((sent = sl_socket_write(pair.socket, &slice, 1)) > 0)
		;
	CU_ASSERT_EQUAL(sent, SL_EAGAIN);
	close_pair(&pair);
}

/* ---- handover and endings ---- */

static void
test_socket_handed_over_outlives_the_descriptor_it_came_with(void)
{
	struct pair pair;
	char bytes[8];
	char text[] = "alive";
	struct iovec slice = { text, 5 };
	open_tcp(&pair);
	int original = pair.socket->fd;
	CU_ASSERT_EQUAL_FATAL(sl_socket_hand_over(pair.socket), 0);
	CU_ASSERT_NOT_EQUAL(pair.socket->fd, original);
	CU_ASSERT_TRUE(fcntl(pair.socket->fd, F_GETFD) & FD_CLOEXEC);
	close(original);
	CU_ASSERT_EQUAL(sl_socket_write(pair.socket, &slice, 1), 5);
	CU_ASSERT_EQUAL(recv(pair.client, bytes, sizeof bytes, 0), 5);
	int lowat = 0;
	socklen_t len = sizeof lowat;
	CU_ASSERT_EQUAL(getsockopt(pair.socket->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, &len), 0);
	CU_ASSERT_EQUAL(lowat, 65536);
	close_pair(&pair);
}

static void
test_socket_shut_ends_one_direction_only(void)
{
	struct pair pair;
	char byte;
	open_tcp(&pair);
	sl_socket_shut(pair.socket);
	CU_ASSERT_EQUAL(recv(pair.client, &byte, 1, 0), 0);
	send_bytes(&pair, "x");
	wait_for(&pair, POLLIN);
	CU_ASSERT_EQUAL(sl_socket_read(pair.socket, &byte, 1), 1);
	close_pair(&pair);
}

static void
test_socket_broken_makes_its_reader_see_the_end(void)
{
	struct pair pair;
	char byte;
	open_tcp(&pair);
	sl_socket_break(pair.socket);
	CU_ASSERT_EQUAL(sl_socket_read(pair.socket, &byte, 1), SL_ECLOSED);
	close_pair(&pair);
}

static void
test_socket_set_to_abort_sends_a_reset(void)
{
	struct pair pair;
	char byte;
	open_tcp(&pair);
	sl_socket_set_abort(pair.socket);
	sl_socket_destroy(pair.socket);
	pair.socket = NULL;
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
	sl_socket_set_user_timeout(pair.socket, 37500);
	CU_ASSERT_EQUAL(
		getsockopt(pair.socket->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &len), 0);
	CU_ASSERT_EQUAL(timeout_ms, 37500);
	close_pair(&pair);
	open_unix(&pair);
	sl_socket_set_user_timeout(pair.socket, 37500); /* means nothing there */
	close_pair(&pair);
}

/* ---- addresses ---- */

static void
test_socket_gives_its_peer_back_as_it_came(void)
{
	struct sockaddr_storage given = { 0 }, got;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&given;
	char text[SL_ADDRESS_TEXT_MAX];
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(4711);
	in6->sin6_addr.s6_addr[15] = 1;
	struct sl_socket *socket = sl_socket_create(-1, &given);
	sl_address_format(&socket->peer, text);
	CU_ASSERT_STRING_EQUAL(text, "[::1]:4711");
	CU_ASSERT_EQUAL(sl_socket_get_sockaddr(socket, &got), sizeof *in6);
	CU_ASSERT_EQUAL(memcmp(&got, &given, sizeof *in6), 0);
	sl_socket_destroy(socket);
	memset(&given, 0, sizeof given);
	struct sockaddr_in *in = (struct sockaddr_in *)&given;
	in->sin_family = AF_INET;
	in->sin_port = htons(80);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socket = sl_socket_create(-1, &given);
	sl_address_format(&socket->peer, text);
	CU_ASSERT_STRING_EQUAL(text, "127.0.0.1:80");
	CU_ASSERT_EQUAL(sl_socket_get_sockaddr(socket, &got), sizeof *in);
	CU_ASSERT_EQUAL(memcmp(&got, &given, sizeof *in), 0);
	sl_socket_destroy(socket);
	sl_socket_destroy(NULL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_socket_knows_that_nothing_was_pipelined),
		UNIT_TEST(test_socket_knows_that_pipelined_bytes_were_read),
		UNIT_TEST(test_socket_pipelined_bytes_that_nobody_read_are_safe_in_the_kernel),
		UNIT_TEST(test_socket_knows_that_pipelined_bytes_were_read_in_part),
		UNIT_TEST(test_socket_knows_it_after_the_client_has_shut_its_side),
		UNIT_TEST(test_socket_of_a_unix_listener_can_never_tell),
		UNIT_TEST(test_socket_that_was_declared_opaque_is_never_trusted),
		UNIT_TEST(test_socket_reads_peeks_discards_and_writes),
		UNIT_TEST(test_socket_tells_its_tap_each_call_and_nothing_of_peeks),
		UNIT_TEST(test_socket_tells_that_the_peer_has_gone),
		UNIT_TEST(test_socket_wire_bytes_are_what_the_peers_sent),
		UNIT_TEST(test_socket_full_takes_no_more_for_now),
		UNIT_TEST(test_socket_handed_over_outlives_the_descriptor_it_came_with),
		UNIT_TEST(test_socket_shut_ends_one_direction_only),
		UNIT_TEST(test_socket_broken_makes_its_reader_see_the_end),
		UNIT_TEST(test_socket_set_to_abort_sends_a_reset),
		UNIT_TEST(test_socket_user_timeout_is_the_kernels),
		UNIT_TEST(test_socket_gives_its_peer_back_as_it_came),
		{ NULL, NULL },
	};
	return unit_main("socket", tests);
}
