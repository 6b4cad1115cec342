/* Waiting, and who ended it, over a pipe. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/load/schedule.h"
#include "bench/load/wait.h"
#include "tests/unit/unit.h"

#define MILLISECOND 1000000u

struct world {
	struct bench_wait wait;
	struct bench_effort before, effort;
	int epoll, reader, writer;
	pid_t sleeper;        /* the thread that waits */
	unsigned long sleeps; /* of it before */
	atomic_bool begun;
};

static void
init_world(struct world *world, bool busy_polls)
{
	int ends[2];
	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	*world = (struct world){ .wait.busy_polls = busy_polls, .reader = ends[0], .writer = ends[1],
		.epoll = epoll_create1(0), .sleeper = (pid_t)syscall(SYS_gettid) };
	struct epoll_event event = { .events = EPOLLIN };
	CU_ASSERT_EQUAL_FATAL(epoll_ctl(world->epoll, EPOLL_CTL_ADD, world->reader, &event), 0);
	world->before = bench_effort_now(&world->wait);
}

static void
finish_world(struct world *world)
{
	close(world->epoll);
	close(world->reader);
	close(world->writer);
}

static int
wait_for_events(struct world *world, uint64_t ns)
{
	struct epoll_event event;
	int count = bench_wait_events(&world->wait, world->epoll, &event, 1, ns);
	bench_effort_add(&world->effort, &world->before, &world->wait);
	return count;
}

static void
write_one(struct world *world)
{
	CU_ASSERT_EQUAL_FATAL(write(world->writer, "x", 1), 1);
}

/* How often the thread has gone to sleep (proc(5)). */
static unsigned long
sleeps_of(pid_t thread)
{
	char path[64], line[128];
	unsigned long sleeps = 0;
	snprintf(path, sizeof path, "/proc/self/task/%d/status", thread);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &sleeps) == 1)
			break;
	if (file)
		fclose(file);
	return sleeps;
}

static void *
write_once_it_sleeps(void *argument)
{
	struct world *world = argument;
	while (!atomic_load(&world->begun) || sleeps_of(world->sleeper) == world->sleeps)
		;
	write_one(world);
	return NULL;
}

static void
test_wait_counts_that_something_woke_it(void)
{
	struct world world;
	pthread_t thread;
	init_world(&world, false);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, write_once_it_sleeps, &world), 0);
	world.before = bench_effort_now(&world.wait);
	world.sleeps = sleeps_of(world.sleeper);
	atomic_store(&world.begun, true);
	CU_ASSERT_EQUAL(wait_for_events(&world, 60000ull * MILLISECOND), 1);
	CU_ASSERT_EQUAL(world.effort.wakeups, 1);
	CU_ASSERT_EQUAL(world.wait.timers, 0);
	pthread_join(thread, NULL);
	finish_world(&world);
}

static void
test_wait_whose_time_is_up_was_not_woken(void)
{
	struct world world;
	init_world(&world, false);
	CU_ASSERT_EQUAL(wait_for_events(&world, MILLISECOND), 0);
	CU_ASSERT_EQUAL(world.wait.timers, 1);
	CU_ASSERT_EQUAL(world.effort.wakeups, 0);
	CU_ASSERT_TRUE(world.effort.idle_ns >= MILLISECOND);
	finish_world(&world);
}

static void
test_what_is_there_already_wakes_nobody(void)
{
	for (unsigned polls = 0; polls < 2; polls++) {
		struct world world;
		init_world(&world, polls);
		write_one(&world);
		CU_ASSERT_EQUAL(wait_for_events(&world, 60000ull * MILLISECOND), 1);
		CU_ASSERT_EQUAL(world.effort.wakeups, 0);
		CU_ASSERT_EQUAL(world.wait.timers, 0);
		finish_world(&world);
	}
}

static void
test_wait_that_polls_never_sleeps(void)
{
	struct world world;
	init_world(&world, true);
	CU_ASSERT_EQUAL(wait_for_events(&world, MILLISECOND), 0);
	CU_ASSERT_EQUAL(world.effort.wakeups, 0);
	CU_ASSERT_EQUAL(world.wait.timers, 0);
	/* All of that was waiting, although the thread was on its core. */
	CU_ASSERT_TRUE(world.effort.idle_ns >= MILLISECOND);
	CU_ASSERT_TRUE(world.effort.cpu_ns > 0);
	finish_world(&world);
}

static void *
write_now(void *argument)
{
	write_one(argument);
	return NULL;
}

static void
test_wait_that_polls_sees_what_comes(void)
{
	struct world world;
	pthread_t thread;
	init_world(&world, true);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, write_now, &world), 0);
	CU_ASSERT_EQUAL(wait_for_events(&world, 60000ull * MILLISECOND), 1);
	pthread_join(thread, NULL);
	finish_world(&world);
}

static void
test_wait_for_a_socket_and_for_a_time_count_alike(void)
{
	for (unsigned polls = 0; polls < 2; polls++) {
		struct world world;
		init_world(&world, polls);
		struct pollfd socket = { .fd = world.reader, .events = POLLIN };
		CU_ASSERT_EQUAL(bench_wait_socket(&world.wait, &socket, MILLISECOND), 0);
		uint64_t until = bench_now_ns() + MILLISECOND;
		bench_wait_until(&world.wait, until);
		CU_ASSERT_TRUE(bench_now_ns() >= until);
		bench_effort_add(&world.effort, &world.before, &world.wait);
		CU_ASSERT_EQUAL(world.effort.wakeups, 0);
		CU_ASSERT_EQUAL(world.wait.timers, polls ? 0 : 2);
		write_one(&world);
		CU_ASSERT_EQUAL(bench_wait_socket(&world.wait, &socket, MILLISECOND), 1);
		CU_ASSERT_EQUAL(socket.revents, POLLIN);
		finish_world(&world);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_wait_counts_that_something_woke_it),
		UNIT_TEST(test_wait_whose_time_is_up_was_not_woken),
		UNIT_TEST(test_what_is_there_already_wakes_nobody),
		UNIT_TEST(test_wait_that_polls_never_sleeps),
		UNIT_TEST(test_wait_that_polls_sees_what_comes),
		UNIT_TEST(test_wait_for_a_socket_and_for_a_time_count_alike),
		{ NULL, NULL },
	};
	return unit_main("bench wait", tests);
}
