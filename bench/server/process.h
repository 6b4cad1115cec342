/* A server under measurement: a process of its own, pinned to one core, with the kernel's
 * accounting of it and of its children.
 * Owner: the struct is the caller's; stop ends what start began. Thread: one at a time.
 * Errors: SL_EIO (errno says why), SL_ENOENT (no such program). */
#ifndef SL_BENCH_PROCESS_H
#define SL_BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_PROCESS_CHILDREN 8

struct bench_process {
	pid_t pid;  /* 0: not running */
	int output; /* owns: its standard output, -1 for a forked function */
	pid_t children[BENCH_PROCESS_CHILDREN];
	unsigned child_count;
};

#define BENCH_ANY_CORE (-1)

/* Runs `argv` (ended by NULL, a path first) on `core` or any, its standard error going to the file
 * `log_path`. It gets SIGTERM should the bench die. */
int bench_process_start(struct bench_process *process, const char *const *argv, int core,
	const char *log_path);

/* The same for a function that never returns: `serve(argument)` in a forked child. */
int bench_process_fork(struct bench_process *process, void (*serve)(const void *argument),
	const void *argument, int core);

/* Reads the process's standard output up to the line `listening http[s]://IPV4:PORT...`.
 * Errors: SL_EIO (it does not come in time), SL_ECLOSED, SL_EPROTO. */
int bench_process_read_port(const struct bench_process *process, uint16_t *port);

/* The first line that `path argument` prints (on either output), without its end; nothing when
 * it cannot be run. */
void bench_process_first_line(const char *path, const char *argument, char *out, size_t size);

/* Looks for children again; to be called once the server is up. */
void bench_process_find_children(struct bench_process *process);

/* SIGTERM, SIGKILL after three seconds, and waits. Does nothing when not running. */
void bench_process_stop(struct bench_process *process);

/* CPU time in nanoseconds used so far by all threads of the process and of its children:
 * the per-process CPU clock (clock_getcpuclockid), which is utime + stime to the nanosecond
 * and includes the loopback work done inside its system calls. */
uint64_t bench_process_cpu_ns(const struct bench_process *process);

/* How often they have slept: voluntary context switches of all threads that run
 * (/proc/PID/task/TID/status, proc(5)). */
uint64_t bench_process_sleeps(const struct bench_process *process);

/* Whether all threads sleep or are paused. Only then is the CPU time above complete: of a process
 * that runs the kernel adds it at the next tick. */
bool bench_process_rests(const struct bench_process *process);

/* Pauses a process that was started here, with those that it started, and lets it go on. By a
 * signal: it may run on for a moment. */
void bench_process_pause(const struct bench_process *process);
void bench_process_resume(const struct bench_process *process);

/* Proportional set size in KiB over the process and its children, without pages of files
 * (smaps_rollup). */
uint64_t bench_process_pss_kib(const struct bench_process *process);

/* Memory of the whole machine's kernel in KiB: its slab allocator (proc_meminfo(5)), and the
 * buffers of TCP sockets (/proc/net/sockstat). */
uint64_t bench_kernel_slab_kib(void);
uint64_t bench_kernel_socket_kib(void);

/* Binds the calling process to `core`. */
int bench_pin(int core);

#endif
