#include "bench/server/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/err.h"

#define START_WAIT_MS 15000
#define STOP_WAIT_MS 3000

int
bench_pin(int core)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : SL_EIO;
}

/* What the bench itself is bound to is no matter of its servers. */
static int
unpin(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	for (size_t core = 0; core < CPU_SETSIZE; core++)
		CPU_SET(core, &set);
	return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : SL_EIO;
}

static void
become_server(pid_t parent, int core)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* A group of its own, which the kernel lets go on when the bench dies while it is paused. */
	setpgid(0, 0);
	prctl(PR_SET_TIMERSLACK, 50000); /* the system's default; the bench's own is finer */
	if (getppid() != parent || (core != BENCH_ANY_CORE ? bench_pin(core) : unpin()) != 0)
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
}

int
bench_process_start(struct bench_process *process, const char *const *argv, int core,
	const char *log_path)
{
	*process = (struct bench_process){ .output = -1 };
	if (access(argv[0], X_OK) != 0)
		return SL_ENOENT;
	int output[2];
	if (pipe2(output, O_CLOEXEC) != 0)
		return SL_EIO;
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		become_server(parent, core);
		int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (log < 0 || dup2(output[1], STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
			_exit(126);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(output[1]);
	if (pid < 0) {
		close(output[0]);
		return SL_EIO;
	}
	process->pid = pid;
	process->output = output[0];
	return 0;
}

int
bench_process_fork(struct bench_process *process, void (*serve)(const void *argument),
	const void *argument, int core)
{
	*process = (struct bench_process){ .output = -1 };
	fflush(NULL);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		become_server(parent, core);
		serve(argument);
		_exit(0);
	}
	if (pid < 0)
		return SL_EIO;
	process->pid = pid;
	return 0;
}

int
bench_process_read_port(const struct bench_process *process, uint16_t *port)
{
	static const char before[] = "listening http";
	char text[4096];
	size_t len = 0;
	while (len < sizeof text - 1) {
		struct pollfd wait = { .fd = process->output, .events = POLLIN };
		if (poll(&wait, 1, START_WAIT_MS) <= 0)
			return SL_EIO;
		ssize_t got = read(process->output, text + len, sizeof text - 1 - len);
		if (got <= 0)
			return SL_ECLOSED;
		len += (size_t)got;
		text[len] = '\0';
		char *found = strstr(text, before);
		if (found && strchr(found, '\n')) {
			found += sizeof before - 1;
			found += strcspn(found, "/\n");
			found += strcspn(found, ":\n");
			*port = *found == ':' ? (uint16_t)strtoul(found + 1, NULL, 10) : 0;
			return *port ? 0 : SL_EPROTO;
		}
	}
	return SL_EPROTO;
}

void
bench_process_first_line(const char *path, const char *argument, char *out, size_t size)
{
	char command[512];
	if (access(path, X_OK) != 0)
		return;
	snprintf(command, sizeof command, "'%s' %s 2>&1", path, argument);
	FILE *said = popen(command, "re");
	if (!said)
		return;
	char line[256];
	if (fgets(line, sizeof line, said))
		snprintf(out, size, "%.*s", (int)strcspn(line, "\r\n"), line);
	while (fgets(line, sizeof line, said))
		;
	pclose(said);
}

void
bench_process_find_children(struct bench_process *process)
{
	char path[64];
	int pid;
	process->child_count = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", process->pid, process->pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	while (process->child_count < BENCH_PROCESS_CHILDREN && fscanf(file, "%d", &pid) == 1)
		process->children[process->child_count++] = pid;
	fclose(file);
}

void
bench_process_stop(struct bench_process *process)
{
	if (process->pid == 0)
		return;
	kill(process->pid, SIGTERM);
	uint64_t until = sl_clock_monotonic_ms() + STOP_WAIT_MS;
	while (waitpid(process->pid, NULL, WNOHANG) == 0) {
		if (sl_clock_monotonic_ms() > until) {
			for (unsigned i = 0; i < process->child_count; i++)
				kill(process->children[i], SIGKILL);
			kill(process->pid, SIGKILL);
			waitpid(process->pid, NULL, 0);
			break;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	if (process->output >= 0)
		close(process->output);
	*process = (struct bench_process){ .output = -1 };
}

static uint64_t
cpu_ns_of(pid_t pid)
{
	clockid_t clock;
	struct timespec used;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return 0;
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* Over the process and its children. */
static uint64_t
sum_of(const struct bench_process *process, uint64_t (*value_of)(pid_t pid))
{
	uint64_t sum = value_of(process->pid);
	for (unsigned i = 0; i < process->child_count; i++)
		sum += value_of(process->children[i]);
	return sum;
}

uint64_t
bench_process_cpu_ns(const struct bench_process *process)
{
	return sum_of(process, cpu_ns_of);
}

/* The number behind `label` in the first line of `path` that begins with `start`; 0 for none. */
static uint64_t
read_number(const char *path, const char *start, const char *label)
{
	char line[256];
	const char *found = NULL;
	FILE *file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof line, file))
		if (strncmp(line, start, strlen(start)) == 0)
			found = strstr(line, label);
	if (file)
		fclose(file);
	return found ? strtoull(found + strlen(label), NULL, 10) : 0;
}

/* Of all threads, each by its status file. */
static uint64_t
sum_over_threads(pid_t pid, uint64_t (*value_of)(const char *status))
{
	char path[64], status[128];
	uint64_t sum = 0;
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	DIR *threads = opendir(path);
	for (struct dirent *thread; threads && (thread = readdir(threads)); ) {
		if (thread->d_name[0] == '.')
			continue;
		snprintf(status, sizeof status, "%s/%.16s/status", path, thread->d_name);
		sum += value_of(status);
	}
	if (threads)
		closedir(threads);
	return sum;
}

static uint64_t
read_sleeps(const char *status)
{
	return read_number(status, "voluntary_ctxt_switches", ":");
}

static uint64_t
sleeps_of(pid_t pid)
{
	return sum_over_threads(pid, read_sleeps);
}

uint64_t
bench_process_sleeps(const struct bench_process *process)
{
	return sum_of(process, sleeps_of);
}

static uint64_t
read_runs(const char *status)
{
	char line[64];
	bool runs = false;
	FILE *file = fopen(status, "re");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, "State:", 6) == 0) {
			runs = strchr("RD", line[6 + strspn(line + 6, " \t")]) != NULL;
			break;
		}
	if (file)
		fclose(file);
	return runs;
}

static uint64_t
running_of(pid_t pid)
{
	return sum_over_threads(pid, read_runs);
}

bool
bench_process_rests(const struct bench_process *process)
{
	return sum_of(process, running_of) == 0;
}

void
bench_process_pause(const struct bench_process *process)
{
	if (process->pid > 0) /* 0 would be the bench's own group */
		kill(-process->pid, SIGSTOP);
}

void
bench_process_resume(const struct bench_process *process)
{
	if (process->pid > 0)
		kill(-process->pid, SIGCONT);
}

static uint64_t
pss_kib_of(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	/* Pages of programs and libraries change with whoever else on this machine maps them. */
	return read_number(path, "Pss:", ":") - read_number(path, "Pss_File:", ":");
}

/* Objects in use, where that may be read (slabinfo(5)); else whole slabs, which the kernel
 * also keeps when they are empty. */
uint64_t
bench_kernel_slab_kib(void)
{
	char line[256];
	unsigned long used, all, size;
	uint64_t bytes = 0;
	FILE *file = fopen("/proc/slabinfo", "re");
	if (!file)
		return read_number("/proc/meminfo", "Slab:", ":");
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "%*s %lu %lu %lu", &used, &all, &size) == 3)
			bytes += (uint64_t)used * size;
	fclose(file);
	return bytes / 1024;
}

uint64_t
bench_kernel_socket_kib(void)
{
	uint64_t pages = read_number("/proc/net/sockstat", "TCP:", " mem ");
	return pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

uint64_t
bench_process_pss_kib(const struct bench_process *process)
{
	return sum_of(process, pss_kib_of);
}
