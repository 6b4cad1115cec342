#include "bench/load/wait.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/load/schedule.h"
#include "bench/load/usage.h"

static struct timespec
timespec_of(uint64_t ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u),
	};
}

/* `look` sees whether there is something, and sleeps for at most `ns` until there is. */
static int
wait_by(struct bench_wait *wait, int (*look)(void *argument, uint64_t ns), void *argument,
	uint64_t ns)
{
	uint64_t start = bench_now_ns(), idle = 0;
	int count = look(argument, wait->busy_polls ? 0 : ns);
	if (!wait->busy_polls)
		idle = bench_now_ns() - start;
	/* The look that finds something is work; the empty ones before it are waiting. */
	while (wait->busy_polls && count == 0 && (idle = bench_now_ns() - start) < ns)
		count = look(argument, 0);
	wait->idle_ns += idle;
	wait->timers += !wait->busy_polls && count == 0 && ns > 0;
	return count;
}

struct events {
	int epoll, size;
	struct epoll_event *list;
};

static int
look_at_events(void *argument, uint64_t ns)
{
	const struct events *events = argument;
	struct timespec wait = timespec_of(ns);
	return epoll_pwait2(events->epoll, events->list, events->size, &wait, NULL);
}

int
bench_wait_events(struct bench_wait *wait, int epoll, struct epoll_event *events, int size,
	uint64_t ns)
{
	struct events wanted = { .epoll = epoll, .size = size, .list = events };
	int count = wait_by(wait, look_at_events, &wanted, ns);
	return count < 0 && errno == EINTR ? 0 : count;
}

static int
look_at_socket(void *argument, uint64_t ns)
{
	struct timespec wait = timespec_of(ns);
	return ppoll(argument, 1, &wait, NULL);
}

int
bench_wait_socket(struct bench_wait *wait, struct pollfd *socket, uint64_t ns)
{
	int count = wait_by(wait, look_at_socket, socket, ns);
	return count < 0 && errno == EINTR ? 0 : count;
}

static int
look_at_clock(void *argument, uint64_t ns)
{
	struct timespec wait = timespec_of(ns);
	if (ns > 0)
		nanosleep(&wait, NULL);
	return 0;
}

void
bench_wait_until(struct bench_wait *wait, uint64_t until_ns)
{
	for (uint64_t now = bench_now_ns(); now < until_ns; now = bench_now_ns())
		wait_by(wait, look_at_clock, NULL, until_ns - now);
}

/* Of the thread, since it began. */
static uint64_t
voluntary_switches(void)
{
	struct rusage usage;
	return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_nvcsw : 0;
}

struct bench_effort
bench_effort_now(const struct bench_wait *wait)
{
	return (struct bench_effort){
		.elapsed_ns = bench_now_ns(), .cpu_ns = bench_thread_cpu_ns(), .idle_ns = wait->idle_ns,
		.wakeups = voluntary_switches() - wait->timers,
	};
}

void
bench_effort_add(struct bench_effort *sum, const struct bench_effort *before,
	const struct bench_wait *wait)
{
	struct bench_effort now = bench_effort_now(wait);
	uint64_t wakeups = now.wakeups - before->wakeups;
	sum->elapsed_ns += now.elapsed_ns - before->elapsed_ns;
	sum->cpu_ns += now.cpu_ns - before->cpu_ns;
	sum->idle_ns += now.idle_ns - before->idle_ns;
	/* A timer may end a sleep that never began. */
	sum->wakeups += wakeups > INT64_MAX ? 0 : wakeups;
}
