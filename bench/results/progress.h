/* A line on the terminal that says how far a run is and how long it still takes; nothing
 * where standard error is no terminal.
 * Owner: the caller's struct. Thread: one. Errors: none. */
#ifndef SL_BENCH_PROGRESS_H
#define SL_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct bench_progress {
	bool shown;
	unsigned done, total;
	uint64_t start_ms;
};

void bench_progress_begin(struct bench_progress *progress, unsigned total, bool quiet);

/* The next step has begun: `what` names it. */
void bench_progress_step(struct bench_progress *progress, const char *what);

/* Clears the line. */
void bench_progress_end(struct bench_progress *progress);

#endif
