/* TLS file: a file of certificates or keys, read whole.
 * Owner: the caller's struct; finish wipes it. Thread: main's. Errors: SL_EINVAL, with the sentence
 * to tell in `error`; SL_ENOMEM. */
#ifndef SL_CORE_TLS_FILE_H
#define SL_CORE_TLS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define SL_TLS_FILE_BYTES_MAX (1 << 20)

/* Where a refusal is told. */
struct sl_tls_error {
	char *text;
	size_t size;
};

struct sl_tls_file {
	char *bytes; /* owns; a NUL follows them */
	size_t len;
	unsigned mode; /* as stat(2) has it */
};

/* Writes the sentence. Returns SL_EINVAL. */
int sl_tls_refuse(struct sl_tls_error error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads the file at `path` that `option` ("--tls-key") names. Only regular files are read: any
 * other could keep a reload waiting. */
int sl_tls_file_read(struct sl_tls_file *out, const char *option, const char *path,
	struct sl_tls_error error);

/* The same of a file that holds a secret; who may read it without being its owner or of its
 * group is warned of. */
int sl_tls_file_read_secret(struct sl_tls_file *out, const char *option, const char *path,
	struct sl_tls_error error);

/* That warning, for what turns out to be a secret once it was read. */
void sl_tls_file_warn(const struct sl_tls_file *file, const char *option, const char *path);

/* Also of a struct that is all zero. */
void sl_tls_file_finish(struct sl_tls_file *file);

#endif
