#include "auth/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/tls_file.h"
#include "util/crypto.h"
#include "util/err.h"

#define OPTION "--secret"
#define MADE_BYTES 48
#define MADE_DIGITS (2 * MADE_BYTES)

struct sl_secret {
	size_t len;
	uint8_t bytes[];
};

static int
create_of(struct sl_secret **out, const void *bytes, size_t len)
{
	struct sl_secret *secret = malloc(sizeof *secret + len);
	if (!secret)
		return SL_ENOMEM;
	secret->len = len;
	memcpy(secret->bytes, bytes, len);
	*out = secret;
	return 0;
}

/* ---- files ---- */

/* Digits and a line end, so that an editor does no harm. */
static int
write_made(int fd)
{
	uint8_t bytes[MADE_BYTES];
	char text[MADE_DIGITS + 2];
	int err = sl_crypto_random(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	text[MADE_DIGITS] = '\n';
	if (err == 0 && (write(fd, text, MADE_DIGITS + 1) != MADE_DIGITS + 1 || fsync(fd) != 0))
		err = SL_EIO;
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(text, sizeof text);
	return err;
}

/* The file appears whole or not at all; where another process makes it too, the first one counts. */
static int
make_file(const char *path)
{
	char *draft = NULL;
	if (asprintf(&draft, "%s.XXXXXX", path) < 0)
		return SL_ENOMEM;
	int fd = mkostemp(draft, O_CLOEXEC), err = fd >= 0 ? write_made(fd) : SL_EIO; /* mode 0600 */
	if (err == 0 && link(draft, path) != 0 && errno != EEXIST)
		err = SL_EIO;
	int number = errno;
	if (fd >= 0) {
		close(fd);
		unlink(draft);
	}
	free(draft);
	errno = number;
	return err;
}

static int
read_secret(struct sl_secret **out, const char *path, struct sl_tls_error error)
{
	struct sl_tls_file file = { 0 };
	int err = sl_tls_file_read_secret(&file, OPTION, path, error);
	size_t len = file.len;
	if (len > 0 && file.bytes[len - 1] == '\n')
		len--;
	if (len > 0 && file.bytes[len - 1] == '\r')
		len--;
	if (err == 0 && len < SL_SECRET_MIN)
		err = sl_tls_refuse(error, OPTION " %.200s: %zu bytes are too few; use %d or more, as openssl rand "
			"-base64 48 prints them, or remove the file and let sluice make one", path, len, SL_SECRET_MIN);
	if (err == 0)
		err = create_of(out, file.bytes, len);
	sl_tls_file_finish(&file);
	return err;
}

static int
make_own(struct sl_secret **out)
{
	uint8_t bytes[MADE_BYTES];
	int err = sl_crypto_random(bytes, sizeof bytes);
	if (err == 0)
		err = create_of(out, bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	return err;
}

int
sl_secret_create(struct sl_secret **out, const char *path, char *error, size_t error_size)
{
	struct sl_tls_error where = { error, error_size };
	int err = 0;
	*out = NULL;
	if (path && access(path, F_OK) != 0 && errno == ENOENT)
		err = make_file(path);
	if (err == SL_EIO)
		return sl_tls_refuse(where, OPTION " %.200s: cannot make the file (%s); use a path in a folder in "
			"which sluice may write", path, strerror(errno));
	if (err == 0)
		err = path ? read_secret(out, path, where) : make_own(out);
	if (err != 0 && err != SL_EINVAL)
		snprintf(error, error_size, OPTION ": %s", sl_strerror(err));
	return err;
}

void
sl_secret_destroy(struct sl_secret *secret)
{
	if (secret)
		explicit_bzero(secret->bytes, secret->len);
	free(secret);
}

int
sl_secret_derive(const struct sl_secret *secret, const char *use, uint8_t out[SL_DERIVED_KEY_LEN])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *deriver = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret->bytes,
			secret->len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)use, strlen(use)),
		OSSL_PARAM_construct_end(),
	};
	bool is_done = deriver && EVP_KDF_derive(deriver, out, SL_DERIVED_KEY_LEN, params) == 1;
	EVP_KDF_CTX_free(deriver);
	EVP_KDF_free(kdf);
	ERR_clear_error();
	return is_done ? 0 : SL_EIO;
}
