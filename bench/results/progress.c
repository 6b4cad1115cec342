#include "bench/results/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"

#define CELLS 24
#define CLEAR_LINE "\r\033[K"

void
bench_progress_begin(struct bench_progress *progress, unsigned total, bool quiet)
{
	*progress = (struct bench_progress){
		.shown = !quiet && isatty(STDERR_FILENO), .total = total, .start_ms = sl_clock_monotonic_ms(),
	};
}

static void
print_bar(unsigned done, unsigned total)
{
	/* Eighths of a cell, U+2588 (full) to U+258F (one eighth). */
	unsigned eighths = total ? CELLS * 8 * done / total : 0;
	for (unsigned cell = 0; cell < CELLS; cell++) {
		unsigned filled = eighths > cell * 8 ? eighths - cell * 8 : 0;
		if (filled == 0)
			fputs("·", stderr);
		else
			fprintf(stderr, "\xe2\x96%c", (char)(0x90 - (filled > 8 ? 8 : filled)));
	}
}

void
bench_progress_step(struct bench_progress *progress, const char *what)
{
	unsigned done = progress->done++;
	if (!progress->shown)
		return;
	uint64_t used_s = (sl_clock_monotonic_ms() - progress->start_ms) / 1000;
	fputs(CLEAR_LINE, stderr);
	print_bar(done, progress->total);
	fprintf(stderr, " %3u %%", progress->total ? 100 * done / progress->total : 0);
	if (done > 0) {
		uint64_t left_s = used_s * (progress->total - done) / done;
		fprintf(stderr, "  %llu:%02llu left", (unsigned long long)(left_s / 60),
			(unsigned long long)(left_s % 60));
	}
	fprintf(stderr, "  %.40s", what);
	fflush(stderr);
}

void
bench_progress_end(struct bench_progress *progress)
{
	if (progress->shown)
		fputs(CLEAR_LINE, stderr);
}
