/* What the command line of sluice-bench asks for.
 * Owner: the caller; strings are borrowed from argv. Thread: read only once parsed.
 * Errors: argp ends the program with its own message. */
#ifndef SL_BENCH_OPTIONS_H
#define SL_BENCH_OPTIONS_H

#include <stdbool.h>

#include "bench/settings.h"

struct bench_options {
	struct bench_settings settings;
	const char *rows, *servers;  /* comma-separated names, NULL for all */
	unsigned repeats;
	unsigned accepts;            /* connections opened in the accept row */
	const char *json_path;
	bool quiet;
};

/* `name` is in the comma-separated `list`, or `list` is NULL. */
bool bench_list_has(const char *list, const char *name);

#endif
