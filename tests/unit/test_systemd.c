#include "util/systemd.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* Runs `check` in a child, whose descriptors 3 and 4 are a socket pair; returns what it did. */
static int
in_child(int (*check)(void))
{
	pid_t child = fork();
	if (child == 0) {
		int pair[2];
		char pid[32];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
			_exit(100);
		/* By way of high numbers, since the pair may be 3 and 4 crosswise. */
		int first = fcntl(pair[0], F_DUPFD, 50), second = fcntl(pair[1], F_DUPFD, 50);
		if (dup2(first, 3) != 3 || dup2(second, 4) != 4)
			_exit(101);
		close(5);
		snprintf(pid, sizeof pid, "%d", (int)getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "2", 1);
		setenv("LISTEN_FDNAMES", "a:b", 1);
		_exit(check());
	}
	int status;
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
takes_two(void)
{
	struct sl_systemd_socket *fds;
	if (sl_systemd_listen_fds(&fds) != 2 || fds[0].fd != 3 || fds[1].fd != 4)
		return 1;
	if (strcmp(fds[0].name, "a") != 0 || strcmp(fds[1].name, "b") != 0)
		return 5;
	free(fds);
	if (!(fcntl(3, F_GETFD) & FD_CLOEXEC) || !(fcntl(4, F_GETFD) & FD_CLOEXEC))
		return 2;
	if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES"))
		return 3;
	return sl_systemd_listen_fds(&fds) == 0 && !fds ? 0 : 4;
}

/* Fewer than there are sockets, an empty one, one that is too long; then none at all. */
static int
takes_names_that_are_not_as_expected(void)
{
	struct sl_systemd_socket *fds;
	char pid[32], names[302];
	snprintf(pid, sizeof pid, "%s", getenv("LISTEN_PID"));
	memset(names, 'n', sizeof names);
	names[0] = ':';
	names[sizeof names - 1] = '\0';
	setenv("LISTEN_FDNAMES", names, 1);
	if (sl_systemd_listen_fds(&fds) != 2 || fds[0].name[0] != '\0' ||
			strlen(fds[1].name) != SL_SYSTEMD_NAME_MAX - 1)
		return 1;
	free(fds);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "https", 1);
	if (sl_systemd_listen_fds(&fds) != 2 || strcmp(fds[0].name, "https") != 0 ||
			fds[1].name[0] != '\0')
		return 2;
	free(fds);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	if (sl_systemd_listen_fds(&fds) != 2 || fds[0].name[0] != '\0')
		return 3;
	free(fds);
	return 0;
}

static int
leaves_those_of_another_process(void)
{
	struct sl_systemd_socket *fds;
	setenv("LISTEN_PID", "1", 1);
	return sl_systemd_listen_fds(&fds) == 0 && !fds && !(fcntl(3, F_GETFD) & FD_CLOEXEC) ? 0 : 1;
}

static int
refuses_a_descriptor_that_is_closed(void)
{
	struct sl_systemd_socket *fds;
	setenv("LISTEN_FDS", "3", 1);
	return sl_systemd_listen_fds(&fds) == SL_EINVAL && !fds ? 0 : 1;
}

static int
refuses_a_count_that_is_none(void)
{
	static const char *const counts[] = { "0", "-1", "x", "2x", "", "99999999999999999999" };
	char pid[32];
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct sl_systemd_socket *fds;
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", counts[i], 1);
		if (sl_systemd_listen_fds(&fds) != SL_EINVAL || fds)
			return (int)i + 1;
	}
	return 0;
}

static int
takes_none_without_memory(void)
{
	struct sl_systemd_socket *fds;
	failing_alloc_set(1, true);
	int result = sl_systemd_listen_fds(&fds);
	failing_alloc_off();
	return result == SL_ENOMEM && !fds && !getenv("LISTEN_FDS") ? 0 : 1;
}

static void
test_systemd_takes_passed_sockets_once(void)
{
	CU_ASSERT_EQUAL(in_child(takes_two), 0);
}

static void
test_systemd_takes_what_names_there_are(void)
{
	CU_ASSERT_EQUAL(in_child(takes_names_that_are_not_as_expected), 0);
}

static void
test_systemd_leaves_sockets_of_another_process(void)
{
	CU_ASSERT_EQUAL(in_child(leaves_those_of_another_process), 0);
}

static void
test_systemd_refuses_what_cannot_be_sockets(void)
{
	CU_ASSERT_EQUAL(in_child(refuses_a_descriptor_that_is_closed), 0);
	CU_ASSERT_EQUAL(in_child(refuses_a_count_that_is_none), 0);
	CU_ASSERT_EQUAL(in_child(takes_none_without_memory), 0);
}

/* Binds a datagram socket to `name` ('@' first: abstract), notifies, compares. */
static void
expect_notified(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char got[64] = "";
	size_t len = strlen(name);
	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	sl_systemd_notify("READY=1\nSTATUS=serving");
	unsetenv("NOTIFY_SOCKET");
	CU_ASSERT_EQUAL(recv(fd, got, sizeof got - 1, 0), 22);
	CU_ASSERT_STRING_EQUAL(got, "READY=1\nSTATUS=serving");
	close(fd);
}

static void
test_systemd_notifies_over_path_and_abstract_sockets(void)
{
	char folder[] = "/tmp/test_systemd.XXXXXX", name[64];
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(name, sizeof name, "%s/notify", folder);
	expect_notified(name);
	unlink(name);
	rmdir(folder);
	snprintf(name, sizeof name, "@sluice-test-%d", (int)getpid());
	expect_notified(name);
}

static void
test_systemd_notify_without_a_manager_does_nothing(void)
{
	char too_long[300];
	unsetenv("NOTIFY_SOCKET");
	sl_systemd_notify("READY=1");
	setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
	sl_systemd_notify("READY=1");
	memset(too_long, '/', sizeof too_long - 1);
	too_long[sizeof too_long - 1] = '\0';
	setenv("NOTIFY_SOCKET", too_long, 1);
	sl_systemd_notify("READY=1");
	unsetenv("NOTIFY_SOCKET");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_systemd_takes_passed_sockets_once),
		UNIT_TEST(test_systemd_takes_what_names_there_are),
		UNIT_TEST(test_systemd_leaves_sockets_of_another_process),
		UNIT_TEST(test_systemd_refuses_what_cannot_be_sockets),
		UNIT_TEST(test_systemd_notifies_over_path_and_abstract_sockets),
		UNIT_TEST(test_systemd_notify_without_a_manager_does_nothing),
		{ NULL, NULL },
	};
	return unit_main("systemd", tests);
}
