/* How the generator waits: by busy polling, or asleep as a client does. A send that wakes a
 * sleeping receiver interrupts another core, and the sender pays for that: 14 to 18 µs of CPU
 * on a virtual machine, more than the send itself.
 * Owner: the caller's structs. Thread: one at a time. Errors: those of the system call, in
 * errno. */
#ifndef SL_BENCH_WAIT_H
#define SL_BENCH_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct bench_wait {
	bool busy_polls;
	uint64_t idle_ns; /* spent waiting */
	uint64_t timers;  /* sleeps that ended because their time was up */
};

/* What a thread did between two moments. */
struct bench_effort {
	uint64_t elapsed_ns;
	uint64_t cpu_ns;
	uint64_t idle_ns; /* of elapsed_ns: it waited */
	uint64_t wakeups; /* sleeps that ended because something came */
};

/* Waits until `epoll` has events, `ns` at most. Returns how many; 0 when the time is up or a
 * signal came; -1 with errno. */
int bench_wait_events(struct bench_wait *wait, int epoll, struct epoll_event *events, int size,
	uint64_t ns);

/* The same for one descriptor: poll(2) with its returned value. */
int bench_wait_socket(struct bench_wait *wait, struct pollfd *socket, uint64_t ns);

/* Waits until CLOCK_MONOTONIC is at `until_ns`. */
void bench_wait_until(struct bench_wait *wait, uint64_t until_ns);

/* The counters of the calling thread at this moment. */
struct bench_effort bench_effort_now(const struct bench_wait *wait);

/* Adds to `sum` what the calling thread did since `before` (bench_effort_now of this thread).
 * Wake-ups are the voluntary context switches that the kernel counted (getrusage(2)) without
 * those that a timer ended. */
void bench_effort_add(struct bench_effort *sum, const struct bench_effort *before,
	const struct bench_wait *wait);

#endif
