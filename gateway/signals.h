/* Signals: what main waits for. No other thread may get one: they are blocked before the first thread
 * starts (a backend may have one of its own).
 * Owner: the process. Thread: main's, but for sl_signals_wake(). Errors: none. */
#ifndef SL_SIGNALS_H
#define SL_SIGNALS_H

#include <signal.h>
#include <stdint.h>

#define SL_SIGNAL_WAKE SIGUSR1 /* another thread has something for main to write */
#define SL_SIGNALS_WAIT_MS 3600000 /* where nothing is due */

/* Blocks all that the gateway handles, and fills `signals` with them. SIGPIPE is ignored. */
void sl_signals_block(sigset_t *signals);

/* The number of a signal, or SL_SIGNAL_WAKE when none came for so long. */
int sl_signals_wait(const sigset_t *signals, uint64_t wait_ms);

/* Any thread. */
void sl_signals_wake(void);

#endif
