/* A program of the test's own, a shell script in a folder that goes with the test.
 * Owner: static. Thread: main. Errors: the program ends. */
#ifndef SL_TESTS_SCRIPT_H
#define SL_TESTS_SCRIPT_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

#define SCRIPT_LONG_MS 20000 /* a wait that only a failure lasts for */

static char script_folder[] = "/tmp/sluice-unit-XXXXXX";
static char script[PATH_MAX]; /* its path */

static inline void
write_script(const char *text)
{
	FILE *file = fopen(script, "we");
	if (!file)
		abort();
	fprintf(file, "#!/bin/sh\n%s\n", text);
	fclose(file);
	chmod(script, 0755);
}

/* As unit_main, with the folder there. */
static inline int
script_main(const char *suite_name, const struct unit_test *tests)
{
	if (!mkdtemp(script_folder))
		return 2;
	snprintf(script, sizeof script, "%s/program", script_folder);
	int status = unit_main(suite_name, tests);
	char command[64];
	snprintf(command, sizeof command, "rm -rf '%s'", script_folder);
	return system(command) == 0 ? status : 2;
}

#endif
