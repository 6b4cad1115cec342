#include "demo/child.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/script.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static char text[1024];

static void
start(struct sl_child *child, const char *program)
{
	char *argv[] = { script, (char[]){ "argument" }, NULL };
	write_script(program);
	CU_ASSERT_EQUAL_FATAL(sl_child_start(child, argv, true), 0);
}

static int
read_lines(struct sl_child *child, size_t size, unsigned lines, uint64_t limit_ms)
{
	return sl_child_read(child, text, size, lines, limit_ms);
}

static void
test_a_child_is_read_until_there_are_so_many_lines(void)
{
	struct sl_child child;
	start(&child, "echo \"$1\"; sleep 0.01; echo two; exec sleep 1000");
	CU_ASSERT_EQUAL(read_lines(&child, sizeof text, 2, SCRIPT_LONG_MS), 0);
	CU_ASSERT_STRING_EQUAL(text, "argument\ntwo\n");
	CU_ASSERT_EQUAL(getpgid(child.pid), child.pid);
	sl_child_stop(&child, SCRIPT_LONG_MS);
	CU_ASSERT_EQUAL(child.output, -1);
}

static void
test_a_child_that_says_less_or_more_or_nothing_is_told(void)
{
	struct sl_child child;
	start(&child, "echo one");
	CU_ASSERT_EQUAL(read_lines(&child, sizeof text, 2, SCRIPT_LONG_MS), SL_ECLOSED);
	CU_ASSERT_STRING_EQUAL(text, "one\n");
	sl_child_stop(&child, SCRIPT_LONG_MS);
	start(&child, "printf 0123456789; exec sleep 1000");
	CU_ASSERT_EQUAL(read_lines(&child, 8, 1, SCRIPT_LONG_MS), SL_ETOOBIG);
	CU_ASSERT_STRING_EQUAL(text, "0123456");
	sl_child_stop(&child, SCRIPT_LONG_MS);
	start(&child, "exec sleep 1000");
	CU_ASSERT_EQUAL(read_lines(&child, sizeof text, 1, 20), SL_EAGAIN);
	sl_child_stop(&child, SCRIPT_LONG_MS);
}

static void
test_a_child_that_has_ended_is_told_once(void)
{
	struct sl_child child;
	siginfo_t info;
	int status;
	start(&child, "read line; exit 3"); /* its input is empty */
	CU_ASSERT_EQUAL(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
	CU_ASSERT_TRUE(sl_child_has_ended(&child, &status));
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CU_ASSERT_FALSE(sl_child_has_ended(&child, &status));
	sl_child_stop(&child, 0);
	start(&child, "exec sleep 1000");
	CU_ASSERT_FALSE(sl_child_has_ended(&child, &status));
	sl_child_stop(&child, SCRIPT_LONG_MS);
}

static void
test_a_program_that_cannot_be_run_is_a_child_that_has_ended(void)
{
	struct sl_child child;
	char *argv[] = { (char[]){ "/nonexistent/program" }, NULL };
	siginfo_t info;
	int status;
	CU_ASSERT_EQUAL_FATAL(sl_child_start(&child, argv, false), 0);
	CU_ASSERT_EQUAL(child.output, -1);
	CU_ASSERT_EQUAL(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
	CU_ASSERT_TRUE(sl_child_has_ended(&child, &status));
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}

static void
test_a_child_that_ignores_sigterm_is_killed(void)
{
	struct sl_child child;
	char *argv[] = { script, NULL };
	write_script("trap '' TERM; echo ready; while :; do sleep 1000; done");
	CU_ASSERT_EQUAL_FATAL(sl_child_start(&child, argv, true), 0);
	CU_ASSERT_EQUAL(sl_child_read(&child, text, sizeof text, 1, SCRIPT_LONG_MS), 0);
	CU_ASSERT_STRING_EQUAL(text, "ready\n");
	pid_t pid = child.pid;
	sl_child_stop(&child, 1);
	CU_ASSERT_EQUAL(kill(pid, 0), -1);
	CU_ASSERT_EQUAL(child.pid, 0);
	sl_child_stop(&child, 1);
	kill(-pid, SIGKILL); /* its sleep */
}

static void
test_a_child_has_none_of_our_descriptors(void)
{
	struct sl_child child;
	char *argv[] = { script, NULL };
	int fd = open("/dev/null", O_RDONLY); /* NOLINT: meant to be inherited */
	int high = fcntl(fd, F_DUPFD, 8);
	write_script("[ -e /proc/self/fd/8 ] && echo open || echo closed");
	CU_ASSERT_EQUAL_FATAL(sl_child_start(&child, argv, true), 0);
	CU_ASSERT_EQUAL(sl_child_read(&child, text, sizeof text, 1, SCRIPT_LONG_MS), 0);
	CU_ASSERT_STRING_EQUAL(text, "closed\n");
	sl_child_stop(&child, 1000);
	close(high);
	close(fd);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_a_child_is_read_until_there_are_so_many_lines),
		UNIT_TEST(test_a_child_that_says_less_or_more_or_nothing_is_told),
		UNIT_TEST(test_a_child_that_has_ended_is_told_once),
		UNIT_TEST(test_a_program_that_cannot_be_run_is_a_child_that_has_ended),
		UNIT_TEST(test_a_child_that_ignores_sigterm_is_killed),
		UNIT_TEST(test_a_child_has_none_of_our_descriptors),
		{ NULL, NULL },
	};
	return script_main("child", tests);
}
