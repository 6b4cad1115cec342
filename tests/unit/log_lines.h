/* What is written to standard error meanwhile: the lines of the log.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_LOG_LINES_H
#define SL_TESTS_LOG_LINES_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int log_lines_fd = -1, log_lines_saved_fd = -1;
static char log_lines_text[65536];

/* From now on standard error is kept for log_lines_end(). */
static inline void
log_lines_begin(void)
{
	log_lines_saved_fd = dup(STDERR_FILENO);
	log_lines_fd = memfd_create("log", MFD_CLOEXEC);
	if (log_lines_saved_fd < 0 || log_lines_fd < 0 || dup2(log_lines_fd, STDERR_FILENO) < 0)
		abort();
}

/* Returns what was written since log_lines_begin(); valid until the next call. */
static inline const char *
log_lines_end(void)
{
	ssize_t len = pread(log_lines_fd, log_lines_text, sizeof log_lines_text - 1, 0);
	if (len < 0 || dup2(log_lines_saved_fd, STDERR_FILENO) < 0)
		abort();
	log_lines_text[len] = '\0';
	close(log_lines_fd);
	close(log_lines_saved_fd);
	return log_lines_text;
}

#endif
