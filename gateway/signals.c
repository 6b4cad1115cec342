#include "signals.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

void
sl_signals_block(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGCHLD);
	sigaddset(signals, SL_SIGNAL_WAKE);
	signal(SIGCHLD, SIG_DFL); /* ignored, which may be inherited, it would not be told */
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int
sl_signals_wait(const sigset_t *signals, uint64_t wait_ms)
{
	if (wait_ms > SL_SIGNALS_WAIT_MS)
		wait_ms = SL_SIGNALS_WAIT_MS;
	struct timespec wait = { .tv_sec = (time_t)(wait_ms / 1000),
		.tv_nsec = (long)(wait_ms % 1000) * 1000000 };
	int number = sigtimedwait(signals, NULL, &wait);
	return number > 0 ? number : SL_SIGNAL_WAKE;
}

/* Process-directed: no other thread takes it, since all have it blocked. */
void
sl_signals_wake(void)
{
	kill(getpid(), SL_SIGNAL_WAKE);
}
