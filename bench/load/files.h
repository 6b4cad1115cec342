/* The files of the gateway's page, as a browser asks for them.
 * Owner: the struct is the caller's; finish frees. Thread: any. Errors: SL_ENOENT (no page in the
 * folder), SL_EIO (errno says why), SL_ENOMEM. */
#ifndef SL_BENCH_FILES_H
#define SL_BENCH_FILES_H

#include <stddef.h>

struct bench_file {
	char *path; /* owns: of its URL, "/" for the page itself */
	size_t len;
};

struct bench_files {
	struct bench_file *list; /* owns: the page first, then by path */
	size_t count;
};

/* Lists index.html and every script, style sheet and image below `folder`. */
int bench_files_list(struct bench_files *files, const char *folder);
void bench_files_finish(struct bench_files *files);

#endif
