/* The nats-server that tests start: it answers at its port, and leaves nothing behind. */
#include "tests/backend/nats_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/err.h"

#define ANSWER_WAIT_MS 30000
#define SILENCE_WAIT_MS 200

static int
connect_to(const char *url)
{
	const char *port = strrchr(url, ':');
	CU_ASSERT_PTR_NOT_NULL_FATAL(port);
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)atoi(port + 1)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* A server greets first. */
static bool
greets_within(int fd, int timeout_ms)
{
	char greeting[5] = { 0 };
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	return poll(&wait, 1, timeout_ms) == 1 && recv(fd, greeting, sizeof greeting, MSG_WAITALL) == 5
		&& memcmp(greeting, "INFO ", 5) == 0;
}

static void
test_nats_server_greets_but_not_while_it_is_paused(void)
{
	struct nats_server server;
	CU_ASSERT_EQUAL_FATAL(nats_server_start(&server), 0);
	int fd = connect_to(server.url);
	CU_ASSERT_TRUE(greets_within(fd, ANSWER_WAIT_MS));
	close(fd);
	nats_server_pause(&server);
	fd = connect_to(server.url);
	CU_ASSERT_FALSE(greets_within(fd, SILENCE_WAIT_MS));
	nats_server_resume(&server);
	CU_ASSERT_TRUE(greets_within(fd, ANSWER_WAIT_MS));
	close(fd);
	nats_server_stop(&server);
}

static void
test_nats_server_leaves_neither_process_nor_folder(void)
{
	struct nats_server server;
	CU_ASSERT_EQUAL_FATAL(nats_server_start(&server), 0);
	pid_t pid = server.pid;
	CU_ASSERT_EQUAL(access(server.folder, F_OK), 0);
	nats_server_stop(&server);
	CU_ASSERT_EQUAL(kill(pid, 0), -1);
	CU_ASSERT_EQUAL(errno, ESRCH);
	CU_ASSERT_EQUAL(access(server.folder, F_OK), -1);
	nats_server_stop(&server);
}

static void
test_nats_server_finds_a_port_beside_others(void)
{
	struct nats_server one, other;
	CU_ASSERT_EQUAL_FATAL(nats_server_start(&one), 0);
	CU_ASSERT_EQUAL_FATAL(nats_server_start(&other), 0);
	CU_ASSERT_STRING_NOT_EQUAL(one.url, other.url);
	nats_server_stop(&one);
	nats_server_stop(&other);
}

static void
test_nats_server_without_a_folder_for_its_store_is_an_error(void)
{
	struct nats_server server;
	CU_ASSERT_EQUAL_FATAL(setenv("TMPDIR", "/no/such/folder", 1), 0);
	CU_ASSERT_EQUAL(nats_server_start(&server), SL_EIO);
	CU_ASSERT_EQUAL(server.pid, 0);
	unsetenv("TMPDIR");
	nats_server_stop(&server);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_server_greets_but_not_while_it_is_paused),
		UNIT_TEST(test_nats_server_leaves_neither_process_nor_folder),
		UNIT_TEST(test_nats_server_finds_a_port_beside_others),
		UNIT_TEST(test_nats_server_without_a_folder_for_its_store_is_an_error),
		{ NULL, NULL },
	};
	struct nats_server server;
	if (nats_server_start(&server) == SL_ENOENT) {
		puts("nats-server is not installed");
		return getenv("SLUICE_REQUIRE_TOOLS") ? 1 : 77; /* automake's skip */
	}
	nats_server_stop(&server);
	return unit_main("nats_server", tests);
}
