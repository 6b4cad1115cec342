/* The commands that are programs for Node.js: they drive the client of the browser.
 * Owner: nothing is kept. Thread: any, before others are started.
 * Errors: a program that cannot be run is named on standard error. */
#ifndef SL_BENCH_SCRIPT_H
#define SL_BENCH_SCRIPT_H

#include <limits.h>

/* Writes to `path` the folder this program is in, with `name` behind it. */
void bench_find_beside(char path[PATH_MAX], const char *name);

/* The script's path below the data folder for a command such as "lab"; NULL for another one. */
const char *bench_script_find(const char *command);

/* Becomes Node.js with the script and `args` (ended by NULL), told where the gateway, the
 * obstacle and the client are. Returns the exit status if it cannot. */
int bench_script_run(const char *script, int count, char **args);

#endif
