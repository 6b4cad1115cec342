#include "signals.h"

#include <pthread.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void *
wake(void *arg)
{
	(void)arg;
	sl_signals_wake();
	return NULL;
}

static void
test_signals_wait_for_another_thread(void)
{
	sigset_t signals;
	pthread_t thread;
	sl_signals_block(&signals);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, wake, NULL), 0);
	CU_ASSERT_EQUAL(sl_signals_wait(&signals, UINT64_MAX), SL_SIGNAL_WAKE); /* no longer than an hour */
	pthread_join(thread, NULL);
}

static void
test_signals_are_told_apart_and_time_runs_out(void)
{
	sigset_t signals;
	sl_signals_block(&signals);
	kill(getpid(), SIGHUP);
	CU_ASSERT_EQUAL(sl_signals_wait(&signals, 60000), SIGHUP);
	kill(getpid(), SIGTERM);
	CU_ASSERT_EQUAL(sl_signals_wait(&signals, 60000), SIGTERM);
	CU_ASSERT_EQUAL(sl_signals_wait(&signals, 1), SL_SIGNAL_WAKE);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_signals_wait_for_another_thread),
		UNIT_TEST(test_signals_are_told_apart_and_time_runs_out),
		{ NULL, NULL },
	};
	return unit_main("signals", tests);
}
