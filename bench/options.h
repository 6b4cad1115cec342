/* What the command line of sluice-bench asks for.
 * Owner: the caller; strings are borrowed from argv. Thread: read only once parsed.
 * Errors: argp ends the program with its own message. */
#ifndef SL_BENCH_OPTIONS_H
#define SL_BENCH_OPTIONS_H

#include <stdbool.h>

struct bench_options {
	const char *rows, *servers;  /* comma-separated names, NULL for all */
	unsigned repeats;
	unsigned subscribers;        /* of the fan-out rows */
	unsigned connections;        /* of the memory rows */
	unsigned accepts;            /* connections opened in the accept row */
	double seconds;              /* of each measured window */
	int server_core, load_core;
	const char *sluice_path, *nginx_path, *nchan_module, *peers_folder, *json_path;
	bool quiet;
};

/* `name` is in the comma-separated `list`, or `list` is NULL. */
bool bench_list_has(const char *list, const char *name);

#endif
