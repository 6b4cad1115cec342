#include "core/tls_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/err.h"
#include "util/log.h"

int
sl_tls_refuse(struct sl_tls_error error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error.text, error.size, format, args);
	va_end(args);
	return SL_EINVAL;
}

/* Reads `size` bytes, or fewer of a file that was cut meanwhile: its reader will notice. */
static int
read_all(struct sl_tls_file *out, int fd, size_t size)
{
	out->bytes = malloc(size + 1);
	if (!out->bytes)
		return SL_ENOMEM;
	while (out->len < size) {
		ssize_t got = read(fd, out->bytes + out->len, size - out->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return SL_EIO;
		if (got == 0)
			break;
		out->len += (size_t)got;
	}
	out->bytes[out->len] = '\0';
	return 0;
}

int
sl_tls_file_read(struct sl_tls_file *out, const char *option, const char *path,
	struct sl_tls_error error)
{
	struct stat st = { 0 };
	*out = (struct sl_tls_file){ 0 };
	int err = 0, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0)
		err = SL_EIO;
	else if (!S_ISREG(st.st_mode))
		err = sl_tls_refuse(error, "%s %.200s: not a regular file; use the path of a file", option, path);
	else if (st.st_size > SL_TLS_FILE_BYTES_MAX)
		err = sl_tls_refuse(error, "%s %.200s: %lld bytes are too many; use a file of at most "
			"1 MiB", option, path, (long long)st.st_size);
	else
		err = read_all(out, fd, (size_t)st.st_size);
	if (err == SL_EIO)
		err = sl_tls_refuse(error, "%s %.200s: cannot read the file (%s); use the path of a file that "
			"sluice may read", option, path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (err != 0)
		sl_tls_file_finish(out);
	out->mode = st.st_mode;
	return err;
}

void
sl_tls_file_warn(const struct sl_tls_file *file, const char *option, const char *path)
{
	if ((file->mode & (S_IROTH | S_IWOTH)) != 0)
		sl_log(SL_LOG_WARNING, "tls.exposed", "option=%s file=\"%s\" mode=%04o "
			"reason=\"every user of this machine may read or change the file; use chmod 0640 or 0600\"",
			option, path, file->mode & 07777);
}

int
sl_tls_file_read_secret(struct sl_tls_file *out, const char *option, const char *path,
	struct sl_tls_error error)
{
	int err = sl_tls_file_read(out, option, path, error);
	if (err == 0)
		sl_tls_file_warn(out, option, path);
	return err;
}

void
sl_tls_file_finish(struct sl_tls_file *file)
{
	if (file->bytes)
		explicit_bzero(file->bytes, file->len);
	free(file->bytes);
	*file = (struct sl_tls_file){ 0 };
}
