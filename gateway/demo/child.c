#include "demo/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/err.h"

/* Behind fork, where other threads may have held any lock: only what is safe in a signal
 * handler (signal-safety(7)). */
static void
become(char *const argv[], int output, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	int null = open("/dev/null", O_RDWR);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
			dup2(output >= 0 ? output : null, STDOUT_FILENO) < 0)
		_exit(126);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(argv[0], argv);
	_exit(127);
}

static void
close_output(struct sl_child *child)
{
	if (child->output >= 0)
		close(child->output);
	child->output = -1;
}

int
sl_child_start(struct sl_child *child, char *const argv[], bool is_read)
{
	int output[2] = { -1, -1 };
	*child = (struct sl_child){ .output = -1 };
	if (is_read && pipe2(output, O_CLOEXEC) != 0)
		return SL_EIO;
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become(argv, output[1], parent);
	int error = errno;
	if (is_read)
		close(output[1]);
	child->output = output[0];
	if (pid < 0) {
		close_output(child);
		errno = error;
		return SL_EIO;
	}
	child->pid = pid;
	return 0;
}

int
sl_child_read(struct sl_child *child, char *text, size_t size, unsigned lines,
	uint64_t limit_ms)
{
	uint64_t until_ms = sl_clock_monotonic_ms() + limit_ms;
	size_t len = 0;
	text[0] = '\0';
	while (lines > 0) {
		uint64_t now_ms = sl_clock_monotonic_ms();
		struct pollfd wait = { .fd = child->output, .events = POLLIN };
		if (len == size - 1)
			return SL_ETOOBIG;
		if (now_ms >= until_ms)
			return SL_EAGAIN;
		if (poll(&wait, 1, (int)(until_ms - now_ms)) <= 0)
			continue;
		ssize_t got = read(child->output, text + len, size - 1 - len);
		if (got <= 0)
			return SL_ECLOSED;
		for (; got > 0; got--, len++)
			lines -= lines > 0 && text[len] == '\n';
		text[len] = '\0';
	}
	return 0;
}

bool
sl_child_has_ended(struct sl_child *child, int *status)
{
	if (child->pid == 0 || waitpid(child->pid, status, WNOHANG) != child->pid)
		return false;
	close_output(child);
	child->pid = 0;
	return true;
}

void
sl_child_stop(struct sl_child *child, uint64_t limit_ms)
{
	if (child->pid == 0)
		return;
	uint64_t until_ms = sl_clock_monotonic_ms() + limit_ms;
	kill(child->pid, SIGTERM);
	while (waitpid(child->pid, NULL, WNOHANG) == 0) {
		if (sl_clock_monotonic_ms() >= until_ms) {
			kill(child->pid, SIGKILL);
			waitpid(child->pid, NULL, 0);
			break;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	close_output(child);
	child->pid = 0;
}
