#include "bench/load/files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/err.h"

#define DEPTH_MAX 8

static bool
is_loaded(const char *name)
{
	static const char *const endings[] = { ".js", ".css", ".svg", ".png" };
	const char *ending = strrchr(name, '.');
	for (size_t i = 0; ending && i < sizeof endings / sizeof *endings; i++)
		if (strcmp(ending, endings[i]) == 0)
			return true;
	return false;
}

static int
add(struct bench_files *files, const char *path, off_t len)
{
	struct bench_file *list = reallocarray(files->list, files->count + 1, sizeof *list);
	if (!list)
		return SL_ENOMEM;
	files->list = list;
	list[files->count] = (struct bench_file){ .path = strdup(path), .len = (size_t)len };
	return list[files->count++].path ? 0 : SL_ENOMEM;
}

/* `path` is below `root` and ends with a slash. */
static int
walk(struct bench_files *files, const char *root, const char *path, unsigned depth)
{
	char full[PATH_MAX], child[PATH_MAX];
	snprintf(full, sizeof full, "%s%s", root, path);
	DIR *folder = depth < DEPTH_MAX ? opendir(full) : NULL;
	int err = folder ? 0 : SL_EIO;
	for (struct dirent *entry; !err && (entry = readdir(folder));) {
		struct stat status;
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(child, sizeof child, "%s%s", path, entry->d_name) >= PATH_MAX - 1
			|| snprintf(full, sizeof full, "%s%s", root, child) >= PATH_MAX
			|| stat(full, &status) != 0)
			err = SL_EIO;
		else if (S_ISDIR(status.st_mode))
			err = walk(files, root, strcat(child, "/"), depth + 1);
		else if (is_loaded(entry->d_name))
			err = add(files, child, status.st_size);
	}
	if (folder)
		closedir(folder);
	return err;
}

static int
compare(const void *a, const void *b)
{
	const struct bench_file *left = a, *right = b;
	return strcmp(left->path, right->path);
}

int
bench_files_list(struct bench_files *files, const char *folder)
{
	char page[PATH_MAX];
	struct stat status;
	*files = (struct bench_files){ 0 };
	snprintf(page, sizeof page, "%s/index.html", folder);
	if (stat(page, &status) != 0)
		return errno == ENOENT || errno == ENOTDIR ? SL_ENOENT : SL_EIO;
	int err = add(files, "/", status.st_size);
	if (!err)
		err = walk(files, folder, "/", 0);
	if (err)
		bench_files_finish(files);
	else /* the page stays first: no other path is as short */
		qsort(files->list, files->count, sizeof *files->list, compare);
	return err;
}

void
bench_files_finish(struct bench_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->list[i].path);
	free(files->list);
	*files = (struct bench_files){ 0 };
}
