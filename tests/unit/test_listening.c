#include "listening.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "core/listener.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* ---- machines that lack an address or have a port taken ---- */

static int missing_family;   /* socket() knows none of it; 0: all there */
static int homeless_family;  /* it has no address of it, as with IPv6 turned off */
static unsigned taken_times; /* so often a port is taken at ::1 */
static unsigned binds;

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __real_bind(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len);

int
__wrap_socket(int family, int type, int protocol)
{
	if (family != missing_family)
		return __real_socket(family, type, protocol);
	errno = EAFNOSUPPORT;
	return -1;
}

int
__wrap_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	binds++;
	if (address->sa_family == AF_INET6 && taken_times > 0) {
		taken_times--;
		errno = EADDRINUSE;
		return -1;
	}
	if (address->sa_family != homeless_family)
		return __real_bind(fd, address, len);
	errno = EADDRNOTAVAIL;
	return -1;
}

static void
restore_machine(void)
{
	missing_family = homeless_family = 0;
	taken_times = binds = 0;
}

/* ---- what is open ---- */

struct opened {
	struct sl_listener *listeners;
	size_t count;
	int err;
};

static void
open_all(struct opened *opened, const char *const *addresses, const char *shards)
{
	char *argv[20] = { (char[]){ "sluice" }, (char[]){ "--shards" }, strdup(shards) };
	int argc = 3;
	struct sl_config config;
	for (; *addresses; addresses++) { /* "tls ADDRESS", "adm ADDRESS", or one in the clear */
		bool is_secure = strncmp(*addresses, "tls ", 4) == 0;
		bool is_admin = strncmp(*addresses, "adm ", 4) == 0;
		const char *option = is_admin ? "--admin-listen" : "--listen";
		argv[argc++] = strdup(is_secure ? "--tls-listen" : option);
		argv[argc++] = strdup(*addresses + (is_secure || is_admin ? 4 : 0));
	}
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, argc, argv), 0);
	*opened = (struct opened){ 0 };
	opened->err = sl_listening_open(&opened->listeners, &opened->count, &config);
	if (opened->err == 0)
		opened->err = sl_listening_begin(opened->listeners, opened->count);
	sl_config_finish(&config);
	for (int i = 2; i < argc; i++)
		free(argv[i]);
}

#define OPEN(opened, ...) \
	open_all(opened, (const char *const[]){ __VA_ARGS__, NULL }, "2")

static void
close_all(struct opened *opened)
{
	for (size_t i = 0; i < opened->count; i++)
		sl_listener_finish(&opened->listeners[i]);
	free(opened->listeners);
}

static void
expect_at(const struct opened *opened, size_t at, const char *host, unsigned port)
{
	CU_ASSERT_TRUE_FATAL(at < opened->count);
	CU_ASSERT_STRING_EQUAL(opened->listeners[at].address.host, host);
	CU_ASSERT_EQUAL(opened->listeners[at].address.port, port);
	CU_ASSERT_EQUAL(opened->listeners[at].count, 2);
}

/* Skipped where this very machine has no IPv6: the tests of its lack cover that. */
static bool
has_ipv6(void)
{
	struct opened opened;
	OPEN(&opened, "[::1]:0");
	bool has = opened.err == 0;
	close_all(&opened);
	return has;
}

/* ---- tests ---- */

static void
test_listening_localhost_is_both_families_at_one_port(void)
{
	struct opened opened;
	if (!has_ipv6())
		return;
	OPEN(&opened, "localhost:0");
	CU_ASSERT_EQUAL(opened.err, 0);
	CU_ASSERT_EQUAL_FATAL(opened.count, 2);
	unsigned port = opened.listeners[0].address.port;
	CU_ASSERT_NOT_EQUAL(port, 0);
	expect_at(&opened, 0, "127.0.0.1", port);
	expect_at(&opened, 1, "::1", port);
	close_all(&opened);
}

static void
test_listening_another_port_is_chosen_when_the_first_is_taken_at_one_family(void)
{
	struct opened opened;
	if (!has_ipv6())
		return;
	restore_machine();
	taken_times = 3;
	OPEN(&opened, "localhost:0");
	CU_ASSERT_EQUAL(opened.err, 0);
	CU_ASSERT_EQUAL_FATAL(opened.count, 2);
	CU_ASSERT_EQUAL(opened.listeners[0].address.port, opened.listeners[1].address.port);
	CU_ASSERT_EQUAL(binds, 3 * (2 + 1) + 2 + 2 + 2); /* the last two claim the ports, to listen */ /* in vain, then; of two shards each */
	close_all(&opened);
	restore_machine();
}

static void
test_listening_a_port_that_is_given_and_taken_at_one_family_is_an_error(void)
{
	struct opened first, second;
	char text[32];
	if (!has_ipv6())
		return;
	OPEN(&first, "[::1]:0");
	snprintf(text, sizeof text, "localhost:%u", first.listeners[0].address.port);
	OPEN(&second, text);
	CU_ASSERT_EQUAL(second.err, SL_EIO);
	CU_ASSERT_EQUAL(second.count, 0); /* what was open at 127.0.0.1 is closed again */
	close_all(&second);
	close_all(&first);
}

static void
expect_one_family(const char *host)
{
	struct opened opened;
	OPEN(&opened, "localhost:0", "127.0.0.2:0");
	CU_ASSERT_EQUAL(opened.err, strcmp(host, "::1") == 0 ? SL_EIO : 0);
	CU_ASSERT_TRUE_FATAL(opened.count >= 1);
	CU_ASSERT_STRING_EQUAL(opened.listeners[0].address.host, host);
	CU_ASSERT_NOT_EQUAL(opened.listeners[0].address.port, 0);
	close_all(&opened);
	restore_machine();
}

static void
test_listening_a_family_that_is_missing_is_no_error_for_a_name(void)
{
	missing_family = AF_INET6;
	expect_one_family("127.0.0.1");
	homeless_family = AF_INET6;
	expect_one_family("127.0.0.1");
	if (!has_ipv6())
		return;
	missing_family = AF_INET;
	expect_one_family("::1");
}

static void
test_listening_a_family_that_is_missing_is_an_error_for_a_number(void)
{
	struct opened opened;
	homeless_family = AF_INET6;
	OPEN(&opened, "[::1]:0");
	CU_ASSERT_EQUAL(opened.err, SL_EIO);
	close_all(&opened);
	missing_family = AF_INET;
	OPEN(&opened, "localhost:0");
	CU_ASSERT_EQUAL(opened.err, SL_EIO);
	CU_ASSERT_EQUAL(opened.count, 0);
	close_all(&opened);
	restore_machine();
}

static void
test_listening_a_place_that_is_listed_twice_is_opened_once(void)
{
	struct opened chosen, opened;
	char name[32], number[32], other[32];
	if (!has_ipv6())
		return;
	OPEN(&chosen, "localhost:0");
	unsigned port = chosen.listeners[0].address.port;
	close_all(&chosen);
	snprintf(name, sizeof name, "localhost:%u", port);
	snprintf(number, sizeof number, "127.0.0.1:%u", port);
	snprintf(other, sizeof other, "[::1]:%u", port);
	OPEN(&opened, number, name, name, other, "127.0.0.1:0", "127.0.0.1:0");
	CU_ASSERT_EQUAL(opened.err, 0);
	CU_ASSERT_EQUAL(opened.count, 4); /* port 0 is another place each time */
	expect_at(&opened, 0, "127.0.0.1", port);
	expect_at(&opened, 1, "::1", port);
	close_all(&opened);
}

static void
test_listening_elsewhere_than_at_loopback_is_refused(void)
{
	struct opened opened;
	OPEN(&opened, "localhost:0", "0.0.0.0:0");
	CU_ASSERT_EQUAL(opened.err, SL_EINVAL);
	close_all(&opened);
}

static void
test_listening_for_tls_alone_opens_nothing_in_the_clear(void)
{
	struct opened opened;
	OPEN(&opened, "tls 127.0.0.1:0", "tls 127.0.0.2:0");
	CU_ASSERT_EQUAL(opened.err, 0);
	CU_ASSERT_EQUAL_FATAL(opened.count, 2);
	CU_ASSERT_TRUE(opened.listeners[0].is_secure);
	CU_ASSERT_TRUE(opened.listeners[1].is_secure);
	CU_ASSERT_STRING_EQUAL(opened.listeners[1].address.host, "127.0.0.2");
	close_all(&opened);
}

static void
test_listening_for_both_begins_with_those_in_the_clear(void)
{
	struct opened opened;
	OPEN(&opened, "tls 127.0.0.1:0", "127.0.0.1:0");
	CU_ASSERT_EQUAL(opened.err, 0);
	CU_ASSERT_EQUAL_FATAL(opened.count, 2);
	CU_ASSERT_FALSE(opened.listeners[0].is_secure);
	CU_ASSERT_TRUE(opened.listeners[1].is_secure);
	char clear[32], secure[40];
	snprintf(clear, sizeof clear, "127.0.0.1:%u", opened.listeners[0].address.port);
	snprintf(secure, sizeof secure, "tls %s", clear);
	close_all(&opened);
	OPEN(&opened, clear, secure); /* a place cannot be both */
	CU_ASSERT_EQUAL(opened.err, SL_EIO);
	close_all(&opened);
	OPEN(&opened, secure, secure);
	CU_ASSERT_EQUAL(opened.err, 0);
	CU_ASSERT_EQUAL(opened.count, 1);
	close_all(&opened);
	OPEN(&opened, "tls 0.0.0.0:0");
	CU_ASSERT_EQUAL(opened.err, SL_EINVAL);
	close_all(&opened);
}

static void
test_listening_for_admins_comes_last_and_takes_no_place_of_others(void)
{
	struct opened opened;
	OPEN(&opened, "adm 127.0.0.1:0", "127.0.0.1:0", "adm 127.0.0.2:0");
	CU_ASSERT_EQUAL(opened.err, 0);
	CU_ASSERT_EQUAL_FATAL(opened.count, 3);
	CU_ASSERT_FALSE(opened.listeners[0].is_admin);
	CU_ASSERT(opened.listeners[1].is_admin && opened.listeners[2].is_admin);
	CU_ASSERT_STRING_EQUAL(opened.listeners[2].address.host, "127.0.0.2");
	char clear[32], admin[40];
	snprintf(clear, sizeof clear, "127.0.0.1:%u", opened.listeners[0].address.port);
	snprintf(admin, sizeof admin, "adm %s", clear);
	close_all(&opened);
	OPEN(&opened, clear, admin); /* a place cannot be both, and is not one of them in silence */
	CU_ASSERT_EQUAL(opened.err, SL_EIO);
	close_all(&opened);
	OPEN(&opened, "127.0.0.1:0", "adm 0.0.0.0:0"); /* there are no tokens */
	CU_ASSERT_EQUAL(opened.err, SL_EINVAL);
	close_all(&opened);
}

/* Passes two listening sockets as systemd does, in a child, since they have to be the descriptors 3
 * and 4; with one of --admin-listen beside them, if that is not NULL. Its exit status tells: a bit for each
 * of them that is secure, then one for each that is for admins, above 16 a failure. */
static int
adopt(const char *names, const char *beside)
{
	pid_t child = fork();
	if (child == 0) {
		char text[32];
		struct opened opened;
		for (int i = 0; i < 2; i++) {
			struct sockaddr_in loopback = { .sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
			int fd = __real_socket(AF_INET, SOCK_STREAM, 0);
			if (fd < 0 || __real_bind(fd, (struct sockaddr *)&loopback, sizeof loopback) != 0 ||
					listen(fd, 1) != 0 || dup2(fd, 10 + i) < 0)
				_exit(100);
		}
		if (dup2(10, 3) < 0 || dup2(11, 4) < 0)
			_exit(101);
		snprintf(text, sizeof text, "%d", (int)getpid());
		setenv("LISTEN_PID", text, 1);
		setenv("LISTEN_FDS", "2", 1);
		setenv("LISTEN_FDNAMES", names, 1);
		open_all(&opened, (const char *const[]){ beside, NULL }, "2");
		if (opened.err != 0 || opened.count != (beside ? 3 : 2) ||
				(beside && !opened.listeners[2].is_admin))
			_exit(102);
		_exit(opened.listeners[0].is_secure | opened.listeners[1].is_secure << 1 |
			opened.listeners[0].is_admin << 2 | opened.listeners[1].is_admin << 3);
	}
	int status;
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_listening_the_names_of_sockets_from_systemd_say_which_are_for_tls(void)
{
	CU_ASSERT_EQUAL(adopt("http:https", NULL), 2);
	CU_ASSERT_EQUAL(adopt("tls:sluice.socket", NULL), 1);
	CU_ASSERT_EQUAL(adopt("tls:tls", NULL), 3);
	CU_ASSERT_EQUAL(adopt("sluice.socket:sluice.socket", NULL), 0);
	CU_ASSERT_EQUAL(adopt("tls", NULL), 1);
	CU_ASSERT_EQUAL(adopt("TLS:tlsx", NULL), 0);
}

static void
test_listening_for_admins_is_beside_sockets_from_systemd_or_one_of_them(void)
{
	CU_ASSERT_EQUAL(adopt("http:admin", NULL), 8);
	CU_ASSERT_EQUAL(adopt("admin:tls", NULL), 6);
	CU_ASSERT_EQUAL(adopt("http:https", "adm 127.0.0.1:0"), 2);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_listening_localhost_is_both_families_at_one_port),
		UNIT_TEST(test_listening_another_port_is_chosen_when_the_first_is_taken_at_one_family),
		UNIT_TEST(test_listening_a_port_that_is_given_and_taken_at_one_family_is_an_error),
		UNIT_TEST(test_listening_a_family_that_is_missing_is_no_error_for_a_name),
		UNIT_TEST(test_listening_a_family_that_is_missing_is_an_error_for_a_number),
		UNIT_TEST(test_listening_a_place_that_is_listed_twice_is_opened_once),
		UNIT_TEST(test_listening_elsewhere_than_at_loopback_is_refused),
		UNIT_TEST(test_listening_for_tls_alone_opens_nothing_in_the_clear),
		UNIT_TEST(test_listening_for_both_begins_with_those_in_the_clear),
		UNIT_TEST(test_listening_the_names_of_sockets_from_systemd_say_which_are_for_tls),
		UNIT_TEST(test_listening_for_admins_comes_last_and_takes_no_place_of_others),
		UNIT_TEST(test_listening_for_admins_is_beside_sockets_from_systemd_or_one_of_them),
		{ NULL, NULL },
	};
	return unit_main("listening", tests);
}
