#include "auth/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/tls_file.h"
#include "util/crypto.h"
#include "util/err.h"
#include "util/log.h"

#define RANDOM_LEN 32
#define TEXT_LEN (2 * RANDOM_LEN + 1) /* hexadecimal, so that it can be copied by hand; a line end */
#define OPTION "--secret"

_Static_assert(SL_DERIVED_KEY_LEN == SL_SHA256_LEN, "a key is one block of the hash");

struct sl_secret {
	uint8_t pseudorandom[SL_SHA256_LEN]; /* PRK of RFC 5869: nothing else is needed of the secret */
};

/* ---- making the file ---- */

static int
draw_text(char text[TEXT_LEN + 1])
{
	uint8_t bytes[RANDOM_LEN];
	int err = sl_crypto_random(bytes, sizeof bytes);
	for (size_t i = 0; err == 0 && i < sizeof bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	memcpy(text + TEXT_LEN - 1, "\n", 2);
	explicit_bzero(bytes, sizeof bytes);
	return err;
}

static bool
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, text, len);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text += written;
		len -= (size_t)written;
	}
	return fsync(fd) == 0;
}

/* Writes the text whole and under another name first. The link then fails where a gateway that starts at
 * the same time was faster, whose secret counts. Errors: SL_EIO with errno. */
static int
write_file(const char *path, const char *draft, const char *text)
{
	int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return SL_EIO;
	bool is_made = write_all(fd, text, TEXT_LEN) && (link(draft, path) == 0 || errno == EEXIST);
	int error = errno;
	close(fd);
	unlink(draft);
	errno = error;
	return is_made ? 0 : SL_EIO;
}

static int
make_file(const char *path, struct sl_tls_error error)
{
	char text[TEXT_LEN + 1], *draft;
	if (asprintf(&draft, "%s.%ld", path, (long)getpid()) < 0)
		return SL_ENOMEM;
	int err = draw_text(text);
	if (err == 0)
		err = write_file(path, draft, text);
	if (err != 0)
		err = sl_tls_refuse(error, OPTION " %.200s: it cannot be made: %s: make it with "
			"\"openssl rand -hex 32\", or name another file", path, strerror(errno));
	else
		sl_log(SL_LOG_INFO, "secret.made", "file=\"%s\"", path);
	explicit_bzero(text, sizeof text);
	free(draft);
	return err;
}

/* ---- reading it ---- */

static bool
is_missing(const char *path)
{
	struct stat st;
	return lstat(path, &st) != 0 && errno == ENOENT;
}

static void
drop_line_end(struct sl_tls_file *file)
{
	if (file->len > 0 && file->bytes[file->len - 1] == '\n')
		file->len--;
	if (file->len > 0 && file->bytes[file->len - 1] == '\r')
		file->len--;
}

/* HKDF-Extract without a salt (RFC 5869, section 2.2). */
static int
extract(struct sl_secret *secret, const void *bytes, size_t len)
{
	static const uint8_t no_salt[SL_SHA256_LEN];
	return sl_crypto_hmac_sha256(no_salt, sizeof no_salt, bytes, len, secret->pseudorandom);
}

static int
read_file(struct sl_secret *secret, const char *path, struct sl_tls_error error)
{
	struct sl_tls_file file;
	int err = sl_tls_file_read_secret(&file, OPTION, path, error);
	if (err != 0)
		return err;
	drop_line_end(&file);
	if (file.len < SL_SECRET_MIN)
		err = sl_tls_refuse(error, OPTION " %.200s: it has %zu bytes: use %d or more, which nobody can "
			"guess (\"openssl rand -hex 32\")", path, file.len, SL_SECRET_MIN);
	else
		err = extract(secret, file.bytes, file.len);
	sl_tls_file_finish(&file);
	return err;
}

static int
draw(struct sl_secret *secret)
{
	uint8_t bytes[RANDOM_LEN];
	int err = sl_crypto_random(bytes, sizeof bytes);
	if (err == 0)
		err = extract(secret, bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	return err;
}

int
sl_secret_create(struct sl_secret **out, const char *path, char *error, size_t error_size)
{
	struct sl_tls_error sentence = { error, error_size };
	struct sl_secret *secret = calloc(1, sizeof *secret);
	int err = secret ? 0 : SL_ENOMEM;
	if (err == 0 && path && is_missing(path))
		err = make_file(path, sentence);
	if (err == 0)
		err = path ? read_file(secret, path, sentence) : draw(secret);
	if (err == 0) {
		*out = secret;
		return 0;
	}
	if (err != SL_EINVAL)
		snprintf(error, error_size, OPTION ": %s", sl_strerror(err));
	sl_secret_destroy(secret);
	return err;
}

void
sl_secret_destroy(struct sl_secret *secret)
{
	if (secret)
		explicit_bzero(secret, sizeof *secret);
	free(secret);
}

/* HKDF-Expand to one block (RFC 5869, section 2.3). */
int
sl_secret_derive(const struct sl_secret *secret, const char *use, uint8_t out[SL_DERIVED_KEY_LEN])
{
	char text[32];
	int len = snprintf(text, sizeof text, "%s\x01", use);
	if (len < 0 || (size_t)len >= sizeof text)
		return SL_EIO;
	return sl_crypto_hmac_sha256(secret->pseudorandom, sizeof secret->pseudorandom, text, (size_t)len,
		out);
}
