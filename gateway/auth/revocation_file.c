#include "auth/revocation_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/principal.h"
#include "auth/revocations.h"
#include "auth/strict_json.h"
#include "core/tls_file.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/log.h"

#define OPTION "--revocations"

struct sl_revocation_file {
	struct sl_revocations *revocations;
	uint64_t written;    /* the generation that the file holds */
	bool has_failed;     /* the last write */
	char path[];
};

/* ---- reading ---- */

static bool
read_time(int64_t *out, const json_t *line, const char *name)
{
	const json_t *value = json_object_get(line, name);
	*out = json_integer_value(value);
	return json_is_integer(value) && *out >= 0;
}

static int
take_line(struct sl_revocations *revocations, struct sl_span text, int64_t now_s)
{
	const char *why;
	json_t *line;
	int64_t until_s, kept_s;
	int err = sl_strict_json_load(&line, text, &why);
	if (err != 0)
		return err;
	const json_t *subject = json_object_get(line, "subject");
	struct sl_span name = { json_string_value(subject), json_string_length(subject) };
	bool is_whole = name.len > 0 && name.len <= SL_SUBJECT_MAX && json_object_size(line) == 3 &&
		read_time(&until_s, line, "until") && read_time(&kept_s, line, "kept");
	err = is_whole ? sl_revocations_add(revocations, name, until_s, kept_s, now_s) : SL_EINVAL;
	json_decref(line);
	return err;
}

static int
refuse_line(int err, const char *path, unsigned number, struct sl_tls_error error)
{
	if (err == SL_EFULL)
		return sl_tls_refuse(error, OPTION " %.200s: the file holds more subjects than "
			"--max-revocations allows; use a higher --max-revocations", path);
	if (err == SL_EINVAL)
		return sl_tls_refuse(error, OPTION " %.200s: line %u is not {\"subject\":\"...\",\"until\":N,"
			"\"kept\":N}; use a copy of the whole file, or remove it if the older tokens may count again",
			path, number);
	return err;
}

static int
take_lines(struct sl_revocations *revocations, struct sl_span rest, const char *path, int64_t now_s,
	struct sl_tls_error error)
{
	int err = 0;
	for (unsigned number = 1; err == 0 && rest.len > 0; number++) {
		const char *end = memchr(rest.bytes, '\n', rest.len);
		struct sl_span line = { rest.bytes, end ? (size_t)(end - rest.bytes) : rest.len };
		size_t used = line.len + (end != NULL);
		rest = (struct sl_span){ rest.bytes + used, rest.len - used };
		err = end ? take_line(revocations, line, now_s) : SL_EINVAL;
		if (err != 0)
			err = refuse_line(err, path, number, error);
	}
	return err;
}

static int
read_file(struct sl_revocation_file *file, int64_t now_s, struct sl_tls_error error)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	char piece[4096];
	ssize_t got = 0;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	while (fd >= 0 && (got = read(fd, piece, sizeof piece)) > 0)
		sl_buffer_append(&text, piece, (size_t)got);
	int err = sl_buffer_status(&text);
	if (fd < 0 || got < 0)
		err = sl_tls_refuse(error, OPTION " %.200s: cannot read the file (%s); use the path of a file "
			"that sluice may read and write", file->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (err == 0)
		err = take_lines(file->revocations, (struct sl_span){ text.bytes, text.len }, file->path,
			now_s, error);
	sl_buffer_finish(&text);
	return err;
}

/* ---- writing ---- */

static bool
write_whole(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		bytes += put;
		len -= (size_t)put;
	}
	return fsync(fd) == 0;
}

/* The rename itself must be on the disk, too. `path` is changed. */
static bool
sync_folder(char *path)
{
	int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_done = fd >= 0 && fsync(fd) == 0;
	int number = errno;
	if (fd >= 0)
		close(fd);
	errno = number;
	return is_done;
}

/* Errors: SL_EIO, errno says why; SL_ENOMEM. */
static int
replace(const char *path, const struct sl_buffer *text)
{
	char *draft = NULL;
	if (asprintf(&draft, "%s.XXXXXX", path) < 0)
		return SL_ENOMEM;
	int fd = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
	bool is_written = fd >= 0 && write_whole(fd, text->bytes, text->len);
	bool is_placed = is_written && rename(draft, path) == 0;
	int number = errno;
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !is_placed)
		unlink(draft);
	errno = number;
	if (is_placed && !sync_folder(draft)) /* both are in one */
		is_placed = false;
	number = errno;
	free(draft);
	errno = number;
	return is_placed ? 0 : SL_EIO;
}

/* The generation is read first: what is added between is written again. */
static int
save(struct sl_revocation_file *file, int64_t now_s)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	uint64_t generation = sl_revocations_get_generation(file->revocations);
	sl_revocations_append(file->revocations, &text, now_s);
	int err = sl_buffer_status(&text);
	if (err == 0)
		err = replace(file->path, &text);
	if (err == 0)
		file->written = generation;
	file->has_failed = err != 0;
	sl_buffer_finish(&text);
	return err;
}

uint64_t
sl_revocation_file_run(struct sl_revocation_file *file, int64_t now_s)
{
	if (!file || (file->written == sl_revocations_get_generation(file->revocations) && !file->has_failed))
		return UINT64_MAX;
	int err = save(file, now_s);
	if (err == 0)
		return UINT64_MAX;
	sl_log(SL_LOG_ERROR, "revocations.not_written", "file=\"%s\" error=\"%s\" retry_ms=%d", file->path,
		err == SL_EIO ? strerror(errno) : sl_strerror(err), SL_REVOCATION_RETRY_MS);
	return SL_REVOCATION_RETRY_MS;
}

/* ---- life ---- */

int
sl_revocation_file_open(struct sl_revocation_file **out, const char *path,
	struct sl_revocations *revocations, int64_t now_s, char *error, size_t error_size)
{
	struct sl_tls_error where = { error, error_size };
	struct sl_revocation_file *file = malloc(sizeof *file + strlen(path) + 1);
	int err = file ? 0 : SL_ENOMEM;
	*out = NULL;
	if (err == 0) {
		*file = (struct sl_revocation_file){ .revocations = revocations };
		strcpy(file->path, path);
		err = read_file(file, now_s, where);
	}
	if (err == 0)
		err = save(file, now_s);
	if (err == SL_EIO)
		err = sl_tls_refuse(where, OPTION " %.200s: cannot write the file (%s); use a path in a folder "
			"in which sluice may write", path, strerror(errno));
	if (err == SL_ENOMEM)
		snprintf(error, error_size, OPTION ": %s", sl_strerror(err));
	if (err == 0)
		*out = file;
	else
		free(file);
	return err;
}

void
sl_revocation_file_close(struct sl_revocation_file *file)
{
	free(file);
}
