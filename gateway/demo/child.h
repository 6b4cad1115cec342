/* Child: another program, run beside this one and ended with it.
 * Owner: the struct is the caller's; stop ends what start began. Thread: one at a time, and
 * that of start must live as long as the child, which the kernel ends with it (prctl(2),
 * PR_SET_PDEATHSIG). Errors: SL_EIO with errno; of reading as said there. */
#ifndef SL_DEMO_CHILD_H
#define SL_DEMO_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sl_child {
	pid_t pid;  /* 0: not running */
	int output; /* owns: its standard output, -1 when that is not read */
};

/* Runs `argv` (a path first, NULL last), without any of our descriptors but standard error
 * and in a process group of its own, so that a terminal's Ctrl-C is not for it. A program
 * that cannot be run shows as a child that has ended. */
int sl_child_start(struct sl_child *child, char *const argv[], bool is_read);

/* Reads its output into `text`, as a string, until there are `lines` whole lines. Errors:
 * SL_EAGAIN (not within the time), SL_ECLOSED (it said less), SL_ETOOBIG (more than fits). */
int sl_child_read(struct sl_child *child, char *text, size_t size, unsigned lines,
	uint64_t limit_ms);

/* True once when it has ended by itself, with waitpid's `*status`; never waits. */
bool sl_child_has_ended(struct sl_child *child, int *status);

/* SIGTERM, SIGKILL after `limit_ms`, and waits. Does nothing when it is not running. */
void sl_child_stop(struct sl_child *child, uint64_t limit_ms);

#endif
