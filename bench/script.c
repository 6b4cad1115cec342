#include "bench/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANNOT_RUN 2
#define OWN_ARGUMENTS 5 /* node, the script, three places */

static const struct {
	const char *command, *file;
} scripts[] = {
	{ "check-code", "lab/check_code.mjs" },
	{ "check-report", "lab/check_report.mjs" },
	{ "lab", "lab/lab.mjs" },
	{ "probe", "lab/probe.mjs" },
};

void
bench_find_beside(char path[PATH_MAX], const char *name)
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	path[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(path, '/');
	size_t folder_len = slash ? (size_t)(slash + 1 - path) : 0;
	snprintf(path + folder_len, PATH_MAX - folder_len, "%s", name);
}

const char *
bench_script_find(const char *command)
{
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
		if (strcmp(scripts[i].command, command) == 0)
			return scripts[i].file;
	return NULL;
}

/* `name` beside this program, as where it was built; else in `installed`. */
static void
find(char path[PATH_MAX], const char *name, const char *installed, const char *installed_name)
{
	bench_find_beside(path, name);
	if (access(path, F_OK) != 0)
		snprintf(path, PATH_MAX, "%s/%s", installed, installed_name);
}

int
bench_script_run(const char *script, int count, char **args)
{
	char folder[PATH_MAX], file[PATH_MAX + 32], sluice[PATH_MAX], obstacle[PATH_MAX], client[PATH_MAX];
	char places[3][PATH_MAX + 16], node[] = "node";
	find(folder, "bench-data", SLUICE_BENCH_DATA_DIR, "");
	snprintf(file, sizeof file, "%s/%s", folder, script);
	bench_find_beside(sluice, "sluice");
	bench_find_beside(obstacle, "sluice-obstacle");
	find(client, "www/client", SLUICE_WEB_DIR, "client");
	snprintf(places[0], sizeof places[0], "--sluice=%s", sluice);
	snprintf(places[1], sizeof places[1], "--obstacle=%s", obstacle);
	snprintf(places[2], sizeof places[2], "--client=%s", client);

	char **argv = calloc((size_t)count + OWN_ARGUMENTS + 1, sizeof *argv);
	if (!argv)
		return CANNOT_RUN;
	memcpy(argv, (char *[]){ node, file, places[0], places[1], places[2] }, OWN_ARGUMENTS * sizeof *argv);
	for (int i = 0; i < count; i++)
		argv[OWN_ARGUMENTS + i] = args[i];
	execvp(node, argv);
	if (errno == ENOENT)
		fputs("sluice-bench: node is not in PATH; install Node.js, for instance with scripts/setup lab\n", stderr);
	else
		fprintf(stderr, "sluice-bench: node: %s\n", strerror(errno));
	free(argv);
	return CANNOT_RUN;
}
